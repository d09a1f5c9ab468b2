/**
 * What a round told of congestion, and the bounds of the short term that follow from it (draft-ietf-ccwg-bbr, "Updating the Model upon
 * Packet Loss"). Rounds in which losses are counted begin with the first loss.
 *
 * ECN, which the draft leaves open ("MUST treat any CE marks as congestion"): a round with marks is a round with losses, and a
 * share of marks above a threshold while probing is inflight that is too high, as in Linux's v3.
 */
import type { Bytes, BytesPerSec } from "../../core/units.ts";
import type { Bbr3Ack } from "./ack.ts";

export class CongestionSignals {
  /** BBR.bw_shortterm, BBR.inflight_shortterm */
  bwShortterm: BytesPerSec = Infinity;
  inflightShortterm: Bytes = Infinity;
  /** BBR.bw_latest, BBR.inflight_latest: the greatest of the round */
  #bwLatest: BytesPerSec = 0;
  inflightLatest: Bytes = 0;
  /** BBR.loss_round_start: the latest ACK began one */
  isRoundStart = false;
  /** BBR.loss_in_round */
  isLossInRound = false;
  /** so many ranges of packets were lost in the round */
  lostRanges = 0;
  /** rounds running with too many marks */
  markedRounds = 0;
  #roundDelivered: Bytes = 0;
  #markedBytes: Bytes = 0;
  #ackedBytes: Bytes = 0;
  readonly #beta: number;
  readonly #ecnThreshold: number;

  /** @param beta BBR.Beta @param ecnThreshold share of marked bytes in a round above which inflight is too high */
  constructor(beta: number, ecnThreshold: number) {
    this.#beta = beta;
    this.#ecnThreshold = ecnThreshold;
  }

  /** UpdateLatestDeliverySignals, and the sums of marks */
  onAck(ack: Bbr3Ack): void {
    const inflightBytes = ack.deliveredBytes - ack.priorDeliveredBytes;
    if (ack.rateBytesPerSec > this.#bwLatest) this.#bwLatest = ack.rateBytesPerSec;
    if (inflightBytes > this.inflightLatest) this.inflightLatest = inflightBytes;
    this.isRoundStart = ack.priorDeliveredBytes >= this.#roundDelivered;
    if (this.isRoundStart) this.#roundDelivered = ack.deliveredBytes;
    this.#ackedBytes += ack.newlyAckedBytes;
    this.#markedBytes += ack.ecnBytes;
  }

  /** NoteLoss. @returns whether it is the round's first: then the model keeps what an undo needs */
  noteLoss(deliveredBytes: Bytes): boolean {
    if (this.isLossInRound) return false;
    this.#roundDelivered = deliveredBytes;
    this.isLossInRound = true;
    return true;
  }

  /** A packet-timed round is over. @returns whether too much of it was marked */
  readMarks(): boolean {
    const isHigh = this.#markedBytes > this.#ecnThreshold * this.#ackedBytes;
    this.markedRounds = isHigh ? this.markedRounds + 1 : 0;
    this.#markedBytes = this.#ackedBytes = 0;
    return isHigh;
  }

  /** UpdateCongestionSignals, of a round that is over. @param adapts no probing is going on, so that losses bound it */
  endRound(adapts: boolean, maxBw: BytesPerSec, cwndBytes: Bytes): void {
    if (adapts && this.isLossInRound) this.#adaptLowerBounds(maxBw, cwndBytes);
    this.isLossInRound = false;
  }

  /** AdaptLowerBoundsFromCongestion */
  #adaptLowerBounds(maxBw: BytesPerSec, cwndBytes: Bytes): void {
    if (this.bwShortterm === Infinity) this.bwShortterm = maxBw;
    if (this.inflightShortterm === Infinity) this.inflightShortterm = cwndBytes;
    this.bwShortterm = Math.max(this.#bwLatest, this.#beta * this.bwShortterm);
    this.inflightShortterm = Math.max(this.inflightLatest, this.#beta * this.inflightShortterm);
  }

  /** AdvanceLatestDeliverySignals: the ACK that began a round is its first sample. */
  beginRound(ack: Bbr3Ack): void {
    this.#bwLatest = ack.rateBytesPerSec;
    this.inflightLatest = ack.deliveredBytes - ack.priorDeliveredBytes;
    this.lostRanges = 0;
  }

  /** ResetCongestionSignals */
  reset(): void {
    this.isLossInRound = false;
    this.#bwLatest = 0;
    this.inflightLatest = 0;
  }

  /** ResetShortTermModel */
  resetBounds(): void {
    this.bwShortterm = this.inflightShortterm = Infinity;
  }
}
