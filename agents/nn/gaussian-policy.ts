/**
 * A Gaussian policy that acts without TensorFlow.js: a small network on typed arrays, since a call of a tensor library
 * costs more than the whole pass. Observation -> tanh layers -> mean of the action; log of the standard deviation is a
 * parameter of its own that does not depend on the state.
 *
 * Actions are learnt in units of the box: 0 is its middle, +-1 its bounds (an unbounded dimension keeps its own unit).
 */
import { drawNormal } from "../../core/distributions.ts";
import { CcparkError } from "../../core/errors.ts";
import { exp, log } from "../../core/math.ts";
import { Rng } from "../../core/random.ts";
import type { Box } from "../../envs/spaces.ts";
import type { Agent } from "../learner.ts";
import { MlpForward, type MlpLayout, mlpLayout } from "./mlp.ts";
import type { ObservationStatistics } from "./statistics.ts";

/** Normalised observations are clipped here: a value so far out says no more than "very large". */
const OBSERVATION_CLIP = 10;

export const LOG_2_PI: number = log(2 * Math.PI);

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

  /** Entropy of the policy in nat, the same for every state: sum of log std + (1 + log 2 pi) / 2. */
  entropy(): number {
    let sum = 0;
    for (let i = this.#logStdAt; i < this.weights.length; i++) sum += this.weights[i]! + 0.5 * (1 + LOG_2_PI);
    return sum;
  }
}
