/**
 * The flow of an algorithm that tries rates and is told what each did, as PCC (section 2 of both papers): the datapath program
 * counts packets by rounds, the agent keeps which rate each round was sent at.
 *
 *   report      n-2            n-1             n
 *   sent         |  at rate A   |  at rate B   |          what arrives, or is lost, between n-1 and n was sent between n-2
 *   told of      |              |  sent at A   |          and n-1: the report n tells what rate A did
 *
 * The language has no packet numbers, so the program counts: what has been delivered or lost, and what is in flight, is what has
 * been sent, and a round is over once as much is delivered or lost as had been sent at its beginning.
 */
import type {
  CcpAlgorithm,
  CcpFlow,
  FlowControl,
  FlowInfo,
  Report,
} from "../../../ccp-bridge/agent/algorithm.ts";
import { type Bytes, MICROS_PER_SEC, type Micros } from "../../../core/units.ts";

const MIN_CWND_PACKETS = 2;
/** Two packets per RTT: less tells nothing of losses. */
const MIN_RATE_PACKETS = 2;
/** The window is no limit but for what the network holds up: so many times what the rate needs. */
const CWND_GAIN = 2;
const CWND_MARGIN_PACKETS = 10;
/** far above any link, and still a whole number as a double */
const MAX_RATE_BYTES_PER_SEC = 1e14;
/** less than this share of a rate was sent: something else limits the flow */
const UNUSED = 0.7;
/** a round has whole packets */
const ROUNDING_PACKETS = 1;
/** what a report says where there has been no RTT sample yet, and what is taken instead */
const NO_RTT_US = 0xffff_ffff;
const FIRST_RTT_US: Micros = 100_000;

const PROGRAM = `
(def
  (Report
    (volatile delivered 0) (volatile lost 0) (volatile timeout 0) (volatile spanUs 0)
    (volatile samples 0) (volatile rttSum 0) (volatile timeSum 0) (volatile timeSquares 0) (volatile products 0)
    (minRtt +infinity)
  )
  (told 0) (mark 0)
)
(when true
  (:= newly (+ Ack.packets_acked Ack.packets_misordered))
  (:= Report.delivered (+ Report.delivered newly))
  (:= Report.lost (+ Report.lost Ack.lost_pkts_sample))
  (:= told (+ told (+ newly Ack.lost_pkts_sample)))
  (:= Report.minRtt (min Report.minRtt Flow.rtt_sample_us))
  (fallthrough)
)
(when (< Flow.rtt_sample_us +infinity)
  (:= above (- Flow.rtt_sample_us Report.minRtt))
  (:= Report.samples (+ Report.samples 1))
  (:= Report.rttSum (+ Report.rttSum above))
  (:= Report.timeSum (+ Report.timeSum Micros))
  (:= Report.timeSquares (+ Report.timeSquares (* Micros Micros)))
  (:= Report.products (+ Report.products (* Micros above)))
)
(when (|| Flow.was_timeout (> told mark))
  (:= Report.timeout (if Flow.was_timeout 1))
  (:= mark (+ told Flow.packets_in_flight))
  (:= Report.spanUs Micros)
  (:= Micros 0)
  (report)
)`;

/** What a rate did. */
export interface Trial {
  /** that was asked for */
  readonly packetsPerSec: number;
  readonly sentPackets: number;
  /** share of them, 0 to 1 */
  readonly lossRate: number;
  /** how fast the RTT grew: us per us of sending, 0 where too few samples tell */
  readonly rttSlope: number;
  readonly meanRttUs: Micros;
  /** something else, such as the application, limited the flow to this, in packets/s: the trial says nothing of the rate */
  readonly limitedTo: number | undefined;
}

export interface MonitorRules {
  /** packets/s to begin with, from the RTT and the initial window */
  start(packetsPerSec: number): void;
  /** What a rate did that was tried; each comes once, in order. */
  onTrial(trial: Trial): void;
  /** A retransmission timeout: what was tried is void. */
  onTimeout(): void;
  /** The rate to send at from now on, in packets/s, and whether the next round is a trial of it. */
  next(): { readonly packetsPerSec: number; readonly isTrial: boolean };
}

interface Sent {
  readonly packetsPerSec: number;
  readonly isTrial: boolean;
}

class MonitorFlow implements CcpFlow {
  readonly #control: FlowControl;
  readonly #mssBytes: Bytes;
  readonly #initPackets: number;
  readonly #rules: MonitorRules;
  #hasStarted = false;
  /** the rounds that the report at hand, and the next one, tell of */
  #told: Sent | undefined;
  #sent: Sent | undefined;
  /** how long the round that the report at hand tells of was sent */
  #sendSpanUs: Micros = 0;

  constructor(control: FlowControl, info: FlowInfo, rules: MonitorRules) {
    this.#control = control;
    this.#mssBytes = info.mssBytes;
    this.#initPackets = info.initCwndBytes / info.mssBytes;
    this.#rules = rules;
    control.setProgram("monitor", { Cwnd: info.initCwndBytes });
  }

  onReport(report: Report): void {
    const minRttUs = report.get("minRtt");
    const queueUs = report.get("samples") === 0 ? 0 : report.get("rttSum") / report.get("samples");
    const rttUs = minRttUs === NO_RTT_US ? FIRST_RTT_US : Math.max(1, minRttUs + queueUs);
    if (report.get("timeout") === 1) {
      this.#rules.onTimeout();
      this.#told = this.#sent = undefined;
    } else if (!this.#hasStarted) {
      this.#hasStarted = true;
      this.#rules.start((this.#initPackets * MICROS_PER_SEC) / rttUs);
    } else if (this.#told?.isTrial === true) {
      this.#rules.onTrial(this.#trialOf(this.#told, report, rttUs));
    }
    if (!this.#hasStarted) return;
    this.#sendSpanUs = report.get("spanUs");
    const { packetsPerSec, isTrial } = this.#rules.next();
    this.#told = this.#sent;
    this.#sent = { packetsPerSec: this.#set(packetsPerSec, rttUs), isTrial };
  }

  #trialOf({ packetsPerSec }: Sent, report: Report, meanRttUs: Micros): Trial {
    const delivered = report.get("delivered");
    const lost = report.get("lost");
    const sentPackets = delivered + lost;
    const sendSec = Math.max(1, this.#sendSpanUs) / MICROS_PER_SEC;
    const isUnused = sentPackets + ROUNDING_PACKETS < UNUSED * packetsPerSec * sendSec;
    return {
      packetsPerSec,
      sentPackets,
      lossRate: sentPackets === 0 ? 0 : lost / sentPackets,
      rttSlope: slopeOf(report),
      meanRttUs,
      limitedTo: isUnused ? sentPackets / sendSec : undefined,
    };
  }

  /** @returns what it came to */
  #set(packetsPerSec: number, rttUs: Micros): number {
    const rttSec = rttUs / MICROS_PER_SEC;
    const most = MAX_RATE_BYTES_PER_SEC / this.#mssBytes;
    const rate = Math.min(most, Math.max(MIN_RATE_PACKETS / rttSec, packetsPerSec));
    const cwnd = Math.max(MIN_CWND_PACKETS, CWND_GAIN * rate * rttSec + CWND_MARGIN_PACKETS);
    this.#control.updateFields({
      Cwnd: Math.min(Number.MAX_SAFE_INTEGER, Math.floor(cwnd * this.#mssBytes)),
      Rate: Math.max(1, Math.round(rate * this.#mssBytes)),
    });
    return rate;
  }
}

/** Least squares over the samples by the time of their ACKs, in terms of the time of sending: d RTT / d sent = s / (1 - s). */
function slopeOf(report: Report): number {
  const n = report.get("samples");
  const time = report.get("timeSum");
  const spread = n * report.get("timeSquares") - time * time;
  if (n < 3 || spread <= 0) return 0;
  const byAck = (n * report.get("products") - time * report.get("rttSum")) / spread;
  return byAck >= 1 ? 1 : byAck / (1 - byAck);
}

/** An algorithm of rules: `make` is called for each flow. */
export function monitorAlgorithm(name: string, make: (info: FlowInfo) => MonitorRules): CcpAlgorithm {
  return {
    name,
    programs: { monitor: PROGRAM },
    newFlow: (control, info) => new MonitorFlow(control, info, make(info)),
  };
}
