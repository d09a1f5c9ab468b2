/** Wiring: the environments that `train` and `quickstart` learn in, and how a checkpoint remembers them. */
import type { Checkpoint, EnvDescription } from "../../agents/checkpoint.ts";
import { crossTrafficAlgorithm } from "../../algorithms/cross-traffic.ts";
import type { Rng } from "../../core/random.ts";
import type { VectorEnv } from "../../envs/env.ts";
import { DEFAULT_ENV_OPTIONS, type EnvOptions, parseEnvOptions } from "../../envs/options.ts";
import { makeVectorEnv } from "../../envs/vector/local-vector-env.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { sampleTrainingScenario, TRAINING_RANGE } from "../../scenarios/training.ts";

/** Name under which `--scenario` gives the range of links. */
export const TRAINING_RANGE_NAME = "training-range";

export interface TrainingSetup {
  readonly env: EnvOptions;
  readonly numEnvs: number;
  readonly episodeSec: number;
  /** absent: the training range, a link per episode */
  readonly scenarios?: readonly { readonly name: string; readonly draw: (rng: Rng) => Scenario }[];
}

export function describeTrainingRange(): string {
  const { mbps, rttMs, bufferBdp } = TRAINING_RANGE;
  return `${mbps[0]} to ${mbps[1]} Mbit/s, ${rttMs[0]} to ${rttMs[1]} ms, ${bufferBdp[0]} to ${bufferBdp[1]} BDP, some on LTE-like traces`;
}

export function makeTrainingEnvs({ env, numEnvs, episodeSec, scenarios }: TrainingSetup): VectorEnv {
  const draw = (rng: Rng): Scenario =>
    scenarios === undefined
      ? sampleTrainingScenario(rng, { durationSec: episodeSec })
      : scenarios[rng.integer(scenarios.length)]!.draw(rng);
  return makeVectorEnv(draw, env, numEnvs, crossTrafficAlgorithm);
}

/** What a checkpoint keeps of the environment: the names, and the other options as JSON. */
export function describeEnv({ env, episodeSec, scenarios }: TrainingSetup): EnvDescription {
  const { observation, action, reward, ...options } = env;
  const names = scenarios?.map((scenario) => scenario.name) ?? [TRAINING_RANGE_NAME];
  return {
    observation,
    action,
    reward,
    description: JSON.stringify({ options, scenarios: names, episodeSec }),
  };
}

/**
 * The environment that a checkpoint was trained in.
 * @throws CcparkError (invalid-argument) for an option that this version does not know
 */
export function envOptionsOf({ header }: Checkpoint): EnvOptions {
  const { observation, action, reward, description } = header.env;
  const parsed: unknown = description.startsWith("{") ? JSON.parse(description) : {};
  const options = typeof parsed === "object" && parsed !== null && "options" in parsed ? parsed.options : {};
  return parseEnvOptions({
    ...DEFAULT_ENV_OPTIONS,
    ...(typeof options === "object" ? options : {}),
    observation,
    action,
    reward,
  });
}
