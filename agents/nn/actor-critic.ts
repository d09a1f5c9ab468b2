/**
 * What a learner on policy keeps of its networks: policy and value network in one array of parameters, the optimiser over
 * both, what is known of observations and of the scale of values; and how a checkpoint has them.
 */
import type { Tensor } from "@tensorflow/tfjs-core";
import * as z from "zod";
import type { Rng } from "../../core/random.ts";
import { type Checkpoint, readArray } from "../checkpoint.ts";
import { FusedMlp } from "../fused/fused-mlp.ts";
import type { Tf } from "../tfjs/tfjs-patches.ts";
import { Adam } from "./adam.ts";
import type { Minibatch } from "./batch.ts";
import { CategoricalPolicy } from "./categorical-policy.ts";
import { GaussianPolicy } from "./gaussian-policy.ts";
import { expectSquares } from "./learner-checks.ts";
import { initialiseMlp, type MlpLayout, mlpLayout } from "./mlp.ts";
import { lossAndGradient, mlpTensor, toTensors } from "./mlp-tensors.ts";
import {
  type DensityGradient,
  type DensityPolicy,
  type PolicyOptions,
  type PolicySpec,
  policyLayout,
  policySize,
} from "./network-policy.ts";
import type { ValueScale } from "./on-policy/value-scale.ts";
import { type ValueStep, valueStep } from "./on-policy/value-step.ts";
import { GRU_LAYERS } from "./recurrent/gru.ts";
import { RunningObservations } from "./statistics.ts";

/** The density that the action space asks for. */
export function makeDensity(spec: PolicySpec, options: PolicyOptions): DensityPolicy {
  return spec.actionSpace.kind === "box"
    ? new GaussianPolicy(spec, options)
    : new CategoricalPolicy(spec, options);
}

/** It sees the policy's memory and the state beside the observation, where there are some. */
const valueLayoutOf = ({ observationSpace, hidden, memory = 0, central = 0 }: PolicySpec): MlpLayout =>
  mlpLayout([observationSpace.shape[0] + memory + central, ...hidden, 1]);

/** Lengths of the arrays that a checkpoint has of these networks. */
function arrayLengths(spec: PolicySpec): Readonly<Record<ArrayName, number>> {
  const [policy, value] = [policySize(spec), valueLayoutOf(spec).size];
  const [width] = spec.observationSpace.shape;
  const both = policy + value;
  return { policy, value, adamM: both, adamV: both, observationMean: width, observationSquares: width };
}

type ArrayName = "policy" | "value" | "adamM" | "adamV" | "observationMean" | "observationSquares";
type Arrays = Readonly<Record<ArrayName, Float32Array | Float64Array>>;

/** What of the networks is no array. */
export const NETWORK_STATE: z.ZodObject<{
  adamSteps: z.ZodNumber;
  valueScale: z.ZodObject<{ mean: z.ZodNumber; std: z.ZodNumber }>;
  observationCount: z.ZodNumber;
}> = z.object({
  /** Adam's count of steps */
  adamSteps: z.number().int().nonnegative(),
  /** V = mean + std x (what the value network says) */
  valueScale: z.object({ mean: z.number(), std: z.number().positive() }),
  /** observations that went into `observationMean` and `observationSquares` */
  observationCount: z.number().int().nonnegative(),
});
export type NetworkState = z.infer<typeof NETWORK_STATE>;

export interface ActorCriticOptions {
  /** of the initial weights */
  readonly rng: Rng;
  /** of the policy, for `explore` */
  readonly seed: number;
  readonly name: string;
  /** log of the standard deviation at the start, in units of half the box; of no matter for choices */
  readonly initialLogStd: number;
  /** whether the policy sees observations by their running statistics */
  readonly normalisesObservations: boolean;
}

export class ActorCritic {
  /** acts with the current parameters */
  readonly policy: DensityPolicy;
  readonly valueLayout: MlpLayout;
  readonly value: Float32Array;
  readonly adam: Adam;
  readonly observations: RunningObservations;
  valueScale: ValueScale = { mean: 0, std: 1 };
  /** policy and value parameters, whose parts the policy and `value` see */
  readonly #parameters: Float32Array;
  readonly #valueNetwork: FusedMlp;
  readonly #normalisesObservations: boolean;

  constructor(spec: PolicySpec, options: ActorCriticOptions) {
    const { rng, seed, name } = options;
    this.valueLayout = valueLayoutOf(spec);
    const layout = policyLayout(spec);
    const size = policySize(spec);
    this.#parameters = new Float32Array(size + this.valueLayout.size);
    const weights = this.#parameters.subarray(0, size);
    this.value = this.#parameters.subarray(size);
    this.#valueNetwork = new FusedMlp(this.valueLayout);
    this.adam = new Adam(this.#parameters);
    this.observations = new RunningObservations(spec.observationSpace.shape[0]);

    const hiddenGains = spec.hidden.map(() => Math.SQRT2);
    const unitGains = spec.memory === undefined ? [] : new Array<number>(GRU_LAYERS).fill(1);
    initialiseMlp(layout, [...unitGains, ...hiddenGains, 0.01], rng.fork("init.policy"), weights);
    weights.fill(options.initialLogStd, layout.size);
    initialiseMlp(this.valueLayout, [...hiddenGains, 1], rng.fork("init.value"), this.value);
    this.policy = makeDensity(spec, { weights, seed, name });
    this.#normalisesObservations = options.normalisesObservations;
    this.freezeObservations();
  }

  /** From here on the policy normalises by what is known of observations now; between two updates only. */
  freezeObservations(): void {
    if (this.#normalisesObservations) this.policy.statistics = this.observations.frozen();
  }

  /**
   * What the value network says, [rows].
   * @param tf undefined: without TensorFlow.js
   * @param observations [rows x observation], normalised
   */
  values(tf: Tf | undefined, observations: Float32Array, rows: number): Float32Array {
    if (tf === undefined) {
      this.#valueNetwork.load(this.value);
      return this.#valueNetwork.forward(observations, rows).slice(0, rows);
    }
    return tf.tidy(() => {
      const parameters = toTensors(tf, this.valueLayout, this.value);
      return mlpTensor(
        tf,
        parameters,
        tf.tensor2d(observations, [rows, observations.length / rows]),
      ).dataSync();
    }) as Float32Array;
  }

  /** The value network's part of a gradient step, on this thread. */
  valueStep(minibatch: Minibatch, valueCoef: number): ValueStep {
    return valueStep(this.#valueNetwork, this.value, minibatch, valueCoef);
  }

  /**
   * Gradient over all parameters.
   * @param ofPolicy of a loss: by the weights of the policy's network, and by its parameters beyond that
   * @param ofValues the value network's part, asked for when the policy's is done
   */
  fusedGradient(
    ofPolicy: { readonly network: Float32Array } & Pick<DensityGradient, "own">,
    ofValues: () => ValueStep,
  ): ValueStep {
    const gradient = new Float32Array(this.#parameters.length);
    const { policy, value } = this;
    gradient.set(ofPolicy.network);
    gradient.set(ofPolicy.own, policy.layout.size);
    const step = ofValues();
    gradient.set(step.gradient, gradient.length - value.length);
    return { valueLoss: step.valueLoss, gradient };
  }

  /**
   * Gradient of a loss over all parameters by TensorFlow.js.
   * @param lossOf of the tensors of the policy and of the value network
   */
  tensorGradient(
    tf: Tf,
    lossOf: (policy: readonly Tensor[], value: readonly Tensor[]) => Tensor,
  ): { readonly loss: number; readonly gradient: Float32Array } {
    const gradient = new Float32Array(this.#parameters.length);
    const policy = this.policy.toTensors(tf);
    const parameters = [...policy, ...toTensors(tf, this.valueLayout, this.value)];
    const split = (...all: Tensor[]): Tensor => lossOf(all.slice(0, policy.length), all.slice(policy.length));
    const loss = lossAndGradient(tf, split, parameters, gradient);
    return { loss, gradient };
  }

  /** Copies, for a checkpoint. */
  arrays(): Arrays {
    return {
      policy: this.policy.weights.slice(),
      value: this.value.slice(),
      adamM: this.adam.m.slice(),
      adamV: this.adam.v.slice(),
      observationMean: this.observations.mean.slice(),
      observationSquares: this.observations.squares.slice(),
    };
  }

  state(): NetworkState {
    return {
      adamSteps: this.adam.steps,
      valueScale: { ...this.valueScale },
      observationCount: this.observations.count,
    };
  }

  restore(arrays: Arrays, state: NetworkState): void {
    this.policy.weights.set(arrays.policy);
    this.value.set(arrays.value);
    this.adam.m.set(arrays.adamM);
    this.adam.v.set(arrays.adamV);
    this.observations.mean.set(arrays.observationMean);
    this.observations.squares.set(arrays.observationSquares);
    this.adam.steps = state.adamSteps;
    this.valueScale = state.valueScale;
    this.observations.count = state.observationCount;
    this.freezeObservations();
  }
}

/**
 * The arrays of a checkpoint, before any network is made: its header may ask for networks that they do not fill.
 * @throws CcparkError (invalid-argument) where one is missing, of another length, or has numbers that it cannot have
 */
export function readNetworkArrays(checkpoint: Checkpoint, spec: PolicySpec): Arrays {
  const lengths = Object.entries(arrayLengths(spec));
  const arrays = Object.fromEntries(
    lengths.map(([name, length]) => [name, readArray(checkpoint, name, length)]),
  ) as Arrays;
  for (const name of ["adamV", "observationSquares"] as const) expectSquares(name, arrays[name]);
  return arrays;
}
