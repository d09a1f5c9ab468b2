/**
 * `npm run chaos:transport [-- --runs N --seed S]`: connections whose stacks are exchanged mid-stream, again and again, by either end or both at
 * once, while the network loses, doubles, delays and damages. Nothing may be lost, repeated or out of order; with two ends, and with
 * three that meet by a store (`group.ts`).
 */
import type { CcparkError } from "../../core/errors.ts";
import { Rng } from "../../core/random.ts";
import { scriptOptions } from "../../envs/grpc/bench/options.ts";
import {
  cc,
  connectIn,
  encrypt,
  flow,
  frame,
  type LiveStack,
  listenIn,
  MemoryNetwork,
  memory,
  nothing,
  type OpenWay,
  order,
  reliable,
  type Slot,
  sack,
  seededSurroundings,
  select,
  Tickets,
  unix,
  VirtualClock,
} from "../../transport/index.ts";
import { drawFaultyPath } from "./faulty-path.ts";
import { groupFaultOf, groupRun } from "./group.ts";

export interface ExchangeRun {
  /** per direction, as received */
  readonly received: readonly (readonly number[])[];
  readonly messages: number;
  readonly exchanged: number;
  readonly refused: readonly string[];
  readonly errors: readonly string[];
}

const secret = encrypt({ secret: "of both" });

/** With so much loss a few timeouts in a row, each twice as long, are no sign that the peer is gone. */
function slotsOf(algorithm: string, privacy: readonly Slot[], isLocal: boolean): readonly Slot[] {
  const base = isLocal ? unix() : memory();
  return [
    flow(),
    order(),
    reliable(),
    cc({ algorithm }),
    sack({ giveUpSec: 3600 }),
    ...privacy,
    frame(),
    base,
  ];
}

function message(number: number): Uint8Array {
  const data = new Uint8Array(200);
  new DataView(data.buffer).setUint32(0, number);
  return data;
}

export function exchangeRun(seed: number, messages = 400): ExchangeRun {
  const rng = Rng.fromSeed(seed);
  const clock = new VirtualClock();
  const draw = rng.fork("faults");
  const path = drawFaultyPath(draw);
  // a while in which nothing passes, somewhere in the run
  const [fromUs, untilUs] = [draw.uniform(0.1e6, 2e6), draw.uniform(0, 3e6)];
  const network = new MemoryNetwork(clock, rng.fork("network"), {
    path: (_from, _to, nowUs) =>
      nowUs > fromUs && nowUs < fromUs + untilUs ? { ...path, lossRate: 1 } : path,
  });
  let ways = 0;
  const openWay: OpenWay = (_base, onDatagram, done) => {
    const name = `unix ${ways++}`;
    // sockets open when the system has done so, not at once
    clock.wakeAt(clock.nowUs + draw.integer(5_000), () =>
      done({ port: network.host(name, onDatagram), close: () => network.remove(name) }),
    );
  };
  const received: number[][] = [[], []];
  const sent = [0, 0];
  const errors: string[] = [];
  const lives: (LiveStack | undefined)[] = [undefined, undefined];
  const app = (own: 0 | 1) => ({
    pull: (most: number) => {
      const some = Array.from({ length: Math.min(most, messages - sent[own]!, 8) }, () => ({
        data: message(sent[own]!++),
      }));
      return some;
    },
    receive: (some: readonly { readonly data: unknown }[]) => {
      for (const { data } of some) {
        const bytes = data as Uint8Array;
        received[1 - own]!.push(new DataView(bytes.buffer, bytes.byteOffset).getUint32(0));
      }
    },
    fail: (error: CcparkError) => void errors.push(`${own === 0 ? "client" : "server"}: ${error.message}`),
  });
  const both = [select(nothing(), secret)];
  const common = { slots: slotsOf("native-reno", both, false), openWay };
  listenIn(
    (onDatagram) => network.host("server", onDatagram),
    { ...common, surroundings: seededSurroundings(clock, rng.fork("server")) },
    (_peer, live) => {
      lives[1] = live;
      return app(1);
    },
  );
  lives[0] = connectIn((onDatagram) => network.host("client", onDatagram), {
    ...common,
    surroundings: seededSurroundings(clock, rng.fork("client")),
    tickets: new Tickets(),
    server: "server",
    app: app(0),
  }).live;
  let exchanged = 0;
  const refused: string[] = [];
  const exchange = (): void => {
    const isBoth = draw.next() < 0.2;
    for (const live of isBoth ? lives : [lives[draw.integer(2)]]) {
      const privacy = [[secret], [], both][draw.integer(3)]!;
      const algorithm = ["native-reno", "cubic", "copa"][draw.integer(3)]!;
      live?.upgrade(slotsOf(algorithm, privacy, draw.next() < 0.3), (error) => {
        if (error === undefined) exchanged++;
        else refused.push(error.message);
      });
    }
    if (received.some((each) => each.length < messages)) {
      clock.wakeAt(clock.nowUs + draw.uniform(1_000, 400_000), exchange);
    }
  };
  clock.wakeAt(draw.uniform(0, 300_000), exchange);
  const isOver = (): boolean => errors.length > 0 || received.every((each) => each.length >= messages);
  clock.run(900e6, isOver);
  // nothing comes later
  clock.run(clock.nowUs + 20e6);
  return { received, messages, exchanged, refused, errors };
}

/** What went wrong; undefined: nothing. */
export function faultOf({ received, messages, errors }: ExchangeRun): string | undefined {
  if (errors.length > 0) return errors.join("; ");
  for (const [i, each] of received.entries()) {
    const way = i === 0 ? "to the server" : "to the client";
    if (each.length !== messages) return `${way}: ${each.length} of ${messages} messages came`;
    const wrong = each.findIndex((number, k) => number !== k);
    if (wrong >= 0) return `${way}: message ${each[wrong]} came as number ${wrong}`;
  }
  return undefined;
}

interface Outcome {
  readonly exchanged: number;
  readonly refused: readonly string[];
}

function runAll<R extends Outcome>(
  ends: string,
  seeds: readonly number[],
  run: (seed: number) => R,
  fault: (run: R) => string | undefined,
): void {
  let exchanged = 0;
  let refused = 0;
  for (const seed of seeds) {
    const done = run(seed);
    const wrong = fault(done);
    if (wrong !== undefined) {
      console.error(`${ends}, seed ${seed}: ${wrong}`);
      process.exitCode = 1;
    }
    exchanged += done.exchanged;
    refused += done.refused.length;
  }
  console.log(
    `${ends}, ${seeds.length} runs from seed ${seeds[0]}: ${exchanged} stacks exchanged, ${refused} refused`,
  );
}

if (process.argv[1] === import.meta.filename) {
  const { runs, seed: first } = scriptOptions("chaos:transport", {
    runs: { type: "number", what: "with two ends, and as many with three", low: 1, default: "1000" },
    seed: { type: "number", what: "of the first run", default: "1" },
  }).values;
  const seeds = Array.from({ length: runs }, (_, i) => first + i);
  runAll("two ends", seeds, (seed) => exchangeRun(seed), faultOf);
  runAll("three ends", seeds, (seed) => groupRun(seed), groupFaultOf);
}
