/**
 * Checks a scenario that came from outside (a file, a request): types, ranges and unknown fields, one sentence per
 * mistake with the path of the field; and whether it fits into memory.
 */
import type { z } from "zod";
import { CcparkError, clipped, type ErrorKind, showValue } from "../core/errors.ts";
import { estimateMemoryBytes } from "./estimates/memory.ts";
import type { Scenario } from "./scenario.ts";
import { SCENARIO_SCHEMA } from "./schema.ts";

/** A scenario that breaks its type or a range; `path` is the first bad field, such as `forward.rate.mbps`. */
export class ScenarioError extends CcparkError {
  readonly path: string;
  constructor(message: string, path: string, options: { cause?: unknown; kind?: ErrorKind } = {}) {
    const field = path === "scenario" ? path : `scenario.${path}`;
    super(options.kind ?? "invalid-argument", message, { cause: options.cause, field });
    this.name = "ScenarioError";
    this.path = path;
  }
}

/** The file or option that a value comes from; one for all, or by the path of the field. */
export type Origin = string | ((path: string) => string | undefined);

/**
 * The one form of a scenario's error.
 * @param options origin: where it stands, if not in the program
 */
export function scenarioError(
  path: string,
  got: unknown,
  expected: string,
  options: { readonly origin?: Origin; readonly cause?: unknown; readonly kind?: ErrorKind } = {},
): ScenarioError {
  const origin = typeof options.origin === "function" ? options.origin(path) : options.origin;
  const where = origin === undefined ? path : `${origin}: ${path}`;
  return new ScenarioError(`[scenario] ${where}: got ${show(got)}, expected ${expected}`, path, options);
}

/** Characters of a wrong value that a message repeats. */
const MAX_SHOWN = 60;

/** The engine's memory of one network ends there. */
const MEMORY_LIMIT_BYTES = 4 * 2 ** 30;

export interface ValidateOptions {
  /** for messages */
  readonly origin?: Origin;
  /** absent: 4 GiB */
  readonly memoryLimitBytes?: number;
}

/**
 * @returns the value as a scenario, unchanged
 * @throws ScenarioError such as `[scenario] forward.rate.mbps: got -3, expected > 0`; the first mistake of several; also
 *   for a scenario too large for memory, with the estimate
 */
export function validateScenario(value: unknown, options: ValidateOptions = {}): Scenario {
  const { origin, memoryLimitBytes = MEMORY_LIMIT_BYTES } = options;
  const result = SCENARIO_SCHEMA.safeParse(value);
  if (!result.success) {
    const { where, got, expected } = firstMistake(result.error, value, "scenario");
    throw scenarioError(where, got, expected, { origin, cause: result.error });
  }
  const scenario = result.data as Scenario;
  const bytes = estimateMemoryBytes(scenario);
  if (bytes > memoryLimitBytes) {
    const limit = formatGib(memoryLimitBytes);
    throw scenarioError(
      "scenario",
      scenario.name,
      `one that fits into ${limit}: it needs about ${formatGib(bytes)}`,
      {
        origin,
        kind: "resource-exhausted",
      },
    );
  }
  return scenario;
}

/** For messages. */
export function formatGib(bytes: number): string {
  return `${(bytes / 2 ** 30).toPrecision(3)} GiB`;
}

/**
 * A field that is not known, else the first mistake, of a value that a schema has found wrong, for `got X, expected Y`.
 * @param whole what the value is called as a whole
 */
export function firstMistake(
  { issues }: z.ZodError,
  value: unknown,
  whole: string,
): { readonly where: string; readonly got: unknown; readonly expected: string } {
  // a field that is not known may be the one that is missing
  const issue = issues.find(({ code }) => code === "unrecognized_keys") ?? issues[0]!;
  const path = [...issue.path, ...(issue.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : [])];
  const where = path.length === 0 ? whole : path.map((key) => clipped(String(key))).join(".");
  const got = valueAt(value, path);
  return { where, got, expected: expectation(issue, got, where) };
}

export function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let at = value;
  for (const key of path) at = (at as Record<PropertyKey, unknown> | null | undefined)?.[key];
  return at;
}

/** A wrong value for a message. */
export function show(value: unknown): string {
  return value === undefined ? "nothing" : showValue(value, MAX_SHOWN);
}

/** Units that names end in, for those who wrote one into the value. */
const UNITS = ["Mbps", "Ms", "Sec", "Us", "Bytes", "Packets"];

/** `"24Mbps"` for a number: the unit belongs into the name, which already says it. */
function unitHint(got: unknown, where: string): string {
  const number =
    typeof got === "string" ? /^\s*(-?[0-9.]+(?:e[0-9]+)?)\s*[a-zA-Z/%]+\s*$/.exec(got)?.[1] : undefined;
  if (number === undefined) return "";
  const key = where.split(".").at(-1)!;
  const unit = UNITS.find((each) => key.toLowerCase().endsWith(each.toLowerCase()));
  return unit === undefined ? " without unit" : `, in ${unit} as the name says, such as ${number}`;
}

function article(type: string): string {
  const name = type === "record" ? "object" : type === "array" ? "list" : type;
  return `${/^[aeiou]/.test(name) ? "an" : "a"} ${name}`;
}

function expectation(issue: z.core.$ZodIssue, got: unknown, where: string): string {
  switch (issue.code) {
    case "too_small":
      if (issue.origin === "string") return "some text";
      if (issue.origin === "array")
        return `at least ${issue.minimum} ${issue.minimum === 1 ? "entry" : "entries"}`;
      return `${issue.inclusive ? ">=" : ">"} ${issue.minimum}`;
    case "too_big":
      if (issue.origin === "array") return `at most ${issue.maximum} entries`;
      if (issue.origin === "string") return `at most ${issue.maximum} characters`;
      return `${issue.inclusive ? "<=" : "<"} ${issue.maximum}`;
    case "invalid_type":
      if (issue.expected === "int") return "a whole number";
      return `${article(issue.expected)}${issue.expected === "number" ? unitHint(got, where) : ""}`;
    case "invalid_value":
      return `one of ${issue.values.map((each) => JSON.stringify(each)).join(", ")}`;
    default:
      return issue.message;
  }
}
