/**
 * Connections of three ends that meet by a store, whose stack, its base too, is exchanged mid-stream by whichever of them, again and again, while the network
 * loses, doubles, delays and damages, and the store is slow, does not answer, or answers that it failed although it has not.
 */
import { CcparkError } from "../../core/errors.ts";
import { Rng } from "../../core/random.ts";
import {
  cc,
  encrypt,
  flow,
  frame,
  GroupStack,
  MemoryNetwork,
  MemoryStore,
  memory,
  nothing,
  order,
  type RendezvousStore,
  reliable,
  type Slot,
  sack,
  seededSurroundings,
  select,
  simulated,
  VirtualClock,
} from "../../transport/index.ts";
import { drawFaultyPath } from "./faulty-path.ts";

export interface GroupRun {
  /** by end, by whom it comes from: numbers as received */
  readonly received: readonly Readonly<Record<string, readonly number[]>>[];
  readonly messages: number;
  readonly exchanged: number;
  /** by which messages went after an exchange */
  readonly bases: readonly string[];
  readonly refused: readonly string[];
  readonly errors: readonly string[];
}

const secret = encrypt({ secret: "of all" });
const EITHER: readonly Slot[] = [select(nothing(), secret)];

function slotsOf(algorithm: string, privacy: readonly Slot[], base = memory()): readonly Slot[] {
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

/** A store behind a network, with the faults of one. */
function faultyStore(store: RendezvousStore, clock: VirtualClock, rng: Rng): RendezvousStore {
  const delayUs = rng.integer(20_000);
  const faultRate = rng.uniform(0, 0.15);
  const ask = <T>(
    call: (done: (answer: T | CcparkError) => void) => void,
    done: (answer: T | CcparkError) => void,
  ): void => {
    const later = (run: () => void): void => {
      clock.wakeAt(clock.nowUs + delayUs + rng.integer(5_000), run);
    };
    const fault = rng.next() < faultRate ? rng.integer(4) : -1;
    const failed = new CcparkError("unavailable", "[transport] a fault of the store");
    // never came, answered with an error, done and answered with an error, done and never answered
    if (fault === 0) return;
    if (fault === 1) later(() => done(failed));
    else {
      later(() =>
        call((answer) => {
          if (fault !== 3) later(() => done(fault === 2 ? failed : answer));
        }),
      );
    }
  };
  return {
    get: (key, done) => ask((answered) => store.get(key, answered), done),
    swap: (key, revision, value, done) => ask((answered) => store.swap(key, revision, value, answered), done),
  };
}

export function groupRun(seed: number, ends = 3, messages = 150): GroupRun {
  const rng = Rng.fromSeed(seed).fork("group");
  const clock = new VirtualClock();
  const draw = rng.fork("faults");
  const path = drawFaultyPath(draw);
  // a while in which nothing passes to and from one of them, somewhere in the run
  const [fromUs, forUs, cutOff] = [
    draw.uniform(0.1e6, 2e6),
    draw.uniform(0, 3e6),
    `end ${draw.integer(ends)}`,
  ];
  const network = new MemoryNetwork(clock, rng.fork("network"), {
    path: (from, to, nowUs) => {
      const isCut =
        nowUs > fromUs && nowUs < fromUs + forUs && (from.startsWith(cutOff) || to.startsWith(cutOff));
      return isCut ? { ...path, lossRate: 1 } : path;
    },
  });
  const store = new MemoryStore();
  const received: Record<string, number[]>[] = [];
  const errors: string[] = [];
  const groups: GroupStack[] = [];
  for (let own = 0; own < ends; own++) {
    const name = `end ${own}`;
    const got: Record<string, number[]> = {};
    received.push(got);
    let sent = 0;
    const begin = (): void => {
      const group: GroupStack = new GroupStack({
        store: faultyStore(store, clock, rng.fork(`store ${own}`)),
        key: "chaos",
        slots: slotsOf("native-reno", EITHER),
        surroundings: seededSurroundings(clock, rng.fork(name)),
        port: network.host(name, (datagram, from) => group.arrive(datagram, from)),
        openWay: (base, onDatagram, done) => {
          const port = network.host(`${name} by ${base}`, onDatagram);
          clock.wakeAt(clock.nowUs + draw.integer(50_000), () => done({ port }));
        },
        app: {
          // who comes late misses what was sent before: all begin together
          pull: (most) =>
            groups.length < ends || groups.some(({ members }) => members.length < ends - 1)
              ? []
              : Array.from({ length: Math.min(most, messages - sent, 8) }, () => ({ data: message(sent++) })),
          receive: (some) => {
            for (const { data, from } of some) {
              const bytes = data as Uint8Array;
              got[from!] ??= [];
              got[from!]!.push(new DataView(bytes.buffer, bytes.byteOffset).getUint32(0));
            }
          },
          joined: () => {
            if (groups.every(({ members }) => members.length === ends - 1))
              for (const each of groups) each.offer();
          },
          fail: (error) => void errors.push(`${name}: ${error.message}`),
        },
      });
      groups.push(group);
    };
    clock.wakeAt(draw.integer(200_000), begin);
  }
  const isDone = (): boolean =>
    received.every((got) => {
      const lists = Object.values(got);
      return lists.length === ends - 1 && lists.every((each) => each.length >= messages);
    });
  let exchanged = 0;
  const refused: string[] = [];
  const bases = new Set<string>();
  const exchange = (): void => {
    const first = draw.integer(ends);
    const isBoth = draw.next() < 0.2;
    for (const own of isBoth ? [first, (first + 1) % ends] : [first]) {
      const privacy = [[secret], [], EITHER][draw.integer(3)]!;
      const algorithm = ["native-reno", "cubic", "copa"][draw.integer(3)]!;
      const base = draw.next() < 0.5 ? memory() : simulated();
      groups[own]?.upgrade(slotsOf(algorithm, privacy, base), (error) => {
        if (error === undefined) {
          exchanged++;
          bases.add(base.name);
        } else refused.push(error.message);
      });
    }
    if (!isDone()) clock.wakeAt(clock.nowUs + draw.uniform(1_000, 1_500_000), exchange);
  };
  clock.wakeAt(draw.uniform(0, 800_000), exchange);
  clock.run(900e6, () => errors.length > 0 || isDone());
  // nothing comes later
  clock.run(clock.nowUs + 20e6);
  for (const group of groups) group.close();
  return { received, messages, exchanged, bases: [...bases], refused, errors };
}

/** What went wrong; undefined: nothing. */
export function groupFaultOf({ received, messages, errors }: GroupRun): string | undefined {
  if (errors.length > 0) return errors.join("; ");
  for (const [own, got] of received.entries()) {
    const senders = Object.entries(got);
    if (senders.length !== received.length - 1) return `end ${own} heard of ${senders.length} others`;
    for (const [from, numbers] of senders) {
      const way = `from ${from} to end ${own}`;
      if (numbers.length !== messages) return `${way}: ${numbers.length} of ${messages} messages came`;
      const wrong = numbers.findIndex((number, k) => number !== k);
      if (wrong >= 0) return `${way}: message ${numbers[wrong]} came as number ${wrong}`;
    }
  }
  return undefined;
}
