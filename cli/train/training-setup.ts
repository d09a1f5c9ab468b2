/** Wiring: the environments that `train` and `quickstart` learn in. */
import { CcparkError } from "../../core/errors.ts";
import { raiseInliningBudget } from "../../core/v8-inlining.ts";
import type { AnyVectorEnv } from "../../envs/env.ts";
import type { EnvOptions } from "../../envs/options.ts";
import type { ScenarioEntry } from "../../scenarios/scenario-files.ts";
import { TRAINING_RANGE } from "../../scenarios/training.ts";
import type { EvaluationOptions } from "../../training/evaluation/evaluations.ts";
import { makeEvaluator, validationLinks } from "../../training/evaluation/validation.ts";
import type { FocusLink } from "../../training/focus/focus.ts";
import { openFlowsEnvs, openTrainingEnvs } from "../../training/training-env.ts";

export interface TrainingSetup {
  readonly env: EnvOptions;
  readonly numEnvs: number;
  readonly episodeSec: number;
  /** threads that step the environments, the main one among them; default 1 */
  readonly workers?: number;
  /** the learner asks the oracle what it would do; default false */
  readonly teacher?: boolean;
  /** rows are the flows of networks; default false */
  readonly flows?: boolean;
  /** absent: the training range, a link per episode */
  readonly scenarios?: readonly Pick<ScenarioEntry, "name" | "template">[];
}

export function describeTrainingRange(): string {
  const { mbps, rttMs, bufferBdp } = TRAINING_RANGE;
  return `${mbps[0]} to ${mbps[1]} Mbit/s, ${rttMs[0]} to ${rttMs[1]} ms, ${bufferBdp[0]} to ${bufferBdp[1]} BDP, some on LTE-like traces`;
}

export function makeTrainingEnvs(
  setup: TrainingSetup,
  focus: readonly FocusLink[] = [],
): Promise<AnyVectorEnv> {
  const { env, numEnvs, episodeSec, workers = 1, scenarios, teacher, flows = false } = setup;
  raiseInliningBudget();
  const plain = scenarios?.map(({ name, template }) => ({ name, template }));
  if (flows) {
    if (workers > 1) {
      const message = `[train] --workers: got ${workers}, expected 1 for a learner of several flows`;
      throw new CcparkError("invalid-argument", message);
    }
    return openFlowsEnvs({ env, episodeSec, scenarios: plain, focus }, numEnvs);
  }
  return openTrainingEnvs({ env, episodeSec, scenarios: plain, teacher, focus }, { numEnvs, workers });
}

/** Checkpoints between two evaluations unless told otherwise. */
const CHECKPOINTS_PER_EVALUATION = 2;

/**
 * How a training is judged in its course.
 * @param setup with the scenarios that its links are drawn from
 * @param every updates; absent: at every second checkpoint; 0: not at all
 */
export function makeEvaluation(
  { env, episodeSec, scenarios }: TrainingSetup,
  {
    every,
    checkpointEvery,
    earlyStop = 0,
  }: {
    readonly every?: number;
    readonly checkpointEvery: number;
    readonly earlyStop?: number;
  },
): EvaluationOptions | undefined {
  if (every === 0) return undefined;
  const links = validationLinks({ episodeSec, scenarios });
  return {
    evaluator: makeEvaluator(env, links),
    every: every ?? CHECKPOINTS_PER_EVALUATION * checkpointEvery,
    earlyStop,
  };
}
