/** A slow reader keeps the newest packets: what it overwrites is the only feedback, and how much that is depends on the algorithm. */
import Table from "cli-table3";
import { algorithms } from "../algorithm-options.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { type Panel, page } from "../figures.ts";
import { goodputOf } from "../overlays/run.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import { payloadMbps } from "../shares.ts";
import { between, openFlows, overTime, SEED, sourceOf } from "./run.ts";

const NAME = "flows-overflow-feedback";
const END_SEC = 30;
const BIN_SEC = 0.5;
const READER_MBPS = 4;
const READER_PACKETS = 8;

interface Row {
  readonly algorithm: string;
  readonly atSec: number;
  readonly mbps: number;
  /** packets so far that were overwritten before they were read, and those that came to the reader's queue */
  readonly overwritten: number;
  readonly offered: number;
  readonly mostQueued: number;
}

function* measure(algorithm: string, seed: number): Generator<Row> {
  const run = openFlows(NAME, seed, algorithm);
  const { forward } = run.truth;
  for (const { atSec, mbps } of goodputOf(run, BIN_SEC)) {
    const { droppedPackets: overwritten, offeredPackets: offered, maxQueuedPackets: mostQueued } = forward;
    yield { algorithm, atSec, mbps: mbps[0]!, overwritten, offered, mostQueued };
  }
}

export const flowsOverflow: Experiment = experiment({
  name: NAME,
  summary: "a reader of 4 Mbit/s that keeps the newest 8 packets: what is overwritten is the only feedback",
  source: sourceOf(NAME),
  options: {
    algorithms: algorithms(["reno", "cubic", "bbr", "vegas", "copa"], "of the sender, each in a run"),
    seed: SEED,
  },
  count: ({ algorithms }) => (algorithms.length * END_SEC) / BIN_SEC,
  *run({ algorithms, seed }): Generator<Row> {
    for (const algorithm of algorithms) yield* measure(algorithm, seed);
  },
  describe: ({ algorithm }) => algorithm,
  report(rows) {
    const names = [...new Set(rows.map(({ algorithm }) => algorithm))];
    const table = new Table({
      ...PLAIN_TABLE,
      head: ["", "read\nMbit/s", "overwritten\n%", "most in\nthe queue"],
    });
    const found = names.map((name) => {
      const own = rows.filter(({ algorithm }) => algorithm === name);
      const { overwritten, offered, mostQueued } = own.at(-1)!;
      const mbps = between(own, [0, END_SEC], (row) => row.mbps);
      const share = overwritten / offered;
      table.push([name, mbps.toFixed(2), (100 * share).toFixed(2), mostQueued]);
      return { name, mbps, share, mostQueued };
    });
    const shareOf = (name: string): number => found.find((each) => each.name === name)?.share ?? Number.NaN;
    const panel = (title: string, field: "mbps" | "overwritten", unit: string): Panel =>
      overTime(names, rows, { title, field, unit, width: 520 });
    return {
      text: `${table.toString()}\nA network of 20 Mbit/s and 40 ms round trip, a reader of ${READER_MBPS} Mbit/s (payload ${payloadMbps(READER_MBPS).toFixed(2)}).\n`,
      claims: [
        judge({
          claim: "most packets in the reader's queue",
          measured: Math.max(...found.map(({ mostQueued }) => mostQueued)),
          unit: "packets",
          threshold: { high: READER_PACKETS },
        }),
        ...(names.includes("vegas") && names.includes("reno")
          ? [
              judge({
                claim: "Vegas overwrites, of what Reno does",
                measured: shareOf("vegas") / shareOf("reno"),
                unit: "1",
                threshold: { high: 1 },
              }),
            ]
          : []),
        ...found.map(({ name, mbps }) =>
          judge({
            claim: `${name}: of what the reader can take`,
            measured: mbps / payloadMbps(READER_MBPS),
            unit: "1",
          }),
        ),
      ],
      figure: page({ title: "A reader that keeps the newest", columns: 1 }, names, [
        panel("what is read", "mbps", "Mbit/s"),
        panel("overwritten so far", "overwritten", "Packets"),
      ]),
    };
  },
});
