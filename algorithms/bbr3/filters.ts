/** What BBRv3 counts by: packet-timed round trips, the greatest value of the last rounds or cycles, and what a silent application taints. */
import type { Bytes, BytesPerSec } from "../../core/units.ts";

/** A round ends with the ACK of a packet that was sent after its start (draft-ietf-ccwg-bbr, "Tracking Packet-Timed Round Trips"). */
export class PacketRounds {
  /** BBR.round_count */
  count = 0;
  /** BBR.round_start: the latest ACK began a round */
  isStart = false;
  /** C.delivered as last told */
  deliveredBytes: Bytes = 0;
  #nextRoundDelivered: Bytes = 0;

  /** StartRound */
  start(deliveredBytes: Bytes): void {
    this.#nextRoundDelivered = deliveredBytes;
  }

  /** UpdateRound. @returns whether a round begins */
  onAck(priorDeliveredBytes: Bytes, deliveredBytes: Bytes): boolean {
    this.deliveredBytes = deliveredBytes;
    this.isStart = priorDeliveredBytes >= this.#nextRoundDelivered;
    if (this.isStart) {
      this.start(deliveredBytes);
      this.count += 1;
    }
    return this.isStart;
  }
}

/** The greatest value of the last rounds, exactly: what a greater or equal one has followed is forgotten at once. */
export class WindowedRoundMax {
  /** falling values of rising rounds */
  readonly #peaks: { value: number; round: number }[] = [];

  /** @returns the greatest of the last `rounds` rounds, the running one included */
  add(value: number, round: number, rounds: number): number {
    const peaks = this.#peaks;
    const last = peaks[peaks.length - 1];
    // the usual case: the round has had a greater one, which lasts as long
    const isHidden = last !== undefined && last.round === round && last.value >= value;
    if (!isHidden) this.#push(value, round);
    while (peaks[0]!.round <= round - rounds) peaks.shift();
    return peaks[0]!.value;
  }

  #push(value: number, round: number): void {
    const peaks = this.#peaks;
    let peak: (typeof peaks)[number] | undefined;
    while (peaks.length > 0 && peaks[peaks.length - 1]!.value <= value) peak = peaks.pop();
    // one that is forgotten serves anew
    peak ??= { value, round };
    peak.value = value;
    peak.round = round;
    peaks.push(peak);
  }
}

/** BBR.max_bw_filter: the best sample of the previous ProbeBW cycle and of the running one. */
export class MaxBandwidth {
  /** BBR.max_bw */
  value: BytesPerSec = 0;
  #previous: BytesPerSec = 0;
  #running: BytesPerSec = 0;

  /** UpdateMaxBw */
  add(rateBytesPerSec: BytesPerSec, appLimited: boolean): void {
    if (rateBytesPerSec <= this.#running || (appLimited && rateBytesPerSec < this.value)) return;
    this.#running = rateBytesPerSec;
    this.value = Math.max(this.#previous, rateBytesPerSec);
  }

  /** AdvanceMaxBwFilter */
  advance(): void {
    if (this.#running === 0) return;
    this.value = this.#previous = this.#running;
    this.#running = 0;
  }
}

/** C.app_limited, where no packet says it: those sent from a mark on until what was in flight then is delivered. */
export class AppLimitedBubble {
  #from: Bytes = 0;
  #until: Bytes = -1;

  /** MarkConnectionAppLimited */
  mark(deliveredBytes: Bytes, inflightBytes: Bytes): void {
    if (this.#until < deliveredBytes) this.#from = deliveredBytes;
    this.#until = Math.max(1, deliveredBytes + inflightBytes);
  }

  /** Of a packet that was sent when so much had been delivered. */
  holds(priorDeliveredBytes: Bytes): boolean {
    return priorDeliveredBytes >= this.#from && priorDeliveredBytes <= this.#until;
  }
}
