/**
 * The FIFO network: one drop-tail bottleneck per direction and any number of flows, in virtual time. Specialised to FIFO
 * queues: departures and arrivals at the receiver are computed when a packet is enqueued, each flow's ACKs lie in a ring,
 * and the run loop takes the flow with the earliest next event (a winner tree over flows, not packets).
 *
 *   sender --jitter--> loss, drop-tail queue, server --propagation--> receiver
 *      ^---propagation--- jitter, server, queue, loss (ACK path) <---'
 *
 * At one instant departures come before arrivals, and flows act in the order of their index. All of that happens in
 * `engine/wasm/network/fifo-network.ts`, measurements too; here are what users see of it, and the servers of rates that change.
 */
import type { CongestionControl } from "../../ccp-bridge/congestion-control.ts";
import type { Rng } from "../../core/random.ts";
import { type Bytes, NANOS_PER_SEC, type Nanos } from "../../core/units.ts";
import {
  type Address,
  BIN_WORD,
  BIN_WORD_COUNT,
  DELAY_HISTOGRAM_WORD,
  DELAY_HISTOGRAM_WORD_COUNT,
  FIFO_FLOW_WORD,
  FIFO_FLOW_WORD_COUNT,
  FIFO_NETWORK_WORD,
  FIFO_NETWORK_WORD_COUNT,
  FLOW_BINS_WORD,
  FLOW_BINS_WORD_COUNT,
  LINK_WORD,
  LINK_WORD_COUNT,
} from "../../engine/generated/engine-interface.ts";
import type { Sender } from "../../engine/sender.ts";
import { type Engine, Face, type NetworkListener, takeEngine } from "../../engine/wasm-host.ts";
import type { DelayHistogram } from "../delay-histogram.ts";
import { EventLoop } from "../event-loop.ts";
import { FlowStatistics } from "../flow-statistics.ts";
import type { Impairments } from "../general/impairments/impairments.ts";
import { ackRule } from "../general/receiver.ts";
import type {
  BurstSpec,
  FlowSpec,
  LinkMeter,
  LinkSpec,
  Network,
  NetworkFlow,
  NetworkSpec,
} from "../network.ts";
import { makeServer } from "../servers/make-server.ts";
import { OPPORTUNITY_BYTES, type Opportunities } from "../servers/opportunities.ts";
import { OpportunityServer } from "../servers/opportunity-server.ts";
import type { Server } from "../servers/server.ts";
import { startSender } from "../start-sender.ts";

/** `heldFlow` where a stop held nothing back. */
const NONE = -1;
/** Links by number. */
const FORWARD = 0;
const REVERSE = 1;
/** A link's nanoseconds per byte where its server is not the engine's. */
const SERVED_HERE = -1;

/** The largest delay of a jitter that it can give to ACKs: uniform, without overtaking; undefined where that is not all there is. */
export function fifoJitterNs(impairments: Impairments | undefined): Nanos | undefined {
  if (impairments === undefined) return undefined;
  const { jitter, ...others } = impairments;
  if (jitter?.kind !== "uniform" || jitter.reorder === true) return undefined;
  return Object.values(others).every((each) => each === undefined) ? jitter.maxNs : undefined;
}

/** One flow in the network. */
export class FifoFlow implements NetworkFlow {
  readonly index: number;
  readonly spec: FlowSpec;
  /** undefined until the flow starts */
  sender: Sender | undefined;
  /** wire bytes that the bottleneck had served when the flow started */
  servedBytesAtStart: Bytes = 0;
  readonly #statistics: FlowStatistics;
  readonly #face: Face<"FifoFlow">;
  readonly #delays: Face<"DelayHistogram">;
  /** undefined: not measured */
  readonly #oneWayDelays: Face<"DelayHistogram"> | undefined;
  readonly #bins: Face<"FlowBins"> | undefined;
  readonly #network: FifoNetwork;

  constructor(
    network: FifoNetwork,
    face: Face<"FifoFlow">,
    index: number,
    spec: FlowSpec,
    statistics: FlowStatistics,
  ) {
    this.index = index;
    this.spec = spec;
    this.#network = network;
    this.#face = face;
    const { engine, address } = face;
    const { exports } = engine;
    this.#delays = new Face(engine, exports.delaysOf(address), DELAY_HISTOGRAM_WORD_COUNT);
    if (statistics.oneWayDelay !== undefined)
      this.#oneWayDelays = new Face(engine, exports.oneWayDelaysOf(address), DELAY_HISTOGRAM_WORD_COUNT);
    if (statistics.hasBins) this.#bins = new Face(engine, exports.binsOf(address), FLOW_BINS_WORD_COUNT);
    this.#statistics = statistics;
  }

  get control(): CongestionControl | undefined {
    return this.sender?.control;
  }

  get face(): Face<"FifoFlow"> {
    return this.#face;
  }

  get arrivedPackets(): number {
    return this.#face.words[FIFO_FLOW_WORD.arrivedPackets]!;
  }

  get firstArrivedPackets(): number {
    return this.#face.words[FIFO_FLOW_WORD.firstArrivedPackets]!;
  }

  get droppedPackets(): number {
    return this.#face.words[FIFO_FLOW_WORD.droppedPackets]!;
  }

  /** Of all that has happened so far. */
  get statistics(): FlowStatistics {
    const statistics = this.#statistics;
    statistics.lastArrivalNs = this.#face.words[FIFO_FLOW_WORD.lastArrivalNs]!;
    this.#face.engine.exports.settleFlow(this.#network.address, this.#face.address, this.#network.nowNs);
    this.#readDelays(this.#delays, statistics.queueDelay);
    if (this.#oneWayDelays !== undefined) this.#readDelays(this.#oneWayDelays, statistics.oneWayDelay!);
    if (this.#bins !== undefined) this.#readBins(this.#bins, statistics);
    return statistics;
  }

  #readBins({ engine, words }: Face<"FlowBins">, statistics: FlowStatistics): void {
    const { f64 } = engine;
    const first = words[FLOW_BINS_WORD.binsAddress]! / 8;
    const read = (word: number, bins: number): number[] =>
      Array.from({ length: bins }, (_, bin) => f64[first + bin * BIN_WORD_COUNT + word]!);
    const delayBins = words[FLOW_BINS_WORD.delayBins]!;
    statistics.binDelivered = read(BIN_WORD.delivered, words[FLOW_BINS_WORD.arrivalBins]!);
    statistics.binDelaySumUs = read(BIN_WORD.delaySumUs, delayBins);
    statistics.binDelayCount = read(BIN_WORD.delayCount, delayBins);
  }

  #readDelays(from: Face<"DelayHistogram">, into: DelayHistogram): void {
    if (from.words[DELAY_HISTOGRAM_WORD.count] === into.count) return;
    const { engine, address } = from;
    engine.exports.describeDelays(address);
    const { words } = from;
    const { buffer } = engine.f64;
    const counts = new Uint32Array(
      buffer,
      words[DELAY_HISTOGRAM_WORD.describedAddress]!,
      words[DELAY_HISTOGRAM_WORD.describedLength]!,
    ).slice();
    into.set(
      words[DELAY_HISTOGRAM_WORD.describedFirst]!,
      counts,
      words[DELAY_HISTOGRAM_WORD.count]!,
      words[DELAY_HISTOGRAM_WORD.sumUs]!,
    );
  }

  /** Brings the counts of arrived packets up to now. */
  advance(nowNs: Nanos): void {
    this.#face.engine.exports.advanceFlow(this.#face.address, nowNs);
  }
}

/** One direction of the bottleneck. */
export class FifoLink implements LinkMeter {
  readonly #face: Face<"Link">;
  readonly #packetBytes: Bytes;
  readonly #nanosPerByte: number;
  readonly #server: Server | undefined;
  /** at which the engine serves; undefined: a server does, or a constant rate */
  readonly opportunities: Opportunities | undefined;

  constructor(engine: Engine, number: number, spec: LinkSpec, packetBytes: Bytes, rng: Rng) {
    this.#packetBytes = packetBytes;
    const { rate, queue, outages = [] } = spec;
    if (outages.length === 0 && rate.kind === "constant") {
      this.#nanosPerByte = NANOS_PER_SEC / rate.rateBytesPerSec;
    } else if (outages.length === 0 && rate.kind === "unlimited") {
      this.#nanosPerByte = 0;
    } else {
      this.#nanosPerByte = SERVED_HERE;
      this.#server = makeServer(rate, { rng, outages });
    }
    const address = engine.exports.makeLink(
      number,
      packetBytes,
      queue.packets,
      queue.bytes,
      this.#nanosPerByte,
    );
    this.#face = new Face(engine, address, LINK_WORD_COUNT);
    if (this.#server instanceof OpportunityServer) {
      this.opportunities = this.#server.opportunities;
      engine.exports.serveAtOpportunities(address, this.opportunities.countUntil(0), OPPORTUNITY_BYTES);
    }
  }

  get address(): Address<"Link"> {
    return this.#face.address;
  }

  get offeredPackets(): number {
    return this.#described(LINK_WORD.describedOffered);
  }

  get droppedPackets(): number {
    return this.#face.words[LINK_WORD.droppedPackets]!;
  }

  get queuedPackets(): number {
    return this.#described(LINK_WORD.describedQueued);
  }

  get queuedBytes(): Bytes {
    const { words } = this.#face;
    const others = words[LINK_WORD.queuedOthers]!;
    return (this.queuedPackets - others) * this.#packetBytes + others * words[LINK_WORD.otherBytes]!;
  }

  get maxQueuedPackets(): number {
    const maxQueued = this.#described(LINK_WORD.describedMaxQueued);
    return Math.max(maxQueued, this.#face.words[LINK_WORD.maxMixedPackets]!);
  }

  get maxQueuedBytes(): Bytes {
    const maxQueued = this.#described(LINK_WORD.describedMaxQueued);
    return Math.max(maxQueued * this.#packetBytes, this.#face.words[LINK_WORD.maxMixedBytes]!);
  }

  #described(word: number): number {
    this.#face.engine.exports.describeLink(this.#face.address);
    return this.#face.words[word]!;
  }

  servedBytes(nowNs: Nanos): Bytes {
    return this.#face.engine.exports.servedBytes(this.#face.address, nowNs);
  }

  capacityBytes(fromNs: Nanos, toNs: Nanos): Bytes {
    if (this.#server !== undefined) return this.#server.capacityBytes(fromNs, toNs);
    return this.#nanosPerByte === 0 ? Number.POSITIVE_INFINITY : (toNs - fromNs) / this.#nanosPerByte;
  }

  /** A packet of `bytes` arrives now behind all packets served before. */
  serve(nowNs: Nanos, bytes: Bytes): void {
    const server = this.#server!;
    server.serve(nowNs, bytes);
    const { words } = this.#face;
    words[LINK_WORD.startNs] = server.startNs;
    words[LINK_WORD.departNs] = server.departNs;
  }
}

export class FifoNetwork extends EventLoop<FifoFlow> implements Network, NetworkListener {
  readonly forward: FifoLink;
  readonly reverse: FifoLink;
  readonly flows: readonly FifoFlow[];
  readonly #rng: Rng;
  readonly #engine: Engine = takeEngine();
  readonly #face: Face<"FifoNetwork">;
  readonly #statistics: readonly FlowStatistics[];

  /** @param rng forks: forward.loss, reverse.loss, forward.rate, reverse.rate, reverse.jitter, flow.N.jitter */
  constructor(spec: NetworkSpec, rng: Rng) {
    super();
    const { forward, reverse, flows } = spec;
    const engine = this.#engine;
    engine.network = this;
    this.#rng = rng;
    this.#statistics = flows.map(
      (flow) => new FlowStatistics(flow.startNs, flow.seriesBinNs, flow.oneWayDelay),
    );
    this.forward = new FifoLink(engine, FORWARD, forward, forward.dataBytes, rng.fork("forward.rate"));
    this.reverse = new FifoLink(engine, REVERSE, reverse, reverse.ackBytes, rng.fork("reverse.rate"));
    const { exports } = engine;
    const jitterNs = fifoJitterNs(reverse.impairments);
    const address = exports.makeFifoNetwork(
      flows.length,
      this.forward.address,
      this.reverse.address,
      forward.lossRate,
      reverse.lossRate,
      jitterNs ?? NONE,
      reverse.rate.kind !== "unlimited" ||
        reverse.lossRate !== 0 ||
        reverse.outages !== undefined ||
        jitterNs !== undefined,
    );
    exports.seedForwardLoss(address, ...rng.fork("forward.loss").state());
    exports.seedReverseLoss(address, ...rng.fork("reverse.loss").state());
    exports.seedReverseJitter(address, ...rng.fork("reverse.jitter").state());
    this.#face = new Face(engine, address, FIFO_NETWORK_WORD_COUNT);
    this.flows = flows.map((flow, index) => this.#addFlow(flow, index));
    if (spec.burst !== undefined) this.#bringBurst(spec.burst);
  }

  #bringBurst({ startNs, packets, bytes }: Omit<BurstSpec, "propagationNs">): void {
    const atNs = startNs + 1;
    this.schedule(atNs, () => {
      this.#engine.exports.offerOther(this.#face.address, atNs, bytes);
      if (packets > 1) this.#bringBurst({ startNs: atNs, packets: packets - 1, bytes });
    });
  }

  #addFlow(spec: FlowSpec, index: number): FifoFlow {
    const statistics = this.#statistics[index]!;
    const { packets, delayNs } = ackRule(spec.ackPolicy);
    const address = this.#engine.exports.makeFlow(
      this.#face.address,
      index,
      spec.startNs,
      spec.stopNs,
      spec.propagationNs,
      spec.reversePropagationNs ?? spec.propagationNs,
      packets,
      delayNs,
      spec.seriesBinNs,
      statistics.oneWayDelay !== undefined,
    );
    return new FifoFlow(this, new Face(this.#engine, address, FIFO_FLOW_WORD_COUNT), index, spec, statistics);
  }

  get address(): Address<"FifoNetwork"> {
    return this.#face.address;
  }

  get nowNs(): Nanos {
    return this.#face.words[FIFO_NETWORK_WORD.nowNs]!;
  }

  set nowNs(nowNs: Nanos) {
    this.#face.words[FIFO_NETWORK_WORD.nowNs] = nowNs;
  }

  protected override get stopRequested(): boolean {
    return this.#face.words[FIFO_NETWORK_WORD.stopRequested] === 1;
  }

  protected override set stopRequested(requested: boolean) {
    this.#face.words[FIFO_NETWORK_WORD.stopRequested] = requested ? 1 : 0;
  }

  protected override onNextCall(): void {
    this.#face.words[FIFO_NETWORK_WORD.nextCallNs] = this.nextCallNs;
  }

  protected override runEvents(untilNs: Nanos): void {
    this.#engine.exports.run(this.#face.address, untilNs);
  }

  protected override get holds(): boolean {
    return this.#face.words[FIFO_NETWORK_WORD.heldFlow] !== NONE;
  }

  protected override sendHeld(): void {
    this.#engine.exports.sendHeld(this.#face.address);
  }

  protected override reschedule(flow: FifoFlow): void {
    this.#engine.exports.reschedule(this.#face.address, flow.face.address);
  }

  #link(number: number): FifoLink {
    return number === FORWARD ? this.forward : this.reverse;
  }

  serve(link: number, nowNs: Nanos, bytes: Bytes): void {
    this.#link(link).serve(nowNs, bytes);
  }

  countOpportunities(link: number, untilNs: Nanos): number {
    return this.#link(link).opportunities!.countUntil(untilNs);
  }

  readOpportunities(link: number, first: number, count: number, to: number): void {
    const opportunities = this.#link(link).opportunities!;
    const { f64 } = this.#engine;
    const place = to / 8;
    for (let i = 0; i < count; i++) f64[place + i] = opportunities.atNs(first + i);
  }

  release(): void {
    this.#engine.release();
  }

  startFlow(index: number, nowNs: Nanos): void {
    const flow = this.flows[index]!;
    const sender = startSender(this, this.#engine, flow.spec, index, nowNs, this.#rng);
    this.#engine.exports.startFlow(flow.face.address, sender.address);
    flow.sender = sender;
    flow.servedBytesAtStart = this.forward.servedBytes(nowNs);
    flow.spec.onStart?.(flow, this);
  }

  closeFlow(index: number): void {
    this.flows[index]!.control?.onClose?.();
  }

  endBins(index: number, nowNs: Nanos, cwndPackets: number): Nanos {
    const statistics = this.#statistics[index]!;
    statistics.onTime(nowNs, cwndPackets);
    return statistics.nextBinEndNs;
  }
}
