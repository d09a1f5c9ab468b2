/**
 * Deep Q-learning over choices: options, networks, gradient step. Memory and the loop are those of every learner off policy
 * (nn/off-policy/off-policy.ts).
 *
 * Mnih et al. 2015, "Human-level control through deep reinforcement learning" (Nature 518), with the targets of double DQN
 * (van Hasselt et al. 2016, arXiv:1509.06461): the network that learns chooses the next action, the target network says
 * what it is worth. The choices are those of Indigo and mvfst-rl. What differs: the target network follows in small steps
 * instead of being copied now and then, and rewards are normalised instead of clipped.
 *
 * Left out: prioritised replay, dueling heads, n-step targets.
 */
import { type Checkpoint, restoreSpaces } from "./checkpoint.ts";
import type { LearnerSetup, LearnerSpec } from "./learner.ts";
import { Adam } from "./nn/adam.ts";
import { DenseNetwork, type Descent, matrix } from "./nn/dense-network.ts";
import { COMMON_KINDS, expectActions } from "./nn/learner-checks.ts";
import { initialiseMlp } from "./nn/mlp.ts";
import type { EpsilonGreedyPolicy } from "./nn/off-policy/epsilon-greedy-policy.ts";
import {
  loadOffPolicy,
  OFF_POLICY_DEFAULTS,
  OFF_POLICY_KINDS,
  OffPolicyLearner,
  type OffPolicyOptions,
} from "./nn/off-policy/off-policy.ts";
import { follow, type Transitions } from "./nn/off-policy/replay.ts";
import { type OptionKind, readOptions, real } from "./nn/options.ts";
import { largestOf, meanOf } from "./nn/statistics.ts";
import type { Tf } from "./tfjs/tfjs-patches.ts";

/** What each means and may be: KINDS; `ccpark explain hyperparameters` prints it. */
export interface DqnOptions extends OffPolicyOptions {
  readonly finalEpsilon: number;
  readonly explorationFraction: number;
}

const DEFAULTS: DqnOptions = {
  ...OFF_POLICY_DEFAULTS,
  finalEpsilon: 0.02,
  explorationFraction: 0.3,
  resetEvery: 320,
  backend: "auto",
};

const KINDS: { readonly [Name in keyof DqnOptions]: OptionKind } = {
  ...OFF_POLICY_KINDS,
  ...COMMON_KINDS,
  finalEpsilon: real(
    0,
    1,
    "share of actions that are drawn at random once exploration has fallen; it falls linearly from 1",
  ),
  explorationFraction: real(0, 1, "share of the run over which it falls"),
};

/**
 * Fills in defaults and checks.
 * @throws CcparkError: not-found for an unknown option, invalid-argument for a value out of its range
 */
export function dqnOptions(given: Readonly<Record<string, unknown>> = {}): DqnOptions {
  return readOptions("dqn", KINDS, DEFAULTS, given);
}

const HEAD = "epsilon-greedy";

export class Dqn extends OffPolicyLearner<DqnOptions> {
  protected override readonly measures: readonly string[] = ["valueLoss", "meanValue"];
  /** Q of every choice, the part of the policy's weights that is learnt, and the network that follows it */
  readonly #online: DenseNetwork;
  readonly #target: DenseNetwork;
  readonly #adam: Adam;

  /**
   * @throws CcparkError: not-found for an unknown option, invalid-argument for a value out of its range and for an action that
   *   is no choice
   */
  constructor(setup: LearnerSetup) {
    const options = dqnOptions(setup.options);
    expectActions("dqn", "discrete", setup.actionSpace);
    super("dqn", options, setup, HEAD);
    const { layout, weights } = this.policy;
    this.#online = new DenseNetwork(layout, weights.subarray(0, layout.size));
    const gains = [...options.hidden.map(() => Math.SQRT2), 0.01];
    initialiseMlp(layout, gains, this.root.fork("init.policy"), this.#online.weights);
    this.#target = new DenseNetwork(layout, this.#online.weights.slice());
    this.#adam = new Adam(this.#online.weights);
    this.explore(0);
  }

  /** As `LearnerSpec.load`; spaces are the stored ones unless given. */
  static fromCheckpoint(
    checkpoint: Checkpoint,
    setup: Omit<LearnerSetup, "seed"> = restoreSpaces(checkpoint.header),
  ): Dqn {
    return loadOffPolicy(checkpoint, setup, {
      head: HEAD,
      readOptions: dqnOptions,
      make: (whole) => new Dqn(whole),
    });
  }

  protected override networks(): Readonly<Record<string, Float32Array>> {
    return {
      policy: this.policy.weights,
      target: this.#target.weights,
      adamM: this.#adam.m,
      adamV: this.#adam.v,
    };
  }

  protected override explore(progress: number): void {
    const { finalEpsilon, explorationFraction } = this.options;
    const fallen = explorationFraction === 0 ? 1 : Math.min(1, progress / explorationFraction);
    (this.policy as EpsilonGreedyPolicy).epsilon = 1 + fallen * (finalEpsilon - 1);
  }

  protected override descend(
    tf: Tf | undefined,
    minibatch: Transitions,
    learningRate: number,
  ): Readonly<Record<string, number>> {
    const targets = this.#targets(tf, minibatch);
    const descent = valueDescent(tf, this.#online, minibatch, targets);
    const loss = this.stepDown(descent, this.#adam, { steps: this.gradientSteps, learningRate });
    this.gradientSteps += 1;
    follow(this.#target.weights, this.#online.weights, this.options.tau);
    return { valueLoss: loss, meanValue: meanOf(Array.from(targets)) };
  }

  /** r + gamma Q_target(s', argmax Q(s', .)), arXiv:1509.06461 equation 4; r where the task ended. */
  #targets(tf: Tf | undefined, { rows, nextObservations, rewards, terminated }: Transitions): Float32Array {
    const [online, target] = [this.#online, this.#target].map((each) =>
      each.outputs(tf, nextObservations, rows),
    );
    const n = online!.length / rows;
    const { gamma } = this.options;
    return Float32Array.from({ length: rows }, (_, row) => {
      const next = target![row * n + largestOf(online!, row * n, n)]!;
      return rewards[row]! + gamma * (1 - terminated[row]!) * next;
    });
  }
}

/**
 * Down Huber's loss (1/2 error^2 within 1, straight outside) of Q of what was chosen, its mean.
 * @param tf undefined: without TensorFlow.js
 * @param targets [rows]
 */
export function valueDescent(
  tf: Tf | undefined,
  network: DenseNetwork,
  { rows, observations, actions }: Pick<Transitions, "rows" | "observations" | "actions">,
  targets: Float32Array,
): Descent {
  const n = network.layout.layers.at(-1)!.outputs;
  if (tf === undefined) {
    return network.descent(observations, rows, (values, slopes) => {
      let loss = 0;
      for (let r = 0; r < rows; r++) {
        const at = r * n + actions[r]!;
        const error = values[at]! - targets[r]!;
        const near = Math.min(1, Math.max(-1, error));
        slopes[at] = near / rows;
        loss += (near * (error - near / 2)) / rows;
      }
      return loss;
    });
  }
  const oneHot = new Float32Array(rows * n);
  for (let row = 0; row < rows; row++) oneHot[row * n + actions[row]!] = 1;
  return tf.tidy(() => {
    const [chosen, wanted] = [matrix(tf, oneHot, rows), tf.tensor1d(targets)];
    return network.tensorDescent(tf, observations, rows, (values) => {
      const error = tf.sub(tf.sum(tf.mul(values, chosen), 1), wanted);
      const near = tf.clipByValue(error, -1, 1);
      return tf.mean(tf.mul(near, tf.sub(error, tf.mul(near, 0.5))));
    });
  });
}

/**
 * Losses of its lines of progress; NaN until learning starts:
 *
 * | name | unit | meaning |
 * | --- | --- | --- |
 * | valueLoss | 1 | Huber's loss of Q, of normalised rewards |
 * | meanValue | 1 | mean of the targets, of normalised rewards |
 */
export const DQN: LearnerSpec = {
  name: "dqn",
  title: "DQN",
  source: "Mnih et al. 2015, Nature 518; double DQN: van Hasselt et al. 2016, arXiv:1509.06461",
  summary: "deep Q-learning with replay and double targets; over choices only, such as the action `indigo`",
  actions: ["discrete"],
  options: KINDS,
  defaults: { ...DEFAULTS },
  // what a choice does shows within a few round trips, so a short horizon is less noisy; targets follow soon
  tuned: { gamma: 0.9, tau: 0.02 },
  checkOptions: (given) => void dqnOptions(given),
  make: (setup) => new Dqn(setup),
  load: (checkpoint, setup) => Dqn.fromCheckpoint(checkpoint, setup),
  policy: (checkpoint, spaces, seed) => Dqn.fromCheckpoint(checkpoint, spaces).frozenPolicy(seed),
};
