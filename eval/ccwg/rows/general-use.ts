/** RFC 9743 section 6: drop-tail, wired and wireless paths, over a range of rates, delays and depths. */
import { courses, link, OURS, points, quantity, REFERENCE } from "../parts.ts";
import { type CcwgRow, EVALUATED, medianOf, resultsOf } from "../row.ts";

const RATES = [2, 20, 100] as const;
const ROUND_TRIPS = [10, 50, 200] as const;
const DEPTHS = [0.5, 1, 4] as const;

const GRID = RATES.flatMap((mbps) =>
  ROUND_TRIPS.flatMap((rttMs) => DEPTHS.map((bufferBdp) => ({ mbps, rttMs, bufferBdp }))),
);
type Place = (typeof GRID)[number];
const idOf = ({ mbps, rttMs, bufferBdp }: Place): string => `${mbps} Mbit/s, ${rttMs} ms, ${bufferBdp} BDP`;

/** What drop-tail paths of each depth are to be used, after Appenzeller et al. 2004: one BDP keeps a Reno flow's link busy. */
const USED: Readonly<Record<(typeof DEPTHS)[number], number>> = { 0.5: 0.6, 1: 0.75, 4: 0.8 };

const wireless = (name: string) =>
  link(name, {
    mbps: 20,
    rttMs: 40,
    bufferBdp: 2,
    durationSec: 60,
    forward: {
      rate: { kind: "random-steps", minMbps: 10, maxMbps: 30, everySec: 2 },
      lossRate: 0.001,
      jitter: { kind: "exponential", meanMs: 3 },
    },
  });

export const GENERAL_ROWS: readonly CcwgRow[] = [
  {
    name: "drop-tail",
    section: "6.1",
    level: "MUST",
    requirement:
      "drop-tail queues, over a representative range of rates, delays and depths (SHOULD, section 6)",
    experiment: `one flow for 30 s on each of ${GRID.length} links: ${RATES.join(", ")} Mbit/s x ${ROUND_TRIPS.join(", ")} ms x ${DEPTHS.join(", ")} BDP`,
    runs: GRID.map((place) => ({
      id: idOf(place),
      contender: EVALUATED,
      scenario: link("drop-tail", { ...place, durationSec: 30 }),
    })),
    measure: (results) =>
      DEPTHS.map((bdp) => {
        const of = GRID.filter(({ bufferBdp }) => bufferBdp === bdp).map((place) =>
          medianOf(results, idOf(place), ({ metrics }) => metrics.utilisation),
        );
        return quantity(
          `least utilisation of ${of.length} links, ${bdp} BDP`,
          Math.min(...of),
          { low: USED[bdp] },
          `${OURS}: Appenzeller et al., SIGCOMM 2004: 1 BDP keeps a Reno flow's link busy, half of one three quarters; slow start takes the rest`,
        );
      }),
    figure: (results) =>
      points(
        "Utilisation of drop-tail links",
        DEPTHS.map((bdp) => `${bdp} BDP`),
        GRID.flatMap((place) =>
          resultsOf(results, idOf(place)).map(({ metrics }) => ({
            name: `${place.bufferBdp} BDP`,
            x: (place.mbps * place.rttMs) / 8,
            y: metrics.utilisation,
          })),
        ),
        { x: "bandwidth-delay product (kB)", y: "utilisation", logX: true },
      ),
  },
  {
    name: "wired",
    section: "6.3",
    level: "criterion",
    requirement: "wired paths, the baseline",
    experiment: "one flow on 100 Mbit/s, 20 ms, 1 BDP, nothing lost but by the queue",
    runs: [
      {
        id: "wired",
        contender: EVALUATED,
        scenario: link("wired", { mbps: 100, rttMs: 20, bufferBdp: 1, durationSec: 30 }),
      },
    ],
    measure: (results) => [
      quantity(
        "utilisation",
        medianOf(results, "wired", ({ metrics }) => metrics.utilisation),
        { low: 0.9 },
        `${OURS}: nine tenths of the simplest path`,
      ),
      quantity(
        "packets lost",
        medianOf(results, "wired", ({ metrics }) => metrics.lossRate),
        { high: 0.02 },
        "LossThresh of draft-ietf-ccwg-bbr (2 %)",
      ),
    ],
    figure: (results) => courses("A wired path", results),
  },
  {
    name: "wireless",
    section: "6.4",
    level: "criterion",
    requirement: "wireless paths: losses that are no congestion, a rate that varies, jitter",
    experiment:
      "one flow on 10 to 30 Mbit/s (another every 2 s), 40 ms, jitter of 3 ms in the mean, 0.1 % lost; beside it CUBIC on its own",
    runs: [
      { id: "evaluated", contender: EVALUATED, scenario: wireless("wireless") },
      { id: "cubic", contender: REFERENCE.cubic, scenario: wireless("wireless") },
    ],
    measure: (results) => {
      const utilisation = (id: string): number => medianOf(results, id, ({ metrics }) => metrics.utilisation);
      return [
        quantity(
          "utilisation / CUBIC's",
          utilisation("evaluated") / utilisation("cubic"),
          { low: 0.9 },
          `${OURS}: no worse than RFC 9438 but for a tenth`,
        ),
      ];
    },
    figure: (results) => courses("A wireless path", results),
  },
];
