/** Two networks that say what an action is worth, of whose targets the smaller counts (Fujimoto et al. 2018, arXiv:1802.09477). */
import type { Tensor } from "@tensorflow/tfjs-core";
import type { Rng } from "../../../core/random.ts";
import type { Tf } from "../../tfjs/tfjs-patches.ts";
import { Adam } from "../adam.ts";
import { initialiseMlp, type MlpLayout, mlpLayout } from "../mlp.ts";
import { mlpTensor, toTensors } from "../mlp-tensors.ts";
import { follow } from "./replay.ts";

/** Q(s, a): the first layer sees both, as two products, since a concatenation has no gradient here. */
export class Critic {
  readonly weights: Float32Array;
  readonly layout: MlpLayout;
  /** of an observation */
  readonly #width: number;

  constructor(layout: MlpLayout, width: number) {
    this.layout = layout;
    this.weights = new Float32Array(layout.size);
    this.#width = width;
  }

  /** Weights of observations, weights of actions, biases; then as any network. */
  toTensors(tf: Tf): Tensor[] {
    const { inputs, outputs, weightsAt, biasesAt } = this.layout.layers[0]!;
    const split = weightsAt + this.#width * outputs;
    return [
      tf.tensor2d(this.weights.slice(weightsAt, split), [this.#width, outputs]),
      tf.tensor2d(this.weights.slice(split, biasesAt), [inputs - this.#width, outputs]),
      tf.tensor1d(this.weights.slice(biasesAt, biasesAt + outputs)),
      ...toTensors(tf, this.layout, this.weights).slice(2),
    ];
  }

  /** [rows x 1] */
  static value(tf: Tf, parameters: readonly Tensor[], observations: Tensor, actions: Tensor): Tensor {
    const [ofObservations, ofActions, biases, ...rest] = parameters;
    const both = tf.add(tf.matMul(observations, ofObservations!), tf.matMul(actions, ofActions!));
    return mlpTensor(tf, rest, tf.tanh(tf.add(both, biases!)));
  }
}

/** One step of an optimiser down a loss. @returns the loss before it */
export type StepDown = (
  lossOf: (...parameters: Tensor[]) => Tensor,
  parameters: Tensor[],
  adam: Adam,
) => number;

export class TwinCritics {
  /** two that learn, two that follow */
  readonly learning: readonly Critic[];
  readonly targets: readonly Critic[];
  readonly #adams: readonly Adam[];

  /**
   * @param shape widths: of an observation, of an action as the critics see it, of the hidden layers
   * @param rng of the learner
   */
  constructor(
    { width, actionWidth, hidden }: { width: number; actionWidth: number; hidden: readonly number[] },
    rng: Rng,
  ) {
    const layout = mlpLayout([width + actionWidth, ...hidden, 1]);
    const gains = [...hidden.map(() => Math.SQRT2), 1];
    this.learning = [0, 1].map((i) => {
      const critic = new Critic(layout, width);
      initialiseMlp(layout, gains, rng.fork(`init.critic${i}`), critic.weights);
      return critic;
    });
    this.targets = this.learning.map(({ weights }) => {
      const target = new Critic(layout, width);
      target.weights.set(weights);
      return target;
    });
    this.#adams = this.learning.map(({ weights }) => new Adam(weights));
  }

  /** By the names that a checkpoint has for them; shared. */
  networks(): Readonly<Record<string, Float32Array>> {
    return Object.fromEntries(
      [0, 1].flatMap((i): [string, Float32Array][] => [
        [`critic${i}`, this.learning[i]!.weights],
        [`target${i}`, this.targets[i]!.weights],
        [`critic${i}.adamM`, this.#adams[i]!.m],
        [`critic${i}.adamV`, this.#adams[i]!.v],
      ]),
    );
  }

  /** The smaller value of both, of `which`, [rows]. */
  static smaller(tf: Tf, which: readonly Critic[], observations: Tensor, actions: Tensor): Float32Array {
    const [q0, q1] = which.map((critic) =>
      Critic.value(tf, critic.toTensors(tf), observations, actions).dataSync(),
    );
    return Float32Array.from(q0!, (q, row) => Math.min(q, q1![row]!));
  }

  /** A step of both towards targets, [rows x 1]. @returns half squared error, mean of both */
  learn(tf: Tf, observations: Tensor, actions: Tensor, targets: Tensor, stepDown: StepDown): number {
    const losses = this.learning.map((critic, i) => {
      const lossOf = (...parameters: Tensor[]): Tensor =>
        tf.mul(tf.mean(tf.square(tf.sub(Critic.value(tf, parameters, observations, actions), targets))), 0.5);
      return stepDown(lossOf, critic.toTensors(tf), this.#adams[i]!);
    });
    return (losses[0]! + losses[1]!) / 2;
  }

  /** The targets go a share of the way to what is learnt. */
  follow(tau: number): void {
    this.learning.forEach(({ weights }, i) => {
      follow(this.targets[i]!.weights, weights, tau);
    });
  }
}
