/** A bundle under test, seen as a flow: all that goes over its link is its data, the sendbox its sender, the other site its receiver. */

import { type Bytes, type BytesPerSec, type Micros, NANOS_PER_MICRO, type Nanos } from "../../core/units.ts";
import { UNDER_TEST } from "../../scenarios/flows.ts";
import { FIRST_FLOW } from "../../scenarios/scenario.ts";
import { FlowStatistics } from "../../sim/flow-statistics.ts";
import type { WayTap } from "../../sim/general/link-tracer.ts";
import type { FlowPath, RunFlow } from "../testbed.ts";
import type { Sendbox } from "./sendbox.ts";

/** What of a bundle does not change while it runs. */
export interface BundlePath {
  readonly startNs: Nanos;
  readonly propagationNs: Nanos;
  readonly reversePropagationNs: Nanos;
  readonly packetBytes: Bytes;
  /** of a full packet */
  readonly mssBytes: Bytes;
  /** Infinity: none */
  readonly seriesBinNs: Nanos;
  readonly oneWayDelay: boolean;
  /** wire bytes that the measured link has served by then */
  readonly servedBytes: (nowNs: Nanos) => Bytes;
}

/** Above any number of a transmission. */
const NUMBERS = 2 ** 32;

/** What became of the bundle's packets, each transmission of a host one of them. A queueing delay is what it took above the fastest. */
class BundleBooks implements FlowPath {
  readonly statistics: FlowStatistics;
  servedBytesAtStart: Bytes = 0;
  firstArrivedPackets = 0;
  sentPackets = 0;
  readonly #sendbox: Sendbox;
  readonly #left = new Map<number, Nanos>();
  #leastNs: Nanos = Number.POSITIVE_INFINITY;

  constructor(sendbox: Sendbox, { startNs, seriesBinNs, oneWayDelay }: BundlePath) {
    this.#sendbox = sendbox;
    this.statistics = new FlowStatistics(startNs, seriesBinNs, oneWayDelay);
  }

  get droppedPackets(): number {
    return this.#sendbox.lostPackets;
  }

  onLeave(flow: number, number: number, atNs: Nanos): void {
    this.sentPackets += 1;
    this.#left.set(flow * NUMBERS + number, atNs);
  }

  onArrival(flow: number, number: number, atNs: Nanos): void {
    const key = flow * NUMBERS + number;
    const leftNs = this.#left.get(key);
    if (leftNs === undefined) return; // one that the network has doubled
    this.#left.delete(key);
    const delayNs = atNs - leftNs;
    this.#leastNs = Math.min(this.#leastNs, delayNs);
    this.firstArrivedPackets += 1;
    this.statistics.onTaken(atNs, delayNs, atNs);
    this.statistics.onDequeue(atNs, (delayNs - this.#leastNs) / NANOS_PER_MICRO);
    this.statistics.onArrival(atNs);
  }

  advance(nowNs: Nanos): void {
    this.statistics.settle(nowNs);
  }
}

export class BundleFlow implements RunFlow {
  readonly id: string = FIRST_FLOW;
  readonly algorithm: string = UNDER_TEST;
  readonly isBackward = false;
  readonly life = undefined;
  readonly stopNs: Nanos = Number.POSITIVE_INFINITY;
  readonly isComplete = false;
  readonly path: BundleBooks;
  readonly #sendbox: Sendbox;
  readonly #fixed: BundlePath;
  #hasBegun = false;

  constructor(sendbox: Sendbox, fixed: BundlePath) {
    this.#sendbox = sendbox;
    this.#fixed = fixed;
    this.path = new BundleBooks(sendbox, fixed);
  }

  /** Told of its packets as well as the boxes. */
  watch(tap: WayTap): WayTap {
    const { path } = this;
    return {
      onLeave: (flow, number, bytes, atNs) => {
        if (!this.#hasBegun) {
          this.#hasBegun = true;
          path.servedBytesAtStart = this.#fixed.servedBytes(this.startNs);
        }
        path.onLeave(flow, number, atNs);
        path.statistics.onTime(atNs, this.cwndPackets);
        tap.onLeave(flow, number, bytes, atNs);
      },
      onArrival: (flow, number, bytes, atNs) => {
        path.onArrival(flow, number, atNs);
        tap.onArrival(flow, number, bytes, atNs);
      },
    };
  }

  get startNs(): Nanos {
    return this.#fixed.startNs;
  }

  get propagationNs(): Nanos {
    return this.#fixed.propagationNs;
  }

  get reversePropagationNs(): Nanos {
    return this.#fixed.reversePropagationNs;
  }

  get mssBytes(): Bytes {
    return this.#fixed.mssBytes;
  }

  get hasStarted(): boolean {
    return this.#sendbox.isControlled;
  }

  /** congestion ACKs that said something */
  get acks(): number {
    return this.#sendbox.acks;
  }

  get sentPackets(): number {
    return this.path.sentPackets;
  }

  get deliveredPackets(): number {
    return Math.round(this.#sendbox.receivedBytes / this.#fixed.packetBytes);
  }

  get lostPackets(): number {
    return this.#sendbox.lostPackets;
  }

  get timeouts(): number {
    return this.#sendbox.timeouts;
  }

  get inflightPackets(): number {
    return Math.round(this.#sendbox.inflightBytes / this.#fixed.packetBytes);
  }

  get cwndPackets(): number {
    return this.#sendbox.cwndBytes / this.#fixed.packetBytes;
  }

  get pacingRateBytesPerSec(): BytesPerSec | undefined {
    return this.#sendbox.isControlled ? this.#sendbox.rateBytesPerSec : undefined;
  }

  get srttUs(): Micros {
    return this.#sendbox.srttUs;
  }

  get minRttUs(): Micros {
    return this.#sendbox.minRttUs;
  }
}
