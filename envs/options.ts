/** What an environment is made of besides its scenario: plain data, checked in one place, stored in checkpoints. */
import { z } from "zod";
import { CcparkError } from "../core/errors.ts";
import { DEFAULT_ACTION } from "./actions.ts";
import { DEFAULT_OBSERVATION } from "./observations.ts";
import { DEFAULT_REWARD } from "./rewards.ts";

export interface EnvOptions {
  /** name in OBSERVATIONS */
  readonly observation: string;
  /** name in ACTIONS */
  readonly action: string;
  /** name in REWARDS */
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

const schema: z.ZodType<Partial<EnvOptions>> = z.strictObject({
  observation: z.string().optional(),
  action: z.string().optional(),
  reward: z.string().optional(),
  stepMs: z.union([z.literal("rtt"), z.number().min(0.1).max(60_000)]).optional(),
  reportLossAtOnce: z.boolean().optional(),
  actionPolicy: z.enum(["clip", "reject"]).optional(),
  actionDelayUs: z.number().min(0).max(60_000_000).optional(),
});

/**
 * Fills what is missing with the defaults. Names of observations, actions and rewards are checked by their registries.
 * @throws CcparkError (invalid-argument) naming the option
 */
export function parseEnvOptions(input: unknown): EnvOptions {
  const parsed = schema.safeParse(input ?? {});
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    const where = issue.path.length > 0 ? ` at ${issue.path.join(".")}` : "";
    throw new CcparkError("invalid-argument", `[env] wrong option${where}: ${issue.message}`);
  }
  return { ...DEFAULT_ENV_OPTIONS, ...parsed.data };
}
