/**
 * How the scripts of developers (`npm run bench:…`, `fuzz:…`, `chaos:…`, `soak:…`) are asked: `--help` tells their options; an unknown option or
 * a wrong value is one sentence on stderr and exit code 2.
 */
import { parseArgs } from "node:util";
import { CcparkError, printable, unknownName } from "../../../core/errors.ts";

export interface ScriptOption {
  /** a number is checked against `low` and `high` (and to be whole, unless `isFraction`) */
  readonly type: "boolean" | "string" | "number";
  /** empty: `--help` does not show it, a process of ours gives it to another */
  readonly what: string;
  /** as typed; absent: the option is undefined where it is not given, `false` for a boolean */
  readonly default?: string;
  readonly low?: number;
  readonly high?: number;
  readonly isFraction?: boolean;
  /** the words it may be made of, separated by commas */
  readonly among?: readonly string[];
}

type ValueOf<O extends ScriptOption> = O["type"] extends "boolean"
  ? boolean
  :
      | (O["type"] extends "number" ? number : string)
      | (O extends { readonly default: string } ? never : undefined);

type Values<T extends Readonly<Record<string, ScriptOption>>> = { readonly [K in keyof T]: ValueOf<T[K]> };

const USAGE_EXIT = 2;

/** What the input or the machine makes impossible is told in one sentence; a defect keeps its stack. */
function tellErrors(): void {
  process.on("uncaughtException", (error: unknown) => {
    const isTold = error instanceof CcparkError;
    console.error(isTold ? `error: ${printable(error.message)}` : error);
    process.exit(isTold && ["invalid-argument", "not-found"].includes(error.kind) ? USAGE_EXIT : 1);
  });
}

function wrong(option: string, got: string, expected: string): CcparkError {
  return new CcparkError("invalid-argument", `[options] --${option}: got ${got}, expected ${expected}`);
}

function checked(name: string, option: ScriptOption, typed: string | undefined): string | number | undefined {
  if (typed === undefined || option.type === "string") {
    for (const word of option.among === undefined || typed === undefined ? [] : typed.split(",")) {
      if (!option.among!.includes(word))
        throw unknownName("options", `word of --${name}`, word, option.among!);
    }
    return typed;
  }
  const { low = 0, high = Number.MAX_SAFE_INTEGER, isFraction = false } = option;
  const value = typed.trim() === "" ? Number.NaN : Number(typed);
  if (!(value >= low && value <= high && (isFraction || Number.isSafeInteger(value)))) {
    const span = high === Number.MAX_SAFE_INTEGER ? `of ${low} or more` : `from ${low} to ${high}`;
    throw wrong(name, typed, `a ${isFraction ? "" : "whole "}number ${span}`);
  }
  return value;
}

/** Several of an option that is text, separated by commas. */
export function wholeNumbers(name: string, typed: string, low: number): readonly number[] {
  return typed.split(",").map((each) => checked(name, { type: "number", what: "", low }, each) as number);
}

function help(script: string, options: Readonly<Record<string, ScriptOption>>, words: string): string {
  const shown = Object.entries(options).filter(([, { what }]) => what !== "");
  const rows = shown.map(([name, option]) => {
    const left = `--${name}${option.type === "boolean" ? "" : ` ${option.type === "number" ? "N" : "TEXT"}`}`;
    const among = option.among === undefined ? "" : ` (${option.among.join(", ")})`;
    const otherwise = option.default === undefined ? "" : ` [${option.default}]`;
    return `  ${left.padEnd(24)}${option.what}${among}${otherwise}`;
  });
  return [`npm run ${script} -- [options]${words === "" ? "" : ` [${words}...]`}`, ...rows].join("\n");
}

/**
 * What was typed, checked. Ends the process on `--help` and on what is wrong, and from then on errors that a person can act on are
 * one sentence.
 * @param words what words without dashes are; empty: there are none
 */
export function scriptOptions<const T extends Readonly<Record<string, ScriptOption>>>(
  script: string,
  options: T,
  words = "",
): { readonly values: Values<T>; readonly words: readonly string[] } {
  tellErrors();
  const { tokens } = parseArgs({
    // npm hands on its own `--` where it is typed twice
    args: process.argv.slice(2).filter((word) => word !== "--"),
    strict: false,
    tokens: true,
    options: Object.fromEntries(
      Object.entries(options).map(([name, { type }]) => [
        name,
        { type: type === "boolean" ? ("boolean" as const) : ("string" as const) },
      ]),
    ),
  });
  const typed = new Map<string, string | true>();
  const rest: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") rest.push(token.value);
    if (token.kind !== "option") continue;
    if (token.name === "help" || token.rawName === "-h") {
      console.log(help(script, options, words));
      process.exit(0); // before anything is measured
    }
    const option = options[token.name];
    if (option === undefined || token.rawName !== `--${token.name}`) {
      const known = Object.keys(options)
        .filter((name) => options[name]!.what !== "")
        .map((name) => `--${name}`);
      throw unknownName("options", `option of ${script}`, token.rawName, [...known, "--help"]);
    }
    if (option.type === "boolean" && token.value !== undefined)
      throw wrong(token.name, token.value, "no value");
    if (option.type !== "boolean" && token.value === undefined) throw wrong(token.name, "nothing", "a value");
    typed.set(token.name, token.value ?? true);
  }
  if (words === "" && rest.length > 0) {
    throw new CcparkError(
      "invalid-argument",
      `[options] ${script}: got ${rest.join(" ")}, expected options alone`,
    );
  }
  const values = Object.entries(options).map(([name, option]) => [
    name,
    option.type === "boolean"
      ? typed.has(name)
      : checked(name, option, (typed.get(name) as string | undefined) ?? option.default),
  ]);
  return { values: Object.fromEntries(values) as Values<T>, words: rest };
}
