/** For bundles: what the boxes measure of the path between two sites and of what waits before it, and the rate as the action. */
import { exp, log2 } from "../../core/math.ts";
import type { Bytes } from "../../core/units.ts";
import { makeBox } from "../spaces.ts";
import type { ActionSpec } from "./actions.ts";
import { clip, lossRate, lossScale, productBytes, ratio, share, signed } from "./general/features.ts";
import { queueDelayUs } from "./interval.ts";
import type { FlowView, ObservationParts } from "./observations.ts";
import { limited } from "./window-limits.ts";

/** What stands before the path: written by the hosts, and not sent on yet. */
const waitingBytes = ({ interval }: FlowView): Bytes =>
  Math.max(0, interval.pendingBytes - interval.inflightPackets * interval.mssBytes);

export const BUNDLE_OBSERVATION: ObservationParts = {
  name: "bundle",
  definition:
    "Nine bounded features of the step: the bundle's rates out and in, its RTT, and where its packets wait, before the sendbox or in the network, relative to what the path has shown; three frames",
  source: "ccpark; what Bundler's boxes measure (Narayan's thesis 2024, 4.7.6)",
  history: 3,
  features: [
    signed(
      "outRatio",
      "log2(rate out of the sendbox / highest rate in) / 2, within +-1",
      ({ interval, path }) => ratio(interval.sendRateBytesPerSec, path.maxRateBytesPerSec, 2),
    ),
    signed(
      "inRatio",
      "log2(rate in at the receivebox / highest rate in) / 2, within +-1",
      ({ interval, path }) => ratio(interval.deliveryRateBytesPerSec, path.maxRateBytesPerSec, 2),
    ),
    signed("rateRatio", "log2(rate set / highest rate in) / 2, within +-1", ({ rateBytesPerSec, path }) =>
      ratio(rateBytesPerSec, path.maxRateBytesPerSec, 2),
    ),
    share("networkQueue", "log2(1 + (mean RTT - min RTT) / min RTT) / 4, at most 1", ({ interval }) =>
      interval.minRttUs === 0 ? 0 : Math.min(1, log2(1 + queueDelayUs(interval) / interval.minRttUs) / 4),
    ),
    signed("rttTrend", "(last RTT - mean RTT) / min RTT, four times, within +-1", ({ interval }) =>
      interval.minRttUs === 0
        ? 0
        : clip((4 * (interval.rttUs - interval.meanRttUs)) / interval.minRttUs, -1, 1),
    ),
    share(
      "siteQueue",
      "log2(1 + waiting in the sendbox / (highest rate in x min RTT)) / 6, at most 1",
      (view) => {
        const product = productBytes(view);
        return product === 0 ? 0 : Math.min(1, log2(1 + waitingBytes(view) / product) / 6);
      },
    ),
    signed("inflightRatio", "log2(in flight / (highest rate in x min RTT)) / 4, within +-1", (view) =>
      ratio(view.interval.inflightPackets * view.interval.mssBytes, productBytes(view), 4, -1),
    ),
    share("lossRate", "sqrt(10 x lost / (lost + delivered)) of the step, at most 1", (view) =>
      lossScale(lossRate(view)),
    ),
    share("report", "1 if a report ended the step, 0 if its time limit did", ({ interval }) =>
      interval.report ? 1 : 0,
    ),
  ],
};

/** So far above what has arrived is a rate of no use, and a way back from it. */
const MOST_OF_HIGHEST = 2;
const MIN_RATE_PACKETS_PER_SEC = 1;

export const BUNDLE_RATE: ActionSpec = limited((maxPackets) => ({
  name: "bundle-rate",
  definition: `Pacing rate *= 2^a, from the rate on that has arrived first; the rate stays within 1 packet/s and ${MOST_OF_HIGHEST} x the highest rate of delivery of the last 10 s, and one held there counts as a clipped action. The window stays open: the rate alone holds a bundle, or a flow, back`,
  source: "ccpark; the rate of Bundler's sendbox (Narayan's thesis 2024, 4.7.6)",
  refusesBelow: false,
  space: makeBox([
    {
      name: "log2RateChange",
      unit: "1",
      low: -1,
      high: 1,
      definition: "a in rate *= 2^a: -1 halves, 0 keeps, 1 doubles",
    },
  ]),
  apply(action, setting, mssBytes, { maxDeliveryRateBytesPerSec: highest }) {
    setting.cwndBytes = maxPackets * mssBytes;
    // nothing has arrived yet: what the path will bear is not known
    if (highest === 0) return false;
    const from = setting.rateBytesPerSec === 0 ? highest : setting.rateBytesPerSec;
    const rate = from * exp(Math.LN2 * action[0]!);
    const most = MOST_OF_HIGHEST * highest;
    setting.rateBytesPerSec = Math.max(MIN_RATE_PACKETS_PER_SEC * mssBytes, Math.min(rate, most));
    return rate > most;
  },
}));
