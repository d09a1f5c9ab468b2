/** Flows under names: one that moves, one whose agent dies, and flows of flows. Inspired by Flows (2001); the numbers are ours. */

import { UNDER_TEST } from "../flows.ts";
import { constantRate, makeDirection, UNLIMITED } from "../links.ts";
import type { AggregateSpec } from "../traffic/named-flows.ts";
import { preset, type ScenarioPreset, sameRate } from "./preset.ts";

const SOURCE = "ccpark, inspired by Flows (2001)";

/** A further flow under test, with its weight and the flows of flows that it belongs to. */
function member(
  id: string,
  weight: number,
  aggregates: readonly AggregateSpec[] = [],
): { id: string; algorithm: string; weight: number; aggregates?: readonly AggregateSpec[] } {
  return { id, algorithm: UNDER_TEST, weight, ...(aggregates.length > 0 && { aggregates }) };
}

const VIDEO: AggregateSpec = { name: "video", weight: 3 };
const DETAIL: AggregateSpec = { name: "detail", weight: 3 };

export const NAMED_FLOWS: readonly ScenarioPreset[] = [
  preset("flows-mobility", {
    source: SOURCE,
    description:
      "a flow moves at 20 s, under the same name: from 10 Mbit/s and 40 ms round trip to 2 Mbit/s and 150 ms, 50 packets of queue in each",
    propagationDelayMs: 10,
    durationSec: 60,
    forward: { ...makeDirection(constantRate(10), { packets: 50 }), delayMs: 10 },
    reverse: { ...UNLIMITED, delayMs: 10 },
    links: {
      away: { ...makeDirection(constantRate(2), { packets: 50 }), delayMs: 65 },
      "away-back": { ...UNLIMITED, delayMs: 65 },
    },
    moves: [{ atSec: 20, forward: "away", reverse: "away-back" }],
  }),
  preset("flows-standby", {
    source: SOURCE,
    description:
      "10 Mbit/s, 40 ms round trip, 50 packets: the flow's agent is killed at 10 s, a standby takes over when its lease of 0.5 s has ended",
    propagationDelayMs: 20,
    durationSec: 20,
    ...sameRate(10, { packets: 50 }),
    standby: { killAtSec: 10, leaseSec: 0.5 },
  }),
  preset("flows-slow-branch", {
    source: SOURCE,
    description:
      "three branches of one flow of flows over 12 Mbit/s and 40 ms round trip, 60 packets; the third goes on over 0.5 Mbit/s: it shall not slow the others",
    propagationDelayMs: 20,
    durationSec: 30,
    ...sameRate(12, { packets: 60 }),
    links: { branch: makeDirection(constantRate(0.5), { packets: 20 }) },
    aggregates: [{ name: "tree", weight: 1 }],
    flows: [
      { id: "near", algorithm: UNDER_TEST, aggregates: [{ name: "tree", weight: 1 }] },
      {
        id: "slow",
        algorithm: UNDER_TEST,
        aggregates: [{ name: "tree", weight: 1 }],
        route: { forward: ["forward", "branch"], reverse: ["reverse"] },
      },
    ],
  }),
  preset("flows-layered", {
    source: SOURCE,
    description:
      "flows of flows with weights 1:2:3 on each of three levels, seven flows in all, over 6 Mbit/s and 100 ms round trip, 100 packets",
    propagationDelayMs: 50,
    durationSec: 60,
    ...sameRate(6, { packets: 100 }),
    // a receiver that waits for a second packet would keep the smallest flows back
    ackPolicy: "per-packet",
    weight: 1,
    flows: [
      member("audio", 2),
      member("video-base", 1, [VIDEO]),
      member("video-more", 2, [VIDEO]),
      member("detail-low", 1, [VIDEO, DETAIL]),
      member("detail-mid", 2, [VIDEO, DETAIL]),
      member("detail-high", 3, [VIDEO, DETAIL]),
    ],
  }),
  preset("flows-overflow-feedback", {
    source: SOURCE,
    description:
      "20 Mbit/s and 40 ms round trip to a reader of 4 Mbit/s whose queue of 8 packets keeps the newest: what it overwrites is the only feedback",
    propagationDelayMs: 20,
    durationSec: 30,
    forward: {
      ...makeDirection(constantRate(4), { packets: 8 }),
      queue: { packets: 8, discipline: { kind: "drop-head" } },
    },
    reverse: UNLIMITED,
    links: { network: makeDirection(constantRate(20), { packets: 100 }) },
    route: { forward: ["network", "forward"], reverse: ["reverse"] },
  }),
];
