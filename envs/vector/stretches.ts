/**
 * Who steps which row in a task that takes many steps of each. An episode runs where it has begun: its simulation cannot move.
 * Where it ends, the row waits for a thread, and whoever has nothing else to do begins its next episode, which depends on its seed
 * alone. So threads are done at about the same time, though a step of one row costs ten times that of another; and the bytes are
 * the same however rows are shared out.
 */
import type { RowStretch, ThreadRows } from "../env.ts";
import { ENDED, RUNNING } from "./arrays.ts";
import type { RowBlock, RowEpisode } from "./block.ts";
import { RowsView } from "./rows-view.ts";

/** The rows of a block, and those that it adopts, for tasks on its thread. */
export class Stretches implements ThreadRows {
  readonly isCaller: boolean;
  readonly #block: RowBlock;
  /** by row, once it was here */
  readonly #stretches: RowStretch[] = [];
  /** of each row, in the task at hand */
  #steps = 0;

  /** @param isCaller whether its thread is the one that asks for tasks */
  constructor(block: RowBlock, isCaller: boolean) {
    this.#block = block;
    this.isCaller = isCaller;
  }

  async *stretches(steps: number): AsyncGenerator<RowStretch, void, undefined> {
    this.#steps = steps;
    try {
      // the longer an episode runs, the sooner it ends: what may be shared out is known early
      const own = this.#here().sort((a, b) => this.#ageOf(b) - this.#ageOf(a));
      for (const row of own) yield* this.#goOn(row);
      for (let row = this.#adopt(); row !== undefined; row = this.#adopt()) yield* this.#goOn(row);
    } finally {
      // also where a step was refused: no row is left without a thread
      while (this.#adopt() !== undefined);
    }
  }

  #here(): number[] {
    const { from, to } = this.#block.range;
    const rows = Array.from({ length: to - from }, (_, i) => from + i);
    return rows.filter((row) => this.#block.isHere(row));
  }

  /** Virtual time of its episode so far, s. */
  #ageOf(row: number): number {
    return this.#block.rows.phase[row] === RUNNING ? this.#block.envAt(row).simSeconds(0) : 0;
  }

  /** Until its episode ends, or the task. */
  async *#goOn(row: number): AsyncGenerator<RowStretch, void, undefined> {
    const { phase, handovers, awaiting } = this.#block.rows;
    if (phase[row] === ENDED) await this.#block.beginNext(row);
    yield (this.#stretches[row] ??= this.#stretchOf(row));
    if (phase[row] !== ENDED) return;
    for (const { firstSeed, advances, episode } of this.#block.release([row])) {
      handovers.set([firstSeed, advances, episode], 3 * row);
    }
    Atomics.store(awaiting, row, 1);
  }

  /** @returns the row that has most before it of those that wait for a thread; undefined: none waits */
  #adopt(): number | undefined {
    const { awaiting, taken, handovers } = this.#block.rows;
    for (;;) {
      let best: number | undefined;
      for (let row = 0; row < awaiting.length; row++) {
        if (Atomics.load(awaiting, row) === 0) continue;
        if (best === undefined || taken[row]! < taken[best]!) best = row;
      }
      if (best === undefined) return undefined;
      if (Atomics.compareExchange(awaiting, best, 1, 0) === 0) continue; // another thread was quicker
      const [firstSeed, advances, episode] = handovers.subarray(3 * best, 3 * best + 3);
      this.#block.adopt([{ env: best, firstSeed: firstSeed!, advances: advances!, episode: episode! }]);
      return best;
    }
  }

  #stretchOf(row: number): RowStretch {
    const block = this.#block;
    const { rows } = block;
    const view = new RowsView(block.envAt(row), rows, { from: row, to: row + 1 });
    const width = view.shown.actionSpace.shape[0];
    const actions = rows.actions.subarray(row * width, (row + 1) * width);
    const isOver = (): boolean => rows.phase[row] === ENDED || rows.taken[row]! >= this.#steps;
    const done = (episodes: readonly RowEpisode[]): void => {
      view.afterStep(episodes);
      rows.taken[row]! += 1;
    };
    return {
      ...view.shown,
      numEnvs: 1,
      row,
      get taken() {
        return rows.taken[row]!;
      },
      get isOver() {
        return isOver();
      },
      step(given) {
        actions.set(given);
        const episodes = block.stepOne(row);
        return episodes instanceof Promise ? episodes.then(done) : done(episodes);
      },
    };
  }
}
