/**
 * Service at opportunities, by mm-link's rules (Mahimahi, link_queue.cc): at each one 1504 bytes are taken from the head of
 * the queue; small packets share one, a packet may straddle two; what the queue cannot fill is lost.
 */
import type { Bytes, Nanos } from "../../../core/units.ts";
import { OPPORTUNITY_BYTES, type Opportunities } from "./opportunities.ts";
import type { Server } from "./server.ts";

/** Opportunities that are passed one by one before the place is looked up. */
const STEPS_BEFORE_LOOKUP = 8;

export class OpportunityServer implements Server {
  readonly #opportunities: Opportunities;
  /** the opportunity of the last service, and what is left of it */
  #index: number;
  #budgetBytes: Bytes = OPPORTUNITY_BYTES;
  startNs: Nanos = 0;
  departNs: Nanos = 0;

  constructor(opportunities: Opportunities) {
    this.#opportunities = opportunities;
    this.#index = opportunities.countUntil(0);
  }

  readyNs(sinceNs: Nanos): Nanos {
    return this.#opportunities.atNs(this.#nextFor(sinceNs));
  }

  serve(sinceNs: Nanos, bytes: Bytes): void {
    const next = this.#nextFor(sinceNs);
    if (next !== this.#index) {
      this.#index = next;
      this.#budgetBytes = OPPORTUNITY_BYTES;
    }
    this.startNs = this.#opportunities.atNs(next);
    let left = bytes;
    while (left > this.#budgetBytes) {
      left -= this.#budgetBytes;
      this.#index++;
      this.#budgetBytes = OPPORTUNITY_BYTES;
    }
    this.#budgetBytes -= left;
    this.departNs = this.#index === next ? this.startNs : this.#opportunities.atNs(this.#index);
  }

  capacityBytes(fromNs: Nanos, toNs: Nanos): Bytes {
    return (
      (this.#opportunities.countUntil(toNs) - this.#opportunities.countUntil(fromNs)) * OPPORTUNITY_BYTES
    );
  }

  /** The first opportunity after `sinceNs` with something left. */
  #nextFor(sinceNs: Nanos): number {
    let index = this.#budgetBytes === 0 ? this.#index + 1 : this.#index;
    for (let i = 0; i < STEPS_BEFORE_LOOKUP; i++) {
      if (this.#opportunities.atNs(index) > sinceNs) return index;
      index++;
    }
    return Math.max(index, this.#opportunities.countUntil(sinceNs));
  }
}
