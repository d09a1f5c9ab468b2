/**
 * Vegas (Brakmo and Peterson, "TCP Vegas: end to end congestion avoidance on a global Internet", IEEE JSAC 13(8), 1995) as
 * Linux applies it: once per round it estimates how many packets of its own wait in queues, from the least RTT of the
 * round, and keeps that number between alpha and beta. On loss it is Reno.
 *
 *   slow start: doubles per round ── more than gamma packets queued, or loss ──▶ avoidance: -1, 0 or +1 packet per round
 *       ▲                                                                             │
 *       └──────────────────────────────────── timeout ────────────────────────────────┘
 *
 * Linux doubles every round, not every other as the paper; with gamma 1 the overshoot is at most one round.
 */
import type { CcpFlow, FlowControl, FlowInfo, Report } from "../../ccp-bridge/agent/algorithm.ts";
import type { Bytes } from "../../core/units.ts";
import type { AlgorithmSpec, ParamValues } from "../spec.ts";
import { tcpProgram } from "./parts/tcp-program.ts";
import { RenoReaction } from "./reno.ts";

/** Linux: with two samples or fewer a delayed ACK may be all there is, so Reno's rule decides. */
const MIN_SAMPLES = 3;
const MIN_CWND_PACKETS = 2;

const PROGRAM = tcpProgram({
  reports: "(volatile roundRtt +infinity) (volatile samples 0) (volatile round 0) (volatile growing 0)",
  controls: "(roundEnd 0)",
  events: `
(when true
  (:= Report.roundRtt (min Report.roundRtt Flow.rtt_sample_us))
  (:= Report.samples (if (< Flow.rtt_sample_us +infinity) (+ Report.samples 1)))
  (:= Report.growing (if growing 1))
  (fallthrough)
)
(when (> una roundEnd)
  (:= roundEnd (+ una (+ sacked Flow.bytes_in_flight)))
  (:= Report.round 1)
  (:= Report.cwnd Cwnd)
  (report)
)`,
});

class VegasFlow implements CcpFlow {
  readonly #control: FlowControl;
  readonly #mssBytes: Bytes;
  readonly #reaction: RenoReaction;
  readonly #params: ParamValues;
  #ssthreshPackets = Infinity;

  constructor(control: FlowControl, info: FlowInfo, params: ParamValues) {
    this.#params = params;
    this.#control = control;
    this.#mssBytes = info.mssBytes;
    this.#reaction = new RenoReaction(info.mssBytes);
    control.setProgram("vegas", { mss: info.mssBytes, Cwnd: info.initCwndBytes });
  }

  onReport(report: Report): void {
    const reaction = this.#reaction.answer(report);
    if (reaction !== undefined) {
      // there is none in a repeated answer where none had been given
      const { ssthresh } = reaction;
      if (ssthresh !== undefined) this.#ssthreshPackets = ssthresh / this.#mssBytes;
      this.#control.updateFields(reaction);
      return;
    }
    const counts = report.get("growing") === 1 && this.#reaction.isCurrent(report);
    if (report.get("round") === 1 && counts) this.#endRound(report);
  }

  #endRound(report: Report): void {
    const cwnd = report.get("cwnd") / this.#mssBytes;
    const slowStart = cwnd < this.#ssthreshPackets;
    if (report.get("samples") < MIN_SAMPLES) {
      if (!slowStart) this.#set(cwnd + 1);
      return;
    }
    // diff = cwnd * (RTT - BaseRTT) / BaseRTT: packets that wait in queues, as Linux computes it
    const rttUs = report.get("roundRtt");
    const baseRttUs = report.get("minRtt");
    const { alpha, beta, gamma } = this.#params as Record<"alpha" | "beta" | "gamma", number>;
    const queued = (cwnd * (rttUs - baseRttUs)) / baseRttUs;
    if (slowStart) {
      if (queued <= gamma) return;
      // Down to what the path holds without a queue, plus one packet.
      this.#set(Math.min(cwnd, (cwnd * baseRttUs) / rttUs + 1));
      return;
    }
    if (queued > beta) this.#set(cwnd - 1);
    else if (queued < alpha) this.#set(cwnd + 1, this.#ssthreshPackets);
  }

  /** @param ssthreshPackets just below the window unless given, so that slow start does not resume */
  #set(
    cwndPackets: number,
    ssthreshPackets: number = Math.min(this.#ssthreshPackets, cwndPackets - 1),
  ): void {
    this.#ssthreshPackets = Math.max(ssthreshPackets, MIN_CWND_PACKETS);
    this.#control.updateFields({
      Cwnd: Math.floor(Math.max(cwndPackets, MIN_CWND_PACKETS) * this.#mssBytes),
      ssthresh: Math.floor(this.#ssthreshPackets * this.#mssBytes),
    });
  }
}

export const vegas: AlgorithmSpec = {
  name: "vegas",
  summary: "keeps two to four packets of its own in the queue, judged by the RTT above its minimum",
  source: "Brakmo and Peterson, IEEE JSAC 13(8), 1995; parameters of Linux",
  reads: ["rtt", "loss", "timeout"],
  params: [
    {
      name: "alpha",
      unit: "packets",
      low: 0,
      high: 1000,
      default: 2,
      why: "queued packets below which the window grows: Linux 2; one might vanish in the noise",
    },
    {
      name: "beta",
      unit: "packets",
      low: 0,
      high: 1000,
      default: 4,
      why: "queued packets above which the window shrinks: Linux 4",
    },
    {
      name: "gamma",
      unit: "packets",
      low: 0,
      high: 1000,
      default: 1,
      why: "queued packets above which slow start ends: Linux 1",
    },
  ],
  refuses: ({ alpha, beta }) =>
    alpha! > beta! ? `alpha: got ${alpha}, expected at most beta, which is ${beta} packets` : undefined,
  ccp: (params) => ({
    name: "vegas",
    programs: { vegas: PROGRAM },
    newFlow: (control, info) => new VegasFlow(control, info, params),
  }),
};
