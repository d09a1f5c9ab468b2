/** Lookups on a ring of keys, beside flows that fill the links: how many members are asked, and how long the slowest take. */
import Table from "cli-table3";
import { workOf } from "../../../testbeds/overlays/overlay.ts";
import type { Lookup, LookupWork } from "../../../testbeds/overlays/works/lookups.ts";
import { mean, quantile } from "../../statistics.ts";
import { algorithms } from "../algorithm-options.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { axis, lines, page } from "../figures.ts";
import { whole } from "../options.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import { openOverlay, overlayScenario } from "./run.ts";

const NAME = "dht-rpc";
/** The other flows have filled their queues. */
const SETTLED_SEC = 5;

interface Row {
  readonly algorithm: string;
  readonly lookups: readonly Lookup[];
  readonly failed: number;
}

function measure(algorithm: string, seed: number): Row {
  const run = openOverlay(overlayScenario(NAME), seed, algorithm);
  const work: LookupWork = workOf(run.overlay, "lookups");
  run.runUntil(run.endNs);
  const lookups = work.lookups.filter(({ atSec }) => atSec > SETTLED_SEC);
  return { algorithm, lookups, failed: work.failed };
}

export const dhtRpc: Experiment = experiment({
  name: NAME,
  summary: "lookups among 500 members of a ring, beside flows of Cubic and of Vegas",
  source: "ccpark, scenario dht-rpc; inspired by Stoica et al., SIGCOMM 2001 (Chord), CAN and Tapestry",
  options: {
    algorithms: algorithms(
      ["cubic", "vegas"],
      "of the flows beside, each in a run; the first two are compared",
    ),
    seed: whole(1, { low: 0, high: 1_000_000, help: "draws the ring and the lookups" }),
  },
  count: ({ algorithms }) => algorithms.length,
  *run({ algorithms, seed }): Generator<Row> {
    for (const algorithm of algorithms) yield measure(algorithm, seed);
  },
  describe: ({ algorithm }) => algorithm,
  report(rows) {
    const times = ({ lookups }: Row): Float64Array => Float64Array.from(lookups, ({ ms }) => ms).sort();
    const table = new Table({
      ...PLAIN_TABLE,
      head: ["flows beside", "lookups", "hops", "p50 ms", "p99 ms", "asked\nagain", "failed"],
    });
    for (const row of rows) {
      const all = times(row);
      table.push([
        row.algorithm,
        row.lookups.length,
        mean(row.lookups.map(({ hops }) => hops)).toFixed(2),
        quantile(all, 0.5).toFixed(0),
        quantile(all, 0.99).toFixed(0),
        row.lookups.reduce((sum, { retries }) => sum + retries, 0),
        row.failed,
      ]);
    }
    const names = rows.map(({ algorithm }) => algorithm);
    const values = rows.flatMap((row) => {
      const all = times(row);
      return Array.from({ length: 200 }, (_, i) => ({
        name: row.algorithm,
        ms: quantile(all, i / 200),
        share: i / 200,
      }));
    });
    const [first, second] = rows as [Row, Row | undefined];
    return {
      text: `${table.toString()}\n500 members in ten regions of 8 Mbit/s, between which ten flows run; hops: members that were asked before the one that has the key; after ${SETTLED_SEC} s.\n`,
      claims: [
        judge({
          claim: "members asked for a lookup",
          published: "4.5: half the logarithm of 500",
          measured: mean(first.lookups.map(({ hops }) => hops)),
          unit: "hops",
          threshold: { low: 4, high: 5 },
        }),
        ...(second === undefined
          ? []
          : [
              judge({
                claim: `99 % of lookup times beside ${second.algorithm}, by those beside ${first.algorithm}`,
                measured: quantile(times(second), 0.99) / quantile(times(first), 0.99),
                unit: "1",
                threshold: { high: 0.9 },
              }),
            ]),
      ],
      figure: page({ title: "Lookups beside other flows" }, names, [
        lines(names, {
          title: "",
          values,
          x: axis({ field: "ms", title: "Time of a lookup, ms", log: true }),
          y: axis({ field: "share", title: "Share of lookups", domain: [0, 1] }),
          width: 420,
        }),
      ]),
    };
  },
});
