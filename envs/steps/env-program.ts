/**
 * The datapath program of the environment: folds every ACK into the 15 report variables that observations and rewards are
 * made of. When it reports depends on the step mode; in all modes a report may also come at once on loss or timeout.
 */
import type { Report } from "../../ccp-bridge/agent/algorithm.ts";
import type { Interval } from "../signals/interval.ts";

const FOLD = `(def
    (Report
        (volatile acked 0)
        (volatile packetsAcked 0)
        (volatile packetsMisordered 0)
        (volatile ecnBytes 0)
        (volatile ecnPackets 0)
        (volatile loss 0)
        (volatile lost 0)
        (volatile timeout 0)
        (volatile rttSum 0)
        (inflight 0)
        (pending 0)
        (rtt 0)
        (minRtt +infinity)
        (rateOut 0)
        (rateIn 0)
    )
    (intervalUs 10000)
)
(when true
    (:= Report.acked (+ Report.acked Ack.bytes_acked))
    (:= Report.packetsAcked (+ Report.packetsAcked Ack.packets_acked))
    (:= Report.packetsMisordered (+ Report.packetsMisordered Ack.packets_misordered))
    (:= Report.ecnBytes (+ Report.ecnBytes Ack.ecn_bytes))
    (:= Report.ecnPackets (+ Report.ecnPackets Ack.ecn_packets))
    (:= Report.loss Ack.lost_pkts_sample)
    (:= Report.lost (+ Report.lost Ack.lost_pkts_sample))
    (:= Report.timeout (if Flow.was_timeout 1))
    (:= Report.rttSum (+ Report.rttSum (* Flow.rtt_sample_us (+ Ack.packets_acked Ack.packets_misordered))))
    (:= Report.inflight Flow.packets_in_flight)
    (:= Report.pending Flow.bytes_pending)
    (:= Report.rtt (if (< Flow.rtt_sample_us +infinity) Flow.rtt_sample_us))
    (:= Report.minRtt (min Report.minRtt Flow.rtt_sample_us))
    (:= Report.rateOut Flow.rate_outgoing)
    (:= Report.rateIn Flow.rate_incoming)
    (fallthrough)
)`;

/** Places of the variables in a report: the order in which `FOLD` declares them. */
const ACKED = 0;
const PACKETS_ACKED = 1;
const PACKETS_MISORDERED = 2;
const ECN_BYTES = 3;
const ECN_PACKETS = 4;
const LOSS = 5;
const LOST = 6;
const TIMEOUT = 7;
const RTT_SUM = 8;
const INFLIGHT = 9;
const PENDING = 10;
const RTT = 11;
const MIN_RTT = 12;
const RATE_OUT = 13;
const RATE_IN = 14;
const FIELDS = 15;

const AT_ONCE = `
(when (|| Flow.was_timeout (> Ack.lost_pkts_sample 0))
    (report)
    (:= Micros 0)
)`;

/** "Every k ms" is the first ACK k ms or more after the last report; the control variable holds k ms - 1 us. */
const EVERY_INTERVAL = `
(when (> Micros intervalUs)
    (report)
    (:= Micros 0)
)`;

const EVERY_RTT = `
(when (> Micros Report.rtt)
    (report)
    (:= Micros 0)
)`;

export const INTERVAL_PROGRAM = "interval";
export const RTT_PROGRAM = "rtt";

/** @param reportLossAtOnce whether loss or timeout ends a step at once */
export function envPrograms(reportLossAtOnce: boolean): Readonly<Record<string, string>> {
  const atOnce = reportLossAtOnce ? AT_ONCE : "";
  return {
    [INTERVAL_PROGRAM]: `${FOLD}${atOnce}${EVERY_INTERVAL}`,
    [RTT_PROGRAM]: `${FOLD}${atOnce}${EVERY_RTT}`,
  };
}

/**
 * Adds a report of one of the programs above to the interval of a step, whose counters were cleared when it began: counters
 * add up, the mean RTT is that over all packets delivered, everything else is the newest report's.
 */
export function readReport(report: Report, interval: Interval): void {
  const values = report.first(FIELDS);
  const deliveredBefore = interval.ackedPackets + interval.misorderedPackets;
  interval.report = true;
  interval.ackedBytes += values[ACKED]!;
  interval.ackedPackets += values[PACKETS_ACKED]!;
  interval.misorderedPackets += values[PACKETS_MISORDERED]!;
  interval.ecnBytes += values[ECN_BYTES]!;
  interval.ecnPackets += values[ECN_PACKETS]!;
  interval.lastLostPackets = values[LOSS]!;
  interval.lostPackets += values[LOST]!;
  if (values[TIMEOUT]! !== 0) interval.timeout = true;
  interval.inflightPackets = values[INFLIGHT]!;
  interval.pendingBytes = values[PENDING]!;
  interval.rttUs = values[RTT]!;
  const delivered = interval.ackedPackets + interval.misorderedPackets;
  if (delivered > deliveredBefore) {
    interval.meanRttUs = (interval.meanRttUs * deliveredBefore + values[RTT_SUM]!) / delivered;
  } else if (interval.meanRttUs === 0) interval.meanRttUs = interval.rttUs;
  const minRttUs = values[MIN_RTT]!;
  if (minRttUs < NO_RTT_US) interval.minRttUs = minRttUs;
  interval.sendRateBytesPerSec = values[RATE_OUT]!;
  interval.deliveryRateBytesPerSec = values[RATE_IN]!;
}

/** What a datapath gives for an RTT without a sample, and for +infinity: 2^32 - 1 (libccp). */
const NO_RTT_US = 4_294_967_295;
