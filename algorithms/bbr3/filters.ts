/** What BBRv3 counts by: packet-timed round trips, and the greatest value of the last rounds. */
import type { Bytes } from "../../core/units.ts";

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
  readonly #peaks: { value: number; round: number }[] = [];

  /** @returns the greatest of the last `rounds` rounds, the running one included */
  add(value: number, round: number, rounds: number): number {
    const peaks = this.#peaks;
    let peak: (typeof peaks)[number] | undefined;
    while (peaks.length > 0 && peaks[peaks.length - 1]!.value <= value) peak = peaks.pop();
    // one that is forgotten serves anew: there is one call per ACK
    peak ??= { value, round };
    peak.value = value;
    peak.round = round;
    peaks.push(peak);
    while (peaks[0]!.round <= round - rounds) peaks.shift();
    return peaks[0]!.value;
  }
}
