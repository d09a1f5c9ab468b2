/**
 * Adam (Kingma and Ba 2015, arXiv:1412.6980) on flat arrays, in vectors of four float32; epsilon as in the PPO of OpenAI
 * baselines.
 */
import { pow } from "../../core/math.ts";
import { fusedInstance } from "../fused/fused-module.ts";
import type { FusedExports } from "../fused/generated/fused-interface.ts";

const ADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-5 };

export class Adam {
  /** first and second moments, [parameters]; with `steps` they go into checkpoints */
  readonly m: Float32Array;
  readonly v: Float32Array;
  steps = 0;
  readonly #parameters: Float32Array;
  readonly #exports: FusedExports;
  /** [parameters] each, in the module's memory as the moments are */
  readonly #changed: Float32Array;
  readonly #gradient: Float32Array;
  /** whole vectors */
  readonly #count: number;

  /** @param parameters shared; each step changes them */
  constructor(parameters: Float32Array) {
    this.#parameters = parameters;
    this.#exports = fusedInstance();
    this.#count = 4 * Math.ceil(parameters.length / 4);
    const addresses = Array.from({ length: 4 }, () => this.#exports.allocateFloats(this.#count));
    const { buffer } = this.#exports.memory; // which does not grow any more
    const views = addresses.map((address) => new Float32Array(buffer, address, parameters.length));
    [this.m, this.v, this.#changed, this.#gradient] = views as [
      Float32Array,
      Float32Array,
      Float32Array,
      Float32Array,
    ];
  }

  /** @param shrink scales the gradient (clipping of its norm) */
  step(gradient: Float32Array, shrink: number, learningRate: number): void {
    const { beta1, beta2, epsilon } = ADAM;
    this.steps += 1;
    const rate = (learningRate * Math.sqrt(1 - pow(beta2, this.steps))) / (1 - pow(beta1, this.steps));
    this.#changed.set(this.#parameters);
    this.#gradient.set(gradient);
    this.#exports.stepAdam(
      this.#changed.byteOffset,
      this.#gradient.byteOffset,
      this.m.byteOffset,
      this.v.byteOffset,
      this.#count,
      shrink,
      rate,
      beta1,
      1 - beta1,
      beta2,
      1 - beta2,
      epsilon,
    );
    this.#parameters.set(this.#changed);
  }
}
