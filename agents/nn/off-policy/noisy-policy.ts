/** A policy over a box without chance of its own: tanh squashes what the network says into the box; exploring adds noise. */
import { drawNormal } from "../../../core/distributions.ts";
import { assert } from "../../../core/errors.ts";
import { tanh } from "../../../core/math.ts";
import type { Rng } from "../../../core/random.ts";
import { unitsOf } from "../box-units.ts";
import { NetworkPolicy, type PolicyOptions, type PolicySpec, type Samples } from "../network-policy.ts";

const clip = (x: number): number => Math.min(1, Math.max(-1, x));

export class NoisyPolicy extends NetworkPolicy {
  readonly #count: number;
  /** action = middle + half x raw */
  readonly #middle: Float64Array;
  readonly #half: Float64Array;

  /** @throws CcparkError (invalid-argument) where the weights do not fit the spec */
  constructor(spec: PolicySpec, options: PolicyOptions) {
    super(spec, options);
    const { actionSpace } = spec;
    assert(actionSpace.kind === "box", "a noisy policy acts in a box");
    this.#count = actionSpace.shape[0];
    const { middle, half } = unitsOf(actionSpace);
    this.#middle = middle;
    this.#half = half;
  }

  /** Standard deviation of what exploring adds, in units of half the box: the last of the weights, so that it goes where they go. */
  get noiseStd(): number {
    return this.weights[this.layout.size]!;
  }

  set noiseStd(std: number) {
    this.weights[this.layout.size] = std;
  }

  override actGreedy(normalised: Float32Array, rows: number, actions: Float32Array): void {
    this.sample(normalised, rows, new Float64Array(rows * this.#count), { actions });
  }

  /** A standard normal per number of the action. */
  override drawNoise(rng: Rng, rows: number): Float64Array {
    return Float64Array.from({ length: rows * this.#count }, () => drawNormal(rng));
  }

  /** Raw actions are in units of the box: -1 to 1. */
  override sample(normalised: Float32Array, rows: number, noise: Float64Array, into: Samples): void {
    const { noiseStd } = this;
    const count = this.#count;
    const outputs = this.outputs(normalised, rows);
    for (let r = 0; r < rows; r++) {
      for (let a = 0; a < count; a++) {
        const raw = clip(tanh(outputs[r * count + a]!) + noiseStd * noise[r * count + a]!);
        into.actions[r * count + a] = this.#middle[a]! + this.#half[a]! * raw;
        if (into.raw !== undefined) into.raw[r * count + a] = raw;
      }
    }
  }
}
