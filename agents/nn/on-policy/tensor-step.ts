/** A gradient of learners on policy by TensorFlow.js: what fused-step.ts must agree with, and says quicker. */
import type { Tensor } from "@tensorflow/tfjs-core";
import type { Tf } from "../../tfjs/tfjs-patches.ts";
import type { ActorCritic } from "../actor-critic.ts";
import type { Minibatch } from "../batch.ts";
import { mlpTensor } from "../mlp-tensors.ts";

/** What a learner maximises of the policy, said twice: a mean over rows of a function of log pi(a|s). */
export interface Surrogate {
  /** @param logProb [rows]; @returns a scalar */
  tensor(tf: Tf, logProb: Tensor): Tensor;
  /**
   * @param logProb [rows]
   * @param slopes by each log pi, [rows], written
   * @returns the value
   */
  slopes(logProb: Float32Array, slopes: Float32Array): number;
}

/** What is descended on: valueCoef/2 (V - target)^2 - surrogate - entropyCoef x entropy. */
export interface StepGiven {
  readonly minibatch: Minibatch;
  readonly surrogate: Surrogate;
  readonly valueCoef: number;
  readonly entropyCoef: number;
}

export interface Step {
  readonly loss: number;
  /** over all parameters, those of the policy first */
  readonly gradient: Float32Array;
  /** log pi(a|s), [rows] */
  readonly logProb: Float32Array;
  /** half the mean squared error */
  readonly valueLoss: number;
}

export function tensorStep(
  tf: Tf,
  networks: ActorCritic,
  { minibatch, surrogate, valueCoef, entropyCoef }: StepGiven,
): Step {
  const { rows } = minibatch;
  const { policy } = networks;
  return tf.tidy(() => {
    const observations = tf.tensor2d(minibatch.observations, [rows, minibatch.observations.length / rows]);
    const { valueInputs } = minibatch;
    const seen = valueInputs ? tf.tensor2d(valueInputs, [rows, valueInputs.length / rows]) : observations;
    const actions = policy.actionTensor(tf, minibatch.actions, rows);
    const targets = tf.tensor2d(minibatch.targets, [rows, 1]);
    let logProbTensor: Tensor | undefined;
    let valueLossTensor: Tensor | undefined;
    const result = networks.tensorGradient(tf, (ofPolicy, ofValue) => {
      const { logProb: ofRows, entropy } = policy.evaluate(tf, ofPolicy, observations, actions);
      const value = mlpTensor(tf, ofValue, seen);
      const halfSquares = tf.mul(tf.mean(tf.square(tf.sub(value, targets))), 0.5);
      logProbTensor = tf.keep(ofRows);
      valueLossTensor = tf.keep(halfSquares);
      const rest = tf.sub(tf.mul(halfSquares, valueCoef), surrogate.tensor(tf, ofRows));
      return tf.sub(rest, tf.mul(entropy, entropyCoef));
    });
    const read = {
      ...result,
      logProb: logProbTensor!.dataSync() as Float32Array,
      valueLoss: valueLossTensor!.dataSync()[0]!,
    };
    logProbTensor!.dispose();
    valueLossTensor!.dispose();
    return read;
  });
}
