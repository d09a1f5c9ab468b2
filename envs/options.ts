/** What an environment is made of besides its scenario: plain data, checked in one place, stored in checkpoints. */
import * as z from "zod";
import { CcparkError, showValue } from "../core/errors.ts";
import { DEFAULT_ACTION } from "./signals/actions.ts";
import { DEFAULT_OBSERVATION } from "./signals/observations.ts";
import { DEFAULT_REWARD } from "./signals/rewards.ts";

export interface EnvOptions {
  /** name in OBSERVATIONS */
  readonly observation: string;
  /** name in ACTIONS */
  readonly action: string;
  /** name in REWARDS, or a formula over FACTS */
  readonly reward: string;
  /** length of a step in milliseconds of virtual time, or one per round trip */
  readonly stepMs: number | "rtt";
  /** end a step at once when a loss or a timeout is seen */
  readonly reportLossAtOnce: boolean;
  /** an action outside the box: clip and count it, or refuse it */
  readonly actionPolicy: "clip" | "reject";
  /** virtual time between a decision and its arrival at the datapath, microseconds */
  readonly actionDelayUs: number;
}

export const DEFAULT_ENV_OPTIONS: EnvOptions = {
  observation: DEFAULT_OBSERVATION,
  action: DEFAULT_ACTION,
  reward: DEFAULT_REWARD,
  stepMs: "rtt",
  reportLossAtOnce: false,
  actionPolicy: "clip",
  actionDelayUs: 0,
};

/** Of an environment with several flows under test. */
export interface MultiFlowOptions extends EnvOptions {
  /** milliseconds of virtual time, the same for all flows: "rtt" is refused */
  readonly stepMs: number;
  /** name in flowRewards(), or a formula over FLOW_FACTS */
  readonly reward: string;
  /** what a flow is rewarded with: its own reward, or the mean over the flows that acted */
  readonly share: "own" | "mean";
}

/** Astraea's interval is 20 to 30 ms; a fixed span needs a number, and 20 ms is half the shortest round trip of most links. */
export const DEFAULT_MULTI_FLOW_OPTIONS: MultiFlowOptions = {
  ...DEFAULT_ENV_OPTIONS,
  stepMs: 20,
  share: "own",
};

const fields = {
  observation: z.string().optional(),
  action: z.string().optional(),
  reward: z.string().optional(),
  stepMs: z
    .union([z.literal("rtt"), z.number().min(0.1).max(60_000)], '"rtt" or milliseconds from 0.1 to 60000')
    .optional(),
  reportLossAtOnce: z.boolean().optional(),
  actionPolicy: z.enum(["clip", "reject"]).optional(),
  actionDelayUs: z.number().min(0).max(60_000_000).optional(),
};
/** Of plain data, to be described and checked. */
export const ENV_OPTIONS_SCHEMA: z.ZodType<Partial<EnvOptions>> = z.strictObject(fields);
export const MULTI_FLOW_OPTIONS_SCHEMA: z.ZodType<Partial<EnvOptions & Pick<MultiFlowOptions, "share">>> =
  z.strictObject({
    ...fields,
    share: z.enum(["own", "mean"]).optional(),
  });

function parse<T>(schema: z.ZodType<T>, input: unknown): T {
  const parsed = schema.safeParse(input ?? {});
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const where = issue.path.length > 0 ? ` at ${issue.path.join(".")}` : "";
  const got = (input as Record<PropertyKey, unknown> | undefined)?.[issue.path[0] ?? ""];
  const why =
    issue.code === "invalid_union" ? `got ${showValue(got)}, expected ${issue.message}` : issue.message;
  const field = [...issue.path, ...(issue.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : [])];
  throw new CcparkError("invalid-argument", `[env] wrong option${where}: ${why}`, {
    field: field.length > 0 ? field.join(".") : undefined,
  });
}

/**
 * Fills what is missing with the defaults. Names of observations, actions and rewards are checked by their registries.
 * @throws CcparkError (invalid-argument) naming the option
 */
export function parseEnvOptions(input: unknown): EnvOptions {
  return { ...DEFAULT_ENV_OPTIONS, ...parse(ENV_OPTIONS_SCHEMA, input) };
}

/**
 * The same for an environment with several flows under test.
 * @throws CcparkError (invalid-argument) naming the option
 */
export function parseMultiFlowOptions(input: unknown): MultiFlowOptions {
  const { stepMs = DEFAULT_MULTI_FLOW_OPTIONS.stepMs, ...given } = parse(MULTI_FLOW_OPTIONS_SCHEMA, input);
  return { ...DEFAULT_MULTI_FLOW_OPTIONS, ...given, stepMs: fixedStepMs(stepMs) };
}

/** @throws CcparkError (invalid-argument) for "rtt": flows of different round trips have no step in common then */
export function fixedStepMs(stepMs: number | "rtt"): number {
  if (stepMs !== "rtt") return stepMs;
  throw new CcparkError(
    "invalid-argument",
    "[env] wrong option at stepMs: got rtt, expected milliseconds: all flows share the steps of a multi-flow environment",
    { field: "stepMs" },
  );
}
