/** Dense networks with tanh between the layers, as flat arrays of parameters: layout, initial weights, and one layer at a time. */
import { drawNormal } from "../../core/distributions.ts";
import { tanh } from "../../core/math.ts";
import type { Rng } from "../../core/random.ts";

/** Where one dense layer lies in a flat array of weights; y = x W + b with W row-major [inputs x outputs]. */
export interface LayerSlice {
  readonly inputs: number;
  readonly outputs: number;
  /** first element of W */
  readonly weightsAt: number;
  /** first element of b */
  readonly biasesAt: number;
}

export interface MlpLayout {
  readonly layers: readonly LayerSlice[];
  /** number of parameters */
  readonly size: number;
}

/** @param sizes width of the input, of each hidden layer and of the output */
export function mlpLayout(sizes: readonly number[]): MlpLayout {
  return denseLayout(sizes.slice(1).map((outputs, i) => [sizes[i]!, outputs]));
}

/** Layers one behind the other in memory, whoever feeds them. @param shapes inputs and outputs of each */
export function denseLayout(shapes: readonly (readonly [inputs: number, outputs: number])[]): MlpLayout {
  const layers: LayerSlice[] = [];
  let size = 0;
  for (const [inputs, outputs] of shapes) {
    layers.push({ inputs, outputs, weightsAt: size, biasesAt: size + inputs * outputs });
    size += (inputs + 1) * outputs;
  }
  return { layers, size };
}

/**
 * Orthogonal weights, zero biases (Saxe et al. 2014; usual for PPO).
 * @param gains one factor per layer
 */
export function initialiseMlp(
  layout: MlpLayout,
  gains: readonly number[],
  rng: Rng,
  into: Float32Array,
): void {
  layout.layers.forEach((layer, index) => {
    const { inputs, outputs } = layer;
    const tall = inputs >= outputs;
    const count = tall ? outputs : inputs; // orthonormal vectors
    const length = tall ? inputs : outputs;
    const vectors: Float64Array[] = [];
    while (vectors.length < count) {
      const vector = Float64Array.from({ length }, () => drawNormal(rng));
      for (const other of vectors) {
        const dot = vector.reduce((sum, x, i) => sum + x * other[i]!, 0);
        for (let i = 0; i < length; i++) vector[i]! -= dot * other[i]!;
      }
      const norm = Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));
      if (norm > 1e-6) vectors.push(vector.map((x) => x / norm));
    }
    for (let i = 0; i < inputs; i++) {
      for (let j = 0; j < outputs; j++) {
        const value = tall ? vectors[j]![i]! : vectors[i]![j]!;
        into[layer.weightsAt + i * outputs + j] = gains[index]! * value;
      }
    }
    into.fill(0, layer.biasesAt, layer.biasesAt + outputs);
  });
}

/** out = x W + b, four inputs at a time: a quarter of the loads and stores of `out`. */
export function dense(weights: Float32Array, layer: LayerSlice, x: Float64Array, out: Float64Array): void {
  const { inputs: n, outputs: m, weightsAt, biasesAt } = layer;
  for (let j = 0; j < m; j++) out[j] = weights[biasesAt + j]!;
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const x0 = x[i]!;
    const x1 = x[i + 1]!;
    const x2 = x[i + 2]!;
    const x3 = x[i + 3]!;
    const w0 = weightsAt + i * m;
    const w1 = w0 + m;
    const w2 = w1 + m;
    const w3 = w2 + m;
    for (let j = 0; j < m; j++) {
      out[j]! +=
        x0 * weights[w0 + j]! + x1 * weights[w1 + j]! + x2 * weights[w2 + j]! + x3 * weights[w3 + j]!;
    }
  }
  for (; i < n; i++) {
    const xi = x[i]!;
    const w = weightsAt + i * m;
    for (let j = 0; j < m; j++) out[j]! += xi * weights[w + j]!;
  }
}

export function tanhInPlace(values: Float64Array): void {
  for (let i = 0; i < values.length; i++) values[i] = tanh(values[i]!);
}
