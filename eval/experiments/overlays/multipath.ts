/** One stream over four paths, one of which is lost: what that costs, by who decides on the shares. */
import Table from "cli-table3";
import { NANOS_PER_SEC, toMbps } from "../../../core/units.ts";
import { workOf } from "../../../testbeds/overlays/overlay.ts";
import type { SplitWork } from "../../../testbeds/overlays/works/split.ts";
import { mean } from "../../statistics.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { axis, lines, page } from "../figures.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import { payloadMbps } from "../shares.ts";
import { OVERLAY_OPTIONS, openOverlay, overlayScenario } from "./run.ts";

const NAME = "multipath-4";
const LOST_SEC = 20;
/** The dip may last so long. */
const DIP_SEC = 2;
const BIN_SEC = 0.1;
const SPLITS = ["pull", "fixed", "max-throughput"] as const;
type Split = (typeof SPLITS)[number];

interface Row {
  readonly split: Split;
  readonly atSec: number;
  readonly mbps: number;
}

function* measure(split: Split, algorithm: string, seed: number): Generator<Row> {
  const scenario = overlayScenario(NAME, () => ({
    ...(split !== "pull" && { policy: { kind: split, everySec: 0.5 } }),
    work: { kind: "split", by: split === "pull" ? "pull" : "weights" },
  }));
  const run = openOverlay(scenario, seed, algorithm);
  run.runUntil(run.startNs + scenario.durationSec * NANOS_PER_SEC);
  const { arrivedPackets }: SplitWork = workOf(run.overlay, "split");
  const { mssBytes } = run.flows[0]!;
  for (const [i, packets] of arrivedPackets.entries())
    yield { split, atSec: +((i + 1) * BIN_SEC).toFixed(1), mbps: toMbps((packets * mssBytes) / BIN_SEC) };
}

export const multipath: Experiment = experiment({
  name: NAME,
  summary: "one stream over four paths, one of which is lost after 20 s",
  source: "ccpark, scenario multipath-4",
  options: OVERLAY_OPTIONS,
  count: () => (SPLITS.length * 40) / BIN_SEC,
  *run({ algorithm, seed }): Generator<Row> {
    for (const split of SPLITS) yield* measure(split, algorithm, seed);
  },
  describe: ({ split }) => split,
  report(rows) {
    const of = (split: Split, fromSec: number, toSec: number): number =>
      mean(
        rows
          .filter((row) => row.split === split && row.atSec > fromSec + 0.01 && row.atSec <= toSec + 0.01)
          .map(({ mbps }) => mbps),
      );
    const table = new Table({ ...PLAIN_TABLE, head: ["split", "before\nMbit/s", "2 s after", "5 s later"] });
    for (const split of SPLITS) {
      const figures = [
        of(split, LOST_SEC - 5, LOST_SEC),
        of(split, LOST_SEC, LOST_SEC + DIP_SEC),
        of(split, LOST_SEC + 5, LOST_SEC + 15),
      ];
      table.push([split, ...figures.map((figure) => figure.toFixed(2))]);
    }
    const before = of("pull", LOST_SEC - 5, LOST_SEC);
    const values = rows.map(({ split, atSec, mbps }) => ({ name: split, atSec, mbps }));
    return {
      text: `${table.toString()}\nFour paths of 5 Mbit/s, one dead from ${LOST_SEC} s on; payload that arrived for the first time on any path.\n`,
      claims: [
        judge({
          claim: `of the goodput, what a lost path of four costs in the ${DIP_SEC} s after it`,
          published: "0.25: its share",
          measured: 1 - of("pull", LOST_SEC, LOST_SEC + DIP_SEC) / before,
          unit: "1",
          threshold: { high: 0.3 },
        }),
        judge({
          claim: "of the four paths' payload, what the stream has before",
          measured: before / (4 * payloadMbps(5)),
          unit: "1",
          threshold: { low: 0.9 },
        }),
      ],
      figure: page({ title: "One stream over four paths" }, SPLITS, [
        lines(SPLITS, {
          title: "a path is lost at 20 s",
          values: values.filter(({ atSec }) => atSec > 10 && atSec <= 35),
          x: axis({ field: "atSec", title: "Time, s", zero: false }),
          y: axis({ field: "mbps", title: "Mbit/s" }),
          width: 480,
        }),
      ]),
    };
  },
});
