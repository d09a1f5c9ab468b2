/**
 * BBRv3: the state machine of draft-ietf-ccwg-bbr (text of August 2026), in the draft's order and names, over the parts of its path
 * model, a file each. It does no I/O and keeps no packets: whoever runs it fills in `ack`, or says what a loss told.
 * `native-bbr3` does so per packet, `bbr3` per report of its datapath program.
 *
 *   Startup ──▶ Drain ──▶ ProbeBW_DOWN ──▶ CRUISE ──▶ REFILL ──▶ UP ─┐         ProbeRTT: from anywhere, back to where
 *                              ▲  └──────── time to probe ───▲       │         the flow was: Startup or ProbeBW
 *                              └─────────────────────────────────────┘
 */
import type { Bytes, BytesPerSec, Micros } from "../../core/units.ts";
import type { ParamValues } from "../spec.ts";
import { type Bbr3Ack, type Bbr3Loss, blankAck } from "./ack.ts";
import * as draft from "./constants.ts";
import { Bbr3Control, type Bbr3Start, type Bbr3State } from "./control.ts";
import { AppLimitedBubble, PacketRounds } from "./filters.ts";
import { ProbeClock } from "./probing.ts";

/** What the feedback that comes in means for bandwidth probing (BBR.ack_phase). */
type AckPhase = "init" | "refilling" | "probe-starting" | "probe-feedback" | "probe-stopping";

/** What an undo of a loss recovery restores: the bounds from before, and the state that the losses ended, where there is one. */
export interface Bbr3Undo {
  state: "startup" | "probe-bw-up" | undefined;
  bwShortterm: BytesPerSec;
  inflightShortterm: Bytes;
  inflightLongterm: Bytes;
}

/** What changes at a transition or an ACK, for tests and traces. */
export type Bbr3Moment =
  | { readonly kind: "ack"; readonly nowUs: Micros }
  | { readonly kind: "state"; readonly nowUs: Micros; readonly from: Bbr3State; readonly to: Bbr3State }
  /** a loss recovery was spurious; `undoState`: the state that it had ended, where there is one */
  | { readonly kind: "undo"; readonly nowUs: Micros; readonly undoState: Bbr3Undo["state"] }
  | { readonly kind: "save" | "high-loss" | "idle-restart"; readonly nowUs: Micros };

export type Bbr3Watch = (moment: Bbr3Moment, model: Bbr3Model) => void;

export class Bbr3Model extends Bbr3Control {
  /** the one at hand, else the latest: to be filled in before `onAck` */
  readonly ack: Bbr3Ack = blankAck();
  idleRestart = false;
  prevProbeTooHigh = false;
  drainStartRound = 0;
  readonly round: PacketRounds = new PacketRounds();
  readonly undo: Bbr3Undo = {
    state: undefined,
    bwShortterm: 0,
    inflightShortterm: 0,
    inflightLongterm: 0,
  };
  readonly #probeClock: ProbeClock;
  readonly #bubble = new AppLimitedBubble();
  readonly #watch: Bbr3Watch | undefined;
  readonly #lossThreshold: number;
  readonly #probeRttUs: Micros;
  #nowUs: Micros = 0;
  #ackPhase: AckPhase = "init";
  #prevProbePrecautionary = false;
  #isBwProbeSample = false;
  /** 0: inflight is not down to ProbeRTT's window yet */
  #probeRttDoneUs: Micros = 0;
  #probeRttRoundDone = false;
  #hasRtt = false;
  /** in fast recovery or after a timeout, and since which round */
  #recovery: { readonly kind: "fast" | "timeout"; readonly sinceRound: number } | undefined;
  #priorCwnd: Bytes = 0;
  /** C.is_cwnd_limited: the window was used up in this round, or in the one before */
  #limitedInRound = false;
  #limitedInLastRound = false;

  constructor(start: Bbr3Start, params: ParamValues, watch?: Bbr3Watch) {
    super(start, params);
    this.#watch = watch;
    this.#lossThreshold = params["lossThreshold"]!;
    this.#probeRttUs = params["probeRttMs"]! * 1000;
    this.#nowUs = start.nowUs;
    this.#probeClock = new ProbeClock(start.rng);
  }

  get isInRecovery(): boolean {
    return this.#recovery !== undefined;
  }

  get #isCwndLimited(): boolean {
    return this.#limitedInRound || this.#limitedInLastRound;
  }

  get #isInProbeBw(): boolean {
    const { state } = this;
    return state !== "startup" && state !== "drain" && state !== "probe-rtt";
  }

  // Events                                                                              section "Algorithm Organization"

  /** UpdateOnACK, of what is in `ack` */
  onAck(): void {
    const { ack, signals, round } = this;
    const { nowUs } = ack;
    this.#nowUs = nowUs;
    if (this.#bubble.holds(ack.priorDeliveredBytes)) ack.appLimited = true;
    if (!this.#hasRtt && ack.rttUs > 0) {
      this.#hasRtt = true;
      this.initPacingRate(ack.rttUs);
    }
    signals.onAck(ack);
    this.#updateRound(ack);
    this.maxBw.add(ack.rateBytesPerSec, ack.appLimited);
    this.#updateCongestionSignals(ack);
    const { reached } = this.fullPipe;
    const rounds = reached ? draft.EXTRA_ACKED_ROUNDS : draft.EXTRA_ACKED_STARTUP_ROUNDS;
    this.aggregation.onAck(nowUs, ack.newlyAckedBytes, this.bw, this.cwndBytes, round.count, rounds);
    if (round.isStart && !ack.appLimited) this.fullPipe.onRound(ack.rateBytesPerSec);
    if (this.state === "startup") this.#checkStartupDone(ack);
    if (this.state === "drain") this.#checkDrainDone(ack);
    if (this.fullPipe.reached) this.#updateProbeBwCyclePhase(ack);
    this.minRtt.onAck(nowUs, ack.rttUs);
    this.#checkProbeRtt(ack);
    if (signals.isRoundStart) signals.beginRound(ack);
    this.bw = Math.min(this.maxBw.value, signals.bwShortterm);
    this.setPacingRate(this.pacingGain);
    this.updateSendQuantum();
    this.setCwnd(ack);
    this.#watch?.({ kind: "ack", nowUs }, this);
  }

  /** HandleLostPacket. @param deliveredBytes C.delivered */
  onLostPacket(nowUs: Micros, lost: Bbr3Loss, deliveredBytes: Bytes): void {
    this.#nowUs = nowUs;
    this.#noteLoss(deliveredBytes);
    if (lost.startsRange) this.signals.lostRanges += 1;
    if (!this.#isBwProbeSample) return;
    if (!this.#isTooHigh(lost.lostBytes, lost.txInflightBytes)) return;
    // InflightAtLoss: (lost_prev + prefix) / (inflight_prev + prefix) = LossThresh
    const inflightBefore = lost.txInflightBytes - lost.bytes;
    const lostBefore = lost.lostBytes - lost.bytes;
    const prefix = (this.#lossThreshold * inflightBefore - lostBefore) / (1 - this.#lossThreshold);
    this.#handleInflightTooHigh(inflightBefore + prefix, lost.appLimited, deliveredBytes);
  }

  /** OnEnterFastRecovery, OnEnterRTO */
  onRecovery(kind: "fast" | "timeout", nowUs: Micros, inflightBytes: Bytes): void {
    this.#nowUs = nowUs;
    this.#saveState();
    this.#recovery = { kind, sinceRound: this.round.count };
    if (kind === "timeout") this.cwndBytes = inflightBytes + this.mssBytes;
  }

  /** All losses are repaired: the window from before is back; the model bounds it at the end of the ACK. */
  onRecovered(): void {
    if (this.#recovery === undefined) return;
    this.#recovery = undefined;
    this.#restoreCwnd();
  }

  /** HandleSpuriousLossDetection. @param deliveredBytes C.delivered */
  onSpuriousLoss(nowUs: Micros, deliveredBytes: Bytes): void {
    const { signals, longTerm, undo } = this;
    this.#nowUs = nowUs;
    this.#recovery = undefined;
    this.#restoreCwnd();
    signals.isLossInRound = false;
    this.fullPipe.reset();
    signals.bwShortterm = Math.max(signals.bwShortterm, undo.bwShortterm);
    signals.inflightShortterm = Math.max(signals.inflightShortterm, undo.inflightShortterm);
    longTerm.bytes = Math.max(longTerm.bytes, undo.inflightLongterm);
    const { state: undoState } = undo;
    undo.state = undefined;
    this.#watch?.({ kind: "undo", nowUs, undoState }, this);
    if (undoState === undefined || undoState === this.state) return;
    if (undoState === "startup") this.fullPipe.reached = false;
    if (this.state === "probe-rtt") return;
    if (undoState === "startup") this.#enterStartup();
    else this.#startRefill(deliveredBytes);
  }

  /** HandleRestartFromIdle: a packet leaves where none was in flight, because there was nothing to send. */
  onRestartFromIdle(nowUs: Micros): void {
    this.#nowUs = nowUs;
    this.idleRestart = true;
    this.aggregation.restart(nowUs);
    if (this.#isInProbeBw) this.setPacingRate(1);
    else if (this.state === "probe-rtt") this.#checkProbeRttDone();
    this.#watch?.({ kind: "idle-restart", nowUs }, this);
  }

  /** MarkConnectionAppLimited, by the algorithm itself or where no packet says it. */
  markAppLimited(deliveredBytes: Bytes, inflightBytes: Bytes): void {
    this.#bubble.mark(deliveredBytes, inflightBytes);
  }

  /** Of a packet that was sent when so much had been delivered: it followed such a mark. */
  isAppLimited(priorDeliveredBytes: Bytes): boolean {
    return this.#bubble.holds(priorDeliveredBytes);
  }

  // States                                                                              section "State Machine Operation"

  #enter(state: Bbr3State, pacingGain: number, cwndGain: number = draft.DEFAULT_CWND_GAIN): void {
    const from = this.state;
    this.state = state;
    this.pacingGain = pacingGain;
    this.cwndGain = cwndGain;
    if (from !== state) this.#watch?.({ kind: "state", nowUs: this.#nowUs, from, to: state }, this);
  }

  #enterStartup(): void {
    this.#enter("startup", draft.STARTUP_PACING_GAIN);
  }

  #checkStartupDone(ack: Bbr3Ack): void {
    if (this.#isLossHigh(ack) || this.signals.markedRounds >= draft.STARTUP_ECN_ROUNDS) {
      this.undo.state = "startup";
      this.fullPipe.now = this.fullPipe.reached = true;
      this.longTerm.bytes = Math.max(this.bdp(1), this.signals.inflightLatest);
      this.#watch?.({ kind: "high-loss", nowUs: this.#nowUs }, this);
    }
    if (!this.fullPipe.reached) return;
    this.drainStartRound = this.round.count;
    this.#enter("drain", draft.DRAIN_PACING_GAIN);
  }

  /** CheckStartupHighLoss */
  #isLossHigh(ack: Bbr3Ack): boolean {
    return (
      this.signals.isRoundStart &&
      this.#recovery?.kind === "fast" &&
      this.round.count > this.#recovery.sinceRound &&
      this.signals.lostRanges >= draft.STARTUP_LOST_RANGES &&
      this.#isTooHigh(ack.lostBytes, ack.txInflightBytes)
    );
  }

  #checkDrainDone(ack: Bbr3Ack): void {
    const isLong = this.round.count > this.drainStartRound + draft.DRAIN_ROUNDS;
    if (ack.inflightBytes <= this.inflight(1) || isLong) this.#startDown(ack.deliveredBytes);
  }

  #startDown(deliveredBytes: Bytes): void {
    this.signals.reset();
    this.longTerm.endProbe();
    this.#probeClock.start(this.#nowUs);
    this.#ackPhase = "probe-stopping";
    this.round.start(deliveredBytes);
    this.#enter("probe-bw-down", draft.DOWN_PACING_GAIN);
  }

  #startRefill(deliveredBytes: Bytes): void {
    this.signals.resetBounds();
    this.longTerm.beginProbe();
    this.#prevProbePrecautionary = false;
    this.#ackPhase = "refilling";
    this.round.start(deliveredBytes);
    this.#enter("probe-bw-refill", 1);
  }

  #startUp(ack: Bbr3Ack): void {
    this.#ackPhase = "probe-starting";
    this.round.start(ack.deliveredBytes);
    this.fullPipe.reset(ack.rateBytesPerSec);
    this.#enter("probe-bw-up", draft.UP_PACING_GAIN, draft.UP_CWND_GAIN);
    this.longTerm.raiseSlope(this.cwndBytes);
  }

  #updateProbeBwCyclePhase(ack: Bbr3Ack): void {
    if (this.#adaptLongTermModel(ack)) return;
    switch (this.state) {
      case "probe-bw-down":
        if (!this.#probesIfTime(ack) && this.#isTimeToCruise(ack)) this.#enter("probe-bw-cruise", 1);
        return;
      case "probe-bw-cruise":
        this.#probesIfTime(ack);
        return;
      case "probe-bw-refill":
        if (!this.round.isStart) return;
        this.#isBwProbeSample = true;
        this.#startUp(ack);
        return;
      case "probe-bw-up":
        if (!this.#isTimeToGoDown(ack)) return;
        this.prevProbeTooHigh = false;
        this.#startDown(ack.deliveredBytes);
    }
  }

  /** IsTimeToProbeBW */
  #probesIfTime(ack: Bbr3Ack): boolean {
    const isTime = this.#probeClock.isTime(this.#nowUs, this.targetInflight() / this.mssBytes);
    if (isTime) this.#startRefill(ack.deliveredBytes);
    return isTime;
  }

  #isTimeToCruise({ inflightBytes }: Bbr3Ack): boolean {
    if (inflightBytes > this.inflightWithHeadroom()) return false;
    return inflightBytes <= this.inflight(1, this.maxBw.value);
  }

  #isTimeToGoDown(ack: Bbr3Ack): boolean {
    if (this.prevProbeTooHigh && ack.inflightBytes >= this.longTerm.bytes) {
      this.#prevProbePrecautionary = true;
      return true;
    }
    if (this.#isCwndLimited && this.cwndBytes >= this.longTerm.bytes) {
      // the bandwidth is limited by inflight_longterm, which must grow before it can tell anything
      this.fullPipe.reset(ack.rateBytesPerSec);
      return false;
    }
    return this.fullPipe.now;
  }

  /** @returns whether it decided a transition */
  #adaptLongTermModel(ack: Bbr3Ack): boolean {
    const { longTerm, round } = this;
    if (round.isStart && this.#endAckPhase(ack)) return true;
    if (longTerm.bytes === Infinity || this.#isTooHigh(ack.lostBytes, ack.txInflightBytes)) return false;
    if (longTerm.bytes < ack.txInflightBytes) longTerm.bytes = ack.txInflightBytes;
    if (this.state !== "probe-bw-up" || !this.#isCwndLimited || this.cwndBytes < longTerm.bytes) return false;
    longTerm.grow(ack.newlyAckedBytes);
    if (round.isStart) longTerm.raiseSlope(this.cwndBytes);
    return false;
  }

  /** What a round's feedback was for ends with it. @returns whether the flow probes again at once */
  #endAckPhase(ack: Bbr3Ack): boolean {
    if (this.#ackPhase === "probe-starting") this.#ackPhase = "probe-feedback";
    if (this.#ackPhase !== "probe-stopping") return false;
    this.#isBwProbeSample = false;
    this.#ackPhase = "init";
    if (!this.#isInProbeBw) return false;
    if (!ack.appLimited) this.maxBw.advance();
    if (!this.#prevProbePrecautionary || this.prevProbeTooHigh) return false;
    this.#startRefill(ack.deliveredBytes);
    return true;
  }

  #checkProbeRtt(ack: Bbr3Ack): void {
    if (this.minRtt.isProbeDue && this.state !== "probe-rtt" && !this.idleRestart) {
      this.#saveCwnd();
      this.#enter("probe-rtt", 1, draft.PROBE_RTT_CWND_GAIN);
      this.#probeRttDoneUs = 0;
      this.#ackPhase = "probe-stopping";
      this.round.start(ack.deliveredBytes);
    }
    if (this.state === "probe-rtt") this.#handleProbeRtt(ack);
    if (ack.deliveredBytes > ack.priorDeliveredBytes) this.idleRestart = false;
  }

  #handleProbeRtt(ack: Bbr3Ack): void {
    this.markAppLimited(ack.deliveredBytes, ack.inflightBytes);
    if (this.#probeRttDoneUs === 0) {
      if (ack.inflightBytes > this.probeRttCwnd()) return;
      this.#probeRttDoneUs = this.#nowUs + this.#probeRttUs;
      this.#probeRttRoundDone = false;
      this.round.start(ack.deliveredBytes);
      return;
    }
    if (this.round.isStart) this.#probeRttRoundDone = true;
    if (this.#probeRttRoundDone) this.#checkProbeRttDone();
  }

  #checkProbeRttDone(): void {
    if (this.#probeRttDoneUs === 0 || this.#nowUs <= this.#probeRttDoneUs) return;
    this.minRtt.onProbed(this.#nowUs);
    this.#restoreCwnd();
    this.signals.resetBounds();
    if (!this.fullPipe.reached) {
      this.#enterStartup();
      return;
    }
    // inflight is below the estimated BDP already: nothing is to be drained
    this.#startDown(this.round.deliveredBytes);
    this.#enter("probe-bw-cruise", 1);
  }

  // Congestion                                                            section "Updating Network Path Model Parameters"

  #updateRound(ack: Bbr3Ack): void {
    if (this.round.onAck(ack.priorDeliveredBytes, ack.deliveredBytes)) {
      this.#probeClock.onRound();
      this.#limitedInLastRound = this.#limitedInRound;
      this.#limitedInRound = false;
    }
    if (ack.cwndLimited) this.#limitedInRound = true;
  }

  #updateCongestionSignals(ack: Bbr3Ack): void {
    const { signals } = this;
    if (ack.ecnBytes > 0) this.#noteLoss(ack.deliveredBytes);
    if (this.round.isStart && signals.readMarks() && this.#isBwProbeSample) {
      this.#handleInflightTooHigh(ack.txInflightBytes, ack.appLimited, ack.deliveredBytes);
    }
    if (!signals.isRoundStart) return;
    const { state } = this;
    const isProbing = state === "startup" || state === "probe-bw-refill" || state === "probe-bw-up";
    signals.endRound(!isProbing, this.maxBw.value, this.cwndBytes);
  }

  #isTooHigh(lostBytes: Bytes, txInflightBytes: Bytes): boolean {
    return lostBytes > txInflightBytes * this.#lossThreshold;
  }

  #handleInflightTooHigh(txInflightBytes: Bytes, appLimited: boolean, deliveredBytes: Bytes): void {
    this.prevProbeTooHigh = true;
    this.#isBwProbeSample = false;
    if (!appLimited) this.longTerm.bytes = Math.max(txInflightBytes, this.targetInflight() * this.beta);
    if (this.state !== "probe-bw-up") return;
    this.undo.state = "probe-bw-up";
    this.#startDown(deliveredBytes);
  }

  #noteLoss(deliveredBytes: Bytes): void {
    if (this.signals.noteLoss(deliveredBytes)) this.#saveState();
  }

  /** SaveStateUponLoss */
  #saveState(): void {
    const { signals, undo } = this;
    this.#saveCwnd();
    undo.state = undefined;
    undo.bwShortterm = signals.bwShortterm;
    undo.inflightShortterm = signals.inflightShortterm;
    undo.inflightLongterm = this.longTerm.bytes;
    this.#watch?.({ kind: "save", nowUs: this.#nowUs }, this);
  }

  #saveCwnd(): void {
    const isPlain = this.#recovery === undefined && this.state !== "probe-rtt";
    this.#priorCwnd = isPlain ? this.cwndBytes : Math.max(this.#priorCwnd, this.cwndBytes);
  }

  #restoreCwnd(): void {
    this.cwndBytes = Math.max(this.cwndBytes, this.#priorCwnd);
  }
}
