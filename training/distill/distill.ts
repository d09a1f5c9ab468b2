/**
 * A policy as a decision tree that a datapath runs by itself. DAgger (Ross, Gordon and Bagnell 2011) on the tree's own states, as
 * VIPER does for trees (Bastani et al. 2018), without its weighting by values, which a policy alone does not have: the tree drives links
 * drawn anew in each round, the policy is asked what it would do there, and the next tree is fitted to all answers so far. Which
 * tree is kept is decided by scores on validation links that no round draws, where each runs as the program that it becomes.
 */
import { crossTrafficAlgorithm } from "../../algorithms/cross-traffic.ts";
import type { AlgorithmSpec } from "../../algorithms/spec.ts";
import { CcparkError } from "../../core/errors.ts";
import { Rng } from "../../core/random.ts";
import { MICROS_PER_MILLI } from "../../core/units.ts";
import { runAgent, runAlgorithm } from "../../envs/measured-run.ts";
import type { EnvOptions } from "../../envs/options.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { TRAINING_DEFAULTS } from "../defaults.ts";
import { validationLinks } from "../evaluation/validation.ts";
import { drawsOf, type TrainingEnvSpec } from "../training-env.ts";
import { type Collected, collectingAlgorithm, formOf, noSamples, type Teacher } from "./collect.ts";
import type { TreeForm } from "./features.ts";
import { countInstructions, MAX_LEAVES, treeProgram } from "./program.ts";
import { treeSpec } from "./spec.ts";
import { countLeaves, fitTree, type TreeNode } from "./tree.ts";

export interface DistillOptions {
  readonly teacher: Teacher;
  /** what links are drawn from */
  readonly links: Pick<TrainingEnvSpec, "scenarios" | "episodeSec">;
  /** rounds of DAgger, the first of which the policy drives itself */
  readonly rounds: number;
  /** drawn per round */
  readonly linksPerRound: number;
  /** at most; fewer where the program would be too long */
  readonly leaves: number;
  readonly seed: number;
  readonly onRound?: (round: Round) => void | Promise<void>;
}

export interface Round {
  readonly round: number;
  readonly rounds: number;
  /** decisions so far */
  readonly samples: number;
  /** mean over the validation links */
  readonly score: number;
  readonly teacherScore: number;
}

export interface LinkScores {
  readonly link: string;
  readonly teacher: number;
  readonly tree: number;
}

export interface Distilled {
  readonly tree: TreeNode;
  readonly program: string;
  readonly instructions: number;
  readonly leaves: number;
  readonly samples: number;
  /** of the validation links */
  readonly links: readonly LinkScores[];
  readonly teacherScore: number;
  readonly score: number;
}

const RUN_SEED = 1;
/** Links that trees are chosen by: of eight the luckiest tree was kept, and not the best. */
const CHOSEN_BY = 24;
/** Forms of action whose pacing rate has nothing to do with what comes through. */
const REFUSED: readonly string[] = ["absolute", "aurora"];

/** How long a program has between two decisions; undefined: a round trip. */
export function everyUsOf({ stepMs }: EnvOptions): number | undefined {
  return stepMs === "rtt" ? undefined : Math.round(stepMs * MICROS_PER_MILLI);
}

/** @throws CcparkError (invalid-argument) for a policy that does more than set a window */
function checkTeacher({ env }: Teacher): void {
  if (env.actionDelayUs > 0) {
    const message = `[distill] policy trained with an action delay of ${env.actionDelayUs} us: expected none`;
    throw new CcparkError("invalid-argument", message);
  }
  if (REFUSED.includes(env.action)) {
    const message = `[distill] action \`${env.action}\` sets window and pacing rate: expected a form that changes the window alone, such as multiplicative`;
    throw new CcparkError("invalid-argument", message);
  }
}

const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

/** @yields after each round, for who wants to breathe or stop; the return value is the best tree */
export async function distill(options: DistillOptions): Promise<Distilled> {
  const { teacher, rounds, linksPerRound, seed, onRound } = options;
  checkTeacher(teacher);
  const common = { rewardName: teacher.env.reward, algorithms: crossTrafficAlgorithm };
  const validation = validationLinks(options.links, CHOSEN_BY);
  const scoreOf = (scenario: Scenario, spec: AlgorithmSpec): number =>
    runAlgorithm({ ...common, scenario, seed: RUN_SEED, algorithm: spec.ccp!({}) }).metrics.score;
  const teacherScores = validation.map((scenario) => {
    const { policy: agent, env, envelope: spans } = teacher;
    return runAgent({ ...common, scenario, seed: RUN_SEED, agent, env, spans }).metrics.score;
  });
  const draws = drawsOf(options.links);
  const rng = Rng.fromSeed(seed).fork("distill");
  const samples = noSamples();
  let tree: TreeNode | undefined;
  let best: Distilled | undefined;
  for (let round = 1; round <= rounds; round++) {
    const own = rng.fork(`round.${round}`);
    for (let i = 0; i < linksPerRound; i++) {
      const scenario = draws[i % draws.length]!(own.fork(`link.${i}`));
      const algorithm = collectingAlgorithm(teacher, tree, samples);
      const from = samples.weights.length;
      runAlgorithm({ ...common, scenario, seed: own.fork(`seed.${i}`).integer(2 ** 31), algorithm });
      balance(samples, from);
    }
    if (samples.targets.length === 0) {
      throw new CcparkError("failed-precondition", "[distill] the policy decided nothing on these links");
    }
    const fitted = fitProgram(samples, options.leaves, formOf(teacher), everyUsOf(teacher.env));
    ({ tree } = fitted);
    const spec = treeSpec({
      name: "tree",
      program: fitted.program,
      maxCwndPackets: teacher.envelope.maxCwndPackets,
    });
    const scores = validation.map((scenario) => scoreOf(scenario, spec));
    const score = mean(scores);
    if (best === undefined || score > best.score) {
      const links = validation.map(({ name }, i) => ({
        link: `${name} ${i + 1}`,
        teacher: teacherScores[i]!,
        tree: scores[i]!,
      }));
      const { length } = samples.targets;
      best = { ...fitted, samples: length, links, teacherScore: mean(teacherScores), score };
    }
    await onRound?.({
      round,
      rounds,
      samples: samples.targets.length,
      score,
      teacherScore: mean(teacherScores),
    });
  }
  return best!;
}

/** Links of the training range that trees are compared on. */
export function rangeLinks(): Scenario[] {
  return validationLinks({ scenarios: undefined, episodeSec: TRAINING_DEFAULTS.episodeSec }, CHOSEN_BY);
}

/** Scores of a policy and of its tree's program on given links. */
export function compareOn(teacher: Teacher, program: string, links: readonly Scenario[]): LinkScores[] {
  const { policy: agent, env, envelope: spans } = teacher;
  const spec = treeSpec({ name: "tree", program, maxCwndPackets: spans.maxCwndPackets });
  const common = { seed: RUN_SEED, rewardName: env.reward, algorithms: crossTrafficAlgorithm };
  return links.map((scenario) => ({
    link: scenario.name,
    teacher: runAgent({ ...common, scenario, agent, env, spans }).metrics.score,
    tree: runAlgorithm({ ...common, scenario, algorithm: spec.ccp!({}) }).metrics.score,
  }));
}

/** A run of many short round trips says no more than one of few long ones: decisions count by the root of how many there are. */
function balance({ weights }: Collected, from: number): void {
  const factor = 1 / Math.sqrt(weights.length - from);
  for (let i = from; i < weights.length; i++) weights[i] = weights[i]!.map((weight) => weight * factor);
}

/** The largest tree whose program a datapath can hold. */
function fitProgram(
  samples: Collected,
  leaves: number,
  form: TreeForm,
  everyUs: number | undefined,
): Pick<Distilled, "tree" | "program" | "instructions" | "leaves"> {
  for (let most = Math.min(leaves, MAX_LEAVES); ; most--) {
    const tree = fitTree(samples, most, form.encode);
    const program = treeProgram(tree, { form, ...(everyUs !== undefined && { everyUs }) });
    const instructions = countInstructions(program);
    if (instructions !== undefined) return { tree, program, instructions, leaves: countLeaves(tree) };
  }
}
