/** A flow of Linux TCP in a run: what its socket tells, and what became of its packets on the link. */
import type { AckEvent } from "../../ccp-bridge/congestion-control.ts";
import type { AckObserver } from "../../ccp-bridge/observed-control.ts";
import { type Bytes, type BytesPerSec, type Micros, NANOS_PER_MICRO, type Nanos } from "../../core/units.ts";
import { FlowStatistics } from "../../sim/flow-statistics.ts";
import type { Libc } from "../host/libc.ts";
import type { FlowLife } from "../lives.ts";
import type { PlannedFlow } from "../simulated/network-plan.ts";
import type { FlowPath, RunFlow } from "../testbed.ts";
import type { Sender } from "./hosts.ts";
import type { KernelFlowFacts } from "./slots.ts";
import { type TcpInfo, tcpInfo } from "./tcp-info.ts";

export class LinuxFlow implements RunFlow, FlowPath {
  readonly id: string;
  readonly algorithm: string;
  readonly isBackward: boolean;
  readonly life: FlowLife | undefined;
  readonly startNs: Nanos;
  readonly stopNs: Nanos;
  readonly propagationNs: Nanos;
  readonly reversePropagationNs: Nanos;
  readonly mssBytes: Bytes;
  /** of one that is finite; Infinity: it never ends */
  readonly bytes: Bytes;
  readonly statistics: FlowStatistics;
  droppedPackets = 0;
  servedBytesAtStart: Bytes = 0;
  /** from when its connection is made on, which is before it starts */
  sender: Sender | undefined;
  hasStarted = false;
  readonly #observers: readonly AckObserver[];
  readonly #advance: (nowNs: Nanos) => void;
  #info: TcpInfo | undefined;
  #facts: KernelFlowFacts | undefined;
  #arrivedPackets = 0;
  /** as of the observer's last event */
  #seen: { readonly deliveredPackets: number; readonly lostPackets: number; readonly marked: number } = {
    deliveredPackets: 0,
    lostPackets: 0,
    marked: 0,
  };

  /** @param advance brings what became of packets up to a time; @param observers of its ACKs, several as one event */
  constructor(
    planned: PlannedFlow,
    bytes: Bytes,
    advance: (nowNs: Nanos) => void,
    observers: readonly AckObserver[],
  ) {
    const { spec } = planned;
    this.id = planned.id;
    this.algorithm = planned.algorithm;
    this.isBackward = planned.isBackward;
    this.life = planned.life;
    this.startNs = spec.startNs;
    this.stopNs = spec.stopNs;
    this.propagationNs = spec.propagationNs;
    this.reversePropagationNs = spec.reversePropagationNs ?? spec.propagationNs;
    this.mssBytes = spec.mssBytes!;
    this.bytes = bytes;
    this.statistics = new FlowStatistics(spec.startNs, spec.seriesBinNs, true);
    this.#advance = advance;
    this.#observers = observers;
  }

  get path(): FlowPath {
    return this;
  }

  /** Looks at the socket. @param facts of the kernel's datapath, if it drives the flow */
  look(libc: Libc, facts: KernelFlowFacts | undefined, nowNs: Nanos): void {
    this.#info = tcpInfo(libc, this.sender!.fd);
    this.#facts = facts ?? this.#facts;
    this.statistics.onTime(nowNs, this.cwndPackets);
    if (this.#observers.length > 0) this.#tell(nowNs);
  }

  /** Several ACKs as one event. */
  #tell(nowNs: Nanos): void {
    const { deliveredPackets, lostPackets } = this;
    const info = this.#info!;
    const marked = info.deliveredMarkedPackets;
    const before = this.#seen;
    const packets = deliveredPackets - before.deliveredPackets;
    const lost = Math.max(0, lostPackets - before.lostPackets);
    if (packets <= 0 && lost === 0) return;
    this.#seen = { deliveredPackets, lostPackets, marked };
    const ackedPackets = Math.max(0, packets);
    const ack: AckEvent = {
      nowUs: nowNs / NANOS_PER_MICRO,
      ackedBytes: ackedPackets * this.mssBytes,
      ackedPackets,
      misorderedBytes: 0,
      misorderedPackets: 0,
      deliveredBytes: ackedPackets * this.mssBytes,
      lostPackets: lost,
      lostBytes: lost * this.mssBytes,
      ecnPackets: marked - before.marked,
      ecnBytes: (marked - before.marked) * this.mssBytes,
      rttUs: info.srttUs,
      srttUs: info.srttUs,
      minRttUs: info.minRttUs,
      inflightBytes: this.inflightPackets * this.mssBytes,
      inflightPackets: this.inflightPackets,
      pendingBytes: info.notSentBytes + info.unackedPackets * this.mssBytes,
      deliveryRateBytesPerSec: info.deliveryRateBytesPerSec,
      sendRateBytesPerSec: info.deliveryRateBytesPerSec,
      appLimited: info.isAppLimited,
      timeout: false,
      nextSequence: deliveredPackets + this.inflightPackets,
      cumulativeSequence: deliveredPackets,
      cwndLimited: this.inflightPackets >= this.cwndPackets,
    };
    for (const observer of this.#observers) observer.record(ack);
  }

  /** A packet of its data has arrived. */
  onArrival(atNs: Nanos, queuedNs: Nanos, onWayNs: Nanos): void {
    this.#arrivedPackets += 1;
    this.statistics.onDequeue(atNs, queuedNs / NANOS_PER_MICRO);
    this.statistics.onTaken(atNs, onWayNs, atNs);
    this.statistics.onArrival(atNs);
  }

  advance(nowNs: Nanos): void {
    this.#advance(nowNs);
  }

  get firstArrivedPackets(): number {
    return this.#arrivedPackets - (this.#info?.doubledPackets ?? 0);
  }

  get isComplete(): boolean {
    return this.#payloadAcked >= this.bytes;
  }

  get #payloadAcked(): Bytes {
    // its SYN counts as a byte
    return Math.min(this.bytes, Math.max(0, (this.#info?.ackedBytes ?? 0) - 1));
  }

  get acks(): number {
    return this.#info?.receivedSegments ?? 0;
  }

  get sentPackets(): number {
    return this.#info?.sentPackets ?? 0;
  }

  get deliveredPackets(): number {
    return Math.floor(this.#payloadAcked / this.mssBytes) + (this.#info?.sackedPackets ?? 0);
  }

  get lostPackets(): number {
    return (this.#info?.totalRetransPackets ?? 0) + (this.#info?.lostPackets ?? 0);
  }

  get timeouts(): number {
    return this.#info?.timeouts ?? 0;
  }

  get inflightPackets(): number {
    const info = this.#info;
    if (info === undefined) return 0;
    return Math.max(0, info.unackedPackets - info.sackedPackets - info.lostPackets + info.retransPackets);
  }

  get cwndPackets(): number {
    return this.#info?.cwndPackets ?? 0;
  }

  get pacingRateBytesPerSec(): BytesPerSec | undefined {
    const rate = this.#facts?.rateBytesPerSec ?? 0;
    return rate === 0 ? undefined : rate;
  }

  get srttUs(): Micros {
    return this.#info?.srttUs ?? 0;
  }

  get minRttUs(): Micros {
    return this.#info?.minRttUs ?? 0;
  }
}
