/** Pictures of an episode by mode. Nothing is loaded before the first picture that needs it. */
import type { EpisodeCourse } from "../envs/vector/slots/history.ts";
import type { DrawPicture } from "../envs/vector/slots/slot-episode.ts";
import { ansiPanel } from "./render-ansi.ts";

/** @param assets folder with `index_bg.wasm` and `DejaVuSans.ttf`, for a bundle; absent: those of the installed packages */
export function pictureDrawer(assets?: string): DrawPicture {
  return (mode, course) => {
    if (mode === "ansi") {
      const data = new TextEncoder().encode(ansiPanel(course));
      return { mediaType: "text/plain; charset=utf-8", data, shape: [] };
    }
    if (mode === "svg") return svg(course);
    return mode === "rgb_array" ? pixels(course, assets) : undefined;
  };
}

async function svg(course: EpisodeCourse) {
  const { courseSvg } = await import("./render-svg.ts");
  const data = new TextEncoder().encode(await courseSvg(course));
  return { mediaType: "image/svg+xml", data, shape: [] };
}

async function pixels(course: EpisodeCourse, assets: string | undefined) {
  const { courseSvg } = await import("./render-svg.ts");
  const { rasterise } = await import("./render-files.ts");
  const { data, width, height } = await rasterise(await courseSvg(course), assets);
  return { mediaType: "application/octet-stream", data, shape: [height, width, 3] };
}
