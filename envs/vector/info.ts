/** Info columns: how a row's facts become numbers. */
import type { StepInfo } from "../env.ts";
import { REWARD_KEY, STEP_INFO_KEYS } from "./info-keys.ts";
import type { SlotEnv } from "./slots/slot-env.ts";

/** Writes the facts of one row into columns, in the order of the keys. */
export class InfoWriter {
  readonly isEmpty: boolean;
  readonly #rows: number;
  readonly #keys: readonly string[];
  /** by key: place among the reward's components, or -1 */
  readonly #components: readonly number[];
  readonly #values: Float64Array;
  readonly #wantsComponents: boolean;
  readonly #wantsInfo: boolean;

  /** @param rows of the session */
  constructor(keys: readonly string[], rewardComponents: readonly string[], rows: number) {
    this.isEmpty = keys.length === 0;
    this.#rows = rows;
    this.#keys = keys;
    this.#components = keys.map((key) =>
      key.startsWith(REWARD_KEY) ? rewardComponents.indexOf(key.slice(REWARD_KEY.length)) : -1,
    );
    this.#values = new Float64Array(rewardComponents.length);
    this.#wantsComponents = this.#components.some((at) => at >= 0);
    this.#wantsInfo = keys.some((key) => STEP_INFO_KEYS.includes(key));
  }

  /** @param into [keys x rows of the session] */
  write(env: SlotEnv, slot: number, seed: number, into: Float64Array, row: number): void {
    const info = this.#wantsInfo ? env.info(slot) : undefined;
    if (this.#wantsComponents) env.writeRewardComponents(slot, this.#values);
    for (let k = 0; k < this.#keys.length; k++) {
      const key = this.#keys[k]!;
      const component = this.#components[k]!;
      into[k * this.#rows + row] =
        component >= 0
          ? this.#values[component]!
          : key === "seed"
            ? seed
            : Number(info![key as keyof StepInfo]);
    }
  }
}
