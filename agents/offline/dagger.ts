/**
 * DAgger: a policy that does what a teacher would do where the policy itself goes. Options and gradient step; loop and checkpoints
 * are those of every learner from recorded runs (nn/offline/offline.ts).
 *
 * Ross, Gordon and Bagnell 2011, "A Reduction of Imitation Learning and Structured Prediction to No-Regret Online Learning"
 * (arXiv:1011.0686): the policy acts, the teacher says of every state what it would have done, and the policy learns from all of
 * that so far. The teacher knows what the policy cannot see, such as the link's future (envs/recorded/teacher.ts): what can be told
 * from the observations is learnt, what cannot becomes a mean. What differs: the policy acts alone from the first step on (the
 * paper's beta is 0), unless recorded runs stand at the beginning.
 */
import type { z } from "zod";
import { CcparkError } from "../../core/errors.ts";
import { type Checkpoint, readState, restoreSpaces } from "../checkpoint.ts";
import type { LearnerSetup, LearnerSpec } from "../learner.ts";
import type { CheckpointParts } from "../learning-loop.ts";
import type { Batch } from "../nn/batch.ts";
import { COMMON_KINDS } from "../nn/learner-checks.ts";
import { REPLAY_STATE, Replay, readReplay, type Transitions } from "../nn/off-policy/replay.ts";
import {
  loadOffline,
  OFFLINE_DEFAULTS,
  OFFLINE_KINDS,
  OfflineLearner,
  type OfflineOptions,
} from "../nn/offline/offline.ts";
import { rawActions } from "../nn/offline/recorded.ts";
import { type OptionKind, readOptions, whole } from "../nn/options.ts";

/** What each means and may be: KINDS; `ccpark explain hyperparameters` prints it. */
export interface DaggerOptions extends OfflineOptions {
  readonly replayCapacity: number;
}

const DEFAULTS: DaggerOptions = {
  ...OFFLINE_DEFAULTS,
  replayCapacity: 100_000,
  resetEvery: 80,
  backend: "auto",
};

const KINDS: { readonly [Name in keyof DaggerOptions]: OptionKind } = {
  ...OFFLINE_KINDS,
  ...COMMON_KINDS,
  replayCapacity: whole(
    1,
    1e8,
    "most states with the teacher's action that are kept, over all environments; a checkpoint holds them all",
  ),
};

/**
 * Fills in defaults and checks.
 * @throws CcparkError: not-found for an unknown option, invalid-argument for a value out of its range
 */
export function daggerOptions(given: Readonly<Record<string, unknown>> = {}): DaggerOptions {
  return readOptions("dagger", KINDS, DEFAULTS, given);
}

export class Dagger extends OfflineLearner<DaggerOptions> {
  readonly #taught: Replay;

  /** @throws CcparkError: not-found for an unknown option, invalid-argument for a value out of its range or data that do not fit */
  constructor(setup: LearnerSetup) {
    const options = daggerOptions(setup.options);
    super("dagger", options, setup);
    this.#taught = new Replay(options.replayCapacity, this.spec);
    if (this.recorded !== undefined) this.#taught.addAll(this.recorded);
  }

  /** As `LearnerSpec.load`; spaces are the stored ones unless given. */
  static fromCheckpoint(
    checkpoint: Checkpoint,
    setup: Omit<LearnerSetup, "seed"> = restoreSpaces(checkpoint.header),
  ): Dagger {
    return loadOffline(checkpoint, setup, daggerOptions, (whole) => new Dagger(whole));
  }

  protected override source(): { readonly kept: Transitions; readonly count: number } {
    return { kept: this.#taught.kept, count: this.#taught.count };
  }

  /** @throws CcparkError (failed-precondition) for environments without a teacher */
  protected override watched(batch: Batch, numEnvs: number): void {
    const { actionSpace } = this.spec;
    const { states } = batch;
    if (states === undefined || states.length !== batch.actions.length) {
      throw new CcparkError(
        "failed-precondition",
        "[dagger] environment: got none with a teacher, expected one that says what it would have done",
      );
    }
    this.#taught.add({ ...batch, actions: rawActions(actionSpace, states) }, numEnvs);
  }

  protected override stored(): CheckpointParts {
    const { state, arrays } = super.stored();
    const { count: replayCount, at: replayAt } = this.#taught;
    return { state: { ...state, replayCount, replayAt }, arrays: { ...arrays, ...this.#taught.arrays() } };
  }

  override restore(checkpoint: Checkpoint): void {
    const state: z.infer<typeof REPLAY_STATE> = readState(checkpoint.header, REPLAY_STATE.loose());
    this.#taught.expectFits(this.name, state);
    const stored = readReplay(checkpoint, this.spec, state.replayCount);
    super.restore(checkpoint);
    this.#taught.restore(stored, state.replayCount, state.replayAt);
  }
}

/**
 * Losses of its lines of progress:
 *
 * | name | unit | meaning |
 * | --- | --- | --- |
 * | policyLoss | nat | -log pi of the teacher's actions, of numbers in units of half the box |
 */
export const DAGGER: LearnerSpec = {
  name: "dagger",
  title: "DAgger",
  source:
    "Ross, Gordon and Bagnell 2011, arXiv:1011.0686; towards an oracle as Indigo (Yan et al. 2018, Pantheon)",
  summary:
    "does what the oracle, which knows the link's future, would do where the policy goes; `--dataset DIR` gives it recorded runs to begin with",
  actions: ["box", "discrete"],
  needs: { dataset: "optional", teacher: true },
  options: KINDS,
  defaults: { ...DEFAULTS },
  tuned: {},
  checkOptions: (given) => void daggerOptions(given),
  make: (setup) => new Dagger(setup),
  load: (checkpoint, setup) => Dagger.fromCheckpoint(checkpoint, setup),
  policy: (checkpoint, spaces, seed) => Dagger.fromCheckpoint(checkpoint, spaces).frozenPolicy(seed),
};
