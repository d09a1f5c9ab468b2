/**
 * `config.json` of a run: everything that it was started with, so that it can be gone on with, and what was changed since. The
 * names are a contract; what is not known here (versions, a user's own) is kept.
 */
import { existsSync, readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import * as z from "zod";
import { CcparkError, unknownName } from "../core/errors.ts";

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

export type JsonObject = { readonly [key: string]: JsonValue };

/** One start of a run, the first or one that went on. */
export interface RunStart {
  /** updates and environment steps that were done before */
  readonly update: number;
  readonly steps: number;
  /** environment steps that the run was to have in all */
  readonly totalSteps: number;
  /** what was asked to be other than before, by name */
  readonly changed: Readonly<Record<string, { readonly from: JsonValue; readonly to: JsonValue }>>;
}

export interface RunConfig {
  /** name of the learner */
  readonly algorithm: string;
  readonly seed: number;
  readonly totalSteps: number;
  readonly numEnvs: number;
  /** the learner's, all of them */
  readonly options: JsonObject;
  /** oldest first; runs of 0.1.0 have none */
  readonly history: readonly RunStart[];
  /** what the shell adds: scenarios and the like */
  readonly [key: string]: unknown;
}

const json: z.ZodType<JsonValue> = z.json();
const schema = z.looseObject({
  algorithm: z.string(),
  seed: z.number().int().nonnegative(),
  totalSteps: z.number().int().positive(),
  numEnvs: z.number().int().positive(),
  options: z.record(z.string(), json),
  history: z
    .array(
      z.object({
        update: z.number().int().nonnegative(),
        steps: z.number().int().nonnegative(),
        totalSteps: z.number().int().positive(),
        changed: z.record(z.string(), z.object({ from: json, to: json })),
      }),
    )
    .default([]),
});

/**
 * @param path of a `config.json`
 * @returns undefined: there is none
 * @throws CcparkError (invalid-argument) for one that was not written by a training
 */
export function readRunConfig(path: string): RunConfig | undefined {
  if (!existsSync(path)) return undefined;
  let input: unknown;
  try {
    input = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    const message = `[train] not readable, ${path}: got broken JSON, expected the configuration of a run`;
    throw new CcparkError("invalid-argument", message, { cause });
  }
  const parsed = schema.safeParse(input);
  if (parsed.success) {
    const { resumedAtUpdate: _, ...config } = parsed.data; // of 0.1.0, which kept no history
    return config as RunConfig;
  }
  const { path: at, message } = parsed.error.issues[0]!;
  throw new CcparkError("invalid-argument", `[train] not readable, ${path}: \`${at.join(".")}\`: ${message}`);
}

/**
 * What a run that goes on is asked to do: its own configuration holds, and what contradicts it is an error unless it was asked for
 * by name.
 */
export class Continuation {
  /** for `RunStart.changed` */
  readonly changed: Record<string, { from: JsonValue; to: JsonValue }> = {};
  readonly #where: string;
  readonly #overrides: ReadonlySet<string>;

  /**
   * @param where the run, for messages
   * @param overrides names of what may differ
   */
  constructor(where: string, overrides: Iterable<string> = []) {
    this.#where = where;
    this.#overrides = new Set(overrides);
  }

  /**
   * @param given undefined: nothing was said
   * @returns what holds from here on
   * @throws CcparkError (invalid-argument) for a contradiction that was not asked for
   */
  choose<T extends JsonValue>(name: string, given: T | undefined, stored: T): T {
    if (given === undefined || isDeepStrictEqual(given, stored)) return stored;
    if (!this.#overrides.has(name)) {
      const [got, has] = [JSON.stringify(given), JSON.stringify(stored)];
      throw new CcparkError(
        "invalid-argument",
        `[train] ${name}: got ${got}, but ${this.#where} has ${has}; leave it out to go on as before, or add --override ${name} to change it from here on`,
      );
    }
    this.changed[name] = { from: stored, to: given };
    return given;
  }

  allows(name: string): boolean {
    return this.#overrides.has(name);
  }

  /** @throws CcparkError for a name that stands for nothing which a run has */
  checkNames(known: readonly string[]): void {
    for (const name of this.#overrides) {
      if (!known.includes(name)) throw unknownName("train", "name after --override", name, known);
    }
  }
}
