/** The vector form: N environments in this thread, stepped in order, with typed arrays that are reused. */

import type { AlgorithmResolver } from "../../algorithms/resolver.ts";
import { CcparkError } from "../../core/errors.ts";
import { Rng } from "../../core/random.ts";
import { CongestionEnv } from "../congestion-env.ts";
import type { EndedEpisode, VectorEnv } from "../env.ts";
import type { EnvOptions } from "../options.ts";
import type { ScenarioSource } from "../steps/scenario-source.ts";

/** @param algorithms finds those of cross traffic; absent: the native ones */
export function makeVectorEnv(
  scenarios: ScenarioSource,
  options: EnvOptions,
  numEnvs: number,
  algorithms?: AlgorithmResolver,
): VectorEnv {
  const envs = Array.from({ length: numEnvs }, () => new CongestionEnv(scenarios, options, { algorithms }));
  const first = envs[0];
  if (first === undefined) {
    throw new CcparkError(
      "invalid-argument",
      `[env] wrong number of environments: got ${numEnvs}, expected 1 or more`,
    );
  }
  const obsSize = first.observationSpace.shape[0];
  const actionSize = first.actionSpace.shape[0];
  const observations = new Float32Array(numEnvs * obsSize);
  const finalObservations = new Float32Array(numEnvs * obsSize);
  const rewards = new Float64Array(numEnvs);
  const terminated = new Uint8Array(numEnvs);
  const truncated = new Uint8Array(numEnvs);
  const endedEpisodes: EndedEpisode[] = [];
  const seeds = new Float64Array(numEnvs);
  const returns = new Float64Array(numEnvs);
  const steps = new Float64Array(numEnvs);
  let streams: Rng[] | undefined;
  /** the rows of the array that the last step was given: callers mostly give the same again */
  let viewed: Float32Array | undefined;
  let views: readonly Float32Array[] = [];

  const begin = (i: number, seed: number): void => {
    envs[i]!.begin(seed);
    envs[i]!.writeObservation(observations, i * obsSize);
    seeds[i] = seed;
    returns[i] = 0;
    steps[i] = 0;
  };

  const end = (i: number): void => {
    const env = envs[i]!;
    const metrics = env.metrics();
    endedEpisodes.push({
      env: i,
      seed: seeds[i]!,
      episodeReturn: returns[i]!,
      steps: steps[i]!,
      goodputMbps: metrics.goodputMbps,
      utilisation: metrics.utilisation,
      meanQueueDelayMs: metrics.meanQueueDelayMs,
      lossRate: metrics.lossRate,
      score: metrics.score,
    });
    env.writeObservation(finalObservations, i * obsSize);
    begin(i, streams![i]!.integer(2 ** 32));
  };

  return {
    numEnvs,
    observationSpace: first.observationSpace,
    actionSpace: first.actionSpace,
    observations,
    rewards,
    terminated,
    truncated,
    finalObservations,
    endedEpisodes,
    reset(seed) {
      streams = envs.map((_, i) => Rng.fromSeed(seed + i).fork("episodes"));
      for (let i = 0; i < numEnvs; i++) begin(i, seed + i);
      rewards.fill(0);
      terminated.fill(0);
      truncated.fill(0);
      endedEpisodes.length = 0;
    },
    step(actions) {
      if (streams === undefined) {
        throw new CcparkError(
          "failed-precondition",
          "[env] step before the first reset: expected reset first",
        );
      }
      if (actions.length !== numEnvs * actionSize) {
        throw new CcparkError(
          "invalid-argument",
          `[env] actions have the wrong length: got ${actions.length}, expected ${numEnvs} x ${actionSize}`,
        );
      }
      if (endedEpisodes.length > 0) endedEpisodes.length = 0;
      if (actions !== viewed) {
        viewed = actions;
        views = envs.map((_, i) => actions.subarray(i * actionSize, (i + 1) * actionSize));
      }
      for (let i = 0; i < numEnvs; i++) {
        const env = envs[i]!;
        env.advance(views[i]!);
        rewards[i] = env.reward;
        returns[i] = returns[i]! + env.reward;
        steps[i] = steps[i]! + 1;
        terminated[i] = env.terminated ? 1 : 0;
        truncated[i] = env.truncated ? 1 : 0;
        if (env.terminated || env.truncated) end(i);
        else env.writeObservation(observations, i * obsSize);
      }
    },
  };
}
