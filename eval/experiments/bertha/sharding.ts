/**
 * A key-value store on several shards under a load as of YCSB's workload B (95 % reads, keys by Zipf's law), with the client or a front at the
 * server picking the shard: throughput and latency by load. In virtual time, where each host takes a while for each message;
 * the stacks differ in one option of one chunnel, and a shard answers the client itself.
 */

import Table from "cli-table3";
import { Rng } from "../../../core/random.ts";
import type { Micros } from "../../../core/units.ts";
import {
  type App,
  type ChunnelSpec,
  MemoryNetwork,
  memory,
  OpenStack,
  seededSurroundings,
  serialise,
  shard,
  stack,
  VirtualClock,
} from "../../../transport/index.ts";
import { seedsText } from "../../seeds.ts";
import { mean } from "../../statistics.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { axis, lines, page } from "../figures.ts";
import { positive, positives, seeds, whole } from "../options.ts";
import { quantile } from "../p2/nodes.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import { BERTHA_SOURCE } from "./establishment.ts";

const PLACES = ["client", "server"] as const;
type PlaceName = (typeof PLACES)[number];

const CLIENTS = 4;
const KEYS = 10_000;
/** YCSB's constant of Zipf's law. */
const ZIPF = 0.99;
/** Workload B. */
const READ_SHARE = 0.95;
const DELAY_US: Micros = 25;
const VALUE = "x".repeat(100);
/** Messages that a host lets wait; more are lost. */
const MAX_WAITING = 256;

interface Request {
  readonly k: string;
  readonly client: string;
  readonly sentUs: number;
  /** absent: it reads */
  readonly v?: string;
}

interface Row {
  readonly place: PlaceName;
  readonly seed: number;
  /** thousand requests a second */
  readonly offeredK: number;
  readonly answeredK: number;
  readonly p50Us: Micros;
  readonly p95Us: Micros;
  readonly p99Us: Micros;
}

/** Ranks by Zipf's law, from 0 on. */
class Zipf {
  readonly #sums: Float64Array;

  constructor(count: number, exponent: number) {
    this.#sums = new Float64Array(count);
    let sum = 0;
    for (let i = 0; i < count; i++) {
      sum += (i + 1) ** -exponent;
      this.#sums[i] = sum;
    }
  }

  draw(rng: Rng): number {
    const wanted = rng.next() * this.#sums.at(-1)!;
    let [low, high] = [0, this.#sums.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#sums[middle]! < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

interface Load {
  readonly shards: number;
  readonly shardUs: Micros;
  readonly frontUs: Micros;
  readonly durationSec: number;
}

function runLoad(place: PlaceName, seed: number, offeredK: number, load: Load): Row {
  const clock = new VirtualClock();
  const rng = Rng.fromSeed(seed);
  const network = new MemoryNetwork(clock, rng.fork("network"), { path: () => ({ delayUs: DELAY_US }) });
  const shards = Array.from({ length: load.shards }, (_, i) => `shard ${i}`);
  const specs: readonly ChunnelSpec[] = stack(
    shard({ shards, at: place }),
    serialise({ codec: "binary", key: "k" }),
    memory(),
  );
  /** A host that takes so long for each message that comes. */
  const add = (name: string, side: "client" | "server", eachUs: Micros, app: App): OpenStack => {
    let busyUntilUs = 0;
    const port = network.host(name, (datagram, from) => {
      if (busyUntilUs - clock.nowUs > MAX_WAITING * eachUs) return;
      busyUntilUs = Math.max(busyUntilUs, clock.nowUs) + eachUs;
      clock.wakeAt(busyUntilUs, () => opened.arrive(datagram, from));
    });
    const surroundings = seededSurroundings(clock, rng.fork(name));
    const opened: OpenStack = new OpenStack({ stack: specs, surroundings, port, side, app });
    return opened;
  };
  for (const name of shards) {
    const kept = new Map<string, string>();
    const own = add(name, "server", load.shardUs, {
      receive: (messages) => {
        for (const { data } of messages) {
          const { k, client, sentUs, v } = data as Request;
          if (v !== undefined) kept.set(k, v);
          const answer = v === undefined ? (kept.get(k) ?? VALUE) : "";
          own.send([{ data: { k, sentUs, v: answer }, to: client, key: k }]);
        }
      },
    });
  }
  if (place === "server") add("front", "server", load.frontUs, { receive: () => {} });
  const endUs = load.durationSec * 1e6;
  const tookUs: number[] = [];
  const zipf = new Zipf(KEYS, ZIPF);
  const gapUs = (CLIENTS * 1_000) / offeredK;
  for (let i = 0; i < CLIENTS; i++) {
    const name = `client ${i}`;
    const draw = rng.fork(`load of ${name}`);
    const client = add(name, "client", 0, {
      receive: (messages) => {
        for (const { data } of messages) {
          if (clock.nowUs < endUs) tookUs.push(clock.nowUs - (data as Request).sentUs);
        }
      },
    });
    const ask = (): void => {
      const k = `user${zipf.draw(draw)}`;
      const isRead = draw.next() < READ_SHARE;
      const request: Request = { k, client: name, sentUs: clock.nowUs, ...(!isRead && { v: VALUE }) };
      client.send([{ data: request, key: k, ...(place === "server" && { to: "front" }) }]);
      const nextUs = clock.nowUs - gapUs * Math.log(1 - draw.next());
      if (nextUs < endUs) clock.wakeAt(nextUs, ask);
    };
    clock.wakeAt(gapUs * draw.next(), ask);
  }
  clock.run(endUs);
  const [p50Us, p95Us, p99Us] = [0.5, 0.95, 0.99].map((share) => quantile(tookUs, share)) as [
    number,
    number,
    number,
  ];
  return { place, seed, offeredK, answeredK: tookUs.length / load.durationSec / 1_000, p50Us, p95Us, p99Us };
}

const NAMES = { client: "at the client", server: "at the server" } as const;

export const berthaSharding: Experiment = experiment({
  name: "bertha-sharding",
  summary:
    "a key-value store on shards under YCSB-B's load: the client or a front at the server picks the shard",
  source: BERTHA_SOURCE,
  options: {
    shards: whole(6, { low: 2, high: 64, help: "shards" }),
    offeredK: positives([25, 50, 100, 150, 200, 250, 300, 350, 400], {
      help: "loads, thousand requests a second",
    }),
    shardUs: positive(10, { help: "that a shard takes for a request, in microseconds" }),
    frontUs: positive(5, { help: "that the front takes to send one on, in microseconds" }),
    durationSec: positive(0.1, { help: "seconds of each load" }),
    seeds: seeds(1),
  },
  count: ({ offeredK, seeds: list }) => PLACES.length * offeredK.length * list.length,
  *run({ offeredK, seeds: list, ...load }) {
    for (const place of PLACES) {
      for (const each of offeredK) for (const seed of list) yield runLoad(place, seed, each, load);
    }
  },
  describe: ({ place, offeredK, seed }) => `${NAMES[place]}, ${offeredK},000 requests a second, seed ${seed}`,
  report(rows, { shards, offeredK, shardUs, frontUs, durationSec, seeds: list }) {
    const at = (place: PlaceName, load: number, what: (row: Row) => number): number =>
      mean(rows.filter((row) => row.place === place && row.offeredK === load).map(what));
    const table = new Table({
      ...PLAIN_TABLE,
      head: ["sharding", "offered k/s", "answered k/s", "p50 us", "p95 us", "p99 us"],
    });
    const points = PLACES.flatMap((place) =>
      offeredK.map((load) => ({
        name: NAMES[place],
        offeredK: load,
        answeredK: at(place, load, (row) => row.answeredK),
        p50Us: at(place, load, (row) => row.p50Us),
        p95Us: at(place, load, (row) => row.p95Us),
        p99Us: at(place, load, (row) => row.p99Us),
      })),
    );
    for (const { name, offeredK: load, answeredK, p50Us, p95Us, p99Us } of points) {
      table.push([
        name,
        String(load),
        answeredK.toFixed(1),
        ...[p50Us, p95Us, p99Us].map((us) => us.toFixed(0)),
      ]);
    }
    const most = (place: PlaceName): number =>
      Math.max(...points.filter(({ name }) => name === NAMES[place]).map(({ answeredK }) => answeredK));
    const least = Math.min(...offeredK);
    const names = PLACES.map((place) => NAMES[place]);
    const x = axis({ field: "answeredK", title: "Thousand answers a second" });
    return {
      text: `${table.toString()}\n${shards} shards of ${shardUs} us a request, a front of ${frontUs} us, ${DELAY_US} us one way, ${CLIENTS} clients, ${durationSec} s, means over ${seedsText(list.length)}.\n`,
      claims: [
        judge({
          claim: "most answers a second, at the client over at the server",
          published: "the front is the bottleneck",
          measured: most("client") / most("server"),
          unit: "1",
          threshold: { low: 1 },
        }),
        judge({
          claim: "median latency at the least load, at the server over at the client",
          published: "a hop more",
          measured: at("server", least, (row) => row.p50Us) / at("client", least, (row) => row.p50Us),
          unit: "1",
          threshold: { low: 1 },
        }),
      ],
      summary: Object.fromEntries(PLACES.map((place) => [place, { mostAnsweredK: most(place) }])),
      figure: page({ title: "Sharding at the client and at the server" }, names, [
        lines(names, {
          title: "95th percentile of latency by throughput",
          values: points,
          x,
          y: axis({ field: "p95Us", title: "Microseconds", log: true }),
        }),
        lines(names, {
          title: "Throughput by load",
          values: points,
          x: axis({ field: "offeredK", title: "Thousand requests a second" }),
          y: axis({ field: "answeredK", title: "Thousand answers a second" }),
        }),
      ]),
    };
  },
});
