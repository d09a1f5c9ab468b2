/**
 * One congestion window for all neighbours (`cc` above `route`) or one for each (below it): one lookup to each of many
 * destinations at once through a slow access link. Fresh windows know nothing of each other, so their packets all come at once.
 */

import Table from "cli-table3";
import { fromMbps } from "../../../core/units.ts";
import { cc, memory, reliable, route, sack, stack } from "../../../transport/index.ts";
import type { ChunnelSpec } from "../../../transport/stack/spec.ts";
import { seedsText } from "../../seeds.ts";
import { mean } from "../../statistics.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { axis, lines, page } from "../figures.ts";
import { positive, seeds, whole } from "../options.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import { Nodes, numberAt, numbersMessage, P2_SOURCE, quantile } from "./nodes.ts";

const ORDERS = ["cc, route", "route, cc"] as const;
type Order = (typeof ORDERS)[number];

const LOOKUP_BYTES = 1_000;
const QUEUE_PACKETS = 20;
const MIN_DELAY_MS = 10;
const MAX_DELAY_MS = 50;

interface Row {
  readonly order: Order;
  readonly seed: number;
  readonly destination: number;
  readonly latencyMs: number;
  /** of the run: datagrams that the access link dropped, and all that entered it */
  readonly dropped: number;
  readonly sent: number;
}

function stackOf(order: Order): readonly ChunnelSpec[] {
  return order === "cc, route"
    ? stack(reliable(), cc({ algorithm: "reno" }), route(), sack(), memory())
    : stack(reliable(), route(), cc({ algorithm: "reno" }), sack(), memory());
}

function* runOrder(order: Order, seed: number, count: number, mbps: number): Generator<Row> {
  const delays = new Map<string, number>();
  const rate = fromMbps(mbps);
  const nodes: Nodes = new Nodes(seed, (from, to) => {
    const delayUs = delays.get(from === "source" ? to : from)!;
    if (from !== "source") return { delayUs };
    return { delayUs, rateBytesPerSec: rate, queueBytes: QUEUE_PACKETS * LOOKUP_BYTES, link: "access" };
  });
  const draw = nodes.fork("delays");
  const latencies = new Map<number, number>();
  for (let i = 0; i < count; i++) {
    delays.set(`d${i}`, 1000 * draw.uniform(MIN_DELAY_MS, MAX_DELAY_MS));
    nodes.add(`d${i}`, stackOf(order), {
      receive: (messages) => {
        for (const message of messages) {
          const number = numberAt(message, 0);
          if (!latencies.has(number)) latencies.set(number, nodes.clock.nowUs / 1000);
        }
      },
    });
  }
  const source = nodes.add("source", stackOf(order), { receive: () => {} });
  source.send(Array.from({ length: count }, (_, i) => numbersMessage([i], LOOKUP_BYTES, `d${i}`)));
  nodes.clock.run(120e6, () => latencies.size === count);
  const { lost, sent } = nodes.network.counts;
  for (let i = 0; i < count; i++) {
    yield { order, seed, destination: i, latencyMs: latencies.get(i) ?? Number.NaN, dropped: lost, sent };
  }
}

export const p2Windows: Experiment = experiment({
  name: "p2-windows",
  summary: "one congestion window for all neighbours against one for each: a lookup to each of many at once",
  source: P2_SOURCE,
  options: {
    destinations: whole(100, { low: 2, high: 1_000, help: "each gets one lookup" }),
    mbps: positive(1, { help: "rate of the access link, Mbit/s" }),
    seeds: seeds(5),
  },
  count: ({ destinations, seeds: list }) => 2 * destinations * list.length,
  *run({ destinations, mbps, seeds: list }) {
    for (const order of ORDERS) for (const seed of list) yield* runOrder(order, seed, destinations, mbps);
  },
  describe: ({ order, seed }) => `${order}, seed ${seed}`,
  report(rows, { destinations, mbps, seeds: list }) {
    const of = (order: Order): Row[] => rows.filter((row) => row.order === order);
    const table = new Table({
      ...PLAIN_TABLE,
      head: ["order", "datagrams", "dropped", "half after ms", "all after ms"],
    });
    const facts = (order: Order) => {
      const byRun = list.map((seed) => of(order).filter((row) => row.seed === seed));
      return {
        sent: mean(byRun.map((run) => run[0]!.sent)),
        dropped: mean(byRun.map((run) => run[0]!.dropped)),
        halfMs: mean(
          byRun.map((run) =>
            quantile(
              run.map((row) => row.latencyMs),
              0.5,
            ),
          ),
        ),
        allMs: mean(byRun.map((run) => Math.max(...run.map((row) => row.latencyMs)))),
      };
    };
    for (const order of ORDERS) {
      const { sent, dropped, halfMs, allMs } = facts(order);
      table.push([order, sent.toFixed(1), dropped.toFixed(1), halfMs.toFixed(1), allMs.toFixed(1)]);
    }
    const [shared, each] = [facts(ORDERS[0]), facts(ORDERS[1])];
    const values = ORDERS.flatMap((order) => {
      const latencies = of(order).map((row) => row.latencyMs);
      return Array.from({ length: 100 }, (_, i) => ({
        name: order,
        ms: quantile(latencies, (i + 1) / 100),
        share: (i + 1) / 100,
      }));
    });
    return {
      text: `${table.toString()}\n${destinations} destinations, ${mbps} Mbit/s, ${QUEUE_PACKETS} packets of queue, means over ${seedsText(list.length)}.\n`,
      claims: [
        judge({
          claim: "datagrams dropped with a window for all",
          published: "fewer",
          measured: shared.dropped,
          unit: "1",
          threshold: { high: each.dropped },
        }),
        judge({ claim: "datagrams dropped with a window for each", measured: each.dropped, unit: "1" }),
        judge({
          claim: "time until all have come, all over each",
          measured: shared.allMs / each.allMs,
          unit: "1",
        }),
      ],
      summary: { [ORDERS[0]]: shared, [ORDERS[1]]: each },
      figure: page({ title: "A lookup to each of many destinations at once" }, ORDERS, [
        lines(ORDERS, {
          title: "When lookups arrive",
          values,
          x: axis({ field: "ms", title: "Milliseconds" }),
          y: axis({ field: "share", title: "Share of lookups", domain: [0, 1] }),
        }),
      ]),
    };
  },
});
