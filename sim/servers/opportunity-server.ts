/**
 * Service at opportunities, by mm-link's rules (Mahimahi, link_queue.cc): at each one 1504 bytes are taken from the head of
 * the queue; small packets share one, a packet may straddle two; what the queue cannot fill is lost.
 */
import type { Bytes, Nanos } from "../../core/units.ts";
import { OPPORTUNITY_BYTES, type Opportunities } from "./opportunities.ts";
import type { Server } from "./server.ts";

/** Opportunities that are passed one by one before the place is looked up. */
const STEPS_BEFORE_LOOKUP = 8;

export class OpportunityServer implements Server {
  readonly opportunities: Opportunities;
  /** the opportunity of the last service, its time, and what is left of it */
  #index: number;
  #atNs: Nanos;
  #budgetBytes: Bytes = OPPORTUNITY_BYTES;
  /** the answer of `#findNext` */
  #nextIndex = 0;
  #nextNs: Nanos = 0;
  startNs: Nanos = 0;
  departNs: Nanos = 0;

  constructor(opportunities: Opportunities) {
    this.opportunities = opportunities;
    this.#index = opportunities.countUntil(0);
    this.#atNs = opportunities.atNs(this.#index);
  }

  readyNs(sinceNs: Nanos): Nanos {
    if (this.#budgetBytes > 0 && this.#atNs > sinceNs) return this.#atNs;
    this.#findNext(sinceNs);
    return this.#nextNs;
  }

  serve(sinceNs: Nanos, bytes: Bytes): void {
    if (this.#budgetBytes === 0 || this.#atNs <= sinceNs) {
      this.#findNext(sinceNs);
      this.#index = this.#nextIndex;
      this.#atNs = this.#nextNs;
      this.#budgetBytes = OPPORTUNITY_BYTES;
    }
    this.startNs = this.#atNs;
    let left = bytes;
    if (left > this.#budgetBytes) {
      while (left > this.#budgetBytes) {
        left -= this.#budgetBytes;
        this.#index++;
        this.#budgetBytes = OPPORTUNITY_BYTES;
      }
      this.#atNs = this.opportunities.atNs(this.#index);
    }
    this.#budgetBytes -= left;
    this.departNs = this.#atNs;
  }

  capacityBytes(fromNs: Nanos, toNs: Nanos): Bytes {
    return (this.opportunities.countUntil(toNs) - this.opportunities.countUntil(fromNs)) * OPPORTUNITY_BYTES;
  }

  /** The first opportunity after `sinceNs` behind the present one. */
  #findNext(sinceNs: Nanos): void {
    let index = this.#index;
    for (let i = 0; i < STEPS_BEFORE_LOOKUP; i++) {
      index++;
      const atNs = this.opportunities.atNs(index);
      if (atNs > sinceNs) {
        this.#nextIndex = index;
        this.#nextNs = atNs;
        return;
      }
    }
    this.#nextIndex = Math.max(index + 1, this.opportunities.countUntil(sinceNs));
    this.#nextNs = this.opportunities.atNs(this.#nextIndex);
  }
}
