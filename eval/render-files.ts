/**
 * SVG to pixels by resvg (WebAssembly, so that no build is needed) with a font of its own: the same picture on every
 * machine. Reads two files, from the installed packages or from a folder.
 */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { initWasm, Resvg } from "@resvg/resvg-wasm";

const WASM = "index_bg.wasm";
const FONT = "DejaVuSans.ttf";

async function load(assets: string | undefined): Promise<Uint8Array> {
  const { resolve } = createRequire(import.meta.url);
  const wasm = assets === undefined ? resolve(`@resvg/resvg-wasm/${WASM}`) : join(assets, WASM);
  const font = assets === undefined ? resolve(`dejavu-fonts-ttf/ttf/${FONT}`) : join(assets, FONT);
  await initWasm(await readFile(wasm));
  return readFile(font);
}

/** Of this thread; resvg can be initialised only once. */
let loading: Promise<Uint8Array> | undefined;

export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** uint8, [height x width x 3] */
  readonly data: Uint8Array;
}

/** White paper, and the one font. */
async function resvgOf(
  svg: string,
  assets: string | undefined,
  zoom: number,
): Promise<InstanceType<typeof Resvg>> {
  const font = await (loading ??= load(assets));
  return new Resvg(svg, {
    background: "#ffffff",
    fitTo: { mode: "zoom", value: zoom },
    font: { fontBuffers: [font], defaultFontFamily: "DejaVu Sans" },
  });
}

/** @param assets folder with the two files; absent: the installed packages */
export async function rasterise(svg: string, assets?: string): Promise<Pixels> {
  const resvg = await resvgOf(svg, assets, 1);
  const image = resvg.render();
  const { width, height, pixels } = image;
  const data = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; to < data.length; from += 4, to += 3) {
    data[to] = pixels[from]!;
    data[to + 1] = pixels[from + 1]!;
    data[to + 2] = pixels[from + 2]!;
  }
  image.free();
  resvg.free();
  return { width, height, data };
}

/** Sharp on screens of two pixels per point, and in print. */
const PNG_ZOOM = 2;

/** @param zoom pixels per unit of the SVG */
export async function svgToPng(svg: string, zoom: number = PNG_ZOOM): Promise<Uint8Array> {
  const resvg = await resvgOf(svg, undefined, zoom);
  const image = resvg.render();
  const png = image.asPng();
  image.free();
  resvg.free();
  return png;
}
