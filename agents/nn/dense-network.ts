/** A network with its weights: what it says and its gradients, in vectors (`fused/`) or by TensorFlow.js, which says what is right. */
import type { Tensor } from "@tensorflow/tfjs-core";
import { FusedMlp } from "../fused/fused-mlp.ts";
import type { Tf } from "../tfjs/tfjs-patches.ts";
import type { MlpLayout } from "./mlp.ts";
import { lossAndGradient, mlpTensor, toTensors } from "./mlp-tensors.ts";

/** A loss, and its gradient by all parameters of a network. */
export type Descent = {
  readonly loss: number;
  /** float32 [parameters]; overwritten by the network's next one */
  readonly gradient: Float32Array;
};

/** Of a loss that is a sum over rows: what each row adds to it, and its slopes. @param slopes [rows x outputs], zeros, written; @returns the loss */
export type RowLoss = (outputs: Float32Array, slopes: Float32Array) => number;

export class DenseNetwork {
  readonly layout: MlpLayout;
  /** float32 [layout.size]; shared */
  readonly weights: Float32Array;
  readonly #fused: FusedMlp;
  readonly #outputs: number;

  constructor(layout: MlpLayout, weights: Float32Array = new Float32Array(layout.size)) {
    this.layout = layout;
    this.weights = weights;
    this.#fused = new FusedMlp(layout);
    this.#outputs = layout.layers.at(-1)!.outputs;
  }

  toTensors(tf: Tf): Tensor[] {
    return toTensors(tf, this.layout, this.weights);
  }

  /**
   * What it says, float32 [rows x outputs].
   * @param tf undefined: without TensorFlow.js
   * @param inputs [rows x inputs]
   */
  outputs(tf: Tf | undefined, inputs: Float32Array, rows: number): Float32Array {
    if (tf === undefined) return this.forward(inputs, rows).slice(0, rows * this.#outputs);
    return tf.tidy(
      () => mlpTensor(tf, this.toTensors(tf), matrix(tf, inputs, rows)).dataSync() as Float32Array,
    );
  }

  /** The same in vectors, for a way back; [rows x outputs] and room to spare, overwritten by the next call. */
  forward(inputs: Float32Array, rows: number): Float32Array {
    this.#fused.load(this.weights);
    return this.#fused.forward(inputs, rows);
  }

  /** Gradient by the weights, of what `forward` said last. @param slopes [rows x outputs] */
  backward(slopes: Float32Array, rows: number): Float32Array {
    return this.#fused.backward(slopes, rows);
  }

  /** Gradient by the inputs, of what `forward` said last, [rows x inputs] and room to spare. @param slopes [rows x outputs] */
  backwardToInputs(slopes: Float32Array, rows: number): Float32Array {
    return this.#fused.inputGradient(slopes, rows);
  }

  /** In vectors. */
  descent(inputs: Float32Array, rows: number, lossOf: RowLoss): Descent {
    const slopes = new Float32Array(rows * this.#outputs);
    const loss = lossOf(this.forward(inputs, rows), slopes);
    return { loss, gradient: this.backward(slopes, rows) };
  }

  /** By TensorFlow.js. @param lossOf of what it says, a scalar */
  tensorDescent(tf: Tf, inputs: Float32Array, rows: number, lossOf: (outputs: Tensor) => Tensor): Descent {
    return tf.tidy(() => {
      const x = matrix(tf, inputs, rows);
      return tensorDescent(tf, (...all) => lossOf(mlpTensor(tf, all, x)), this.toTensors(tf));
    });
  }
}

/** By TensorFlow.js. Call it inside `tf.tidy`. */
export function tensorDescent(
  tf: Tf,
  lossOf: (...parameters: Tensor[]) => Tensor,
  parameters: Tensor[],
): Descent {
  const gradient = new Float32Array(parameters.reduce((sum, { size }) => sum + size, 0));
  return { loss: lossAndGradient(tf, lossOf, parameters, gradient), gradient };
}

/** Rows of numbers as a tensor. */
export function matrix(tf: Tf, values: Float32Array, rows: number): Tensor {
  return tf.tensor2d(values, [rows, values.length / rows]);
}
