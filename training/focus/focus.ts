/**
 * Links that a training has more of than its distribution gives: those on which the policy is far from what is possible, and those
 * that a search found against it. They change every so many updates, where the environments start afresh anyway, and follow from the
 * checkpoint there, the seed and what they were before. So a run that goes on has the same ones as a run that was never interrupted.
 */
import type { Checkpoint } from "../../agents/checkpoint.ts";
import type { ScenarioInput } from "../../scenarios/template.ts";
import type { JsonObject } from "../run-config.ts";

/** Plain data. An episode draws it with this probability; what probabilities leave of 1 is for the distribution itself. */
export type FocusLink = { readonly probability: number } & (
  | {
      /** place of what it is drawn from, and the seed that draws it */
      readonly draw: number;
      readonly seed: number;
    }
  | { readonly scenario: ScenarioInput }
);

/** One line of `focus.jsonl`. */
export interface FocusStage {
  /** updates that the policy had */
  readonly update: number;
  readonly links: readonly FocusLink[];
  /** what those who chose them say of it, by name: numbers alone */
  readonly facts: Readonly<Record<string, number>>;
}

/** What a chooser says. */
export type Chosen = Pick<FocusStage, "links" | "facts">;

/** Chooses links for the policy of a checkpoint. */
export type FocusChooser = (checkpoint: Checkpoint, before: FocusStage | undefined) => Promise<Chosen>;

export interface FocusOptions {
  /** updates between two choices: a multiple of those between two checkpoints */
  readonly every: number;
  readonly choose: FocusChooser;
}

/** Two choosers side by side; each has the part of all episodes that its probabilities say. */
export function bothChoose(choosers: readonly FocusChooser[]): FocusChooser {
  return async (checkpoint, before) => {
    const chosen: Chosen[] = [];
    for (const choose of choosers) chosen.push(await choose(checkpoint, before));
    return {
      links: chosen.flatMap(({ links }) => links),
      facts: Object.assign({}, ...chosen.map(({ facts }) => facts)) as Record<string, number>,
    };
  };
}

/** When links are due, and what they were. What it knows comes from the lines that are kept. */
export class Focus {
  readonly #options: FocusOptions;
  #stage: FocusStage | undefined;

  /** @param kept lines of `focus.jsonl` before the run goes on */
  constructor(options: FocusOptions, kept: readonly JsonObject[]) {
    this.#options = options;
    this.#stage = kept.at(-1) as unknown as FocusStage | undefined;
  }

  get links(): readonly FocusLink[] {
    return this.#stage?.links ?? [];
  }

  isDue(update: number): boolean {
    return update > 0 && update % this.#options.every === 0 && this.#stage?.update !== update;
  }

  async choose(checkpoint: Checkpoint): Promise<FocusStage> {
    const chosen = await this.#options.choose(checkpoint, this.#stage);
    this.#stage = { update: checkpoint.header.updates, ...chosen };
    return this.#stage;
  }
}
