/**
 * A curriculum by the gap to the best baseline, after Genet (Xia et al., SIGCOMM 2022): links on which the policy scores far below what
 * a classical algorithm reaches can be learnt from, those on which nobody does better teach little. Genet searches ranges of
 * parameters by Bayesian optimisation; here links drawn from the distribution are run and drawn again by their gap.
 */
import type { Checkpoint } from "../../agents/checkpoint.ts";
import { crossTrafficAlgorithm } from "../../algorithms/cross-traffic.ts";
import { makeAlgorithm, resolveAlgorithm } from "../../algorithms/reference.ts";
import { Rng } from "../../core/random.ts";
import { runAlgorithm } from "../../envs/measured-run.ts";
import type { EnvOptions } from "../../envs/options.ts";
import { greedyRuns } from "../evaluation/validation.ts";
import { drawsOf, linkRng, type TrainingEnvSpec } from "../training-env.ts";
import type { Chosen, FocusChooser } from "./focus.ts";

/** What the policy is measured by on each link. */
export const GAP_BASELINES = ["cubic", "vegas", "bbr", "copa"] as const;
/** Links that are run at each choice. */
const LINKS = 48;
/** Part of the episodes that are drawn by their gap; the others keep the policy good where it is. */
const SHARE = 0.6;
const RUN_SEED = 1;

/** @param seed of the training */
export function gapChooser(
  env: EnvOptions,
  spec: Pick<TrainingEnvSpec, "scenarios" | "episodeSec">,
  seed: number,
): FocusChooser {
  const draws = drawsOf(spec);
  return async (checkpoint: Checkpoint): Promise<Chosen> => {
    const rng = Rng.fromSeed(seed).fork(`gap.${checkpoint.header.updates}`);
    const drawn = Array.from({ length: LINKS }, () => {
      const [draw, linkSeed] = [rng.integer(draws.length), rng.integer(2 ** 32)];
      return { draw, seed: linkSeed, scenario: draws[draw]!(linkRng(linkSeed)) };
    });
    const common = { seed: RUN_SEED, rewardName: env.reward, algorithms: crossTrafficAlgorithm };
    const scores = greedyRuns(
      checkpoint,
      env,
      drawn.map(({ scenario }) => scenario),
    ).map(({ metrics }) => metrics.score);
    const gaps = drawn.map(({ scenario }, i) => {
      const best = GAP_BASELINES.map((name) => {
        const algorithm = makeAlgorithm(resolveAlgorithm(name));
        return runAlgorithm({ ...common, scenario, algorithm }).metrics.score;
      });
      return Math.max(0, Math.max(...best) - scores[i]!);
    });
    const sum = gaps.reduce((total, gap) => total + gap, 0);
    const links = drawn.flatMap(({ draw, seed: linkSeed }, i) =>
      gaps[i]! > 0 ? [{ draw, seed: linkSeed, probability: (SHARE * gaps[i]!) / sum }] : [],
    );
    return { links, facts: { meanGap: sum / LINKS, largestGap: Math.max(...gaps) } };
  };
}
