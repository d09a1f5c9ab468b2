/**
 * Evaluations in the course of a training: when they are due, which was the best, and when to stop because nothing gets better.
 * What it knows comes from the lines that are kept, so a run that goes on decides as one that was never interrupted.
 */
import type { Checkpoint } from "../../agents/checkpoint.ts";
import type { JsonObject, JsonValue } from "../run-config.ts";
import type { RunFolder } from "../run-files.ts";
import type { Evaluation, Evaluator } from "./validation.ts";

/** One line of `evaluations.jsonl`. A number that does not exist is null there. */
export interface EvaluationLine extends Evaluation {
  /** updates and environment steps that the policy had; 0: before the first */
  readonly update: number;
  readonly steps: number;
  /** no evaluation before it had a higher score */
  readonly best: boolean;
}

export interface EvaluationOptions {
  readonly evaluator: Evaluator;
  /** updates between two evaluations; there is one before the first update and one at the end, too */
  readonly every: number;
  /** evaluations in a row without a better score after which the training stops; 0: none stops it */
  readonly earlyStop: number;
}

function toJson(line: EvaluationLine): JsonObject {
  return JSON.parse(JSON.stringify(line)) as { [key: string]: JsonValue };
}

export class Evaluations {
  readonly #options: EvaluationOptions;
  readonly #folder: RunFolder | undefined;
  #bestScore = Number.NEGATIVE_INFINITY;
  #sinceBest = 0;
  #lastUpdate: number | undefined;
  #hasBest = false;

  /** @param kept lines of `evaluations.jsonl` before the run goes on */
  constructor(options: EvaluationOptions, folder: RunFolder | undefined, kept: readonly JsonObject[]) {
    this.#options = options;
    this.#folder = folder;
    for (const { update, score } of kept)
      this.#note(Number(update), score === null ? Number.NaN : Number(score));
    this.#hasBest = folder?.holdsBest ?? false;
  }

  /** @returns whether it is the best so far */
  #note(update: number, score: number): boolean {
    this.#lastUpdate = update;
    const isBest = score > this.#bestScore;
    if (isBest) this.#bestScore = score;
    this.#sinceBest = isBest ? 0 : this.#sinceBest + 1;
    return isBest;
  }

  /** Whether `earlyStop` evaluations in a row brought nothing. */
  get isExhausted(): boolean {
    const { earlyStop } = this.#options;
    return earlyStop > 0 && this.#sinceBest >= earlyStop;
  }

  isDue(update: number): boolean {
    return update % this.#options.every === 0 && update !== this.#lastUpdate;
  }

  /** Of the last policy of a training. */
  isDueAtEnd(update: number): boolean {
    return update !== this.#lastUpdate;
  }

  evaluate(checkpoint: Checkpoint): EvaluationLine {
    const { updates: update, steps } = checkpoint.header;
    const evaluation = this.#options.evaluator.of(checkpoint);
    const best = this.#note(update, evaluation.score);
    if (best || !this.#hasBest) this.#folder?.saveBest(checkpoint);
    this.#hasBest = true;
    const line = { update, steps, best, ...evaluation };
    this.#folder?.appendEvaluation(toJson(line));
    return line;
  }
}
