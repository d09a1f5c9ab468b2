/**
 * Who may stand in a benchmark. A contender is a name and a way to run one (scenario, seed); all of them run through
 * `envs/episode.ts`, so every one is measured in the same way.
 */

import type { AlgorithmResolver } from "../algorithms/resolver.ts";
import type { CcpAlgorithm } from "../ccp-bridge/agent/algorithm.ts";
import type { CongestionControlFactory } from "../ccp-bridge/congestion-control.ts";
import { CcparkError, unknownName } from "../core/errors.ts";
import { MSS_BYTES, PACKET_BYTES } from "../core/units.ts";
import {
  type AsyncPolicy,
  type Policy,
  runAgent,
  runAgentLater,
  runAlgorithm,
  runAlgorithmLater,
} from "../envs/measured-run.ts";
import type { EnvOptions } from "../envs/options.ts";
import type { Scenario } from "../scenarios/scenario.ts";
import type { RecordedFormat } from "../testbeds/exports/recorder.ts";
import type { RunResult } from "../testbeds/results.ts";
import { SIMULATED } from "../testbeds/simulated/simulated.ts";
import type { Testbed } from "../testbeds/testbed.ts";
import { bdpBytes } from "./links.ts";
import { mean } from "./statistics.ts";

export interface RunOptions {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly rewardName: string;
  readonly seriesBinSec: number;
  /** finds the algorithms of cross traffic; absent: the native ones */
  readonly algorithms?: AlgorithmResolver;
  /** absent: the simulator */
  readonly testbed?: Testbed;
  /** what else to write down of the run; only where a contender can */
  readonly recording?: { readonly formats: readonly RecordedFormat[]; readonly title: string };
}

export interface Contender {
  readonly name: string;
  /** one sentence for the report */
  readonly description: string;
  /** false: a second run gives other bytes, because a process outside takes part */
  readonly reproducible?: false;
  /**
   * Chooses what depends on the link before the seeds run (the best constant action).
   * @returns what was chosen, for the row of the result, or undefined
   */
  prepare?(
    scenario: Scenario,
    options: Omit<RunOptions, "scenario" | "seed"> & { seeds: readonly number[] },
  ): Prepared;
  run(options: RunOptions): RunResult | Promise<RunResult>;
}

export interface Prepared {
  readonly detail: string;
  run(options: RunOptions): RunResult;
}

/** A baseline by name; `make` gives a fresh algorithm per run, so no state passes from one seed to the next. */
export function algorithmContender(
  name: string,
  description: string,
  make: () => CcpAlgorithm | CongestionControlFactory,
): Contender {
  return { name, description, run: (options) => runAlgorithmLater({ ...options, algorithm: make() }) };
}

/** A policy, acting greedily (trained or not). */
export function agentContender(name: string, description: string, agent: Policy, env: EnvOptions): Contender {
  return {
    name,
    description,
    run({ testbed = SIMULATED, ...options }) {
      const run = { ...options, agent, env };
      return testbed.clock === "virtual" ? runAgent({ ...run, testbed }) : runAgentLater({ ...run, testbed });
    },
  };
}

/** The same for a policy that answers later. */
export function asyncAgentContender(
  name: string,
  description: string,
  agent: AsyncPolicy,
  env: EnvOptions,
): Contender {
  return { name, description, run: (options) => runAgentLater({ ...options, agent, env }) };
}

/** Window that never moves. */
function constantWindow(cwndPackets: number): CongestionControlFactory {
  return () => ({
    name: "constant",
    cwndBytes: cwndPackets * MSS_BYTES,
    pacingRateBytesPerSec: undefined,
    onAck() {},
    onCongestion() {},
  });
}

/** Constant windows that are tried, in bandwidth-delay products of the link. */
const CONSTANT_LINK_GRID = [0.5, 0.7, 0.8, 0.9, 0.95, 1, 1.02, 1.05, 1.1, 1.2, 1.5, 2, 2.5];
/** A varying link's capacity goes far above its mean, so its grid goes further. */
const VARYING_LINK_GRID = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 2.5, 3, 4, 6, 8];

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
      const bdpPackets = bdpBytes(scenario) / PACKET_BYTES;
      const grid = scenario.forward.rate.kind === "trace" ? VARYING_LINK_GRID : CONSTANT_LINK_GRID;
      const windows = [...new Set(grid.map((factor) => Math.max(2, Math.round(factor * bdpPackets))))];
      let best: { cwndPackets: number; score: number; results: Map<number, RunResult> } | undefined;
      for (const cwndPackets of windows) {
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

/** Finds contenders by name, in the order asked for, each once. */
export function selectContenders(
  names: readonly string[],
  registry: ReadonlyMap<string, () => Contender>,
): Contender[] {
  const known = [...registry.keys()];
  return [...new Set(names)].map((name) => {
    const make = registry.get(name);
    if (make === undefined) throw unknownName("bench", "algorithm", name, known);
    return make();
  });
}
