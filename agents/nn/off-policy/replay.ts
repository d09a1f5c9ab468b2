/**
 * What learners off policy remember: transitions in a ring, the newest in place of the oldest. It goes into checkpoints as a
 * whole: what was seen depends on every policy there was, so nothing short of the whole run could rebuild it.
 */
import * as z from "zod";
import { CcparkError } from "../../../core/errors.ts";
import type { Rng } from "../../../core/random.ts";
import { type Checkpoint, readArray, type Spaces } from "../../checkpoint.ts";
import type { Batch } from "../batch.ts";

/** Transitions, row by row. */
export interface Transitions {
  readonly rows: number;
  /** [rows x observation] */
  readonly observations: Float32Array;
  /** [rows x action], raw: as the policy has them */
  readonly actions: Float32Array;
  /** [rows] */
  readonly rewards: Float64Array;
  /** observations that the steps led to, [rows x observation]: the last one of an episode, never the first of the next */
  readonly nextObservations: Float32Array;
  /** [rows]; 1: the task ended, what follows is worth nothing */
  readonly terminated: Float32Array;
}

function allocate(rows: number, width: number, actionWidth: number): Transitions {
  return {
    rows,
    observations: new Float32Array(rows * width),
    actions: new Float32Array(rows * actionWidth),
    rewards: new Float64Array(rows),
    nextObservations: new Float32Array(rows * width),
    terminated: new Float32Array(rows),
  };
}

const FIELDS = ["observations", "actions", "rewards", "nextObservations", "terminated"] as const;

/** Rows that the ring has room for at first; it grows as it fills, so that a file that asks for much gets little. */
const FIRST_ROWS = 4096;

/** Of a ring, in a checkpoint. */
export const REPLAY_STATE: z.ZodObject<{ replayCount: z.ZodNumber; replayAt: z.ZodNumber }> = z.object({
  /** transitions that are kept, and where in the ring the next one goes */
  replayCount: z.number().int().nonnegative(),
  replayAt: z.number().int().nonnegative(),
});

/** Rows of the first `count` of `kept`, drawn evenly, with replacement. */
export function drawTransitions(kept: Transitions, count: number, rows: number, rng: Rng): Transitions {
  const drawn = allocate(rows, kept.observations.length / kept.rows, kept.actions.length / kept.rows);
  const from = Uint32Array.from({ length: rows }, () => rng.integer(count));
  for (const field of FIELDS) copyRows(kept[field], from, drawn[field]);
  return drawn;
}

function copyRows(source: Float32Array | Float64Array, from: Uint32Array, into: Float32Array | Float64Array) {
  const width = into.length / from.length;
  for (let row = 0; row < from.length; row++) {
    const at = from[row]! * width;
    for (let i = 0; i < width; i++) into[row * width + i] = source[at + i]!;
  }
}

export class Replay {
  readonly #capacity: number;
  readonly #width: number;
  readonly #actionWidth: number;
  #kept: Transitions;
  #count = 0;
  /** where the next transition goes */
  #at = 0;

  /** @param capacity most transitions that are kept */
  constructor(capacity: number, { observationSpace, actionSpace }: Spaces) {
    this.#capacity = capacity;
    this.#width = observationSpace.shape[0];
    this.#actionWidth = actionSpace.shape[0];
    this.#kept = allocate(Math.min(capacity, FIRST_ROWS), this.#width, this.#actionWidth);
  }

  get count(): number {
    return this.#count;
  }

  get at(): number {
    return this.#at;
  }

  /** @param numEnvs of the batch, whose rows are step x numEnvs + environment */
  add(batch: Batch, numEnvs: number): void {
    const width = this.#width;
    const finals = new Map(batch.truncatedRows.map((row, i) => [row, batch.truncatedObservations[i]!]));
    for (let row = 0; row < batch.rows; row++) {
      if (this.#at >= this.#kept.rows) this.#grow();
      const { observations, actions, rewards, nextObservations, terminated } = this.#kept;
      const at = this.#at;
      const following = row + numEnvs;
      const next =
        finals.get(row) ??
        (following < batch.rows
          ? batch.observations.subarray(following * width, (following + 1) * width)
          : batch.last.subarray((following - batch.rows) * width, (following - batch.rows + 1) * width));
      observations.set(batch.observations.subarray(row * width, (row + 1) * width), at * width);
      nextObservations.set(next, at * width);
      const actionWidth = this.#actionWidth;
      actions.set(batch.actions.subarray(row * actionWidth, (row + 1) * actionWidth), at * actionWidth);
      rewards[at] = batch.rewards[row]!;
      terminated[at] = batch.terminated[row]!;
      this.#at = (at + 1) % this.#capacity;
      this.#count = Math.min(this.#count + 1, this.#capacity);
    }
  }

  /** Takes rows as they are, one after the other. */
  addAll(transitions: Transitions): void {
    for (let row = 0; row < transitions.rows; row++) {
      if (this.#at >= this.#kept.rows) this.#grow();
      for (const field of FIELDS) {
        const width = transitions[field].length / transitions.rows;
        this.#kept[field].set(transitions[field].subarray(row * width, (row + 1) * width), this.#at * width);
      }
      this.#at = (this.#at + 1) % this.#capacity;
      this.#count = Math.min(this.#count + 1, this.#capacity);
    }
  }

  /** @throws CcparkError (invalid-argument) for a stored state that a ring of this capacity cannot have */
  expectFits(name: string, { replayCount, replayAt }: z.infer<typeof REPLAY_STATE>): void {
    const capacity = this.#capacity;
    // a ring that is not full yet goes on behind its last; one that is full anywhere
    const fits = replayCount < capacity ? replayAt === replayCount : replayAt < capacity;
    if (replayCount <= capacity && fits) return;
    throw new CcparkError(
      "invalid-argument",
      `[checkpoint] state of \`${name}\`, replay: got ${replayCount} transitions, the next at ${replayAt}, expected what a ring of replayCapacity ${capacity} can have`,
    );
  }

  #grow(): void {
    const rows = Math.min(this.#capacity, 2 * this.#kept.rows);
    const grown = allocate(rows, this.#width, this.#actionWidth);
    for (const field of FIELDS) grown[field].set(this.#kept[field]);
    this.#kept = grown;
  }

  /** What is kept, `count` rows of it; shared. */
  get kept(): Transitions {
    return this.#kept;
  }

  /** Rows drawn evenly, with replacement. */
  sample(rows: number, rng: Rng): Transitions {
    return drawTransitions(this.#kept, this.#count, rows, rng);
  }

  /** Copies, for a checkpoint: what is kept, in the order of the ring. */
  arrays(): Record<string, Float32Array | Float64Array> {
    const { rows } = this.#kept;
    return Object.fromEntries(
      FIELDS.map((field) => {
        const kept = this.#kept[field];
        return [`replay.${field}`, kept.slice(0, (kept.length / rows) * this.#count)];
      }),
    );
  }

  /**
   * @param arrays of `readReplay`
   * @param at where the next transition goes
   */
  restore(arrays: Readonly<Record<string, ArrayLike<number>>>, count: number, at: number): void {
    while (this.#kept.rows < count) this.#grow();
    for (const field of FIELDS) this.#kept[field].set(arrays[`replay.${field}`]!);
    this.#count = count;
    this.#at = at;
  }
}

/**
 * The arrays of a checkpoint, before anything is made by its header.
 * @throws CcparkError (invalid-argument) where one is missing, of another length, or has numbers that it cannot have
 */
export function readReplay(
  checkpoint: Checkpoint,
  { observationSpace, actionSpace }: Spaces,
  count: number,
): Record<string, Float32Array | Float64Array> {
  const width = observationSpace.shape[0];
  const lengths = {
    observations: count * width,
    actions: count * actionSpace.shape[0],
    rewards: count,
    nextObservations: count * width,
    terminated: count,
  };
  const arrays = Object.fromEntries(
    FIELDS.map((field) => [`replay.${field}`, readArray(checkpoint, `replay.${field}`, lengths[field])]),
  );
  const n = actionSpace.kind === "discrete" ? actionSpace.n : undefined;
  const expectAll = (field: string, holds: (x: number) => boolean, expected: string): void => {
    const wrong = arrays[`replay.${field}`]!.find((x) => !holds(x));
    if (wrong === undefined) return;
    throw new CcparkError(
      "invalid-argument",
      `[checkpoint] array \`replay.${field}\`: got ${wrong}, expected ${expected}`,
    );
  };
  if (n !== undefined) {
    const isChoice = (x: number): boolean => Number.isInteger(x) && x >= 0 && x < n;
    expectAll("actions", isChoice, `whole numbers, 0 to ${n - 1}`);
  }
  expectAll("terminated", (x) => x === 0 || x === 1, "0 or 1");
  return arrays;
}

/** Lets the weights of a target network follow those that learn. @param tau share of the difference, 0 to 1 */
export function follow(target: Float32Array, online: Float32Array, tau: number): void {
  for (let i = 0; i < target.length; i++) target[i]! += tau * (online[i]! - target[i]!);
}
