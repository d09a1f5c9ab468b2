/**
 * The flow of an algorithm that decides now and then: once per round, or every quarter of one. The datapath program counts
 * what came in between, grows the window by one packet for each `step` acknowledged bytes, and knows loss episodes; the
 * algorithm is left with its rules, which see packets and microseconds.
 */
import type {
  CcpAlgorithm,
  CcpFlow,
  FlowControl,
  FlowInfo,
  Report,
} from "../../../ccp-bridge/agent/algorithm.ts";
import type { Bytes, Micros } from "../../../core/units.ts";
import { type Fields, LossAnswers } from "./loss-answers.ts";
import { EPISODE, tcpProgram } from "./tcp-program.ts";

/** RFC 5681 equation (4): at least two packets after a cut, or fast retransmit could never start again. */
const MIN_CWND_PACKETS = 2;
/** The largest immediate below infinity that the wire carries; no growth at all. */
const NO_STEP = 0x7fff_ffff;

/** `round`: when a window of data has been acknowledged; `quarter`: that, and whenever a quarter of an RTT has passed. */
export type Pace = "round" | "quarter";

function program(pace: Pace): string {
  return tcpProgram({
    reports: `
    (volatile lowRtt +infinity) (volatile highRtt 0) (volatile rttSum 0) (volatile samples 0)
    (volatile delivered 0) (volatile lost 0) (volatile rate 0) (volatile round 0) (volatile growing 0)`,
    controls: `(roundEnd 0) (step ${NO_STEP})`,
    events: `
(when (< Flow.rtt_sample_us +infinity)
  (:= Report.lowRtt (min Report.lowRtt Flow.rtt_sample_us))
  (:= Report.highRtt (max Report.highRtt Flow.rtt_sample_us))
  (:= Report.rttSum (+ Report.rttSum Flow.rtt_sample_us))
  (:= Report.samples (+ Report.samples 1))
)
(when true
  (:= Report.delivered (+ Report.delivered (+ Ack.packets_acked Ack.packets_misordered)))
  (:= Report.lost (+ Report.lost Ack.lost_pkts_sample))
  (:= Report.rate (max Report.rate (min Flow.rate_incoming Flow.rate_outgoing)))
  (:= Report.growing (if growing 1))
)
(when (&& growing (> (+ Cwnd 1) ssthresh))
  (:= credit (+ credit newly))
)
(when (> (+ credit 1) step)
  (:= credit (- credit step))
  (:= Cwnd (+ Cwnd mss))
)
(when (> una roundEnd)
  (:= roundEnd (+ una (+ sacked Flow.bytes_in_flight)))
  (:= Report.round 1)
  (:= Report.cwnd Cwnd)
  (:= Micros 0)
  (report)
)
${
  pace === "round"
    ? ""
    : `
(when (> (* 4 Micros) Flow.rtt_sample_us)
  (:= Report.cwnd Cwnd)
  (:= Micros 0)
  (report)
)`
}`,
  });
}

const PROGRAMS: Readonly<Record<Pace, string>> = { round: program("round"), quarter: program("quarter") };

/** What came in since the last one. */
export interface Interval {
  readonly nowUs: Micros;
  readonly cwndPackets: number;
  /** of the flow's life */
  readonly minRttUs: Micros;
  /** Infinity where there was no sample, as `meanRttUs` */
  readonly lowRttUs: Micros;
  readonly highRttUs: Micros;
  readonly meanRttUs: Micros;
  readonly samples: number;
  readonly deliveredPackets: number;
  readonly lostPackets: number;
  /** the best sample; 0: none */
  readonly ratePacketsPerSec: number;
  readonly endsRound: boolean;
  /** the window limits the flow, which is not in recovery: only then may it grow */
  readonly growing: boolean;
  /** the window is below ssthresh: the program doubles it each round */
  readonly slowStart: boolean;
}

/** What is to change; absent: stays as it is. */
export interface Decision {
  /** the window, at once */
  readonly cwndPackets?: number;
  /** growth over the next window of acknowledged data, at least 0 */
  readonly growthPackets?: number;
  /** where slow start ends; where a window is given alone, slow start does not go on */
  readonly ssthreshPackets?: number;
  /** pacing rate */
  readonly ratePacketsPerSec?: number;
}

export interface Rules {
  onInterval(interval: Interval): Decision | undefined;
  /** The owner of the flow changes parameters (`CcpFlow.onParams`). */
  onParams?(params: Readonly<Record<string, number>>): void;
  /** What a loss episode, or a timeout, leaves of the window (after a timeout that is ssthresh), in packets. */
  onLoss(interval: Interval, kind: "loss" | "timeout"): number;
}

class IntervalFlow implements CcpFlow {
  readonly #control: FlowControl;
  readonly #mssBytes: Bytes;
  readonly #answers = new LossAnswers();
  readonly #rules: Rules;
  #ssthreshPackets: number;

  constructor(
    control: FlowControl,
    info: FlowInfo,
    pace: Pace,
    { rules, slowStart = true, initial }: IntervalOptions,
  ) {
    this.#control = control;
    this.#mssBytes = info.mssBytes;
    this.#rules = rules;
    this.#ssthreshPackets = slowStart ? Infinity : 0;
    const cwndBytes = initial === undefined ? info.initCwndBytes : this.#bytes(initial.cwndPackets);
    const rate = initial?.ratePacketsPerSec;
    control.setProgram(pace, {
      mss: info.mssBytes,
      Cwnd: cwndBytes,
      ...(rate !== undefined && { Rate: Math.max(1, Math.round(rate * info.mssBytes)) }),
      ...(!slowStart && { ssthresh: 0 }),
    });
  }

  onParams(params: Readonly<Record<string, number>>): void {
    this.#rules.onParams?.(params);
  }

  onReport(report: Report): void {
    switch (report.get("episode")) {
      case EPISODE.loss:
        if (!this.#answers.isCurrent(report)) {
          this.#control.updateFields(this.#answers.repeat());
          return;
        }
        this.#answer(report, "loss");
        return;
      case EPISODE.timeout:
        this.#answer(report, "timeout");
        return;
      case EPISODE.timeoutAgain:
        return;
      default:
        if (this.#answers.isCurrent(report)) this.#decide(this.#intervalOf(report));
    }
  }

  #answer(report: Report, kind: "loss" | "timeout"): void {
    const left = Math.max(MIN_CWND_PACKETS, this.#rules.onLoss(this.#intervalOf(report), kind));
    this.#ssthreshPackets = left;
    const ssthresh = this.#bytes(left);
    const fields: Fields = { ssthresh, credit: 0 };
    this.#control.updateFields(
      this.#answers.answer(kind === "loss" ? { ...fields, Cwnd: ssthresh } : fields),
    );
  }

  #decide(interval: Interval): void {
    const decision = this.#rules.onInterval(interval);
    if (decision === undefined) return;
    const { growthPackets, ratePacketsPerSec } = decision;
    const fields: Record<string, number> = {};
    let { cwndPackets, ssthreshPackets } = decision;
    if (cwndPackets !== undefined) {
      cwndPackets = Math.max(MIN_CWND_PACKETS, cwndPackets);
      ssthreshPackets ??= Math.min(this.#ssthreshPackets, cwndPackets);
      fields["Cwnd"] = this.#bytes(cwndPackets);
    }
    if (ssthreshPackets !== undefined && ssthreshPackets !== this.#ssthreshPackets) {
      this.#ssthreshPackets = ssthreshPackets;
      fields["ssthresh"] = this.#bytes(ssthreshPackets);
    }
    if (growthPackets !== undefined) {
      const cwndBytes = (cwndPackets ?? interval.cwndPackets) * this.#mssBytes;
      fields["step"] = Math.max(1, Math.min(NO_STEP, Math.floor(cwndBytes / growthPackets)));
    }
    if (ratePacketsPerSec !== undefined) {
      const rate = Math.max(1, Math.round(ratePacketsPerSec * this.#mssBytes));
      fields["Rate"] = Math.min(rate, Number.MAX_SAFE_INTEGER);
    }
    if (Object.keys(fields).length > 0) this.#control.updateFields(fields);
  }

  #bytes(packets: number): Bytes {
    return Math.min(Math.floor(packets * this.#mssBytes), Number.MAX_SAFE_INTEGER);
  }

  #intervalOf(report: Report): Interval {
    const mss = this.#mssBytes;
    const samples = report.get("samples");
    const cwndPackets = report.get("cwnd") / mss;
    const measured = (rttUs: number): number => (samples === 0 ? Number.POSITIVE_INFINITY : rttUs);
    return {
      nowUs: report.nowUs,
      cwndPackets,
      minRttUs: report.get("minRtt"),
      lowRttUs: measured(report.get("lowRtt")),
      highRttUs: measured(report.get("highRtt")),
      meanRttUs: measured(report.get("rttSum") / samples),
      samples,
      deliveredPackets: report.get("delivered"),
      lostPackets: report.get("lost"),
      ratePacketsPerSec: report.get("rate") / mss,
      endsRound: report.get("round") === 1,
      growing: report.get("growing") === 1,
      slowStart: report.get("cwnd") < this.#bytes(this.#ssthreshPackets),
    };
  }
}

export interface IntervalOptions {
  readonly rules: Rules;
  /** false: the program never doubles the window; default true */
  readonly slowStart?: boolean;
  /** what the flow begins with; absent: the datapath's window, without a rate */
  readonly initial?: { readonly cwndPackets: number; readonly ratePacketsPerSec: number | undefined };
}

/** The program that the flows of `intervalFlow` run, by its name. */
export function intervalPrograms(pace: Pace): CcpAlgorithm["programs"] {
  return { [pace]: PROGRAMS[pace] };
}

/** A flow of rules, for an algorithm that has `intervalPrograms`. */
export function intervalFlow(
  control: FlowControl,
  info: FlowInfo,
  pace: Pace,
  options: IntervalOptions,
): CcpFlow {
  return new IntervalFlow(control, info, pace, options);
}

/** An algorithm of rules: `make` is called for each flow. */
export function intervalAlgorithm(
  name: string,
  pace: Pace,
  make: (info: FlowInfo) => IntervalOptions,
): CcpAlgorithm {
  return {
    name,
    programs: intervalPrograms(pace),
    newFlow: (control, info) => intervalFlow(control, info, pace, make(info)),
  };
}
