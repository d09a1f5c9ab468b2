/** Where a block of rows lives: on this thread, or in a worker (`worker-threads.ts`), behind one interface. */
import { CcparkError } from "../../core/errors.ts";
import type { MoveTarget } from "../../scenarios/traffic/named-flows.ts";
import type { RowTask } from "../env.ts";
import type { Handover, RowBlock, RowEpisode } from "./block.ts";
import type { GroundTruth } from "./slots/ground-truth.ts";
import type { MaybePicture, SlotEnv } from "./slots/slot-env.ts";
import { Stretches } from "./stretches.ts";

/** Small vectors answer at once, on the calling thread; others later, from worker threads. */
export type MaybePromise<T> = T | Promise<T>;

export interface EnvTruth extends GroundTruth {
  /** of the episode */
  readonly seed: number;
}

/** The same without the scenario, which may be large: for who reads after every step. */
export type EnvBooks = Omit<EnvTruth, "scenario">;

/** Calls are carried out in order; each throws or rejects with BrokenEnv, LostWorker or another CcparkError. */
export interface BlockPlace {
  /** environments from (inclusive) to (exclusive) */
  readonly from: number;
  readonly to: number;
  reset(seeded: boolean, scenario?: unknown): MaybePromise<void>;
  step(): MaybePromise<readonly RowEpisode[]>;
  /** Carries out a task on the block's thread, which may end with other rows than it began with. */
  perform<Given, Result>(task: RowTask<Given, Result>, given: Given): Promise<Result>;
  state(env: number): MaybePromise<EnvTruth>;
  books(env: number): MaybePromise<EnvBooks>;
  /** as of `SlotEnv` */
  move(env: number, slot: number, to: MoveTarget): MaybePromise<void>;
  render(env: number, mode: string): MaybePicture;
  /** as of `RowBlock` */
  release(envs: readonly number[]): MaybePromise<Handover[]>;
  adopt(handovers: readonly Handover[]): MaybePromise<void>;
  /** Frees the environments. */
  close(): void;
}

type LostWhy = "ended" | "out-of-time" | "out-of-memory" | "no-room";
const LOST_KINDS = {
  ended: "internal",
  "out-of-time": "unavailable",
  "out-of-memory": "resource-exhausted",
  "no-room": "resource-exhausted",
} as const;

/** The worker thread that held environments is no more, and they are gone with it. */
export class LostWorker extends CcparkError {
  readonly why: LostWhy;
  constructor(why: LostWhy, message: string) {
    super(LOST_KINDS[why], `[env] ${message}`);
    this.why = why;
  }
}

export function truthOf(env: SlotEnv, seed: number): EnvTruth {
  return { ...env.state(), seed };
}

export function booksOf(env: SlotEnv, seed: number): EnvBooks {
  const { scenario: _, ...books } = truthOf(env, seed);
  return books;
}

/** A block on the calling thread. */
export function placeHere(block: RowBlock, from: number, to: number, seeds: Float64Array): BlockPlace {
  const stretches = new Stretches(block, true);
  return {
    from,
    to,
    reset: (seeded, scenario) => block.reset(seeded, scenario),
    step: () => block.step(),
    perform: (task, given) => task.run(stretches, given),
    state: (env) => truthOf(block.envAt(env), seeds[env]!),
    books: (env) => booksOf(block.envAt(env), seeds[env]!),
    move: (env, slot, to) => block.envAt(env).move(slot, to),
    render: (env, mode) => block.envAt(env).render(mode),
    release: (envs) => block.release(envs),
    adopt: (handovers) => block.adopt(handovers),
    close: () => block.close(),
  };
}

/** Does something on all blocks at once, and answers at once where none answers later. */
export function onAll<T, R>(
  blocks: readonly BlockPlace[],
  start: (block: BlockPlace) => MaybePromise<T>,
  answer: (results: T[]) => R,
): MaybePromise<R> {
  const [only] = blocks;
  if (blocks.length > 1 || only === undefined) {
    return settleAll(blocks.map(async (block) => start(block))).then(answer);
  }
  const result = start(only);
  return result instanceof Promise ? result.then((late) => answer([late])) : answer([result]);
}

/** Waits for all, also after one has failed: the arrays are theirs until then. */
export async function settleAll<T>(results: readonly MaybePromise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(results);
  return settled.map((each) => {
    if (each.status === "rejected") throw each.reason;
    return each.value;
  });
}
