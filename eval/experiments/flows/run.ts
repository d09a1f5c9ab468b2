/** What the experiments of named flows have in common: the scenario of their name as the simulator runs it. */
import { makeAlgorithm, resolveAlgorithm } from "../../../algorithms/reference.ts";
import type { FlowAlgorithm } from "../../../ccp-bridge/in-process-flow.ts";
import { getScenario } from "../../../scenarios/presets.ts";
import { SIMULATED, type SimulatedRun } from "../../../testbeds/simulated/simulated.ts";
import { mean } from "../../statistics.ts";
import { axis, lines, type Panel } from "../figures.ts";
import { type ExperimentOption, whole } from "../options.ts";

export const SEED: ExperimentOption<number> = whole(1, { low: 0, high: 1_000_000, help: "draws the start" });

export function sourceOf(scenario: string): string {
  return `ccpark, scenario ${scenario}; inspired by Flows (2001)`;
}

/** @param algorithm of the flows under test: a reference, or one that is made */
export function openFlows(scenario: string, seed: number, algorithm: string | FlowAlgorithm): SimulatedRun {
  const made = typeof algorithm === "string" ? makeAlgorithm(resolveAlgorithm(algorithm)) : algorithm;
  return SIMULATED.open(getScenario(scenario), seed, { control: () => made });
}

/** Mean of what comes after one time and until another; NaN: nothing does. */
export function between<Row extends { readonly atSec: number }>(
  rows: readonly Row[],
  [fromSec, toSec]: readonly [number, number],
  of: (row: Row) => number,
): number {
  return mean(rows.filter(({ atSec }) => atSec > fromSec + 1e-9 && atSec <= toSec + 1e-9).map(of));
}

/** A line for each algorithm over the time of its run; `unit` is the title of the y axis. */
export function overTime<
  Field extends string,
  Row extends { readonly algorithm: string; readonly atSec: number } & Readonly<Record<Field, number>>,
>(
  names: readonly string[],
  rows: readonly Row[],
  { title, field, unit, width }: { title: string; field: Field; unit: string; width: number },
): Panel {
  const values = rows.map((row) => ({ name: row.algorithm, atSec: row.atSec, [field]: row[field] }));
  const x = axis({ field: "atSec", title: "Time, s" });
  return lines(names, { title, values, x, y: axis({ field, title: unit }), width });
}
