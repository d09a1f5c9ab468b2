/**
 * DCTCP (RFC 8257) as a CCP algorithm: Reno whose window shrinks in proportion to the share of marked packets. The program
 * counts acknowledged and marked packets and asks for a cut at the first mark of a window of data; the agent estimates the
 * share at each window's end. It needs a datapath with accurate ECN feedback. Loss and timeouts are Reno's (RFC 8257 3.5).
 */
import type { CcpFlow, FlowControl, FlowInfo, Report } from "../../ccp-bridge/agent/algorithm.ts";
import type { Bytes } from "../../core/units.ts";
import { DCTCP_PARAMS, nativeDctcp } from "../native/dctcp.ts";
import type { AlgorithmSpec, ParamValues } from "../spec.ts";
import { LossAnswers } from "./parts/loss-answers.ts";
import { EPISODE, tcpProgram } from "./parts/tcp-program.ts";
import { ADDITIVE_INCREASE, MIN_SSTHRESH_PACKETS, RenoReaction } from "./reno.ts";

/** Marks end growth for the rest of the window, as a loss does; the cut comes with the agent's answer. */
const PROGRAM = tcpProgram({
  reports: "(volatile delivered 0) (volatile marked 0) (volatile round 0) (volatile cut 0)",
  controls: "(roundEnd 0)",
  events: `
${ADDITIVE_INCREASE}
(when true
  (:= Report.delivered (+ Report.delivered (+ Ack.packets_acked Ack.packets_misordered)))
  (:= Report.marked (+ Report.marked Ack.ecn_packets))
  (fallthrough)
)
(when (> una roundEnd)
  (:= roundEnd (+ una (+ sacked Flow.bytes_in_flight)))
  (:= Report.round 1)
  (report)
)
(when (&& (> Ack.ecn_packets 0) (&& (== Ack.lost_pkts_sample 0) (> (+ una 1) recover)))
  (:= recover (+ (+ una sacked) Flow.bytes_in_flight))
  (:= growFrom recover)
  (:= Report.cut 1)
  (:= Report.cwnd Cwnd)
  (report)
)`,
});

class DctcpFlow implements CcpFlow {
  readonly #control: FlowControl;
  readonly #mssBytes: Bytes;
  readonly #answers = new LossAnswers();
  readonly #reaction: RenoReaction;
  /** DCTCP.Alpha: estimated share of marked packets, 0-1 */
  #alpha: number;
  readonly #g: number;
  #delivered = 0;
  #marked = 0;

  constructor(control: FlowControl, info: FlowInfo, params: ParamValues) {
    this.#alpha = params["alpha"]!;
    this.#g = params["g"]!;
    this.#control = control;
    this.#mssBytes = info.mssBytes;
    this.#reaction = new RenoReaction(info.mssBytes, this.#answers);
    control.setProgram("dctcp", { mss: info.mssBytes, Cwnd: info.initCwndBytes });
  }

  onReport(report: Report): void {
    this.#delivered += report.get("delivered");
    this.#marked += report.get("marked");
    if (report.get("round") === 1) this.#endWindow();
    const reaction = this.#reaction.answer(report);
    if (reaction !== undefined) this.#control.updateFields(reaction);
    else if (report.get("cut") === 1 && report.get("episode") === EPISODE.none) this.#cut(report);
  }

  /** alpha = alpha * (1 - g) + g * M, with M the share of the window that ends (RFC 8257 3.3). */
  #endWindow(): void {
    const share = this.#delivered === 0 ? 0 : Math.min(1, this.#marked / this.#delivered);
    this.#alpha = this.#alpha * (1 - this.#g) + this.#g * share;
    this.#delivered = this.#marked = 0;
  }

  /** cwnd = cwnd * (1 - alpha / 2) (RFC 8257 3.3). */
  #cut(report: Report): void {
    if (!this.#answers.isCurrent(report)) {
      this.#control.updateFields(this.#answers.repeat());
      return;
    }
    const left = report.get("cwnd") * (1 - this.#alpha / 2);
    const ssthresh = Math.floor(Math.max(left, MIN_SSTHRESH_PACKETS * this.#mssBytes));
    this.#control.updateFields(this.#answers.answer({ Cwnd: ssthresh, ssthresh, credit: 0 }));
  }
}

export const dctcp: AlgorithmSpec = {
  name: "dctcp",
  summary: "shrinks the window by half the share of marked packets, as Reno on loss; needs accurate ECN",
  source: "RFC 8257",
  reads: ["ecn", "loss", "timeout"],
  params: DCTCP_PARAMS,
  ccp: (params) => ({
    name: "dctcp",
    programs: { dctcp: PROGRAM },
    newFlow: (control, info) => new DctcpFlow(control, info, params),
  }),
  native: nativeDctcp,
};
