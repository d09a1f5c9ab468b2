/** Thirteen nodes, each two with a path: is one detour enough, and whom does it help? */
import Table from "cli-table3";
import { toMbps } from "../../../core/units.ts";
import type { OverlayPolicySpec } from "../../../scenarios/overlay/overlay.ts";
import { workOf } from "../../../testbeds/overlays/overlay.ts";
import type { Comparison, RouteWork } from "../../../testbeds/overlays/works/route.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { axis, lines, page } from "../figures.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import { goodputOf, OVERLAY_OPTIONS, openOverlay, overlayScenario } from "./run.ts";

const NAME = "ron-mesh-13";
const POLICIES = {
  direct: { kind: "fixed" },
  "one hop": { kind: "min-loss", maxRelays: 1 },
  "any hops": { kind: "min-loss", maxRelays: 11 },
} as const satisfies Readonly<Record<string, Partial<OverlayPolicySpec>>>;
type Policy = keyof typeof POLICIES;
const NAMES = Object.keys(POLICIES) as Policy[];
const BIN_SEC = 2;
const SPAN_SEC = 10;
/** Lower ends of the direct path's loss, as of RON's table. */
const LEVELS = [0, 0.1, 0.2, 0.3, 0.5, 0.9] as const;
/** Losses that differ by less are the same: one packet of those that a window has. */
const SAME = 0.05;

interface Row {
  readonly policy: Policy;
  /** of all flows */
  readonly mbps: number;
  readonly courseMbps: readonly number[];
  readonly pathChanges: number;
  /** ten seconds of a flow in which nothing arrived */
  readonly deadSpans: number;
  /** spans of ten seconds of each pair */
  readonly comparisons: readonly Comparison[];
}

function measure(policy: Policy, algorithm: string, seed: number): Row {
  const scenario = overlayScenario(NAME, (overlay) => ({
    policy: { ...overlay.policy!, ...POLICIES[policy] },
  }));
  const run = openOverlay(scenario, seed, algorithm);
  const route: RouteWork = workOf(run.overlay, "route");
  const course = [...goodputOf(run, BIN_SEC)].map(({ mbps }) => mbps);
  const bytes = run.flows.reduce((sum, { path, mssBytes }) => sum + path.firstArrivedPackets * mssBytes, 0);
  return {
    policy,
    mbps: toMbps(bytes / scenario.durationSec),
    courseMbps: course.map((mbps) => mbps.reduce((sum, each) => sum + each)),
    deadSpans: deadSpans(course),
    pathChanges: route.changes.length,
    comparisons: route.comparisons,
  };
}

/** @param course of each bin: what each flow had */
function deadSpans(course: readonly (readonly number[])[]): number {
  const bins = SPAN_SEC / BIN_SEC;
  let dead = 0;
  for (let at = 0; at + bins <= course.length; at += bins) {
    const span = course.slice(at, at + bins);
    dead += span[0]!.filter((_, flow) => span.every((mbps) => mbps[flow] === 0)).length;
  }
  return dead;
}

/** Of spans whose direct path lost so much: how many are better, the same and worse over the overlay. */
function verdicts(comparisons: readonly Comparison[], low: number, high: number): [number, number, number] {
  const counts: [number, number, number] = [0, 0, 0];
  for (const { sent, directLost, chosenLost } of comparisons) {
    const direct = directLost / sent;
    if (direct < low || direct >= high) continue;
    const gain = (directLost - chosenLost) / sent;
    counts[gain > SAME ? 0 : gain < -SAME ? 2 : 1]++;
  }
  return counts;
}

export const ronMesh: Experiment = experiment({
  name: NAME,
  summary: "13 nodes with losses and outages: one detour against any number of them, by level of loss",
  source: "ccpark, scenario ron-mesh-13; inspired by Andersen et al., SOSP 2001 (RON), tables 3 and 4",
  options: OVERLAY_OPTIONS,
  count: () => NAMES.length,
  *run({ algorithm, seed }): Generator<Row> {
    for (const policy of NAMES) yield measure(policy, algorithm, seed);
  },
  describe: ({ policy }) => policy,
  report(rows) {
    const of = (policy: Policy): Row => rows.find((row) => row.policy === policy)!;
    const table = new Table({
      ...PLAIN_TABLE,
      head: ["min-loss", "12 flows\nMbit/s", "dead\nspans", "path\nchanges"],
    });
    for (const { policy, mbps, deadSpans: dead, pathChanges } of rows)
      table.push([policy, mbps.toFixed(2), dead, pathChanges]);
    const levels = new Table({
      ...PLAIN_TABLE,
      head: ["direct path\nloses", "better", "same", "worse"],
    });
    const whole = of("one hop").comparisons.filter(({ sent }) => sent >= 10);
    for (const [i, low] of LEVELS.entries()) {
      const high = LEVELS[i + 1] ?? Number.POSITIVE_INFINITY;
      const until = i + 1 < LEVELS.length ? `to ${100 * high} %` : "and more";
      levels.push([`${100 * low} ${until}`, ...verdicts(whole, low, high)]);
    }
    const [better, same, worse] = verdicts(whole, 0.3, Number.POSITIVE_INFINITY);
    const values = rows.flatMap(({ policy, courseMbps }) =>
      courseMbps.map((mbps, i) => ({ name: policy, atSec: (i + 1) * BIN_SEC, mbps })),
    );
    return {
      text: `${table.toString()}\n\n${levels.toString()}\nSpans of ten seconds of each pair, packets of comparison sent both ways; the same: they differ by less than ${100 * SAME} %.\n`,
      claims: [
        judge({
          claim: "goodput over at most one node, by that over any number",
          published: "one is enough",
          measured: of("one hop").mbps / of("any hops").mbps,
          unit: "1",
          threshold: { low: 0.95 },
        }),
        judge({
          claim: "of spans whose direct path loses 30 % or more, those that are better over one node",
          published: "all but a few",
          measured: better / (better + same + worse),
          unit: "1",
          threshold: { low: 0.5 },
        }),
        judge({
          claim: "ten seconds of a flow without anything, over at most one node",
          published: "outages are routed around",
          measured: of("one hop").deadSpans,
          unit: "spans",
          threshold: { high: 0 },
        }),
        judge({
          claim: "the same on direct paths",
          measured: of("direct").deadSpans,
          unit: "spans",
          threshold: { low: 1 },
        }),
        // detours share links, and flows leave paths whose loss is their own
        judge({
          claim: "goodput of bulk flows over at most one node, by that of direct paths",
          measured: of("one hop").mbps / of("direct").mbps,
          unit: "1",
        }),
      ],
      figure: page({ title: "One detour, any number, none" }, NAMES, [
        lines(NAMES, {
          title: "12 flows together",
          values,
          x: axis({ field: "atSec", title: "Time, s" }),
          y: axis({ field: "mbps", title: "Mbit/s" }),
          width: 480,
        }),
      ]),
    };
  },
});
