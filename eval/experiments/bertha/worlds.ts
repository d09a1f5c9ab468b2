/** Where the experiments of negotiated stacks run: hosts in memory in virtual time, or sockets of this process over loopback. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { CcparkError } from "../../../core/errors.ts";
import type { Rng } from "../../../core/random.ts";
import type { Micros } from "../../../core/units.ts";
import type { Surroundings } from "../../../transport/chunnel.ts";
import {
  type ChunnelSpec,
  connectStore,
  type DatagramPort,
  MemoryNetwork,
  MemoryStore,
  memory,
  type RendezvousStore,
  realSurroundings,
  seededSurroundings,
  serveStore,
  UdpSocket,
  udp,
  VirtualClock,
} from "../../../transport/index.ts";
import { choice, type ExperimentOption } from "../options.ts";
import type { EchoQuestion } from "./echo-process.ts";
import type { EchoEnd, StackName, WayName } from "./echoes.ts";

export const WORLDS = ["virtual", "udp"] as const;
export type WorldName = (typeof WORLDS)[number];

export function worldOption(initial: WorldName): ExperimentOption<WorldName> {
  return choice(initial, WORLDS, { help: "in virtual time, or over loopback in real time" });
}

/** A trial that has not come to an end by then has failed. */
const GIVE_UP_US: Micros = 60e6;
const REAL_GIVE_UP_MS: number = 10_000;

/** Of the event loop: a datagram that is there takes one to be handled, and its answer another. */
const SETTLE_TURNS = 3;

type OnDatagram = (datagram: Uint8Array, from: string) => void;

export interface Host {
  readonly port: DatagramPort;
  readonly surroundings: Surroundings;
  close(): void;
}

export interface World {
  /** the base of stacks here */
  readonly base: ChunnelSpec;
  /** @param onRoom the port has room again */
  host(name: string, onDatagram: OnDatagram, onRoom?: () => void): Promise<Host>;
  /** for one end to meet others by, as far away as they are */
  store(name: string): Promise<RendezvousStore>;
  /**
   * @param spanSec that it takes for sure
   * @returns milliseconds from the call of `start` until what it is given is called; NaN: it was not
   */
  time(start: (finish: () => void) => void | Promise<void>, spanSec?: number): Promise<number>;
  /** Until what has been left behind is done, such as last acknowledgements and what whoever runs this does with a row: no part of a trial's time. */
  settle(): Promise<void>;
  /** the ends that answer are elsewhere; absent: they are in this world */
  readonly echoEnd?: (way: WayName, stack: StackName) => Promise<EchoEnd>;
  close(): Promise<void>;
}

/** @param path of datagrams and of questions to the store, one way */
export function virtualWorld(rng: Rng, path: { readonly delayUs: Micros; readonly jitterUs: Micros }): World {
  const clock = new VirtualClock();
  const network = new MemoryNetwork(clock, rng.fork("network"), { path: () => path });
  const store = new MemoryStore();
  // who has the name of one before is another: with the same randomness it would begin the same session
  let count = 0;
  return {
    base: memory(),
    host: async (name, onDatagram) => ({
      port: network.host(name, onDatagram),
      surroundings: seededSurroundings(clock, rng.fork(`${name} ${count++}`)),
      close: () => network.remove(name),
    }),
    store: async (name) => {
      const draw = rng.fork(`store of ${name}`);
      const later = (call: () => void): void => {
        clock.wakeAt(clock.nowUs + path.delayUs + draw.uniform(0, path.jitterUs), call);
      };
      return {
        get: (key, done) => later(() => store.get(key, (entry) => later(() => done(entry)))),
        swap: (key, revision, value, done) =>
          later(() => store.swap(key, revision, value, (swapped) => later(() => done(swapped)))),
      };
    },
    time: async (start, spanSec = 0) => {
      const startUs = clock.nowUs;
      let isOver = false;
      await start(() => {
        isOver = true;
      });
      clock.run(startUs + spanSec * 1e6 + GIVE_UP_US, () => isOver);
      return isOver ? (clock.nowUs - startUs) / 1_000 : Number.NaN;
    },
    settle: async () => {},
    close: async () => {},
  };
}

export interface LoopbackWorld extends World {
  /** of the store, for other processes */
  readonly storeAddress: string;
}

/**
 * Each host a socket of its own; the store is a server over TCP.
 * @param waitUs before a datagram that has come is handed up: a path's delay, one way; not of questions to the store
 * @param storeAddress of one that is there; default: its own
 */
export async function loopbackWorld(waitUs: Micros = 0, storeAddress?: string): Promise<LoopbackWorld> {
  const clock = realSurroundings();
  const server = storeAddress === undefined ? await serveStore() : undefined;
  const address = storeAddress ?? server!.address;
  const clients: { close(): void }[] = [];
  /** servers stay until the end: an open socket keeps the process alive */
  const sockets = new Set<{ close(): void }>();
  return {
    base: udp(),
    storeAddress: address,
    host: async (_name, onDatagram, onRoom = () => {}) => {
      const later = (datagram: Uint8Array, from: string): void =>
        void clock.wakeAt(clock.nowUs() + waitUs, () => onDatagram(datagram, from), true);
      const socket = await UdpSocket.open({}, waitUs === 0 ? onDatagram : later, onRoom);
      sockets.add(socket);
      const close = (): void => {
        sockets.delete(socket);
        socket.close();
      };
      return { port: socket.port, surroundings: realSurroundings(), close };
    },
    store: async () => {
      const client = connectStore(address);
      clients.push(client);
      // a process that meets others often has its connection to the store
      await new Promise((resolve) => client.get("none", resolve));
      return client;
    },
    time: (start, spanSec = 0) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => resolve(Number.NaN), spanSec * 1e3 + REAL_GIVE_UP_MS);
        const startMs = performance.now();
        const started = start(() => {
          clearTimeout(timer);
          resolve(performance.now() - startMs);
        });
        started?.catch(reject);
      }),
    settle: async () => {
      for (let turn = 0; turn < SETTLE_TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
    },
    close: async () => {
      for (const open of [...clients, ...sockets]) open.close();
      await server?.close();
    },
  };
}

/** As over loopback, with the ends that answer and the store in another process: what is sent wakes somebody. */
export async function processWorld(waitUs: Micros = 0): Promise<World> {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const script = fileURLToPath(new URL(`./echo-process.${extension}`, import.meta.url));
  // sources are run by tsx, also where this process has another loader
  const execArgv = extension === "ts" ? ["--import", "tsx"] : process.execArgv;
  const child = fork(script, [String(waitUs)], { execArgv });
  const ended = once(child, "exit").then(([code]): never => {
    throw new CcparkError("internal", `[experiment] the other end's process ended with ${code}`);
  });
  ended.catch(() => {});
  const ask = async (question: EchoQuestion): Promise<string> => {
    child.send(question);
    const [answer] = (await Promise.race([once(child, "message"), ended])) as [string];
    return answer;
  };
  const world = await loopbackWorld(waitUs, await ask({ kind: "store" }));
  return {
    ...world,
    echoEnd: async (way, stack) => ({
      address: await ask({ kind: "start", way, stack }),
      meet: async (key) => void (await ask({ kind: "meet", key })),
      part: async () => void (await ask({ kind: "part" })),
    }),
    close: async () => {
      await world.close();
      child.disconnect();
    },
  };
}
