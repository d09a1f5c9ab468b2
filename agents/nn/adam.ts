/**
 * Adam (Kingma and Ba 2015, arXiv:1412.6980) on flat arrays, since a tensor operation costs microseconds however small it
 * is; epsilon as in the PPO of OpenAI baselines.
 */
import { pow } from "../../core/math.ts";

const ADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-5 };

export class Adam {
  /** first and second moments, [parameters]; with `steps` they go into checkpoints */
  readonly m: Float32Array;
  readonly v: Float32Array;
  steps = 0;
  readonly #parameters: Float32Array;

  /** @param parameters shared; each step changes them */
  constructor(parameters: Float32Array) {
    this.#parameters = parameters;
    this.m = new Float32Array(parameters.length);
    this.v = new Float32Array(parameters.length);
  }

  /** @param shrink scales the gradient (clipping of its norm) */
  step(gradient: Float32Array, shrink: number, learningRate: number): void {
    const { beta1, beta2, epsilon } = ADAM;
    this.steps += 1;
    const rate = (learningRate * Math.sqrt(1 - pow(beta2, this.steps))) / (1 - pow(beta1, this.steps));
    const { m, v } = this;
    const parameters = this.#parameters;
    for (let i = 0; i < gradient.length; i++) {
      const g = gradient[i]! * shrink;
      m[i] = beta1 * m[i]! + (1 - beta1) * g;
      v[i] = beta2 * v[i]! + (1 - beta2) * g * g;
      parameters[i]! -= (rate * m[i]!) / (Math.sqrt(v[i]!) + epsilon);
    }
  }
}
