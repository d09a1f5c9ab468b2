/**
 * BBRv3 as a CCP algorithm (draft-ietf-ccwg-bbr): the datapath program counts, paces and moves the window between the bounds that
 * the agent's model (`algorithms/bbr3/`) sets; the agent hears of it twenty times per minimum RTT, and of losses at once.
 *
 * A program keeps no packets, so what the draft keeps of each (P.delivered, P.lost, P.tx_in_flight) the agent reads off its own
 * past: how much had been delivered and lost by the time that the newest acknowledged packet was sent, one RTT sample ago. On a path
 * that keeps order, what was in flight then is what was delivered or lost since.
 * A host undoes a spurious recovery by giving the window back: after a first loss the program stays three segments below for the
 * round of recovery, and so sees it.
 */
import type { CcpFlow, FlowControl, FlowInfo, Report } from "../../ccp-bridge/agent/algorithm.ts";
import type { Bytes } from "../../core/units.ts";
import { Bbr3Model, type Bbr3Watch } from "../bbr3/model.ts";
import { BBR3_PARAMS } from "../bbr3/params.ts";
import { FlowPast } from "../bbr3/past.ts";
import { nativeBbr3 } from "../native/bbr3.ts";
import type { AlgorithmSpec, ParamValues } from "../spec.ts";

/** No bound, in control variables. */
const NONE = 0xffff_ffff;
/** Windows of program and model that differ by less are one: the model counts what it has heard of. */
const SAME_WINDOW_PACKETS = 2;
/** With ten the model learns of a changing rate late enough for a longer queue: 5 % on a recorded cellular link; with twenty 2 %. */
const REPORTS_PER_RTT = 20;

const PROGRAM = `
(def
  (Report
    (volatile acked 0) (volatile lost 0) (volatile lossAcks 0) (volatile ecn 0)
    (volatile rate 0) (volatile rtt +infinity) (volatile limited 0) (volatile idle 0)
    (volatile begins 0) (volatile timeout 0) (volatile undone 0) (volatile held 0)
    (lastRtt 0) (inflight 0) (cwnd 0) (recovering 0)
  )
  (mss 1448) (target +infinity) (cap +infinity) (every 0) (holds 0)
  (una 0) (sacked 0) (recover 0) (prior +infinity) (left +infinity)
)
(when true
  (:= delivered (+ (- Ack.bytes_acked (min Ack.bytes_acked sacked)) Ack.bytes_misordered))
  (:= used (+ Flow.bytes_in_flight (+ delivered (* mss (+ 3 Ack.lost_pkts_sample)))))
  (:= Report.limited (if (> used Cwnd) 1))
  (:= una (+ una Ack.bytes_acked))
  (:= sacked (+ (- sacked (min sacked Ack.bytes_acked)) Ack.bytes_misordered))
  (:= sent (+ Flow.bytes_in_flight sacked))
  (:= Report.undone (if (> Cwnd (+ left mss)) 1))
  (:= idle (&& (> (+ Flow.bytes_pending 1) sent) (< Flow.bytes_pending (+ sent mss))))
  (:= Report.idle (if (&& idle (< (+ Flow.bytes_in_flight mss) Cwnd)) 1))
  (:= Report.acked (+ Report.acked delivered))
  (:= Report.lost (+ Report.lost Ack.lost_pkts_sample))
  (:= Report.lossAcks (if (> Ack.lost_pkts_sample 0) (+ Report.lossAcks 1)))
  (:= Report.ecn (+ Report.ecn Ack.ecn_bytes))
  (:= Report.rate (max Report.rate (min Flow.rate_incoming Flow.rate_outgoing)))
  (:= Report.rtt (min Report.rtt Flow.rtt_sample_us))
  (:= Report.lastRtt (if (< Flow.rtt_sample_us +infinity) Flow.rtt_sample_us))
  (:= Report.inflight Flow.bytes_in_flight)
  (:= end (+ (+ una sacked) (+ Flow.bytes_in_flight (* mss Ack.lost_pkts_sample))))
  (fallthrough)
)
(when (> Report.undone 0)
  (:= recover 0)
)
(when (&& (> delivered 0) (< Cwnd target))
  (:= Cwnd (+ Cwnd delivered))
)
(when (&& (> Ack.lost_pkts_sample 0) (> (+ una 1) recover))
  (:= Report.begins 1)
  (:= prior (if (> una (+ recover Cwnd)) Cwnd))
  (:= prior (!if (> una (+ recover Cwnd)) +infinity))
  (:= recover end)
)
(when (&& (> recover una) (&& (> holds 0) (> (+ Cwnd (* 3 mss)) prior)))
  (:= Cwnd (max (* 4 mss) (- prior (min prior (* 3 mss)))))
  (:= Report.held 1)
)
(when (> Cwnd cap)
  (:= Cwnd cap)
)
(when (&& Flow.was_timeout true)
  (:= Report.timeout 1)
  (:= recover (max recover end))
  (:= Cwnd (+ Flow.bytes_in_flight mss))
)
(when true
  (:= left Cwnd)
  (:= Report.cwnd Cwnd)
  (:= Report.recovering (if (> recover una) 1))
  (:= Report.recovering (!if (> recover una) 0))
)
(when (|| (> Micros every) (|| (> (+ Ack.lost_pkts_sample Report.undone) 0) (&& (== Flow.bytes_in_flight 0) (> delivered 0))))
  (:= Micros 0)
  (report)
)`;

/** More at once than any window has lose by their sum alone: a report may say any number. */
const MAX_TOLD_PACKETS = 65_536;

class Bbr3Flow implements CcpFlow {
  readonly #control: FlowControl;
  readonly #model: Bbr3Model;
  readonly #past: FlowPast;
  #deliveredBytes: Bytes = 0;
  #lostBytes: Bytes = 0;
  /** nothing was in flight and nothing was to be sent, as of the latest report */
  #isIdle = false;
  /** what the program has been told, by field: at twenty reports per RTT most of it is as before */
  readonly #told: Record<string, number> = {};

  constructor(control: FlowControl, info: FlowInfo, params: ParamValues, watch?: Bbr3Watch) {
    const { nowUs, mssBytes, initCwndBytes: initialCwndBytes, rng } = info;
    this.#control = control;
    this.#model = new Bbr3Model({ nowUs, mssBytes, initialCwndBytes, rng }, params, watch);
    this.#past = new FlowPast(nowUs);
    control.setProgram("bbr3", { mss: mssBytes, Cwnd: initialCwndBytes, Rate: this.#rate() });
  }

  onReport(report: Report): void {
    const model = this.#model;
    const { nowUs } = report;
    const ackedBytes = report.get("acked");
    const inflightBytes = report.get("inflight");
    if (this.#isIdle) model.onRestartFromIdle(nowUs);
    if (report.get("undone") === 1) model.onSpuriousLoss(nowUs, this.#deliveredBytes);
    if (report.get("timeout") === 1) model.onRecovery("timeout", nowUs, inflightBytes);
    else if (report.get("begins") === 1) model.onRecovery("fast", nowUs, inflightBytes);
    const rttUs = report.get("rtt");
    const sent = this.#past.at(nowUs - report.get("lastRtt"));
    this.#tellLosses(report, sent);
    this.#deliveredBytes += ackedBytes;
    this.#past.add(nowUs, this.#deliveredBytes, this.#lostBytes);
    if (model.isInRecovery && report.get("recovering") === 0) model.onRecovered();
    if (report.get("idle") === 1) model.markAppLimited(this.#deliveredBytes, inflightBytes);
    this.#isIdle = report.get("idle") === 1 && inflightBytes === 0;
    if (ackedBytes > 0) {
      model.onAck({
        nowUs,
        deliveredBytes: this.#deliveredBytes,
        newlyAckedBytes: ackedBytes,
        priorDeliveredBytes: sent.deliveredBytes,
        txInflightBytes: this.#inflightAt(sent),
        lostBytes: this.#lostBytes - sent.lostBytes,
        appLimited: false,
        rateBytesPerSec: report.get("rate"),
        rttUs: rttUs === NONE ? 0 : rttUs,
        inflightBytes,
        cwndLimited: report.get("limited") === 1,
        ecnBytes: report.get("ecn"),
      });
    }
    this.#decide(report);
  }

  /** What was in flight when the packet was sent that was acknowledged now. */
  #inflightAt(sent: { readonly deliveredBytes: Bytes; readonly lostBytes: Bytes }): Bytes {
    return this.#deliveredBytes - sent.deliveredBytes + this.#lostBytes - sent.lostBytes;
  }

  /** Each lost packet, but not without end, on its own, as if those that one ACK revealed had been sent next to each other. */
  #tellLosses(report: Report, sent: { readonly deliveredBytes: Bytes; readonly lostBytes: Bytes }): void {
    const { mssBytes } = this.#model;
    const packets = report.get("lost");
    const appLimited = this.#model.isAppLimited(sent.deliveredBytes);
    const txInflightBytes = this.#inflightAt(sent) + report.get("acked") + packets * mssBytes;
    const told = Math.min(packets, MAX_TOLD_PACKETS);
    this.#lostBytes += (packets - told) * mssBytes;
    for (let i = 0; i < told; i++) {
      this.#lostBytes += mssBytes;
      const lostBytes = this.#lostBytes - sent.lostBytes;
      const startsRange = i < report.get("lossAcks");
      const loss = { bytes: mssBytes, txInflightBytes, lostBytes, appLimited, startsRange };
      this.#model.onLostPacket(report.nowUs, loss, this.#deliveredBytes);
    }
  }

  #decide(report: Report): void {
    const model = this.#model;
    const fields: Readonly<Record<string, number>> = {
      Rate: this.#rate(),
      target: bounded(model.growthTarget(this.#deliveredBytes)),
      cap: bounded(model.ceiling()),
      holds: model.fullBwReached ? 1 : 0,
      every: Math.floor(Math.min(model.minRttUs, report.get("lastRtt")) / REPORTS_PER_RTT),
    };
    const news: Record<string, number> = {};
    let isNew = false;
    for (const name in fields) {
      if (fields[name] === this.#told[name]) continue;
      news[name] = this.#told[name] = fields[name]!;
      isNew = true;
    }
    const cwnd = Math.floor(model.cwndBytes);
    const ahead = cwnd - report.get("cwnd");
    const isHeld = ahead > 0 && report.get("held") === 1;
    if (!isHeld && Math.abs(ahead) > SAME_WINDOW_PACKETS * model.mssBytes) {
      news["Cwnd"] = news["left"] = cwnd;
      isNew = true;
    }
    if (isNew) this.#control.updateFields(news);
  }

  #rate(): number {
    return Math.max(1, Math.floor(this.#model.pacingRateBytesPerSec));
  }
}

function bounded(bytes: Bytes): Bytes {
  return Math.min(NONE, Math.floor(bytes));
}

/** @param watch sees each report that acknowledges something, and each change of state */
export function ccpBbr3(
  params: ParamValues,
  watch?: Bbr3Watch,
): ReturnType<NonNullable<AlgorithmSpec["ccp"]>> {
  return {
    name: "bbr3",
    programs: { bbr3: PROGRAM },
    newFlow: (control, info) => new Bbr3Flow(control, info, params, watch),
  };
}

export const bbr3: AlgorithmSpec = {
  name: "bbr3",
  summary:
    "models the path by bandwidth, minimum RTT and what losses say of inflight; probes for more every 2 to 3 s, and for the RTT every 5 s",
  source: "draft-ietf-ccwg-bbr (BBRv3), text of August 2026",
  reads: ["delivery-rate", "rtt", "loss", "timeout", "ecn"],
  params: BBR3_PARAMS,
  ccp: (params) => ccpBbr3(params),
  native: (params) => nativeBbr3(params),
};
