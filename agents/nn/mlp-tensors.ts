/** The networks of mlp.ts as tensors, for values and gradients. */
import type { Tensor } from "@tensorflow/tfjs-core";
import type { Tf } from "../tfjs/tfjs-patches.ts";
import type { MlpLayout } from "./mlp.ts";

/** TensorFlow.js needs the parameters as separate tensors; this cuts them out of the flat array: W, b of each layer. */
export function toTensors(tf: Tf, layout: MlpLayout, weights: Float32Array): Tensor[] {
  return layout.layers.flatMap(({ inputs, outputs, weightsAt, biasesAt }) => [
    tf.tensor2d(weights.slice(weightsAt, biasesAt), [inputs, outputs]),
    tf.tensor1d(weights.slice(biasesAt, biasesAt + outputs)),
  ]);
}

/** tanh after every layer but the last; [rows x inputs] -> [rows x outputs]. */
export function mlpTensor(tf: Tf, parameters: readonly Tensor[], input: Tensor): Tensor {
  let x = input;
  for (let i = 0; i < parameters.length; i += 2) {
    x = tf.add(tf.matMul(x, parameters[i]!), parameters[i + 1]!);
    if (i + 2 < parameters.length) x = tf.tanh(x);
  }
  return x;
}

/**
 * Loss and gradient, the gradient as one flat array in the order of `parameters`. Call it inside `tf.tidy`.
 * @param into float32 [all parameters], written
 */
export function lossAndGradient(
  tf: Tf,
  lossOf: (...parameters: Tensor[]) => Tensor,
  parameters: Tensor[],
  into: Float32Array,
): number {
  const { value, grads } = tf.valueAndGrads(lossOf)(parameters);
  let at = 0;
  for (const grad of grads) {
    into.set(grad.dataSync() as Float32Array, at);
    at += grad.size;
  }
  return value.dataSync()[0]!;
}

/** L2 norm; four sums, since a sum waits for the one before. */
export function normOf(gradient: Float32Array): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  const whole = gradient.length & ~3;
  for (let i = 0; i < whole; i += 4) {
    s0 += gradient[i]! * gradient[i]!;
    s1 += gradient[i + 1]! * gradient[i + 1]!;
    s2 += gradient[i + 2]! * gradient[i + 2]!;
    s3 += gradient[i + 3]! * gradient[i + 3]!;
  }
  for (let i = whole; i < gradient.length; i++) s0 += gradient[i]! * gradient[i]!;
  return Math.sqrt(s0 + s1 + (s2 + s3));
}
