/**
 * Features that mean the same on every path: ratios to what the path itself has shown, never a rate. So a policy cannot tell
 * a small share of a fast link from the whole of a slow one, answers the same queue in the same way, and flows converge.
 */
import { log2 } from "../../../core/math.ts";
import { type BytesPerSec, MICROS_PER_MILLI } from "../../../core/units.ts";
import { REFERENCE_RTT_US, RTT_OCTAVES } from "../envelope.ts";
import { queueDelayUs, throughputBytesPerSec } from "../interval.ts";
import type { FlowView, ObservationParts } from "../observations.ts";
import { clip, lossRate, lossScale, productBytes, ratio, share, signed } from "./features.ts";

const throughput = ({ interval }: FlowView): BytesPerSec => throughputBytesPerSec(interval);

/** Least queue that is told from none: a quarter of where the score has its floor. */
const LEAST_QUEUE_US = 250;
/** Where queueing delay counts as none beside loss. */
const NO_QUEUE_RTT = 0.1;

export const GENERAL: ObservationParts = {
  name: "general",
  definition:
    "Eighteen bounded features of the step without any scale of rate: queue, delivery, sending, loss, policing and ACK aggregation relative to what the path has shown; four frames",
  source: "ccpark; ratios after Orca, Astraea and Aurora, highest rate after BBR",
  history: 4,
  features: [
    share("queueDelayRatio", "log2(1 + (mean RTT - min RTT) / min RTT) / 4, at most 1", ({ interval }) =>
      interval.minRttUs === 0 ? 0 : Math.min(1, log2(1 + queueDelayUs(interval) / interval.minRttUs) / 4),
    ),
    signed(
      "queueDelayLog",
      "log2((mean RTT - min RTT) / 4 ms) / 6, within +-1; 0.25 ms at least",
      ({ interval }) => ratio(Math.max(queueDelayUs(interval), LEAST_QUEUE_US), 4 * MICROS_PER_MILLI, 6),
    ),
    signed("rttTrend", "(last RTT - mean RTT) / min RTT, four times, within +-1", ({ interval }) =>
      interval.minRttUs === 0
        ? 0
        : clip((4 * (interval.rttUs - interval.meanRttUs)) / interval.minRttUs, -1, 1),
    ),
    signed("deliveryRatio", "log2(delivery rate / highest rate), within +-1", ({ interval, path }) =>
      ratio(interval.deliveryRateBytesPerSec, path.maxRateBytesPerSec, 1),
    ),
    signed("throughputRatio", "log2(throughput of the step / highest rate), within +-1", (view) =>
      ratio(throughput(view), view.path.maxRateBytesPerSec, 1, -1),
    ),
    signed("sendRatio", "log2(sending rate / highest rate), within +-1", ({ interval, path }) =>
      ratio(interval.sendRateBytesPerSec, path.maxRateBytesPerSec, 1),
    ),
    signed("pacingRatio", "log2(pacing rate set / highest rate), within +-1", ({ rateBytesPerSec, path }) =>
      ratio(rateBytesPerSec, path.maxRateBytesPerSec, 1),
    ),
    signed("windowRatio", "log2(cwnd / (highest rate x min RTT)) / 4, within +-1", (view) =>
      ratio(view.cwndBytes, productBytes(view), 4, -1),
    ),
    signed("inflightRatio", "log2(in flight / (highest rate x min RTT)) / 4, within +-1", (view) =>
      ratio(view.interval.inflightPackets * view.interval.mssBytes, productBytes(view), 4, -1),
    ),
    share("lossRate", "sqrt(10 x lost / (lost + delivered)) of the step, at most 1", (view) =>
      lossScale(lossRate(view)),
    ),
    share("lossMemory", "the same of the mean over some 32 reports", ({ path }) => lossScale(path.lossRate)),
    share("policing", "lossRate where the queueing delay is below a tenth of the min RTT, else 0", (view) =>
      queueDelayUs(view.interval) < NO_QUEUE_RTT * view.interval.minRttUs ? lossScale(lossRate(view)) : 0,
    ),
    signed(
      "burstiness",
      "log2(delivery rate / throughput of the step) / 3, within +-1: above 0 where ACKs come together",
      (view) => ratio(view.interval.deliveryRateBytesPerSec, throughput(view), 3),
    ),
    signed("stepStretch", "log2(length of the step / smoothed RTT) / 3, within +-1", ({ interval, srttUs }) =>
      ratio(interval.stepUs, srttUs, 3),
    ),
    signed(
      "pacingGain",
      "log2(pacing rate set / smoothed rate of the path), within +-1: what the last action was",
      ({ rateBytesPerSec, path }) => ratio(rateBytesPerSec, path.rateBytesPerSec, 1),
    ),
    share(
      "reportsSinceMax",
      "reports since the highest rate was seen / 8",
      ({ path }) => path.reportsSinceMax / 8,
    ),
    signed("phase", "-1 before the first report, 1 in slow start, 0 afterwards", ({ path }) =>
      path.reports === 0 ? -1 : path.isStartup ? 1 : 0,
    ),
    signed("minRttLog", "log2(min RTT / 40 ms) / 4, within +-1 (2.5 to 640 ms)", ({ interval }) =>
      ratio(interval.minRttUs, REFERENCE_RTT_US, RTT_OCTAVES),
    ),
  ],
};
