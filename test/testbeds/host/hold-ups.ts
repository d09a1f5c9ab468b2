/** How far a test in real time was held up: where others have the machine its timers are late, and what it measures tells of them. */
import { sleep } from "../emulated/rig.ts";

/** of a timer on a machine that is at rest */
const USUAL_DELAY_MS = 3;
/** Held up for more of the time, goodput tells of the machine. */
export const MOST_HELD_UP = 0.05;

export class HoldUps {
  readonly #startedAt = performance.now();
  #lateMs = 0;

  async sleep(ms: number): Promise<void> {
    const asleepAt = performance.now();
    await sleep(ms);
    this.#lateMs += Math.max(0, performance.now() - asleepAt - ms - USUAL_DELAY_MS);
  }

  /** of the time since it was made */
  get share(): number {
    return this.#lateMs / (performance.now() - this.#startedAt);
  }
}
