/**
 * Multi-agent proximal policy optimisation: several flows that learn one policy together. It is PPO (ppo.ts) over rows that are flows,
 * but the value network is central: it sees the state of the whole network beside what the flow sees (`envs/signals/global-state.ts`:
 * everybody's throughput, windows, queues, which no flow can know), so that a flow's advantage is not blurred by what the
 * others happen to do. The policy sees its own flow alone, and acts on any path by itself.
 *
 * Yu et al. 2022, "The Surprising Effectiveness of PPO in Cooperative Multi-Agent Games" (arXiv:2103.01955), with shared parameters; the
 * state is that of Astraea's critic (EuroSys 2024). Left out: one value for all flows (each has its own reward), a second thread for
 * the value network.
 */
import { CcparkError } from "../core/errors.ts";
import type { AnyVectorEnv } from "../envs/env.ts";
import { GLOBAL_STATE } from "../envs/signals/global-state.ts";
import { type Checkpoint, restoreSpaces } from "./checkpoint.ts";
import type { LearnerSetup, LearnerSpec } from "./learner.ts";
import type { Update, UpdatePlace } from "./learning-loop.ts";
import { loadOnPolicy } from "./nn/on-policy/on-policy.ts";
import { PPO, PPO_DEFAULTS, PPO_KINDS, Ppo, ppoOptions } from "./ppo.ts";
import type { Tf } from "./tfjs/tfjs-patches.ts";

const NAME = "mappo";
const [CENTRAL] = GLOBAL_STATE.space.shape;

export class Mappo extends Ppo {
  protected override readonly hasManySteps = false;

  /** @throws CcparkError: not-found for an unknown option, invalid-argument for a value out of its range */
  constructor(setup: LearnerSetup) {
    super(setup, NAME, { central: CENTRAL });
  }

  /** As `LearnerSpec.load`; spaces are the stored ones unless given. Options replace stored ones, but not `hidden`. */
  static override fromCheckpoint(
    checkpoint: Checkpoint,
    setup: Omit<LearnerSetup, "seed"> = restoreSpaces(checkpoint.header),
  ): Mappo {
    return loadOnPolicy(checkpoint, setup, ppoOptions, (whole) => new Mappo(whole), CENTRAL);
  }

  /** @throws CcparkError (failed-precondition) for environments without a state of the network */
  protected override async update(
    tf: Tf | undefined,
    envs: AnyVectorEnv,
    place: UpdatePlace,
  ): Promise<Update> {
    if (envs.states?.length !== envs.numEnvs * CENTRAL) {
      throw new CcparkError(
        "failed-precondition",
        `[${NAME}] environment: got ${envs.states === undefined ? "no states" : `states of ${envs.states.length / envs.numEnvs}`}, expected ${CENTRAL} numbers of the network for each flow`,
      );
    }
    return super.update(tf, envs, place);
  }
}

/** Losses of its lines of progress: PPO's. */
export const MAPPO: LearnerSpec = {
  name: NAME,
  title: "MAPPO",
  source: "Yu et al. 2022, arXiv:2103.01955; state of the critic: Astraea (EuroSys 2024)",
  summary:
    "PPO for several flows that share a policy, with a value network that sees the whole network; needs a scenario with several flows under test and steps of a fixed length",
  actions: ["box", "discrete"],
  needs: { flows: true },
  options: PPO_KINDS,
  defaults: { ...PPO_DEFAULTS },
  tuned: { ...PPO.tuned },
  checkOptions: (given) => void ppoOptions(given),
  make: (setup) => new Mappo(setup),
  load: (checkpoint, setup) => Mappo.fromCheckpoint(checkpoint, setup),
  policy: (checkpoint, spaces, seed) => Mappo.fromCheckpoint(checkpoint, spaces).frozenPolicy(seed),
};
