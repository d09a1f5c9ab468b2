/**
 * What chunnels that do nothing cost in goodput on a simulated link: a stack with none, one, four and sixteen of them. They add no
 * bytes, so what is lost, if anything, is what the layers do to the flow of messages; their time on a processor is not in virtual time.
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
  reliable,
  SimulatedWorld,
  sack,
  seededSurroundings,
  simulated,
} from "../../../transport/index.ts";
import type { ChunnelSpec } from "../../../transport/stack/spec.ts";
import { mean } from "../../statistics.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { axis, marks, page } from "../figures.ts";
import { positive, seeds } from "../options.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import { BERTHA_SOURCE } from "./establishment.ts";

const LAYERS = [0, 1, 4, 16] as const;
const MESSAGE_BYTES = 1_400;
const RTT_MS = 2;

interface Row {
  readonly layers: number;
  readonly seed: number;
  readonly goodputMbps: Mbps;
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
  const specs: readonly ChunnelSpec[] = [
    ...Array.from({ length: layers }, () => nothing()),
    order(),
    reliable(),
    cc({ algorithm: "native-cubic", mssBytes: 1_448 }),
    sack(),
    frame(),
    simulated(),
  ];
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
  return { layers, seed, goodputMbps: toMbps(bytes / durationSec) };
}

export const berthaOverhead: Experiment = experiment({
  name: "bertha-overhead",
  summary: "goodput on a simulated link with chunnels that do nothing, over that without",
  source: BERTHA_SOURCE,
  options: {
    mbps: positive(1_000, { help: "rate of the link, Mbit/s" }),
    durationSec: positive(0.5, { help: "seconds of each run" }),
    seeds: seeds(1),
  },
  count: ({ seeds: list }) => LAYERS.length * list.length,
  *run({ mbps, durationSec, seeds: list }) {
    for (const layers of LAYERS) for (const seed of list) yield runLayers(layers, seed, mbps, durationSec);
  },
  describe: ({ layers, seed }) => `${layers} that do nothing, seed ${seed}`,
  report(rows, { mbps, durationSec, seeds: list }) {
    const of = (layers: number): Mbps =>
      mean(rows.filter((row) => row.layers === layers).map(({ goodputMbps }) => goodputMbps));
    const table = new Table({ ...PLAIN_TABLE, head: ["chunnels that do nothing", "goodput Mbit/s"] });
    for (const layers of LAYERS) table.push([String(layers), of(layers).toFixed(1)]);
    const values = rows.map(({ layers, goodputMbps }) => ({ name: "goodput", layers, goodputMbps }));
    return {
      text: `${table.toString()}\n${mbps} Mbit/s, ${RTT_MS} ms, ${durationSec} s, means over ${list.length} seeds.\n`,
      claims: LAYERS.slice(1).map((layers) =>
        judge({
          claim: `goodput lost with ${layers}`,
          published: "at most 2 %",
          measured: 1 - of(layers) / of(0),
          unit: "1",
          threshold: { high: 0.02 },
        }),
      ),
      summary: Object.fromEntries(LAYERS.map((layers) => [layers, of(layers)])),
      figure: page(
        { title: "Chunnels that do nothing" },
        ["goodput"],
        [
          marks(["goodput"], {
            title: "Goodput by their number",
            values,
            x: axis({ field: "layers", title: "Chunnels" }),
            y: axis({ field: "goodputMbps", title: "Mbit/s" }),
          }),
        ],
      ),
    };
  },
});
