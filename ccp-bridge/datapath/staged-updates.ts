/**
 * Values from the agent that a flow's next invocation writes into its registers. Where an engine runs the flow's program by
 * itself (`BLOCK.runnable`), `Cwnd` and `Rate` wait in the flow's block, and the engine takes them with the next ACK: the
 * decision that comes most often costs no call of the datapath.
 */
import { IMPLICIT } from "../program.ts";
import { BLOCK, type RegisterArena } from "./register-arena.ts";

const TWO_32 = 2 ** 32;
/** Of a value whose double is exact. */
const MAX_HIGH = 2 ** 21 - 1;

/** Copies in this module, which V8 folds into the code of a hot path. */
const CWND_WORD = BLOCK.implicit + IMPLICIT.cwnd;
const RATE_WORD = BLOCK.implicit + IMPLICIT.rate;
const RUNNABLE = BLOCK.runnable;
const STAGED_CWND = BLOCK.stagedCwnd;
const STAGED_RATE = BLOCK.stagedRate;

/** Bits of what is staged in a block. */
const CWND_IS_STAGED = 1;
const RATE_IS_STAGED = 2;

/** Where each of the two waits. One after the other in the same code: what comes later to one of them is nothing new to V8 then. */
const IN_ENGINE = [
  { bit: CWND_IS_STAGED, from: STAGED_CWND, word: CWND_WORD },
  { bit: RATE_IS_STAGED, from: STAGED_RATE, word: RATE_WORD },
] as const;

/** Words of the block, at most one entry each, in order of arrival. */
export class StagedUpdates {
  count = 0;
  readonly words: number[] = [];
  readonly lows: number[] = [];
  readonly highs: number[] = [];

  put(word: number, low: number, high: number): void {
    let i = 0;
    while (i < this.count && this.words[i] !== word) i += 1;
    if (i === this.count) this.count += 1;
    this.words[i] = word;
    this.lows[i] = low;
    this.highs[i] = high;
  }

  /** Keeps Cwnd and Rate. */
  dropControls(): void {
    let kept = 0;
    for (let i = 0; i < this.count; i++) {
      if (this.words[i]! >= BLOCK.control) continue;
      this.words[kept] = this.words[i]!;
      this.lows[kept] = this.lows[i]!;
      this.highs[kept] = this.highs[i]!;
      kept += 1;
    }
    this.count = kept;
  }

  clear(): void {
    this.count = 0;
  }
}

/**
 * Leaves a value of `Cwnd` or `Rate` in the flow's block for the engine; the last one of a register wins.
 * @returns false: the engine does not run this flow, or would not have the value exactly; nothing has happened then
 */
export function stageForEngine(
  { f64, u32 }: RegisterArena,
  base: number,
  word: number,
  low: number,
  high: number,
): boolean {
  const block = base / 8;
  const runnable = 2 * (block + RUNNABLE);
  if (u32[runnable] === 0 || high > MAX_HIGH) return false;
  const isCwnd = word === CWND_WORD;
  f64[block + (isCwnd ? STAGED_CWND : STAGED_RATE)] = low + high * TWO_32;
  u32[runnable + 1]! |= isCwnd ? CWND_IS_STAGED : RATE_IS_STAGED;
  return true;
}

/**
 * Takes back what the engine has not taken yet.
 * @returns whether there was any
 */
export function unstageFromEngine(
  { f64, u32 }: RegisterArena,
  base: number,
  staging: StagedUpdates,
): boolean {
  const block = base / 8;
  const runnable = 2 * (block + RUNNABLE);
  const staged = u32[runnable + 1]!;
  if (staged === 0) return false;
  u32[runnable + 1] = 0;
  for (const { bit, from, word } of IN_ENGINE) {
    if ((staged & bit) === 0) continue;
    const value = f64[block + from]!;
    staging.put(word, value >>> 0, Math.floor(value / TWO_32));
  }
  return true;
}
