/**
 * Prague (draft-briscoe-iccrg-prague-congestion-control-04) as a CCP algorithm: DCTCP for the Internet (RFC 9331 section 4). Its
 * packets carry ECT(1); it shrinks by half the smoothed share of marked ones, grows by those that were not marked also while
 * it shrinks, paces, and behaves below a virtual RTT of 25 ms as if that were its RTT. On loss it is Reno.
 *
 *   slow start, paced at twice the window ── first mark: half the window ──▶ W += (RTT / virtual)^2 per round, less the marked part
 *                                                                             └─ once per virtual RTT with marks: W -= W alpha / 2
 *
 * Fallback to a classic control: where the receiver does not tell how many packets were marked, the packets are not
 * ECN-capable, and what is left is Reno. Marks of a classic AQM that has no L queue are not told from those of one that has
 * (the draft's detection is optional, and off in Linux). Left out: windows below two packets, and that the virtual RTT counts only
 * some rounds after slow start (the draft's 500, Linux's 4).
 */
import type { CcpFlow, FlowControl, FlowInfo, Report } from "../../ccp-bridge/agent/algorithm.ts";
import { type Bytes, MICROS_PER_MILLI, type Micros } from "../../core/units.ts";
import type { AlgorithmSpec, ParamValues } from "../spec.ts";
import { LossAnswers } from "./parts/loss-answers.ts";
import { EPISODE, tcpProgram } from "./parts/tcp-program.ts";
import { MIN_SSTHRESH_PACKETS, RenoReaction } from "./reno.ts";

/** Growth is counted in bytes of this fraction, so that it is not nothing at an RTT of microseconds. */
const GROWTH_UNIT = 2 ** 30;

/**
 * Growth: one packet for a window of unmarked bytes (section 2.4.3), times `scale` (2.4.4). Shares are counted over a window and a
 * virtual RTT (2.3.2), and as often is there a cut (2.4.2). Paced at the window over the smoothed RTT, twice that in slow start
 * (2.5.1). `srtt` is eight times the smoothed RTT, as it is kept in Linux.
 */
const PROGRAM = tcpProgram({
  reports: "(volatile delivered 0) (volatile marked 0) (volatile round 0) (volatile cut 0) (srtt 0)",
  controls: `(roundEnd 0) (roundFrom 0) (cutEnd 0) (cutFrom 0) (virtual 25000) (scale ${GROWTH_UNIT}) (gain 16000000)`,
  events: `
(when (< Flow.rtt_sample_us +infinity)
  (:= Report.srtt (if (== Report.srtt 0) (* 8 Flow.rtt_sample_us)))
  (:= Report.srtt (+ (- Report.srtt (/ Report.srtt 8)) Flow.rtt_sample_us))
)
(when true
  (:= span (max virtual (/ Report.srtt 8)))
  (:= Report.delivered (+ Report.delivered (+ Ack.packets_acked Ack.packets_misordered)))
  (:= Report.marked (+ Report.marked Ack.ecn_packets))
  (:= gain 16000000)
  (:= gain (if (> (+ Cwnd 1) ssthresh) 8000000))
)
(when (&& growing (> (+ Cwnd 1) ssthresh))
  (:= credit (+ credit (* scale (- newly (min newly Ack.ecn_bytes)))))
)
(when (> credit (* Cwnd ${GROWTH_UNIT}))
  (:= credit (- credit (* Cwnd ${GROWTH_UNIT})))
  (:= Cwnd (+ Cwnd mss))
)
(when (> Report.srtt 0)
  (:= Rate (/ (* Cwnd gain) Report.srtt))
)
(when (&& (> una roundEnd) (> now roundFrom))
  (:= roundEnd (+ una (+ sacked Flow.bytes_in_flight)))
  (:= roundFrom (+ now span))
  (:= Report.round 1)
  (:= Report.cwnd Cwnd)
  (report)
)
(when (&& (&& (> Ack.ecn_packets 0) (== Ack.lost_pkts_sample 0)) (&& (> (+ una 1) cutEnd) (> now cutFrom)))
  (:= cutEnd (+ (+ una sacked) Flow.bytes_in_flight))
  (:= cutFrom (+ now span))
  (:= Report.cut 1)
  (:= Report.cwnd Cwnd)
  (report)
)`,
});

class PragueFlow implements CcpFlow {
  readonly #control: FlowControl;
  readonly #mssBytes: Bytes;
  readonly #answers = new LossAnswers();
  readonly #reaction: RenoReaction;
  readonly #virtualUs: Micros;
  readonly #g: number;
  /** smoothed share of marked packets, 0-1 */
  #alpha: number;
  #delivered = 0;
  #marked = 0;

  constructor(control: FlowControl, info: FlowInfo, params: ParamValues) {
    this.#g = params["g"]!;
    this.#alpha = params["alpha"]!;
    this.#virtualUs = params["virtualRttMs"]! * MICROS_PER_MILLI;
    this.#control = control;
    this.#mssBytes = info.mssBytes;
    this.#reaction = new RenoReaction(info.mssBytes, this.#answers);
    control.setProgram("prague", {
      mss: info.mssBytes,
      Cwnd: info.initCwndBytes,
      virtual: Math.round(this.#virtualUs),
    });
  }

  onReport(report: Report): void {
    this.#delivered += report.get("delivered");
    this.#marked += report.get("marked");
    const reaction = this.#reaction.answer(report);
    if (reaction !== undefined) {
      this.#control.updateFields(reaction);
      return;
    }
    if (report.get("round") === 1) this.#endRound(report.get("srtt") / 8);
    if (report.get("cut") === 1 && report.get("episode") === EPISODE.none) this.#cut(report);
  }

  /** alpha += g (share - alpha)                                                                          section 2.3.2 */
  #endRound(srttUs: Micros): void {
    const share = this.#delivered === 0 ? 0 : Math.min(1, this.#marked / this.#delivered);
    this.#alpha += this.#g * (share - this.#alpha);
    this.#delivered = this.#marked = 0;
    // the rate grows by one packet per virtual RTT in each virtual RTT: (RTT / virtual)^2 packets a round  section 2.4.4
    const ratio = Math.min(1, srttUs / this.#virtualUs);
    this.#control.updateFields({ scale: Math.max(1, Math.round(GROWTH_UNIT * ratio * ratio)) });
  }

  /** cwnd = cwnd (1 - alpha / 2)                                                                         section 2.4.2 */
  #cut(report: Report): void {
    if (!this.#answers.isCurrent(report)) {
      this.#control.updateFields(this.#answers.repeat());
      return;
    }
    const left = report.get("cwnd") * (1 - this.#alpha / 2);
    const ssthresh = Math.floor(Math.max(left, MIN_SSTHRESH_PACKETS * this.#mssBytes));
    this.#control.updateFields(this.#answers.answer({ Cwnd: ssthresh, ssthresh }));
  }
}

export const prague: AlgorithmSpec = {
  name: "prague",
  summary: "DCTCP for the Internet: packets of ECT(1), paced, like rates below a virtual RTT; Reno on loss",
  source: "draft-briscoe-iccrg-prague-congestion-control-04",
  reads: ["ecn", "rtt", "loss", "timeout"],
  params: [
    {
      name: "g",
      unit: "1",
      low: 0.001,
      high: 1,
      default: 1 / 16,
      why: "weight of the newest virtual RTT in the share of marked packets (section 2.3.2)",
    },
    {
      name: "alpha",
      unit: "1",
      low: 0,
      high: 1,
      default: 1,
      why: "share that is assumed before anything is known: the first mark halves the window (section 2.3.2)",
    },
    {
      name: "virtualRttMs",
      unit: "ms",
      low: 0.1,
      high: 100,
      default: 25,
      why: "a shorter RTT gives no larger rate: 25 ms (section 2.4.4)",
    },
  ],
  ccp: (params) => ({
    name: "prague",
    programs: { prague: PROGRAM },
    isScalable: true,
    newFlow: (control, info) => new PragueFlow(control, info, params),
  }),
};
