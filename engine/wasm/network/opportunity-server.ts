/**
 * Service at opportunities, by mm-link's rules, as `sim/servers/opportunity-server.ts` has it: at each one so many bytes are taken from
 * the head of the queue; small packets share one, a packet may straddle two; what the queue cannot fill is lost. The host knows when
 * they are, and writes many at a time.
 */
import * as host from "../host";
import { allocate } from "../memory/memory";

/** Times that the host writes at once. */
const KEPT: i64 = 128;
/** Opportunities that are passed one by one before the place is asked for. */
const STEPS_BEFORE_LOOKUP: i32 = 8;

@unmanaged
export class OpportunityServer {
  /** the opportunity of the last service, its time, and what is left of it */
  index: i64;
  atNs: f64;
  budgetBytes: f64;
  /** bytes of an opportunity */
  bytes: f64;
  /** when the last packet's service began */
  startNs: f64;
  /** times of KEPT opportunities, and the number of the first */
  times: usize;
  firstKept: i64;
  /** of the link, by which the host knows it */
  number: i32;

  /** @param index of the first opportunity after 0 */
  static make(number: i32, index: i64, bytes: f64): OpportunityServer {
    const server = changetype<OpportunityServer>(allocate(offsetof<OpportunityServer>()));
    server.number = number;
    server.index = index;
    server.bytes = bytes;
    server.times = allocate((<usize>KEPT) << 3);
    // none
    server.firstKept = -KEPT;
    // the first service asks when it is
    server.atNs = -Infinity;
    return server;
  }

  /** A packet that has waited since `sinceNs`, behind all served before. @returns when it departs; `startNs` is set */
  @inline
  serve(sinceNs: f64, bytes: f64): f64 {
    if (this.budgetBytes === 0) this.next(sinceNs);
    else if (this.atNs <= sinceNs) this.next(sinceNs);
    this.startNs = this.atNs;
    if (bytes <= this.budgetBytes) this.budgetBytes -= bytes;
    else this.straddle(bytes);
    return this.atNs;
  }

  private straddle(bytes: f64): void {
    let left = bytes;
    while (left > this.budgetBytes) {
      left -= this.budgetBytes;
      this.index++;
      this.budgetBytes = this.bytes;
    }
    this.atNs = this.timeOf(this.index);
    this.budgetBytes -= left;
  }

  /** The first opportunity after `sinceNs` behind the present one. */
  private next(sinceNs: f64): void {
    this.budgetBytes = this.bytes;
    if (this.atNs === -Infinity) {
      this.atNs = this.timeOf(this.index);
      if (this.atNs > sinceNs) return;
    }
    for (let i = 0; i < STEPS_BEFORE_LOOKUP; i++) {
      this.index++;
      this.atNs = this.timeOf(this.index);
      if (this.atNs > sinceNs) return;
    }
    this.index = max<i64>(this.index + 1, <i64>host.countOpportunities(this.number, sinceNs));
    this.atNs = this.timeOf(this.index);
  }

  @inline
  private timeOf(index: i64): f64 {
    if (<u64>(index - this.firstKept) >= <u64>KEPT) this.keep(index);
    return load<f64>(this.times + ((<usize>(index - this.firstKept)) << 3));
  }

  private keep(index: i64): void {
    this.firstKept = index;
    host.readOpportunities(this.number, <f64>index, <i32>KEPT, this.times);
  }
}
