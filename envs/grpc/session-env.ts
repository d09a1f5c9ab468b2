/**
 * What a session steps: synchronous environments of one or several slots (flows). Whoever offers this interface can be
 * served, on the main thread or in a worker thread.
 */
import { CcparkError } from "../../core/errors.ts";
import { Rng } from "../../core/random.ts";
import type { StepInfo } from "../env.ts";
import type { FlowRows } from "../multi-flow-env.ts";
import type { Box } from "../spaces.ts";
import type {
  DescribeEnvResponse,
  EnvInfo,
  GetStateResponse,
  RenderResponse,
} from "./generated/ccpark/v1/environment.ts";

/** Of the classes that follow a `SlotEnv`: what is fixed from its making on. */
export interface SlotEnvShape {
  readonly observationSpace: Box;
  readonly actionSpace: Box;
  /** values below the box are refused, whatever the action policy */
  readonly refusesBelow: boolean;
  /** one per slot */
  readonly flowIds: readonly string[];
  /** slots join and leave; false: one slot, always live */
  readonly severalFlows: boolean;
  /** virtual time of a step, s; 0: it varies */
  readonly stepSeconds: number;
  /** undefined: there is none */
  readonly stateSpace: Box | undefined;
  /** names of the reward's components */
  readonly rewardComponents: readonly string[];
  /** rough cost on this machine's scale, microseconds: decides between main thread and workers */
  readonly costUs: { readonly step: number; readonly reset: number };
  /** rough size of an episode, bytes: decides whether a session still fits */
  readonly memoryBytes: number;
}

export interface SlotEnv extends SlotEnvShape {
  /**
   * Whether `reset` would take this scenario.
   * @param scenario from another process, plain data
   * @throws CcparkError; nothing has changed
   */
  checkScenario(scenario: unknown, seed: number): void;
  /**
   * @param seed a whole number, 0 to 2^53 - 1
   * @param scenario for this episode only, from another process; absent: the environment's own
   * @throws CcparkError; the environment is as before
   */
  reset(seed: number, scenario?: unknown): void;
  /** @param actions [slots x actionSpace.shape[0]], finite, legal; those of slots that are not live are ignored */
  step(actions: Float32Array): void;
  /** whether the episode is over */
  readonly ended: boolean;
  /** Copies observations, `present` and `live` as the last reset or step left them to the rows from `row` on. */
  writeView(into: FlowRows, row: number): void;
  /** The same of rewards and ends of the last step. */
  writeOutcome(into: FlowRows, row: number): void;
  /** Copies the critic's state, float32 [stateSpace.shape[0]]. */
  writeState?(into: Float32Array, offset: number): void;
  /** of a slot that is present */
  info(slot: number): StepInfo;
  /** The components of the slot's last reward, in the order of `rewardComponents`; all 0 after a reset. */
  writeRewardComponents(slot: number, into: Float64Array): void;
  /** virtual time since the slot's flow began, s */
  simSeconds(slot: number): number;
  /** Measures of the episode so far of a slot that is or was present, units in the names. */
  episodeMetrics(slot: number): Readonly<Record<string, number>>;
  /** Ground truth, but for the seed. @throws RpcError UNIMPLEMENTED */
  state(): Omit<GetStateResponse, "seed">;
  /** A picture of the episode so far, in a mode of `RenderRequest`. @throws RpcError UNIMPLEMENTED */
  render(mode: string): MaybeRendered;
}

/** SVG and pixels come from libraries that answer later. */
export type MaybeRendered = RenderResponse | Promise<RenderResponse>;

/** An environment as it is served under its id. */
export interface ServedEnv {
  readonly envId: string;
  list(): EnvInfo;
  describe(): DescribeEnvResponse;
  /**
   * @param kwargs plain data from the client, not checked, plus `actionPolicy`: "clip" or "reject"
   * @throws CcparkError: invalid-argument for an unknown key or a bad value, not-found for an unknown name
   */
  make(kwargs: Readonly<Record<string, unknown>>, count: number): SlotEnv[];
}

/** @throws CcparkError (invalid-argument) unless the seed is a whole number, 0 to 2^53 - 1 */
export function checkSeed(seed: unknown, what: string, field: string = what): number {
  if (typeof seed !== "number" || !Number.isSafeInteger(seed) || seed < 0) {
    throw new CcparkError(
      "invalid-argument",
      `[grpc] ${what}: got ${String(seed)}, expected a whole number, 0 to 2^53 - 1`,
      { field },
    );
  }
  return seed;
}

/** The seeds of one environment's episodes, those of `VectorEnv`: the given one first, then draws from a generator it starts. */
export class EpisodeSeeds {
  #upcoming: number;
  #rng: Rng | undefined;
  readonly #first: number;

  constructor(first: number) {
    this.#upcoming = this.#first = first;
  }

  /** Of the next episode: a whole number, 0 to 2^53 - 1. */
  get upcoming(): number {
    return this.#upcoming;
  }

  /** Call it once the episode has begun. */
  advance(): void {
    this.#rng ??= Rng.fromSeed(this.#first).fork("episodes");
    this.#upcoming = this.#rng.integer(2 ** 32);
  }
}
