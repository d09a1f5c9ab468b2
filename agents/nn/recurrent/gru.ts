/**
 * A gated recurrent unit in front of a network (Cho et al. 2014, arXiv:1406.1078, in the form of cuDNN and PyTorch, where the reset
 * gate acts behind the matrix):
 *
 *   r = s(W_ir x + b_ir + W_hr h + b_hr)     z = s(W_iz x + b_iz + W_hz h + b_hz)
 *   n = tanh(W_in x + b_in + r (W_hn h + b_hn))     h' = (1 - z) n + z h
 *
 * Its matrices are the first six layers of the layout: ir, iz, in, hr, hz, hn. What it remembers of a row is h, which is 0 when an
 * episode begins.
 */
import type { Tensor } from "@tensorflow/tfjs-core";
import { tanh } from "../../../core/math.ts";
import type { Tf } from "../../tfjs/tfjs-patches.ts";
import { dense, denseLayout, type MlpLayout, tanhInPlace } from "../mlp.ts";

/** Layers that are the unit's. */
export const GRU_LAYERS = 6;
/** Tensors of them: a matrix and biases each. */
export const GRU_TENSORS: number = 2 * GRU_LAYERS;

/** @param sizes width of the input, of the memory, of each hidden layer behind it, and of the output */
export function gruLayout([inputs, units, ...sizes]: readonly number[]): MlpLayout {
  const behind = [units!, ...sizes];
  return denseLayout([
    ...Array.from({ length: 3 }, () => [inputs!, units!] as const),
    ...Array.from({ length: 3 }, () => [units!, units!] as const),
    ...sizes.map((outputs, i) => [behind[i]!, outputs] as const),
  ]);
}

export const sigmoid = (x: number): number => 0.5 + 0.5 * tanh(0.5 * x);

/** Forward pass, row by row. */
export class GruForward {
  readonly #layout: MlpLayout;
  readonly #inputs: Float64Array;
  readonly #memory: Float64Array;
  /** of the six matrices */
  readonly #gates: readonly Float64Array[];
  /** outputs of the layers behind */
  readonly #behind: readonly Float64Array[];
  #outputs: Float32Array = new Float32Array(0);

  constructor(layout: MlpLayout) {
    const { layers } = layout;
    this.#layout = layout;
    this.#inputs = new Float64Array(layers[0]!.inputs);
    this.#memory = new Float64Array(layers[0]!.outputs);
    this.#gates = layers.slice(0, GRU_LAYERS).map(({ outputs }) => new Float64Array(outputs));
    this.#behind = layers.slice(GRU_LAYERS).map(({ outputs }) => new Float64Array(outputs));
  }

  /**
   * @param inputs [rows x inputs]
   * @param memory [rows x units], h of each row, which becomes h'
   * @returns [rows x outputs] and room to spare; overwritten by the next call
   */
  run(weights: Float32Array, inputs: Float32Array, memory: Float32Array, rows: number): Float32Array {
    const outputs = this.#layout.layers.at(-1)!.outputs;
    if (this.#outputs.length < rows * outputs) this.#outputs = new Float32Array(rows * outputs);
    for (let row = 0; row < rows; row++) {
      const at = row * this.#inputs.length;
      this.#outputs.set(this.#runRow(weights, inputs, at, memory, row * this.#memory.length), row * outputs);
    }
    return this.#outputs;
  }

  /** @returns the output of the last layer, float64 [outputs]; overwritten by the next call */
  #runRow(
    weights: Float32Array,
    inputs: Float32Array,
    offset: number,
    memory: Float32Array,
    memoryAt: number,
  ): Float64Array {
    const { layers } = this.#layout;
    const h = this.#memory;
    for (let i = 0; i < this.#inputs.length; i++) this.#inputs[i] = inputs[offset + i]!;
    for (let u = 0; u < h.length; u++) h[u] = memory[memoryAt + u]!;
    this.#gates.forEach((gate, i) => {
      dense(weights, layers[i]!, i < 3 ? this.#inputs : h, gate);
    });
    const [ir, iz, inn, hr, hz, hn] = this.#gates as [
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    for (let u = 0; u < h.length; u++) {
      const z = sigmoid(iz[u]! + hz[u]!);
      const n = tanh(inn[u]! + sigmoid(ir[u]! + hr[u]!) * hn[u]!);
      // what is remembered is float32 wherever it goes: in checkpoints' rollouts, in gradients, on another thread
      memory[memoryAt + u] = n + z * (h[u]! - n);
      h[u] = memory[memoryAt + u]!;
    }
    let x = h;
    this.#behind.forEach((out, i) => {
      dense(weights, layers[GRU_LAYERS + i]!, x, out);
      if (i + 1 < this.#behind.length) tanhInPlace(out);
      x = out;
    });
    return x;
  }
}

/**
 * The same for gradients: [rows x inputs] and [rows x units] -> [rows x units].
 * @param parameters the first GRU_TENSORS of the layout's
 */
export function gruTensor(tf: Tf, parameters: readonly Tensor[], x: Tensor, h: Tensor): Tensor {
  const through = (layer: number): Tensor =>
    tf.add(tf.matMul(layer < 3 ? x : h, parameters[2 * layer]!), parameters[2 * layer + 1]!);
  // a sigmoid in terms of tanh, whose gradient there is
  const gate = (a: Tensor): Tensor => tf.add(tf.mul(tf.tanh(tf.mul(a, 0.5)), 0.5), 0.5);
  const r = gate(tf.add(through(0), through(3)));
  const z = gate(tf.add(through(1), through(4)));
  const n = tf.tanh(tf.add(through(2), tf.mul(r, through(5))));
  return tf.add(n, tf.mul(z, tf.sub(h, n)));
}
