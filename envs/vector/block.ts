/**
 * A contiguous range of environments, stepped in order on one thread: autoreset, seeds, time limit and sums of episodes.
 * All vector forms are made of such blocks. What comes in and goes out lies in arrays that the blocks share.
 *
 *   environment:  NEW --reset--> RUNNING --episode ends--> ENDED --reset or NEXT_STEP--> RUNNING    (SAME_STEP: stays RUNNING)
 */
import { CcparkError, type ErrorKind } from "../../core/errors.ts";
import { thrownText } from "../../core/module-files.ts";
import { ENDED, NEW, type RowArrays, RUNNING } from "./arrays.ts";
import { EpisodeSeeds } from "./episode-seeds.ts";
import { InfoWriter } from "./info.ts";
import { type MaybePromise, settleAll } from "./place.ts";
import type { SlotEnv } from "./slots/slot-env.ts";

/** What happens at the end of an episode: a reset in the next step instead of its action, one in the same step, or none. */
export type Autoreset = "next-step" | "same-step" | "disabled";

/** Plain data, so that it can be handed to a worker thread. */
export interface BlockConfig {
  /** environments from (inclusive) to (exclusive) */
  readonly from: number;
  readonly to: number;
  /** of environment 0 of all, until a reset gives another */
  readonly firstSeed: number;
  /** 0: none */
  readonly maxEpisodeSteps: number;
  readonly autoreset: Autoreset;
  readonly withState: boolean;
  readonly infoKeys: readonly string[];
  /** those that are not elsewhere until it adopts them, from (inclusive) to (exclusive); absent: all are here */
  readonly here?: { readonly from: number; readonly to: number };
}

/** What an environment takes along when another block goes on with it, from its next reset on. Plain data. */
export interface Handover {
  readonly env: number;
  readonly firstSeed: number;
  /** episodes whose seeds came after the first one */
  readonly advances: number;
  /** the episode that ends with the move, from 0; -1: there was none */
  readonly episode: number;
}

/** An environment threw: what it holds is unknown. Plain data, with what reproduces it. */
export interface Breakage {
  readonly env: number;
  readonly seed: number;
  readonly step: number;
  readonly doing: "reset" | "step";
  readonly message: string;
  /** of a CcparkError; undefined: it was none */
  readonly kind: ErrorKind | undefined;
}

/** An episode of one row that has ended; plain data. */
export interface RowEpisode {
  readonly row: number;
  readonly flowId: string;
  /** sum of rewards, undiscounted */
  readonly episodeReturn: number;
  readonly steps: number;
  /** virtual time since the flow's start, s */
  readonly simSeconds: number;
  readonly seed: number;
  /** of its environment, from 0 */
  readonly episode: number;
  readonly terminated: boolean;
  readonly truncated: boolean;
  /** units in the names; NaN: not measured */
  readonly metrics: Readonly<Record<string, number>>;
}

export class BrokenEnv extends Error {
  readonly breakage: Breakage;
  constructor(breakage: Breakage, cause: unknown) {
    super(breakage.message, { cause });
    this.breakage = breakage;
  }
}

interface EnvState {
  readonly env: SlotEnv;
  /** false: another block has it */
  isHere: boolean;
  seeds: EpisodeSeeds;
  /** of the episode */
  steps: number;
  /** from 0; -1 before the first */
  episode: number;
}

export class RowBlock {
  readonly #config: BlockConfig;
  readonly #rows: RowArrays;
  readonly #states: EnvState[];
  readonly #slots: number;
  readonly #flowIds: readonly string[];
  /** of each environment its part of the actions */
  readonly #actions: Float32Array[];
  /** by row of the block, of the episode that runs */
  readonly #returns: Float64Array;
  readonly #lengths: Float64Array;
  /** before the step at hand */
  readonly #wasLive: Uint8Array;
  readonly #info: InfoWriter;
  #episodes: RowEpisode[] = [];

  /** @param envs to - from of them */
  constructor(config: BlockConfig, envs: readonly SlotEnv[], rows: RowArrays) {
    const [first] = envs;
    const { from, here = config } = config;
    this.#config = config;
    this.#rows = rows;
    this.#flowIds = first!.flowIds;
    this.#slots = first!.flowIds.length;
    const width = this.#slots * first!.actionSpace.shape[0];
    this.#actions = envs.map((_, i) => rows.actions.subarray((from + i) * width, (from + i + 1) * width));
    this.#states = envs.map((env, i) => ({
      env,
      isHere: here.from <= from + i && from + i < here.to,
      seeds: new EpisodeSeeds(config.firstSeed + from + i),
      steps: 0,
      episode: -1,
    }));
    this.#returns = new Float64Array(envs.length * this.#slots);
    this.#lengths = new Float64Array(envs.length * this.#slots);
    this.#wasLive = new Uint8Array(envs.length * this.#slots);
    this.#info = new InfoWriter(config.infoKeys, first!.rewardComponents, rows.phase.length * this.#slots);
  }

  /**
   * Resets the environments that `mask` marks.
   * @param seeded with `nextSeeds`; false: each goes on with its own sequence
   * @returns a promise where the time of an environment has to be waited for
   * @throws BrokenEnv, at once or as a rejection
   */
  reset(seeded: boolean, scenario?: unknown): MaybePromise<void> {
    const { from, to } = this.#config;
    const { mask, nextSeeds } = this.#rows;
    const later: Promise<void>[] = [];
    for (let e = from; e < to; e++) {
      if (mask[e] === 0 || !this.#states[e - from]!.isHere) continue;
      if (seeded) this.#states[e - from]!.seeds = new EpisodeSeeds(nextSeeds[e]!);
      const begun = this.#begin(e, "reset", scenario);
      if (begun !== undefined) later.push(begun);
    }
    return later.length === 0 ? undefined : settleAll(later).then(() => undefined);
  }

  /**
   * One step of all environments; their actions are legal.
   * @returns episodes that ended; a promise where the time of an environment has to be waited for
   * @throws BrokenEnv, at once or as a rejection
   */
  step(): MaybePromise<readonly RowEpisode[]> {
    const { from, to } = this.#config;
    if (this.#episodes.length > 0) this.#episodes = [];
    let later: Promise<void>[] | undefined;
    for (let e = from; e < to; e++) {
      if (!this.#states[e - from]!.isHere) continue;
      this.#unmark(e);
      const done = this.#rows.phase[e] === ENDED ? this.#restart(e) : this.#advance(e, false);
      if (done !== undefined) (later ??= []).push(done);
    }
    return later === undefined ? this.#episodes : settleAll(later).then(() => this.#episodes);
  }

  /**
   * One step of one environment that is here; its action is legal. An episode that ends leaves its last observation behind, and
   * the next one waits for `beginNext`, here or in another block that has adopted it.
   * @returns and @throws as `step`
   */
  stepOne(env: number): MaybePromise<readonly RowEpisode[]> {
    if (this.#episodes.length > 0) this.#episodes = [];
    this.#unmark(env);
    const later = this.#advance(env, true);
    return later === undefined ? this.#episodes : later.then(() => this.#episodes);
  }

  /** Begins the next episode of an environment that is here. @returns and @throws as `reset` */
  beginNext(env: number): MaybePromise<void> {
    return this.#begin(env, "step");
  }

  /** Forgets what the last step said of it. */
  #unmark(e: number): void {
    const { resetRows, hasFinal, ended } = this.#rows;
    for (let row = e * this.#slots; row < (e + 1) * this.#slots; row++) resetRows[row] = hasFinal[row] = 0;
    ended[e] = 0;
  }

  /** Lets another block go on with these environments, which it must do with a reset. */
  release(envs: readonly number[]): Handover[] {
    return envs.map((env) => {
      const state = this.#states[env - this.#config.from]!;
      state.isHere = false;
      state.env.close?.();
      const { first: firstSeed, advances } = state.seeds;
      return { env, firstSeed, advances, episode: state.episode };
    });
  }

  /** Goes on with environments of another block. */
  adopt(handovers: readonly Handover[]): void {
    for (const { env, firstSeed, advances, episode } of handovers) {
      const state = this.#states[env - this.#config.from]!;
      state.isHere = true;
      state.seeds = state.seeds.goneTo(firstSeed, advances);
      state.episode = episode;
    }
  }

  /** Whether this block goes on with it, not another one. */
  isHere(env: number): boolean {
    return this.#states[env - this.#config.from]?.isHere ?? false;
  }

  /** environments from (inclusive) to (exclusive) */
  get range(): { readonly from: number; readonly to: number } {
    return this.#config;
  }

  /** of all blocks */
  get rows(): RowArrays {
    return this.#rows;
  }

  /** Frees what the environments hold outside of memory. */
  close(): void {
    for (const { env } of this.#states) env.close?.();
  }

  /** @throws RangeError if `env` is not in this block */
  envAt(env: number): SlotEnv {
    const state = this.#states[env - this.#config.from];
    if (state === undefined) throw new RangeError(`environment ${env} is not in this block`);
    return state.env;
  }

  /** Autoreset of NEXT_STEP: the actions are ignored. */
  #restart(e: number): MaybePromise<void> {
    const begun = this.#begin(e, "step");
    return begun === undefined ? this.#clear(e) : begun.then(() => this.#clear(e));
  }

  #clear(e: number): void {
    const { rewards, terminated, truncated, resetRows } = this.#rows;
    const row = e * this.#slots;
    const end = row + this.#slots;
    rewards.fill(0, row, end);
    terminated.fill(0, row, end);
    truncated.fill(0, row, end);
    resetRows.fill(1, row, end);
  }

  #begin(e: number, doing: "reset" | "step", scenario?: unknown): MaybePromise<void> {
    const state = this.#states[e - this.#config.from]!;
    const seed = state.seeds.upcoming;
    try {
      const later = state.env.reset(seed, scenario);
      if (later !== undefined) {
        return later.then(
          () => this.#begun(e, seed),
          (error) => {
            throw this.#broken(e, doing, seed, error);
          },
        );
      }
    } catch (error) {
      throw this.#broken(e, doing, seed, error);
    }
    return this.#begun(e, seed);
  }

  #begun(e: number, seed: number): void {
    const state = this.#states[e - this.#config.from]!;
    const rows = this.#rows;
    state.seeds.advance();
    state.steps = 0;
    state.episode += 1;
    const row = e * this.#slots;
    const own = row - this.#config.from * this.#slots;
    this.#returns.fill(0, own, own + this.#slots);
    this.#lengths.fill(0, own, own + this.#slots);
    rows.seeds[e] = seed;
    rows.phase[e] = RUNNING;
    rows.cut[e] = 0;
    this.#show(e);
  }

  /** Observations, presence, state and infos of one environment; its rewards and ends stay. */
  #show(e: number): void {
    const { env } = this.#states[e - this.#config.from]!;
    const row = e * this.#slots;
    env.writeView(this.#rows, row);
    if (this.#config.withState) env.writeState!(this.#rows.states, e * env.stateSpace!.shape[0]);
    if (this.#info.isEmpty) return;
    for (let slot = 0; slot < this.#slots; slot++) {
      if (this.#rows.present[row + slot] === 1) {
        this.#info.write(env, slot, this.#rows.seeds[e]!, this.#rows.infos, row + slot);
      }
    }
  }

  /** @param waits whether the next episode is to wait for `beginNext` */
  #advance(e: number, waits: boolean): MaybePromise<void> {
    const own = e - this.#config.from;
    try {
      const later = this.#states[own]!.env.step(this.#actions[own]!);
      if (later !== undefined) return this.#advancedAfter(later, e, waits);
    } catch (error) {
      throw this.#broken(e, "step", this.#rows.seeds[e]!, error);
    }
    return this.#advanced(e, waits);
  }

  // A function of its own: what a closure sees must be kept for it, also where none is made.
  #advancedAfter(later: Promise<void>, e: number, waits: boolean): Promise<void> {
    return later.then(
      () => this.#advanced(e, waits),
      (error) => {
        throw this.#broken(e, "step", this.#rows.seeds[e]!, error);
      },
    );
  }

  /** The environment has taken its step. */
  #advanced(e: number, waits: boolean): MaybePromise<void> {
    const { from, maxEpisodeSteps, autoreset } = this.#config;
    const rows = this.#rows;
    const state = this.#states[e - from]!;
    const { env } = state;
    const slots = this.#slots;
    const row = e * slots;
    const own = row - from * slots;
    const { rewards, live } = rows;
    for (let slot = 0; slot < slots; slot++) this.#wasLive[own + slot] = live[row + slot]!;
    try {
      env.writeOutcome(rows, row);
      this.#show(e);
    } catch (error) {
      throw this.#broken(e, "step", rows.seeds[e]!, error);
    }
    state.steps += 1;
    const isCut = state.steps === maxEpisodeSteps || rows.cut[e] === 1;
    if (isCut) this.#cut(row, own);
    for (let slot = 0; slot < slots; slot++) {
      if (this.#wasLive[own + slot] === 0) continue;
      this.#returns[own + slot] = this.#returns[own + slot]! + rewards[row + slot]!;
      this.#lengths[own + slot] = this.#lengths[own + slot]! + 1;
      if (live[row + slot] === 0) this.#summarise(e, slot);
    }
    if (!isCut && !env.ended) return undefined;
    rows.ended[e] = 1;
    rows.phase[e] = ENDED;
    if (autoreset !== "same-step") return undefined;
    this.#keepFinal(e, rows.present);
    return waits ? undefined : this.#begin(e, "step");
  }

  /** The time limit ends the episode: a flow that would have joined now never appears. */
  #cut(row: number, own: number): void {
    const { observations, truncated, present, live } = this.#rows;
    const width = observations.length / present.length;
    for (let slot = 0; slot < this.#slots; slot++) {
      const r = row + slot;
      live[r] = 0;
      if (this.#wasLive[own + slot] === 1) truncated[r] = 1;
      else if (present[r] === 1) {
        present[r] = 0;
        observations.fill(0, r * width, (r + 1) * width);
      }
    }
  }

  #keepFinal(e: number, present: Uint8Array): void {
    const { observations, finalObservations, states, finalStates, infos, finalInfos, hasFinal } = this.#rows;
    const [from, to] = [e * this.#slots, (e + 1) * this.#slots];
    const width = observations.length / present.length;
    finalObservations.set(observations.subarray(from * width, to * width), from * width);
    for (let row = from; row < to; row++) {
      hasFinal[row] = present[row]!;
      for (let at = row; at < infos.length; at += present.length) finalInfos[at] = infos[at]!;
    }
    const stateWidth = states.length / this.#rows.phase.length;
    finalStates.set(states.subarray(e * stateWidth, (e + 1) * stateWidth), e * stateWidth);
  }

  #summarise(e: number, slot: number): void {
    const { from } = this.#config;
    const { env, episode } = this.#states[e - from]!;
    const row = e * this.#slots + slot;
    const own = row - from * this.#slots;
    this.#episodes.push({
      row,
      flowId: this.#flowIds[slot]!,
      episodeReturn: this.#returns[own]!,
      steps: this.#lengths[own]!,
      simSeconds: env.simSeconds(slot),
      seed: this.#rows.seeds[e]!,
      episode,
      terminated: this.#rows.terminated[row] === 1,
      truncated: this.#rows.truncated[row] === 1,
      metrics: env.episodeMetrics(slot),
    });
  }

  #broken(env: number, doing: "reset" | "step", seed: number, error: unknown): BrokenEnv {
    this.#rows.phase[env] = NEW;
    const message = thrownText(error);
    const step = this.#states[env - this.#config.from]!.steps;
    const kind = error instanceof CcparkError ? error.kind : undefined;
    return new BrokenEnv({ env, seed, step, doing, message, kind }, error);
  }
}
