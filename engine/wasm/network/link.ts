/**
 * One direction of a bottleneck: a drop-tail queue in front of a server. Departures are computed when a packet arrives,
 * which is exact for FIFO service: a later packet never changes an earlier one's departure. A packet counts as queued until
 * its service starts; departures at an instant come before arrivals at it. `sim/fifo/fifo-network.ts` is its face.
 * Left out on purpose: queues that drop at dequeue time (CoDel), which need departures as events.
 */

import * as host from "../host";
import { allocate } from "../memory/memory";
import { grown } from "../memory/rows";
import { countOf } from "../units";
import { OpportunityServer } from "./opportunity-server";

/** A packet that waits, two to a cache line. */
@unmanaged
class Waiting {
  startNs: f64;
  departNs: f64;
  /** the flow's number, or OTHER */
  owner: i32;
}
/** Of a packet of nobody's. */
const OTHER: i32 = -1;
const WAITING_SHIFT: usize = 5;
const INITIAL_ROWS: i64 = 64;

@unmanaged
export class LinkWords {
  /** of the packet that was taken last */
  startNs: f64;
  departNs: f64;
  droppedPackets: f64;
  /** of the waiting ones those of another size */
  queuedOthers: f64;
  /** bytes of one of those */
  otherBytes: f64;
  /** highest numbers of packets and of bytes that waited at once while some were of another size */
  maxMixedPackets: f64;
  maxMixedBytes: f64;
  // written by `describe` only
  describedOffered: f64;
  /** packets that wait, as of the last `advance` */
  describedQueued: f64;
  /** highest number that waited at once, while all of them were as large */
  describedMaxQueued: f64;
}

@unmanaged
export class Link extends LinkWords {
  /** of every packet on the wire but for others */
  packetBytes: f64;
  /** to serve one of them; negative: opportunities or the host serve */
  packetNs: f64;
  nanosPerByte: f64;
  /** start of the first one's service; Infinity: none waits */
  headStartNs: f64;
  /** that may wait */
  limitPackets: i64;
  maxQueued: i64;
  startedOthers: f64;
  /** null: there is a rate, or the host serves */
  opportunities: OpportunityServer | null;
  /**
   * Ring of packets whose service has not started, numbered as the queue took them: before `head` it has started, of the last one
   * of those, whose row is still there, it may not be over.
   */
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
    this.limitPackets = countOf(floor<f64>(min<f64>(limitPackets, limitBytes / packetBytes)));
    this.nanosPerByte = nanosPerByte;
    this.packetNs = packetBytes * nanosPerByte;
    this.headStartNs = Infinity;
    this.mask = INITIAL_ROWS - 1;
    this.rows = allocate((<usize>INITIAL_ROWS) << WAITING_SHIFT);
  }

  @inline
  row(n: i64): Waiting {
    return changetype<Waiting>(this.rows + ((<usize>(n & this.mask)) << WAITING_SHIFT));
  }

  /** Lets the packets go whose service starts by now. */
  @inline
  advance(nowNs: f64): void {
    const tail = this.tail;
    let head = this.head;
    let startNs = this.headStartNs;
    while (startNs <= nowNs) {
      if (this.row(head).owner === OTHER) {
        this.queuedOthers -= 1;
        this.startedOthers += 1;
      }
      head++;
      startNs = head === tail ? Infinity : this.row(head).startNs;
    }
    this.head = head;
    this.headStartNs = startNs;
  }

  /** The owner's packets that wait. */
  waitingOf(owner: i32): i64 {
    let count: i64 = 0;
    for (let n = this.head; n < this.tail; n++) {
      if (this.row(n).owner === owner) count++;
    }
    return count;
  }

  /** A packet arrives. @returns whether the queue has room for it: then it is to be taken, else it is dropped */
  @inline
  hasRoom(nowNs: f64): bool {
    if (this.headStartNs <= nowNs) this.advance(nowNs);
    return this.tail - this.head < this.limitPackets;
  }

  /**
   * The queue takes a flow's packet, for which it has room.
   * @returns when it departs
   */
  @inline
  take(nowNs: f64, flow: i32): f64 {
    return this.put(nowNs, this.packetBytes, this.packetNs, flow);
  }

  /** Nothing waits or is served, and a packet that arrives now is served at once, at a rate. */
  @inline
  isIdle(nowNs: f64): bool {
    if (this.departNs > nowNs) return false;
    if (this.queuedOthers !== 0) return false;
    if (this.limitPackets === 0) return false;
    return this.packetNs >= 0;
  }

  /** An idle link takes a flow's packet. @returns when it departs */
  @inline
  takeAtOnce(nowNs: f64, flow: i32): f64 {
    const n = this.tail;
    const departNs = nowNs + this.packetNs;
    const row = this.row(n);
    row.startNs = nowNs;
    row.departNs = departNs;
    row.owner = flow;
    this.startNs = nowNs;
    this.departNs = departNs;
    this.headStartNs = Infinity;
    this.head = this.tail = n + 1;
    return departNs;
  }

  /** A packet of nobody's arrives, of another size; only where the queue has no limit in bytes. */
  offerOther(nowNs: f64, bytes: f64): void {
    this.otherBytes = bytes;
    if (!this.hasRoom(nowNs)) {
      this.droppedPackets += 1;
      return;
    }
    this.queuedOthers += 1;
    this.put(nowNs, bytes, bytes * this.nanosPerByte, OTHER);
  }

  /** @param serviceNs negative: opportunities or the host serve */
  @inline
  private put(nowNs: f64, bytes: f64, serviceNs: f64, owner: i32): f64 {
    const tail = this.tail;
    const queued = tail + 1 - this.head;
    let startNs = this.departNs;
    let departNs: f64;
    if (serviceNs >= 0) {
      if (startNs < nowNs) startNs = nowNs;
      departNs = startNs + serviceNs;
      this.startNs = startNs;
      this.departNs = departNs;
    } else {
      this.serve(nowNs, bytes);
      startNs = this.startNs;
      departNs = this.departNs;
    }
    if (queued === 1) this.headStartNs = startNs;
    else if (queued > this.mask) this.grow();
    const row = this.row(tail);
    row.startNs = startNs;
    row.departNs = departNs;
    row.owner = owner;
    this.tail = tail + 1;
    if (startNs > nowNs) {
      if (this.queuedOthers !== 0) this.noteMixed(<f64>queued);
      else if (queued > this.maxQueued) this.maxQueued = queued;
    }
    return departNs;
  }

  private serve(nowNs: f64, bytes: f64): void {
    const opportunities = this.opportunities;
    if (opportunities === null) {
      host.serve(this.number, nowNs, bytes);
      return;
    }
    this.departNs = opportunities.serve(nowNs, bytes);
    this.startNs = opportunities.startNs;
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
    const lastBytes = last.owner === OTHER ? this.otherBytes : this.packetBytes;
    const startedBytes = (<f64>this.head - others) * this.packetBytes + others * this.otherBytes;
    return startedBytes - (last.departNs > nowNs ? lastBytes : 0);
  }

  /** Writes the words that the host reads rarely. */
  describe(): void {
    this.describedOffered = <f64>this.tail + this.droppedPackets;
    this.describedQueued = <f64>(this.tail - this.head);
    this.describedMaxQueued = <f64>this.maxQueued;
  }

  /** The last packet whose service has started keeps its row: it may not have departed. */
  private grow(): void {
    this.rows = grown(this.rows, this.mask, WAITING_SHIFT, this.head - 1, this.tail);
    this.mask = 2 * this.mask + 1;
  }
}
