/** Two networks that say what an action is worth, of whose targets the smaller counts (Fujimoto et al. 2018, arXiv:1802.09477). */
import type { Tensor } from "@tensorflow/tfjs-core";
import type { Rng } from "../../../core/random.ts";
import type { Tf } from "../../tfjs/tfjs-patches.ts";
import { Adam } from "../adam.ts";
import { DenseNetwork, type Descent, matrix, tensorDescent } from "../dense-network.ts";
import { initialiseMlp, type MlpLayout, mlpLayout } from "../mlp.ts";
import { mlpTensor } from "../mlp-tensors.ts";
import { follow } from "./replay.ts";

/** What was done where; actions as the critics see them: numbers in units of half the box, or one-hot choices. */
export interface Deeds {
  readonly rows: number;
  /** [rows x observation] */
  readonly observations: Float32Array;
  /** [rows x action] */
  readonly actions: Float32Array;
}

/** Q(s, a): its input is an observation and an action behind it. */
export class Critic extends DenseNetwork {
  /** of an observation */
  readonly #width: number;

  constructor(layout: MlpLayout, width: number) {
    super(layout);
    this.#width = width;
  }

  /** Weights of observations, weights of actions, biases; then as any network: a concatenation has no gradient here. */
  override toTensors(tf: Tf): Tensor[] {
    const { inputs, outputs, weightsAt, biasesAt } = this.layout.layers[0]!;
    const split = weightsAt + this.#width * outputs;
    return [
      tf.tensor2d(this.weights.slice(weightsAt, split), [this.#width, outputs]),
      tf.tensor2d(this.weights.slice(split, biasesAt), [inputs - this.#width, outputs]),
      tf.tensor1d(this.weights.slice(biasesAt, biasesAt + outputs)),
      ...super.toTensors(tf).slice(2),
    ];
  }

  /** [rows x 1] */
  static value(tf: Tf, parameters: readonly Tensor[], observations: Tensor, actions: Tensor): Tensor {
    const [ofObservations, ofActions, biases, ...rest] = parameters;
    const both = tf.add(tf.matMul(observations, ofObservations!), tf.matMul(actions, ofActions!));
    return mlpTensor(tf, rest, tf.tanh(tf.add(both, biases!)));
  }

  /** Q of each row, [rows]. @param tf undefined: without TensorFlow.js */
  values(tf: Tf | undefined, deeds: Deeds): Float32Array {
    const { rows } = deeds;
    if (tf === undefined) return this.outputs(undefined, joined(deeds), rows);
    return tf.tidy(() => {
      const [observations, actions] = [matrix(tf, deeds.observations, rows), matrix(tf, deeds.actions, rows)];
      return Critic.value(tf, this.toTensors(tf), observations, actions).dataSync() as Float32Array;
    });
  }

  /** Down half the mean squared error. @param targets [rows] */
  towards(tf: Tf | undefined, deeds: Deeds, targets: Float32Array): Descent {
    const { rows } = deeds;
    if (tf === undefined) {
      return this.descent(joined(deeds), rows, (values, slopes) => {
        let squares = 0;
        for (let r = 0; r < rows; r++) {
          const error = values[r]! - targets[r]!;
          squares += error * error;
          slopes[r] = error / rows;
        }
        return squares / (2 * rows);
      });
    }
    return tf.tidy(() => {
      const [observations, actions] = [matrix(tf, deeds.observations, rows), matrix(tf, deeds.actions, rows)];
      const wanted = matrix(tf, targets, rows);
      const lossOf = (...parameters: Tensor[]): Tensor =>
        tf.mul(tf.mean(tf.square(tf.sub(Critic.value(tf, parameters, observations, actions), wanted))), 0.5);
      return tensorDescent(tf, lossOf, this.toTensors(tf));
    });
  }

  /**
   * In vectors: adds to `into` the gradient by actions of the sum of slopes[r] Q(s_r, a_r), of the rows that `forward` had last.
   * @param into [rows x action]
   */
  addActionGradient(slopes: Float32Array, rows: number, into: Float32Array): void {
    const actionWidth = into.length / rows;
    const ofInputs = this.backwardToInputs(slopes, rows);
    const width = this.#width;
    for (let r = 0; r < rows; r++) {
      const at = r * (width + actionWidth) + width;
      for (let a = 0; a < actionWidth; a++) into[r * actionWidth + a]! += ofInputs[at + a]!;
    }
  }
}

/** An input of critics per row, [rows x (observation + action)]. */
export function joined({ rows, observations, actions }: Deeds): Float32Array {
  const width = observations.length / rows;
  const actionWidth = actions.length / rows;
  const both = new Float32Array(observations.length + actions.length);
  for (let r = 0; r < rows; r++) {
    const to = r * (width + actionWidth);
    for (let i = 0; i < width; i++) both[to + i] = observations[r * width + i]!;
    for (let i = 0; i < actionWidth; i++) both[to + width + i] = actions[r * actionWidth + i]!;
  }
  return both;
}

/** One step of an optimiser. @returns the loss before it */
export type StepDown = (descent: Descent, adam: Adam) => number;

export class TwinCritics {
  /** two that learn, two that follow */
  readonly learning: readonly [Critic, Critic];
  readonly targets: readonly [Critic, Critic];
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
    const make = (i: number): Critic => {
      const critic = new Critic(layout, width);
      initialiseMlp(layout, gains, rng.fork(`init.critic${i}`), critic.weights);
      return critic;
    };
    this.learning = [make(0), make(1)];
    this.targets = [make(0), make(1)];
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

  /** What the targets say, of both the smaller, [rows]. @param tf undefined: without TensorFlow.js */
  smaller(tf: Tf | undefined, deeds: Deeds): Float32Array {
    const [q0, q1] = this.targets.map((critic) => critic.values(tf, deeds));
    return q0!.map((q, row) => Math.min(q, q1![row]!));
  }

  /** A step of both towards targets, [rows]. @returns half squared error, mean of both */
  learn(tf: Tf | undefined, deeds: Deeds, targets: Float32Array, stepDown: StepDown): number {
    const losses = this.learning.map((critic, i) =>
      stepDown(critic.towards(tf, deeds, targets), this.#adams[i]!),
    );
    return (losses[0]! + losses[1]!) / 2;
  }

  /** The targets go a share of the way to what is learnt. */
  follow(tau: number): void {
    this.learning.forEach(({ weights }, i) => {
      follow(this.targets[i]!.weights, weights, tau);
    });
  }
}
