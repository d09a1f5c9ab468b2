/** The traces that come with the package: all generated, each by the options listed here (see generate.ts). */
import type { GenerateTraceOptions } from "./generate.ts";

export interface ShippedTrace {
  readonly name: string;
  /** file below traces/shipped/ */
  readonly file: string;
  readonly description: string;
  /** `generateTrace(generator)` gives the file byte for byte */
  readonly generator: GenerateTraceOptions;
}

function shipped(
  description: string,
  generator: GenerateTraceOptions & { readonly name: string },
): ShippedTrace {
  return { name: generator.name, file: `${generator.name}.trace`, description, generator };
}

export const SHIPPED_TRACES: readonly ShippedTrace[] = [
  shipped("LTE on foot: 8 Mbit/s, swings over many seconds, no outages", {
    name: "lte-slow-walk",
    model: "lte",
    meanMbps: 8,
    durationSec: 60,
    seed: 1,
    sigma: 0.35,
    relaxationSec: 10,
    outagesPerSec: 0,
  }),
  shipped("LTE in a car: 4.5 Mbit/s, swings over a few seconds, rare outages", {
    name: "lte-driving",
    model: "lte",
    meanMbps: 4.5,
    durationSec: 120,
    seed: 2,
    sigma: 0.75,
    relaxationSec: 2.5,
    outagesPerSec: 0.04,
  }),
  shipped(
    "LTE in a car at the edge of coverage: 3.5 Mbit/s, an outage every 8 s or so, 1 s each on average",
    {
      name: "lte-driving-outages",
      model: "lte",
      meanMbps: 3.5,
      durationSec: 120,
      seed: 3,
      sigma: 0.8,
      relaxationSec: 2.5,
      outagesPerSec: 0.12,
      outageSec: 1,
    },
  ),
  shipped("UMTS in a car: 2 Mbit/s, 10 ms slots, outages", {
    name: "umts-driving",
    model: "umts",
    meanMbps: 2,
    durationSec: 120,
    seed: 4,
  }),
  shipped("5G millimetre wave: 18 Mbit/s in large bursts, wide swings, short blockages", {
    name: "5g-burst",
    model: "5g-like",
    meanMbps: 18,
    durationSec: 30,
    seed: 5,
  }),
  shipped("Wi-Fi with contention: 9 Mbit/s in aggregated frames", {
    name: "wifi-like",
    model: "wifi-like",
    meanMbps: 9,
    durationSec: 60,
    seed: 6,
  }),
];
