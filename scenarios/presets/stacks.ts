/** Flows that are transports out of chunnels: one, and several from one host with a window each or one for all. The numbers are ours. */
import { UNDER_TEST } from "../flows.ts";
import { constantRate, makeDirection, UNLIMITED } from "../links.ts";
import type { FlowPlan } from "../traffic/flow-plan.ts";
import type { StackSpec } from "../traffic/stack.ts";
import { preset, type ScenarioPreset, sameRate } from "./preset.ts";

const SOURCE = "ccpark, inspired by P2's transport (2005)";

/** A reliable stream, as of `ccpark/transport` without secret and flow control. */
const STREAM: StackSpec = ["order", "reliable", "cc", "sack", "frame", "simulated"];
const SHARED: StackSpec = STREAM.map((entry) => (entry === "cc" ? { chunnel: "cc", group: "host" } : entry));

/** One host's peers behind its uplink: the second is near, the third behind a slower link and far away. */
function peers(stack: StackSpec): Pick<Parameters<typeof preset>[1], "stack" | "flows" | "links"> {
  const peer = (id: string, more: Partial<FlowPlan>): FlowPlan => ({
    id,
    algorithm: UNDER_TEST,
    stack,
    ...more,
  });
  return {
    stack,
    links: { access: makeDirection(constantRate(3), { packets: 30 }) },
    flows: [
      peer("near", { propagationDelayMs: 5 }),
      peer("far", {
        propagationDelayMs: 60,
        route: { forward: ["forward", "access"], reverse: ["reverse"] },
      }),
    ],
  };
}

const UPLINK = {
  source: SOURCE,
  propagationDelayMs: 20,
  durationSec: 30,
  forward: makeDirection(constantRate(12), { packets: 60 }),
  reverse: UNLIMITED,
};

export const STACKS: readonly ScenarioPreset[] = [
  preset("stack", {
    source: SOURCE,
    description:
      "the flow under test is a transport out of chunnels, order, reliable, cc, sack, frame, over 12 Mbit/s and 40 ms round trip, 60 packets",
    propagationDelayMs: 20,
    durationSec: 30,
    ...sameRate(12, { packets: 60 }),
    stack: STREAM,
  }),
  preset("stack-neighbours", {
    ...UPLINK,
    description:
      "a host's stacks to three peers behind 12 Mbit/s, one of them behind 3 Mbit/s and far away: each has a window, and an agent, of its own",
    ...peers(STREAM),
  }),
  preset("stack-shared", {
    ...UPLINK,
    description: "the same three peers, and one window of one agent for all of them",
    ...peers(SHARED),
  }),
];
