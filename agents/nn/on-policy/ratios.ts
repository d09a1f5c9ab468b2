/** What the ratios of a policy's probabilities to those of the rollout say of a gradient step. */
import { exp } from "../../../core/math.ts";

export type RatioMeasures = {
  /** the clipped surrogate, negated */
  readonly policyLoss: number;
  /** nat, between the policies of the rollout and of now */
  readonly approxKl: number;
  /** share of rows whose ratio left the clip range */
  readonly clipFraction: number;
};

/**
 * @param logRatio of the rows of a minibatch
 * @param clipCoef epsilon of the clipped surrogate
 */
export function ratioMeasures(
  logRatio: Float32Array,
  advantages: Float32Array,
  clipCoef: number,
): RatioMeasures {
  const rows = logRatio.length;
  // KL(old || new) by the low-variance estimator (r - 1) - log r, http://joschu.net/blog/kl-approx.html
  let approxKl = 0;
  let outside = 0;
  let surrogate = 0;
  for (let r = 0; r < rows; r++) {
    const ratio = exp(logRatio[r]!);
    approxKl += ratio - 1 - logRatio[r]!;
    if (Math.abs(ratio - 1) > clipCoef) outside += 1;
    const advantage = advantages[r]!;
    const clipped = Math.min(1 + clipCoef, Math.max(1 - clipCoef, ratio));
    surrogate += Math.min(ratio * advantage, clipped * advantage);
  }
  return { policyLoss: -surrogate / rows, approxKl: approxKl / rows, clipFraction: outside / rows };
}
