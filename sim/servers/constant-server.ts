/** A server of constant rate without outages; infinitely fast where the rate is Infinity. */
import type { Bytes, BytesPerSec, Nanos } from "../../core/units.ts";
import { NANOS_PER_SEC } from "../../core/units.ts";
import type { Server } from "./server.ts";

export class ConstantServer implements Server {
  readonly #nanosPerByte: number;
  startNs: Nanos = 0;
  departNs: Nanos = 0;

  /** @param rateBytesPerSec > 0 */
  constructor(rateBytesPerSec: BytesPerSec) {
    this.#nanosPerByte = NANOS_PER_SEC / rateBytesPerSec;
  }

  readyNs(sinceNs: Nanos): Nanos {
    return sinceNs > this.departNs ? sinceNs : this.departNs;
  }

  serve(sinceNs: Nanos, bytes: Bytes): void {
    const start = sinceNs > this.departNs ? sinceNs : this.departNs;
    this.startNs = start;
    this.departNs = start + bytes * this.#nanosPerByte;
  }

  capacityBytes(fromNs: Nanos, toNs: Nanos): Bytes {
    return this.#nanosPerByte === 0 ? Number.POSITIVE_INFINITY : (toNs - fromNs) / this.#nanosPerByte;
  }
}
