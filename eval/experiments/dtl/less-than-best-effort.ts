/** DTL's flows of priority 0 among their like, beside unmodified LEDBAT, and beside TCP. */
import type { Mbps } from "../../../core/units.ts";
import { type Claim, type Experiment, judge } from "../experiment.ts";
import { type Bottleneck, type Contestant, packetsIn } from "../shares.ts";
import { QUEUE_MS, type ShareCase, shareExperiment } from "./share-experiment.ts";

const RTT_MS = 20;
const POLITE = "dtl:priority=0";

function link(mbps: Mbps, durationSec = 300): Bottleneck {
  return { mbps, rttMs: RTT_MS, queuePackets: packetsIn(mbps, QUEUE_MS), durationSec };
}

/** The second comes so much later: with the first, or when that has long filled the queue to its target. */
const STARTS_SEC: Readonly<Record<string, number>> = { together: 0.5, latecomer: 30 };
/** From the latecomer's slow start and first drain on. */
const SETTLED: readonly [number, number] = [60, 300];

const PAIRS: readonly ShareCase[] = [10, 1].flatMap((mbps) =>
  Object.entries(STARTS_SEC).flatMap(([how, startSec]) =>
    ([POLITE, "ledbat"] as const).map((algorithm) => ({
      label: `${algorithm === POLITE ? "priority 0" : "LEDBAT"}, ${how}, ${mbps} Mbit/s`,
      link: link(mbps),
      contestants: [
        { id: "first", algorithm, startSec: 0 },
        { id: "second", algorithm, startSec },
      ],
      spans: [SETTLED],
    })),
  ),
);

export const dtlFairness: Experiment = shareExperiment({
  name: "dtl-fairness",
  summary: "two flows of priority 0 share a link, also with a latecomer, which LEDBAT lets take it all",
  seeds: 5,
  cases: PAIRS,
  claims: (of) =>
    PAIRS.flatMap(({ label }): Claim[] => {
      const shares = of(label);
      if (label.startsWith("LEDBAT")) {
        return [
          judge({
            claim: `${label}: what the second has of both`,
            published: "the latecomer's advantage",
            measured: shares.share(SETTLED, [1]),
            unit: "1",
            ...(label.includes("latecomer") && { threshold: { low: 0.75 } }),
          }),
        ];
      }
      return [
        judge({
          claim: `${label}: Jain's index`,
          measured: shares.jain(SETTLED, [0, 1]),
          unit: "1",
          threshold: { low: 0.98 },
        }),
        judge({
          claim: `${label}: utilisation`,
          measured: shares.utilisation(SETTLED),
          unit: "1",
          threshold: { low: 0.95 },
        }),
      ];
    }),
});

const TEN: ShareCase = {
  label: "ten flows",
  link: link(10),
  contestants: Array.from({ length: 10 }, (_, i): Contestant => {
    return { id: `flow ${i + 1}`, algorithm: POLITE, startSec: 5 * i };
  }),
  spans: [
    [60, 180],
    [180, 300],
  ],
};

export const dtlTen: Experiment = shareExperiment({
  name: "dtl-ten",
  summary: "ten flows of priority 0 that start 5 s apart",
  seeds: 5,
  cases: [TEN],
  claims: (of) => [
    judge({
      claim: "Jain's index of all ten, seconds 180 to 300",
      measured: of(TEN.label).jain(
        [180, 300],
        TEN.contestants.map((_, i) => i),
      ),
      unit: "1",
      threshold: { low: 0.98 },
    }),
    judge({
      claim: "utilisation, seconds 180 to 300",
      measured: of(TEN.label).utilisation([180, 300]),
      unit: "1",
      threshold: { low: 0.95 },
    }),
  ],
});

const YIELDS: ShareCase = {
  label: "two of priority 0, two TCPs",
  link: link(10),
  contestants: [
    { id: "priority 0, a", algorithm: POLITE, startSec: 0 },
    { id: "priority 0, b", algorithm: POLITE, startSec: 60 },
    { id: "TCP, a", algorithm: "reno", startSec: 120, stopSec: 240 },
    { id: "TCP, b", algorithm: "reno", startSec: 180, stopSec: 240 },
  ],
  spans: [
    [10, 60],
    [90, 120],
    [130, 180],
    [190, 240],
    [250, 300],
  ],
};

export const dtlYield: Experiment = shareExperiment({
  name: "dtl-yield",
  summary:
    "two flows of priority 0 yield to two TCPs and take the link again (0, 60, 120, 180 s, TCP until 240 s)",
  seeds: 5,
  cases: [YIELDS],
  claims: (of) => {
    const shares = of(YIELDS.label);
    return [
      judge({
        claim: "Jain's index of the two before any TCP, seconds 90 to 120",
        measured: shares.jain([90, 120], [0, 1]),
        unit: "1",
        threshold: { low: 0.9 },
      }),
      judge({
        claim: "what both have beside one TCP, seconds 130 to 180",
        measured: shares.share([130, 180], [0, 1]),
        unit: "1",
        threshold: { high: 0.2 },
      }),
      judge({
        claim: "what both have beside two TCPs, seconds 190 to 240",
        measured: shares.share([190, 240], [0, 1]),
        unit: "1",
        threshold: { high: 0.2 },
      }),
      judge({
        claim: "utilisation by the two alone again, seconds 250 to 300",
        measured: shares.utilisation([250, 300]),
        unit: "1",
        threshold: { low: 0.95 },
      }),
    ];
  },
});
