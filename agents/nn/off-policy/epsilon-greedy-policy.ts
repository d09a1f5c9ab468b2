/** A policy over choices: the network says what each is worth; exploring, a share epsilon of them is drawn at random. */
import { assert } from "../../../core/errors.ts";
import type { Rng } from "../../../core/random.ts";
import { NetworkPolicy, type PolicyOptions, type PolicySpec, type Samples } from "../network-policy.ts";
import { largestOf } from "../statistics.ts";

/** `act` greedily: the choice of the highest value, of equals the first. */
export class EpsilonGreedyPolicy extends NetworkPolicy {
  readonly #n: number;

  /** @throws CcparkError (invalid-argument) where the weights do not fit the spec */
  constructor(spec: PolicySpec, options: PolicyOptions) {
    super(spec, options);
    const { actionSpace } = spec;
    assert(actionSpace.kind === "discrete", "an epsilon-greedy policy acts by choices");
    this.#n = actionSpace.n;
  }

  /** Share of actions that are drawn at random, 0 to 1: the last of the weights, so that it goes where they go. */
  get epsilon(): number {
    return this.weights[this.layout.size]!;
  }

  set epsilon(share: number) {
    this.weights[this.layout.size] = share;
  }

  override actGreedy(normalised: Float32Array, rows: number, actions: Float32Array): void {
    const values = this.outputs(normalised, rows);
    for (let r = 0; r < rows; r++) actions[r] = largestOf(values, r * this.#n, this.#n);
  }

  /** Two numbers of [0, 1) per row: whether to explore, and where. */
  override drawNoise(rng: Rng, rows: number): Float64Array {
    return Float64Array.from({ length: 2 * rows }, () => rng.next());
  }

  /** Raw actions are the choices themselves; nobody needs their probabilities. */
  override sample(normalised: Float32Array, rows: number, noise: Float64Array, into: Samples): void {
    const { epsilon } = this;
    const values = this.outputs(normalised, rows);
    for (let r = 0; r < rows; r++) {
      const choice =
        noise[2 * r]! < epsilon
          ? Math.floor(noise[2 * r + 1]! * this.#n)
          : largestOf(values, r * this.#n, this.#n);
      into.actions[r] = choice;
      if (into.raw !== undefined) into.raw[r] = choice;
    }
  }
}
