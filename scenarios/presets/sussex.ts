/**
 * The fairness and responsiveness suite of the University of Sussex (Mininet, 2025-26), in virtual time: two flows with like and
 * unlike round trips, beside CUBIC in both orders, over rates, four flows one after the other, a parking lot, and links that change
 * every 10 s. Where the parameters are not published (the inter-RTT flows' lives, the parking lot), `substitution` says what runs.
 */
import { Rng } from "../../core/random.ts";
import type { DirectionInput } from "../template.ts";
import type { FlowPlan } from "../traffic/flow-plan.ts";
import { grid, onLinux, type PresetParts, preset, type ScenarioPreset, steps } from "./preset.ts";

const NAME = "sussex";
const SOURCE = "University of Sussex, fairness and responsiveness suite (Mininet), 2025-26";
const MBPS = 100;
/** One way. */
const DELAYS_MS = [10, 20, 30, 40, 50, 60, 70, 80, 90, 100] as const;
const BUFFERS_BDP = [0.2, 1, 4] as const;
const INTER_RTT_MS = [20, 40, 60, 80, 100, 120, 140, 160, 180, 200] as const;
const RATES_MBPS = [10, 20, 30, 40, 50, 60, 70, 80, 90, 100] as const;
const SEEDS = 50;
const CHANGES = { everySec: 10, durationSec: 300 } as const;

type Parts = Omit<PresetParts, "source">;
type Member = readonly [name: string, parts: Parts];

const VARIATION = { sendJitterUs: 100, crossPhaseRtt: 1 } as const;

function link(mbps: number, bdp: number): { readonly forward: DirectionInput } {
  return { forward: { rate: { kind: "constant", mbps }, queue: { bdp } } };
}

/** D: twice the one-way delay in milliseconds, as seconds. Flow 1 lives 2 D, flow 2 comes at D / 2 and stays. */
function lives(delayMs: number, second: FlowPlan, isFirst = true): Pick<Parts, "durationSec" | "flows"> {
  const spanSec = 2 * delayMs;
  return isFirst
    ? { durationSec: 2 * spanSec, flows: [{ ...second, startSec: spanSec / 2 }] }
    : { durationSec: 1.5 * spanSec, flows: [{ ...second, startSec: -spanSec / 2 }] };
}

const each = <T, U>(as: readonly T[], bs: readonly U[], make: (a: T, b: U) => Member): Member[] =>
  as.flatMap((a) => bs.map((b) => make(a, b)));

const INTRA = each(DELAYS_MS, BUFFERS_BDP, (delayMs, bdp) => [
  `intra-rtt-${delayMs}ms-${bdp}bdp`,
  {
    description: `two flows, ${MBPS} Mbit/s, ${delayMs} ms one way, ${bdp} BDP`,
    propagationDelayMs: delayMs,
    ...link(MBPS, bdp),
    ...lives(delayMs, { algorithm: "test" }),
  },
]);

const INTER = each(INTER_RTT_MS, BUFFERS_BDP, (rttMs, bdp) => [
  `inter-rtt-${rttMs}ms-${bdp}bdp`,
  {
    description: `a flow of ${rttMs} ms, joined by one of 20 ms, ${MBPS} Mbit/s, ${bdp} BDP of the longer`,
    substitution: "the flows' lives are those of the intra-RTT runs at the longer delay",
    rttMs,
    ...link(MBPS, bdp),
    ...lives(rttMs / 2, { algorithm: "test", propagationDelayMs: 10 }),
  },
]);

const FRIENDLY = each(
  DELAYS_MS,
  BUFFERS_BDP,
  (delayMs, bdp): Member => [
    `friendly-first-${delayMs}ms-${bdp}bdp`,
    {
      description: `joined by CUBIC, ${MBPS} Mbit/s, ${delayMs} ms one way, ${bdp} BDP`,
      propagationDelayMs: delayMs,
      ...link(MBPS, bdp),
      ...lives(delayMs, { algorithm: "cubic" }),
    },
  ],
).concat(
  each(
    DELAYS_MS,
    BUFFERS_BDP,
    (delayMs, bdp): Member => [
      `friendly-last-${delayMs}ms-${bdp}bdp`,
      {
        description: `joining CUBIC, ${MBPS} Mbit/s, ${delayMs} ms one way, ${bdp} BDP`,
        propagationDelayMs: delayMs,
        ...link(MBPS, bdp),
        ...lives(delayMs, { algorithm: "cubic" }, false),
      },
    ],
  ),
);

const RATES = each(RATES_MBPS, [1], (mbps, bdp) => [
  `rate-${mbps}mbps`,
  {
    description: `two flows, ${mbps} Mbit/s, 20 ms one way, ${bdp} BDP`,
    propagationDelayMs: 20,
    ...link(mbps, bdp),
    ...lives(20, { algorithm: "test" }),
  },
]);

const CONVERGENCE: Member = [
  "four-flows",
  {
    description: "four flows, 25 s apart, the first for 100 s, 100 Mbit/s, 20 ms one way, 1 BDP",
    propagationDelayMs: 20,
    durationSec: 100,
    ...link(MBPS, 1),
    flows: [{ algorithm: "test", count: 3, startSec: 25, startEverySec: 25 }],
  },
];

const HOP = { rate: { kind: "constant", mbps: MBPS }, queue: { packets: 333 } } as const;
const PARKING_LOT: Member = [
  "parking-lot",
  {
    description: "a flow over three bottlenecks of 100 Mbit/s, 20 ms one way, with a flow on each",
    substitution: "three bottlenecks with 1 BDP each, 100 s",
    propagationDelayMs: 20,
    durationSec: 100,
    forward: HOP,
    links: { second: HOP, third: HOP },
    route: { forward: ["forward", "second", "third"], reverse: ["reverse"] },
    flows: ["forward", "second", "third"].map((hop) => ({
      algorithm: "test",
      route: { forward: [hop], reverse: ["reverse"] },
    })),
  },
];

/** Every 10 s another rate, round trip and, where there are any, losses: U{1..100} Mbit/s, U{20..200} ms, U(0, 5 %). */
function responsiveness(number: number, isLossy: boolean): Member {
  const rng = Rng.fromSeed(number).fork("sussex");
  const draws = Array.from({ length: CHANGES.durationSec / CHANGES.everySec }, (_, i) => ({
    atSec: i * CHANGES.everySec,
    mbps: 1 + rng.integer(100),
    rttMs: 20 + rng.integer(181),
    lossRate: +rng.uniform(0, 0.05).toFixed(4),
  }));
  const rate = steps(draws.map(({ atSec, mbps }) => [atSec, mbps]));
  const name = `responsiveness-${isLossy ? "loss-" : ""}${String(number).padStart(2, "0")}`;
  const losses = { points: draws.map(({ atSec, lossRate }) => ({ atSec, lossRate })) };
  const delay = {
    forward: { kind: "steps", points: draws.map(({ atSec, rttMs }) => ({ atSec, delayMs: rttMs - 10 })) },
  } as const;
  return [
    name,
    {
      description: `another rate${isLossy ? " and loss" : " and round trip"} every 10 s, draw ${number} of ${SEEDS}`,
      durationSec: CHANGES.durationSec,
      rttMs: isLossy ? 100 : 20,
      forward: { rate, queue: { packets: 833 }, ...(isLossy && { lossOverTime: losses }) },
      reverse: { rate: { kind: "unlimited" } },
      ...(!isLossy && { delay }),
    },
  ];
}

const numbers = Array.from({ length: SEEDS }, (_, i) => i + 1);

const members = (): Member[] => [
  ...INTRA,
  ...INTER,
  ...FRIENDLY,
  ...RATES,
  CONVERGENCE,
  PARKING_LOT,
  ...numbers.map((number) => responsiveness(number, false)),
  ...numbers.map((number) => responsiveness(number, true)),
];

export const SUSSEX: ScenarioPreset = onLinux(
  grid(NAME, {
    source: SOURCE,
    description:
      "intra- and inter-RTT fairness, friendliness to CUBIC both ways, rates, four flows, a parking lot, responsiveness in 50 draws with and without loss",
    members: () =>
      members().map(([name, parts]) =>
        preset(`${NAME}/${name}`, { source: SOURCE, variation: VARIATION, ...parts }),
      ),
  }),
);
