/** The environments that a learner collects from, made from plain data, so that worker threads can make them too. */
import { crossTrafficAlgorithm, crossTrafficModules } from "../algorithms/cross-traffic.ts";
import { Rng } from "../core/random.ts";
import type { AsyncVectorEnv, VectorEnv } from "../envs/env.ts";
import type { EnvOptions } from "../envs/options.ts";
import { OracleTeacher } from "../envs/recorded/teacher.ts";
import { loadSignals, signalsOf } from "../envs/signals/signal-files.ts";
import { openVectorEnv } from "../envs/vector/local-vector-env.ts";
import { SingleFlowSlot } from "../envs/vector/slots/single-flow.ts";
import type { EnvKind } from "../envs/vector/slots/slot-env.ts";
import type { Scenario } from "../scenarios/scenario.ts";
import {
  checkTemplate,
  hasDraws,
  type ScenarioInput,
  type ScenarioTemplate,
  sampleScenario,
} from "../scenarios/template.ts";
import { sampleTrainingScenario } from "../scenarios/training.ts";
import { FlowsVectorEnv } from "./flows-env.ts";
import type { FocusLink } from "./focus/focus.ts";

/** Plain data. */
export interface TrainingEnvSpec {
  readonly env: EnvOptions;
  /** of the training range; templates have their own */
  readonly episodeSec: number;
  /** an episode draws one of them; absent: the training range, a link per episode */
  readonly scenarios?: readonly { readonly name: string; readonly template: ScenarioTemplate }[];
  /** links that episodes draw before all others, with their probabilities; absent: none */
  readonly focus?: readonly FocusLink[];
  /** rows have states: what the oracle would do; default false */
  readonly teacher?: boolean;
}

/** The scenario of an episode. */
export type Draw = (rng: Rng) => Scenario;

function drawOf(name: string, template: ScenarioTemplate): Draw {
  if (hasDraws(template)) return (rng) => sampleScenario(template, rng, { name });
  const fixed = sampleScenario(template, Rng.fromSeed(0), { name });
  return () => fixed;
}

/** What an episode draws from, each as likely as the others. */
export function drawsOf({
  scenarios,
  episodeSec,
}: Pick<TrainingEnvSpec, "scenarios" | "episodeSec">): Draw[] {
  if (scenarios === undefined) return [(rng) => sampleTrainingScenario(rng, { durationSec: episodeSec })];
  return scenarios.map(({ name, template }) => drawOf(name, template));
}

/** Nothing of it is left to a seed. */
function environmentDrawn(input: ScenarioInput): Scenario {
  const name = input.name ?? "found";
  return sampleScenario(checkTemplate(input, { name }), Rng.fromSeed(0), { name });
}

/** Draws a link of a focus from what the seed says. */
export function linkRng(seed: number): Rng {
  return Rng.fromSeed(seed).fork("scenario");
}

function scenariosOf(spec: TrainingEnvSpec): Draw {
  const draws = drawsOf(spec);
  const anywhere: Draw =
    spec.scenarios === undefined ? draws[0]! : (rng) => draws[rng.integer(draws.length)]!(rng);
  const { focus = [] } = spec;
  if (focus.length === 0) return anywhere;
  return (rng) => {
    let left = rng.next();
    for (const link of focus) {
      left -= link.probability;
      if (left >= 0) continue;
      if ("scenario" in link) return environmentDrawn(link.scenario);
      return draws[link.draw]!(linkRng(link.seed));
    }
    return anywhere(rng);
  };
}

/**
 * The same where rows are the flows of networks, on one thread.
 * @param rows flows of all networks together, about
 * @throws CcparkError as `FlowsVectorEnv`
 */
export async function openFlowsEnvs(spec: TrainingEnvSpec, rows: number): Promise<VectorEnv> {
  await loadModulesOf(spec);
  return new FlowsVectorEnv(spec.env, scenariosOf(spec), rows);
}

async function loadModulesOf(spec: TrainingEnvSpec): Promise<Parameters<typeof loadSignals>[0]> {
  const drawn = spec.scenarios?.map(({ name, template }) => drawOf(name, template)(Rng.fromSeed(0))) ?? [];
  const signals = { ...signalsOf(spec.env), algorithms: drawn.flatMap(crossTrafficModules) };
  await loadSignals(signals);
  return signals;
}

/** Its kwargs: `spec`, a `TrainingEnvSpec` that was checked when it was made. */
export const TRAINING_ENV: EnvKind = {
  envId: "training",
  make(kwargs, count) {
    const spec = kwargs["spec"] as TrainingEnvSpec;
    const parts = { scenarios: scenariosOf(spec) };
    const { env, teacher } = spec;
    return Array.from(
      { length: count },
      () =>
        new SingleFlowSlot(
          env,
          parts,
          crossTrafficAlgorithm,
          undefined,
          teacher ? new OracleTeacher(env.action, crossTrafficAlgorithm) : undefined,
        ),
    );
  },
};

/**
 * What a learner collects from.
 * @param workers threads that step the environments, the calling one among them. The bytes do not depend on it
 */
export async function openTrainingEnvs(
  spec: TrainingEnvSpec,
  { numEnvs, workers = 1 }: { readonly numEnvs: number; readonly workers?: number },
): Promise<AsyncVectorEnv> {
  const signals = await loadModulesOf(spec);
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return openVectorEnv({
    kind: TRAINING_ENV,
    kwargs: { spec, actionPolicy: spec.env.actionPolicy },
    numEnvs,
    workers,
    withState: true,
    worker: { url: new URL(`./training-worker.${extension}`, import.meta.url), data: signals },
  });
}
