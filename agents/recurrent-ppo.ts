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
import { type Checkpoint, restoreSpaces } from "./checkpoint.ts";
import type { LearnerSetup, LearnerSpec } from "./learner.ts";
import { gather, shuffled, withMemories } from "./nn/batch.ts";
import { COMMON_KINDS, expectFinite } from "./nn/learner-checks.ts";
import { normOf } from "./nn/mlp-tensors.ts";
import { type Estimates, loadOnPolicy, ON_POLICY_KINDS, OnPolicyLearner } from "./nn/on-policy/on-policy.ts";
import { type RatioMeasures, ratioMeasures } from "./nn/on-policy/ratios.ts";
import { type OptionKind, readOptions, whole } from "./nn/options.ts";
import { GruNetwork } from "./nn/recurrent/gru-network.ts";
import { fusedSequenceStep, type SequencesGiven, tensorSequenceStep } from "./nn/recurrent/sequence-step.ts";
import { explainedVariance, Means } from "./nn/statistics.ts";
import { clippedSurrogate, PPO, PPO_DEFAULTS, PPO_KINDS, type PpoOptions } from "./ppo.ts";
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
  readonly #gru: GruNetwork;

  /** @throws CcparkError: not-found for an unknown option, invalid-argument for a value out of its range */
  constructor(setup: LearnerSetup) {
    const options = recurrentPpoOptions(setup.options);
    super("recurrent-ppo", options, setup, { memory: options.memory });
    this.#gru = new GruNetwork(this.policy.layout);
  }

  /** As `LearnerSpec.load`; spaces are the stored ones unless given. Options replace stored ones, but not `hidden` and `memory`. */
  static fromCheckpoint(
    checkpoint: Checkpoint,
    setup: Omit<LearnerSetup, "seed"> = restoreSpaces(checkpoint.header),
  ): RecurrentPpo {
    return loadOnPolicy(checkpoint, setup, recurrentPpoOptions, (whole) => new RecurrentPpo(whole));
  }

  protected override descend(
    tf: Tf | undefined,
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
    tf: Tf | undefined,
    { batch, advantages, scaledTargets }: Estimates,
    { firsts, steps, numEnvs }: Sequences,
    learningRate: number,
  ): Losses {
    const { clipCoef, maxGradNorm, memory: units } = this.options;
    const { networks } = this;
    const each = firsts.length;
    // in the order of time: all sequences' first steps, then their second ones
    const rows = Uint32Array.from({ length: steps * each }, (_, i) => {
      return firsts[i % each]! + Math.floor(i / each) * numEnvs;
    });
    const gathered = gather(batch, advantages, scaledTargets, rows);
    const remembered = new Float32Array(rows.length * units);
    rows.forEach((row, i) => {
      remembered.set(batch.memories!.subarray(row * units, (row + 1) * units), i * units);
    });
    const minibatch = {
      ...gathered,
      valueInputs: withMemories(gathered.observations, remembered, rows.length),
    };
    const started = remembered.slice(0, each * units);
    const goesOn = Float32Array.from(rows, (row) =>
      batch.terminated[row]! + batch.truncated[row]! > 0 ? 0 : 1,
    );
    const given: SequencesGiven = {
      ...this.options,
      minibatch,
      sequences: { steps, each, started, goesOn },
      surrogateOf: (some) => clippedSurrogate(some, clipCoef),
    };
    const { loss, gradient, valueLoss, entropy, logProb } =
      tf === undefined
        ? fusedSequenceStep(networks, this.#gru, given)
        : tensorSequenceStep(tf, networks, given);
    const norm = normOf(gradient);
    expectFinite(this, { loss, norm });
    networks.adam.step(gradient, Math.min(1, maxGradNorm / (norm + 1e-6)), learningRate);
    const logRatio = logProb.map((now, i) => now - minibatch.logProbs[i]!);
    return { valueLoss, entropy, ...ratioMeasures(logRatio, minibatch.advantages, clipCoef) };
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
