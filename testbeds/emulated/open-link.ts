/**
 * An emulated link: two network namespaces that are joined by the links of a scenario, for real packets of any program. A
 * thread of this process carries the packets. Nothing of a link outlives the process: namespaces and devices hang on its
 * descriptors, and the names that a killed process leaves are removed when the next link is opened.
 */
import type { Worker } from "node:worker_threads";
import { CcparkError } from "../../core/errors.ts";
import { startWorkerThread } from "../../core/start-worker-thread.ts";
import { type Bytes, mssOf, type Nanos } from "../../core/units.ts";
import { claimFile } from "../../core/whole-files.ts";
import { mtuOf, type Scenario } from "../../scenarios/scenario.ts";
import { makeServer } from "../../sim/servers/make-server.ts";
import { whyNoLinks } from "../host/abilities.ts";
import { type Libc, loadLibc } from "../host/libc.ts";
import { makeNamespace, type Namespace, removeAbandoned } from "../host/namespaces.ts";
import type { LinkTruth, RunTiming } from "../testbed.ts";
import { type CrossTraffic, type LinkPlan, planLink } from "./link-plan.ts";
import type { LinkThreadData, LinkThreadMessage } from "./link-thread.ts";
import {
  FACT,
  LinkFacts,
  makePacketLog,
  makeReports,
  makeShared,
  type PacketLog,
  type Reports,
  type SharedLink,
  SharedMeter,
  STATE,
} from "./shared.ts";
import { openTun } from "./tun.ts";

/** RFC 6598: shared address space, which no host of the namespaces' users has. */
const CLIENT_ADDRESS = "100.64.0.1";
const SERVER_ADDRESS = "100.64.0.2";

/** How a thread ends. `Worker` in a declaration would ask the package's users for Node's types. */
interface Ending {
  once(event: "exit", call: () => void): unknown;
  on(event: "error", call: (error: unknown) => void): unknown;
}

/** One end. Sockets and processes that are made inside `namespace.run` have no way out but the link. */
export interface LinkEnd {
  readonly namespace: Namespace;
  /** IPv4, dotted */
  readonly address: string;
  /** name of the device */
  readonly device: string;
}

export interface LinkOptions {
  /**
   * `simulated` (default): flows beside those under test, and transfers, send packets of the simulator into the queues;
   * `outside`: whoever opens the link runs them too. Datagrams without feedback are simulated in any case.
   */
  readonly crossTraffic?: CrossTraffic;
  /** true: its time begins with `start`; false (default): with the first IPv4 packet, when the flow under test starts */
  readonly startsLater?: boolean;
  /** file for the packets of the client's end, as it sends and receives them */
  readonly pcap?: string;
  /** files for the logs of the measured links, in mm-link's format */
  readonly forwardLog?: string;
  readonly reverseLog?: string;
  /** file for every packet that came, as CSV: when, to the nanosecond, and what became of it */
  readonly packetLog?: string;
  /** packets that begin with this number and a row are reported one by one (u32 both, little endian, in UDP) */
  readonly nonce?: number;
  /** what becomes of each data packet of TCP is logged, for who reads the log in time */
  readonly logsPackets?: boolean;
}

/** What the link has done so far. */
export interface LinkCounts {
  /** packets that came from either end */
  readonly carriedPackets: number;
  /** by loss, policer or queue */
  readonly lostPackets: number;
  readonly markedPackets: number;
}

/** What ended a link before its time, as an error of who used it. */
export function linkFailure(cause: unknown): CcparkError {
  return new CcparkError("unavailable", `[emulated] the link has failed: ${(cause as Error).message}`, {
    cause,
  });
}

let opened = 0;
/** links that are open: their names go when the process ends by itself */
const OPEN: Set<EmulatedLink> = new Set();
let watchesExit = false;

function watchExit(): void {
  if (watchesExit) return;
  watchesExit = true;
  process.on("exit", () => {
    for (const link of OPEN) link.release();
  });
}

export class EmulatedLink {
  /** where data of the scenario's forward direction come from */
  readonly client: LinkEnd;
  readonly server: LinkEnd;
  readonly truth: LinkTruth;
  /** when the flow under test starts, on the link's clock */
  readonly startNs: Nanos;
  readonly reports: Reports | undefined;
  readonly log: PacketLog | undefined;
  readonly #libc: Libc;
  readonly #plan: LinkPlan;
  readonly #shared: SharedLink;
  readonly #facts: LinkFacts;
  readonly #descriptors: readonly number[];
  readonly #wake: number;
  readonly #ended: Promise<void>;
  #failure: unknown;
  #onFailure: ((error: unknown) => void) | undefined;
  #closing: Promise<void> | undefined;
  #isReleased = false;

  constructor(parts: {
    readonly libc: Libc;
    readonly plan: LinkPlan;
    readonly mtuBytes: Bytes;
    readonly shared: SharedLink;
    readonly client: LinkEnd;
    readonly server: LinkEnd;
    readonly descriptors: readonly number[];
    readonly wake: number;
    readonly thread: Ending;
  }) {
    const { libc, plan, mtuBytes, shared, client, server, descriptors, wake, thread } = parts;
    this.#libc = libc;
    this.#plan = plan;
    this.#shared = shared;
    this.client = client;
    this.server = server;
    this.startNs = plan.startNs;
    this.reports = shared.reports;
    this.log = shared.log;
    this.#facts = new LinkFacts(shared.facts);
    this.truth = truthOf(plan, mtuBytes, this.#facts);
    this.#descriptors = descriptors;
    this.#wake = wake;
    this.#ended = new Promise((resolve) => thread.once("exit", () => resolve()));
    thread.on("error", (error) => {
      this.#failure = error;
      this.#onFailure?.(error);
    });
    OPEN.add(this);
    watchExit();
  }

  /** What ended the thread before its time; undefined: it runs. */
  get failure(): unknown {
    return this.#failure;
  }

  /** @throws CcparkError (unavailable) if it has failed, also while it wrote its logs when it was closed */
  expectWhole(): void {
    if (this.#failure !== undefined) throw linkFailure(this.#failure);
  }

  /** Called once when the thread fails: no packet is carried any more. */
  onFailure(call: (error: unknown) => void): void {
    this.#onFailure = call;
    if (this.#failure !== undefined) call(this.#failure);
  }

  /** Its time has begun. */
  get isRunning(): boolean {
    return Atomics.load(this.#shared.state, 0) === STATE.running;
  }

  /** On the link's own clock; 0 before its time begins. */
  get nowNs(): Nanos {
    if (!this.isRunning) return 0;
    return Number(process.hrtime.bigint() - Atomics.load(this.#shared.zeroNs, 0));
  }

  /** Begins the link's time. @param zeroNs when it is 0, on the monotonic clock (`process.hrtime.bigint`) */
  start(zeroNs: bigint): void {
    Atomics.store(this.#shared.zeroNs, 0, zeroNs);
    Atomics.store(this.#shared.state, 0, STATE.running);
    this.#notify();
  }

  /**
   * Packets with this TCP or UDP port, at either end, take the path of a flow of the scenario (its route, delays, priority);
   * others take that of the flow under test.
   * @param path id of the flow, or the number of a path
   */
  usePath(port: number, path: string | number): void {
    const number = typeof path === "number" ? path : this.#plan.pathOf.get(path);
    if (number === undefined) {
      throw new CcparkError("not-found", `[emulated] no flow \`${path}\` comes from outside this link`);
    }
    this.#shared.paths[port] = number;
  }

  get counts(): LinkCounts {
    const { facts } = this.#shared;
    return {
      carriedPackets: facts[FACT.carriedPackets]!,
      lostPackets: facts[FACT.lostPackets]!,
      markedPackets: facts[FACT.markedPackets]!,
    };
  }

  /** How late packets left, as of some thousand packets ago, and of all after `close`. */
  get timing(): RunTiming {
    const { facts } = this.#shared;
    return {
      packetLatenessUs: {
        medianUs: facts[FACT.medianLateUs]!,
        p99Us: facts[FACT.p99LateUs]!,
        maxUs: facts[FACT.maxLateUs]!,
      },
      strayLosses: facts[FACT.strayLosses]!,
    };
  }

  #notify(): void {
    this.#libc.write(this.#wake, new BigUint64Array([1n]));
  }

  /** Ends the thread, writes the logs and gives everything back; may be called twice. */
  /** The run is over: `truth` tells of now from here on, whatever still goes through. */
  holdTruth(): void {
    this.#facts.hold();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    Atomics.store(this.#shared.state, 0, STATE.stopping);
    this.#notify();
    await this.#ended;
    this.release();
  }

  /** Gives descriptors and names back, at once. */
  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    OPEN.delete(this);
    for (const fd of this.#descriptors) this.#libc.close(fd);
    this.client.namespace.close();
    this.server.namespace.close();
  }
}

/** What the links are, and what their thread tells of them; capacities are computed by servers of this thread's own. */
function truthOf({ spec, rng }: LinkPlan, mtuBytes: Bytes, facts: LinkFacts): LinkTruth {
  const names = ["forward", "reverse"];
  const links = [spec.forward, spec.reverse, ...(spec.links ?? [])].map(({ rate, outages }, i) => {
    const server = makeServer(rate, { rng: rng.fork(`${names[i] ?? `link.${i}`}.rate`), outages });
    return new SharedMeter(facts, i, (fromNs, toNs) => server.capacityBytes(fromNs, toNs));
  });
  return {
    forward: links[0]!,
    reverse: links[1]!,
    links,
    payloadRatio: mssOf(mtuBytes) / spec.forward.dataBytes,
  };
}

/**
 * Opens a link.
 * @param seed draws what the scenario leaves to chance, as in simulation
 * @throws CcparkError (failed-precondition) with the reason why this machine or user cannot; for a log that cannot be written
 */
export async function openLink(
  scenario: Scenario,
  seed: number,
  options: LinkOptions = {},
): Promise<EmulatedLink> {
  const why = whyNoLinks();
  if (why !== undefined) throw new CcparkError("failed-precondition", `[emulated] no link: ${why}`);
  const { crossTraffic = "simulated", startsLater = false } = options;
  for (const file of [options.pcap, options.forwardLog, options.reverseLog, options.packetLog]) {
    if (file !== undefined) claimFile(file);
  }
  const mtuBytes = mtuOf(scenario);
  const plan = planLink(scenario, seed, crossTraffic);
  const libc = await loadLibc();
  removeAbandoned(libc);
  const undo: (() => void)[] = [];
  try {
    const number = opened++;
    const device = `ccpark${process.pid}`;
    const [client, server] = ["client", "server"].map((role) => {
      const space = makeNamespace(libc, `${number}-${role}`);
      undo.push(() => space.close());
      return space;
    }) as [Namespace, Namespace];
    const open = (space: Namespace, address: string, peer: string): number => {
      const fd = openTun(libc, space, { name: device, address, peer, mtuBytes });
      undo.push(() => libc.close(fd));
      return fd;
    };
    const ends = {
      client: open(client, CLIENT_ADDRESS, SERVER_ADDRESS),
      server: open(server, SERVER_ADDRESS, CLIENT_ADDRESS),
      wake: libc.eventfd(),
    };
    undo.push(() => libc.close(ends.wake));
    const reports = options.nonce === undefined ? undefined : makeReports(options.nonce);
    const shared = makeShared(
      2 + (plan.spec.links?.length ?? 0),
      reports,
      options.logsPackets === true ? makePacketLog() : undefined,
    );
    const data: LinkThreadData = {
      scenario,
      seed,
      crossTraffic,
      ends,
      shared,
      mtuBytes,
      startsByItself: !startsLater,
      pcap: options.pcap,
      forwardLog: options.forwardLog,
      reverseLog: options.reverseLog,
      packetLog: options.packetLog,
    };
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    const thread = startWorkerThread(new URL(`./link-thread.${extension}`, import.meta.url), data);
    await ready(thread);
    return new EmulatedLink({
      libc,
      plan,
      mtuBytes,
      shared,
      client: { namespace: client, address: CLIENT_ADDRESS, device },
      server: { namespace: server, address: SERVER_ADDRESS, device },
      descriptors: [ends.client, ends.server, ends.wake],
      wake: ends.wake,
      thread,
    });
  } catch (error) {
    for (const back of undo.reverse()) back();
    throw error;
  }
}

function ready(thread: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    thread.once("message", (message: LinkThreadMessage) => {
      if (message.kind === "ready") resolve();
    });
    thread.once("error", reject);
    thread.once("exit", () => reject(new Error("the thread of the link ended before it was ready")));
  });
}
