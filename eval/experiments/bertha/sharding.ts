/**
 * A key-value store on several shards under a load as of YCSB's workload B (95 % reads, keys by Zipf's law), with the client or a front at the
 * server picking the shard: throughput and latency by load, in virtual time or over sockets. Each host takes a while for each message;
 * the stacks differ in one option of one chunnel, and a shard answers the client itself.
 */

import Table from "cli-table3";
import { Rng } from "../../../core/random.ts";
import type { Micros } from "../../../core/units.ts";
import type { Surroundings } from "../../../transport/chunnel.ts";
import {
  type ChunnelSpec,
  OpenStack,
  type OpenStackOptions,
  serialise,
  shard,
  stack,
  type udp,
} from "../../../transport/index.ts";
import { seedsText } from "../../seeds.ts";
import { mean } from "../../statistics.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { axis, lines, page } from "../figures.ts";
import { positive, positives, seeds, whole } from "../options.ts";
import { quantile } from "../p2/nodes.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import { BERTHA_SOURCE } from "./establishment.ts";
import { type Host, loopbackWorld, virtualWorld, type World, worldOption } from "./worlds.ts";

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

/** Takes so long for each datagram that comes, one after another; those for which too many wait are lost. */
class Server {
  readonly #eachUs: Micros;
  readonly #handle: (datagram: Uint8Array, from: string) => void;
  /** oldest first */
  readonly #waiting: (readonly [datagram: Uint8Array, from: string, doneUs: Micros])[] = [];
  #busyUntilUs = 0;

  constructor(eachUs: Micros, handle: (datagram: Uint8Array, from: string) => void) {
    this.#eachUs = eachUs;
    this.#handle = handle;
  }

  arrive(datagram: Uint8Array, from: string, surroundings: Surroundings): void {
    const nowUs = surroundings.nowUs();
    if (this.#busyUntilUs - nowUs > MAX_WAITING * this.#eachUs) return;
    this.#busyUntilUs = Math.max(this.#busyUntilUs, nowUs) + this.#eachUs;
    this.#waiting.push([datagram, from, this.#busyUntilUs]);
    if (this.#waiting.length === 1) this.#await(surroundings);
  }

  #await(surroundings: Surroundings): void {
    const [, , doneUs] = this.#waiting[0]!;
    surroundings.wakeAt(
      doneUs,
      () => {
        // in real time several may be done when this is called
        while (this.#waiting.length > 0 && this.#waiting[0]![2] <= surroundings.nowUs()) {
          const [datagram, from] = this.#waiting.shift()!;
          this.#handle(datagram, from);
        }
        if (this.#waiting.length > 0) this.#await(surroundings);
      },
      true,
    );
  }
}

async function runLoad(
  place: PlaceName,
  seed: number,
  offeredK: number,
  load: Load,
  world: World,
): Promise<Row> {
  const rng = Rng.fromSeed(seed);
  /** its stack, once there is one; before, what comes is lost */
  const open = async (
    name: string,
    eachUs: Micros,
  ): Promise<Host & { begin(options: Pick<OpenStackOptions, "stack" | "side" | "app">): OpenStack }> => {
    let opened: OpenStack | undefined;
    const server = new Server(eachUs, (datagram, from) => opened?.arrive(datagram, from));
    const host: Host = await world.host(
      name,
      (datagram, from) =>
        eachUs === 0 ? opened?.arrive(datagram, from) : server.arrive(datagram, from, host.surroundings),
      () => opened?.drained(),
    );
    return {
      ...host,
      begin: (options) => {
        opened = new OpenStack({ ...options, surroundings: host.surroundings, port: host.port });
        return opened;
      },
    };
  };
  const inTurn = async <T>(count: number, make: (i: number) => Promise<T>): Promise<T[]> => {
    const made: T[] = [];
    for (let i = 0; i < count; i++) made.push(await make(i));
    return made;
  };
  const shards = await inTurn(load.shards, (i) => open(`shard ${i}`, load.shardUs));
  const front = place === "server" ? await open("front", load.frontUs) : undefined;
  const clients = await inTurn(CLIENTS, (i) => open(`client ${i}`, 0));
  const specs: readonly ChunnelSpec[] = stack(
    shard({ shards: shards.map(({ port }) => port.self), at: place }),
    serialise({ codec: "binary", key: "k" }),
    world.base as ReturnType<typeof udp>,
  );
  for (const host of shards) {
    const kept = new Map<string, string>();
    const own = host.begin({
      stack: specs,
      side: "server",
      app: {
        receive: (messages) => {
          for (const { data } of messages) {
            const { k, client, sentUs, v } = data as Request;
            if (v !== undefined) kept.set(k, v);
            const answer = v === undefined ? (kept.get(k) ?? VALUE) : "";
            own.send([{ data: { k, sentUs, v: answer }, to: client, key: k }]);
          }
        },
      },
    });
  }
  front?.begin({ stack: specs, side: "server", app: { receive: () => {} } });
  const tookUs: number[] = [];
  const zipf = new Zipf(KEYS, ZIPF);
  const gapUs = (CLIENTS * 1_000) / offeredK;
  await world.time((done) => {
    const { nowUs, wakeAt } = clients[0]!.surroundings;
    const endUs = nowUs() + load.durationSec * 1e6;
    wakeAt(endUs, done);
    for (const [i, host] of clients.entries()) {
      const draw = rng.fork(`load of client ${i}`);
      const client = host.begin({
        stack: specs,
        side: "client",
        app: {
          receive: (messages) => {
            for (const { data } of messages) {
              if (nowUs() < endUs) tookUs.push(nowUs() - (data as Request).sentUs);
            }
          },
        },
      });
      let nextUs = nowUs() + gapUs * draw.next();
      const ask = (): void => {
        // in real time several may be due: each waits from when it was
        for (; nextUs <= nowUs() && nextUs < endUs; nextUs -= gapUs * Math.log(1 - draw.next())) {
          const k = `user${zipf.draw(draw)}`;
          const isRead = draw.next() < READ_SHARE;
          const request: Request = {
            k,
            client: host.port.self,
            sentUs: nextUs,
            ...(!isRead && { v: VALUE }),
          };
          client.send([{ data: request, key: k, ...(front !== undefined && { to: front.port.self }) }]);
        }
        if (nextUs < endUs) wakeAt(nextUs, ask, true);
      };
      wakeAt(nextUs, ask, true);
    }
  }, load.durationSec);
  for (const host of [...shards, ...clients, ...(front === undefined ? [] : [front])]) host.close();
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
    world: worldOption("virtual"),
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
  async *run({ offeredK, seeds: list, world: name, ...load }) {
    for (const place of PLACES) {
      for (const each of offeredK) {
        for (const seed of list) {
          const path = { delayUs: DELAY_US, jitterUs: 0 };
          const world =
            name === "virtual" ? virtualWorld(Rng.fromSeed(seed).fork("world"), path) : await loopbackWorld();
          yield await runLoad(place, seed, each, load, world);
          await world.close();
        }
      }
    }
  },
  describe: ({ place, offeredK, seed }) => `${NAMES[place]}, ${offeredK},000 requests a second, seed ${seed}`,
  report(rows, { world, shards, offeredK, shardUs, frontUs, durationSec, seeds: list }) {
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
    const way = world === "virtual" ? `${DELAY_US} us one way` : "over loopback, all in one process";
    const where = world === "virtual" ? "" : ", over loopback";
    const x = axis({ field: "answeredK", title: "Thousand answers a second" });
    return {
      text: `${table.toString()}\n${shards} shards of ${shardUs} us a request, a front of ${frontUs} us, ${way}, ${CLIENTS} clients, ${durationSec} s, means over ${seedsText(list.length)}.\n`,
      claims: [
        judge({
          claim: `most answers a second, at the client over at the server${where}`,
          published: "the front is the bottleneck",
          measured: most("client") / most("server"),
          unit: "1",
          threshold: { low: 1 },
        }),
        judge({
          claim: `median latency at the least load, at the server over at the client${where}`,
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
