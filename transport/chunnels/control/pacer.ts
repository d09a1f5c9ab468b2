/** Spreads messages over time at a rate, by a bucket that holds a millisecond's worth and at least two packets. */
import { type Bytes, type BytesPerSec, MICROS_PER_SEC, type Micros } from "../../../core/units.ts";

const BURST_US: Micros = 1_000;
const BURST_PACKETS = 2;

export class Pacer {
  readonly #packetBytes: Bytes;
  #tokens: Bytes;
  #atUs: Micros = 0;

  constructor(packetBytes: Bytes) {
    this.#packetBytes = packetBytes;
    this.#tokens = BURST_PACKETS * packetBytes;
  }

  /** Packets that may go now. */
  room(nowUs: Micros, rate: BytesPerSec): number {
    const most = Math.max(BURST_PACKETS * this.#packetBytes, (rate * BURST_US) / MICROS_PER_SEC);
    this.#tokens = Math.min(most, this.#tokens + ((nowUs - this.#atUs) * rate) / MICROS_PER_SEC);
    this.#atUs = nowUs;
    return Math.floor(this.#tokens / this.#packetBytes + 1e-9);
  }

  sent(nowUs: Micros, bytes: Bytes): void {
    this.#tokens -= bytes;
    this.#atUs = Math.max(this.#atUs, nowUs);
  }

  /** When the next packet may go, after `room` said none. */
  nextUs(rate: BytesPerSec): Micros {
    return this.#atUs + ((this.#packetBytes - this.#tokens) * MICROS_PER_SEC) / rate;
  }
}
