/**
 * BBRv3 as a CCP algorithm (draft-ietf-ccwg-bbr): the datapath program counts, paces and moves the window between the bounds that
 * the agent's model (`algorithms/bbr3/`) sets; the agent hears of it fourteen times per minimum RTT, and of losses at once.
 *
 * A program keeps no packets, so what the draft keeps of each (P.delivered, P.lost, P.tx_in_flight) the agent reads off its own
 * past: how much had been delivered and lost by the time that the newest acknowledged packet was sent, one RTT sample ago. On a path
 * that keeps order, what was in flight then is what was delivered or lost since.
 * A host undoes a spurious recovery by giving the window back: after a first loss the program stays three segments below for the
 * round of recovery, and so sees it.
 */
import type { CcpFlow, FlowControl, FlowInfo, Report } from "../../ccp-bridge/agent/algorithm.ts";
import type { Bytes, Micros } from "../../core/units.ts";
import { Bbr3Model, type Bbr3Watch } from "../bbr3/model.ts";
import { BBR3_PARAMS } from "../bbr3/params.ts";
import { FlowPast } from "../bbr3/past.ts";
import { nativeBbr3 } from "../native/bbr3.ts";
import type { AlgorithmSpec, ParamValues } from "../spec.ts";

/** No bound, in control variables. */
const NONE = 0xffff_ffff;
/** Windows of program and model that differ by less are one: the model counts what it has heard of. */
const SAME_WINDOW_PACKETS = 2;
/**
 * With ten the model learns of a changing rate late enough for a queue that is 5 % longer on a recorded cellular link, with fourteen 2 %; with
 * more the simulator takes more than three times as long for a packet as under Reno.
 */
const REPORTS_PER_RTT = 14;

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

/** Places of the report's variables: the order in which the program declares them. */
const TOLD = {
  acked: 0,
  lost: 1,
  lossAcks: 2,
  ecn: 3,
  rate: 4,
  rtt: 5,
  limited: 6,
  idle: 7,
  begins: 8,
  timeout: 9,
  undone: 10,
  held: 11,
  lastRtt: 12,
  inflight: 13,
  cwnd: 14,
  recovering: 15,
} as const;
const TOLD_FIELDS = 16;

/** Fields of the program that the model decides, but for the window. */
interface Bounds {
  Rate: number;
  target: number;
  cap: number;
  holds: number;
  every: number;
}

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
  /** what the program has been told: at fourteen reports per RTT most of it is as before */
  readonly #sent: Bounds = { Rate: -1, target: -1, cap: -1, holds: -1, every: -1 };

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
    const told = report.first(TOLD_FIELDS);
    const ackedBytes = told[TOLD.acked]!;
    const inflightBytes = told[TOLD.inflight]!;
    const isIdle = told[TOLD.idle] === 1;
    if (this.#isIdle) model.onRestartFromIdle(nowUs);
    if (told[TOLD.undone] === 1) model.onSpuriousLoss(nowUs, this.#deliveredBytes);
    if (told[TOLD.timeout] === 1) model.onRecovery("timeout", nowUs, inflightBytes);
    else if (told[TOLD.begins] === 1) model.onRecovery("fast", nowUs, inflightBytes);
    const rttUs = told[TOLD.rtt]!;
    const sent = this.#past.at(nowUs - told[TOLD.lastRtt]!);
    if (told[TOLD.lost]! > 0) this.#tellLosses(nowUs, told, sent);
    this.#deliveredBytes += ackedBytes;
    this.#past.add(nowUs, this.#deliveredBytes, this.#lostBytes);
    if (model.isInRecovery && told[TOLD.recovering] === 0) model.onRecovered();
    if (isIdle) model.markAppLimited(this.#deliveredBytes, inflightBytes);
    this.#isIdle = isIdle && inflightBytes === 0;
    if (ackedBytes > 0) {
      const { ack } = model;
      ack.nowUs = nowUs;
      ack.deliveredBytes = this.#deliveredBytes;
      ack.newlyAckedBytes = ackedBytes;
      ack.priorDeliveredBytes = sent.deliveredBytes;
      ack.txInflightBytes = this.#inflightAt(sent);
      ack.lostBytes = this.#lostBytes - sent.lostBytes;
      ack.appLimited = false;
      ack.rateBytesPerSec = told[TOLD.rate]!;
      ack.rttUs = rttUs === NONE ? 0 : rttUs;
      ack.inflightBytes = inflightBytes;
      ack.cwndLimited = told[TOLD.limited] === 1;
      ack.ecnBytes = told[TOLD.ecn]!;
      model.onAck();
    }
    this.#decide(told);
  }

  /** What was in flight when the packet was sent that was acknowledged now. */
  #inflightAt(sent: { readonly deliveredBytes: Bytes; readonly lostBytes: Bytes }): Bytes {
    return this.#deliveredBytes - sent.deliveredBytes + this.#lostBytes - sent.lostBytes;
  }

  /** Each lost packet, but not without end, on its own, as if those that one ACK revealed had been sent next to each other. */
  #tellLosses(
    nowUs: Micros,
    told: ArrayLike<number>,
    sent: { readonly deliveredBytes: Bytes; readonly lostBytes: Bytes },
  ): void {
    const { mssBytes } = this.#model;
    const packets = told[TOLD.lost]!;
    const appLimited = this.#model.isAppLimited(sent.deliveredBytes);
    const txInflightBytes = this.#inflightAt(sent) + told[TOLD.acked]! + packets * mssBytes;
    const single = Math.min(packets, MAX_TOLD_PACKETS);
    this.#lostBytes += (packets - single) * mssBytes;
    for (let i = 0; i < single; i++) {
      this.#lostBytes += mssBytes;
      const lostBytes = this.#lostBytes - sent.lostBytes;
      const startsRange = i < told[TOLD.lossAcks]!;
      const loss = { bytes: mssBytes, txInflightBytes, lostBytes, appLimited, startsRange };
      this.#model.onLostPacket(nowUs, loss, this.#deliveredBytes);
    }
  }

  #decide(told: ArrayLike<number>): void {
    const model = this.#model;
    const sent = this.#sent;
    let news: Record<string, number> | undefined;
    const tell = (name: keyof Bounds, value: number): void => {
      if (sent[name] === value) return;
      sent[name] = value;
      news ??= {};
      news[name] = value;
    };
    tell("Rate", this.#rate());
    tell("target", bounded(model.growthTarget(this.#deliveredBytes)));
    tell("cap", bounded(model.ceiling()));
    tell("holds", model.fullPipe.reached ? 1 : 0);
    tell("every", Math.floor(Math.min(model.minRtt.us, told[TOLD.lastRtt]!) / REPORTS_PER_RTT));
    const cwnd = Math.floor(model.cwndBytes);
    const ahead = cwnd - told[TOLD.cwnd]!;
    const isHeld = ahead > 0 && told[TOLD.held] === 1;
    if (!isHeld && Math.abs(ahead) > SAME_WINDOW_PACKETS * model.mssBytes) {
      news = { ...news, Cwnd: cwnd, left: cwnd };
    }
    if (news !== undefined) this.#control.updateFields(news);
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
