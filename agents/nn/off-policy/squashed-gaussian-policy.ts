/**
 * A policy over a box: the network says mean and log standard deviation of each number before a tanh squashes it into the box
 * (Haarnoja et al. 2018, arXiv:1801.01290, appendix C). So samples lie inside, and how much it explores depends on the state.
 */
import type { Tensor } from "@tensorflow/tfjs-core";
import { drawNormal } from "../../../core/distributions.ts";
import { assert } from "../../../core/errors.ts";
import { exp, log, tanh } from "../../../core/math.ts";
import type { Rng } from "../../../core/random.ts";
import type { Tf } from "../../tfjs/tfjs-patches.ts";
import { unitsOf } from "../box-units.ts";
import { mlpTensor } from "../mlp-tensors.ts";
import { NetworkPolicy, type PolicyOptions, type PolicySpec, type Samples } from "../network-policy.ts";

/** The log of the standard deviation is held here, before the tanh. */
const LOG_STD = { low: -5, high: 2 };
const LOG_2_PI = log(2 * Math.PI);
/** Keeps the log of the squashing's slope finite. */
const SLOPE_EPSILON = 1e-6;

/** `act` greedily: the squashed mean. */
export class SquashedGaussianPolicy extends NetworkPolicy {
  readonly #count: number;
  /** action = middle + half x tanh(u) */
  readonly #middle: Float64Array;
  readonly #half: Float64Array;

  /** @throws CcparkError (invalid-argument) where the weights do not fit the spec */
  constructor(spec: PolicySpec, options: PolicyOptions) {
    super(spec, options);
    const { actionSpace } = spec;
    assert(actionSpace.kind === "box", "a squashed Gaussian policy acts in a box");
    const { middle, half } = unitsOf(actionSpace);
    this.#count = actionSpace.shape[0];
    this.#middle = middle;
    this.#half = half;
  }

  override actGreedy(normalised: Float32Array, rows: number, actions: Float32Array): void {
    const count = this.#count;
    const outputs = this.outputs(normalised, rows);
    for (let r = 0; r < rows; r++) {
      for (let a = 0; a < count; a++)
        actions[r * count + a] = this.#middle[a]! + this.#half[a]! * tanh(outputs[2 * r * count + a]!);
    }
  }

  /** A standard normal per number of the action. */
  override drawNoise(rng: Rng, rows: number): Float64Array {
    return Float64Array.from({ length: rows * this.#count }, () => drawNormal(rng));
  }

  /** Raw actions are squashed, in units of the box: -1 to 1. */
  override sample(normalised: Float32Array, rows: number, noise: Float64Array, into: Samples): void {
    const count = this.#count;
    const outputs = this.outputs(normalised, rows);
    for (let r = 0; r < rows; r++) {
      const from = 2 * r * count;
      for (let a = 0; a < count; a++) {
        const std = exp(Math.min(LOG_STD.high, Math.max(LOG_STD.low, outputs[from + count + a]!)));
        const raw = tanh(outputs[from + a]! + std * noise[r * count + a]!);
        into.actions[r * count + a] = this.#middle[a]! + this.#half[a]! * raw;
        if (into.raw !== undefined) into.raw[r * count + a] = raw;
      }
    }
  }

  /**
   * Actions as a function of the parameters, for gradients that go through them.
   * @param observations [rows x observation]
   * @param noise of `drawNoise`, [rows x action]
   * @returns raw actions, [rows x action], and log pi of each row, [rows]
   */
  reparameterised(
    tf: Tf,
    parameters: readonly Tensor[],
    observations: Tensor,
    noise: Tensor,
  ): { readonly actions: Tensor; readonly logProb: Tensor } {
    const count = this.#count;
    const outputs = mlpTensor(tf, parameters, observations);
    const mean = tf.matMul(outputs, selecting(tf, count, 0));
    const logStd = tf.clipByValue(tf.matMul(outputs, selecting(tf, count, count)), LOG_STD.low, LOG_STD.high);
    const actions = tf.tanh(tf.add(mean, tf.mul(tf.exp(logStd), noise)));
    // log N(u) - sum log(1 - tanh(u)^2), equation 21
    const slope = tf.log(tf.add(tf.sub(1, tf.square(actions)), SLOPE_EPSILON));
    const each = tf.sub(tf.sub(tf.mul(tf.square(noise), -0.5), logStd), tf.add(slope, 0.5 * LOG_2_PI));
    return { actions, logProb: tf.sum(each, 1) };
  }

  /** The same of the weights as they are, in vectors. @param noise [rows x action] */
  drawn(observations: Float32Array, noise: Float32Array, rows: number): DrawnActions {
    const count = this.#count;
    const outputs = this.outputs(observations, rows);
    const actions = new Float32Array(rows * count);
    const logProb = new Float32Array(rows);
    const spreads = new Float64Array(rows * count);
    for (let r = 0; r < rows; r++) {
      let sum = 0;
      for (let a = 0; a < count; a++) {
        const at = r * count + a;
        const said = outputs[2 * r * count + count + a]!;
        const logStd = Math.min(LOG_STD.high, Math.max(LOG_STD.low, said));
        const spread = exp(logStd) * noise[at]!;
        const action = Math.fround(tanh(outputs[2 * r * count + a]! + spread));
        actions[at] = action;
        spreads[at] = said === logStd ? spread : Number.NaN;
        const slope = log(1 - action * action + SLOPE_EPSILON);
        sum -= 0.5 * noise[at]! * noise[at]! + logStd + slope + 0.5 * LOG_2_PI;
      }
      logProb[r] = sum;
    }
    return { actions, logProb, spreads };
  }

  /**
   * In vectors: gradient by the weights of a loss, of the rows that `drawn` had last.
   * @param ofActions the loss's gradient by the raw actions, [rows x action]
   * @param ofLogProb the same by log pi of each row
   * @returns [layout.size]; overwritten by the next call
   */
  gradientThrough(
    { actions, logProb, spreads }: DrawnActions,
    ofActions: Float32Array,
    ofLogProb: number,
  ): Float32Array {
    const count = this.#count;
    const rows = logProb.length;
    const ofOutputs = new Float32Array(2 * rows * count);
    for (let at = 0; at < rows * count; at++) {
      const action = actions[at]!;
      const slope = 1 - action * action;
      const ofAction = ofActions[at]! + (ofLogProb * 2 * action) / (slope + SLOPE_EPSILON);
      const to = 2 * at - (at % count);
      ofOutputs[to] = ofAction * slope;
      // a log of the standard deviation that is held at its limit does not move
      const spread = spreads[at]!;
      ofOutputs[to + count] = Number.isNaN(spread) ? 0 : ofAction * slope * spread - ofLogProb;
    }
    return this.backward(ofOutputs, rows);
  }
}

/** Actions that a policy has drawn, and what their gradient needs. */
export interface DrawnActions {
  /** raw, [rows x action] */
  readonly actions: Float32Array;
  /** of each row */
  readonly logProb: Float32Array;
  /** how far each lies from its mean before the tanh, [rows x action]; NaN: by a standard deviation that is held at its limit */
  readonly spreads: Float64Array;
}

/** A matrix that picks `count` of twice as many columns, since a slice has no gradient here. */
function selecting(tf: Tf, count: number, from: number): Tensor {
  const picks = new Float32Array(2 * count * count);
  for (let a = 0; a < count; a++) picks[(from + a) * count + a] = 1;
  return tf.tensor2d(picks, [2 * count, count]);
}
