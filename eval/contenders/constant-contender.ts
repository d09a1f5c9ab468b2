/** The best that could be done without looking. */
import type { CongestionControlFactory } from "../../ccp-bridge/congestion-control.ts";
import { CcparkError } from "../../core/errors.ts";
import { runAlgorithm } from "../../envs/measured-run.ts";
import { mtuOf, type Scenario } from "../../scenarios/scenario.ts";
import type { RunResult } from "../../testbeds/results.ts";
import { SIMULATED } from "../../testbeds/simulated/simulated.ts";
import { bdpBytes } from "../links.ts";
import { mean } from "../statistics.ts";
import type { Contender } from "./contender.ts";

/** Window that never moves. */
export function constantWindow(cwndPackets: number): CongestionControlFactory {
  return ({ mssBytes }) => ({
    name: "constant",
    cwndBytes: cwndPackets * mssBytes,
    pacingRateBytesPerSec: undefined,
    onAck() {},
    onCongestion() {},
  });
}

/** Constant windows that are tried, in bandwidth-delay products of the link. */
const CONSTANT_LINK_GRID = [0.5, 0.7, 0.8, 0.9, 0.95, 1, 1.02, 1.05, 1.1, 1.2, 1.5, 2, 2.5];
/** A varying link's capacity goes far above its mean, so its grid goes further. */
const VARYING_LINK_GRID = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 2.5, 3, 4, 6, 8];

/** Windows that are tried on a link, packets. */
export function constantWindows(scenario: Scenario): number[] {
  const bdpPackets = bdpBytes(scenario) / mtuOf(scenario);
  const grid = scenario.forward.rate.kind === "trace" ? VARYING_LINK_GRID : CONSTANT_LINK_GRID;
  return [...new Set(grid.map((factor) => Math.max(2, Math.round(factor * bdpPackets))))];
}

/**
 * The best that an agent could do without looking: for each link the constant window with the highest mean score over
 * the very seeds of the benchmark. It is chosen with hindsight, so beating it is hard on a constant link.
 */
export function constantContender(): Contender {
  return {
    name: "constant",
    description: "best constant window per link, chosen with hindsight by mean score over the same seeds",
    prepare(scenario, { seeds, testbed = SIMULATED, ...rest }) {
      if (testbed.clock === "real") {
        const message = `\`constant\` tries many windows on each link: expected a testbed in virtual time, got ${testbed.name}`;
        throw new CcparkError("invalid-argument", `[bench] ${message}`);
      }
      const common = { ...rest, testbed };
      let best: { cwndPackets: number; score: number; results: Map<number, RunResult> } | undefined;
      for (const cwndPackets of constantWindows(scenario)) {
        const algorithm = constantWindow(cwndPackets);
        const results = new Map(
          seeds.map((seed) => [seed, runAlgorithm({ scenario, seed, algorithm, ...common })]),
        );
        const score = mean([...results.values()].map((result) => result.metrics.score));
        if (best === undefined || score > best.score) best = { cwndPackets, score, results };
      }
      if (best === undefined)
        throw new CcparkError("invalid-argument", "[bench] no seeds: expected at least one");
      const chosen = best;
      const bdpPackets = bdpBytes(scenario) / mtuOf(scenario);
      const fraction = bdpPackets > 0 ? ` = ${(chosen.cwndPackets / bdpPackets).toFixed(2)} BDP` : "";
      return {
        detail: `cwnd ${chosen.cwndPackets} packets${fraction}`,
        run: (options) =>
          chosen.results.get(options.seed) ??
          runAlgorithm({ ...options, testbed, algorithm: constantWindow(chosen.cwndPackets) }),
      };
    },
    run() {
      throw new Error("assertion failed: the constant contender runs only after prepare");
    },
  };
}
