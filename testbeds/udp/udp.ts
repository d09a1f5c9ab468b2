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
import { DelayHistogram } from "../../sim/delay-histogram.ts";
import { GeneralNetwork } from "../../sim/general/general-network.ts";
import { ACK, DATA } from "../../sim/general/hop.ts";
import { ENGINE_FORMATS } from "../exports/recorder.ts";
import { RunPlan } from "../network-run.ts";
import { RealTimeNetworkRun, rateRefusal, withoutSendJitter } from "../real-time/real-time-run.ts";
import type { DatagramCarrier } from "../stacks/datagram-paths.ts";
import { expectAccepts, type RealTimeTestbed, type RunTiming } from "../testbed.ts";
import { openSocketPair, type SocketPair, type UdpWay } from "./socket-pair.ts";

/** IPv4 and UDP headers: a datagram's payload is that much shorter than the packet. */
const UDP_HEADER_BYTES = 28;
/** A datagram: nonce u32, row u32, number f64, way u8; a data packet's sequence f64 where there is room. */
const NUMBER_AT = 8;
const WAY_AT = 16;
const HEADER_BYTES = 17;
const MAX_DATAGRAM_BYTES = 65_507;
/** what all packets carry: nothing is allocated for it, since the garbage collector would hold packets up for milliseconds */
const PAYLOAD: Buffer = Buffer.alloc(MAX_DATAGRAM_BYTES);
/** What stands for the way in a datagram that is a stack's own. */
const STACKS_OWN = 2;
/** A packet that has not come out of a socket by then has been lost by the system. */
const LOST_AFTER_NS = NANOS_PER_SEC;

interface OfStack {
  readonly then: Parameters<DatagramCarrier>[3];
  readonly sinceNs: Nanos;
}

class UdpRun extends RealTimeNetworkRun {
  readonly #nonce: number = randomBytes(4).readUInt32LE();
  /** sender and relay, relay and receiver */
  readonly #pairs: SocketPair[] = [];
  readonly #lateness = new DelayHistogram();
  #maxLatenessUs = 0;
  /** datagrams of stacks that are in a socket, in the order of their sending */
  readonly #ofStacks = new Map<number, OfStack>();
  #stackDatagrams = 0;

  constructor(plan: RunPlan) {
    super("udp", plan, {
      networkOf: (carrier) => new GeneralNetwork(plan.spec, plan.rng, { carrier, outlet: plan.outlet }),
    });
  }

  readonly carryDatagram: DatagramCarrier = (datagram, way, leg, then) => {
    const { nowNs } = this.network;
    const number = this.#stackDatagrams++ >>> 0;
    const isAck = way % 2 === 1;
    for (const [old, { sinceNs }] of this.#ofStacks) {
      if (!this.isLost(old, sinceNs, nowNs)) break;
      this.#ofStacks.delete(old);
    }
    this.#ofStacks.set(number, { then, sinceNs: nowNs });
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt32LE(this.#nonce, 0);
    header.writeUInt32LE(number, 4);
    header.writeUInt8(STACKS_OWN, WAY_AT);
    if (leg === "out") this.#countLateness();
    this.#wayOf(isAck ? ACK : DATA, leg).send([header, datagram]);
  };

  async openSockets(): Promise<void> {
    const onError = (error: unknown): void => this.fail(error);
    const onDatagram = (datagram: Buffer): void => this.#receive(datagram);
    for (let i = 0; i < 2; i++) {
      this.#pairs.push(await openSocketPair({ onThere: onDatagram, onBack: onDatagram, onError }));
    }
  }

  get timing(): RunTiming {
    const lateness = this.#lateness;
    return {
      packetLatenessUs: {
        medianUs: lateness.quantileUs(0.5),
        p99Us: lateness.quantileUs(0.99),
        maxUs: this.#maxLatenessUs,
      },
      strayLosses: this.strayLosses,
    };
  }

  protected override isLost(_packet: number, sinceNs: Nanos, nowNs: Nanos): boolean {
    if (nowNs - sinceNs < LOST_AFTER_NS) return false;
    this.strayLosses++;
    return true;
  }

  override carry(packet: number, way: "into" | "out", wireBytes: Bytes): void {
    const { kind, number, sequence } = this.network.contentsOf(packet);
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
    this.carried.set(packet, this.network.nowNs);
    if (way === "out") this.#countLateness();
    const filled = length - header.length;
    this.#wayOf(kind, way).send(
      filled > 0 ? [header, PAYLOAD.subarray(0, filled)] : [header.subarray(0, length)],
    );
  }

  /** A packet leaves its link now; its time was that of the event at hand. */
  #countLateness(): void {
    const lateUs = Math.max(0, this.clock.nowNs - this.network.nowNs) / NANOS_PER_MICRO;
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
    if (datagram.length < HEADER_BYTES || datagram.readUInt32LE(0) !== this.#nonce) return;
    const packet = datagram.readUInt32LE(4);
    if (datagram.readUInt8(WAY_AT) === STACKS_OWN) {
      const ofStack = this.#ofStacks.get(packet);
      if (!this.#ofStacks.delete(packet)) return;
      // plain bytes of their own: chunnels keep what they are given
      const bytes = new Uint8Array(datagram.subarray(HEADER_BYTES));
      this.arriving((nowNs) => ofStack!.then(bytes, nowNs));
      return;
    }
    // one that was given up
    if (!this.carried.delete(packet)) return;
    const way = datagram.readUInt8(WAY_AT) === 0 ? "into" : "out";
    this.arriving((nowNs) => this.network.arrive(packet, way, nowNs));
  }

  protected override giveBack(): void {
    for (const pair of this.#pairs) pair.close();
  }
}

export const UDP: RealTimeTestbed = {
  name: "udp",
  clock: "real",
  summary:
    "real UDP packets on loopback in real time, through a relay with the simulator's links; needs no privileges, to 200 Mbit/s",
  records: ENGINE_FORMATS,
  refuses: rateRefusal,
  async open(scenario, seed, options) {
    expectAccepts(UDP, scenario);
    const stackCarrier: DatagramCarrier = (...datagram) => run.carryDatagram(...datagram);
    const run: UdpRun = new UdpRun(
      new RunPlan(withoutSendJitter(scenario), seed, { ...options, stackCarrier }),
    );
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
