/**
 * What BBRv3 controls, from its model of the path: pacing rate, burst and window (draft-ietf-ccwg-bbr, "Updating Control
 * Parameters"). `model.ts` has the states that choose gains and bounds.
 */
import type { Rng } from "../../core/random.ts";
import { type Bytes, type BytesPerSec, MICROS_PER_SEC, type Micros } from "../../core/units.ts";
import type { ParamValues } from "../spec.ts";
import type { Bbr3Ack } from "./ack.ts";
import { AckAggregation } from "./ack-aggregation.ts";
import { CongestionSignals } from "./congestion-signals.ts";
import * as draft from "./constants.ts";
import { MaxBandwidth } from "./filters.ts";
import { MinRtt } from "./min-rtt.ts";
import { FullPipe, LongTermInflight } from "./probing.ts";

export type Bbr3State =
  | "startup"
  | "drain"
  | "probe-bw-down"
  | "probe-bw-cruise"
  | "probe-bw-refill"
  | "probe-bw-up"
  | "probe-rtt";

export interface Bbr3Start {
  readonly nowUs: Micros;
  readonly mssBytes: Bytes;
  readonly initialCwndBytes: Bytes;
  /** absent: flows of one start probe in step */
  readonly rng?: Rng;
}

// Fields that are numbers begin as numbers: V8 keeps one that begins as undefined in a new object at each write.
export class Bbr3Control {
  readonly mssBytes: Bytes;
  state: Bbr3State = "startup";
  pacingGain: number = draft.STARTUP_PACING_GAIN;
  cwndGain: number = draft.DEFAULT_CWND_GAIN;
  cwndBytes: Bytes = 0;
  pacingRateBytesPerSec: BytesPerSec = 0;
  sendQuantumBytes: Bytes = 0;
  /** BBR.bw */
  bw: BytesPerSec = 0;
  maxInflightBytes: Bytes = 0;
  readonly maxBw: MaxBandwidth = new MaxBandwidth();
  readonly signals: CongestionSignals;
  readonly aggregation: AckAggregation;
  readonly minRtt: MinRtt;
  readonly fullPipe: FullPipe = new FullPipe();
  readonly longTerm: LongTermInflight;
  protected readonly beta: number;
  readonly #initialCwndBytes: Bytes;
  readonly #minPipeBytes: Bytes;
  readonly #headroom: number;

  constructor({ nowUs, mssBytes, initialCwndBytes }: Bbr3Start, params: ParamValues) {
    this.mssBytes = mssBytes;
    this.#minPipeBytes = draft.MIN_PIPE_PACKETS * mssBytes;
    this.beta = params["beta"]!;
    this.#headroom = params["headroom"]!;
    this.signals = new CongestionSignals(this.beta, params["ecnThreshold"]!);
    this.aggregation = new AckAggregation(nowUs);
    this.longTerm = new LongTermInflight(mssBytes);
    this.minRtt = new MinRtt(
      nowUs,
      params["probeRttEverySec"]! * MICROS_PER_SEC,
      params["minRttWindowSec"]! * MICROS_PER_SEC,
    );
    this.cwndBytes = this.#initialCwndBytes = initialCwndBytes;
    this.initPacingRate(draft.NOMINAL_RTT_US);
    this.updateSendQuantum();
  }

  /** InitPacingRate */
  protected initPacingRate(rttUs: Micros): void {
    this.pacingRateBytesPerSec =
      (draft.STARTUP_PACING_GAIN * this.#initialCwndBytes * MICROS_PER_SEC) / rttUs;
  }

  /** SetPacingRateWithGain */
  protected setPacingRate(gain: number): void {
    const rate = gain * this.bw * draft.PACING_SHARE;
    if (this.fullPipe.reached || rate > this.pacingRateBytesPerSec) this.pacingRateBytesPerSec = rate;
  }

  /** SetSendQuantum */
  protected updateSendQuantum(): void {
    const bytes = Math.min(
      (this.pacingRateBytesPerSec * draft.QUANTUM_US) / MICROS_PER_SEC,
      draft.MAX_QUANTUM_BYTES,
    );
    this.sendQuantumBytes = Math.max(bytes, draft.MIN_QUANTUM_PACKETS * this.mssBytes);
  }

  /** BDPMultiple */
  protected bdp(gain: number, bw: BytesPerSec = this.bw): Bytes {
    const rttUs = this.minRtt.us;
    return rttUs === Infinity ? this.#initialCwndBytes : (gain * bw * rttUs) / MICROS_PER_SEC;
  }

  /** QuantizationBudget, where a sender paces each packet: one quantum is under way. */
  #withBudget(bytes: Bytes): Bytes {
    const budget = Math.max(bytes, this.sendQuantumBytes, this.#minPipeBytes);
    return this.state === "probe-bw-up" ? budget + 2 * this.mssBytes : budget;
  }

  /** Inflight(gain) */
  inflight(gain: number, bw: BytesPerSec = this.bw): Bytes {
    return this.#withBudget(this.bdp(gain, bw));
  }

  inflightWithHeadroom(): Bytes {
    const longterm = this.longTerm.bytes;
    if (longterm === Infinity) return Infinity;
    return Math.max(longterm - Math.max(this.mssBytes, this.#headroom * longterm), this.#minPipeBytes);
  }

  protected targetInflight(): Bytes {
    return Math.min(this.bdp(1), this.cwndBytes);
  }

  protected probeRttCwnd(): Bytes {
    return Math.max(this.bdp(draft.PROBE_RTT_CWND_GAIN), this.#minPipeBytes);
  }

  /** The window grows by what is acknowledged as long as it is below; BBR.max_inflight, or no bound before anything is known. */
  growthTarget(deliveredBytes: Bytes): Bytes {
    if (this.fullPipe.reached) return Infinity;
    return deliveredBytes < this.#initialCwndBytes ? Infinity : this.maxInflightBytes;
  }

  /** The window is never above: max_inflight once the pipe was full, ProbeRTT's window, and BoundCwndForModel. */
  ceiling(): Bytes {
    let cap = this.signals.inflightShortterm;
    switch (this.state) {
      case "probe-bw-down":
      case "probe-bw-refill":
      case "probe-bw-up":
        cap = Math.min(cap, this.longTerm.bytes);
        break;
      case "probe-bw-cruise":
        cap = Math.min(cap, this.inflightWithHeadroom());
        break;
      case "probe-rtt":
        cap = Math.min(cap, this.inflightWithHeadroom(), this.probeRttCwnd());
    }
    if (this.fullPipe.reached) cap = Math.min(cap, this.maxInflightBytes);
    return Math.max(cap, this.#minPipeBytes);
  }

  /** UpdateMaxInflight, SetCwnd */
  protected setCwnd(ack: Bbr3Ack): void {
    this.maxInflightBytes = this.#withBudget(this.bdp(this.cwndGain) + this.aggregation.bytes);
    let cwnd = this.cwndBytes;
    if (cwnd < this.growthTarget(ack.deliveredBytes)) cwnd += ack.newlyAckedBytes;
    this.cwndBytes = Math.min(Math.max(cwnd, this.#minPipeBytes), this.ceiling());
  }
}
