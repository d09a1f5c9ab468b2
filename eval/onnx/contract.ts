/**
 * What an ONNX policy says of itself, and whether this version can keep it. The graph takes observations as the
 * environment gives them, float32 [batch, observation], and answers actions in the unit of the action space, float32
 * [batch, action], without chance: normalisation, squashing and clipping are inside. `docs/onnx.md` is the specification;
 * `python/ccpark/onnx_export.py` writes it.
 */
import * as z from "zod";
import { CcparkError } from "../../core/errors.ts";
import { SERVED_IDS } from "../../envs/grpc/served-ids.ts";
import { type EnvOptions, parseEnvOptions } from "../../envs/options.ts";
import { getAction } from "../../envs/signals/actions.ts";
import { type Envelope, envelopeOfSpaces } from "../../envs/signals/envelope.ts";
import { getFlowReward } from "../../envs/signals/flow-rewards.ts";
import { getObservation } from "../../envs/signals/observations.ts";
import { getReward } from "../../envs/signals/rewards.ts";
import { loadSignals, signalsOf } from "../../envs/signals/signal-files.ts";
import type { Box } from "../../envs/spaces.ts";

/** Key of the JSON text among the model's metadata. */
export const CONTRACT_KEY = "ccpark.contract";
/** Rises when a reader of the old version would misread the new one. */
export const CONTRACT_VERSION = 1;

/** Environments whose policies act on one flow's observation, and where their rewards are named. */
const ENVIRONMENTS: ReadonlyMap<string, (reward: string) => unknown> = new Map([
  [SERVED_IDS.singleFlow, getReward],
  [SERVED_IDS.multiFlow, getFlowReward],
]);

const dimension = z.object({ name: z.string(), unit: z.string(), low: z.number(), high: z.number() });
const space = z.object({ name: z.string(), dimensions: z.array(dimension).min(1) });
type ContractSpace = z.infer<typeof space>;

const contractSchema = z.object({
  version: z.literal(CONTRACT_VERSION),
  envId: z.string(),
  observation: space,
  action: space,
  reward: z.string(),
  stepMs: z.union([z.literal("rtt"), z.number()]),
  actionDelayUs: z.number(),
  reportLossAtOnce: z.boolean(),
  actionPolicy: z.enum(["clip", "reject"]),
  input: z.string(),
  output: z.string(),
  /** of a graph with memory: which output of a step is which input of the next; the first has zeros */
  state: z.array(z.object({ input: z.string(), output: z.string() })).optional(),
  normalisation: z.object({ inGraph: z.literal(true) }),
  actionRule: z.object({ inGraph: z.literal(true) }),
  /** who trained it, in a few words */
  madeBy: z.string().optional(),
});

/** What a graph remembers from one step to the next. */
export interface StateTensor {
  readonly input: string;
  readonly output: string;
}

export interface PolicyContract {
  readonly env: EnvOptions;
  /** what it was made for */
  readonly envelope: Envelope;
  readonly observationSpace: Box;
  readonly actionSpace: Box;
  /** names of the graph's input and output */
  readonly input: string;
  readonly output: string;
  readonly state: readonly StateTensor[];
  readonly madeBy: string;
}

function differs(field: string, got: unknown, expected: unknown): CcparkError {
  const message = `contract field \`${field}\`: got ${JSON.stringify(got)}, expected ${JSON.stringify(expected)}`;
  return new CcparkError("invalid-argument", message);
}

/**
 * Runs a check of a registry and names the contract's field in its error.
 * @param field absent: the error says it
 */
function named<T>(field: string | undefined, check: () => T): T {
  try {
    return check();
  } catch (cause) {
    if (!(cause instanceof CcparkError)) throw cause;
    throw new CcparkError(cause.kind, `contract field \`${field ?? cause.field}\`: ${cause.message}`, {
      cause,
    });
  }
}

function checkSpace(what: "observation" | "action", { dimensions }: ContractSpace, box: Box): void {
  const names = (all: readonly { readonly name: string }[]): string => all.map(({ name }) => name).join(", ");
  if (dimensions.length !== box.shape[0]) {
    const got = `${dimensions.length} (${names(dimensions)})`;
    throw differs(`${what}.dimensions`, got, `${box.shape[0]} (${names(box.dimensions)})`);
  }
  dimensions.forEach((got, i) => {
    const expected = box.dimensions[i]!;
    for (const field of ["name", "unit", "low", "high"] as const) {
      const same =
        typeof got[field] === "number"
          ? Math.fround(got[field]) === Math.fround(expected[field] as number)
          : got[field] === expected[field];
      if (!same) throw differs(`${what}.dimensions.${i}.${field}`, got[field], expected[field]);
    }
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const message = `metadata \`${CONTRACT_KEY}\`: got text that is not JSON`;
    throw new CcparkError("invalid-argument", message, { cause });
  }
}

/**
 * Reads a contract and holds it against the registries of this version; the modules of its observation and reward are loaded.
 * @param metadata of the model
 * @throws CcparkError that names the field
 */
export async function readContract(metadata: ReadonlyMap<string, string>): Promise<PolicyContract> {
  const text = metadata.get(CONTRACT_KEY);
  if (text === undefined) {
    const message = `metadata \`${CONTRACT_KEY}\`: got none, expected what ccpark.export_onnx writes, or ccpark.add_contract for a file of another exporter`;
    throw new CcparkError("invalid-argument", message);
  }
  const json = parseJson(text);
  const parsed = contractSchema.safeParse(json);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    throw new CcparkError("invalid-argument", `contract field \`${path.join(".")}\`: ${message}`);
  }
  const {
    envId,
    observation,
    action,
    reward,
    input,
    output,
    state = [],
    madeBy = "another learner",
  } = parsed.data;
  const checkReward = ENVIRONMENTS.get(envId);
  if (checkReward === undefined) throw differs("envId", envId, [...ENVIRONMENTS.keys()].join(" or "));
  await loadSignals(signalsOf({ observation: observation.name, action: action.name, reward }), "the model");
  const envelope = envelopeOfSpaces(observation, action);
  const observationSpace = named("observation.name", () => getObservation(observation.name, envelope)).space;
  const actionSpace = named("action.name", () => getAction(action.name, envelope.maxCwndPackets)).space;
  if (actionSpace.kind !== "box") throw differs("action.name", action.name, "an action that is a box");
  checkSpace("observation", observation, observationSpace);
  checkSpace("action", action, actionSpace);
  named("reward", () => checkReward(reward));
  const { stepMs, actionDelayUs, reportLossAtOnce, actionPolicy } = parsed.data;
  const options = { reward, stepMs, actionDelayUs, reportLossAtOnce, actionPolicy };
  const env = named(undefined, () =>
    parseEnvOptions({ observation: observation.name, action: action.name, ...options }),
  );
  return { env, envelope, observationSpace, actionSpace, input, output, state, madeBy };
}
