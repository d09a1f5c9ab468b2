/** Vega-Lite drawn without a browser. */
import type { Config, TopLevelSpec } from "vega-lite";

/** @returns the text of an SVG file; @param spec of Vega-Lite @param config what it does not say itself */
export async function vegaSvg(spec: object, config: object): Promise<string> {
  // here and not as this module is loaded: Vega's waits while it loads, which no script may do
  const { parse, View } = await import("vega");
  const { compile } = await import("vega-lite");
  const compiled = compile(spec as TopLevelSpec, { config: config as Config }).spec;
  const view = new View(parse(compiled), { renderer: "none" });
  const svg = await view.toSVG();
  view.finalize();
  return svg;
}
