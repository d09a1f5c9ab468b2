/** A stack as a picture of text: boxes from the top down, with what each takes and what holds above it. */
import type { ChunnelSpec } from "./spec.ts";
import { checkStack } from "./spec.ts";

function label({ name, options }: ChunnelSpec): string {
  const shown = Object.entries(options).filter(([, value]) => value !== "" && value !== undefined);
  const text = shown
    .map(([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" ");
  return text === "" ? name : `${name}  ${text}`;
}

/** @throws CcparkError (invalid-argument) if it does not fit */
export function drawStack(specs: readonly ChunnelSpec[]): string {
  checkStack(specs);
  const labels = specs.map(label);
  const width = Math.max(...labels.map((text) => text.length));
  const lines: string[] = [];
  let fans = false;
  specs.forEach((spec, i) => {
    const { kind, labels: holds } = checkStack(specs.slice(i));
    const edge = fans ? "║" : "│";
    const side = [...holds].join(", ");
    lines.push(`  ${i === 0 ? "┌" : "├"}${"─".repeat(width + 2)}${i === 0 ? "┐" : "┤"}`);
    lines.push(`  ${edge} ${labels[i]!.padEnd(width)} ${edge}  ${kind}${side === "" ? "" : `; ${side}`}`);
    if (spec.name === "route") fans = true;
  });
  lines.push(`  └${"─".repeat(width + 2)}┘`);
  if (fans) lines.push("  ║: one for each neighbour");
  return `${lines.join("\n")}\n`;
}

/** The same as Vega-Lite, for SVG and PNG. */
export function stackFigure(specs: readonly ChunnelSpec[]): object {
  const values = specs.map((spec, i) => {
    const { kind, labels } = checkStack(specs.slice(i));
    return { place: i, label: label(spec), side: [kind, ...labels].join(", "), zero: 0 };
  });
  const y = { field: "place", type: "ordinal", axis: null, scale: { paddingInner: 0.15 } };
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    padding: 18,
    width: 720,
    height: 36 * specs.length,
    data: { values },
    layer: [
      {
        mark: { type: "bar", color: "#dbe7f3", stroke: "#4c78a8", cornerRadius: 4 },
        encoding: {
          y,
          x: { datum: 0, type: "quantitative", axis: null, scale: { domain: [0, 100] } },
          x2: { datum: 55 },
        },
      },
      {
        mark: { type: "text", align: "left", fontSize: 13 },
        encoding: { y, x: { datum: 2, type: "quantitative" }, text: { field: "label" } },
      },
      {
        mark: { type: "text", align: "left", fontSize: 11, color: "#555" },
        encoding: { y, x: { datum: 57, type: "quantitative" }, text: { field: "side" } },
      },
    ],
    config: { view: { stroke: null } },
  };
}
