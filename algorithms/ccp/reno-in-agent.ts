/**
 * Reno (RFC 5681, RFC 3465, RFC 6675) whose window grows in the agent: the program counts what may grow it and reports so many
 * microseconds apart, losses and timeouts at once. The same rules as `reno.ts`, which grows on every ACK in the datapath, so that the
 * two differ in nothing but where; what `portus-reno` does otherwise (its deficit, its floor) is no matter of place.
 */
import type {
  CcpAlgorithm,
  CcpFlow,
  FlowControl,
  FlowInfo,
  Report,
} from "../../ccp-bridge/agent/algorithm.ts";
import type { Bytes, Micros } from "../../core/units.ts";
import { EPISODE, tcpProgram } from "./parts/tcp-program.ts";
import { RenoReaction } from "./reno.ts";

const PROGRAM = tcpProgram({
  reports: "(volatile grows 0)",
  controls: "(reportEvery 0)",
  growth: "none",
  events: `
(when (&& growing true)
  (:= Report.grows (+ Report.grows newly))
)
(when (> Micros reportEvery)
  (:= Micros 0)
  (report)
)`,
});

class RenoInAgentFlow implements CcpFlow {
  readonly #control: FlowControl;
  readonly #mssBytes: Bytes;
  readonly #reaction: RenoReaction;
  /** the agent's own: that of a report may be from before the last answers took effect */
  #cwndBytes: Bytes;
  #ssthreshBytes: Bytes = Infinity;
  /** acknowledged in congestion avoidance and not yet turned into growth */
  #creditBytes: Bytes = 0;

  constructor(control: FlowControl, { mssBytes, initCwndBytes }: FlowInfo, reportEveryUs: Micros) {
    this.#control = control;
    this.#mssBytes = mssBytes;
    this.#cwndBytes = initCwndBytes;
    this.#reaction = new RenoReaction(mssBytes);
    control.setProgram("renoInAgent", { mss: mssBytes, Cwnd: initCwndBytes, reportEvery: reportEveryUs });
  }

  onReport(report: Report): void {
    const answer = this.#reaction.answer(report);
    if (answer !== undefined) {
      this.#ssthreshBytes = answer["ssthresh"] ?? this.#ssthreshBytes;
      // the program itself sets the loss window of a timeout
      const isTimeout = report.get("episode") === EPISODE.timeout;
      this.#cwndBytes = isTimeout ? this.#mssBytes : (answer["Cwnd"] ?? this.#cwndBytes);
      this.#creditBytes = 0;
      this.#control.updateFields(answer);
    } else if (report.get("episode") === EPISODE.timeoutAgain) {
      this.#cwndBytes = this.#mssBytes;
    } else if (report.get("grows") > 0 && this.#reaction.isCurrent(report)) {
      this.#grow(report.get("grows"));
      this.#control.updateFields({ Cwnd: this.#cwndBytes });
    }
  }

  /** RFC 5681 section 3.1, by bytes (RFC 3465). */
  #grow(ackedBytes: Bytes): void {
    const before = this.#cwndBytes;
    if (before < this.#ssthreshBytes) this.#cwndBytes = Math.min(before + ackedBytes, this.#ssthreshBytes);
    this.#creditBytes += ackedBytes - (this.#cwndBytes - before);
    while (this.#creditBytes >= this.#cwndBytes) {
      this.#creditBytes -= this.#cwndBytes;
      this.#cwndBytes += this.#mssBytes;
    }
  }
}

/** @param reportEveryUs how often the agent hears, and so lets the window grow; 0: on every ACK */
export function makeRenoInAgent(reportEveryUs: Micros): CcpAlgorithm {
  return {
    name: "reno-in-agent",
    programs: { renoInAgent: PROGRAM },
    newFlow: (control, info) => new RenoInAgentFlow(control, info, reportEveryUs),
  };
}
