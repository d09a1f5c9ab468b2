/** Wiring: what a benchmark's options mean, the same in the command's own thread and in its workers. */

import { statSync } from "node:fs";
import { checkCrossTraffic, crossTrafficModules } from "../../algorithms/cross-traffic.ts";
import { CcparkError } from "../../core/errors.ts";
import { loadSignals } from "../../envs/signals/signal-files.ts";
import type { BenchmarkPlan } from "../../eval/benchmark.ts";
import { parseOverride } from "../../scenarios/overrides.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import type { ScenarioEntry } from "../../scenarios/scenario-files.ts";
import type { RecordedFormat } from "../../testbeds/exports/recorder.ts";
import { SIMULATED } from "../../testbeds/simulated/simulated.ts";
import { expectAccepts, type Testbed } from "../../testbeds/testbed.ts";
import { interruptible } from "../console.ts";
import { namedContenders, type OutsideOptions } from "../contenders.ts";
import type { LoadedCheckpoint, LoadedModel } from "../policies.ts";

/** Plain data: it goes to workers. */
export interface BenchInput {
  /** presets, grids or files */
  readonly names: readonly string[];
  readonly tracePath?: string;
  readonly durationSec?: number;
  /** what real runs vary is drawn */
  readonly vary: boolean;
  /** `path=value` */
  readonly overrides: readonly string[];
  readonly algorithms: readonly string[];
  /** a checkpoint that stands first, as `agent` */
  readonly checkpoint?: string;
  readonly seeds: readonly number[];
  readonly rewardName: string;
  /** of what policies see; absent: none */
  readonly observationNoise?: number;
  /** name of the testbed */
  readonly on: string;
  readonly recording: readonly RecordedFormat[];
  /** see `BenchmarkPlan` */
  readonly readsSeries?: boolean;
  readonly quiet: boolean;
  /** of agents in other processes */
  readonly outside?: OutsideOptions;
}

export interface PlannedBench {
  readonly plan: BenchmarkPlan;
  readonly entries: readonly ScenarioEntry[];
  readonly checkpoints: readonly LoadedCheckpoint[];
  readonly models: readonly LoadedModel[];
}

/** A file of the input that only its first reader sees, such as a pipe: other threads cannot read it again. */
export function pipeOf({ names, tracePath, checkpoint }: BenchInput): string | undefined {
  const paths = [tracePath, checkpoint, ...names].filter((path) => path !== undefined);
  return paths.find((path) => statSync(path, { throwIfNoEntry: false })?.isFIFO());
}

/** The simulator is at hand; the other worlds are loaded where one is named. */
async function testbedOf(name: string): Promise<Testbed> {
  if (name === SIMULATED.name) return SIMULATED;
  const { findTestbed } = await import("../../testbeds/registry.ts");
  return findTestbed(name);
}

type Contenders = Awaited<ReturnType<typeof namedContenders>>;

async function contendersOf({ algorithms, quiet, outside, checkpoint }: BenchInput): Promise<Contenders> {
  const named = await namedContenders(algorithms, { quiet, outside });
  if (checkpoint !== undefined) {
    const { loadCheckpointContender } = await import("../policies.ts");
    const loaded = await loadCheckpointContender("agent", checkpoint);
    named.checkpoints.unshift(loaded);
    named.contenders.unshift(loaded.contender);
  }
  return named;
}

function planOf(
  { seeds, rewardName, recording, readsSeries, observationNoise }: BenchInput,
  testbed: Testbed,
  scenarios: BenchmarkPlan["scenarios"],
  { contenders }: Contenders,
): BenchmarkPlan {
  return { scenarios, contenders, seeds, rewardName, testbed, recording, readsSeries, observationNoise };
}

export async function planBench(input: BenchInput): Promise<PlannedBench> {
  const { rewardName, recording } = input;
  const testbed = await testbedOf(input.on);
  const unrecorded = recording?.find((format) => !testbed.records.includes(format));
  if (unrecorded !== undefined) {
    throw new CcparkError(
      "invalid-argument",
      `[bench] --export on ${testbed.name}: got ${unrecorded}, expected csv, jsonl${testbed.records.map((format) => `, ${format}`).join("")}`,
    );
  }
  await loadSignals({ rewards: [rewardName] });
  const { resolveScenarios } = await import("../../scenarios/scenario-files.ts");
  const entries = interruptible(() =>
    resolveScenarios(input.names, {
      tracePath: input.tracePath,
      durationSec: input.durationSec,
      vary: input.vary,
      overrides: input.overrides.map(parseOverride),
    }),
  );
  const named = await contendersOf(input);
  const scenarios = entries.map((entry) => (entry.drawn ? entry : entry.of(0)));
  await loadSignals({ algorithms: entries.flatMap((entry) => crossTrafficModules(entry.of(0))) });
  interruptible(() => {
    for (const entry of entries) {
      checkCrossTraffic(entry.of(0));
      expectAccepts(testbed, entry.of(0));
    }
  });
  const names = scenarios.map((scenario) => scenario.name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    const message = `[bench] two scenarios are called \`${twice}\`: expected a name of its own for each`;
    throw new CcparkError("invalid-argument", message);
  }
  const { checkpoints, models } = named;
  return { plan: planOf(input, testbed, scenarios, named), entries, checkpoints, models };
}

/** A plan's scenarios as data for another thread; undefined where seeds draw them. */
export function scenariosOf({ scenarios }: BenchmarkPlan): readonly Scenario[] | undefined {
  return scenarios.every((each): each is Scenario => !("of" in each)) ? scenarios : undefined;
}

/**
 * The plan of another thread's command.
 * @param scenarios what that thread has made of the input's; absent: they are made here too
 */
export async function planAgain(
  input: BenchInput,
  scenarios: readonly Scenario[] | undefined,
): Promise<BenchmarkPlan> {
  if (scenarios === undefined) return (await planBench(input)).plan;
  const testbed = await testbedOf(input.on);
  await loadSignals({ rewards: [input.rewardName], algorithms: scenarios.flatMap(crossTrafficModules) });
  return planOf(input, testbed, scenarios, await contendersOf(input));
}
