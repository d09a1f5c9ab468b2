/** Outages of the direct path while a detour lives: who finds it, and how long nothing arrives. */
import Table from "cli-table3";
import { OUTAGES_SEC } from "../../../scenarios/presets/overlays/paths.ts";
import { workOf } from "../../../testbeds/overlays/overlay.ts";
import type { RouteWork } from "../../../testbeds/overlays/works/route.ts";
import { mean } from "../../statistics.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { axis, lines, page, withSpans } from "../figures.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import { goodputOf, OVERLAY_OPTIONS, openOverlay, overlayScenario } from "./run.ts";

const NAME = "ron-outage-3";
/** A window is dead when nothing arrives in it: longer than four probes and the timeouts that follow them. */
const WINDOW_SEC = 5;
const BIN_SEC = 0.5;
const POLICIES = ["fixed", "min-loss", "min-latency", "max-throughput"] as const;
type Policy = (typeof POLICIES)[number];

interface Row {
  readonly policy: Policy;
  readonly atSec: number;
  readonly mbps: number;
  /** paths that the flow took in the span, the latest last */
  readonly path: string;
}

function* measure(policy: Policy, algorithm: string, seed: number): Generator<Row> {
  const scenario = overlayScenario(NAME, (overlay) => ({ policy: { ...overlay.policy!, kind: policy } }));
  const run = openOverlay(scenario, seed, algorithm);
  const route: RouteWork = workOf(run.overlay, "route");
  for (const { atSec, mbps } of goodputOf(run, BIN_SEC))
    yield { policy, atSec, mbps: mbps[0]!, path: route.hostsOf(0).join(">") };
}

/** Windows, one beginning in each bin, in which nothing arrived. */
function deadWindows(mbps: readonly number[]): number {
  const bins = WINDOW_SEC / BIN_SEC;
  let dead = 0;
  for (let i = 0; i + bins <= mbps.length; i++)
    if (mbps.slice(i, i + bins).every((each) => each === 0)) dead++;
  return dead;
}

export const ronOutage: Experiment = experiment({
  name: NAME,
  summary: "the direct path of three nodes is dead three times: how long nothing arrives, by policy",
  source: "ccpark, scenario ron-outage-3; inspired by Andersen et al., SOSP 2001 (RON)",
  options: OVERLAY_OPTIONS,
  count: () => (POLICIES.length * 150) / BIN_SEC,
  *run({ algorithm, seed }): Generator<Row> {
    for (const policy of POLICIES) yield* measure(policy, algorithm, seed);
  },
  describe: ({ policy }) => policy,
  report(rows) {
    const of = (policy: Policy): readonly Row[] => rows.filter((row) => row.policy === policy);
    const table = new Table({
      ...PLAIN_TABLE,
      head: ["policy", "dead\nwindows", "longest\nsilence s", "Mbit/s", "path\nchanges"],
    });
    const dead = (policy: Policy): number => deadWindows(of(policy).map(({ mbps }) => mbps));
    for (const policy of POLICIES) {
      const own = of(policy);
      let longest = 0;
      let silent = 0;
      for (const { mbps } of own) {
        silent = mbps === 0 ? silent + BIN_SEC : 0;
        longest = Math.max(longest, silent);
      }
      const changes = own.filter(({ path }, i) => i > 0 && path !== own[i - 1]!.path).length;
      const figures = [
        dead(policy),
        longest.toFixed(1),
        mean(own.map(({ mbps }) => mbps)).toFixed(2),
        changes,
      ];
      table.push([policy, ...figures]);
    }
    const values = rows.map(({ policy, atSec, mbps }) => ({ name: policy, atSec, mbps }));
    const arriving = lines(POLICIES, {
      title: "what arrives; grey: the direct path is dead",
      values,
      x: axis({ field: "atSec", title: "Time, s" }),
      y: axis({ field: "mbps", title: "Mbit/s" }),
      width: 560,
    });
    return {
      text: `${table.toString()}\nA window of ${WINDOW_SEC} s is dead when nothing arrives in it; one begins every ${BIN_SEC} s. Links of 4 Mbit/s, direct path dead from 20 to 40, 60 to 75 and 100 to 130 s.\n`,
      claims: [
        judge({
          claim: "min-loss: dead windows",
          published: "none",
          measured: dead("min-loss"),
          unit: "windows",
          threshold: { high: 0 },
        }),
        judge({
          claim: "fixed: dead windows",
          published: "all of an outage",
          measured: dead("fixed"),
          unit: "windows",
          threshold: { low: 1 },
        }),
      ],
      figure: page({ title: "Outages and a detour" }, POLICIES, [withSpans(arriving, OUTAGES_SEC)]),
    };
  },
});
