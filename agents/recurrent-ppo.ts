/**
 * Proximal policy optimisation with memory: options, sequences, loss, update. Rollouts, advantages and the loop are those of every
 * learner on policy (nn/on-policy/on-policy.ts); the loss is PPO's (ppo.ts).
 *
 * The policy begins with a gated recurrent unit (nn/recurrent/gru.ts), so it may know of a link what no few frames say: how long a
 * queue has stood, what the last outage was like. Gradients go back through sequences of `sequenceSteps`, each from the memory that
 * the rollout had there (truncated backpropagation through time; what is stale in it is held back by the clipped loss, as in other
 * implementations). The value network has no memory of its own: it sees the policy's beside the observation.
 *
 * Left out: several layers of memory, burn-in.
 */
import type { Tensor } from "@tensorflow/tfjs-core";
import { type Checkpoint, restoreSpaces } from "./checkpoint.ts";
import type { LearnerSetup, LearnerSpec } from "./learner.ts";
import { gather, shuffled, withMemories } from "./nn/batch.ts";
import { COMMON_KINDS, expectFinite } from "./nn/learner-checks.ts";
import { mlpTensor, normOf } from "./nn/mlp-tensors.ts";
import { type Estimates, loadOnPolicy, ON_POLICY_KINDS, OnPolicyLearner } from "./nn/on-policy/on-policy.ts";
import { type RatioMeasures, ratioMeasures } from "./nn/on-policy/ratios.ts";
import { type OptionKind, readOptions, whole } from "./nn/options.ts";
import { GRU_TENSORS, gruTensor } from "./nn/recurrent/gru.ts";
import { explainedVariance, Means } from "./nn/statistics.ts";
import { PPO, PPO_DEFAULTS, PPO_KINDS, type PpoOptions } from "./ppo.ts";
import type { Tf } from "./tfjs/tfjs-patches.ts";

/** What each means and may be: KINDS; `ccpark explain hyperparameters` prints it. */
export interface RecurrentPpoOptions extends PpoOptions {
  readonly memory: number;
  readonly sequenceSteps: number;
}

const DEFAULTS: RecurrentPpoOptions = {
  ...PPO_DEFAULTS,
  hidden: [32],
  memory: 32,
  rolloutSteps: 64,
  sequenceSteps: 16,
  epochs: 3,
};

const KINDS: { readonly [Name in keyof RecurrentPpoOptions]: OptionKind } = {
  ...PPO_KINDS,
  ...ON_POLICY_KINDS,
  ...COMMON_KINDS,
  memory: whole(1, 1024, "numbers that the policy remembers of a row: the width of its recurrent unit"),
  sequenceSteps: whole(
    1,
    1e5,
    "steps that a gradient goes back in time; a rollout is cut into sequences of this, the last of which may be shorter",
  ),
};

/**
 * Fills in defaults and checks.
 * @throws CcparkError: not-found for an unknown option, invalid-argument for a value out of its range
 */
export function recurrentPpoOptions(given: Readonly<Record<string, unknown>> = {}): RecurrentPpoOptions {
  return readOptions("recurrent-ppo", KINDS, DEFAULTS, given);
}

/** Of one gradient step. */
type Losses = RatioMeasures & { readonly valueLoss: number; readonly entropy: number };

/** Sequences of one length that begin at these rows of the batch. */
interface Sequences {
  readonly firsts: readonly number[];
  readonly steps: number;
  readonly numEnvs: number;
}

export class RecurrentPpo extends OnPolicyLearner<RecurrentPpoOptions> {
  /** gradients back through time are TensorFlow.js's */
  override readonly isFused = false;

  /** @throws CcparkError: not-found for an unknown option, invalid-argument for a value out of its range */
  constructor(setup: LearnerSetup) {
    const options = recurrentPpoOptions(setup.options);
    super("recurrent-ppo", options, setup, { memory: options.memory });
  }

  /** As `LearnerSpec.load`; spaces are the stored ones unless given. Options replace stored ones, but not `hidden` and `memory`. */
  static fromCheckpoint(
    checkpoint: Checkpoint,
    setup: Omit<LearnerSetup, "seed"> = restoreSpaces(checkpoint.header),
  ): RecurrentPpo {
    return loadOnPolicy(checkpoint, setup, recurrentPpoOptions, (whole) => new RecurrentPpo(whole));
  }

  protected override descend(
    tf: Tf,
    estimates: Estimates,
    learningRate: number,
  ): Readonly<Record<string, number>> {
    const { minibatchSize, epochs, targetKl, rolloutSteps, sequenceSteps } = this.options;
    const { batch, values, targets } = estimates;
    const numEnvs = batch.rows / rolloutSteps;
    const perEnv = Math.ceil(rolloutSteps / sequenceSteps);
    const means = new Means();
    const rng = this.root.fork(`shuffle.${this.updates}`);
    const size = Math.max(1, Math.round(minibatchSize / sequenceSteps));
    for (const chosen of shuffled(perEnv * numEnvs, { size, epochs }, rng)) {
      const firsts = Array.from(chosen, (index) => {
        const step = sequenceSteps * Math.floor(index / numEnvs);
        return step * numEnvs + (index % numEnvs);
      });
      // a shorter rest is learnt from by itself
      const restAt = (perEnv - 1) * sequenceSteps * numEnvs;
      const rest = rolloutSteps - (perEnv - 1) * sequenceSteps;
      const groups = [
        { firsts: firsts.filter((row) => row < restAt), steps: sequenceSteps, numEnvs },
        { firsts: firsts.filter((row) => row >= restAt), steps: rest, numEnvs },
      ];
      const whole = rest === sequenceSteps ? [{ ...groups[0]!, firsts }] : groups;
      const losses = whole
        .filter((group) => group.firsts.length > 0)
        .map((group) => this.#clippedStep(tf, estimates, group, learningRate));
      for (const step of losses) means.add(step);
      if (targetKl > 0 && losses.some(({ approxKl }) => approxKl > 1.5 * targetKl)) break;
    }
    return {
      policyLoss: means.of("policyLoss"),
      valueLoss: means.of("valueLoss"),
      entropy: means.of("entropy"),
      approxKl: means.of("approxKl"),
      clipFraction: means.of("clipFraction"),
      explainedVariance: explainedVariance(targets, values),
    };
  }

  /** arXiv:1707.06347, equation 9, step by step through the sequences. */
  #clippedStep(
    tf: Tf,
    { batch, advantages, scaledTargets }: Estimates,
    { firsts, steps, numEnvs }: Sequences,
    learningRate: number,
  ): Losses {
    const { clipCoef, valueCoef, entropyCoef, maxGradNorm, memory: units, hidden } = this.options;
    const { policy } = this.networks;
    const width = this.spec.observationSpace.shape[0];
    const count = this.spec.actionSpace.shape[0];
    const each = firsts.length;
    // in the order of time: all sequences' first steps, then their second ones
    const rows = Uint32Array.from({ length: steps * each }, (_, i) => {
      return firsts[i % each]! + Math.floor(i / each) * numEnvs;
    });
    const minibatch = gather(batch, advantages, scaledTargets, rows);
    const ofStep = (values: Float32Array, step: number, wide = 1): Float32Array =>
      values.slice(step * each * wide, (step + 1) * each * wide);
    const memories = batch.memories!;
    const at = (row: number): Float32Array => memories.subarray(row * units, (row + 1) * units);
    const started = new Float32Array(each * units);
    firsts.forEach((row, i) => {
      started.set(at(row), i * units);
    });
    const remembered = new Float32Array(rows.length * units);
    rows.forEach((row, i) => {
      remembered.set(at(row), i * units);
    });
    const gruEnd = GRU_TENSORS + 2 * (hidden.length + 1);

    const { loss, gradient, valueLoss, entropy, logProbs } = tf.tidy(() => {
      const kept: { logProbs: Tensor[]; value?: Tensor; entropy?: Tensor } = { logProbs: [] };
      const inputs = tf.tensor2d(withMemories(minibatch.observations, remembered, rows.length), [
        rows.length,
        width + units,
      ]);
      const result = this.networks.tensorGradient(tf, (ofPolicy, ofValue) => {
        let h: Tensor = tf.tensor2d(started, [each, units]);
        let surrogate: Tensor = tf.scalar(0);
        let entropies: Tensor = tf.scalar(0);
        for (let step = 0; step < steps; step++) {
          if (step > 0) h = tf.mul(h, tf.tensor2d(this.#goesOn(batch, rows, step - 1, each), [each, 1]));
          const x = tf.tensor2d(ofStep(minibatch.observations, step, width), [each, width]);
          h = gruTensor(tf, ofPolicy.slice(0, GRU_TENSORS), x, h);
          const outputs = mlpTensor(tf, ofPolicy.slice(GRU_TENSORS, gruEnd), h);
          const actions = policy.actionTensor(tf, ofStep(minibatch.actions, step, count), each);
          const { logProb, entropy: now } = policy.density(tf, ofPolicy, outputs, actions);
          kept.logProbs.push(tf.keep(logProb));
          const advantage = tf.tensor1d(ofStep(minibatch.advantages, step));
          // L^CLIP, equation 7
          const ratio = tf.exp(tf.sub(logProb, tf.tensor1d(ofStep(minibatch.logProbs, step))));
          const clipped = tf.clipByValue(ratio, 1 - clipCoef, 1 + clipCoef);
          const least = tf.mean(tf.minimum(tf.mul(ratio, advantage), tf.mul(clipped, advantage)));
          surrogate = tf.add(surrogate, tf.mul(least, 1 / steps));
          entropies = tf.add(entropies, tf.mul(now, 1 / steps));
        }
        const targets = tf.tensor2d(minibatch.targets, [rows.length, 1]);
        const squares = tf.mul(tf.mean(tf.square(tf.sub(mlpTensor(tf, ofValue, inputs), targets))), 0.5);
        kept.value = tf.keep(squares);
        kept.entropy = tf.keep(entropies);
        return tf.sub(tf.sub(tf.mul(squares, valueCoef), surrogate), tf.mul(entropies, entropyCoef));
      });
      const read = {
        ...result,
        valueLoss: kept.value!.dataSync()[0]!,
        entropy: kept.entropy!.dataSync()[0]!,
        logProbs: Float32Array.from(kept.logProbs.flatMap((tensor) => [...tensor.dataSync()])),
      };
      for (const tensor of [...kept.logProbs, kept.value!, kept.entropy!]) tensor.dispose();
      return read;
    });
    const norm = normOf(gradient);
    expectFinite(this, { loss, norm });
    this.networks.adam.step(gradient, Math.min(1, maxGradNorm / (norm + 1e-6)), learningRate);
    const logRatio = logProbs.map((now, i) => now - minibatch.logProbs[i]!);
    return { valueLoss, entropy, ...ratioMeasures(logRatio, minibatch.advantages, clipCoef) };
  }

  /** [each]; 0: the episode of the sequence ended with this step, and the next begins without memory */
  #goesOn(
    { terminated, truncated }: Estimates["batch"],
    rows: Uint32Array,
    step: number,
    each: number,
  ): Float32Array {
    return Float32Array.from({ length: each }, (_, i) => {
      const row = rows[step * each + i]!;
      return terminated[row]! + truncated[row]! > 0 ? 0 : 1;
    });
  }
}

/**
 * Losses of its lines of progress: those of PPO; `entropy` is the mean over gradient steps, of numbers up to a constant.
 */
export const RECURRENT_PPO: LearnerSpec = {
  name: "recurrent-ppo",
  title: "recurrent PPO",
  source: "Schulman et al. 2017, arXiv:1707.06347; Cho et al. 2014, arXiv:1406.1078",
  summary: "PPO whose policy has a memory (a gated recurrent unit); over boxes and choices",
  actions: ["box", "discrete"],
  options: KINDS,
  defaults: { ...DEFAULTS },
  // horizon and entropy as for PPO, for the same reasons
  tuned: { gamma: PPO.tuned["gamma"]!, entropyCoef: PPO.tuned["entropyCoef"]! },
  checkOptions: (given) => void recurrentPpoOptions(given),
  make: (setup) => new RecurrentPpo(setup),
  load: (checkpoint, setup) => RecurrentPpo.fromCheckpoint(checkpoint, setup),
  policy: (checkpoint, spaces, seed) => RecurrentPpo.fromCheckpoint(checkpoint, spaces).frozenPolicy(seed),
};
