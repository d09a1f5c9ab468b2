/**
 * A Gaussian policy that acts without TensorFlow.js: a small network on typed arrays, since a call of a tensor library
 * costs more than the whole pass. Observation -> tanh layers -> mean of the action; log of the standard deviation is a
 * parameter of its own that does not depend on the state.
 *
 * Actions are learnt in units of the box: 0 is its middle, +-1 its bounds (an unbounded dimension keeps its own unit).
 */
import { drawNormal } from "../core/distributions.ts";
import { CcparkError } from "../core/errors.ts";
import { exp, log, tanh } from "../core/math.ts";
import { Rng } from "../core/random.ts";
import type { Box } from "../envs/spaces.ts";
import type { Agent } from "./agent.ts";

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
  const layers: LayerSlice[] = [];
  let size = 0;
  for (let i = 0; i + 1 < sizes.length; i++) {
    const inputs = sizes[i]!;
    const outputs = sizes[i + 1]!;
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

/** Forward pass of one row; tanh after every layer but the last. */
class MlpForward {
  readonly #layout: MlpLayout;
  /** the input, then the output of each layer; float64 only, so that the inner loop stays monomorphic */
  readonly #buffers: readonly Float64Array[];

  constructor(layout: MlpLayout) {
    this.#layout = layout;
    const sizes = [layout.layers[0]!.inputs, ...layout.layers.map((layer) => layer.outputs)];
    this.#buffers = sizes.map((size) => new Float64Array(size));
  }

  /** @returns the output of the last layer, float64 [outputs]; overwritten by the next call */
  run(weights: Float32Array, inputs: Float32Array, offset: number): Float64Array {
    const { layers } = this.#layout;
    const first = this.#buffers[0]!;
    for (let i = 0; i < first.length; i++) first[i] = inputs[offset + i]!;
    for (let l = 0; l < layers.length; l++) {
      dense(weights, layers[l]!, this.#buffers[l]!, this.#buffers[l + 1]!);
      if (l + 1 < layers.length) tanhInPlace(this.#buffers[l + 1]!);
    }
    return this.#buffers[layers.length]!;
  }
}

/** out = x W + b, four inputs at a time: a quarter of the loads and stores of `out`. */
function dense(weights: Float32Array, layer: LayerSlice, x: Float64Array, out: Float64Array): void {
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

function tanhInPlace(values: Float64Array): void {
  for (let i = 0; i < values.length; i++) values[i] = tanh(values[i]!);
}

/** Frozen statistics that a policy subtracts and divides by before its network; both [observationSpace.shape[0]]. */
export interface ObservationStatistics {
  readonly mean: Float64Array;
  readonly std: Float64Array;
}

/** Normalised observations are clipped here: a value so far out says no more than "very large". */
const OBSERVATION_CLIP = 10;

const LOG_2_PI = log(2 * Math.PI);

export interface PolicySpec {
  readonly observationSpace: Box;
  readonly actionSpace: Box;
  /** widths of the hidden layers */
  readonly hidden: readonly number[];
}

/** Number of parameters of a policy: its network and one log standard deviation per action. */
export function policySize(spec: PolicySpec): number {
  return policyLayout(spec).size + spec.actionSpace.shape[0];
}

export function policyLayout(spec: PolicySpec): MlpLayout {
  return mlpLayout([spec.observationSpace.shape[0], ...spec.hidden, spec.actionSpace.shape[0]]);
}

export interface PolicyOptions {
  /** all parameters, float32 [policySize(spec)]: the network, then the log standard deviations; shared, not copied */
  readonly weights: Float32Array;
  /** for `explore`; a whole number, 0 to 2^53 - 1; 0 unless given */
  readonly seed?: number;
  readonly name?: string;
  readonly statistics?: ObservationStatistics;
}

export class GaussianPolicy implements Agent {
  readonly name: string;
  readonly spec: PolicySpec;
  /** float32 [policySize(spec)] */
  readonly weights: Float32Array;
  /** undefined: observations go to the network as they are */
  statistics: ObservationStatistics | undefined;
  readonly #forward: MlpForward;
  readonly #rng: Rng;
  readonly #logStdAt: number;
  /** action = middle + half x (what the network says) */
  readonly #middle: Float64Array;
  readonly #half: Float64Array;
  readonly #observation: Float32Array;
  readonly #action: Float32Array;

  /** @throws CcparkError (invalid-argument) where the weights do not fit the spec */
  constructor(spec: PolicySpec, options: PolicyOptions) {
    const expected = policySize(spec);
    if (options.weights.length !== expected) {
      throw new CcparkError(
        "invalid-argument",
        `[policy] wrong number of weights: got ${options.weights.length}, expected ${expected}`,
      );
    }
    this.name = options.name ?? "policy";
    this.spec = spec;
    this.weights = options.weights;
    this.statistics = options.statistics;
    const layout = policyLayout(spec);
    this.#forward = new MlpForward(layout);
    this.#logStdAt = layout.size;
    this.#rng = Rng.fromSeed(options.seed ?? 0).fork("policy.act");
    const { low, high } = spec.actionSpace;
    const bounded = (i: number): boolean => Number.isFinite(low[i]) && Number.isFinite(high[i]);
    this.#middle = Float64Array.from(low, (l, i) => (bounded(i) ? (l + high[i]!) / 2 : 0));
    this.#half = Float64Array.from(low, (l, i) => (bounded(i) ? (high[i]! - l) / 2 : 1));
    this.#observation = new Float32Array(spec.observationSpace.shape[0]);
    this.#action = new Float32Array(spec.actionSpace.shape[0]);
  }

  /** greedy: the mean, clipped to the action space; explore: a sample, which the environment clips. */
  act(obs: Float32Array, mode: "explore" | "greedy"): Float32Array {
    const width = this.spec.observationSpace.shape[0];
    if (obs.length !== width) {
      throw new CcparkError(
        "invalid-argument",
        `[policy] observation has the wrong shape: got [${obs.length}], expected [${width}]`,
      );
    }
    this.normalise(obs, this.#observation);
    if (mode === "greedy") this.actGreedy(this.#observation, 1, this.#action);
    else this.sample(this.#observation, 1, this.#rng, { actions: this.#action });
    return this.#action;
  }

  dispose(): void {}

  /** Observations as the network wants them; a copy where there are no statistics. Both [rows x observation]. */
  normalise(observations: Float32Array, into: Float32Array): void {
    into.set(observations);
    if (this.statistics === undefined) return;
    const { mean, std } = this.statistics;
    const width = mean.length;
    for (let i = 0; i < into.length; i++) {
      const x = (into[i]! - mean[i % width]!) / std[i % width]!;
      into[i] = Math.min(OBSERVATION_CLIP, Math.max(-OBSERVATION_CLIP, x));
    }
  }

  /** @param normalised [rows x observation]; @param actions [rows x action], written */
  actGreedy(normalised: Float32Array, rows: number, actions: Float32Array): void {
    const width = this.spec.observationSpace.shape[0];
    const { low, high } = this.spec.actionSpace;
    const count = low.length;
    for (let r = 0; r < rows; r++) {
      const mean = this.#forward.run(this.weights, normalised, r * width);
      for (let a = 0; a < count; a++) {
        const action = this.#middle[a]! + this.#half[a]! * mean[a]!;
        actions[r * count + a] = Math.min(high[a]!, Math.max(low[a]!, action));
      }
    }
  }

  /**
   * Draws one action per row.
   * @param normalised [rows x observation]
   * @param into actions [rows x action] in the unit of the space, not clipped; raw [rows x action] in units of the box;
   *   logProbs [rows] of raw
   */
  sample(
    normalised: Float32Array,
    rows: number,
    rng: Rng,
    into: { actions: Float32Array; raw?: Float32Array; logProbs?: Float32Array },
  ): void {
    const width = this.spec.observationSpace.shape[0];
    const count = this.spec.actionSpace.shape[0];
    for (let r = 0; r < rows; r++) {
      const mean = this.#forward.run(this.weights, normalised, r * width);
      let logProb = 0;
      for (let a = 0; a < count; a++) {
        const logStd = this.weights[this.#logStdAt + a]!;
        const std = exp(logStd);
        const raw = Math.fround(mean[a]! + std * drawNormal(rng));
        const z = (raw - mean[a]!) / std;
        logProb -= 0.5 * (z * z + LOG_2_PI) + logStd;
        into.actions[r * count + a] = this.#middle[a]! + this.#half[a]! * raw;
        if (into.raw !== undefined) into.raw[r * count + a] = raw;
      }
      if (into.logProbs !== undefined) into.logProbs[r] = logProb;
    }
  }

  /** Means in units of the box, float64 [rows x action]: what TensorFlow.js must agree with. */
  means(normalised: Float32Array, rows: number): Float64Array {
    const width = this.spec.observationSpace.shape[0];
    const count = this.spec.actionSpace.shape[0];
    const out = new Float64Array(rows * count);
    for (let r = 0; r < rows; r++) out.set(this.#forward.run(this.weights, normalised, r * width), r * count);
    return out;
  }
}
