/**
 * What a training is judged by while it goes on: the policy of a checkpoint, acting greedily on the same validation links
 * every time, beside Cubic and BBR on the same links. The links are drawn from what the episodes are drawn from, by a seed that
 * no episode uses.
 */
import { type Checkpoint, restoreSpaces } from "../../agents/checkpoint.ts";
import { policyFromCheckpoint } from "../../agents/registry.ts";
import { crossTrafficAlgorithm } from "../../algorithms/cross-traffic.ts";
import { makeAlgorithm, resolveAlgorithm } from "../../algorithms/reference.ts";
import { Rng } from "../../core/random.ts";
import { runAgent, runAlgorithm } from "../../envs/measured-run.ts";
import type { EnvOptions } from "../../envs/options.ts";
import { envelopeOfSpaces } from "../../envs/signals/envelope.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import type { RunResult } from "../../testbeds/results.ts";
import { drawsOf, type TrainingEnvSpec } from "../training-env.ts";

/** Links of an evaluation: enough that a mean says something, few enough that it costs a second. */
const LINKS = 8;
/** At most, of more scenarios each gets one. */
const MAX_LINKS = 24;
/** Seconds of a link: queues have settled, and an evaluation stays short. */
const MAX_LINK_SEC = 20;
const RUN_SEED = 1;

/** What stands beside the policy: one that fills buffers, one that models the link. */
export const BASELINES = ["cubic", "bbr"] as const;

/** Means over links, or those of one. Delays in milliseconds, shares 0 to 1. */
export interface LinkFacts {
  readonly score: number;
  readonly utilisation: number;
  readonly meanQueueDelayMs: number;
  readonly lossRate: number;
}

/** One line of `evaluations.jsonl`, but for when. */
export interface Evaluation extends LinkFacts {
  /** means of the score over the same links */
  readonly baselines: Readonly<Record<(typeof BASELINES)[number], number>>;
  readonly links: readonly (LinkFacts & { readonly link: string })[];
}

/** Judges checkpoints. */
export interface Evaluator {
  readonly links: readonly Scenario[];
  of(checkpoint: Checkpoint): Evaluation;
}

function factsOf({ metrics }: RunResult): LinkFacts {
  const { score, utilisation, meanQueueDelayMs, lossRate } = metrics;
  return { score, utilisation, meanQueueDelayMs, lossRate };
}

function meanOf(all: readonly LinkFacts[]): LinkFacts {
  const mean = (of: (each: LinkFacts) => number): number =>
    all.reduce((sum, each) => sum + of(each), 0) / all.length;
  return {
    score: mean((each) => each.score),
    utilisation: mean((each) => each.utilisation),
    meanQueueDelayMs: mean((each) => each.meanQueueDelayMs),
    lossRate: mean((each) => each.lossRate),
  };
}

/** The validation links of what a training draws its episodes from, each at most 20 s long. @param least how many at least, up to 24 */
export function validationLinks(
  spec: Pick<TrainingEnvSpec, "scenarios" | "episodeSec">,
  least: number = LINKS,
): Scenario[] {
  const draws = drawsOf(spec);
  const stride = Math.max(1, draws.length / MAX_LINKS);
  const count = Math.min(MAX_LINKS, Math.max(least, draws.length));
  const rng = Rng.fromSeed(0).fork("validation");
  const links = new Map<string, Scenario>();
  for (let i = 0; i < count; i++) {
    const draw = draws[Math.floor((i * stride) % draws.length)]!;
    const scenario = draw(rng.fork(`link.${i}`));
    // one that leaves nothing to chance is one link, however often it is drawn
    links.set(JSON.stringify(scenario), scenario);
  }
  return [...links.values()].map((scenario) => ({
    ...scenario,
    durationSec: Math.min(scenario.durationSec, MAX_LINK_SEC),
  }));
}

/**
 * Runs the policy of a checkpoint greedily, once on each link, with the same seed every time.
 * @param observationNoise each number that it sees is off by up to this share of itself
 */
export function greedyRuns(
  checkpoint: Checkpoint,
  env: EnvOptions,
  links: readonly Scenario[],
  observationNoise = 0,
): RunResult[] {
  const { observationSpace, actionSpace } = restoreSpaces(checkpoint.header);
  const spans = envelopeOfSpaces(observationSpace, actionSpace.kind === "box" ? actionSpace : undefined);
  const agent = policyFromCheckpoint(checkpoint);
  const common = {
    seed: RUN_SEED,
    rewardName: env.reward,
    algorithms: crossTrafficAlgorithm,
    env,
    spans,
    observationNoise,
  };
  const results = links.map((scenario) => runAgent({ ...common, scenario, agent }));
  agent.dispose();
  return results;
}

/**
 * @param env of the policy's steps, observations and actions
 * @param links each run once, with the same seed every time
 */
export function makeEvaluator(env: EnvOptions, links: readonly Scenario[]): Evaluator {
  const common = { seed: RUN_SEED, rewardName: env.reward, algorithms: crossTrafficAlgorithm };
  let baselines: Evaluation["baselines"] | undefined;
  const baselineOf = (name: string): number => {
    const resolved = resolveAlgorithm(name);
    const runs = links.map((scenario) =>
      factsOf(runAlgorithm({ ...common, scenario, algorithm: makeAlgorithm(resolved) })),
    );
    return meanOf(runs).score;
  };
  return {
    links,
    of(checkpoint) {
      baselines ??= { cubic: baselineOf("cubic"), bbr: baselineOf("bbr") };
      const runs = greedyRuns(checkpoint, env, links).map((result, i) => ({
        link: `${links[i]!.name} ${i + 1}`,
        ...factsOf(result),
      }));
      return { ...meanOf(runs), baselines, links: runs };
    },
  };
}
