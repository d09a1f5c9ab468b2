/**
 * Slow start as an axis of its own: how a flow doubles its window, and by what sign it leaves before the queue overflows. A kind is
 * one file with its rules, which act on samples (each ACK in the datapath, each report in an agent), and where it fits
 * into sixteen registers, its part of a datapath program.
 */
import type { AckEvent } from "../../ccp-bridge/congestion-control.ts";
import type { Bytes, Micros } from "../../core/units.ts";

/** 2 ln 2: the least pacing, in windows per round trip, that doubles a window every round, all through it. */
export const PACED_WINDOWS_PER_RTT: number = 2 * Math.LN2;

/** What came in since the last one, of a flow in slow start. */
export interface SlowStartSample {
  readonly nowUs: Micros;
  /** least RTT and number of RTT samples; Infinity and 0: none */
  readonly lowRttUs: Micros;
  readonly samples: number;
  /** of the flow's life */
  readonly minRttUs: Micros;
  /** totals since the flow's start */
  readonly deliveredBytes: Bytes;
  readonly sentBytes: Bytes;
  readonly cwndPackets: number;
  /** a window of data has been acknowledged since the last that did */
  readonly endsRound: boolean;
}

export interface SlowStartRules {
  /** @returns how much of what is acknowledged the window grows by: 1 doubles it each round; 0: slow start is over */
  onSample(sample: SlowStartSample): number;
}

/** Rules that read more of each ACK than a sample has. */
export interface PerAckRules {
  /** @returns whether slow start is over */
  onAck(ack: AckEvent, cwndPackets: number): boolean;
}

/** Statements of a datapath program (see `tcpProgram` for the locals that they may read). */
export interface SlowStartProgram {
  /** control variables, each `(name value)` */
  readonly controls: string;
  /** events behind the window's growth; they set `ssthresh` where slow start is over */
  readonly events: string;
  /** the same where packets are paced; absent: no other */
  readonly pacedEvents?: string;
  /** what the window grows by on an ACK; absent: all that it acknowledges */
  readonly growth?: string;
}

export interface SlowStart {
  readonly name: string;
  readonly source: string;
  /** its signs are hidden by bursts: unless told otherwise, the window grows as a rate, and packets are paced until it ends */
  readonly paces?: true;
  /** absent: only a loss ends it */
  readonly rules?: (nowUs: Micros) => SlowStartRules;
  /** in the datapath in place of `rules` */
  readonly perAck?: (nowUs: Micros) => PerAckRules;
  /** absent: the rules remember more than a program can, so that an agent applies them */
  readonly program?: SlowStartProgram;
}
