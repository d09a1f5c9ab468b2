/** What a rate that changes amounts to: its peak, from which buffers in bandwidth-delay products are counted. */
import type { Mbps } from "../core/units.ts";
import { toMbps } from "../core/units.ts";
import { OPPORTUNITY_BYTES } from "../traces/mahimahi.ts";
import type { RateSpec } from "./scenario.ts";

/** The highest rate of a schedule, the long-term mean of opportunities, undefined where there is no limit. */
export function peakMbps(rate: RateSpec): Mbps | undefined {
  switch (rate.kind) {
    case "constant":
    case "poisson":
      return rate.mbps;
    case "trace": {
      const periodMs = rate.opportunitiesMs.at(-1) ?? 0;
      return periodMs > 0
        ? toMbps((rate.opportunitiesMs.length * OPPORTUNITY_BYTES * 1000) / periodMs)
        : undefined;
    }
    case "steps":
    case "ramp":
      return Math.max(...rate.points.map((point) => point.mbps));
    case "markov":
      return Math.max(...rate.states.map((state) => state.mbps));
    case "random-steps":
      return rate.maxMbps;
    case "unlimited":
      return undefined;
  }
}
