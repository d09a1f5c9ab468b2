/**
 * The wired cases of RFC 8867 as cisco/ns3-rmcat has them. Media flows are flows under test, without the limits of an
 * encoder; times count from the first of them, so TCP flows that were there before it start at negative times.
 */

import type { QueueSpec } from "../direction.ts";
import { constantRate, makeDirection, UNLIMITED } from "../links.ts";
import type { RateSpec } from "../rates/registry.ts";
import type { ScenarioTemplate } from "../template.ts";
import type { FlowPlan } from "../traffic/flow-plan.ts";
import { preset, type ScenarioPreset, steps } from "./preset.ts";

const SOURCE = "RFC 8867, section 5, as coded in cisco/ns3-rmcat, rmcat-wired-test-suite.cc @adb3f8e";
const SUBSTITUTION =
  "media flows are flows under test with unlimited data instead of rate-adaptive encoders; TCP is Reno";

/** Its `Mbps` is 2^20 bit/s. */
const MEBIBIT_MBPS = 2 ** 20 / 1e6;
const DELAY_MS = 50;
/** A full queue drains in so many milliseconds. */
const QUEUE_MS = 300;
/** Where the rate changes, the queue is counted at the suite's capacity of 4 Mbit/s. */
const REFERENCE_MEBIBITS = 4;
/** Media flows of 5.6 and 5.7 start so long after the TCP flows. */
const MEDIA_AFTER_TCP_SEC = 5;

function queueFor(mebibits: number): QueueSpec {
  return { bytes: Math.floor((mebibits * 2 ** 20 * QUEUE_MS) / 8 / 1000) };
}

function constant(mebibits: number): Pick<ScenarioTemplate, "forward" | "reverse"> {
  const rate = constantRate(mebibits * MEBIBIT_MBPS);
  return {
    forward: makeDirection(rate, queueFor(mebibits)),
    reverse: makeDirection(rate, queueFor(mebibits)),
  };
}

function changing(points: readonly (readonly [number, number])[]): RateSpec {
  return steps(points.map(([atSec, mebibits]) => [atSec, mebibits * MEBIBIT_MBPS] as const));
}

function media(plan: Omit<FlowPlan, "algorithm"> = {}): FlowPlan {
  return { algorithm: "test", ...plan };
}

const reference = queueFor(REFERENCE_MEBIBITS);

interface Case extends Omit<ScenarioTemplate, "name" | "source" | "description" | "propagationDelayMs"> {
  readonly number: string;
  readonly description: string;
  readonly propagationDelayMs?: number;
}

const CASES: readonly Case[] = [
  {
    number: "5.1",
    description: "variable capacity, one flow: 1, 2.5, 0.6, 1 Mbit/s from 0, 40, 60, 80 s",
    durationSec: 100,
    forward: makeDirection(
      changing([
        [0, 1],
        [40, 2.5],
        [60, 0.6],
        [80, 1],
      ]),
      reference,
    ),
    reverse: UNLIMITED,
  },
  {
    number: "5.2",
    description: "variable capacity, two flows: 4, 2, 3.5, 1, 2 Mbit/s from 0, 25, 50, 75, 100 s",
    durationSec: 125,
    forward: makeDirection(
      changing([
        [0, 4],
        [25, 2],
        [50, 3.5],
        [75, 1],
        [100, 2],
      ]),
      reference,
    ),
    reverse: UNLIMITED,
    flows: [media()],
  },
  {
    number: "5.3",
    description: "congested feedback: one flow each way, both directions change",
    durationSec: 100,
    forward: makeDirection(
      changing([
        [0, 2],
        [20, 1],
        [40, 0.5],
        [60, 2],
      ]),
      reference,
    ),
    reverse: makeDirection(
      changing([
        [0, 2],
        [35, 0.8],
        [70, 2],
      ]),
      reference,
    ),
    flows: [media({ direction: "backward" })],
  },
  {
    number: "5.4",
    description: "three flows of one algorithm, 20 s apart, 3.5 Mbit/s",
    durationSec: 120,
    ...constant(3.5),
    flows: [media({ count: 2, startSec: 20, startEverySec: 20 })],
  },
  {
    number: "5.5",
    description: "round-trip fairness: five flows, 10 s apart, 10, 25, 50, 100, 150 ms each way, 4 Mbit/s",
    durationSec: 300,
    ...constant(4),
    propagationDelayMs: 10,
    flows: [25, 50, 100, 150].map((propagationDelayMs, i) =>
      media({ startSec: 10 * (i + 1), propagationDelayMs }),
    ),
  },
  {
    number: "5.6",
    description: "one flow from 5 s on, beside one long TCP flow, 2 Mbit/s",
    durationSec: 120 - MEDIA_AFTER_TCP_SEC,
    ...constant(2),
    flows: [{ id: "tcp", algorithm: "reno", startSec: -MEDIA_AFTER_TCP_SEC }],
  },
  {
    number: "5.7",
    description:
      "two flows from 5 s on, beside ten of short TCP transfers (30 to 50 KB, two of them back to back), 2 Mbit/s",
    durationSec: 300 - MEDIA_AFTER_TCP_SEC,
    ...constant(2),
    flows: [
      media(),
      {
        id: "short",
        algorithm: "reno",
        count: 8,
        startSec: -MEDIA_AFTER_TCP_SEC,
        application: { kind: "short-transfers", minBytes: 30_000, maxBytes: 50_000, meanOffSec: 10 },
      },
      {
        id: "back-to-back",
        algorithm: "reno",
        count: 2,
        startSec: -MEDIA_AFTER_TCP_SEC,
        // a pause of a millisecond: one transfer after the other
        application: { kind: "short-transfers", minBytes: 30_000, maxBytes: 50_000, meanOffSec: 0.001 },
      },
    ],
  },
  {
    number: "5.8",
    description: "three flows, the second pauses from 40 to 60 s, 3.5 Mbit/s",
    durationSec: 120,
    ...constant(3.5),
    flows: [media({ application: { kind: "pauses", pauses: [{ fromSec: 40, toSec: 60 }] } }), media()],
  },
];

export const RMCAT: readonly ScenarioPreset[] = CASES.map(({ number, description, ...rest }) =>
  preset(`rmcat-${number}`, {
    source: SOURCE,
    description: `${description}; ${rest.propagationDelayMs ?? DELAY_MS} ms each way, queue of ${QUEUE_MS} ms`,
    substitution: SUBSTITUTION,
    propagationDelayMs: DELAY_MS,
    ...rest,
  }),
);
