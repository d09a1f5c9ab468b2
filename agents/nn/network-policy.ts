/**
 * Policies that act without TensorFlow.js: a small network in WebAssembly, since a call of a tensor library costs more than the
 * whole pass. What the network's outputs mean is the head's business. On policy: gaussian-policy.ts for boxes,
 * categorical-policy.ts for choices, each of which says the same to TensorFlow.js, for gradients. Off policy:
 * off-policy/epsilon-greedy-policy.ts, off-policy/squashed-gaussian-policy.ts and off-policy/noisy-policy.ts.
 */
import type { Tensor } from "@tensorflow/tfjs-core";
import { assert, CcparkError } from "../../core/errors.ts";
import { Rng } from "../../core/random.ts";
import type { Spaces } from "../checkpoint.ts";
import { FusedMlp } from "../fused/fused-mlp.ts";
import type { Agent } from "../learner.ts";
import type { Tf } from "../tfjs/tfjs-patches.ts";
import { type MlpLayout, mlpLayout } from "./mlp.ts";
import { mlpTensor } from "./mlp-tensors.ts";
import { GruForward, gruLayout } from "./recurrent/gru.ts";
import type { ObservationStatistics } from "./statistics.ts";

/** Normalised observations are clipped here: a value so far out says no more than "very large". */
const OBSERVATION_CLIP = 10;

export interface PolicySpec extends Spaces {
  /** widths of the hidden layers */
  readonly hidden: readonly number[];
  /** numbers that it remembers of a row from step to step, in a recurrent unit before the hidden layers; absent: it has no memory */
  readonly memory?: number;
  /** numbers of the environments' states that the value network sees beside an observation, and no policy does; absent: none */
  readonly central?: number;
  /**
   * values of choices, of which a share is drawn at random; mean and spread of numbers that tanh squashes into a box; the numbers
   * alone, to which exploring adds noise; absent: a Gaussian over a box, a softmax over choices
   */
  readonly head?: "epsilon-greedy" | "squashed-gaussian" | "noisy";
}

/** The network of a policy: a mean per number of a box, squashed also its spread, a logit or value per choice. */
export function policyLayout({ observationSpace, actionSpace, hidden, head, memory }: PolicySpec): MlpLayout {
  const perNumber = head === "squashed-gaussian" ? 2 : 1;
  const outputs = actionSpace.kind === "box" ? perNumber * actionSpace.shape[0] : actionSpace.n;
  const [width] = observationSpace.shape;
  return memory === undefined
    ? mlpLayout([width, ...hidden, outputs])
    : gruLayout([width, memory, ...hidden, outputs]);
}

/** Number of parameters of a policy: its network, and a log standard deviation per number of a box, or epsilon, or the noise. */
export function policySize(spec: PolicySpec): number {
  const { head, actionSpace } = spec;
  const { size } = policyLayout(spec);
  if (head === "squashed-gaussian") return size;
  if (head === "epsilon-greedy" || head === "noisy") return size + 1;
  return size + (actionSpace.kind === "box" ? actionSpace.shape[0] : 0);
}

export interface PolicyOptions {
  /** all parameters, float32 [policySize(spec)]: the network, then what the head adds; shared, not copied */
  readonly weights: Float32Array;
  /** whether the weights stay as they are, which saves taking them over for every call */
  readonly areFinal?: boolean;
  /** for `explore`; a whole number, 0 to 2^53 - 1; 0 unless given */
  readonly seed?: number;
  readonly name?: string;
  readonly statistics?: ObservationStatistics;
}

/** What `sample` fills; each has one entry per row. */
export interface Samples {
  /** [rows x action], for the environment, not clipped */
  readonly actions: Float32Array;
  /** [rows x action], as the head's density has them: the actions of a batch */
  readonly raw?: Float32Array;
  /** [rows], of raw */
  readonly logProbs?: Float32Array;
}

export abstract class NetworkPolicy implements Agent {
  readonly name: string;
  readonly spec: PolicySpec;
  readonly layout: MlpLayout;
  /** float32 [policySize(spec)] */
  readonly weights: Float32Array;
  /** undefined: observations go to the network as they are */
  statistics: ObservationStatistics | undefined;
  /**
   * [rows x spec.memory]: what is remembered of the rows that `sample` and `actGreedy` are given, which each pass over a row changes; of
   * no length where there is no memory. Whoever acts in rows sets it.
   */
  memory: Float32Array = new Float32Array(0);
  /** the same of the rows that `act` is asked for */
  readonly #memories = new Map<number, Float32Array>();
  readonly #network: FusedMlp | GruForward;
  /** the part of the weights that is the network's */
  readonly #ofNetwork: Float32Array;
  readonly #areFinal: boolean;
  readonly #rng: Rng;
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
    this.layout = policyLayout(spec);
    this.#network = spec.memory === undefined ? new FusedMlp(this.layout) : new GruForward(this.layout);
    this.#ofNetwork = options.weights.subarray(0, this.layout.size);
    this.#areFinal = options.areFinal ?? false;
    if (this.#network instanceof FusedMlp) this.#network.load(this.#ofNetwork);
    this.#rng = Rng.fromSeed(options.seed ?? 0).fork("policy.act");
    this.#observation = new Float32Array(spec.observationSpace.shape[0]);
    this.#action = new Float32Array(spec.actionSpace.shape[0]);
  }

  /** Without memory every row is like any other. */
  begin(row: number): void {
    this.#memories.delete(row);
  }

  act(obs: Float32Array, mode: "explore" | "greedy", row = 0): Float32Array {
    const width = this.spec.observationSpace.shape[0];
    if (obs.length !== width) {
      throw new CcparkError(
        "invalid-argument",
        `[policy] observation has the wrong shape: got [${obs.length}], expected [${width}]`,
      );
    }
    this.normalise(obs, this.#observation);
    if (this.spec.memory !== undefined) {
      let memory = this.#memories.get(row);
      if (memory === undefined) {
        memory = new Float32Array(this.spec.memory);
        this.#memories.set(row, memory);
      }
      this.memory = memory;
    }
    if (mode === "greedy") this.actGreedy(this.#observation, 1, this.#action);
    else this.sample(this.#observation, 1, this.drawNoise(this.#rng, 1), { actions: this.#action });
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

  /**
   * What the network says to normalised observations, float32 [rows x outputs] and room to spare; overwritten by the next call.
   * @param normalised [rows x observation]
   */
  outputs(normalised: Float32Array, rows: number): Float32Array {
    const network = this.#network;
    if (network instanceof GruForward) return network.run(this.weights, normalised, this.memory, rows);
    if (!this.#areFinal) network.load(this.#ofNetwork);
    return network.forward(normalised, rows);
  }

  /**
   * Of a network without memory: gradient by its weights, float32 [layout.size], of the rows that `outputs` had last; overwritten by the next call.
   * @param outputGradient of a loss, [rows x outputs]
   */
  backward(outputGradient: Float32Array, rows: number): Float32Array {
    const network = this.#network;
    assert(network instanceof FusedMlp, "gradients through a memory go back in time");
    return network.backward(outputGradient, rows);
  }

  /** The most likely action of each row. @param normalised [rows x observation]; @param actions [rows x action], written */
  abstract actGreedy(normalised: Float32Array, rows: number, actions: Float32Array): void;

  /** What `sample` needs of chance, float64 [rows x some per row]; the same for rows drawn together or one by one. */
  abstract drawNoise(rng: Rng, rows: number): Float64Array;

  /** Draws one action per row. @param normalised [rows x observation]; @param noise of `drawNoise` */
  abstract sample(normalised: Float32Array, rows: number, noise: Float64Array, into: Samples): void;
}

/** Gradients of what a learner on policy maximises of a policy. */
export interface DensityGradient {
  /** by what the network says, [rows x outputs] */
  readonly outputs: Float32Array;
  /** by the parameters beyond the network */
  readonly own: Float32Array;
  /** the entropy up to a constant, as `evaluate` has it */
  readonly entropy: number;
}

/** A policy that knows how likely its actions are, and says so to TensorFlow.js. */
export abstract class DensityPolicy extends NetworkPolicy {
  /** Mean entropy in nat over rows of normalised observations, per action. */
  abstract entropy(normalised: Float32Array, rows: number): number;

  /** The parameters, as `evaluate` wants them; in the order of `weights`. */
  abstract toTensors(tf: Tf): Tensor[];

  /** Raw actions of a batch, [rows x action], as `evaluate` wants them. */
  abstract actionTensor(tf: Tf, raw: Float32Array, rows: number): Tensor;

  /**
   * @param parameters of `toTensors`
   * @param outputs of the network, [rows x outputs]
   * @param actions of `actionTensor`
   * @returns log pi(a|s) of each row, [rows], and the entropy up to a constant, a scalar
   */
  abstract density(
    tf: Tf,
    parameters: readonly Tensor[],
    outputs: Tensor,
    actions: Tensor,
  ): { readonly logProb: Tensor; readonly entropy: Tensor };

  /**
   * The same of a network without memory.
   * @param parameters of `toTensors`
   * @param observations [rows x observation], normalised
   * @param actions of `actionTensor`
   * @returns log pi(a|s) of each row, [rows], and the entropy up to a constant, a scalar
   */
  evaluate(
    tf: Tf,
    parameters: readonly Tensor[],
    observations: Tensor,
    actions: Tensor,
  ): { readonly logProb: Tensor; readonly entropy: Tensor } {
    const network = parameters.slice(0, 2 * this.layout.layers.length);
    return this.density(tf, parameters, mlpTensor(tf, network, observations), actions);
  }

  /**
   * log pi(a|s) of each row, [rows].
   * @param outputs what the network says to the rows, as `outputs` gives it
   * @param raw actions of a batch, [rows x action]
   */
  abstract logProbs(outputs: Float32Array, raw: Float32Array, rows: number): Float32Array;

  /**
   * Gradients of sum(slopes[r] log pi(a_r|s_r)) + entropyCoef x entropy.
   * @param outputs, raw as for `logProbs`
   * @param slopes [rows]
   */
  abstract densityGradient(
    outputs: Float32Array,
    raw: Float32Array,
    slopes: Float32Array,
    entropyCoef: number,
  ): DensityGradient;
}
