/** What may be varied of Nimbus (Goyal et al., SIGCOMM 2022), and of its form for bundles (Bundler, EuroSys 2021). */
import type { AlgorithmParam } from "../../spec.ts";

export type NimbusParams = Readonly<
  Record<"linkMbps" | "pulse" | "pulseHz" | "threshold" | "holdSec" | "targetMs" | "flows" | "passes", number>
>;

export const NIMBUS_PARAMS: readonly AlgorithmParam[] = [
  {
    name: "linkMbps",
    unit: "Mbit/s",
    low: 0,
    high: 400_000,
    default: 0,
    why: "mu, payload that the link carries; 0: the largest rate that has arrived (section 3.2)",
  },
  {
    name: "pulse",
    unit: "1",
    low: 0.01,
    high: 0.5,
    default: 0.25,
    why: "height of a pulse, in parts of mu (section 3.4)",
  },
  {
    name: "pulseHz",
    unit: "Hz",
    low: 1,
    high: 20,
    default: 5,
    why: "pulses per second, rounded to 0.2: slow enough for an answer within the period, and fast enough for 25 of them within 5 s (section 3.4)",
  },
  {
    name: "threshold",
    unit: "1",
    low: 1,
    high: 100,
    default: 2,
    why: "eta from which cross traffic counts as elastic (section 3.3)",
  },
  {
    name: "holdSec",
    unit: "s",
    low: 0,
    high: 60,
    default: 1,
    why: "how long eta has to stay below before it counts as inelastic again: hysteresis",
  },
  {
    name: "targetMs",
    unit: "ms",
    low: 1,
    high: 1000,
    default: 12.5,
    why: "queueing delay that the delay rule holds: enough that a pulse does not empty the queue (section 4.1)",
  },
  {
    name: "flows",
    unit: "flows",
    low: 1,
    high: 16,
    default: 2,
    why: "how many Cubics the competitive rule is as aggressive as: two, as published, since the pulses meet most of the losses",
  },
  {
    name: "passes",
    unit: "1",
    low: 0,
    high: 1,
    default: 0,
    why: "for a bundle, whose senders have windows of their own: other than 0, it lets pass what they send instead of competing for them (Bundler)",
  },
];
