/**
 * Who may stand in a benchmark. A contender is a name and a way to run one (scenario, seed); all of them run through
 * `envs/measured-run.ts`, so every one is measured in the same way.
 */
import type { AlgorithmResolver } from "../../algorithms/cross-traffic.ts";
import type { EnvOptions } from "../../envs/options.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import type { RecordedFormat } from "../../testbeds/exports/recorder.ts";
import type { RunResult } from "../../testbeds/results.ts";
import type { Testbed } from "../../testbeds/testbed.ts";

/** The contender that knows the future: the ceiling of a table, which does not compete with the others. */
export const ORACLE = "oracle";
export const ORACLE_SUMMARY =
  "the ceiling, nothing to be deployed: knows the link's future and each loss, so every packet comes just before its service; beside other traffic and for other rewards than the score, the best way for each eighth of a run, looked ahead with hindsight for each seed";
export const CONSTANT = "constant";
export const CONSTANT_SUMMARY =
  "best constant window per link, chosen with hindsight by mean score over the same seeds";
export const CONSTANT_RATE = "constant-rate";
export const CONSTANT_RATE_SUMMARY =
  "best constant pacing rate per link, chosen with hindsight by mean score over the same seeds";
/** A policy before its first update. */
export const UNTRAINED = "untrained";

/**
 * Contenders that nobody can deploy: they know the link's future or were fitted to it with hindsight, or have learnt nothing.
 * They show where the others stand, and never win.
 */
const REFERENCES: readonly string[] = [ORACLE, CONSTANT, CONSTANT_RATE, UNTRAINED];

export function isReference(name: string): boolean {
  return REFERENCES.includes(name);
}

export interface RunOptions {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly rewardName: string;
  readonly seriesBinSec: number;
  /** finds the algorithms of cross traffic; absent: the native ones */
  readonly algorithms?: AlgorithmResolver;
  /** absent: the simulator */
  readonly testbed?: Testbed;
  /** steps of an environment to write down of the first flow */
  readonly recordSteps?: EnvOptions;
  /** policies see each number of an observation off by up to this share of itself; absent: as it is */
  readonly observationNoise?: number;
  /** what else to write down of the run; only where a contender can */
  readonly recording?: { readonly formats: readonly RecordedFormat[]; readonly title: string };
}

export interface Contender {
  readonly name: string;
  /** one sentence for the report */
  readonly description: string;
  /** false: a second run gives other bytes, because a process outside takes part */
  readonly reproducible?: false;
  /** what its results must be read with, a sentence; absent: nothing */
  readonly note?: string | undefined;
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

/** The notes of contenders as lines, each ended; empty: there are none. */
export function contenderNotes(contenders: readonly Contender[]): string {
  return contenders.map(({ note }) => (note === undefined ? "" : `${note}\n`)).join("");
}
