/**
 * A dense network with tanh between the layers in WebAssembly: values, and by hand-written backpropagation the gradients of any
 * loss whose gradient by the outputs is known. Float32 throughout, in vectors of four. A row gives the same bits alone and among
 * others, so nothing depends on how rows are shared out among threads.
 *
 * TensorFlow.js says the same of the same weights (`nn/mlp-tensors.ts`); tests hold the two together.
 */
import type { MlpLayout } from "../nn/mlp.ts";
import { fusedInstance } from "./fused-module.ts";
import type { Address, FusedExports } from "./generated/fused-interface.ts";

export class FusedMlp {
  readonly layout: MlpLayout;
  readonly #exports: FusedExports;
  readonly #network: Address<"Network">;
  /** rows that there is room for */
  #capacity = 0;
  #buffer!: ArrayBuffer;
  /** views of its memory: other ones when that has grown */
  #weights!: Float32Array;
  #gradient!: Float32Array;
  #inputs!: Float32Array;
  #outputs!: Float32Array;
  #outputGradient!: Float32Array;
  #inputGradient!: Float32Array;

  constructor(layout: MlpLayout) {
    this.layout = layout;
    this.#exports = fusedInstance();
    this.#network = this.#exports.makeNetwork();
    for (const { inputs, outputs } of layout.layers) {
      this.#exports.addLayer(this.#network, inputs, outputs);
    }
    this.#exports.finishNetwork(this.#network);
    this.#reserve(1);
  }

  #reserve(rows: number): void {
    if (rows > this.#capacity) {
      while (this.#capacity < rows) this.#capacity = Math.max(1, 2 * this.#capacity);
      this.#exports.reserveRows(this.#network, this.#capacity);
    } else if (this.#exports.memory.buffer === this.#buffer) return;
    this.#buffer = this.#exports.memory.buffer;
    const { layers, size } = this.layout;
    const inputs = this.#capacity * layers[0]!.inputs;
    const outputs = this.#capacity * layers.at(-1)!.outputs;
    const view = (address: number, length: number): Float32Array =>
      new Float32Array(this.#buffer, address, length);
    const { weightsOf, gradientsOf, inputsOf, outputsOf, outputGradientsOf, inputGradientsOf } =
      this.#exports;
    this.#weights = view(weightsOf(this.#network), size);
    this.#gradient = view(gradientsOf(this.#network), size);
    this.#inputs = view(inputsOf(this.#network), inputs);
    this.#outputs = view(outputsOf(this.#network), outputs);
    this.#outputGradient = view(outputGradientsOf(this.#network), outputs);
    this.#inputGradient = view(inputGradientsOf(this.#network), inputs);
  }

  /** Copies weights, which hold until the next call. @param weights [layout.size], as mlp.ts has them */
  load(weights: Float32Array): void {
    this.#weights.set(weights);
    this.#exports.loadWeights(this.#network);
  }

  /**
   * @param inputs [rows x inputs]
   * @returns [rows x outputs] and room to spare; overwritten by the next call
   */
  forward(inputs: Float32Array, rows: number): Float32Array {
    this.#reserve(rows);
    this.#inputs.set(inputs);
    this.#exports.run(this.#network, rows);
    return this.#outputs;
  }

  /**
   * Of the rows that `forward` had last.
   * @param outputGradient of a loss, [rows x outputs]
   * @returns gradient by the weights, [layout.size]; overwritten by the next call
   */
  backward(outputGradient: Float32Array, rows: number): Float32Array {
    this.#reserve(rows); // another network may have grown the memory since
    this.#outputGradient.set(outputGradient);
    this.#exports.goBack(this.#network, rows, true, false);
    return this.#gradient;
  }

  /**
   * Of the rows that `forward` had last.
   * @param outputGradient of a loss, [rows x outputs]
   * @returns gradient by the inputs, [rows x inputs] and room to spare; overwritten by the next call
   */
  inputGradient(outputGradient: Float32Array, rows: number): Float32Array {
    this.#reserve(rows); // another network may have grown the memory since
    this.#outputGradient.set(outputGradient);
    this.#exports.goBack(this.#network, rows, false, true);
    return this.#inputGradient;
  }
}
