/**
 * Cubic (RFC 9438) as a CCP algorithm, with any slow start; HyStart with Linux's thresholds unless another is chosen. The datapath
 * program runs a linear increase of one segment per `step` acknowledged bytes; the agent owns the curve and sets `step` four times
 * per RTT. Once per RTT would not do: near the end of the curve the slope changes by half within a long round.
 *
 *   slow start ── HyStart: delay or ACK train ──▶ first epoch (no plateau known)
 *       ▲  └────── loss ──────┐                       │ loss
 *       │                     ▼                       ▼
 *       └── timeout ── epoch: w(t) = C (t - K)^3 + w_max, starts at the first ACK after recovery ──┐
 *                             ▲──────────────────── loss: cwnd *= 0.7 ─────────────────────────────┘
 */
import type { CcpFlow, FlowControl, FlowInfo, Report } from "../../ccp-bridge/agent/algorithm.ts";
import { cbrt } from "../../core/math.ts";
import { type Bytes, MICROS_PER_SEC, type Micros } from "../../core/units.ts";
import { CUBIC_ABE_BETA, hasAbe } from "../native/abe.ts";
import { CUBIC_PARAMS, nativeCubic, renoFriendlyAlpha } from "../native/cubic.ts";
import type { AlgorithmSpec, ParamValues } from "../spec.ts";
import { type Fields, LossAnswers } from "./parts/loss-answers.ts";
import { AgentSlowStart, ccpSlowStart, withSlowStart } from "./parts/slow-start.ts";
import { EPISODE, type TcpProgramParts, tcpProgram } from "./parts/tcp-program.ts";

/** RFC 9438 4.2: the target is at most half a window ahead. */
const MAX_GROWTH_SHARE = 0.5;
/** Linux: in the plateau one packet per hundred windows, so that the window never freezes. */
const PLATEAU_GROWTH_PACKETS = 1 / 100;
/** Linux: before the first loss at least one packet per 20 acknowledged. */
const FIRST_EPOCH_SHARE = 1 / 20;
/** RFC 9438 4.6: at least two packets after a cut. */
const MIN_CWND_PACKETS = 2;
/** `step` before the agent has set one: the program asks for it at the first ACK that could grow the window. */
const STEP_UNSET = 0xffff_ffff;
/** The largest immediate below infinity that the wire carries. */
const STEP_MAX = 0x7fff_ffff;

const PARTS: TcpProgramParts = {
  halfIsUsed: true,
  controls: "(step +infinity)",
  events: `
(when (&& growing (> (+ Cwnd 1) ssthresh))
  (:= credit (+ credit newly))
  (:= Report.acked (+ Report.acked newly))
)
(when (> (+ credit 1) step)
  (:= credit (- credit step))
  (:= Cwnd (+ Cwnd mss))
)
(when (|| (> Micros (/ Flow.rtt_sample_us 4)) (&& (> Report.acked 0) (== step +infinity)))
  (:= Micros 0)
  (report)
)`,
};

/** From one cut to the next: the curve that the window follows, in packets and seconds. */
interface Epoch {
  readonly startUs: Micros;
  readonly originPackets: number;
  readonly k: number;
  /** what Reno would have by now, the W_est of RFC 9438 */
  renoPackets: number;
}

class CubicFlow implements CcpFlow {
  readonly #control: FlowControl;
  readonly #mssBytes: Bytes;
  readonly #answers = new LossAnswers();
  /** window before the last cut; 0: none since the start or the last timeout */
  #wMaxPackets = 0;
  /** cwnd_prior of RFC 9438: where Reno's growth resumes its full slope */
  #priorPackets = Infinity;
  #epoch: Epoch | undefined;
  readonly #beta: number;
  readonly #c: number;
  /** growth that gives Reno's average window, RFC 9438 4.3 */
  readonly #alpha: number;
  /** the same beyond cwnd_prior */
  readonly #fullAlpha: number;
  readonly #convergesFast: boolean;
  /** absent: the program sees to it */
  readonly #slowStart: AgentSlowStart | undefined;
  #ssthreshBytes: Bytes = Infinity;

  constructor(control: FlowControl, info: FlowInfo, params: ParamValues) {
    this.#beta = params["beta"]!;
    this.#c = params["c"]!;
    this.#alpha = renoFriendlyAlpha(this.#beta);
    this.#fullAlpha = params["fullSlope"] === 1 ? 1 : this.#alpha;
    this.#convergesFast = params["fastConvergence"] === 1;
    this.#control = control;
    this.#mssBytes = info.mssBytes;
    const slowStart = ccpSlowStart(params);
    if (slowStart.reports) this.#slowStart = new AgentSlowStart(slowStart, info.nowUs, info.mssBytes);
    control.setProgram("cubic", { mss: info.mssBytes, Cwnd: info.initCwndBytes });
  }

  onReport(report: Report): void {
    const cwnd = report.get("cwnd") / this.#mssBytes;
    switch (report.get("episode")) {
      case EPISODE.loss:
        this.#control.updateFields(
          this.#answers.isCurrent(report)
            ? this.#answers.answer({ ...this.#cut(cwnd), Cwnd: this.#afterCutBytes(cwnd) })
            : this.#answers.repeat(),
        );
        return;
      case EPISODE.marks:
        if (this.#answers.isCurrent(report)) this.#answerMarks(cwnd);
        return;
      case EPISODE.timeout:
        this.#control.updateFields(this.#answers.answer(this.#cut(cwnd)));
        this.#forget();
        return;
      case EPISODE.timeoutAgain:
        this.#control.updateFields({ step: STEP_UNSET, credit: 0 });
        this.#forget();
        return;
      default:
        if (!this.#answers.isCurrent(report)) return;
        if (this.#slowStart !== undefined) this.#start(this.#slowStart, report);
        if (report.get("acked") > 0) this.#follow(report, cwnd);
    }
  }

  #start(slowStart: AgentSlowStart, report: Report): void {
    const fields = slowStart.answer(report, this.#ssthreshBytes);
    if (fields === undefined) return;
    this.#ssthreshBytes = fields["ssthresh"] ?? this.#ssthreshBytes;
    this.#control.updateFields(fields);
  }

  /** As a loss, but for what is left: RFC 8511. */
  #answerMarks(cwnd: number): void {
    const fields = this.#cut(cwnd, CUBIC_ABE_BETA);
    this.#control.updateFields(this.#answers.answer({ ...fields, Cwnd: this.#ssthreshBytes }));
  }

  #afterCutBytes(cwnd: number, beta: number = this.#beta): Bytes {
    return Math.floor(Math.max(cwnd * beta, MIN_CWND_PACKETS) * this.#mssBytes);
  }

  #cut(cwnd: number, beta: number = this.#beta): Fields {
    // Fast convergence, RFC 9438 4.7: a flow that lost ground gives up more of it.
    const givesUp = this.#convergesFast && cwnd < this.#wMaxPackets;
    this.#wMaxPackets = givesUp ? (cwnd * (1 + this.#beta)) / 2 : cwnd;
    this.#priorPackets = cwnd;
    this.#epoch = undefined;
    this.#slowStart?.end();
    this.#ssthreshBytes = this.#afterCutBytes(cwnd, beta);
    return { ssthresh: this.#ssthreshBytes, step: STEP_UNSET, credit: 0 };
  }

  /** RFC 9438 4.8: a timeout starts anew; the curve before it says nothing of the path after it. */
  #forget(): void {
    this.#wMaxPackets = 0;
    this.#priorPackets = Infinity;
    this.#epoch = undefined;
  }

  #follow(report: Report, cwnd: number): void {
    this.#epoch ??= this.#newEpoch(report.nowUs, cwnd);
    const epoch = this.#epoch;
    // W_cubic(t) = C * (t - K)^3 + W_max                                               RFC 9438 equation (1)
    const t = (report.nowUs - epoch.startUs + report.get("minRtt")) / MICROS_PER_SEC;
    const d = t - epoch.k;
    let growth = Math.max(epoch.originPackets + this.#c * d * d * d - cwnd, PLATEAU_GROWTH_PACKETS);
    if (this.#wMaxPackets === 0) growth = Math.max(growth, cwnd * FIRST_EPOCH_SHARE);

    // W_est = W_est + alpha * segments_acked / cwnd                                    RFC 9438 equation (4)
    const alpha = epoch.renoPackets < this.#priorPackets ? this.#alpha : this.#fullAlpha;
    epoch.renoPackets += (alpha * report.get("acked")) / (cwnd * this.#mssBytes);
    growth = Math.min(Math.max(growth, epoch.renoPackets - cwnd), MAX_GROWTH_SHARE * cwnd);

    // `growth` packets over the next window: one for each window / growth acknowledged bytes.
    const step = Math.floor((cwnd * this.#mssBytes) / growth);
    this.#control.updateFields({ step: Math.min(step, STEP_MAX) });
  }

  #newEpoch(nowUs: Micros, cwnd: number): Epoch {
    const originPackets = Math.max(this.#wMaxPackets, cwnd);
    // K = cbrt((W_max - cwnd_epoch) / C)                                               RFC 9438 equation (2)
    return { startUs: nowUs, originPackets, k: cbrt((originPackets - cwnd) / this.#c), renoPackets: cwnd };
  }
}

export const cubic: AlgorithmSpec = {
  name: "cubic",
  summary:
    "cuts the window to 0.7 on loss and returns to it along a cubic curve of time; leaves slow start by HyStart, when round trips grow",
  source: "RFC 9438, RFC 8511; Ha and Rhee, Computer Networks 55(9), 2011",
  reads: ["loss", "timeout", "rtt", "ecn"],
  params: CUBIC_PARAMS,
  ccp: (params) => ({
    name: "cubic",
    programs: {
      cubic: tcpProgram(withSlowStart({ ...PARTS, readsMarks: hasAbe(params) }, ccpSlowStart(params))),
    },
    newFlow: (control, info) => new CubicFlow(control, info, params),
  }),
  native: nativeCubic,
};
