/**
 * One direction of a bottleneck: a drop-tail queue in front of a server. Departures are computed when a packet arrives,
 * which is exact for FIFO service: a later packet never changes an earlier one's departure. A packet counts as queued until
 * its service starts; departures at an instant come before arrivals at it. `sim/fifo/fifo-network.ts` is its face.
 * Left out on purpose: queues that drop at dequeue time (CoDel), which need departures as events.
 */

import * as host from "../host";
import { allocate } from "../memory/memory";
import { grown } from "../memory/rows";
import { DelayHistogram } from "../meters/delay-histogram";
import { MICRO } from "../units";

/** A packet that waits, two to a cache line. */
@unmanaged
class Waiting {
  startNs: f64;
  departNs: f64;
  sinceNs: f64;
  /** who is told of its queueing delay */
  delays: DelayHistogram | null;
}
const WAITING_SHIFT: usize = 5;
const INITIAL_ROWS: i64 = 64;

@unmanaged
export class LinkWords {
  /** result of the last accepted `offer` */
  startNs: f64;
  departNs: f64;
  offeredPackets: f64;
  droppedPackets: f64;
  /** packets that wait, as of the last `advance` */
  queuedPackets: f64;
  /** highest number that waited at once, while all of them were as large */
  maxQueuedPackets: f64;
  /** of the waiting ones those of another size */
  queuedOthers: f64;
  /** bytes of one of those */
  otherBytes: f64;
  /** highest numbers of packets and of bytes that waited at once while some were of another size */
  maxMixedPackets: f64;
  maxMixedBytes: f64;
}

@unmanaged
export class Link extends LinkWords {
  /** of every packet on the wire but for others */
  packetBytes: f64;
  /** that may wait */
  limitPackets: f64;
  /** negative: the host serves */
  nanosPerByte: f64;
  /** start of the first one's service; Infinity: none waits */
  headStartNs: f64;
  /** whose service has started; the last one, whose row is still there, may not have departed */
  startedPackets: f64;
  startedOthers: f64;
  /** ring of packets whose service has not started */
  mask: i64;
  rows: usize;
  head: i64;
  tail: i64;
  /** by which the host knows it */
  number: i32;

  init(number: i32, packetBytes: f64, limitPackets: f64, limitBytes: f64, nanosPerByte: f64): void {
    this.number = number;
    this.packetBytes = packetBytes;
    // all packets are as large: a limit in bytes is one in packets
    this.limitPackets = min<f64>(limitPackets, floor<f64>(limitBytes / packetBytes));
    this.nanosPerByte = nanosPerByte;
    this.headStartNs = Infinity;
    this.mask = INITIAL_ROWS - 1;
    this.rows = allocate((<usize>INITIAL_ROWS) << WAITING_SHIFT);
  }

  @inline
  private row(n: i64): Waiting {
    return changetype<Waiting>(this.rows + ((<usize>(n & this.mask)) << WAITING_SHIFT));
  }

  /** Lets the packets go whose service starts by now. */
  @inline
  advance(nowNs: f64): void {
    while (this.headStartNs <= nowNs) {
      const row = this.row(this.head);
      const startNs = this.headStartNs;
      this.queuedPackets -= 1;
      this.startedPackets += 1;
      const head = this.head + 1;
      this.head = head;
      this.headStartNs = head === this.tail ? Infinity : this.row(head).startNs;
      const delays = row.delays;
      if (delays !== null) {
        const delayUs = (startNs - row.sinceNs) / MICRO;
        delays.record(delayUs);
        const bins = delays.bins;
        if (bins !== null) bins.countDelay(startNs, delayUs);
      } else if (this.queuedOthers !== 0) {
        this.queuedOthers -= 1;
        this.startedOthers += 1;
      }
    }
  }

  /**
   * A packet arrives; true and `startNs`, `departNs` if the queue took it, false if it was dropped.
   * @param delays who is told of its queueing delay
   */
  @inline
  offer(nowNs: f64, delays: DelayHistogram | null): bool {
    return this.take(nowNs, this.packetBytes, delays);
  }

  /** The same of a packet of another size, which nobody is told of; only where the queue has no limit in bytes and all others have a listener. */
  offerOther(nowNs: f64, bytes: f64): void {
    this.otherBytes = bytes;
    this.queuedOthers += 1;
    if (!this.take(nowNs, bytes, null)) this.queuedOthers -= 1;
  }

  @inline
  private take(nowNs: f64, bytes: f64, delays: DelayHistogram | null): bool {
    if (this.headStartNs <= nowNs) this.advance(nowNs);
    this.offeredPackets += 1;
    const queued = this.queuedPackets + 1;
    if (queued > this.limitPackets) {
      this.droppedPackets += 1;
      return false;
    }
    if (this.nanosPerByte >= 0) {
      this.startNs = nowNs > this.departNs ? nowNs : this.departNs;
      this.departNs = this.startNs + bytes * this.nanosPerByte;
    } else host.serve(this.number, nowNs, bytes);
    const startNs = this.startNs;
    if (queued === 1) this.headStartNs = startNs;
    if (this.tail - this.head >= this.mask) this.grow();
    const row = this.row(this.tail);
    row.startNs = startNs;
    row.departNs = this.departNs;
    row.sinceNs = nowNs;
    row.delays = delays;
    this.tail++;
    this.queuedPackets = queued;
    if (startNs > nowNs) {
      if (this.queuedOthers !== 0) this.noteMixed(queued);
      else if (queued > this.maxQueuedPackets) this.maxQueuedPackets = queued;
    }
    return true;
  }

  private noteMixed(queued: f64): void {
    const others = this.queuedOthers;
    const bytes = (queued - others) * this.packetBytes + others * this.otherBytes;
    this.maxMixedPackets = max<f64>(this.maxMixedPackets, queued);
    this.maxMixedBytes = max<f64>(this.maxMixedBytes, bytes);
  }

  /** Wire bytes of the packets that have departed by now (now must not lie before the last call). */
  servedBytes(nowNs: f64): f64 {
    this.advance(nowNs);
    const last = this.row(this.head - 1);
    const others = this.startedOthers;
    const lastBytes = last.delays === null && others !== 0 ? this.otherBytes : this.packetBytes;
    const startedBytes = (this.startedPackets - others) * this.packetBytes + others * this.otherBytes;
    return startedBytes - (last.departNs > nowNs ? lastBytes : 0);
  }

  /** The last packet whose service has started keeps its row: it may not have departed. */
  private grow(): void {
    this.rows = grown(this.rows, this.mask, WAITING_SHIFT, this.head - 1, this.tail);
    this.mask = 2 * this.mask + 1;
  }
}
