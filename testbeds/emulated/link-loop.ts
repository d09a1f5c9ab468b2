/**
 * The loop that carries packets: what the system sends into one end's device enters the network of links, and what comes out
 * of it is written to the other's. The network computes when; the loop sleeps until then, or until a packet comes.
 *
 *   client ──TUN──▶ enterOutside ─▶ queues, servers, wires ─▶ leave ──TUN──▶ server      and the same back
 *
 * Events have the times that the network gives them, not those at which the loop wakes, so that waking late delays the
 * packet at hand and nothing behind it.
 */
import { NANOS_PER_MICRO, NANOS_PER_MILLI, type Nanos } from "../../core/units.ts";
import { DelayHistogram } from "../../sim/delay-histogram.ts";
import { GeneralNetwork, type Outlet, type OutsideFacts } from "../../sim/general/general-network.ts";
import { POLLIN, PR_SET_TIMERSLACK } from "../host/constants.ts";
import type { Libc } from "../host/libc.ts";
import { FlowNumbers } from "./flow-numbers.ts";
import { damagePacket, emptyHead, flowHash, markPacket, readHead } from "./ip-packet.ts";
import type { LinkPlan } from "./link-plan.ts";
import type { PcapFile } from "./pcap.ts";
import {
  FACT,
  FATE,
  LOGGED,
  LOGGED_ROWS,
  LOGGED_WORDS,
  REPORTED_ROWS,
  type SharedLink,
  STATE,
  writeMeter,
} from "./shared.ts";

/** The largest IP packet. */
const FRAME_BYTES = 65_536;
/** of one end before the other has its turn */
const READ_AT_ONCE = 64;
/** Meters are told anew at least that often, while time runs. */
const MAX_SLEEP_NS = 5 * NANOS_PER_MILLI;
/** The thread looks whether it is to end at least that often: a process that exits waits for its threads. */
const MAX_IDLE_NS = 100 * NANOS_PER_MILLI;

export interface LinkEnds {
  /** descriptors of the devices */
  readonly client: number;
  readonly server: number;
  /** readable: the state was changed */
  readonly wake: number;
}

/** A packet while it is on its way. */
class Frame {
  readonly number: number;
  bytes: Uint8Array;
  length = 0;
  /** of the program's own packets; -1: it is none */
  row = -1;
  /** what is written of it, where somebody wants to know; undefined: nobody, or it is a second one */
  entry: PacketEntry | undefined;
  /** of a data packet of TCP whose log is wanted; -1: of none */
  path = -1;
  enteredNs = 0;

  constructor(number: number, capacity: number) {
    this.number = number;
    this.bytes = new Uint8Array(capacity);
  }
}

/** One packet in the list of all. */
export interface PacketEntry {
  /** when it came, on the link's clock */
  readonly atNs: Nanos;
  /** 2 * path, and 1 more towards the client */
  readonly way: number;
  readonly flow: number;
  readonly bytes: number;
  readonly ecn: number;
  readonly isAck: boolean;
  /** what became of it by now */
  fate: "underway" | "delivered" | "marked" | "damaged" | "lost";
  /** when it should have left, by the network */
  leftNs: Nanos;
}

export class LinkLoop implements Outlet {
  readonly #libc: Libc;
  readonly #ends: LinkEnds;
  readonly #shared: SharedLink;
  readonly #plan: LinkPlan;
  readonly #startsByItself: boolean;
  readonly #pcap: PcapFile | undefined;
  readonly #entries: PacketEntry[] | undefined;
  readonly network: GeneralNetwork;
  readonly #frames: Frame[] = [];
  readonly #freeFrames: number[] = [];
  readonly #frameBytes: number;
  readonly #flows = new FlowNumbers();
  readonly #head = emptyHead();
  readonly #lateness = new DelayHistogram();
  #maxLateUs = 0;
  /** monotonic time at which the link's own is 0 */
  #zeroNs = 0;
  #isRunning = false;

  /** @param startsByItself its time begins with the first packet, as that of the flow under test */
  constructor(options: {
    readonly libc: Libc;
    readonly ends: LinkEnds;
    readonly shared: SharedLink;
    readonly plan: LinkPlan;
    readonly mtuBytes: number;
    readonly startsByItself: boolean;
    readonly pcap: PcapFile | undefined;
    /** takes an entry for each packet; absent: nobody wants to know */
    readonly entries: PacketEntry[] | undefined;
  }) {
    const { libc, ends, shared, plan, mtuBytes, startsByItself, pcap, entries } = options;
    this.#libc = libc;
    this.#ends = ends;
    this.#shared = shared;
    this.#plan = plan;
    this.#startsByItself = startsByItself;
    this.#pcap = pcap;
    this.#entries = entries;
    this.#frameBytes = Math.min(FRAME_BYTES, mtuBytes);
    this.network = new GeneralNetwork(plan.spec, plan.rng, { outlet: this });
    plan.prepare(this.network);
  }

  /** Until the other thread wants it to end. */
  run(): void {
    const { client, server, wake } = this.#ends;
    const libc = this.#libc;
    libc.prctl(PR_SET_TIMERSLACK, 1);
    const polled = new Int32Array([client, POLLIN, server, POLLIN, wake, POLLIN]);
    const count = new Uint8Array(8);
    for (;;) {
      const state = Atomics.load(this.#shared.state, 0);
      if (state === STATE.stopping) break;
      if (state === STATE.running && !this.#isRunning) {
        this.#begin(Number(Atomics.load(this.#shared.zeroNs, 0)));
      }
      const ready = libc.ppoll(polled, this.#sleepNs());
      if (this.#isRunning) this.#turn();
      if (ready === 0) continue;
      if (polled[1]! >> 16 !== 0) this.#readAll(client, 0);
      if (polled[3]! >> 16 !== 0) this.#readAll(server, 1);
      if (polled[5]! >> 16 !== 0) libc.read(wake, count);
      polled[1] = polled[3] = polled[5] = POLLIN;
    }
    if (this.#isRunning) this.#turn();
    this.#pcap?.close();
  }

  #begin(zeroNs: number): void {
    this.#zeroNs = zeroNs;
    this.#isRunning = true;
  }

  /** On the monotonic clock. */
  #clockNs(): number {
    return Number(process.hrtime.bigint());
  }

  #sleepNs(): Nanos {
    if (!this.#isRunning) return MAX_IDLE_NS;
    const untilNs = this.network.nextNs - (this.#clockNs() - this.#zeroNs);
    return untilNs < 0 ? 0 : Math.min(untilNs, MAX_SLEEP_NS);
  }

  /** All that is due happens. */
  #turn(): void {
    this.#advance();
    this.#tell();
  }

  /** @returns now */
  #advance(): Nanos {
    const nowNs = Math.max(this.network.nowNs, this.#clockNs() - this.#zeroNs);
    this.network.runUntil(nowNs);
    return nowNs;
  }

  #tell(): void {
    const { facts } = this.#shared;
    const { hops, nowNs } = this.network;
    for (let i = 0; i < hops.length; i++) writeMeter(facts, i, hops[i]!, nowNs);
  }

  /** What takes time is told seldom. */
  tellLateness(): void {
    const { facts } = this.#shared;
    facts[FACT.medianLateUs] = this.#lateness.quantileUs(0.5);
    facts[FACT.p99LateUs] = this.#lateness.quantileUs(0.99);
    facts[FACT.maxLateUs] = this.#maxLateUs;
  }

  /** @param direction 0: from the client to the server, 1: back */
  #readAll(fd: number, direction: number): void {
    for (let i = 0; i < READ_AT_ONCE; i++) {
      const frame = this.#takeFrame();
      const length = this.#libc.read(fd, frame.bytes, this.#frameBytes);
      if (length <= 0) {
        this.#freeFrames.push(frame.number);
        return;
      }
      frame.length = length;
      this.#enter(frame, direction);
    }
  }

  #enter(frame: Frame, direction: number): void {
    const head = this.#head;
    readHead(frame.bytes, frame.length, head);
    if (!this.#isRunning && head.isIpv4 && this.#startsByItself) {
      const zeroNs = this.#clockNs() - this.#plan.startNs;
      Atomics.store(this.#shared.zeroNs, 0, BigInt(Math.round(zeroNs)));
      Atomics.store(this.#shared.state, 0, STATE.running);
      this.#begin(Math.round(zeroNs));
    }
    if (!this.#isRunning || !head.isIpv4) {
      this.#freeFrames.push(frame.number);
      return;
    }
    if (direction === 0) this.#pcap?.add(frame.bytes, frame.length, this.#clockNs());
    frame.row = this.#rowOf(frame);
    const { paths, facts, log } = this.#shared;
    const path = paths[head.destinationPort]! || paths[head.sourcePort]!;
    const nowNs = this.#advance();
    frame.path = log !== undefined && head.isData ? path : -1;
    frame.enteredNs = nowNs;
    facts[FACT.carriedPackets] = facts[FACT.carriedPackets]! + 1;
    const way = 2 * path + direction;
    const packet = {
      number: frame.number,
      bytes: frame.length,
      flow: this.#flows.numberOf(flowHash(frame.bytes, head)),
      ecn: head.ecn,
      isAck: head.isAck,
    };
    if (this.#entries !== undefined) {
      const { bytes, flow, ecn, isAck } = packet;
      frame.entry = { atNs: nowNs, way, flow, bytes, ecn, isAck, fate: "underway", leftNs: Number.NaN };
      this.#entries.push(frame.entry);
    }
    this.network.enterOutside(way, packet, nowNs);
  }

  /** The row of one of the program's own packets; -1: it is none. */
  #rowOf(frame: Frame): number {
    const { reports } = this.#shared;
    const at = this.#head.udpPayloadAt;
    if (reports === undefined || at === 0 || frame.length < at + 8) return -1;
    const { bytes } = frame;
    const word = (i: number): number =>
      (bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)) >>> 0;
    return word(at) === reports.nonce ? word(at + 4) % REPORTED_ROWS : -1;
  }

  leave(way: number, number: number, facts: OutsideFacts): void {
    const frame = this.#frames[number]!;
    const { bytes, length, row } = frame;
    const isBack = (way & 1) === 1;
    const shared = this.#shared.facts;
    if (facts.isMarked) {
      markPacket(bytes);
      shared[FACT.markedPackets] = shared[FACT.markedPackets]! + 1;
    }
    if (facts.isCorrupt) damagePacket(bytes, length);
    if (frame.path >= 0) this.#logPacket(frame, facts.queuedNs, this.network.nowNs - frame.enteredNs);
    if (row >= 0) {
      const reports = this.#shared.reports!;
      reports.queuedNs[row] = facts.queuedNs;
      reports.fates[row] = facts.isMarked ? FATE.marked : facts.isCorrupt ? FATE.lost : FATE.delivered;
    }
    if (frame.entry !== undefined) {
      frame.entry.fate = facts.isCorrupt ? "damaged" : facts.isMarked ? "marked" : "delivered";
      frame.entry.leftNs = this.network.nowNs;
    }
    const clockNs = this.#clockNs();
    this.#countLateness((clockNs - this.#zeroNs - this.network.nowNs) / NANOS_PER_MICRO);
    if (isBack) this.#pcap?.add(bytes, length, clockNs);
    const { client, server } = this.#ends;
    const written = this.#libc.write(isBack ? client : server, bytes, length);
    if (written < 0) shared[FACT.strayLosses] = shared[FACT.strayLosses]! + 1;
    this.#freeFrames.push(number);
  }

  #countLateness(lateUs: number): void {
    const positiveUs = Math.max(0, lateUs);
    this.#lateness.record(positiveUs);
    if (positiveUs > this.#maxLateUs) this.#maxLateUs = positiveUs;
    if ((this.#lateness.count & 1023) === 1) this.tellLateness();
  }

  drop(number: number): void {
    const { facts, reports } = this.#shared;
    const frame = this.#frames[number]!;
    const { row, entry } = frame;
    if (frame.path >= 0) this.#logPacket(frame, 0, -1);
    if (entry !== undefined) entry.fate = "lost";
    facts[FACT.lostPackets] = facts[FACT.lostPackets]! + 1;
    if (row >= 0) reports!.fates[row] = FATE.lost;
    this.#freeFrames.push(number);
  }

  #logPacket({ path }: Frame, queuedNs: Nanos, onWayNs: Nanos): void {
    const { count, rows } = this.#shared.log!;
    const number = count[0]!;
    const at = LOGGED_WORDS * Number(number % BigInt(LOGGED_ROWS));
    rows[at + LOGGED.path] = path;
    rows[at + LOGGED.atNs] = this.network.nowNs;
    rows[at + LOGGED.queuedNs] = queuedNs;
    rows[at + LOGGED.onWayNs] = onWayNs;
    Atomics.store(count, 0, number + 1n);
  }

  copy(number: number): number {
    const frame = this.#frames[number]!;
    const twin = this.#takeFrame();
    twin.bytes.set(frame.bytes.subarray(0, frame.length));
    twin.length = frame.length;
    twin.row = frame.row;
    twin.entry = undefined;
    twin.path = frame.path;
    twin.enteredNs = frame.enteredNs;
    return twin.number;
  }

  #takeFrame(): Frame {
    const free = this.#freeFrames.pop();
    if (free !== undefined) return this.#frames[free]!;
    const frame = new Frame(this.#frames.length, this.#frameBytes);
    this.#frames.push(frame);
    return frame;
  }
}
