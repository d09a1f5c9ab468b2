/** Options of experiments as data: how a text becomes a value, what stands where none is given, and the words of the help. */
import { CcparkError } from "../../core/errors.ts";
import { MAX_SEEDS, seedsUpTo } from "../seeds.ts";

export interface ExperimentOption<T> {
  /** what stands for the value in the help, such as `n` */
  readonly placeholder: string;
  readonly help: string;
  readonly initial: T;
  /** as on the command line */
  format(value: T): string;
  /** @throws CcparkError (invalid-argument): what was expected, as a sentence that begins with "expected" */
  parse(text: string): T;
}

/** The option's name in camel case, such as `minRtoMs` for `--min-rto-ms`. */
export type ExperimentOptions = Readonly<Record<string, ExperimentOption<unknown>>>;

/** A value for each option. */
export type Settings<O extends ExperimentOptions> = {
  readonly [K in keyof O]: O[K] extends ExperimentOption<infer T> ? T : never;
};

function refuse(expected: string): never {
  throw new CcparkError("invalid-argument", `expected ${expected}.`);
}

interface NumberWords {
  /** default: n */
  readonly placeholder?: string;
  readonly help: string;
}

interface WholeWords extends NumberWords {
  /** inclusive, as `high` */
  readonly low: number;
  readonly high: number;
}

/** undefined: it is none */
function wholeIn(text: string, { low, high }: WholeWords): number | undefined {
  const value = /^\s*\d+\s*$/.test(text) ? Number(text) : Number.NaN;
  return value >= low && value <= high ? value : undefined;
}

function readWhole(text: string, words: WholeWords): number {
  return wholeIn(text, words) ?? refuse(`a whole number from ${words.low} to ${words.high}`);
}

function positiveIn(text: string): number | undefined {
  const value = Number(text);
  return text.trim() !== "" && Number.isFinite(value) && value > 0 ? value : undefined;
}

/** `10,40`: each once. @param are what they have to be */
function readList(text: string, numberIn: (part: string) => number | undefined, are: string): number[] {
  const values = text.split(",").flatMap((part) => numberIn(part) ?? []);
  const isRight = new Set(values).size === text.split(",").length;
  return isRight ? values : refuse(`${are} separated by commas, each once`);
}

export function whole(initial: number, words: WholeWords): ExperimentOption<number> {
  const { placeholder = "n", help } = words;
  return { placeholder, help, initial, format: String, parse: (text) => readWhole(text, words) };
}

export function wholes(initial: readonly number[], words: WholeWords): ExperimentOption<readonly number[]> {
  const { placeholder = "n", help } = words;
  const parse = (text: string): number[] =>
    readList(text, (part) => wholeIn(part, words), `whole numbers from ${words.low} to ${words.high}`);
  return { placeholder, help, initial, format: (values) => values.join(","), parse };
}

/** Above 0. */
export function positive(
  initial: number,
  { placeholder = "n", help }: NumberWords,
): ExperimentOption<number> {
  return {
    placeholder,
    help,
    initial,
    format: String,
    parse: (text) => positiveIn(text) ?? refuse("a number above 0"),
  };
}

/** Each above 0. */
export function positives(
  initial: readonly number[],
  { placeholder = "n", help }: NumberWords,
): ExperimentOption<readonly number[]> {
  const parse = (text: string): number[] => readList(text, positiveIn, "numbers above 0");
  return { placeholder, help, initial, format: (values) => values.join(","), parse };
}

export function choice<T extends string>(
  initial: T,
  choices: readonly T[],
  { placeholder = "name", help }: NumberWords,
): ExperimentOption<T> {
  const parse = (text: string): T =>
    choices.find((name) => name === text) ?? refuse(`one of ${choices.join(", ")}`);
  return { placeholder, help: `${help} (${choices.join(", ")})`, initial, format: String, parse };
}

/** Some of them, `a,b`: each once. */
export function choices<T extends string>(
  initial: readonly T[],
  all: readonly T[],
  { placeholder = "names", help }: NumberWords,
): ExperimentOption<readonly T[]> {
  const parse = (text: string): T[] => {
    const names = text.split(",").map((part) => part.trim());
    const chosen = all.filter((name) => names.includes(name));
    const isRight = new Set(names).size === names.length && chosen.length === names.length;
    return isRight ? chosen : refuse(`some of ${all.join(", ")}, each once`);
  };
  return {
    placeholder,
    help: `${help} (${all.join(", ")})`,
    initial,
    format: (names) => names.join(","),
    parse,
  };
}

/** `--seeds N`: seeds 1 to N. */
export function seeds(initial: number): ExperimentOption<readonly number[]> {
  const words = { low: 1, high: MAX_SEEDS, help: "run seeds 1 to n" };
  return {
    placeholder: "n",
    help: words.help,
    initial: seedsUpTo(initial),
    format: (values) => String(values.length),
    parse: (text) => seedsUpTo(readWhole(text, words)),
  };
}

/** Any text, such as a file or a name. */
export function words(
  initial: string,
  { placeholder = "text", help }: NumberWords,
): ExperimentOption<string> {
  const parse = (text: string): string => (text.trim() === "" ? refuse("a text") : text);
  return { placeholder, help, initial, format: String, parse };
}
