/** Infinitely fast, except in outages. */
import type { Bytes, Nanos } from "../../core/units.ts";
import type { Outage } from "./outages.ts";
import { upperBound } from "./piecewise.ts";
import type { Server } from "./server.ts";

export class UnlimitedServer implements Server {
  readonly #outages: readonly Outage[];
  startNs: Nanos = 0;
  departNs: Nanos = 0;

  /** @param outages as `joinOutages` gives them */
  constructor(outages: readonly Outage[]) {
    this.#outages = outages;
  }

  readyNs(sinceNs: Nanos): Nanos {
    return this.#openFrom(Math.max(sinceNs, this.departNs));
  }

  serve(sinceNs: Nanos, _bytes: Bytes): void {
    this.startNs = this.departNs = this.readyNs(sinceNs);
  }

  capacityBytes(fromNs: Nanos, toNs: Nanos): Bytes {
    return this.#openFrom(fromNs) < toNs ? Number.POSITIVE_INFINITY : 0;
  }

  #openFrom(ns: Nanos): Nanos {
    const last = this.#outages[upperBound(this.#outages.length, (i) => this.#outages[i]!.fromNs, ns) - 1];
    return last !== undefined && last.toNs > ns ? last.toNs : ns;
  }
}
