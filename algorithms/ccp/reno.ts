/**
 * Reno (RFC 5681, RFC 3465, RFC 6675) as a CCP algorithm. Slow start and additive increase run in the datapath program,
 * byte by byte, as they need every ACK; the agent decides what a loss or a timeout costs.
 *
 *   slow start ──── cwnd reaches ssthresh ────▶ congestion avoidance: one segment per window
 *       ▲  │ loss: ssthresh = cwnd = cwnd / 2 ─────────▲ │
 *       └──┴────── timeout: ssthresh = cwnd / 2, cwnd = 1 segment ─┘
 */
import type {
  CcpAlgorithm,
  CcpFlow,
  FlowControl,
  FlowInfo,
  Report,
} from "../../ccp-bridge/agent/algorithm.ts";
import type { Bytes, Micros } from "../../core/units.ts";
import { hasAbe, RENO_ABE_BETA } from "../native/abe.ts";
import { nativeReno, RENO_BETA, RENO_PARAMS, wholePackets } from "../native/reno.ts";
import type { AlgorithmSpec } from "../spec.ts";
import { type Fields, LossAnswers } from "./parts/loss-answers.ts";
import { AgentSlowStart, type CcpSlowStart, ccpSlowStart, withSlowStart } from "./parts/slow-start.ts";
import { EPISODE, type TcpProgramParts, tcpProgram } from "./parts/tcp-program.ts";

/** RFC 5681 equation (4): at least two segments, or fast retransmit could never start again. */
export const MIN_SSTHRESH_PACKETS = 2;

/** Congestion avoidance: `credit` counts acknowledged bytes; a window's worth of them buys one segment. */
export const ADDITIVE_INCREASE = `
(when (&& growing (> (+ Cwnd 1) ssthresh))
  (:= credit (+ credit newly))
)
(when (> (+ credit 1) Cwnd)
  (:= credit (- credit Cwnd))
  (:= Cwnd (+ Cwnd mss))
)`;

const AT_INTERVAL = tcpProgram({ events: ADDITIVE_INCREASE, hears: "at-interval" });

const PARTS: TcpProgramParts = {
  events: `
${ADDITIVE_INCREASE}
(when (> Micros Flow.rtt_sample_us)
  (:= Micros 0)
  (report)
)`,
};

/** What Reno's rules make of a loss or timeout, also for the algorithms that fall back to them. */
export class RenoReaction {
  readonly #mssBytes: Bytes;
  readonly #answers: LossAnswers;
  readonly #beta: number;

  /** @param answers shared with an algorithm that gives answers of its own */
  constructor(mssBytes: Bytes, answers: LossAnswers = new LossAnswers(), beta: number = RENO_BETA.default) {
    this.#beta = beta;
    this.#mssBytes = mssBytes;
    this.#answers = answers;
  }

  /** The fields to send, or undefined where the report tells of neither or of a timeout already answered. */
  answer(report: Report): Fields | undefined {
    const mss = this.#mssBytes;
    const ssthresh = Math.max(wholePackets(report.get("cwnd") * this.#beta, mss), MIN_SSTHRESH_PACKETS * mss);
    switch (report.get("episode")) {
      case EPISODE.loss:
        if (!this.#answers.isCurrent(report)) return this.#answers.repeat();
        return this.#answers.answer({ Cwnd: ssthresh, ssthresh, credit: 0 });
      case EPISODE.marks: {
        if (!this.#answers.isCurrent(report)) return undefined;
        const left = Math.max(Math.floor(report.get("cwnd") * RENO_ABE_BETA), MIN_SSTHRESH_PACKETS * mss);
        return this.#answers.answer({ Cwnd: left, ssthresh: left, credit: 0 });
      }
      case EPISODE.timeout:
        return this.#answers.answer({ ssthresh, credit: 0 });
      default:
        return undefined;
    }
  }

  /** True if the report was made after the last answer took effect. */
  isCurrent(report: Report): boolean {
    return this.#answers.isCurrent(report);
  }
}

export interface RenoOptions {
  /** the agent hears of losses only at reports so many microseconds apart; absent: at once, and of the rest once per RTT */
  readonly reportEveryUs?: Micros;
  /** what a cut leaves of the window */
  readonly beta?: number;
  /** a mark takes less of the window than a loss, RFC 8511; not with `reportEveryUs` */
  readonly abe?: boolean;
  /** absent: the standard one, in the program; not with `reportEveryUs` */
  readonly slowStart?: CcpSlowStart;
}

class RenoFlow implements CcpFlow {
  readonly #control: FlowControl;
  readonly #reaction: RenoReaction;
  /** absent: the program sees to it */
  readonly #slowStart: AgentSlowStart | undefined;
  #ssthreshBytes: Bytes = Infinity;

  constructor(control: FlowControl, info: FlowInfo, { reportEveryUs, beta, slowStart }: RenoOptions) {
    this.#control = control;
    if (slowStart?.reports) this.#slowStart = new AgentSlowStart(slowStart, info.nowUs, info.mssBytes);
    this.#reaction = new RenoReaction(info.mssBytes, new LossAnswers(), beta);
    const fields = { mss: info.mssBytes, Cwnd: info.initCwndBytes };
    if (reportEveryUs === undefined) control.setProgram("reno", fields);
    else control.setProgram("atInterval", { ...fields, reportEvery: reportEveryUs });
  }

  onReport(report: Report): void {
    const reaction = this.#reaction.answer(report);
    if (reaction !== undefined) this.#slowStart?.end();
    const fields = reaction ?? this.#start(report);
    if (fields === undefined) return;
    this.#ssthreshBytes = fields["ssthresh"] ?? this.#ssthreshBytes;
    this.#control.updateFields(fields);
  }

  #start(report: Report): Fields | undefined {
    if (this.#slowStart === undefined || !this.#reaction.isCurrent(report)) return undefined;
    return this.#slowStart.answer(report, this.#ssthreshBytes);
  }
}

export function makeReno(options: RenoOptions = {}): CcpAlgorithm {
  const parts = { ...PARTS, readsMarks: options.abe === true };
  return {
    name: "reno",
    programs:
      options.reportEveryUs === undefined
        ? {
            reno: tcpProgram(
              options.slowStart === undefined ? parts : withSlowStart(parts, options.slowStart),
            ),
          }
        : { atInterval: AT_INTERVAL },
    newFlow: (control, info) => new RenoFlow(control, info, options),
  };
}

export const reno: AlgorithmSpec = {
  name: "reno",
  summary: "halves the window on loss and adds one packet per round",
  source: "RFC 5681, RFC 6675, RFC 8511",
  reads: ["loss", "timeout"],
  params: RENO_PARAMS,
  ccp: (params) =>
    makeReno({ beta: params[RENO_BETA.name]!, abe: hasAbe(params), slowStart: ccpSlowStart(params) }),
  native: nativeReno,
};
