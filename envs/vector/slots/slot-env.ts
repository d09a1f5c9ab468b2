/**
 * What a vector form steps: environments of one or several slots (flows), synchronous in virtual time. Whoever offers this interface can be
 * stepped in rows, on the calling thread or in worker threads, here or for a client elsewhere.
 */
import type { MoveTarget } from "../../../scenarios/traffic/named-flows.ts";
import type { StepInfo } from "../../env.ts";
import type { FlowRows } from "../../multi-flow-env.ts";
import type { Box, Space } from "../../spaces.ts";
import type { MaybePromise } from "../place.ts";
import type { GroundTruth } from "./ground-truth.ts";

/** Of the classes that follow a `SlotEnv`: what is fixed from its making on. */
export interface SlotEnvShape {
  readonly observationSpace: Box;
  readonly actionSpace: Space;
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
  /** what somebody who wrote the scenario may not have meant, a sentence each */
  readonly notes: readonly string[];
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
   * @returns rough size of its episode, bytes
   * @throws CcparkError; nothing has changed
   */
  checkScenario(scenario: unknown, seed: number): number;
  /**
   * @param seed a whole number, 0 to 2^53 - 1
   * @param scenario for this episode only, from another process; absent: the environment's own
   * @returns a promise where the world's time has to be waited for, as `step`
   * @throws CcparkError; the environment is as before
   */
  reset(seed: number, scenario?: unknown): MaybePromise<void>;
  /** @param actions [slots x actionSpace.shape[0]], finite, legal; those of slots that are not live are ignored; read at once */
  step(actions: Float32Array): MaybePromise<void>;
  /** Gives back what an episode holds outside of memory; nothing where there is none. */
  close?(): void;
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
  /** Measures of the episode so far of a slot that is or was present, units in the names; NaN: not measured. */
  episodeMetrics(slot: number): Readonly<Record<string, number>>;
  /** As of `Run.move`, after the first reset: from the next step on, until the episode ends. @throws CcparkError */
  move(slot: number, to: MoveTarget): void;
  /** The simulator's books. */
  state(): GroundTruth;
  /** A picture of the episode so far: ansi, svg or rgb_array; undefined: there is no such mode. */
  render(mode: string): MaybePicture;
}

export interface Picture {
  readonly mediaType: string;
  readonly data: Uint8Array;
  /** of an array of pixels; empty otherwise */
  readonly shape: readonly number[];
}

/** SVG and pixels come from libraries that answer later. */
export type MaybePicture = Picture | undefined | Promise<Picture | undefined>;

/**
 * Environments that can be made by name from plain data, so that a worker thread makes the same ones as the thread that
 * asks for them.
 */
export interface EnvKind {
  readonly envId: string;
  /**
   * @param kwargs plain data, not checked; with `actionPolicy`: "clip" (default) or "reject"
   * @throws CcparkError: invalid-argument for an unknown key or a bad value, not-found for an unknown name
   */
  make(kwargs: Readonly<Record<string, unknown>>, count: number): SlotEnv[];
}
