/**
 * Real UDP packets on loopback in real time, without privileges: the engine's senders and receivers, and between them a
 * relay in this process whose links are those of the simulator (rate, queue, delay, loss, impairments): one link model,
 * two clocks.
 *
 *   sender ──UDP──▶ relay: queue, server, propagation ──UDP──▶ receiver ──UDP──▶ relay, reverse ──UDP──▶ sender
 *
 * The relay computes when a packet leaves; the alarm wakes this thread then. What comes late, or not at all, is counted.
 */
import { randomBytes } from "node:crypto";
import { CcparkError } from "../../core/errors.ts";
import { type Bytes, NANOS_PER_MICRO, NANOS_PER_SEC, type Nanos } from "../../core/units.ts";
import { peakMbps } from "../../scenarios/rates/registry.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { DelayHistogram } from "../../sim/delay-histogram.ts";
import { GeneralNetwork, type PacketCarrier } from "../../sim/general/general-network.ts";
import { ACK } from "../../sim/general/hop.ts";
import { type NetworkRunFlow, RunPlan } from "../network-run.ts";
import {
  expectAccepts,
  type LinkTruth,
  type RealTimeRun,
  type RealTimeTestbed,
  type RunTiming,
} from "../testbed.ts";
import type { TransferLog } from "../traffic/traffic.ts";
import { Alarm, Stopwatch } from "./alarm.ts";
import { openSocketPair, type SocketPair, type UdpWay } from "./socket-pair.ts";

/** Beyond, one thread cannot carry the packets: a packet costs it some 30 us in four sockets. */
const MAX_MBPS = 200;
/** IPv4 and UDP headers: a datagram's payload is that much shorter than the packet. */
const UDP_HEADER_BYTES = 28;
/** A datagram: nonce u32, row u32, number f64, way u8; a data packet's sequence f64 where there is room. */
const NUMBER_AT = 8;
const WAY_AT = 16;
const HEADER_BYTES = 17;
const MAX_DATAGRAM_BYTES = 65_507;
/** what all packets carry: nothing is allocated for it, since the garbage collector would hold packets up for milliseconds */
const PAYLOAD: Buffer = Buffer.alloc(MAX_DATAGRAM_BYTES);
/** A packet that has not come out of a socket by then has been lost by the system. */
const LOST_AFTER_NS = NANOS_PER_SEC;
const SWEEP_EVERY_NS = NANOS_PER_SEC;

interface Waiter {
  readonly untilNs: Nanos;
  readonly resolve: (reached: boolean) => void;
  readonly reject: (error: unknown) => void;
}

class UdpRun implements RealTimeRun, PacketCarrier {
  readonly flows: readonly NetworkRunFlow[];
  readonly transfers: TransferLog;
  readonly startNs: Nanos;
  readonly endNs: Nanos;
  readonly seriesBinNs: Nanos;
  readonly truth: LinkTruth;
  readonly shares: RealTimeRun["shares"];
  readonly #network: GeneralNetwork;
  readonly #clock = new Stopwatch();
  readonly #alarm: Alarm;
  readonly #nonce: number = randomBytes(4).readUInt32LE();
  /** sender and relay, relay and receiver */
  readonly #pairs: SocketPair[] = [];
  /** rows of packets that are in a socket, and since when */
  readonly #inSockets: Map<number, Nanos> = new Map();
  readonly #lateness = new DelayHistogram();
  #maxLatenessUs = 0;
  #strayLosses = 0;
  #waiter: Waiter | undefined;
  #failure: unknown;
  #isClosed = false;
  #isTurning = false;

  constructor(plan: RunPlan) {
    this.startNs = plan.startNs;
    this.endNs = plan.endNs;
    this.seriesBinNs = plan.seriesBinNs;
    this.transfers = plan.transfers;
    this.#network = new GeneralNetwork(plan.spec, plan.rng, { carrier: this });
    plan.prepare(this.#network);
    this.flows = plan.flowsOf(this.#network);
    this.truth = plan.truthOf(this.#network);
    this.shares = plan.sharesIn(this.#network);
    const onError = (error: unknown): void => this.#fail(error);
    this.#alarm = new Alarm(() => this.#turn(), onError);
  }

  async openSockets(): Promise<void> {
    const onError = (error: unknown): void => this.#fail(error);
    const onDatagram = (datagram: Buffer): void => this.#receive(datagram);
    for (let i = 0; i < 2; i++) {
      this.#pairs.push(await openSocketPair({ onThere: onDatagram, onBack: onDatagram, onError }));
    }
  }

  get nowNs(): Nanos {
    return this.#isTurning ? this.#network.nowNs : Math.max(this.#network.nowNs, this.#clock.nowNs);
  }

  get timing(): RunTiming {
    const lateness = this.#lateness;
    return {
      packetLatenessUs: {
        medianUs: lateness.quantileUs(0.5),
        p99Us: lateness.quantileUs(0.99),
        maxUs: this.#maxLatenessUs,
      },
      strayLosses: this.#strayLosses,
    };
  }

  schedule(atNs: Nanos, call: () => void): void {
    this.#network.schedule(Math.max(atNs, this.#network.nowNs), call);
    if (!this.#isTurning) this.#setAlarm();
  }

  requestStop(): void {
    this.#network.requestStop();
  }

  runUntil(untilNs: Nanos): Promise<boolean> {
    if (!this.#clock.isRunning) {
      this.#clock.start();
      this.#sweep(SWEEP_EVERY_NS);
    }
    return new Promise((resolve, reject) => {
      this.#waiter = { untilNs, resolve, reject };
      this.#turn();
    });
  }

  /** Everything that is due happens. */
  #turn(): void {
    if (this.#isClosed || this.#isTurning || !this.#clock.isRunning) return;
    this.#isTurning = true;
    let isStopped = false;
    try {
      const nowNs = this.#clock.nowNs;
      while (!this.#network.runUntil(nowNs)) isStopped = true;
    } catch (error) {
      this.#failure = error;
    }
    this.#isTurning = false;
    this.#settle(isStopped);
    this.#setAlarm();
  }

  #settle(isStopped: boolean): void {
    const waiter = this.#waiter;
    if (waiter === undefined) return;
    if (this.#failure !== undefined) {
      this.#waiter = undefined;
      waiter.reject(this.#failure);
    } else if (this.#network.nowNs >= waiter.untilNs || isStopped) {
      this.#waiter = undefined;
      waiter.resolve(this.#network.nowNs >= waiter.untilNs);
    }
  }

  #setAlarm(): void {
    if (!this.#clock.isRunning || this.#isClosed) return;
    const nextNs = Math.min(this.#network.nextNs, this.#waiter?.untilNs ?? Number.POSITIVE_INFINITY);
    this.#alarm.set(nextNs === Number.POSITIVE_INFINITY ? undefined : this.#clock.absolute(nextNs));
  }

  /** Packets that the system has lost are given up, so that their senders find out. */
  #sweep(atNs: Nanos): void {
    this.#network.schedule(atNs, () => {
      for (const [packet, sinceNs] of this.#inSockets) {
        if (atNs - sinceNs < LOST_AFTER_NS) break;
        this.#inSockets.delete(packet);
        this.#strayLosses++;
        this.#network.lose(packet);
      }
      this.#sweep(atNs + SWEEP_EVERY_NS);
    });
  }

  carry(packet: number, way: "into" | "out", wireBytes: Bytes): void {
    const { kind, number, sequence } = this.#network.contentsOf(packet);
    const length = Math.min(
      MAX_DATAGRAM_BYTES,
      Math.max(HEADER_BYTES, Math.round(wireBytes) - UDP_HEADER_BYTES),
    );
    const header = Buffer.allocUnsafe(HEADER_BYTES + 8);
    header.writeUInt32LE(this.#nonce, 0);
    header.writeUInt32LE(packet, 4);
    header.writeDoubleLE(number, NUMBER_AT);
    header.writeUInt8(way === "into" ? 0 : 1, WAY_AT);
    header.writeDoubleLE(sequence, HEADER_BYTES);
    this.#inSockets.set(packet, this.#network.nowNs);
    if (way === "out") this.#countLateness();
    const filled = length - header.length;
    this.#wayOf(kind, way).send(
      filled > 0 ? [header, PAYLOAD.subarray(0, filled)] : [header.subarray(0, length)],
    );
  }

  /** A packet leaves its link now; its time was that of the event at hand. */
  #countLateness(): void {
    const lateUs = Math.max(0, this.#clock.nowNs - this.#network.nowNs) / NANOS_PER_MICRO;
    this.#lateness.record(lateUs);
    if (lateUs > this.#maxLatenessUs) this.#maxLatenessUs = lateUs;
  }

  /** Data goes sender, relay, receiver; an ACK goes back. */
  #wayOf(kind: number, way: "into" | "out"): UdpWay {
    const [atSender, atReceiver] = this.#pairs;
    if (kind === ACK) return way === "into" ? atReceiver!.back : atSender!.back;
    return way === "into" ? atSender!.there : atReceiver!.there;
  }

  #receive(datagram: Buffer): void {
    if (this.#isClosed || datagram.length < HEADER_BYTES) return;
    if (datagram.readUInt32LE(0) !== this.#nonce) return;
    const packet = datagram.readUInt32LE(4);
    // one that was given up
    if (!this.#inSockets.delete(packet)) return;
    // what happens before its arrival happens first
    this.#turn();
    this.#isTurning = true;
    try {
      const nowNs = Math.max(this.#network.nowNs, this.#clock.nowNs);
      this.#network.arrive(packet, datagram.readUInt8(WAY_AT) === 0 ? "into" : "out", nowNs);
    } catch (error) {
      this.#failure = error;
    }
    this.#isTurning = false;
    this.#turn();
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#settle(false);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const pair of this.#pairs) pair.close();
    this.#waiter?.reject(
      new CcparkError("failed-precondition", "[udp] the run was closed while somebody waited for it"),
    );
    this.#waiter = undefined;
    await this.#alarm.close();
  }
}

function refuses(scenario: Scenario): string | undefined {
  const links = { forward: scenario.forward, reverse: scenario.reverse, ...scenario.links };
  for (const [name, { rate }] of Object.entries(links)) {
    const mbps = peakMbps(rate);
    // an unlimited link carries no more than what the others let through
    if (mbps !== undefined && mbps > MAX_MBPS) {
      return `link ${name} has ${mbps} Mbit/s, expected at most ${MAX_MBPS}: all packets go through one thread`;
    }
  }
  if (Object.values(links).every(({ rate }) => rate.kind === "unlimited")) {
    return "no link has a limit, expected one: the flow would be as fast as the machine";
  }
  return undefined;
}

export const UDP: RealTimeTestbed = {
  name: "udp",
  clock: "real",
  summary:
    "real UDP packets on loopback in real time, through a relay with the simulator's links; needs no privileges, to 200 Mbit/s",
  records: true,
  refuses,
  async open(scenario, seed, options) {
    expectAccepts(UDP, scenario);
    // the machine has a send jitter of its own
    const real: Scenario = { ...scenario, fixed: { ...scenario.fixed, sendJitterUs: 0 } };
    const run = new UdpRun(new RunPlan(real, seed, options));
    try {
      await run.openSockets();
    } catch (cause) {
      await run.close();
      const { code = "failed" } = cause as NodeJS.ErrnoException;
      throw new CcparkError("unavailable", `[udp] cannot open sockets on 127.0.0.1: ${code}`, { cause });
    }
    return run;
  },
};
