/**
 * A policy over a box: the network says the mean of each number of the action; log of the standard deviation is a parameter
 * of its own that does not depend on the state.
 *
 * Actions are learnt in units of the box: 0 is its middle, +-1 its bounds (an unbounded dimension keeps its own unit).
 */
import type { Tensor } from "@tensorflow/tfjs-core";
import { drawNormal } from "../../core/distributions.ts";
import { assert } from "../../core/errors.ts";
import { exp, log } from "../../core/math.ts";
import type { Rng } from "../../core/random.ts";
import type { Box } from "../../envs/spaces.ts";
import type { Tf } from "../tfjs/tfjs-patches.ts";
import { unitsOf } from "./box-units.ts";
import { toTensors } from "./mlp-tensors.ts";
import {
  type DensityGradient,
  DensityPolicy,
  type PolicyOptions,
  type PolicySpec,
  type Samples,
} from "./network-policy.ts";

const LOG_2_PI = log(2 * Math.PI);

/** `act` greedily: the mean, clipped to the box; exploring: a sample, which the environment clips. */
export class GaussianPolicy extends DensityPolicy {
  readonly #box: Box;
  readonly #logStdAt: number;
  /** action = middle + half x (what the network says) */
  readonly #middle: Float64Array;
  readonly #half: Float64Array;

  /** @throws CcparkError (invalid-argument) where the weights do not fit the spec */
  constructor(spec: PolicySpec, options: PolicyOptions) {
    super(spec, options);
    const { actionSpace } = spec;
    assert(actionSpace.kind === "box", "a Gaussian policy acts in a box");
    this.#box = actionSpace;
    this.#logStdAt = this.layout.size;
    const { middle, half } = unitsOf(actionSpace);
    this.#middle = middle;
    this.#half = half;
  }

  override actGreedy(normalised: Float32Array, rows: number, actions: Float32Array): void {
    const { low, high } = this.#box;
    const count = low.length;
    const means = this.outputs(normalised, rows);
    for (let r = 0; r < rows; r++) {
      for (let a = 0; a < count; a++) {
        const action = this.#middle[a]! + this.#half[a]! * means[r * count + a]!;
        actions[r * count + a] = Math.min(high[a]!, Math.max(low[a]!, action));
      }
    }
  }

  /** A standard normal per number of the action. */
  override drawNoise(rng: Rng, rows: number): Float64Array {
    return Float64Array.from({ length: rows * this.#box.shape[0] }, () => drawNormal(rng));
  }

  /** Raw actions are in units of the box. */
  override sample(normalised: Float32Array, rows: number, noise: Float64Array, into: Samples): void {
    const count = this.#box.shape[0];
    const means = this.outputs(normalised, rows);
    for (let r = 0; r < rows; r++) {
      let logProb = 0;
      for (let a = 0; a < count; a++) {
        const logStd = this.weights[this.#logStdAt + a]!;
        const std = exp(logStd);
        const mean = means[r * count + a]!;
        const raw = Math.fround(mean + std * noise[r * count + a]!);
        const z = (raw - mean) / std;
        logProb -= 0.5 * (z * z + LOG_2_PI) + logStd;
        into.actions[r * count + a] = this.#middle[a]! + this.#half[a]! * raw;
        if (into.raw !== undefined) into.raw[r * count + a] = raw;
      }
      if (into.logProbs !== undefined) into.logProbs[r] = logProb;
    }
  }

  /** The same for every state: sum of log std + (1 + log 2 pi) / 2. */
  override entropy(): number {
    let sum = 0;
    for (let i = this.#logStdAt; i < this.weights.length; i++) sum += this.weights[i]! + 0.5 * (1 + LOG_2_PI);
    return sum;
  }

  override toTensors(tf: Tf): Tensor[] {
    return [...toTensors(tf, this.layout, this.weights), tf.tensor1d(this.weights.slice(this.#logStdAt))];
  }

  override actionTensor(tf: Tf, raw: Float32Array, rows: number): Tensor {
    return tf.tensor2d(raw, [rows, this.#box.shape[0]]);
  }

  /** log pi(a|s) = -1/2 sum((a - mu)^2 / sigma^2 + log 2 pi) - sum(log sigma) */
  override density(
    tf: Tf,
    parameters: readonly Tensor[],
    mean: Tensor,
    actions: Tensor,
  ): { readonly logProb: Tensor; readonly entropy: Tensor } {
    const logStd = parameters.at(-1)!;
    const z = tf.mul(tf.sub(actions, mean), tf.exp(tf.neg(logStd)));
    const sumLogStd = tf.sum(logStd);
    const squares = tf.mul(tf.sum(tf.square(z), 1), -0.5);
    const logProb = tf.sub(tf.sub(squares, sumLogStd), 0.5 * LOG_2_PI * this.#box.shape[0]);
    return { logProb, entropy: sumLogStd };
  }

  override logProbs(outputs: Float32Array, raw: Float32Array, rows: number): Float32Array {
    const count = this.#box.shape[0];
    const logStds = this.weights.subarray(this.#logStdAt);
    const precisions = Float64Array.from(logStds, (logStd) => exp(-logStd));
    const logProbs = new Float32Array(rows);
    for (let r = 0; r < rows; r++) {
      let logProb = 0;
      for (let a = 0; a < count; a++) {
        const z = (raw[r * count + a]! - outputs[r * count + a]!) * precisions[a]!;
        logProb -= 0.5 * (z * z + LOG_2_PI) + logStds[a]!;
      }
      logProbs[r] = logProb;
    }
    return logProbs;
  }

  /** d log pi / d mu = z / sigma, d log pi / d log sigma = z^2 - 1 */
  override densityGradient(
    outputs: Float32Array,
    raw: Float32Array,
    slopes: Float32Array,
    entropyCoef: number,
  ): DensityGradient {
    const rows = slopes.length;
    const count = this.#box.shape[0];
    const logStds = this.weights.subarray(this.#logStdAt);
    const ofOutputs = new Float32Array(rows * count);
    const own = new Float32Array(count);
    let entropy = 0;
    for (let a = 0; a < count; a++) {
      const precision = exp(-logStds[a]!);
      let ofLogStd = entropyCoef;
      for (let r = 0; r < rows; r++) {
        const z = (raw[r * count + a]! - outputs[r * count + a]!) * precision;
        ofOutputs[r * count + a] = slopes[r]! * z * precision;
        ofLogStd += slopes[r]! * (z * z - 1);
      }
      own[a] = ofLogStd;
      entropy += logStds[a]!;
    }
    return { outputs: ofOutputs, own, entropy };
  }
}
