/** A policy over choices: the network says a logit for each, and their softmax is the distribution. */
import type { Tensor } from "@tensorflow/tfjs-core";
import { assert } from "../../core/errors.ts";
import { exp, log } from "../../core/math.ts";
import type { Rng } from "../../core/random.ts";
import type { Tf } from "../tfjs/tfjs-patches.ts";
import { toTensors } from "./mlp-tensors.ts";
import { DensityPolicy, type PolicyOptions, type PolicySpec, type Samples } from "./network-policy.ts";
import { largestOf } from "./statistics.ts";

/** log of the sum of exp, safe from overflow. */
function logSumExp(logits: Float64Array): number {
  const shift = logits[largestOf(logits, 0, logits.length)]!;
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += exp(logits[i]! - shift);
  return shift + log(sum);
}

/** `act` greedily: the likeliest choice, of equals the first. */
export class CategoricalPolicy extends DensityPolicy {
  readonly #n: number;

  /** @throws CcparkError (invalid-argument) where the weights do not fit the spec */
  constructor(spec: PolicySpec, options: PolicyOptions) {
    super(spec, options);
    const { actionSpace } = spec;
    assert(actionSpace.kind === "discrete", "a categorical policy acts by choices");
    this.#n = actionSpace.n;
  }

  override actGreedy(normalised: Float32Array, rows: number, actions: Float32Array): void {
    for (let r = 0; r < rows; r++) actions[r] = largestOf(this.outputsOf(normalised, r), 0, this.#n);
  }

  /** A number of [0, 1) per row. */
  override drawNoise(rng: Rng, rows: number): Float64Array {
    return Float64Array.from({ length: rows }, () => rng.next());
  }

  /** Raw actions are the choices themselves. */
  override sample(normalised: Float32Array, rows: number, noise: Float64Array, into: Samples): void {
    for (let r = 0; r < rows; r++) {
      const logits = this.outputsOf(normalised, r);
      const total = logSumExp(logits);
      let rest = noise[r]!;
      let choice = 0;
      while (choice < this.#n - 1) {
        rest -= exp(logits[choice]! - total);
        if (rest < 0) break;
        choice += 1;
      }
      into.actions[r] = choice;
      if (into.raw !== undefined) into.raw[r] = choice;
      if (into.logProbs !== undefined) into.logProbs[r] = logits[choice]! - total;
    }
  }

  override entropy(normalised: Float32Array, rows: number): number {
    let sum = 0;
    for (let r = 0; r < rows; r++) {
      const logits = this.outputsOf(normalised, r);
      const total = logSumExp(logits);
      for (const logit of logits) sum -= exp(logit - total) * (logit - total);
    }
    return sum / rows;
  }

  override toTensors(tf: Tf): Tensor[] {
    return toTensors(tf, this.layout, this.weights);
  }

  /** One-hot, [rows x n]. */
  override actionTensor(tf: Tf, raw: Float32Array, rows: number): Tensor {
    const oneHot = new Float32Array(rows * this.#n);
    for (let r = 0; r < rows; r++) oneHot[r * this.#n + raw[r]!] = 1;
    return tf.tensor2d(oneHot, [rows, this.#n]);
  }

  /** log pi(a|s) = logit of a - log sum exp(logits) */
  override density(
    tf: Tf,
    _parameters: readonly Tensor[],
    logits: Tensor,
    actions: Tensor,
  ): { readonly logProb: Tensor; readonly entropy: Tensor } {
    const logProbs = tf.logSoftmax(logits);
    const logProb = tf.sum(tf.mul(logProbs, actions), 1);
    const entropy = tf.neg(tf.mean(tf.sum(tf.mul(tf.exp(logProbs), logProbs), 1)));
    return { logProb, entropy };
  }
}
