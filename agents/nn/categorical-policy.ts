/** A policy over choices: the network says a logit for each, and their softmax is the distribution. */
import type { Tensor } from "@tensorflow/tfjs-core";
import { assert } from "../../core/errors.ts";
import { exp, log } from "../../core/math.ts";
import type { Rng } from "../../core/random.ts";
import type { Tf } from "../tfjs/tfjs-patches.ts";
import { toTensors } from "./mlp-tensors.ts";
import {
  type DensityGradient,
  DensityPolicy,
  type PolicyOptions,
  type PolicySpec,
  type Samples,
} from "./network-policy.ts";
import { largestOf } from "./statistics.ts";

/** log of the sum of exp of `count` logits, safe from overflow. */
function logSumExp(logits: Float32Array, from: number, count: number): number {
  const shift = logits[from + largestOf(logits, from, count)]!;
  let sum = 0;
  for (let i = from; i < from + count; i++) sum += exp(logits[i]! - shift);
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
    const logits = this.outputs(normalised, rows);
    for (let r = 0; r < rows; r++) actions[r] = largestOf(logits, r * this.#n, this.#n);
  }

  /** A number of [0, 1) per row. */
  override drawNoise(rng: Rng, rows: number): Float64Array {
    return Float64Array.from({ length: rows }, () => rng.next());
  }

  /** Raw actions are the choices themselves. */
  override sample(normalised: Float32Array, rows: number, noise: Float64Array, into: Samples): void {
    const logits = this.outputs(normalised, rows);
    for (let r = 0; r < rows; r++) {
      const from = r * this.#n;
      const total = logSumExp(logits, from, this.#n);
      let rest = noise[r]!;
      let choice = 0;
      while (choice < this.#n - 1) {
        rest -= exp(logits[from + choice]! - total);
        if (rest < 0) break;
        choice += 1;
      }
      into.actions[r] = choice;
      if (into.raw !== undefined) into.raw[r] = choice;
      if (into.logProbs !== undefined) into.logProbs[r] = logits[from + choice]! - total;
    }
  }

  override entropy(normalised: Float32Array, rows: number): number {
    let sum = 0;
    const logits = this.outputs(normalised, rows);
    for (let from = 0; from < rows * this.#n; from += this.#n) {
      const total = logSumExp(logits, from, this.#n);
      for (let i = from; i < from + this.#n; i++) {
        const logProb = logits[i]! - total;
        sum -= exp(logProb) * logProb;
      }
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

  override logProbs(outputs: Float32Array, raw: Float32Array, rows: number): Float32Array {
    const n = this.#n;
    return Float32Array.from(
      { length: rows },
      (_, r) => outputs[r * n + raw[r]!]! - logSumExp(outputs, r * n, n),
    );
  }

  /** d log p_a / d logit_j = [j = a] - p_j; d H / d logit_j = -p_j (log p_j + H), H the mean over rows */
  override densityGradient(
    outputs: Float32Array,
    raw: Float32Array,
    slopes: Float32Array,
    entropyCoef: number,
  ): DensityGradient {
    const n = this.#n;
    const rows = slopes.length;
    const ofOutputs = new Float32Array(rows * n);
    const logProbs = new Float64Array(n);
    let entropy = 0;
    for (let r = 0; r < rows; r++) {
      const total = logSumExp(outputs, r * n, n);
      let ofRow = 0;
      for (let j = 0; j < n; j++) {
        logProbs[j] = outputs[r * n + j]! - total;
        ofRow -= exp(logProbs[j]!) * logProbs[j]!;
      }
      entropy += ofRow / rows;
      for (let j = 0; j < n; j++) {
        const p = exp(logProbs[j]!);
        const chosen = j === raw[r]! ? 1 : 0;
        ofOutputs[r * n + j] = slopes[r]! * (chosen - p) - (entropyCoef / rows) * p * (logProbs[j]! + ofRow);
      }
    }
    return { outputs: ofOutputs, own: new Float32Array(0), entropy };
  }
}
