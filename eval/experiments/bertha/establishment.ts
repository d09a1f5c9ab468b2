/**
 * How long until the first eight bytes come back, by how a connection begins: plain datagrams, a stack that is negotiated first, and one
 * whose choice an earlier connection made. In virtual time, over a path whose delay varies: what counts is the round trips.
 */
import Table from "cli-table3";
import { Rng } from "../../../core/random.ts";
import type { Message } from "../../../transport/chunnel.ts";
import {
  cc,
  connectIn,
  frame,
  listenIn,
  MemoryNetwork,
  memory,
  OpenStack,
  order,
  reliable,
  type Slot,
  sack,
  seededSurroundings,
  stack,
  Tickets,
  VirtualClock,
} from "../../../transport/index.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { page } from "../figures.ts";
import { positive, seeds, whole } from "../options.ts";
import { quantile } from "../p2/nodes.ts";
import { PLAIN_TABLE } from "../plain-table.ts";

export const BERTHA_SOURCE =
  "Narayan, Panda, Alizadeh and Shenker, Bertha (thesis chapter 3): negotiated stacks";

const WAYS = ["datagrams", "0-RTT", "1-RTT"] as const;
type WayName = (typeof WAYS)[number];

const ECHO_BYTES = 8;
const SLOTS: readonly Slot[] = [
  order(),
  reliable(),
  cc({ algorithm: "native-reno" }),
  sack(),
  frame(),
  memory(),
];

interface Row {
  readonly way: WayName;
  readonly seed: number;
  readonly trial: number;
  readonly ms: number;
}

function echo(): Message {
  return { data: new Uint8Array(ECHO_BYTES) };
}

function* runWay(
  way: WayName,
  seed: number,
  trials: number,
  delayMs: number,
  jitterMs: number,
): Generator<Row> {
  const clock = new VirtualClock();
  const rng = Rng.fromSeed(seed).fork(way);
  const path = { delayUs: 1000 * delayMs, jitterUs: 1000 * jitterMs };
  const network = new MemoryNetwork(clock, rng.fork("network"), { path: () => path });
  const surroundings = (name: string) => seededSurroundings(clock, rng.fork(name));
  const tickets = new Tickets();
  if (way === "datagrams") {
    const server: OpenStack = new OpenStack({
      stack: stack(memory()),
      surroundings: surroundings("server"),
      port: network.host("server", (datagram, from) => server.arrive(datagram, from)),
      side: "server",
      app: {
        receive: (messages) =>
          server.send(messages.map(({ data, from }) => ({ data, ...(from !== undefined && { to: from }) }))),
      },
    });
  } else {
    listenIn(
      (onDatagram) => network.host("server", onDatagram),
      { slots: SLOTS, surroundings: surroundings("server") },
      (_peer, live) => ({ receive: (messages) => live.send(messages.map(({ data }) => ({ data }))) }),
    );
  }
  // the first of the 0-RTT ones has no choice to take up and does not count
  for (let trial = way === "0-RTT" ? -1 : 0; trial < trials; trial++) {
    const startUs = clock.nowUs;
    const name = `client:${trial + 1}`;
    let backUs: number | undefined;
    const receive = (): void => {
      backUs ??= clock.nowUs;
    };
    const words = [echo()];
    let close: () => void;
    if (way === "datagrams") {
      const client: OpenStack = new OpenStack({
        stack: stack(memory()),
        surroundings: surroundings(name),
        port: network.host(name, (datagram, from) => client.arrive(datagram, from)),
        side: "client",
        peer: "server",
        app: { receive },
      });
      client.send(words);
      close = () => client.close();
    } else {
      const { live } = connectIn((onDatagram) => network.host(name, onDatagram), {
        slots: SLOTS,
        surroundings: surroundings(name),
        tickets: way === "1-RTT" ? new Tickets() : tickets,
        server: "server",
        app: { pull: (most) => words.splice(0, most), receive },
      });
      close = () => live.close();
    }
    clock.run(startUs + 60e6, () => backUs !== undefined);
    close();
    if (trial >= 0) yield { way, seed, trial, ms: ((backUs ?? Number.NaN) - startUs) / 1000 };
  }
}

const SHARES = [0.05, 0.25, 0.5, 0.75, 0.95] as const;

export const berthaEstablishment: Experiment = experiment({
  name: "bertha-establishment",
  summary:
    "time until eight bytes come back: plain datagrams, stacks negotiated in one round trip and in none",
  source: BERTHA_SOURCE,
  options: {
    trials: whole(1_000, { low: 1, high: 100_000, help: "connections of each kind" }),
    delayMs: positive(0.05, { help: "of the path, one way, in milliseconds" }),
    jitterMs: positive(0.02, { help: "more, drawn for each datagram up to so much, in milliseconds" }),
    seeds: seeds(1),
  },
  count: ({ trials, seeds: list }) => WAYS.length * trials * list.length,
  *run({ trials, delayMs, jitterMs, seeds: list }) {
    for (const way of WAYS) for (const seed of list) yield* runWay(way, seed, trials, delayMs, jitterMs);
  },
  describe: ({ way, seed }) => `${way}, seed ${seed}`,
  report(rows, { trials, delayMs, jitterMs, seeds: list }) {
    const of = (way: WayName): number[] => rows.filter((row) => row.way === way).map(({ ms }) => ms);
    const table = new Table({
      ...PLAIN_TABLE,
      head: ["begins with", ...SHARES.map((share) => `p${Math.round(100 * share)} ms`)],
    });
    const boxes = WAYS.map((way) => {
      const [p5, p25, p50, p75, p95] = SHARES.map((share) => quantile(of(way), share)) as [
        number,
        number,
        number,
        number,
        number,
      ];
      return { name: way, p5, p25, p50, p75, p95 };
    });
    for (const { name, p5, p25, p50, p75, p95 } of boxes) {
      table.push([name, ...[p5, p25, p50, p75, p95].map((ms) => ms.toFixed(3))]);
    }
    const median = (way: WayName): number => quantile(of(way), 0.5);
    const x = (field: string): object => ({
      field,
      type: "quantitative",
      title: "Milliseconds until the echo",
    });
    const y = { field: "name", type: "nominal", sort: [...WAYS], title: null };
    const box = {
      title: { text: "p5 to p95, quartiles and median", offset: 10 },
      width: 420,
      height: 130,
      data: { values: boxes },
      layer: [
        { mark: { type: "rule" }, encoding: { y, x: x("p5"), x2: { field: "p95" } } },
        {
          mark: { type: "bar", size: 22 },
          encoding: {
            y,
            x: x("p25"),
            x2: { field: "p75" },
            color: { field: "name", type: "nominal", scale: { domain: [...WAYS] }, legend: null },
          },
        },
        { mark: { type: "tick", color: "black", size: 22, thickness: 2 }, encoding: { y, x: x("p50") } },
      ],
    };
    return {
      text: `${table.toString()}\n${trials} connections each, ${delayMs} ms one way and up to ${jitterMs} ms more, ${list.length} seeds.\n`,
      claims: [
        judge({
          claim: "median, without a round trip over plain datagrams",
          measured: median("0-RTT") / median("datagrams"),
          unit: "1",
          threshold: { low: 0.8, high: 1.2 },
        }),
        judge({
          claim: "median, in one round trip over plain datagrams",
          published: "one round trip more",
          measured: median("1-RTT") / median("datagrams"),
          unit: "1",
          threshold: { low: 1.8, high: 2.2 },
        }),
      ],
      summary: Object.fromEntries(boxes.map(({ name, ...shares }) => [name, shares])),
      figure: page({ title: "Beginning a connection" }, WAYS, [box]),
    };
  },
});
