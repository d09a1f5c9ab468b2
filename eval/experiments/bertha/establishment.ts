/**
 * How long until the first eight bytes come back, by how a connection begins: plain datagrams, a stack whose choice an earlier connection made, one that is
 * negotiated first, and one by rendezvous in a store. In virtual time, over a path whose delay varies, what counts is the round trips; over
 * loopback, where there is hardly a path, it is what the ends do. Connections to the store are open before.
 *
 * Bertha's own benchmark (negotiation-bench of its repository) has both ends in one process over loopback, a codec over UDP as its stack,
 * and in each trial's time, the baseline's too, a fresh socket: `--world udp --stack datagrams --sockets fresh`.
 */

import Table from "cli-table3";
import { Rng } from "../../../core/random.ts";
import type { Message } from "../../../transport/chunnel.ts";
import { connectIn, GroupStack, OpenStack, Tickets } from "../../../transport/index.ts";
import { seedsText } from "../../seeds.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { page, panelTitle } from "../figures.ts";
import { choice, positive, seeds, whole } from "../options.ts";
import { quantile } from "../p2/nodes.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import { type EchoEnd, echoEnd, STACKS, type StackName, slotsIn, WAYS, type WayName } from "./echoes.ts";
import { type Host, loopbackWorld, processWorld, virtualWorld, WORLDS, type World } from "./worlds.ts";

export const BERTHA_SOURCE =
  "Narayan, Panda, Alizadeh and Shenker, Bertha (thesis chapter 3): negotiated stacks";

const ECHO_BYTES = 8;
/** Trials that do not count. In real time the first ones wait for the compiler, which has done with these functions after some thousand calls. */
function warmUpOf(world: "virtual" | "udp" | "processes", trials: number): number {
  return world === "virtual" ? 1 : 2 * Math.min(trials, 1_000);
}

interface Row {
  readonly way: WayName;
  readonly seed: number;
  readonly trial: number;
  readonly ms: number;
}

function echo(): Message {
  return { data: new Uint8Array(ECHO_BYTES) };
}

/** One trial after another: made ready, then timed. */
type Trial = () => Promise<number>;

export const SOCKETS = ["open", "fresh"] as const;

/** What is timed. */
interface Timed {
  readonly stack: StackName;
  /** the client's socket: `open` before, or a `fresh` one that is opened in each connection's time */
  readonly sockets: (typeof SOCKETS)[number];
}

/** One connection: over a host that is there already, or opened in its time. */
async function timeConnection(
  world: World,
  sockets: Timed["sockets"],
  onDatagram: (datagram: Uint8Array, from: string) => void,
  begin: (host: Host, done: () => void) => void,
): Promise<{ readonly ms: number; readonly host: Host }> {
  const open = (): Promise<Host> => world.host("client", onDatagram);
  let host = sockets === "open" ? await open() : undefined;
  const ms = await world.time(async (done) => {
    host ??= await open();
    begin(host, done);
  });
  return { ms, host: host! };
}

async function datagramTrials(world: World, server: EchoEnd, { sockets }: Timed): Promise<Trial> {
  return async () => {
    let client: OpenStack | undefined;
    const { ms, host } = await timeConnection(
      world,
      sockets,
      (datagram, from) => client?.arrive(datagram, from),
      (open, done) => {
        client = new OpenStack({
          stack: [world.base],
          ...open,
          side: "client",
          peer: server.address,
          app: { receive: done },
        });
        client.send([echo()]);
      },
    );
    client?.close();
    host.close();
    return ms;
  };
}

async function negotiatedTrials(
  world: World,
  server: EchoEnd,
  { stack, sockets }: Timed,
  tickets: () => Tickets,
): Promise<Trial> {
  const slots = slotsIn(world, stack);
  return async () => {
    let hear = (_datagram: Uint8Array, _from: string): void => {};
    const words = [echo()];
    let close = (): void => {};
    const { ms, host } = await timeConnection(
      world,
      sockets,
      (datagram, from) => hear(datagram, from),
      (open, done) => {
        const { live } = connectIn(
          (onDatagram) => {
            hear = onDatagram;
            return open.port;
          },
          {
            slots,
            ...open,
            tickets: tickets(),
            server: server.address,
            app: { pull: (most) => words.splice(0, most), receive: done },
          },
        );
        close = () => live.close();
      },
    );
    close();
    host.close();
    return ms;
  };
}

async function rendezvousTrials(world: World, server: EchoEnd, { sockets }: Timed): Promise<Trial> {
  // stacks of a group may be exchanged: they are reliable
  const slots = slotsIn(world, "stream");
  const store = await world.store("client");
  let trial = 0;
  return async () => {
    const key = `trial ${trial++}`;
    let client: GroupStack | undefined;
    await server.meet(key);
    const words = [echo()];
    const { ms, host } = await timeConnection(
      world,
      sockets,
      (datagram, from) => client?.arrive(datagram, from),
      (open, done) => {
        const app = { pull: (most: number): Message[] => words.splice(0, most), receive: done };
        client = new GroupStack({ store, key, slots, ...open, app });
      },
    );
    client?.close();
    host.close();
    await server.part();
    return ms;
  };
}

async function trialsOf(way: WayName, world: World, timed: Timed): Promise<Trial> {
  const shared = new Tickets();
  const server = await (world.echoEnd?.(way, timed.stack) ?? echoEnd(way, world, timed.stack));
  switch (way) {
    case "datagrams":
      return datagramTrials(world, server, timed);
    case "0-RTT":
      return negotiatedTrials(world, server, timed, () => shared);
    case "1-RTT":
      return negotiatedTrials(world, server, timed, () => new Tickets());
    case "rendezvous":
      return rendezvousTrials(world, server, timed);
  }
}

async function* runSeed(
  seed: number,
  trials: number,
  warmUp: number,
  timed: Timed,
  makeWorld: (way: string) => Promise<World>,
): AsyncGenerator<Row> {
  const worlds = await Promise.all(WAYS.map(makeWorld));
  const runs = await Promise.all(WAYS.map((way, i) => trialsOf(way, worlds[i]!, timed)));
  // in turn, so that what else happens on this machine meets all alike; the first of the 0-RTT ones has no choice to take up and none counts
  for (let trial = -warmUp; trial < trials; trial++) {
    for (const [i, way] of WAYS.entries()) {
      await worlds[i]!.settle();
      const ms = await runs[i]!();
      if (trial >= 0) yield { way, seed, trial, ms };
    }
  }
  for (const world of worlds) await world.close();
}

const SHARES = [0.05, 0.25, 0.5, 0.75, 0.95] as const;

export const berthaEstablishment: Experiment = experiment({
  name: "bertha-establishment",
  summary:
    "time until eight bytes come back: plain datagrams, stacks negotiated in no and in one round trip, by rendezvous",
  source: BERTHA_SOURCE,
  options: {
    trials: whole(1_000, { low: 1, high: 100_000, help: "connections of each kind" }),
    world: choice("virtual", [...WORLDS, "processes"] as const, {
      help: "in virtual time, or over loopback in real time, with both ends in one process or in two",
    }),
    delayMs: positive(0.05, { help: "virtual: of the path, one way, in milliseconds" }),
    jitterMs: positive(0.02, {
      help: "virtual: more, drawn for each datagram up to so much, in milliseconds",
    }),
    stack: choice("stream", STACKS, {
      help: "negotiated: a reliable stream's, or datagrams that name their session, as Bertha's (by rendezvous always a stream's)",
    }),
    sockets: choice("open", SOCKETS, {
      help: "over loopback: the client's is open before, or a fresh one is opened in each connection's time, as Bertha's",
    }),
    waitUs: whole(0, {
      low: 0,
      high: 1_000_000,
      help: "over loopback: until what has come is handed up, as a path delays it one way, in microseconds",
    }),
    seeds: seeds(1),
  },
  count: ({ trials, seeds: list }) => WAYS.length * trials * list.length,
  async *run({ trials, world, delayMs, jitterMs, waitUs, stack, sockets, seeds: list }) {
    for (const seed of list) {
      const path = { delayUs: 1_000 * delayMs, jitterUs: 1_000 * jitterMs };
      const make = async (way: string): Promise<World> =>
        world === "virtual"
          ? virtualWorld(Rng.fromSeed(seed).fork(way), path)
          : await (world === "udp" ? loopbackWorld : processWorld)(waitUs);
      yield* runSeed(seed, trials, warmUpOf(world, trials), { stack, sockets }, make);
    }
  },
  describe: ({ way, seed }) => `${way}, seed ${seed}`,
  report(rows, { trials, world, delayMs, jitterMs, waitUs, stack, sockets, seeds: list }) {
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
    const isVirtual = world === "virtual";
    const isBerthas = world === "udp" && waitUs === 0 && stack === "datagrams" && sockets === "fresh";
    const wait = waitUs === 0 ? "" : `, ${waitUs} us one way`;
    const where = isVirtual
      ? `${delayMs} ms one way and up to ${jitterMs} ms more, to the store too`
      : world === "udp"
        ? `over loopback, both ends and the store in one process${wait}`
        : `over loopback between two processes, the store in that of the end that answers${wait}`;
    const x = (field: string): object => ({
      field,
      type: "quantitative",
      title: "Milliseconds until the echo",
    });
    const y = { field: "name", type: "nominal", sort: [...WAYS], title: null };
    const box = {
      title: panelTitle("p5 to p95, quartiles and median"),
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
      text: `${table.toString()}\n${trials} connections each, ${where}, ${seedsText(list.length)}.\n`,
      claims: [
        judge({
          claim: `median, without a round trip over plain datagrams${isBerthas ? ", over loopback as Bertha has it" : ""}`,
          published: "within 20 %",
          measured: median("0-RTT") / median("datagrams"),
          unit: "1",
          // without a path what remains of other stacks is opening both, against two system calls
          ...((isVirtual || isBerthas) && { threshold: { low: 0.8, high: 1.2 } }),
        }),
        judge({
          claim: "median, in one round trip over plain datagrams",
          published: "one round trip more",
          measured: median("1-RTT") / median("datagrams"),
          unit: "1",
          ...(isVirtual && { threshold: { low: 1.8, high: 2.2 } }),
        }),
        judge({
          claim:
            "median, by rendezvous over plain datagrams: two round trips to the store, one of the other end's",
          measured: median("rendezvous") / median("datagrams"),
          unit: "1",
          ...(isVirtual && { threshold: { low: 3.6, high: 4.4 } }),
        }),
      ],
      summary: Object.fromEntries(boxes.map(({ name, ...shares }) => [name, shares])),
      figure: page({ title: "Beginning a connection" }, WAYS, [box]),
    };
  },
});
