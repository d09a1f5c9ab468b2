/**
 * A window algorithm's slow start over CCP, of any kind and in any of three places: what it adds to the datapath program, and what
 * an agent does with the reports of it. A kind whose rules are too much for a program lets the agent decide when slow start is
 * over, wherever the window grows.
 */
import type { Report } from "../../../ccp-bridge/agent/algorithm.ts";
import { type Bytes, MICROS_PER_SEC } from "../../../core/units.ts";
import { type SlowStartPlace, slowStartOf, slowStartPlaceOf } from "../../slow-start/registry.ts";
import { PACED_WINDOWS_PER_RTT, type SlowStart, type SlowStartRules } from "../../slow-start/slow-start.ts";
import type { ParamValues } from "../../spec.ts";
import type { Fields } from "./loss-answers.ts";
import type { TcpProgramParts } from "./tcp-program.ts";

/** What the program is to run, and what the agent is to do. */
export interface CcpSlowStart {
  readonly kind: SlowStart;
  readonly place: SlowStartPlace;
  /** the agent hears of it */
  readonly reports: boolean;
}

export function ccpSlowStart(params: ParamValues): CcpSlowStart {
  const kind = slowStartOf(params);
  const place = slowStartPlaceOf(params);
  return { kind, place, reports: place === "agent" || kind.program === undefined };
}

/** No pacing once slow start is over. */
const PACED = `
(when (&& starting (< Report.minRtt +infinity))
  (:= Rate (/ (* Cwnd ${Math.floor(PACED_WINDOWS_PER_RTT * MICROS_PER_SEC)}) Report.minRtt))
)
(when (> (+ Cwnd 1) ssthresh)
  (:= Rate 0)
)`;

/** A report at the end of each round, and for rules three in each: those of a round's first ACKs hide the queue behind them. */
const TOLD = `
(when (&& starting true)
  (:= Report.starting 1)
  (:= Report.startAcked (+ Report.startAcked newly))
  (:= Report.startRtt (min Report.startRtt Flow.rtt_sample_us))
  (:= Report.startSamples (if (< Flow.rtt_sample_us +infinity) (+ Report.startSamples 1)))
  (:= Report.total (+ una sacked))
  (:= Report.sent (+ (+ una sacked) Flow.bytes_in_flight))
)
(when (&& starting (> (+ una 1) roundEnd))
  (:= roundEnd (+ una (+ sacked Flow.bytes_in_flight)))
  (:= Report.startRound 1)
  (:= Micros 0)
  (report)
)`;
const TOLD_OFTEN = `
(when (&& starting (> (* 3 Micros) Report.minRtt))
  (:= Micros 0)
  (report)
)`;

/** The algorithm's program with the slow start in it. */
export function withSlowStart(
  parts: TcpProgramParts,
  { kind, place, reports }: CcpSlowStart,
): TcpProgramParts {
  const own = place === "agent" ? undefined : kind.program;
  const growth = place === "agent" ? "none" : own?.growth;
  const isPaced = place === "datapath-rate";
  const isFine = reports && kind.rules !== undefined;
  return {
    ...parts,
    reports: reports
      ? `${parts.reports ?? ""} (volatile starting 0) (volatile startAcked 0) (volatile startRtt +infinity) (volatile startSamples 0) (volatile startRound 0) (total 0) (sent 0)`
      : parts.reports,
    controls: `${parts.controls ?? ""} ${own?.controls ?? ""} ${reports ? "(roundEnd 0)" : ""}`,
    events: [
      (isPaced && own?.pacedEvents) || own?.events,
      reports && TOLD,
      isFine && TOLD_OFTEN,
      isPaced && PACED,
      parts.events,
    ]
      .filter(Boolean)
      .join("\n"),
    ...(growth !== undefined && { growth }),
    ...(isPaced && { halfIsUsed: true }),
  };
}

/** The agent's half, of one flow. */
export class AgentSlowStart {
  readonly #growsHere: boolean;
  readonly #mssBytes: Bytes;
  /** only the first slow start of a flow knows nothing of the path */
  #rules: SlowStartRules | undefined;

  constructor({ kind, place }: CcpSlowStart, nowUs: number, mssBytes: Bytes) {
    this.#growsHere = place === "agent";
    this.#mssBytes = mssBytes;
    this.#rules = kind.rules?.(nowUs);
  }

  /** A loss or a timeout has ended it. */
  end(): void {
    this.#rules = undefined;
  }

  /** The fields to send for a report that tells of no loss; undefined: the flow is not in slow start, or nothing is to change. */
  answer(report: Report, ssthreshBytes: Bytes): Fields | undefined {
    if (report.get("starting") === 0) return undefined;
    const cwndBytes = report.get("cwnd");
    const samples = report.get("startSamples");
    const share =
      this.#rules?.onSample({
        nowUs: report.nowUs,
        lowRttUs: samples === 0 ? Infinity : report.get("startRtt"),
        samples,
        minRttUs: report.get("minRtt"),
        deliveredBytes: report.get("total"),
        sentBytes: report.get("sent"),
        cwndPackets: cwndBytes / this.#mssBytes,
        endsRound: report.get("startRound") === 1,
      }) ?? 1;
    if (share === 0) {
      this.#rules = undefined;
      return { ssthresh: cwndBytes };
    }
    if (!this.#growsHere) return undefined;
    const grown = cwndBytes + Math.floor(share * report.get("startAcked"));
    return { Cwnd: Math.min(ssthreshBytes, grown) };
  }
}
