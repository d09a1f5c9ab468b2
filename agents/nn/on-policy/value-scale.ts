/**
 * PopArt (van Hasselt et al. 2016, arXiv:1602.07714): the value network learns targets of mean 0 and standard deviation
 * 1, and its last layer is corrected so that V stays what it was. Rewards of congestion control are a large offset,
 * other for each link, and a small difference that matters; unscaled, the network spends itself on the offset.
 */
import type { MlpLayout } from "../mlp.ts";
import { variance } from "../statistics.ts";

/** V = mean + std x (what the value network says) */
export interface ValueScale {
  readonly mean: number;
  readonly std: number;
}

/** Share of the old scale that an update keeps: fast enough to follow a policy that learns, slow enough to be steady. */
const VALUE_SCALE_KEPT = 0.9;

/**
 * @param targets of the batch, in the unit of rewards
 * @param weights of the value network; its last layer, of one output, is corrected
 * @param first whether there is nothing to preserve yet: V starts at the mean of the first targets
 */
export function rescaleValues(
  old: ValueScale,
  targets: Float32Array,
  layout: MlpLayout,
  weights: Float32Array,
  first: boolean,
): ValueScale {
  let batchMean = 0;
  for (let i = 0; i < targets.length; i++) batchMean += targets[i]! / targets.length;
  const batchStd = Math.sqrt(variance(targets));
  const kept = first ? 0 : VALUE_SCALE_KEPT;
  const mean = kept * old.mean + (1 - kept) * batchMean;
  const std = Math.max(1e-4, kept * old.std + (1 - kept) * batchStd);
  const last = layout.layers.at(-1)!;
  for (let i = last.weightsAt; i < last.biasesAt; i++) weights[i]! *= old.std / std;
  const bias = weights[last.biasesAt]!;
  weights[last.biasesAt] = first ? 0 : (old.std * bias + old.mean - mean) / std;
  return { mean, std };
}
