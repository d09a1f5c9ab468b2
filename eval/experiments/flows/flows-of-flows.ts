/** Flows of flows: weights on three levels under one window, and a slow branch that shall not slow the others. */
import Table from "cli-table3";
import { algorithms } from "../algorithm-options.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { axis, lines, type Panel, page } from "../figures.ts";
import { goodputOf } from "../overlays/run.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import { between, openFlows, SEED, sourceOf } from "./run.ts";

const LAYERED = "flows-layered";
const SLOW_BRANCH = "flows-slow-branch";
const BIN_SEC = 1;
/** Beginnings are another matter. */
const SETTLED_SEC = 10;

interface Row {
  readonly algorithm: string;
  readonly flow: string;
  readonly atSec: number;
  readonly mbps: number;
}

function* measure(scenario: string, algorithm: string, seed: number): Generator<Row> {
  const run = openFlows(scenario, seed, algorithm);
  for (const { atSec, mbps } of goodputOf(run, BIN_SEC))
    for (const [i, { id }] of run.flows.entries()) yield { algorithm, flow: id, atSec, mbps: mbps[i]! };
}

/** Of each flow, in the scenario's order, once it has settled. */
function settled(rows: readonly Row[]): ReadonlyMap<string, number> {
  const names = [...new Set(rows.map(({ flow }) => flow))];
  return new Map(
    names.map((name) => {
      const own = rows.filter(({ flow }) => flow === name);
      return [name, between(own, [SETTLED_SEC, Number.POSITIVE_INFINITY], ({ mbps }) => mbps)];
    }),
  );
}

function panelOf(rows: readonly Row[], title: string): Panel {
  const names = [...new Set(rows.map(({ flow }) => flow))];
  const values = rows.map(({ flow, atSec, mbps }) => ({ name: flow, atSec, mbps }));
  const [x, y] = [axis({ field: "atSec", title: "Time, s" }), axis({ field: "mbps", title: "Mbit/s" })];
  return lines(names, { title, values, x, y, width: 420 });
}

/** By the weights 1:2:3 on each of three levels, of flows in the scenario's order. */
const DUE = [1 / 6, 2 / 6, 3 / 36, 6 / 36, 9 / 216, 18 / 216, 27 / 216] as const;

export const flowsLayered: Experiment = experiment({
  name: LAYERED,
  summary: "seven flows by the weights 1:2:3 on each of three levels, under one window of 6 Mbit/s",
  source: sourceOf(LAYERED),
  options: {
    algorithms: algorithms(["aggregate"], "that split a window by weights, each in a run"),
    seed: SEED,
  },
  count: ({ algorithms }) => (algorithms.length * DUE.length * 60) / BIN_SEC,
  *run({ algorithms, seed }): Generator<Row> {
    for (const algorithm of algorithms) yield* measure(LAYERED, algorithm, seed);
  },
  describe: ({ algorithm, flow }) => `${algorithm}, ${flow}`,
  report(rows) {
    const table = new Table({ ...PLAIN_TABLE, head: ["", "flow", "Mbit/s", "share\n%", "due\n%"] });
    const names = [...new Set(rows.map(({ algorithm }) => algorithm))];
    const claims = names.map((name) => {
      const got = [...settled(rows.filter(({ algorithm }) => algorithm === name))];
      const sum = got.reduce((total, [, mbps]) => total + mbps, 0);
      const off = got.map(([flow, mbps], i) => {
        table.push([
          name,
          flow,
          mbps.toFixed(3),
          ((100 * mbps) / sum).toFixed(2),
          (100 * DUE[i]!).toFixed(2),
        ]);
        return Math.abs(mbps / sum / DUE[i]! - 1);
      });
      return judge({
        claim: `${name}: the flow farthest from its due, by its due`,
        measured: Math.max(...off),
        unit: "1",
        threshold: { high: 0.05 },
      });
    });
    const flows = [...new Set(rows.map(({ flow }) => flow))];
    const panels = names.map((name) =>
      panelOf(
        rows.filter(({ algorithm }) => algorithm === name),
        name,
      ),
    );
    return {
      text: `${table.toString()}\nMeans after ${SETTLED_SEC} s.\n`,
      claims,
      figure: page({ title: "Flows of flows, three levels", legend: "flow" }, flows, panels),
    };
  },
});

export const flowsSlowBranch: Experiment = experiment({
  name: SLOW_BRANCH,
  summary: "three branches, one over 0.5 Mbit/s: what the others have of 12, each for itself and as one",
  source: sourceOf(SLOW_BRANCH),
  options: {
    algorithms: algorithms(["cubic", "aggregate"], "of the branches, each in a run"),
    seed: SEED,
  },
  count: ({ algorithms }) => (algorithms.length * 3 * 30) / BIN_SEC,
  *run({ algorithms, seed }): Generator<Row> {
    for (const algorithm of algorithms) yield* measure(SLOW_BRANCH, algorithm, seed);
  },
  describe: ({ algorithm, flow }) => `${algorithm}, ${flow}`,
  report(rows) {
    const names = [...new Set(rows.map(({ algorithm }) => algorithm))];
    const table = new Table({
      ...PLAIN_TABLE,
      head: ["", "flow-0\nMbit/s", "near", "slow", "the two\nfast ones"],
    });
    const claims = names.map((name) => {
      const got = settled(rows.filter(({ algorithm }) => algorithm === name));
      const fast = got.get("flow-0")! + got.get("near")!;
      table.push([name, ...[...got.values(), fast].map((mbps) => mbps.toFixed(2))]);
      return { name, fast };
    });
    const flows = [...new Set(rows.map(({ flow }) => flow))];
    return {
      text: `${table.toString()}\nMeans after ${SETTLED_SEC} s; the third branch goes on over 0.5 Mbit/s.\n`,
      claims: claims.map(({ name, fast }) =>
        judge({
          claim: `${name}: what the two fast branches have of 12 Mbit/s`,
          measured: fast,
          unit: "Mbit/s",
          // one window for all has the slow one's losses, which is what there is to learn
          ...(name !== "aggregate" && { threshold: { low: 9.5 } }),
        }),
      ),
      figure: page(
        { title: "One branch is slow", legend: "flow" },
        flows,
        names.map((name) =>
          panelOf(
            rows.filter(({ algorithm }) => algorithm === name),
            name,
          ),
        ),
      ),
    };
  },
});
