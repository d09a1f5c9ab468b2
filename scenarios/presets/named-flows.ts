/** Flows of flows, and a reader that keeps the newest. Inspired by Flows (2001); the numbers are ours. */

import { UNDER_TEST } from "../flows.ts";
import { constantRate, makeDirection, UNLIMITED } from "../links.ts";
import { preset, type ScenarioPreset, sameRate } from "./preset.ts";

const SOURCE = "ccpark, inspired by Flows (2001)";

export const NAMED_FLOWS: readonly ScenarioPreset[] = [
  preset("flows-slow-branch", {
    source: SOURCE,
    description:
      "three branches of one flow of flows over 12 Mbit/s and 40 ms round trip, 60 packets; the third goes on over 0.5 Mbit/s: it shall not slow the others",
    propagationDelayMs: 20,
    durationSec: 30,
    ...sameRate(12, { packets: 60 }),
    links: { branch: makeDirection(constantRate(0.5), { packets: 20 }) },
    flows: [
      { id: "near", algorithm: UNDER_TEST },
      {
        id: "slow",
        algorithm: UNDER_TEST,
        route: { forward: ["forward", "branch"], reverse: ["reverse"] },
      },
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
