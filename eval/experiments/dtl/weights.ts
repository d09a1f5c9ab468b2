/** DTL's priorities above 0 against TCP, on live flows too. */
import { type Experiment, judge } from "../experiment.ts";
import { type Bottleneck, packetsIn } from "../shares.ts";
import { redBetween, type ShareCase, shareExperiment, sum } from "./share-experiment.ts";

/** DTL's link of these experiments. */
const MBPS = 5;
const RTT_MS = 25;
/** RED from so much on, where LEDBAT's target is 100 ms. */
const RED_FROM_MS = 150;

const early = (durationSec: number): Bottleneck => ({
  mbps: MBPS,
  rttMs: RTT_MS,
  queuePackets: packetsIn(MBPS, 4 * RED_FROM_MS),
  discipline: redBetween(MBPS, RED_FROM_MS, 2 * RED_FROM_MS, 0.05),
  durationSec,
});
const dropTail = (durationSec: number): Bottleneck => ({
  mbps: MBPS,
  rttMs: RTT_MS,
  queuePackets: packetsIn(MBPS, 2 * RED_FROM_MS),
  durationSec,
});

const LIVE_SPANS = [
  [60, 240],
  [250, 360],
  [370, 480],
] as const;

function liveCase(label: string, link: Bottleneck): ShareCase {
  const changes = [
    { atSec: 240, params: { priority: 1 } },
    { atSec: 360, params: { priority: 2 } },
  ];
  return {
    label,
    link,
    contestants: [
      { id: "TCP", algorithm: "reno", startSec: 0 },
      { id: "DTL", algorithm: "dtl:priority=0", startSec: 1, changes },
    ],
    spans: LIVE_SPANS,
  };
}

const LIVE = [liveCase("RED", early(480)), liveCase("drop-tail", dropTail(480))];

export const dtlLive: Experiment = shareExperiment({
  name: "dtl-live",
  summary: "one live flow of priority 0, from 240 s on 1, from 360 s on 2, beside one TCP",
  seeds: 5,
  cases: LIVE,
  claims: (of) =>
    LIVE.flatMap(({ label }) =>
      LIVE_SPANS.map((span, i) => {
        const threshold = [{ high: 0.1 }, { low: 0.45, high: 0.55 }, { low: 0.6, high: 0.7 }][i]!;
        const [fromSec, toSec] = span;
        return judge({
          claim: `${label}: its share with priority ${i}, seconds ${fromSec} to ${toSec}`,
          published: ["yields", "1/2", "2/3"][i]!,
          measured: of(label).share(span, [1]),
          unit: "1",
          // full drop-tail queues drop from both at once: there a weight of N has more than N times the throughput
          ...(label === "RED" || i < 2 ? { threshold } : {}),
        });
      }),
    ),
});

const PAIR_SPAN = [20, 240] as const;

function pairCase(label: string, link: Bottleneck): ShareCase {
  return {
    label,
    link,
    contestants: [
      { id: "TCP", algorithm: "reno", startSec: 0 },
      { id: "DTL", algorithm: "dtl:priority=1", startSec: 1 },
    ],
    spans: [PAIR_SPAN],
  };
}

const PAIRS = [pairCase("RED", early(240)), pairCase("drop-tail", dropTail(240))];

export const dtlReno: Experiment = shareExperiment({
  name: "dtl-reno",
  summary: "a flow of priority 1 is one more Reno",
  seeds: 5,
  cases: PAIRS,
  claims: (of) =>
    PAIRS.map(({ label }) =>
      judge({
        claim: `${label}: its share beside one Reno`,
        published: "1/2",
        measured: of(label).share(PAIR_SPAN, [1]),
        unit: "1",
        threshold: { low: 0.45, high: 0.55 },
      }),
    ),
});

const FIVE: ShareCase = {
  label: "five flows",
  link: early(360),
  contestants: [0, 1, 2, 3, 4].map((i) => ({
    id: ["to 2, a", "to 2, b", "to 1, a", "to 1, b", "stays 0"][i]!,
    algorithm: "dtl:priority=0",
    startSec: i,
    ...(i < 4 && {
      changes: [
        { atSec: 120, params: { priority: 1 } },
        ...(i < 2 ? [{ atSec: 230, params: { priority: 2 } }] : []),
      ],
    }),
  })),
  spans: [
    [30, 120],
    [140, 230],
    [250, 360],
  ],
};

export const dtlFive: Experiment = shareExperiment({
  name: "dtl-five",
  summary: "five live flows: all 0, from 120 s on four of 1, from 230 s on two of these of 2",
  seeds: 5,
  cases: [FIVE],
  claims: (of) => {
    const shares = of(FIVE.label);
    return [
      judge({
        claim: "Jain's index of all five with priority 0",
        measured: shares.jain([30, 120], [0, 1, 2, 3, 4]),
        unit: "1",
        threshold: { low: 0.9 },
      }),
      judge({
        claim: "Jain's index of the four with priority 1",
        measured: shares.jain([140, 230], [0, 1, 2, 3]),
        unit: "1",
        threshold: { low: 0.9 },
      }),
      judge({
        claim: "what the one with priority 0 has beside four of 1",
        measured: shares.share([140, 230], [4]),
        unit: "1",
        threshold: { high: 0.1 },
      }),
      judge({
        claim: "throughput of priority 2 over that of priority 1",
        published: "2",
        measured: shares.mean([250, 360], (rates) => sum(rates.slice(0, 2)) / sum(rates.slice(2, 4))),
        unit: "1",
        threshold: { low: 1.6, high: 2.4 },
      }),
    ];
  },
});

const TCPS = 9;
const WEIGHTS: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 8];
const WEIGHT_MBPS = 20;
const WEIGHT_SPAN = [20, 200] as const;

const WEIGHT_CASES: readonly ShareCase[] = WEIGHTS.map((weight) => ({
  label: `priority ${weight}`,
  link: {
    mbps: WEIGHT_MBPS,
    rttMs: 40,
    queuePackets: packetsIn(WEIGHT_MBPS, 160),
    discipline: redBetween(WEIGHT_MBPS, 20, 80, 0.1),
    durationSec: 200,
  },
  contestants: [
    { id: "DTL", algorithm: `dtl:priority=${weight}`, startSec: 0 },
    ...Array.from({ length: TCPS }, (_, i) => ({
      id: `TCP ${i + 1}`,
      algorithm: "reno",
      startSec: 0.1 * (i + 1),
    })),
  ],
  spans: [WEIGHT_SPAN],
}));

export const dtlWeights: Experiment = shareExperiment({
  name: "dtl-weights",
  summary: "one flow of priority 1 to 8 against nine TCPs",
  seeds: 3,
  cases: WEIGHT_CASES,
  kinds: (id) => id.replace(/ \d+$/, ""),
  claims: (of) =>
    WEIGHTS.map((weight) =>
      judge({
        claim: `priority ${weight}: its throughput over the mean of the nine`,
        published: String(weight),
        measured: of(`priority ${weight}`).mean(WEIGHT_SPAN, ([own, ...tcps]) => own! / (sum(tcps) / TCPS)),
        unit: "1",
        ...(weight <= 4 && { threshold: { low: 0.8 * weight, high: 1.2 * weight } }),
      }),
    ),
});
