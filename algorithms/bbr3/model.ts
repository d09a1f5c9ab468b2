/**
 * BBRv3: the state machine and the path model of draft-ietf-ccwg-bbr (text of August 2026), in the draft's order and names.
 * It does no I/O and keeps no packets: whoever runs it says what an ACK or a loss told. `native-bbr3` does so per packet,
 * `bbr3` per report of its datapath program.
 *
 *   Startup ──▶ Drain ──▶ ProbeBW_DOWN ──▶ CRUISE ──▶ REFILL ──▶ UP ─┐         ProbeRTT: from anywhere, back to where
 *                              ▲  └──────── time to probe ───▲       │         the flow was: Startup or ProbeBW
 *                              └─────────────────────────────────────┘
 *
 * ECN, which the draft leaves open ("MUST treat any CE marks as congestion"): a round with marks is a round with losses, and a
 * share of marks above `ecnThreshold` while probing is inflight that is too high, as in Linux's v3.
 */
import type { Rng } from "../../core/random.ts";
import { type Bytes, type BytesPerSec, MICROS_PER_SEC, type Micros } from "../../core/units.ts";
import type { ParamValues } from "../spec.ts";
import { PacketRounds, WindowedRoundMax } from "./filters.ts";

export type Bbr3State =
  | "startup"
  | "drain"
  | "probe-bw-down"
  | "probe-bw-cruise"
  | "probe-bw-refill"
  | "probe-bw-up"
  | "probe-rtt";

/** What the feedback that comes in means for bandwidth probing (BBR.ack_phase). */
export type AckPhase = "init" | "refilling" | "probe-starting" | "probe-feedback" | "probe-stopping";

/** BBR.StartupPacingGain: 4 ln 2, the least that doubles the rate each round. */
const STARTUP_PACING_GAIN = 2.77;
/** BBR.DrainPacingGain: drains in a round what Startup's window of two BDP queued. */
const DRAIN_PACING_GAIN = 0.5;
/** Sections ProbeBW_DOWN and ProbeBW_UP. */
const DOWN_PACING_GAIN = 0.9;
const UP_PACING_GAIN = 1.25;
/** BBR.DefaultCwndGain; ProbeBW_UP has a quarter more, so that the window does not stop the probe. */
const DEFAULT_CWND_GAIN = 2;
const UP_CWND_GAIN = 2.25;
/** BBR.ProbeRTTCwndGain */
const PROBE_RTT_CWND_GAIN = 0.5;
/** BBR.PacingMarginPercent: 1 % below the estimate drains standing queues. */
const PACING_SHARE = 0.99;
/** BBR.MinPipeCwnd: enough for ACKs of every other packet to keep flowing. */
const MIN_PIPE_PACKETS = 4;
/** Section "Exiting Acceleration Based on Bandwidth Plateau": less than a quarter more in three rounds. */
const FULL_BW_GROWTH = 1.25;
const FULL_BW_ROUNDS = 3;
/** BBRStartupFullLossCnt: so many ranges lost in a round tell a full queue from noise. */
const STARTUP_LOST_RANGES = 6;
/** Linux v3, full_ecn_cnt: rounds with too many marks after which Startup ends. */
const STARTUP_ECN_ROUNDS = 2;
/** Section "Drain": what interactions with others made of the estimate may keep inflight up; three rounds are enough. */
const DRAIN_ROUNDS = 3;
/** T_reno_bound: rounds between probes up to which Reno on the same path keeps pace. */
const RENO_ROUNDS = 63;
/** PickProbeWait: U(2 s, 3 s) */
const PROBE_WAIT_BASE_US = 2 * MICROS_PER_SEC;
const PROBE_WAIT_SPREAD_US = MICROS_PER_SEC;
/** BBR.ExtraAckedFilterLen, and what Startup remembers, rounds */
const EXTRA_ACKED_ROUNDS = 10;
const EXTRA_ACKED_STARTUP_ROUNDS = 1;
/** RaiseInflightLongtermSlope: 2^30 packets are beyond any window. */
const MAX_UP_ROUNDS = 30;
/** SetSendQuantum: 1 ms of the pacing rate, between two packets and 64 KB. */
const QUANTUM_US = 1_000;
const MAX_QUANTUM_BYTES = 64 * 1024;
const MIN_QUANTUM_PACKETS = 2;
/** InitPacingRate: the round trip that is assumed before the first sample */
const NOMINAL_RTT_US = 1_000;

/** What an ACK tells: the rate sample (RS) and the connection (C) after it. */
export interface Bbr3Ack {
  readonly nowUs: Micros;
  /** C.delivered */
  readonly deliveredBytes: Bytes;
  /** RS.newly_acked */
  readonly newlyAckedBytes: Bytes;
  /** of the newest packet that was acknowledged: RS.prior_delivered, RS.tx_in_flight, RS.lost, RS.is_app_limited */
  readonly priorDeliveredBytes: Bytes;
  readonly txInflightBytes: Bytes;
  readonly lostBytes: Bytes;
  readonly appLimited: boolean;
  /** RS.delivery_rate; 0: none */
  readonly rateBytesPerSec: BytesPerSec;
  /** RS.rtt; 0: none */
  readonly rttUs: Micros;
  /** C.inflight */
  readonly inflightBytes: Bytes;
  /** the window was used up when the ACK came */
  readonly cwndLimited: boolean;
  /** newly acknowledged with Congestion Experienced */
  readonly ecnBytes: Bytes;
}

/** One object for all ACKs of a flow, to be filled in. */
export function blankAck(): { -readonly [Field in keyof Bbr3Ack]: Bbr3Ack[Field] } {
  return {
    nowUs: 0,
    deliveredBytes: 0,
    newlyAckedBytes: 0,
    priorDeliveredBytes: 0,
    txInflightBytes: 0,
    lostBytes: 0,
    appLimited: false,
    rateBytesPerSec: 0,
    rttUs: 0,
    inflightBytes: 0,
    cwndLimited: false,
    ecnBytes: 0,
  };
}

/** What a packet that was judged lost tells. */
export interface Bbr3Loss {
  readonly bytes: Bytes;
  /** P.tx_in_flight */
  readonly txInflightBytes: Bytes;
  /** C.lost - P.lost, itself included */
  readonly lostBytes: Bytes;
  readonly appLimited: boolean;
  /** what was sent just before it was not lost: it begins a range of its own */
  readonly startsRange: boolean;
}

export interface Bbr3Start {
  readonly nowUs: Micros;
  readonly mssBytes: Bytes;
  readonly initialCwndBytes: Bytes;
  /** absent: flows of one start probe in step */
  readonly rng?: Rng;
}

/** What changes at a transition or an ACK, for tests and traces. */
export type Bbr3Moment =
  | { readonly kind: "ack"; readonly nowUs: Micros }
  | { readonly kind: "state"; readonly nowUs: Micros; readonly from: Bbr3State; readonly to: Bbr3State }
  /** a loss recovery was spurious; `undoState`: the state that it had ended, where there is one */
  | { readonly kind: "undo"; readonly nowUs: Micros; readonly undoState: Bbr3Model["undoState"] }
  | { readonly kind: "save" | "high-loss" | "idle-restart"; readonly nowUs: Micros };

export type Bbr3Watch = (moment: Bbr3Moment, model: Bbr3Model) => void;

export class Bbr3Model {
  readonly mssBytes: Bytes;
  state: Bbr3State = "startup";
  pacingGain: number = STARTUP_PACING_GAIN;
  cwndGain: number = DEFAULT_CWND_GAIN;
  cwndBytes: Bytes;
  pacingRateBytesPerSec: BytesPerSec;
  sendQuantumBytes: Bytes;
  /** BBR.bw */
  bw: BytesPerSec = 0;
  bwShortterm: BytesPerSec = Infinity;
  inflightShortterm: Bytes = Infinity;
  inflightLongterm: Bytes = Infinity;
  extraAckedBytes: Bytes = 0;
  maxInflightBytes: Bytes = 0;
  minRttUs: Micros = Infinity;
  probeRttMinDelayUs: Micros = Infinity;
  fullBwReached = false;
  fullBwNow = false;
  fullBwCount = 0;
  idleRestart = false;
  ackPhase: AckPhase = "init";
  bwProbeWaitUs: Micros = 0;
  bwProbeUpRounds = 0;
  prevProbeTooHigh = false;
  prevProbePrecautionary = false;
  undoState: "startup" | "probe-bw-up" | undefined;
  undoBwShortterm: BytesPerSec = 0;
  undoInflightShortterm: Bytes = 0;
  undoInflightLongterm: Bytes = 0;
  readonly round: PacketRounds = new PacketRounds();
  /** the one at hand, else the latest */
  latestAck: Bbr3Ack | undefined;
  readonly #rng: Rng | undefined;
  readonly #watch: Bbr3Watch | undefined;
  readonly #initialCwndBytes: Bytes;
  readonly #lossThreshold: number;
  readonly #beta: number;
  readonly #headroom: number;
  readonly #ecnThreshold: number;
  readonly #probeRttUs: Micros;
  readonly #probeRttEveryUs: Micros;
  readonly #minRttWindowUs: Micros;
  #nowUs: Micros;
  /** best sample of the previous ProbeBW cycle and of the current one (BBR.max_bw_filter) */
  readonly #maxBw: [BytesPerSec, BytesPerSec] = [0, 0];
  #bwLatest: BytesPerSec = 0;
  #inflightLatest: Bytes = 0;
  #fullBw: BytesPerSec = 0;
  /** rounds in which losses are counted: as `round`, but from the first loss on */
  #lossRoundDelivered: Bytes = 0;
  #lossRoundStart = false;
  #isLossInRound = false;
  #lostRanges = 0;
  #ecnRounds = 0;
  #ecnInRound: Bytes = 0;
  #ackedInRound: Bytes = 0;
  #isBwProbeSample = false;
  #bwProbeUpAcked: Bytes = 0;
  #probeUpAckedPerInc: Bytes = Infinity;
  #roundsSinceProbeUp = 0;
  #cycleStampUs: Micros = 0;
  #drainStartRound = 0;
  #minRttStampUs: Micros;
  #probeRttMinStampUs: Micros;
  #probeRttExpired = false;
  #probeRttDoneUs: Micros = 0;
  #probeRttRoundDone = false;
  #hasRtt = false;
  /** in fast recovery or after a timeout, and since which round */
  #recovery: { readonly kind: "fast" | "timeout"; readonly sinceRound: number } | undefined;
  #priorCwnd: Bytes = 0;
  readonly #extraAcked: WindowedRoundMax = new WindowedRoundMax();
  #extraAckedStartUs: Micros;
  #extraAckedDelivered: Bytes = 0;
  /** C.is_cwnd_limited: the window was used up in this round, or in the one before */
  #limitedInRound = false;
  #limitedInLastRound = false;
  /** P.delivered of the packets that a bubble of ours makes application-limited (MarkConnectionAppLimited) */
  #bubbleFrom: Bytes = 0;
  #bubbleUntil: Bytes = -1;

  constructor(start: Bbr3Start, params: ParamValues, watch?: Bbr3Watch) {
    const { nowUs, mssBytes, initialCwndBytes } = start;
    this.mssBytes = mssBytes;
    this.#rng = start.rng;
    this.#watch = watch;
    this.#lossThreshold = params["lossThreshold"]!;
    this.#beta = params["beta"]!;
    this.#headroom = params["headroom"]!;
    this.#ecnThreshold = params["ecnThreshold"]!;
    this.#probeRttUs = params["probeRttMs"]! * 1000;
    this.#probeRttEveryUs = params["probeRttEverySec"]! * MICROS_PER_SEC;
    this.#minRttWindowUs = params["minRttWindowSec"]! * MICROS_PER_SEC;
    this.#nowUs = nowUs;
    this.#minRttStampUs = this.#probeRttMinStampUs = this.#extraAckedStartUs = nowUs;
    this.cwndBytes = this.#initialCwndBytes = initialCwndBytes;
    this.pacingRateBytesPerSec = this.#nominalRate(NOMINAL_RTT_US);
    this.sendQuantumBytes = this.#quantum();
  }

  get maxBw(): BytesPerSec {
    return Math.max(this.#maxBw[0], this.#maxBw[1]);
  }

  get isCwndLimited(): boolean {
    return this.#limitedInRound || this.#limitedInLastRound;
  }

  get isInRecovery(): boolean {
    return this.#recovery !== undefined;
  }

  get drainStartRound(): number {
    return this.#drainStartRound;
  }

  get minPipeBytes(): Bytes {
    return MIN_PIPE_PACKETS * this.mssBytes;
  }

  get isInProbeBw(): boolean {
    const { state } = this;
    return state !== "startup" && state !== "drain" && state !== "probe-rtt";
  }

  // Events                                                                              section "Algorithm Organization"

  /** UpdateOnACK */
  onAck(told: Bbr3Ack): void {
    const ack = this.isAppLimited(told.priorDeliveredBytes) ? { ...told, appLimited: true } : told;
    this.latestAck = ack;
    this.#nowUs = ack.nowUs;
    if (!this.#hasRtt && ack.rttUs > 0) {
      this.#hasRtt = true;
      this.pacingRateBytesPerSec = this.#nominalRate(ack.rttUs);
    }
    this.#updateLatestDeliverySignals(ack);
    this.#updateCongestionSignals(ack);
    this.#updateAckAggregation(ack);
    this.#checkFullBwReached(ack);
    this.#checkStartupDone(ack);
    this.#checkDrainDone(ack);
    this.#updateProbeBwCyclePhase(ack);
    this.#updateMinRtt(ack);
    this.#checkProbeRtt(ack);
    if (this.#lossRoundStart) {
      this.#bwLatest = ack.rateBytesPerSec;
      this.#inflightLatest = ack.deliveredBytes - ack.priorDeliveredBytes;
      this.#lostRanges = 0;
    }
    this.bw = Math.min(this.maxBw, this.bwShortterm);
    this.#setPacingRate(this.pacingGain);
    this.sendQuantumBytes = this.#quantum();
    this.#setCwnd(ack);
    this.#watch?.({ kind: "ack", nowUs: ack.nowUs }, this);
  }

  /** HandleLostPacket. @param deliveredBytes C.delivered */
  onLostPacket(nowUs: Micros, lost: Bbr3Loss, deliveredBytes: Bytes): void {
    this.#nowUs = nowUs;
    this.#noteLoss(deliveredBytes);
    if (lost.startsRange) this.#lostRanges += 1;
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
    this.#nowUs = nowUs;
    this.#recovery = undefined;
    this.#restoreCwnd();
    this.#isLossInRound = false;
    this.#resetFullBw();
    this.bwShortterm = Math.max(this.bwShortterm, this.undoBwShortterm);
    this.inflightShortterm = Math.max(this.inflightShortterm, this.undoInflightShortterm);
    this.inflightLongterm = Math.max(this.inflightLongterm, this.undoInflightLongterm);
    const { undoState } = this;
    this.undoState = undefined;
    this.#watch?.({ kind: "undo", nowUs, undoState }, this);
    if (undoState === undefined || undoState === this.state) return;
    if (undoState === "startup") this.fullBwReached = false;
    if (this.state === "probe-rtt") return;
    if (undoState === "startup") this.#enterStartup();
    else this.#startRefill(deliveredBytes);
  }

  /** HandleRestartFromIdle: a packet leaves where none was in flight, because there was nothing to send. */
  onRestartFromIdle(nowUs: Micros): void {
    this.#nowUs = nowUs;
    this.idleRestart = true;
    this.#extraAckedStartUs = nowUs;
    if (this.isInProbeBw) this.#setPacingRate(1);
    else if (this.state === "probe-rtt") this.#checkProbeRttDone();
    this.#watch?.({ kind: "idle-restart", nowUs }, this);
  }

  /** MarkConnectionAppLimited, by the algorithm itself or where no packet says it. */
  markAppLimited(deliveredBytes: Bytes, inflightBytes: Bytes): void {
    if (this.#bubbleUntil < deliveredBytes) this.#bubbleFrom = deliveredBytes;
    this.#bubbleUntil = Math.max(1, deliveredBytes + inflightBytes);
  }

  /** Of a packet that was sent when so much had been delivered: it followed such a mark. */
  isAppLimited(priorDeliveredBytes: Bytes): boolean {
    return priorDeliveredBytes >= this.#bubbleFrom && priorDeliveredBytes <= this.#bubbleUntil;
  }

  // States                                                                              section "State Machine Operation"

  #enter(state: Bbr3State, pacingGain: number, cwndGain: number = DEFAULT_CWND_GAIN): void {
    const from = this.state;
    this.state = state;
    this.pacingGain = pacingGain;
    this.cwndGain = cwndGain;
    if (from !== state) this.#watch?.({ kind: "state", nowUs: this.#nowUs, from, to: state }, this);
  }

  #enterStartup(): void {
    this.#enter("startup", STARTUP_PACING_GAIN);
  }

  #resetFullBw(): void {
    this.#fullBw = 0;
    this.fullBwCount = 0;
    this.fullBwNow = false;
  }

  #checkFullBwReached(ack: Bbr3Ack): void {
    if (this.fullBwNow || !this.round.isStart || ack.appLimited) return;
    if (ack.rateBytesPerSec >= this.#fullBw * FULL_BW_GROWTH) {
      this.#resetFullBw();
      this.#fullBw = ack.rateBytesPerSec;
      return;
    }
    this.fullBwCount += 1;
    this.fullBwNow = this.fullBwCount >= FULL_BW_ROUNDS;
    if (this.fullBwNow) this.fullBwReached = true;
  }

  #checkStartupDone(ack: Bbr3Ack): void {
    if (this.state !== "startup") return;
    this.#checkStartupHighLoss(ack);
    if (!this.fullBwReached) return;
    this.#drainStartRound = this.round.count;
    this.#enter("drain", DRAIN_PACING_GAIN);
  }

  #checkStartupHighLoss(ack: Bbr3Ack): void {
    const { sinceRound, kind } = this.#recovery ?? {};
    const lossesAreHigh =
      this.#lossRoundStart &&
      kind === "fast" &&
      this.round.count > sinceRound! &&
      this.#lostRanges >= STARTUP_LOST_RANGES &&
      this.#isTooHigh(ack.lostBytes, ack.txInflightBytes);
    if (!lossesAreHigh && this.#ecnRounds < STARTUP_ECN_ROUNDS) return;
    this.undoState = "startup";
    this.fullBwNow = this.fullBwReached = true;
    this.inflightLongterm = Math.max(this.#bdp(1), this.#inflightLatest);
    this.#watch?.({ kind: "high-loss", nowUs: this.#nowUs }, this);
  }

  #checkDrainDone(ack: Bbr3Ack): void {
    if (this.state !== "drain") return;
    const isLong = this.round.count > this.#drainStartRound + DRAIN_ROUNDS;
    if (ack.inflightBytes <= this.inflight(1) || isLong) this.#startDown(ack.deliveredBytes);
  }

  #startDown(deliveredBytes: Bytes): void {
    this.#resetCongestionSignals();
    this.#probeUpAckedPerInc = Infinity;
    this.#pickProbeWait();
    this.#cycleStampUs = this.#nowUs;
    this.ackPhase = "probe-stopping";
    this.round.start(deliveredBytes);
    this.#enter("probe-bw-down", DOWN_PACING_GAIN);
  }

  #startRefill(deliveredBytes: Bytes): void {
    this.#resetShortTermModel();
    this.bwProbeUpRounds = 0;
    this.#bwProbeUpAcked = 0;
    this.prevProbePrecautionary = false;
    this.ackPhase = "refilling";
    this.round.start(deliveredBytes);
    this.#enter("probe-bw-refill", 1);
  }

  #startUp(ack: Bbr3Ack): void {
    this.ackPhase = "probe-starting";
    this.round.start(ack.deliveredBytes);
    this.#resetFullBw();
    this.#fullBw = ack.rateBytesPerSec;
    this.#enter("probe-bw-up", UP_PACING_GAIN, UP_CWND_GAIN);
    this.#raiseInflightLongtermSlope();
  }

  #updateProbeBwCyclePhase(ack: Bbr3Ack): void {
    if (!this.fullBwReached || this.#adaptLongTermModel(ack)) return;
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
    const renoRounds = Math.min(this.#targetInflight() / this.mssBytes, RENO_ROUNDS);
    const isTime =
      this.#nowUs > this.#cycleStampUs + this.bwProbeWaitUs || this.#roundsSinceProbeUp >= renoRounds;
    if (isTime) this.#startRefill(ack.deliveredBytes);
    return isTime;
  }

  #pickProbeWait(): void {
    this.#roundsSinceProbeUp = this.#rng === undefined ? 0 : Math.floor(2 * this.#rng.next());
    this.bwProbeWaitUs = PROBE_WAIT_BASE_US + PROBE_WAIT_SPREAD_US * (this.#rng?.next() ?? 0.5);
  }

  #isTimeToCruise({ inflightBytes }: Bbr3Ack): boolean {
    return inflightBytes <= this.inflightWithHeadroom() && inflightBytes <= this.inflight(1, this.maxBw);
  }

  #isTimeToGoDown(ack: Bbr3Ack): boolean {
    if (this.prevProbeTooHigh && ack.inflightBytes >= this.inflightLongterm) {
      this.prevProbePrecautionary = true;
      return true;
    }
    if (this.isCwndLimited && this.cwndBytes >= this.inflightLongterm) {
      // the bandwidth is limited by inflightLongterm, which must grow before it can tell anything
      this.#resetFullBw();
      this.#fullBw = ack.rateBytesPerSec;
      return false;
    }
    return this.fullBwNow;
  }

  #raiseInflightLongtermSlope(): void {
    const growth = 2 ** this.bwProbeUpRounds;
    this.bwProbeUpRounds = Math.min(this.bwProbeUpRounds + 1, MAX_UP_ROUNDS);
    this.#probeUpAckedPerInc = Math.max(this.cwndBytes / growth, this.mssBytes);
  }

  #probeInflightLongtermUpward(ack: Bbr3Ack): void {
    if (!this.isCwndLimited || this.cwndBytes < this.inflightLongterm) return;
    this.#bwProbeUpAcked += ack.newlyAckedBytes;
    if (this.#bwProbeUpAcked >= this.#probeUpAckedPerInc) {
      const delta = Math.floor(this.#bwProbeUpAcked / this.#probeUpAckedPerInc);
      this.#bwProbeUpAcked -= delta * this.#probeUpAckedPerInc;
      this.inflightLongterm += delta * this.mssBytes;
    }
    if (this.round.isStart) this.#raiseInflightLongtermSlope();
  }

  /** @returns whether it decided a transition */
  #adaptLongTermModel(ack: Bbr3Ack): boolean {
    if (this.ackPhase === "probe-starting" && this.round.isStart) this.ackPhase = "probe-feedback";
    if (this.ackPhase === "probe-stopping" && this.round.isStart) {
      this.#isBwProbeSample = false;
      this.ackPhase = "init";
      if (this.isInProbeBw && !ack.appLimited) this.#advanceMaxBwFilter();
      if (this.isInProbeBw && this.prevProbePrecautionary && !this.prevProbeTooHigh) {
        this.#startRefill(ack.deliveredBytes);
        return true;
      }
    }
    if (this.#isTooHigh(ack.lostBytes, ack.txInflightBytes) || this.inflightLongterm === Infinity)
      return false;
    this.inflightLongterm = Math.max(this.inflightLongterm, ack.txInflightBytes);
    if (this.state === "probe-bw-up") this.#probeInflightLongtermUpward(ack);
    return false;
  }

  #updateMinRtt({ rttUs }: Bbr3Ack): void {
    const nowUs = this.#nowUs;
    this.#probeRttExpired = nowUs > this.#probeRttMinStampUs + this.#probeRttEveryUs;
    if (rttUs > 0 && (rttUs < this.probeRttMinDelayUs || this.#probeRttExpired)) {
      this.probeRttMinDelayUs = rttUs;
      this.#probeRttMinStampUs = nowUs;
    }
    const isExpired = nowUs > this.#minRttStampUs + this.#minRttWindowUs;
    if (this.probeRttMinDelayUs < this.minRttUs || isExpired) {
      this.minRttUs = this.probeRttMinDelayUs;
      this.#minRttStampUs = this.#probeRttMinStampUs;
    }
  }

  #checkProbeRtt(ack: Bbr3Ack): void {
    if (this.state !== "probe-rtt" && this.#probeRttExpired && !this.idleRestart) {
      this.#saveCwnd();
      this.#enter("probe-rtt", 1, PROBE_RTT_CWND_GAIN);
      this.#probeRttDoneUs = 0;
      this.ackPhase = "probe-stopping";
      this.round.start(ack.deliveredBytes);
    }
    if (this.state === "probe-rtt") this.#handleProbeRtt(ack);
    if (ack.deliveredBytes > ack.priorDeliveredBytes) this.idleRestart = false;
  }

  #handleProbeRtt(ack: Bbr3Ack): void {
    this.markAppLimited(ack.deliveredBytes, ack.inflightBytes);
    if (this.#probeRttDoneUs === 0) {
      if (ack.inflightBytes > this.#probeRttCwnd()) return;
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
    this.#probeRttMinStampUs = this.#nowUs;
    this.#restoreCwnd();
    this.#resetShortTermModel();
    if (!this.fullBwReached) {
      this.#enterStartup();
      return;
    }
    // inflight is below the estimated BDP already: nothing is to be drained
    this.#startDown(this.round.deliveredBytes);
    this.#enter("probe-bw-cruise", 1);
  }

  // The model                                                             section "Updating Network Path Model Parameters"

  #updateLatestDeliverySignals(ack: Bbr3Ack): void {
    this.#bwLatest = Math.max(this.#bwLatest, ack.rateBytesPerSec);
    this.#inflightLatest = Math.max(this.#inflightLatest, ack.deliveredBytes - ack.priorDeliveredBytes);
    this.#lossRoundStart = ack.priorDeliveredBytes >= this.#lossRoundDelivered;
    if (this.#lossRoundStart) this.#lossRoundDelivered = ack.deliveredBytes;
  }

  #updateCongestionSignals(ack: Bbr3Ack): void {
    this.#updateMaxBw(ack);
    this.#ackedInRound += ack.newlyAckedBytes;
    this.#ecnInRound += ack.ecnBytes;
    if (ack.ecnBytes > 0) this.#noteLoss(ack.deliveredBytes);
    if (this.round.isStart) this.#readMarks(ack);
    if (!this.#lossRoundStart) return;
    this.#adaptLowerBounds();
    this.#isLossInRound = false;
  }

  /** UpdateMaxBw, UpdateRound */
  #updateMaxBw(ack: Bbr3Ack): void {
    if (this.round.onAck(ack.priorDeliveredBytes, ack.deliveredBytes)) {
      this.#roundsSinceProbeUp += 1;
      this.#limitedInLastRound = this.#limitedInRound;
      this.#limitedInRound = false;
    }
    this.#limitedInRound ||= ack.cwndLimited;
    const rate = ack.rateBytesPerSec;
    if (rate > 0 && (rate >= this.maxBw || !ack.appLimited)) this.#maxBw[1] = Math.max(this.#maxBw[1], rate);
  }

  #advanceMaxBwFilter(): void {
    if (this.#maxBw[1] === 0) return;
    this.#maxBw[0] = this.#maxBw[1];
    this.#maxBw[1] = 0;
  }

  #readMarks(ack: Bbr3Ack): void {
    const isHigh = this.#ecnInRound > this.#ecnThreshold * this.#ackedInRound;
    this.#ecnRounds = isHigh ? this.#ecnRounds + 1 : 0;
    this.#ecnInRound = this.#ackedInRound = 0;
    if (isHigh && this.#isBwProbeSample) {
      this.#handleInflightTooHigh(ack.txInflightBytes, ack.appLimited, ack.deliveredBytes);
    }
  }

  #updateAckAggregation(ack: Bbr3Ack): void {
    let expected = (this.bw * (this.#nowUs - this.#extraAckedStartUs)) / MICROS_PER_SEC;
    if (this.#extraAckedDelivered <= expected) {
      this.#extraAckedDelivered = expected = 0;
      this.#extraAckedStartUs = this.#nowUs;
    }
    this.#extraAckedDelivered += ack.newlyAckedBytes;
    const extra = Math.min(this.#extraAckedDelivered - expected, this.cwndBytes);
    const rounds = this.fullBwReached ? EXTRA_ACKED_ROUNDS : EXTRA_ACKED_STARTUP_ROUNDS;
    this.extraAckedBytes = this.#extraAcked.add(extra, this.round.count, rounds);
  }

  #isTooHigh(lostBytes: Bytes, txInflightBytes: Bytes): boolean {
    return lostBytes > txInflightBytes * this.#lossThreshold;
  }

  #handleInflightTooHigh(txInflightBytes: Bytes, appLimited: boolean, deliveredBytes: Bytes): void {
    this.prevProbeTooHigh = true;
    this.#isBwProbeSample = false;
    if (!appLimited) this.inflightLongterm = Math.max(txInflightBytes, this.#targetInflight() * this.#beta);
    if (this.state !== "probe-bw-up") return;
    this.undoState = "probe-bw-up";
    this.#startDown(deliveredBytes);
  }

  #noteLoss(deliveredBytes: Bytes): void {
    if (!this.#isLossInRound) {
      this.#lossRoundDelivered = deliveredBytes;
      this.#saveState();
    }
    this.#isLossInRound = true;
  }

  /** AdaptLowerBoundsFromCongestion */
  #adaptLowerBounds(): void {
    const { state } = this;
    const isProbing = state === "startup" || state === "probe-bw-refill" || state === "probe-bw-up";
    if (isProbing || !this.#isLossInRound) return;
    if (this.bwShortterm === Infinity) this.bwShortterm = this.maxBw;
    if (this.inflightShortterm === Infinity) this.inflightShortterm = this.cwndBytes;
    this.bwShortterm = Math.max(this.#bwLatest, this.#beta * this.bwShortterm);
    this.inflightShortterm = Math.max(this.#inflightLatest, this.#beta * this.inflightShortterm);
  }

  #resetCongestionSignals(): void {
    this.#isLossInRound = false;
    this.#bwLatest = 0;
    this.#inflightLatest = 0;
  }

  #resetShortTermModel(): void {
    this.bwShortterm = this.inflightShortterm = Infinity;
  }

  /** SaveStateUponLoss */
  #saveState(): void {
    this.#saveCwnd();
    this.undoState = undefined;
    this.undoBwShortterm = this.bwShortterm;
    this.undoInflightShortterm = this.inflightShortterm;
    this.undoInflightLongterm = this.inflightLongterm;
    this.#watch?.({ kind: "save", nowUs: this.#nowUs }, this);
  }

  #saveCwnd(): void {
    const isPlain = this.#recovery === undefined && this.state !== "probe-rtt";
    this.#priorCwnd = isPlain ? this.cwndBytes : Math.max(this.#priorCwnd, this.cwndBytes);
  }

  #restoreCwnd(): void {
    this.cwndBytes = Math.max(this.cwndBytes, this.#priorCwnd);
  }

  // Control                                                                       section "Updating Control Parameters"

  #nominalRate(rttUs: Micros): BytesPerSec {
    return (STARTUP_PACING_GAIN * this.#initialCwndBytes * MICROS_PER_SEC) / rttUs;
  }

  #setPacingRate(gain: number): void {
    const rate = gain * this.bw * PACING_SHARE;
    if (this.fullBwReached || rate > this.pacingRateBytesPerSec) this.pacingRateBytesPerSec = rate;
  }

  #quantum(): Bytes {
    const bytes = (this.pacingRateBytesPerSec * QUANTUM_US) / MICROS_PER_SEC;
    return Math.max(Math.min(bytes, MAX_QUANTUM_BYTES), MIN_QUANTUM_PACKETS * this.mssBytes);
  }

  /** BDPMultiple */
  #bdp(gain: number, bw: BytesPerSec = this.bw): Bytes {
    if (this.minRttUs === Infinity) return this.#initialCwndBytes;
    return (gain * bw * this.minRttUs) / MICROS_PER_SEC;
  }

  /** QuantizationBudget, where a sender paces each packet: one quantum is under way. */
  #withBudget(bytes: Bytes): Bytes {
    const budget = Math.max(bytes, this.sendQuantumBytes, this.minPipeBytes);
    return this.state === "probe-bw-up" ? budget + 2 * this.mssBytes : budget;
  }

  /** Inflight(gain) */
  inflight(gain: number, bw: BytesPerSec = this.bw): Bytes {
    return this.#withBudget(this.#bdp(gain, bw));
  }

  inflightWithHeadroom(): Bytes {
    const longterm = this.inflightLongterm;
    if (longterm === Infinity) return Infinity;
    return Math.max(longterm - Math.max(this.mssBytes, this.#headroom * longterm), this.minPipeBytes);
  }

  #targetInflight(): Bytes {
    return Math.min(this.#bdp(1), this.cwndBytes);
  }

  #probeRttCwnd(): Bytes {
    return Math.max(this.#bdp(PROBE_RTT_CWND_GAIN), this.minPipeBytes);
  }

  /** The window grows by what is acknowledged as long as it is below; BBR.max_inflight, or no bound before anything is known. */
  growthTarget(deliveredBytes: Bytes): Bytes {
    if (this.fullBwReached) return Infinity;
    return deliveredBytes < this.#initialCwndBytes ? Infinity : this.maxInflightBytes;
  }

  /** The window is never above: max_inflight once the pipe was full, ProbeRTT's window, and BoundCwndForModel. */
  ceiling(): Bytes {
    const { state } = this;
    let cap = this.inflightShortterm;
    if (this.isInProbeBw && state !== "probe-bw-cruise") cap = Math.min(cap, this.inflightLongterm);
    else if (state === "probe-rtt" || state === "probe-bw-cruise") {
      cap = Math.min(cap, this.inflightWithHeadroom());
    }
    if (state === "probe-rtt") cap = Math.min(cap, this.#probeRttCwnd());
    if (this.fullBwReached) cap = Math.min(cap, this.maxInflightBytes);
    return Math.max(cap, this.minPipeBytes);
  }

  #setCwnd(ack: Bbr3Ack): void {
    this.maxInflightBytes = this.#withBudget(this.#bdp(this.cwndGain) + this.extraAckedBytes);
    let cwnd = this.cwndBytes;
    if (cwnd < this.growthTarget(ack.deliveredBytes)) cwnd += ack.newlyAckedBytes;
    this.cwndBytes = Math.min(Math.max(cwnd, this.minPipeBytes), this.ceiling());
  }
}
