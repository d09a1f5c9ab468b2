/** A flow moves to a path of a fifth of the rate and four times the delay: how soon each algorithm uses it, and what it costs the queue. */
import Table from "cli-table3";
import { algorithms } from "../algorithm-options.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { type Panel, page } from "../figures.ts";
import { goodputOf } from "../overlays/run.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import { payloadMbps } from "../shares.ts";
import { between, openFlows, overTime, SEED, sourceOf } from "./run.ts";

const NAME = "flows-mobility";
const MOVE_SEC = 20;
const END_SEC = 60;
const BIN_SEC = 0.5;
const [HOME_MBPS, AWAY_MBPS] = [10, 2];
/** It has the new path when so long a time brings so much of what the path can carry. */
const SHARE = 0.9;
const SPAN_SEC = 5;
const LIMIT_SEC = 15;

interface Row {
  readonly algorithm: string;
  readonly atSec: number;
  readonly mbps: number;
  /** in the queue of the link that the flow takes then */
  readonly queueMs: number;
  /** acknowledged so far, of the flow under its one name */
  readonly deliveredPackets: number;
}

function* measure(algorithm: string, seed: number): Generator<Row> {
  const run = openFlows(NAME, seed, algorithm);
  for (const { atSec, mbps } of goodputOf(run, BIN_SEC)) {
    const linkMbps = atSec <= MOVE_SEC ? HOME_MBPS : AWAY_MBPS;
    const queueMs = (run.truth.forward.queuedBytes * 8) / (linkMbps * 1000);
    const { deliveredPackets } = run.flows[0]!;
    yield { algorithm, atSec, mbps: mbps[0]!, queueMs, deliveredPackets };
  }
}

/** Its base round trip is the least that it has seen: on a longer path it takes the difference for a queue, and withdraws. */
const STAYS_BEHIND = "vegas";

/** Seconds from the move on; NaN: never. What the old path had under way still comes in the first half second. */
function secondsToShare(rows: readonly Row[]): number {
  for (let sec = MOVE_SEC + BIN_SEC; sec + SPAN_SEC <= END_SEC; sec += BIN_SEC) {
    if (between(rows, [sec, sec + SPAN_SEC], ({ mbps }) => mbps) >= SHARE * payloadMbps(AWAY_MBPS))
      return sec - MOVE_SEC;
  }
  return Number.NaN;
}

export const flowsMobility: Experiment = experiment({
  name: NAME,
  summary:
    "a flow moves from 10 Mbit/s and 40 ms to 2 Mbit/s and 150 ms: when each algorithm has the new path",
  source: sourceOf(NAME),
  options: {
    algorithms: algorithms(["reno", "cubic", "bbr", "vegas", "copa"], "of the flow, each in a run"),
    seed: SEED,
  },
  count: ({ algorithms }) => (algorithms.length * END_SEC) / BIN_SEC,
  *run({ algorithms, seed }): Generator<Row> {
    for (const algorithm of algorithms) yield* measure(algorithm, seed);
  },
  describe: ({ algorithm }) => algorithm,
  report(rows) {
    const names = [...new Set(rows.map(({ algorithm }) => algorithm))];
    const of = (name: string): readonly Row[] => rows.filter(({ algorithm }) => algorithm === name);
    const table = new Table({
      ...PLAIN_TABLE,
      head: [
        "",
        "before\nMbit/s",
        `s to ${100 * SHARE} %\nof the new`,
        "from 30 s on\nMbit/s",
        "queue then\nms",
      ],
    });
    for (const name of names) {
      const own = of(name);
      const settled = [30, END_SEC] as const;
      table.push([
        name,
        between(own, [10, MOVE_SEC], ({ mbps }) => mbps).toFixed(2),
        secondsToShare(own).toFixed(1),
        between(own, settled, ({ mbps }) => mbps).toFixed(2),
        between(own, settled, ({ queueMs }) => queueMs).toFixed(0),
      ]);
    }
    const falls = rows.filter(
      ({ algorithm, deliveredPackets }, i) =>
        i > 0 && rows[i - 1]!.algorithm === algorithm && deliveredPackets < rows[i - 1]!.deliveredPackets,
    );
    const panel = (title: string, field: "mbps" | "queueMs", unit: string): Panel =>
      overTime(names, rows, { title, field, unit, width: 520 });
    return {
      text: `${table.toString()}\nIt moves at ${MOVE_SEC} s; ${(100 * SHARE).toFixed(0)} % of what the new path can carry, over ${SPAN_SEC} s.\n`,
      claims: [
        judge({
          claim: "times at which the flow's counters have fallen",
          measured: falls.length,
          unit: "1",
          threshold: { high: 0 },
        }),
        ...names.map((name) =>
          judge({
            claim: `${name}: until it has the new path`,
            measured: secondsToShare(of(name)),
            unit: "s",
            ...(name !== STAYS_BEHIND && { threshold: { high: LIMIT_SEC } }),
          }),
        ),
      ],
      figure: page({ title: "A flow moves under its name", columns: 1 }, names, [
        panel("what arrives", "mbps", "Mbit/s"),
        panel("in the queue of its link", "queueMs", "Queue, ms"),
      ]),
    };
  },
});
