/**
 * Token-bucket policer (RFC 2697's committed bucket alone, as in Flach et al. 2016, "An Internet-Wide Analysis of Traffic
 * Policing"): a packet passes if the bucket holds its bytes, else it is dropped. In any span T at most rate T + burst passes.
 */
import { type Bytes, type BytesPerSec, NANOS_PER_SEC, type Nanos } from "../../../core/units.ts";

export class TokenBucket {
  readonly #bytesPerNano: number;
  readonly #burstBytes: Bytes;
  #tokens: Bytes;
  #filledNs: Nanos = 0;

  /** @param burstBytes the bucket's size, at least a packet's, or none passes; it is full at the beginning */
  constructor(rateBytesPerSec: BytesPerSec, burstBytes: Bytes) {
    this.#bytesPerNano = rateBytesPerSec / NANOS_PER_SEC;
    this.#burstBytes = burstBytes;
    this.#tokens = burstBytes;
  }

  admits(nowNs: Nanos, bytes: Bytes): boolean {
    const filled = this.#tokens + (nowNs - this.#filledNs) * this.#bytesPerNano;
    this.#tokens = Math.min(this.#burstBytes, filled);
    this.#filledNs = nowNs;
    if (bytes > this.#tokens) return false;
    this.#tokens -= bytes;
    return true;
  }
}
