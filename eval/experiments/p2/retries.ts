/**
 * Figure 2 of the paper: lookups in a Chord ring, and a link that loses half. With retries above routing an attempt that failed
 * takes another finger (more hops, fewer retries, less time); below it every attempt goes to the finger that fails.
 */

import Table from "cli-table3";
import type { ChooseNext } from "../../../transport/chunnels/routing/route.ts";
import { cc, forward, memory, retry, route, sack, stack, trace } from "../../../transport/index.ts";
import type { ChunnelSpec } from "../../../transport/stack/spec.ts";
import { seedsText } from "../../seeds.ts";
import { mean } from "../../statistics.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { axis, lines, page } from "../figures.ts";
import { positive, seeds, whole } from "../options.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import { Nodes, numberAt, numbersMessage, P2_SOURCE, quantile } from "./nodes.ts";

const ORDERS = ["retry, route, cc", "route, retry, cc"] as const;
type Order = (typeof ORDERS)[number];

const LOOKUP_BYTES = 100;
const ATTEMPTS = 16;
/** of a pair of nodes, one way, drawn once */
const MIN_DELAY_MS = 5;
const MAX_DELAY_MS = 60;

interface Row {
  readonly order: Order;
  readonly seed: number;
  readonly lookup: number;
  /** NaN: it never arrived */
  readonly hops: number;
  readonly latencyMs: number;
  /** repetitions anywhere in the ring before the next lookup */
  readonly retries: number;
}

/** Chord's greedy rule: the finger that goes furthest without passing the owner, of those that have not failed. */
function chord(self: number, count: number): ChooseNext {
  const fingers: number[] = [];
  for (let step = 1; step < count; step *= 2) fingers.push(step);
  return (to, avoid) => {
    const distance = (Number(to) - self + count) % count;
    const ways = fingers.filter((step) => step <= distance).reverse();
    const names = ways.map((step) => String((self + step) % count));
    return names.find((name) => !avoid.has(name)) ?? names[0];
  };
}

function stackOf(order: Order, choose: ChooseNext): readonly ChunnelSpec[] {
  const routed = route({ choose });
  const again = retry({ attempts: ATTEMPTS });
  return order === "retry, route, cc"
    ? stack(forward(), again, trace(), routed, cc({ algorithm: "reno" }), sack(), memory())
    : stack(forward(), routed, again, trace(), cc({ algorithm: "reno" }), sack(), memory());
}

function* runOrder(
  order: Order,
  seed: number,
  count: number,
  lookups: number,
  lossRate: number,
): Generator<Row> {
  const furthest = String(2 ** Math.floor(Math.log2(count - 1)));
  const delays = new Map<string, number>();
  const nodes: Nodes = new Nodes(seed, (from, to) => ({
    delayUs: delays.get(from < to ? `${from} ${to}` : `${to} ${from}`)!,
    lossRate: from === "0" && to === furthest ? lossRate : 0,
  }));
  const draw = nodes.fork("delays");
  for (let a = 0; a < count; a++) {
    for (let b = 0; b < count; b++) {
      const [from, to] = [String(a), String(b)];
      if (from < to) delays.set(`${from} ${to}`, 1000 * draw.uniform(MIN_DELAY_MS, MAX_DELAY_MS));
    }
  }
  const hops = new Map<number, number>();
  const latencies = new Map<number, number>();
  const retries = new Map<number, number>();
  let current = 0;
  const stacks = Array.from({ length: count }, (_, i) =>
    nodes.add(
      String(i),
      stackOf(order, chord(i, count)),
      {
        receive: (messages) => {
          for (const message of messages) {
            const lookup = numberAt(message, 0);
            if (hops.has(lookup)) continue;
            hops.set(lookup, message.hops ?? 0);
            latencies.set(lookup, (nodes.clock.nowUs - numberAt(message, 1)) / 1000);
          }
        },
      },
      (_node, { data }) => {
        const { attempt = 1 } = data as { attempt?: number };
        if (attempt > 1) retries.set(current, (retries.get(current) ?? 0) + 1);
      },
    ),
  );
  const keys = nodes.fork("keys");
  for (current = 0; current < lookups; current++) {
    const owner = String(1 + keys.integer(count - 1));
    stacks[0]!.send([numbersMessage([current, nodes.clock.nowUs], LOOKUP_BYTES, owner)]);
    nodes.clock.run(nodes.clock.nowUs + 1e6);
  }
  nodes.clock.run(nodes.clock.nowUs + 60e6);
  for (let lookup = 0; lookup < lookups; lookup++) {
    yield {
      order,
      seed,
      lookup,
      hops: hops.get(lookup) ?? Number.NaN,
      latencyMs: latencies.get(lookup) ?? Number.NaN,
      retries: retries.get(lookup) ?? 0,
    };
  }
}

const QUANTILES = [0.5, 0.9, 0.95, 0.99] as const;

export const p2Retries: Experiment = experiment({
  name: "p2-retries",
  summary: "lookups in a ring with one bad link: retries above routing against retries below it",
  source: `${P2_SOURCE}, Fig. 2`,
  options: {
    nodes: whole(32, { low: 4, high: 128, help: "nodes of the ring" }),
    lookups: whole(300, { low: 1, high: 100_000, help: "lookups of one node, one a second" }),
    lossRate: positive(0.5, { help: "loss towards that node's furthest finger, below 1" }),
    seeds: seeds(3),
  },
  count: ({ lookups, seeds: list }) => 2 * lookups * list.length,
  *run({ nodes, lookups, lossRate, seeds: list }) {
    for (const order of ORDERS)
      for (const seed of list) yield* runOrder(order, seed, nodes, lookups, lossRate);
  },
  describe: ({ order, seed }) => `${order}, seed ${seed}`,
  report(rows, { nodes, lossRate, seeds: list }) {
    const of = (order: Order): Row[] => rows.filter((row) => row.order === order && row.hops > 0);
    const table = new Table({
      ...PLAIN_TABLE,
      head: [
        "order",
        "arrived",
        "hops",
        "retries",
        "latency ms",
        ...QUANTILES.map((share) => `p${100 * share}`),
      ],
    });
    const means = (order: Order) => ({
      hops: mean(of(order).map((row) => row.hops)),
      retries: mean(of(order).map((row) => row.retries)),
      latencyMs: mean(of(order).map((row) => row.latencyMs)),
    });
    for (const order of ORDERS) {
      const { hops, retries, latencyMs } = means(order);
      const latencies = of(order).map((row) => row.latencyMs);
      table.push([
        order,
        String(latencies.length),
        hops.toFixed(3),
        retries.toFixed(3),
        latencyMs.toFixed(1),
        ...QUANTILES.map((share) => quantile(latencies, share).toFixed(1)),
      ]);
    }
    const [above, below] = [means(ORDERS[0]), means(ORDERS[1])];
    const cdf = ORDERS.flatMap((order) => {
      const sorted = of(order)
        .map((row) => row.latencyMs)
        .sort((a, b) => a - b);
      return Array.from({ length: 100 }, (_, i) => ({
        name: order,
        ms: quantile(sorted, (i + 1) / 100),
        share: (i + 1) / 100,
      }));
    });
    const hopCounts = ORDERS.flatMap((order) =>
      [...new Set(of(order).map((row) => row.hops))]
        .sort((a, b) => a - b)
        .map((hops) => ({
          name: order,
          hops,
          share: of(order).filter((row) => row.hops <= hops).length / of(order).length,
        })),
    );
    return {
      text: `${table.toString()}\n${nodes} nodes, ${100 * lossRate} % loss from one node to its furthest finger, ${seedsText(list.length)}.\n`,
      claims: [
        judge({
          claim: "hops, above over below",
          published: "more",
          measured: above.hops / below.hops,
          unit: "1",
          threshold: { low: 1.0001 },
        }),
        judge({
          claim: "retries, above over below",
          published: "fewer",
          measured: above.retries / below.retries,
          unit: "1",
          threshold: { high: 0.9999 },
        }),
        judge({
          claim: "latency, above over below",
          published: "lower",
          measured: above.latencyMs / below.latencyMs,
          unit: "1",
          threshold: { high: 0.9999 },
        }),
      ],
      summary: { [ORDERS[0]]: above, [ORDERS[1]]: below },
      figure: page({ title: "Lookups in a ring with one bad link" }, ORDERS, [
        lines(ORDERS, {
          title: "Latency",
          values: cdf,
          x: axis({ field: "ms", title: "Milliseconds" }),
          y: axis({ field: "share", title: "Share of lookups", domain: [0, 1] }),
        }),
        lines(ORDERS, {
          title: "Hops",
          values: hopCounts,
          x: axis({ field: "hops", title: "Hops" }),
          y: axis({ field: "share", title: "Share of lookups", domain: [0, 1] }),
        }),
      ]),
    };
  },
});
