/**
 * Reno (RFC 5681, RFC 3465, RFC 6675) as a CCP algorithm. Slow start and additive increase run in the datapath program,
 * byte by byte, as they need every ACK; the agent decides what a loss or a timeout costs.
 *
 *   slow start ──── cwnd reaches ssthresh ────▶ congestion avoidance: one segment per window
 *       ▲  │ loss: ssthresh = cwnd = cwnd / 2 ─────────▲ │
 *       └──┴────── timeout: ssthresh = cwnd / 2, cwnd = 1 segment ─┘
 */
import type { CcpAlgorithm, CcpFlow, FlowControl, FlowInfo, Report } from "../../ccp-bridge/algorithm.ts";
import type { Bytes } from "../../core/units.ts";
import { EPISODE, tcpProgram } from "./tcp-program.ts";

/** RFC 5681 equation (4): half. */
const BETA = 0.5;
/** RFC 5681 equation (4): at least two segments, or fast retransmit could never start again. */
const MIN_SSTHRESH_PACKETS = 2;

/** Congestion avoidance: `credit` counts acknowledged bytes; a window's worth of them buys one segment. */
export const ADDITIVE_INCREASE = `
(when (&& growing (> (+ Cwnd 1) ssthresh))
  (:= credit (+ credit newly))
)
(when (> (+ credit 1) Cwnd)
  (:= credit (- credit Cwnd))
  (:= Cwnd (+ Cwnd mss))
)`;

const PROGRAM = tcpProgram({
  events: `
${ADDITIVE_INCREASE}
(when (> Micros Flow.rtt_sample_us)
  (:= Micros 0)
  (report)
)`,
});

/** What Reno's rules make of a loss or timeout, also for the algorithms that fall back to them. */
export function renoReaction(report: Report, mssBytes: Bytes): Readonly<Record<string, number>> | undefined {
  const episode = report.get("episode");
  if (episode !== EPISODE.loss && episode !== EPISODE.timeout) return undefined;
  const ssthresh = Math.floor(Math.max(report.get("cwnd") * BETA, MIN_SSTHRESH_PACKETS * mssBytes));
  return episode === EPISODE.loss ? { Cwnd: ssthresh, ssthresh, credit: 0 } : { ssthresh, credit: 0 };
}

class RenoFlow implements CcpFlow {
  readonly #control: FlowControl;
  readonly #mssBytes: Bytes;

  constructor(control: FlowControl, info: FlowInfo) {
    this.#control = control;
    this.#mssBytes = info.mssBytes;
    control.setProgram("reno", { mss: info.mssBytes, Cwnd: info.initCwndBytes });
  }

  onReport(report: Report): void {
    const fields = renoReaction(report, this.#mssBytes);
    if (fields !== undefined) this.#control.updateFields(fields);
  }
}

export const reno: CcpAlgorithm = {
  name: "reno",
  programs: { reno: PROGRAM },
  newFlow: (control, info) => new RenoFlow(control, info),
};
