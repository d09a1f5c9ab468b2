/** The program that the benchmarks share. */

/** What was acknowledged and the RTT, once per RTT: the smallest program that a controller needs. */
export const ONCE_PER_RTT = `(def (Report (volatile acked 0) (rtt 0)))
(when true
  (:= Report.acked (+ Report.acked Ack.bytes_acked))
  (:= Report.rtt Flow.rtt_sample_us)
  (fallthrough)
)
(when (> Micros Flow.rtt_sample_us)
  (report)
  (:= Micros 0)
)
`;
