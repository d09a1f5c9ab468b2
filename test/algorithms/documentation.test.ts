/** The table of docs/algorithms.md is what the registry says. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ALGORITHMS } from "../../algorithms/registry.ts";
import type { AlgorithmParam, AlgorithmSpec } from "../../algorithms/spec.ts";

/** `beta`: 0.1 to 0.95, default 0.7 */
function parameter({ name, unit, low, high, default: preset, whole, choices }: AlgorithmParam): string {
  if (choices !== undefined) return `\`${name}\`: ${choices.join(", ")}, default ${choices[preset]}`;
  const range = whole && low === 0 && high === 1 ? "0 or 1" : `${low} to ${high}`;
  return `\`${name}\`: ${range}${unit === "1" ? "" : ` ${unit}`}, default ${preset}`;
}

function row({ name, summary, source, reads, params, ccp, native }: AlgorithmSpec): string {
  const forms = [ccp && `\`${name}\``, native && `\`native-${name}\``].filter(Boolean).join(", ");
  const cells = [forms, summary, reads.join(", "), params.map(parameter).join("<br>") || "none", source];
  return `| ${cells.join(" | ")} |`;
}

describe("docs/algorithms.md", () => {
  it("has every algorithm with its forms, parameters and source, as the registry has them", () => {
    const table = [
      "| name | what it does | reads | parameters | source |",
      "| --- | --- | --- | --- | --- |",
      ...[...ALGORITHMS.values()].map(row),
    ];
    const lines = readFileSync(new URL("../../docs/algorithms.md", import.meta.url), "utf8").split("\n");
    expect(lines.filter((line) => line.startsWith("|"))).toEqual(table);
  });
});
