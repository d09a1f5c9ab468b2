/** An estimate that adapts to what lasts and not to what passes: a smoothed goodput in steps. */
import Table from "cli-table3";
import { NANOS_PER_SEC } from "../../../core/units.ts";
import { ADAPT } from "../../../scenarios/presets/overlays/trees.ts";
import { workOf } from "../../../testbeds/overlays/overlay.ts";
import type { GoodputSample, TreeWork } from "../../../testbeds/overlays/works/tree/tree.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { axis, lines, page } from "../figures.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import { OVERLAY_OPTIONS, openOverlay, overlayScenario } from "./run.ts";

const NAME = "esm-adapt-noise";
const NODES = ["lasting", "transient"] as const;
const BEFORE_MBPS = 2;
const AFTER_MBPS = 1;

/** Which sample after the change, from 1 on, is the first whose level is so; Infinity: none. */
function sampleWhere(rows: readonly GoodputSample[], node: string, is: (mbps: number) => boolean): number {
  const after = rows.filter((row) => row.node === node && row.atSec > ADAPT.changeSec + 0.01);
  const found = after.findIndex(({ levelMbps }) => is(levelMbps));
  return found < 0 ? Number.POSITIVE_INFINITY : found + 1;
}

export const esmAdapt: Experiment = experiment({
  name: NAME,
  summary: "a rate that halves for good and one that halves for a moment: when a smoothed estimate follows",
  source: "ccpark, scenario esm-adapt-noise; inspired by Chu et al., SIGCOMM 2001 (end system multicast)",
  options: OVERLAY_OPTIONS,
  count: () => (NODES.length * 120) / ADAPT.everySec,
  *run({ algorithm, seed }): Generator<GoodputSample> {
    const run = openOverlay(overlayScenario(NAME), seed, algorithm);
    const tree: TreeWork = workOf(run.overlay, "tree");
    run.runUntil(run.startNs + 120 * NANOS_PER_SEC);
    yield* tree.samples;
  },
  describe: ({ node, atSec }) => `${node}, ${atSec.toFixed(0)} s`,
  report(rows) {
    const table = new Table({
      ...PLAIN_TABLE,
      head: ["after", "lasting\nsample", "estimate", "level", "transient\nsample", "estimate", "level"],
    });
    const after = (node: string): GoodputSample[] =>
      rows.filter((row) => row.node === node && row.atSec > ADAPT.changeSec + 0.01).slice(0, 16);
    const [lasting, transient] = [after("lasting"), after("transient")];
    lasting.forEach((row, i) => {
      const cells = [row, transient[i]!].flatMap(({ mbps, estimateMbps, levelMbps }) => [
        mbps.toFixed(3),
        estimateMbps.toFixed(3),
        levelMbps.toFixed(1),
      ]);
      table.push([i + 1, ...cells]);
    });
    const levels = ["lasting, sample", "lasting, level", "transient, sample", "transient, level"];
    const values = rows
      .filter(({ atSec }) => atSec > ADAPT.changeSec - 20 && atSec < ADAPT.changeSec + 40)
      .flatMap(({ node, atSec, mbps, levelMbps }) => [
        { name: `${node}, sample`, atSec, mbps },
        { name: `${node}, level`, atSec, mbps: levelMbps },
      ]);
    const first = sampleWhere(rows, "lasting", (mbps) => mbps < BEFORE_MBPS);
    const last = sampleWhere(rows, "lasting", (mbps) => mbps <= AFTER_MBPS);
    const disturbed = rows.filter(
      ({ node, atSec, levelMbps }) =>
        node === "transient" && atSec > ADAPT.changeSec && levelMbps !== BEFORE_MBPS,
    ).length;
    return {
      text: `${table.toString()}\nMbit/s of payload, a sample every ${ADAPT.everySec} s; smoothed by 0.1, in steps of 0.5 Mbit/s. Both links fall from 2 to 1 at ${ADAPT.changeSec} s, the second comes back at ${ADAPT.backSec} s.\n`,
      claims: [
        judge({
          claim: "lasting: the level takes its first step with sample",
          published: "3",
          measured: first,
          unit: "1",
          threshold: { low: 3, high: 3 },
        }),
        judge({
          claim: "lasting: the level is 1 Mbit/s with sample",
          published: "14",
          measured: last,
          unit: "1",
          threshold: { low: 14, high: 14 },
        }),
        judge({
          claim: "transient: samples after it whose level is another one",
          published: "never",
          measured: disturbed,
          unit: "1",
          threshold: { high: 0 },
        }),
      ],
      figure: page({ title: "What lasts and what passes" }, levels, [
        lines(
          levels,
          {
            title: "goodput and its level",
            values,
            x: axis({ field: "atSec", title: "Time, s", zero: false }),
            y: axis({ field: "mbps", title: "Mbit/s" }),
            width: 480,
          },
          { interpolate: "step-before" },
        ),
      ]),
    };
  },
});
