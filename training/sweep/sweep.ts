/**
 * A sweep as data: which hyperparameters vary, and the trials. Lists make a grid; where a range is among them, each trial draws its own
 * values. Trial `i` of a seed is the same, whatever trials are run beside it.
 */
import type { LearnerSpec } from "../../agents/learner.ts";
import { CcparkError, unknownName } from "../../core/errors.ts";
import { exp, log } from "../../core/math.ts";
import { Rng } from "../../core/random.ts";

/** A hyperparameter and what it may be: each of some values, or any in a range (log-uniform where it spans ten or more). */
export type Varied = { readonly name: string } & (
  | { readonly values: readonly unknown[] }
  | { readonly low: number; readonly high: number }
);

/** Values of the varied hyperparameters, by name. */
export type Trial = Readonly<Record<string, unknown>>;

const LOG_SPAN = 10;
/** More is a mistake. */
const MAX_TRIALS = 10_000;
const RANGE = /^([-+.\deE]+)\.\.([-+.\deE]+)$/;

/** Parts at commas, but for those within brackets: `[64,64],[32]`. */
function splitAtCommas(text: string): string[] {
  const parts = [""];
  let depth = 0;
  for (const character of text) {
    if (character === "[") depth++;
    if (character === "]") depth--;
    if (character === "," && depth === 0) parts.push("");
    else parts[parts.length - 1] += character;
  }
  return parts.map((part) => part.trim());
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * `learningRate=1e-4,3e-4`, `hidden=[32],[64,64]` or `learningRate=1e-5..1e-2`.
 * @throws CcparkError (invalid-argument)
 */
export function parseVaried(text: string): Varied {
  const at = text.indexOf("=");
  const name = text.slice(0, at);
  const values = text.slice(at + 1);
  if (at < 1 || values.trim() === "") {
    const message = `[sweep] --vary \`${text}\`: expected NAME=VALUE,VALUE or NAME=LOW..HIGH`;
    throw new CcparkError("invalid-argument", message);
  }
  const range = RANGE.exec(values);
  if (range === null) return { name, values: splitAtCommas(values).map(parseValue) };
  const [low, high] = [Number(range[1]), Number(range[2])];
  if (!(Number.isFinite(low) && Number.isFinite(high) && low < high)) {
    const message = `[sweep] --vary ${name}: got ${values}, expected numbers LOW..HIGH with LOW below HIGH`;
    throw new CcparkError("invalid-argument", message);
  }
  return { name, low, high };
}

function draw(varied: Varied, whole: boolean, rng: Rng): unknown {
  if ("values" in varied) return varied.values[rng.integer(varied.values.length)];
  const { low, high } = varied;
  const value =
    low > 0 && high / low >= LOG_SPAN ? exp(rng.uniform(log(low), log(high))) : rng.uniform(low, high);
  // three digits tell trials apart, and can be typed again
  return whole ? Math.round(value) : Number(value.toPrecision(3));
}

function grid(varied: readonly Varied[]): Trial[] {
  let trials: Trial[] = [{}];
  for (const each of varied) {
    const values = (each as { readonly values: readonly unknown[] }).values;
    trials = trials.flatMap((trial) => values.map((value) => ({ ...trial, [each.name]: value })));
  }
  return trials;
}

/**
 * @param learner whose hyperparameters these are
 * @param count trials to draw where a range is among them; of a grid, so many of it in its order; absent: 8, the whole grid
 * @throws CcparkError for an unknown name, a value out of its range, or too many trials
 */
export function makeTrials(
  learner: LearnerSpec,
  varied: readonly Varied[],
  { count, seed }: { readonly count?: number; readonly seed: number },
): Trial[] {
  for (const { name } of varied) {
    if (!Object.hasOwn(learner.options, name) || name === "resetEvery" || name === "backend") {
      throw unknownName("sweep", `hyperparameter of ${learner.name}`, name, Object.keys(learner.options));
    }
  }
  const isGrid = varied.every((each) => "values" in each);
  const total = isGrid
    ? varied.reduce((size, each) => size * (each as { readonly values: readonly unknown[] }).values.length, 1)
    : (count ?? 8);
  if (total > MAX_TRIALS) {
    throw new CcparkError("invalid-argument", `[sweep] got ${total} trials, expected at most ${MAX_TRIALS}`);
  }
  const rng = Rng.fromSeed(seed).fork("sweep");
  const trials = isGrid
    ? grid(varied).slice(0, count)
    : Array.from({ length: total }, (_, i) => {
        const own = rng.fork(`trial.${i}`);
        return Object.fromEntries(
          varied.map((each) => [
            each.name,
            draw(each, learner.options[each.name]!.kind === "whole", own.fork(each.name)),
          ]),
        );
      });
  for (const trial of trials) learner.checkOptions(trial);
  return trials;
}

/** What became of a trial: scores of the best and the last evaluation, a number per seed. */
export interface TrialOutcome {
  readonly trial: number;
  readonly settings: Trial;
  readonly seeds: readonly number[];
  readonly best: readonly number[];
  readonly last: readonly number[];
  /** environment steps of the best evaluations */
  readonly bestSteps: readonly number[];
  /** mean of `best` */
  readonly score: number;
  /** scores of the algorithms beside it, on the same links */
  readonly baselines: Readonly<Record<string, number>>;
  /** why a seed of it could not end, such as a training that diverged */
  readonly failure?: string;
}

/** Best first; what failed last. */
export function ranked(outcomes: readonly TrialOutcome[]): TrialOutcome[] {
  const value = ({ score }: TrialOutcome): number =>
    Number.isFinite(score) ? score : Number.NEGATIVE_INFINITY;
  return [...outcomes].sort((a, b) => (value(a) === value(b) ? a.trial - b.trial : value(b) - value(a)));
}
