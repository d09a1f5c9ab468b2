/**
 * The part of a datapath program that all window-based baselines share: the sequence space, loss episodes and slow
 * start. The language has no sequence numbers, so the program counts them in bytes since its start:
 *   una       acknowledged in order            sacked   acknowledged beyond una
 *   una + sacked + inflight + just lost = next to be sent, the end of a round or of a loss episode
 * One report per loss episode (RFC 6675 section 5: until una passes `recover`), at once; the agent decides the cut. Its
 * answer works from the next ACK on, so the program bridges the gap: after a timeout one segment (the loss window, RFC
 * 5681), after a loss what is in flight, or the packet sent into the full queue would be lost and cost a second cut.
 * A window grows only while it is `used`. A sender that waits until a burst is worth its while never fills the last of it: Linux
 * holds back up to 1 ms at the rate of its pacing (twice a window per RTT in slow start), at most a third of the window
 * (tcp_tso_autosize, tcp_tso_should_defer), which counts as used, as do three packets.
 */

/** Values of `Report.episode`. */
export const EPISODE = {
  none: 0,
  /** losses, none in the window before */
  loss: 1,
  timeout: 2,
  /** a timeout while the last episode goes on: ssthresh was set already (RFC 5681 section 3.1) */
  timeoutAgain: 3,
  /** ECN marks, none and no losses in the window before; only of programs that read them */
  marks: 4,
} as const;

export interface TcpProgramParts {
  /** more report variables, each `(name value)` or `(volatile name value)` */
  readonly reports?: string;
  /** more control variables */
  readonly controls?: string;
  /**
   * Events between slow start and the loss events; every event is examined on every ACK. Locals they may use: `newly` (bytes that
   * the window has not yet turned into growth), `growing` (neither in fast recovery nor application-limited), `starting`
   * (this ACK came in slow start), `now`.
   */
  readonly events: string;
  /** what the window grows by on an ACK of slow start; "none": the agent lets it grow; absent: all that it acknowledges */
  readonly growth?: string;
  /** in slow start the window counts as used where half of it is in flight, as Linux has it (tcp_is_cwnd_limited) */
  readonly halfIsUsed?: true;
  /** marks start an episode as losses do (RFC 3168 6.1.2), so that packets may ask for them */
  readonly readsMarks?: boolean;
  /** when the agent hears of losses and timeouts: at once (absent), or only at the end of its control variable `reportEvery` */
  readonly hears?: "at-once" | "at-interval";
}

function slowStartGrowth(growth: string | undefined, before: string): string {
  if (growth === "none") return "";
  return `(when (&& starting true)
  (:= Cwnd (min ssthresh (+ Cwnd ${growth ?? "newly"})))
  (:= newly (- newly (- Cwnd ${before})))
)`;
}

/**
 * Behind the loss events: a round with losses is theirs. What was marked has arrived, so nothing waits for the answer. The receiver
 * echoes a mark until it has the first packet sent after it (RFC 3168 6.1.3): only ACKs of that one and later ones are new.
 */
const MARKS = `
(when (&& (> Ack.ecn_packets 0) (> una recover))
  (:= Report.episode ${EPISODE.marks})
  (:= recover (+ (+ una sacked) Flow.bytes_in_flight))
  (:= growFrom recover)
  (report)
)`;

/** Reports whatever there is once the time is over; behind the loss events, so that it knows of them. */
const REPORT_AT_INTERVAL = `
(when (> Micros reportEvery)
  (:= Micros 0)
  (report)
)`;

/** Whether the window limits the flow, and may grow. */
const GROWING = "(:= growing (&& (> used Cwnd) (> (+ una 1) growFrom)))";
const GROWING_BY_HALF = `(:= growing (&& (< Cwnd ssthresh) (> (* 2 (+ Flow.bytes_in_flight newly)) Cwnd)))
  (:= growing (&& (|| growing (> used Cwnd)) (> (+ una 1) growFrom)))`;

/**
 * The shared declarations and events around an algorithm's own.
 * Shared control variables for the agent: `mss`, `ssthresh`, `credit` (acknowledged, not yet turned into growth), `cuts`
 * (echoed in reports, see `LossAnswers`).
 */
export function tcpProgram(parts: TcpProgramParts): string {
  const atInterval = parts.hears === "at-interval";
  const report = atInterval ? "" : "(report)";
  // a report that waits tells the window from before the loss
  const before = atInterval ? "before" : "Report.cwnd";
  return `
(def
  (Report
    (volatile episode ${EPISODE.none})
    (volatile acked 0)
    (cwnd 0)
    (cuts 0)
    (minRtt +infinity)
    ${parts.reports ?? ""}
  )
  (mss 1448) (ssthresh +infinity) (credit 0) (cuts 0)
  (una 0) (sacked 0) (recover 0) (growFrom 0)
  ${atInterval ? "(reportEvery 0)" : ""}
  ${parts.controls ?? ""}
)
(when true
  (:= now Ack.now)
  (:= ${before} Cwnd)
  ${atInterval ? `(:= Report.cwnd (if (== Report.episode ${EPISODE.none}) Cwnd))` : ""}
  (:= Report.cuts cuts)
  (:= Report.minRtt (min Report.minRtt Flow.rtt_sample_us))
  (:= newly (- Ack.bytes_acked (min Ack.bytes_acked sacked)))
  (:= used (+ Flow.bytes_in_flight (+ newly (+ Ack.bytes_misordered (* mss Ack.lost_pkts_sample)))))
  (:= used (+ used (max (* 3 mss) (/ (* 2000 Cwnd) (max 6000 Flow.rtt_sample_us)))))
  (:= una (+ una Ack.bytes_acked))
  ${parts.halfIsUsed ? GROWING_BY_HALF : GROWING}
  (:= starting (&& growing (< Cwnd ssthresh)))
  (:= sacked (+ (- sacked (min sacked Ack.bytes_acked)) Ack.bytes_misordered))
  (fallthrough)
)
${slowStartGrowth(parts.growth, before)}
${parts.events.trim()}
(when (&& Flow.was_timeout true)
  (:= Report.episode (if (> (+ una 1) recover) ${EPISODE.timeout}))
  (:= Report.episode (!if (> (+ una 1) recover) ${EPISODE.timeoutAgain}))
  (:= recover (max recover (+ (+ una sacked) (+ Flow.bytes_in_flight (* mss Ack.lost_pkts_sample)))))
  (:= growFrom 0)
  (:= Cwnd mss)
  ${report}
)
(when (&& (> Ack.lost_pkts_sample 0) (> (+ una 1) recover))
  (:= Report.episode ${EPISODE.loss})
  (:= recover (+ (+ una sacked) (+ Flow.bytes_in_flight (* mss Ack.lost_pkts_sample))))
  (:= growFrom recover)
  (:= Cwnd (max mss Flow.bytes_in_flight))
  ${report}
)
${parts.readsMarks ? MARKS : ""}${atInterval ? REPORT_AT_INTERVAL : ""}`;
}
