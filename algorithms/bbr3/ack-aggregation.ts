/** BBR.extra_acked (draft-ietf-ccwg-bbr, "Updating the Model upon ACK"): what is acknowledged beyond what the bandwidth explains. */
import { type Bytes, type BytesPerSec, MICROS_PER_SEC, type Micros } from "../../core/units.ts";
import { WindowedRoundMax } from "./filters.ts";

export class AckAggregation {
  /** BBR.extra_acked */
  bytes: Bytes = 0;
  readonly #recent = new WindowedRoundMax();
  #startUs: Micros = 0;
  #deliveredBytes: Bytes = 0;

  constructor(nowUs: Micros) {
    this.restart(nowUs);
  }

  /** An interval begins. */
  restart(nowUs: Micros): void {
    this.#startUs = nowUs;
  }

  /** UpdateACKAggregation. @param rounds of which the greatest counts, `round` included */
  onAck(
    nowUs: Micros,
    ackedBytes: Bytes,
    bw: BytesPerSec,
    cwndBytes: Bytes,
    round: number,
    rounds: number,
  ): void {
    let expected = (bw * (nowUs - this.#startUs)) / MICROS_PER_SEC;
    if (this.#deliveredBytes <= expected) {
      this.#deliveredBytes = expected = 0;
      this.#startUs = nowUs;
    }
    this.#deliveredBytes += ackedBytes;
    this.bytes = this.#recent.add(Math.min(this.#deliveredBytes - expected, cwndBytes), round, rounds);
  }
}
