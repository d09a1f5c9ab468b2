/**
 * Checks a scenario that came from outside (a file, a request): types, ranges and unknown fields, one sentence per
 * mistake with the path of the field.
 */
import { z } from "zod";
import { CcparkError } from "../../core/errors.ts";
import { checkOpportunities, TraceError } from "../../traces/mahimahi.ts";
import type { Scenario } from "../scenario.ts";

/** A scenario that breaks its type or a range; `path` is the first bad field, such as `forward.rate.mbps`. */
export class ScenarioError extends CcparkError {
  readonly path: string;
  constructor(message: string, path: string, options?: { cause?: unknown }) {
    super("invalid-argument", message, options);
    this.name = "ScenarioError";
    this.path = path;
  }
}

/** Mbit/s; above it one packet takes less than the simulator's nanosecond fractions are tested for. */
export const MAX_MBPS = 100_000;
/** One day. */
export const MAX_DURATION_SEC = 86_400;
/** Farther than any satellite. */
export const MAX_PROPAGATION_DELAY_MS = 10_000;

const opportunities = z
  .custom<number[]>((value) => Array.isArray(value), { error: "a list of whole milliseconds" })
  .superRefine((value, context) => {
    try {
      checkOpportunities(value, "opportunitiesMs");
    } catch (error) {
      if (!(error instanceof TraceError)) throw error;
      context.addIssue({
        code: "custom",
        path: [error.line - 1],
        input: value[error.line - 1],
        message: error.message.split(", expected ").at(-1)!,
      });
    }
  });

const rate = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("constant"), mbps: z.number().gt(0).max(MAX_MBPS) }),
  z.strictObject({ kind: z.literal("trace"), name: z.string().min(1), opportunitiesMs: opportunities }),
  z.strictObject({ kind: z.literal("unlimited") }),
]);

const direction = z.strictObject({
  rate,
  queue: z.strictObject({
    packets: z.number().int().min(1).optional(),
    bytes: z.number().int().min(1).optional(),
  }),
  lossRate: z.number().min(0).lt(1),
});

const scenario = z.strictObject({
  name: z.string().min(1),
  source: z.string(),
  description: z.string(),
  forward: direction,
  reverse: direction,
  propagationDelayMs: z.number().gt(0).max(MAX_PROPAGATION_DELAY_MS),
  durationSec: z.number().gt(0).max(MAX_DURATION_SEC),
  ackPolicy: z.enum(["delayed", "per-packet"]),
  fixed: z
    .strictObject({
      startSec: z.number().min(0).max(MAX_DURATION_SEC).optional(),
      traceOffsetMs: z.number().min(0).optional(),
      sendJitterUs: z.number().min(0).max(1_000_000).optional(),
    })
    .optional(),
});

/**
 * @returns the value as a scenario, unchanged
 * @throws ScenarioError such as `[scenario] forward.rate.mbps: got -3, expected > 0`; the first mistake of several
 */
export function validateScenario(value: unknown): Scenario {
  const result = scenario.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const path = [...issue.path, ...(issue.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : [])];
  const where = path.length === 0 ? "scenario" : path.map(String).join(".");
  throw new ScenarioError(
    `[scenario] ${where}: got ${show(valueAt(value, path))}, expected ${expected(issue)}`,
    where,
    {
      cause: result.error,
    },
  );
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let at = value;
  for (const key of path) at = (at as Record<PropertyKey, unknown> | undefined)?.[key];
  return at;
}

function show(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "number") return String(value);
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function expected(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "too_small":
      if (issue.origin === "string") return "some text";
      return `${issue.inclusive ? ">=" : ">"} ${issue.minimum}`;
    case "too_big":
      return `${issue.inclusive ? "<=" : "<"} ${issue.maximum}`;
    case "invalid_type":
      return issue.expected === "int"
        ? "a whole number"
        : `${/^[aeiou]/.test(issue.expected) ? "an" : "a"} ${issue.expected}`;
    case "unrecognized_keys":
      return "no such field";
    case "invalid_value":
      return `one of ${issue.values.map((each) => JSON.stringify(each)).join(", ")}`;
    case "invalid_union":
      return 'one of "constant", "trace", "unlimited"';
    default:
      return issue.message;
  }
}
