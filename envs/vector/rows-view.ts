/** Rows as the users of vector forms see them: all of them, or one. */
import type { EndedEpisode, VectorRows } from "../env.ts";
import type { RowArrays } from "./arrays.ts";
import type { RowEpisode } from "./block.ts";
import type { SlotEnvShape } from "./slots/slot-env.ts";

/** Of environments with one flow. */
export class RowsView {
  readonly shown: VectorRows;
  readonly #endedEpisodes: EndedEpisode[] = [];

  /** @param range environments from (inclusive) to (exclusive) */
  constructor(shape: SlotEnvShape, rows: RowArrays, { from, to }: { from: number; to: number }) {
    const { observationSpace, actionSpace } = shape;
    const width = observationSpace.shape[0];
    const stateWidth = rows.states.length / rows.phase.length;
    this.shown = {
      numEnvs: to - from,
      observationSpace,
      actionSpace,
      observations: rows.observations.subarray(from * width, to * width),
      rewards: rows.rewards.subarray(from, to),
      terminated: rows.terminated.subarray(from, to),
      truncated: rows.truncated.subarray(from, to),
      ...(rows.states.length > 0 && {
        states: rows.states.subarray(from * stateWidth, to * stateWidth),
      }),
      finalObservations: rows.finalObservations.subarray(from * width, to * width),
      endedEpisodes: this.#endedEpisodes,
    };
  }

  afterReset(): void {
    const { rewards, terminated, truncated } = this.shown;
    rewards.fill(0);
    terminated.fill(0);
    truncated.fill(0);
    this.#endedEpisodes.length = 0;
  }

  afterStep(episodes: readonly RowEpisode[]): void {
    if (this.#endedEpisodes.length > 0) this.#endedEpisodes.length = 0;
    for (const { row, seed, episodeReturn, steps, metrics } of episodes) {
      const metric = (name: string): number => metrics[name] ?? Number.NaN;
      this.#endedEpisodes.push({
        env: row,
        seed,
        episodeReturn,
        steps,
        goodputMbps: metric("goodputMbps"),
        utilisation: metric("utilisation"),
        meanQueueDelayMs: metric("meanQueueDelayMs"),
        lossRate: metric("lossRate"),
        score: metric("score"),
      });
    }
  }
}
