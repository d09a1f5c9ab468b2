/**
 * What chunnels that do nothing cost in goodput. On a simulated link, with none, one, four and sixteen of them: they add no
 * bytes, so what is lost, if anything, is what the layers do to the flow of messages. Their time on a processor is not in virtual time: over
 * loopback, where the processor is the bottleneck, a stack with none and one with one take turns.
 */

import Table from "cli-table3";
import { Rng } from "../../../core/random.ts";
import { type Mbps, toMbps } from "../../../core/units.ts";
import {
  cc,
  frame,
  nothing,
  OpenStack,
  order,
  realSurroundings,
  reliable,
  SimulatedWorld,
  sack,
  seededSurroundings,
  simulated,
  UdpSocket,
  udp,
} from "../../../transport/index.ts";
import type { ChunnelSpec } from "../../../transport/stack/spec.ts";
import { seedsText } from "../../seeds.ts";
import { mean } from "../../statistics.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { axis, marks, page } from "../figures.ts";
import { positive, seeds, whole } from "../options.ts";
import { quantile } from "../p2/nodes.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import { BERTHA_SOURCE } from "./establishment.ts";

const LAYERS = [0, 1, 4, 16] as const;
const MESSAGE_BYTES = 1_400;
const RTT_MS = 2;

const SIMULATED = "simulated";
const LOOPBACK = "loopback UDP";
const LOOPBACK_LAYERS = [0, 1] as const;
/** Not measured: the window opens, and the compiler has its turn. */
const WARM_UP_MS = 150;

interface Row {
  readonly world: typeof SIMULATED | typeof LOOPBACK;
  readonly layers: number;
  /** of a seed, or a round */
  readonly seed: number;
  readonly goodputMbps: Mbps;
}

function stackWith(layers: number, base: ChunnelSpec): readonly ChunnelSpec[] {
  return [
    ...Array.from({ length: layers }, () => nothing()),
    order(),
    reliable(),
    cc({ algorithm: "native-cubic", mssBytes: 1_448 }),
    sack(),
    frame(),
    base,
  ];
}

function runLayers(layers: number, seed: number, mbps: Mbps, durationSec: number): Row {
  const world = SimulatedWorld.of(
    {
      name: "bertha-overhead",
      source: BERTHA_SOURCE,
      description: "one link",
      forward: { rate: { kind: "constant", mbps }, queue: { packets: 400 }, lossRate: 0 },
      reverse: { rate: { kind: "unlimited" }, queue: {}, lossRate: 0 },
      propagationDelayMs: RTT_MS / 2,
      durationSec,
      ackPolicy: "delayed",
    },
    seed,
  );
  const rng = Rng.fromSeed(seed);
  const specs = stackWith(layers, simulated());
  let bytes = 0;
  const session = new Uint8Array(8);
  const server: OpenStack = new OpenStack({
    stack: specs,
    surroundings: seededSurroundings(world, rng.fork("server")),
    port: world.server(0, (datagram, from) => server.arrive(datagram, from)),
    side: "server",
    session,
    peer: "client 0",
    app: {
      receive: (messages) => {
        for (const { data } of messages) bytes += (data as Uint8Array).length;
      },
    },
  });
  const client: OpenStack = new OpenStack({
    stack: specs,
    surroundings: seededSurroundings(world, rng.fork("client")),
    port: world.client(0, (datagram, from) => client.arrive(datagram, from)),
    side: "client",
    session,
    peer: "server 0",
    app: {
      receive: () => {},
      pull: (most) => Array.from({ length: most }, () => ({ data: new Uint8Array(MESSAGE_BYTES) })),
    },
  });
  client.offer();
  world.runUntil(durationSec * 1e6);
  client.close();
  server.close();
  return { world: SIMULATED, layers, seed, goodputMbps: toMbps(bytes / durationSec) };
}

/** Both ends in this process. */
async function runLoopback(layers: number, round: number, durationSec: number): Promise<Row> {
  const common = {
    stack: stackWith(layers, udp()),
    surroundings: realSurroundings(),
    session: new Uint8Array(8),
  };
  let bytes = 0;
  const open = async (): Promise<{ readonly socket: UdpSocket; own: OpenStack | undefined }> => {
    const end: { socket: UdpSocket; own: OpenStack | undefined } = {
      socket: undefined as never,
      own: undefined,
    };
    end.socket = await UdpSocket.open(
      {},
      (datagram, from) => end.own?.arrive(datagram, from),
      () => end.own?.drained(),
    );
    return end;
  };
  const [server, client] = [await open(), await open()];
  server.own = new OpenStack({
    ...common,
    port: server.socket.port,
    side: "server",
    peer: client.socket.port.self,
    app: {
      receive: (messages) => {
        for (const { data } of messages) bytes += (data as Uint8Array).length;
      },
    },
  });
  client.own = new OpenStack({
    ...common,
    port: client.socket.port,
    side: "client",
    peer: server.socket.port.self,
    app: {
      receive: () => {},
      pull: (most) => Array.from({ length: most }, () => ({ data: new Uint8Array(MESSAGE_BYTES) })),
    },
  });
  client.own.offer();
  await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS));
  const [startMs, before] = [performance.now(), bytes];
  await new Promise((resolve) => setTimeout(resolve, 1_000 * durationSec));
  const sec = (performance.now() - startMs) / 1_000;
  const goodputMbps = toMbps((bytes - before) / sec);
  for (const { own, socket } of [client, server]) {
    own!.close();
    socket.close();
  }
  return { world: LOOPBACK, layers, seed: round, goodputMbps };
}

export const berthaOverhead: Experiment = experiment({
  name: "bertha-overhead",
  summary: "goodput with chunnels that do nothing over that without, on a simulated link and over loopback",
  source: BERTHA_SOURCE,
  options: {
    mbps: positive(1_000, { help: "rate of the link, Mbit/s" }),
    durationSec: positive(0.5, { help: "seconds of each run" }),
    rounds: whole(21, { low: 1, high: 1_000, help: "turns of each stack over loopback, in real time" }),
    roundSec: positive(0.3, { help: "seconds of a turn" }),
    seeds: seeds(1),
  },
  count: ({ rounds, seeds: list }) => LAYERS.length * list.length + LOOPBACK_LAYERS.length * rounds,
  async *run({ mbps, durationSec, rounds, roundSec, seeds: list }): AsyncGenerator<Row> {
    for (const layers of LAYERS) for (const seed of list) yield runLayers(layers, seed, mbps, durationSec);
    for (let round = 1; round <= rounds; round++) {
      // who goes first changes
      const turns = round % 2 === 0 ? LOOPBACK_LAYERS : LOOPBACK_LAYERS.toReversed();
      for (const layers of turns) yield await runLoopback(layers, round, roundSec);
    }
  },
  describe: ({ world, layers, seed }) => `${world}, ${layers} that do nothing, ${seed}`,
  report(rows, { mbps, durationSec, rounds, roundSec, seeds: list }) {
    const goodputs = (world: Row["world"], layers: number): Mbps[] =>
      rows
        .filter((row) => row.world === world && row.layers === layers)
        .map(({ goodputMbps }) => goodputMbps);
    const of = (layers: number): Mbps => mean(goodputs(SIMULATED, layers));
    const real = (layers: number): Mbps => quantile(goodputs(LOOPBACK, layers), 0.5);
    // of a round's two turns: what else happens on this machine meets both
    const [without, withOne] = [goodputs(LOOPBACK, 0), goodputs(LOOPBACK, 1)];
    const ratios = withOne.map((goodput, i) => goodput / without[i]!);
    const table = new Table({ ...PLAIN_TABLE, head: ["link", "chunnels that do nothing", "goodput Mbit/s"] });
    for (const layers of LAYERS) table.push([SIMULATED, String(layers), of(layers).toFixed(1)]);
    for (const layers of LOOPBACK_LAYERS) table.push([LOOPBACK, String(layers), real(layers).toFixed(1)]);
    const values = rows.map(({ world, layers, goodputMbps }) => ({ name: world, layers, goodputMbps }));
    const names = [SIMULATED, LOOPBACK];
    return {
      text: `${table.toString()}\n${mbps} Mbit/s, ${RTT_MS} ms, ${durationSec} s, means over ${seedsText(list.length)}; over loopback medians of ${rounds} turns of ${roundSec} s, both ends in one process.\n`,
      claims: [
        ...LAYERS.slice(1).map((layers) =>
          judge({
            claim: `goodput lost with ${layers}`,
            published: "at most 2 %",
            measured: 1 - of(layers) / of(0),
            unit: "1",
            threshold: { high: 0.02 },
          }),
        ),
        judge({
          claim: "goodput lost with 1 over loopback, median of rounds",
          published: "at most 2 %",
          measured: 1 - quantile(ratios, 0.5),
          unit: "1",
          threshold: { high: 0.02 },
        }),
      ],
      summary: {
        [SIMULATED]: Object.fromEntries(LAYERS.map((layers) => [layers, of(layers)])),
        [LOOPBACK]: Object.fromEntries(LOOPBACK_LAYERS.map((layers) => [layers, real(layers)])),
      },
      figure: page({ title: "Chunnels that do nothing" }, names, [
        marks(names, {
          title: "Goodput by their number",
          values,
          x: axis({ field: "layers", title: "Chunnels" }),
          y: axis({ field: "goodputMbps", title: "Mbit/s" }),
        }),
      ]),
    };
  },
});
