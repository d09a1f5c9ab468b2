/** The grids of ccBench (solo and beside Cubic) and the samples of the same authors' Sage and Orca. */

import { bdpPackets, constantRate } from "../links.ts";
import type { RateSpec } from "../rates/registry.ts";
import { cellular } from "./ccp-park.ts";
import { grid, preset, type ScenarioPreset, sameRate, steps } from "./preset.ts";

const CCBENCH = "Soheil-ab/ccBench @49b5ada";
const SAGE = "Soheil-ab/sage, run_sample*.sh @eedd281";
const ORCA = "Soheil-ab/Orca @cafaf9a";

/** The rate changes after so many seconds, and back after as many. */
const STEP_SEC = 7;

type Shape = "flat" | "2x-u" | "4x-u" | "2x-d" | "4x-d";
const FACTORS: Readonly<Record<Shape, number>> = {
  flat: 1,
  "2x-u": 2,
  "4x-u": 4,
  "2x-d": 1 / 2,
  "4x-d": 1 / 4,
};

function shaped(mbps: number, shape: Shape): RateSpec {
  return shape === "flat"
    ? constantRate(mbps)
    : steps(
        [
          [0, mbps],
          [STEP_SEC, mbps * FACTORS[shape]],
        ],
        2 * STEP_SEC,
      );
}

const ALL_SHAPES: readonly Shape[] = ["flat", "2x-u", "4x-u", "2x-d", "4x-d"];
const SHAPES: readonly (readonly [mbps: number, shapes: readonly Shape[]])[] = [
  [12, ALL_SHAPES],
  [24, ALL_SHAPES],
  [48, ALL_SHAPES],
  [96, ALL_SHAPES],
  [192, ["flat", "2x-d", "4x-d"]],
];
const DELAYS_MS = [5, 10, 20, 40, 80];
const SOLO_BUFFERS_BDP = [0.5, 1, 2, 4, 8, 16];
const SHARED_BUFFERS_BDP = [1, 2, 4, 8, 16];
/** Cubic has the link for itself before the scheme starts. */
const CUBIC_AHEAD_SEC = 5;

/** Whole packets, counted as the script does: of 12 Mbit/s a packet per millisecond. */
function bufferPackets(mbps: number, delayMs: number, bdp: number): number {
  return Math.floor(bdp * bdpPackets(mbps, 2 * delayMs));
}

function shapeText(mbps: number, shape: Shape): string {
  return shape === "flat"
    ? `${mbps} Mbit/s`
    : `${mbps} and ${mbps * FACTORS[shape]} Mbit/s by turns of ${STEP_SEC} s`;
}

function soloMembers(): ScenarioPreset[] {
  return SHAPES.flatMap(([mbps, shapes]) =>
    shapes.flatMap((shape) =>
      DELAYS_MS.flatMap((delayMs) =>
        SOLO_BUFFERS_BDP.map((bdp) => {
          const packets = bufferPackets(mbps, delayMs, bdp);
          return preset(`ccbench1-grid/${mbps}-${shape}-${delayMs}ms-${bdp}bdp`, {
            source: `${CCBENCH}, solo_runall.sh`,
            description: `${shapeText(mbps, shape)}, ${delayMs} ms each way, drop-tail ${packets} packets (${bdp} BDP) in each direction`,
            propagationDelayMs: delayMs,
            durationSec: 30,
            ...sameRate(shaped(mbps, shape), { packets }, { reverseQueue: { packets } }),
          });
        }),
      ),
    ),
  );
}

function sharedMembers(): ScenarioPreset[] {
  return SHAPES.flatMap(([mbps]) =>
    DELAYS_MS.flatMap((delayMs) =>
      SHARED_BUFFERS_BDP.map((bdp) => {
        const packets = bufferPackets(mbps, delayMs, bdp);
        return preset(`ccbench2-grid/${mbps}-${delayMs}ms-${bdp}bdp`, {
          source: `${CCBENCH}, multi_runall.sh`,
          description: `${mbps} Mbit/s, ${delayMs} ms each way, drop-tail ${packets} packets (${bdp} BDP) in each direction; Cubic since ${CUBIC_AHEAD_SEC} s`,
          propagationDelayMs: delayMs,
          durationSec: 120,
          ...sameRate(mbps, { packets }, { reverseQueue: { packets } }),
          flows: [{ id: "cubic", algorithm: "cubic", startSec: -CUBIC_AHEAD_SEC }],
        });
      }),
    ),
  );
}

export const CCBENCH_GRIDS: readonly ScenarioPreset[] = [
  grid("ccbench1-grid", {
    source: `${CCBENCH}, solo_runall.sh and league-piecewise.py`,
    description:
      "one flow: 12 to 192 Mbit/s flat or stepping by 2 or 4 every 7 s, 5 to 80 ms each way, 0.5 to 16 BDP; the 10 s of set-up before the flow are at the base rate",
    members: soloMembers,
  }),
  grid("ccbench2-grid", {
    source: `${CCBENCH}, multi_runall.sh and league-piecewise-2flows.py`,
    description:
      "beside Cubic, which starts 5 s earlier: 12 to 192 Mbit/s, 5 to 80 ms each way, 1 to 16 BDP, 120 s",
    members: sharedMembers,
  }),
];

/** Changing by turns from the flow's start on: the middle of the published pattern. */
const ORCA_LEVELS = [
  [0, 4],
  [10, 12],
  [20, 24],
] as const;

export const ORCA_SAGE: readonly ScenarioPreset[] = [
  preset("orca-sample", {
    source: `${ORCA}, orca.sh`,
    description: "48 Mbit/s, 10 ms each way, drop-tail 160 packets (2 BDP)",
    propagationDelayMs: 10,
    ...sameRate(48, { packets: 160 }),
  }),
  preset("orca-step", {
    source: `${ORCA}, traces/step-10s-3-level`,
    description: "4, 12 and 24 Mbit/s for 10 s each, 10 ms each way, drop-tail 160 packets",
    substitution: "the source is a trace alone: delay and queue are those of orca-sample",
    propagationDelayMs: 10,
    ...sameRate(steps(ORCA_LEVELS, 30), { packets: 160 }),
  }),
  ...(
    [
      ["24-flat", 24, "flat"],
      ["24-2x-u", 24, "2x-u"],
      ["48-2x-d", 48, "2x-d"],
    ] as const
  ).map(([label, mbps, shape]) =>
    preset(`sage-sample-${label}`, {
      source: SAGE,
      description: `${shapeText(mbps, shape)}, 10 ms each way, drop-tail 300 packets`,
      propagationDelayMs: 10,
      ...sameRate(shaped(mbps, shape), { packets: 300 }),
    }),
  ),
  cellular("nyc-cellular", {
    trace: "any",
    source: "Soheil-ab/Cellular-Traces-NYC, README",
    description: "a cellular trace, 10 ms each way, drop-tail 100 packets, 48 Mbit/s for ACKs",
    substitution: "the 23 traces are not shipped: give one, or another, with --trace",
    reverseMbps: 48,
  }),
];
