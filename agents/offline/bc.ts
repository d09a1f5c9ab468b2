/**
 * Behaviour cloning: a policy that does what was done in recorded runs. Options and gradient step; data, loop and checkpoints are
 * those of every learner from recorded runs (nn/offline/offline.ts).
 *
 * Pomerleau 1991, "Efficient Training of Artificial Neural Networks for Autonomous Navigation": maximum likelihood of the actions
 * of whoever was recorded. It is as good as they are where they went, and knows nothing of where they never were; what mends that
 * is DAgger (dagger.ts), and what may do better than they is IQL (iql.ts).
 */
import { type Checkpoint, restoreSpaces } from "../checkpoint.ts";
import type { LearnerSetup, LearnerSpec } from "../learner.ts";
import { COMMON_KINDS } from "../nn/learner-checks.ts";
import {
  loadOffline,
  OFFLINE_DEFAULTS,
  OFFLINE_KINDS,
  OfflineLearner,
  type OfflineOptions,
} from "../nn/offline/offline.ts";
import { type OptionKind, readOptions } from "../nn/options.ts";

export type BcOptions = OfflineOptions;

const DEFAULTS: BcOptions = { ...OFFLINE_DEFAULTS, resetEvery: 80, backend: "auto" };

const KINDS: { readonly [Name in keyof BcOptions]: OptionKind } = { ...OFFLINE_KINDS, ...COMMON_KINDS };

/**
 * Fills in defaults and checks.
 * @throws CcparkError: not-found for an unknown option, invalid-argument for a value out of its range
 */
export function bcOptions(given: Readonly<Record<string, unknown>> = {}): BcOptions {
  return readOptions("bc", KINDS, DEFAULTS, given);
}

export class Bc extends OfflineLearner<BcOptions> {
  /** @throws CcparkError: not-found for an unknown option, invalid-argument for a value out of its range or data that do not fit */
  constructor(setup: LearnerSetup) {
    super("bc", bcOptions(setup.options), setup);
  }

  /** As `LearnerSpec.load`; spaces are the stored ones unless given. */
  static fromCheckpoint(
    checkpoint: Checkpoint,
    setup: Omit<LearnerSetup, "seed"> = restoreSpaces(checkpoint.header),
  ): Bc {
    return loadOffline(checkpoint, setup, bcOptions, (whole) => new Bc(whole));
  }
}

/**
 * Losses of its lines of progress:
 *
 * | name | unit | meaning |
 * | --- | --- | --- |
 * | policyLoss | nat | -log pi of the recorded actions, of numbers in units of half the box |
 */
export const BC: LearnerSpec = {
  name: "bc",
  title: "behaviour cloning",
  source: "Pomerleau 1991, Neural Computation 3(1)",
  summary: "does what was done in recorded runs (`--dataset DIR` of `ccpark dataset`)",
  actions: ["box", "discrete"],
  needs: { dataset: "required" },
  options: KINDS,
  defaults: { ...DEFAULTS },
  tuned: {},
  checkOptions: (given) => void bcOptions(given),
  make: (setup) => new Bc(setup),
  load: (checkpoint, setup) => Bc.fromCheckpoint(checkpoint, setup),
  policy: (checkpoint, spaces, seed) => Bc.fromCheckpoint(checkpoint, spaces).frozenPolicy(seed),
};
