/** A scenario becomes the network that the link's thread runs: its links, and a path for each flow that comes from outside. */
import { crossTrafficAlgorithm } from "../../algorithms/cross-traffic.ts";
import type { CongestionControlFactory } from "../../ccp-bridge/congestion-control.ts";
import type { Rng } from "../../core/random.ts";
import type { Nanos } from "../../core/units.ts";
import { UNDER_TEST } from "../../scenarios/flows.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import type { GeneralNetwork } from "../../sim/general/general-network.ts";
import type { NetworkSpec, PathSpec } from "../../sim/network.ts";
import { type PlannedPath, RunPlan } from "../network-run.ts";
import { MAX_FLOWS } from "./flow-numbers.ts";

/** Flows of a scenario beside those under test, and its transfers: simulated inside the link, or somebody else's matter. */
export type CrossTraffic = "simulated" | "outside";

export interface LinkPlan {
  readonly spec: NetworkSpec;
  readonly rng: Rng;
  /** of the flow under test */
  readonly startNs: Nanos;
  /** path of each flow from outside, by its id; those of transfers have none */
  readonly pathOf: ReadonlyMap<string, number>;
  /** Adds what the spec cannot hold. */
  prepare(network: GeneralNetwork): void;
}

/** Never called: flows from outside have their control there. */
const elsewhere: CongestionControlFactory = () => {
  throw new Error("a flow from outside has no congestion control in the link");
};

/** The same scenario, seed and choice give the same links in every thread. */
export function planLink(scenario: Scenario, seed: number, crossTraffic: CrossTraffic): LinkPlan {
  const plan = new RunPlan(scenario, seed, { control: () => elsewhere, algorithms: crossTrafficAlgorithm });
  const isSimulated = crossTraffic === "simulated";
  const outside = plan.planned.filter(({ algorithm }) => algorithm === UNDER_TEST || !isSimulated);
  const inside = plan.planned.filter((flow) => !outside.includes(flow));
  const paths = isSimulated ? outside : plan.paths;
  return {
    spec: {
      ...plan.spec,
      flows: inside.map(({ spec }) => spec),
      outside: { paths: paths.map(fromClient), flows: MAX_FLOWS },
    },
    rng: plan.rng,
    startNs: plan.startNs,
    pathOf: new Map(outside.map(({ id }, i) => [id, i])),
    prepare: (network) => {
      if (isSimulated) plan.prepare(network);
    },
  };
}

/** The path as packets from the client see it, which a backward flow's ACKs are. */
function fromClient({ isBackward, spec }: PlannedPath): PathSpec {
  const { route, propagationNs, reversePropagationNs = propagationNs, delay, priority } = spec;
  if (!isBackward) return { route, propagationNs, reversePropagationNs, delay, priority };
  return {
    route: route && { forward: route.reverse, reverse: route.forward },
    propagationNs: reversePropagationNs,
    reversePropagationNs: propagationNs,
    delay: delay && { forward: delay.reverse, reverse: delay.forward },
    priority,
  };
}
