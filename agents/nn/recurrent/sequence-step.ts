/**
 * A gradient through sequences of a policy with memory, said twice: by TensorFlow.js, which is right, and in vectors, which
 * is quicker.
 */
import type { Tensor } from "@tensorflow/tfjs-core";
import type { Tf } from "../../tfjs/tfjs-patches.ts";
import type { ActorCritic } from "../actor-critic.ts";
import type { Minibatch } from "../batch.ts";
import { mlpTensor } from "../mlp-tensors.ts";
import type { Step, Surrogate } from "../on-policy/tensor-step.ts";
import { GRU_TENSORS, gruTensor } from "./gru.ts";
import type { GruNetwork, SequenceRows } from "./gru-network.ts";

/** What is descended on: valueCoef/2 (V - target)^2 - surrogate - entropyCoef x entropy. */
export interface SequencesGiven {
  /** rows in the order of time, `valueInputs` with what was remembered before each */
  readonly minibatch: Minibatch;
  readonly sequences: SequenceRows;
  /** what is maximised of some of the rows, a mean over them */
  readonly surrogateOf: (rows: Pick<Minibatch, "rows" | "advantages" | "logProbs">) => Surrogate;
  readonly valueCoef: number;
  readonly entropyCoef: number;
}

/** entropy: mean over rows, of numbers up to a constant */
export type SequenceStep = Step & { readonly entropy: number };

/** @param gru of the policy's layout */
export function fusedSequenceStep(
  networks: ActorCritic,
  gru: GruNetwork,
  { minibatch, sequences, surrogateOf, valueCoef, entropyCoef }: SequencesGiven,
): SequenceStep {
  const { rows, observations, actions } = minibatch;
  const { policy } = networks;
  gru.load(policy.weights);
  const outputs = gru.forward(observations, sequences);
  const logProb = policy.logProbs(outputs, actions, rows);
  const slopes = new Float32Array(rows);
  const gained = surrogateOf(minibatch).slopes(logProb, slopes);
  for (let r = 0; r < rows; r++) slopes[r] = -slopes[r]!;
  const { outputs: ofOutputs, own, entropy } = policy.densityGradient(outputs, actions, slopes, -entropyCoef);
  const network = gru.backward(ofOutputs);
  const { valueLoss, gradient } = networks.fusedGradient({ network, own }, () =>
    networks.valueStep(minibatch, valueCoef),
  );
  return {
    loss: valueCoef * valueLoss - gained - entropyCoef * entropy,
    gradient,
    logProb,
    valueLoss,
    entropy,
  };
}

export function tensorSequenceStep(
  tf: Tf,
  networks: ActorCritic,
  { minibatch, sequences, surrogateOf, valueCoef, entropyCoef }: SequencesGiven,
): SequenceStep {
  const { policy } = networks;
  const { rows, observations } = minibatch;
  const { steps, each, started, goesOn } = sequences;
  const { hidden, memory } = policy.spec;
  const networkEnd = GRU_TENSORS + 2 * (hidden.length + 1);
  const ofStep = (values: Float32Array, step: number): Float32Array => {
    const wide = values.length / steps;
    return values.slice(step * wide, (step + 1) * wide);
  };
  const matrix = (values: Float32Array, height: number): Tensor =>
    tf.tensor2d(values, [height, values.length / height]);
  return tf.tidy(() => {
    const kept: { logProbs: Tensor[]; value?: Tensor; entropy?: Tensor } = { logProbs: [] };
    const inputs = matrix(minibatch.valueInputs ?? observations, rows);
    const result = networks.tensorGradient(tf, (ofPolicy, ofValue) => {
      let h: Tensor = tf.tensor2d(started, [each, memory!]);
      let surrogate: Tensor = tf.scalar(0);
      let entropies: Tensor = tf.scalar(0);
      for (let step = 0; step < steps; step++) {
        if (step > 0) h = tf.mul(h, matrix(ofStep(goesOn, step - 1), each));
        h = gruTensor(tf, ofPolicy.slice(0, GRU_TENSORS), matrix(ofStep(observations, step), each), h);
        const outputs = mlpTensor(tf, ofPolicy.slice(GRU_TENSORS, networkEnd), h);
        const actions = policy.actionTensor(tf, ofStep(minibatch.actions, step), each);
        const { logProb, entropy: now } = policy.density(tf, ofPolicy, outputs, actions);
        kept.logProbs.push(tf.keep(logProb));
        const some = {
          rows: each,
          advantages: ofStep(minibatch.advantages, step),
          logProbs: ofStep(minibatch.logProbs, step),
        };
        surrogate = tf.add(surrogate, tf.mul(surrogateOf(some).tensor(tf, logProb), 1 / steps));
        entropies = tf.add(entropies, tf.mul(now, 1 / steps));
      }
      const targets = tf.tensor2d(minibatch.targets, [rows, 1]);
      const squares = tf.mul(tf.mean(tf.square(tf.sub(mlpTensor(tf, ofValue, inputs), targets))), 0.5);
      kept.value = tf.keep(squares);
      kept.entropy = tf.keep(entropies);
      return tf.sub(tf.sub(tf.mul(squares, valueCoef), surrogate), tf.mul(entropies, entropyCoef));
    });
    const read = {
      ...result,
      valueLoss: kept.value!.dataSync()[0]!,
      entropy: kept.entropy!.dataSync()[0]!,
      logProb: Float32Array.from(kept.logProbs.flatMap((tensor) => [...tensor.dataSync()])),
    };
    for (const tensor of [...kept.logProbs, kept.value!, kept.entropy!]) tensor.dispose();
    return read;
  });
}
