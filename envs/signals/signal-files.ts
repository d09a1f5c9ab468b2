/** Observations, actions and rewards from a user's own modules, known to this process under the path as written. */
import { registerModules } from "../../algorithms/module-files.ts";
import { CcparkError } from "../../core/errors.ts";
import { loadDefaultExport } from "../../core/module-files.ts";
import { isModuleFile, isModulePath } from "../../core/module-path.ts";
import { ACTIONS, type ActionParts, makeAction, registerAction } from "./actions.ts";
import { type Feature, OBSERVATIONS, type ObservationParts, registerObservation } from "./observations.ts";
import { REWARDS, type RewardSpec, registerReward } from "./rewards.ts";

/** Names of observations, actions and rewards, some of which may be paths of modules. Plain data: every thread loads its own. */
export interface SignalNames {
  readonly observations?: readonly string[];
  readonly actions?: readonly string[];
  readonly rewards?: readonly string[];
  /** paths of modules that scenarios name for cross traffic */
  readonly algorithms?: readonly string[];
}

/** frames; more is no history but a mistake */
const MAX_HISTORY = 1000;

type Fields<T> = Partial<Record<keyof T, unknown>>;

/** @throws CcparkError (invalid-argument) that names the field */
type Refuse = (field: string, expected: string) => never;

function refusal(what: string, where: string): Refuse {
  return (field, expected) => {
    throw new CcparkError("invalid-argument", `[${what}] ${where}: ${field}: expected ${expected}`);
  };
}

function checkTexts<T>(input: T, fields: readonly (keyof T & string)[], at: string, refuse: Refuse): void {
  for (const field of fields) {
    const text: unknown = input[field];
    if (typeof text !== "string" || text === "") refuse(`${at}${field}`, "a text that is not empty");
  }
}

/** Bounds may be infinite, but are numbers in order. */
function checkRange({ low, high }: Fields<Feature>, at: string, refuse: Refuse): void {
  if (typeof low !== "number" || typeof high !== "number" || !(low < high)) {
    refuse(`${at}low, high`, "numbers, low below high");
  }
}

/** What the parts of a list have in common: objects with a name of their own. */
function checkNamed(input: unknown, field: string, refuse: Refuse): readonly Fields<Feature>[] {
  if (!Array.isArray(input) || input.length === 0) return refuse(field, "a list that is not empty");
  for (const [i, each] of input.entries()) {
    if (typeof each !== "object" || each === null) refuse(`${field}.${i}`, "an object");
    checkTexts(each as Fields<Feature>, ["name", "definition"], `${field}.${i}.`, refuse);
    const isTwice = input.slice(0, i).some((other: { name?: unknown }) => other.name === each.name);
    if (isTwice) refuse(`${field}.${i}.name`, `a name of its own, not \`${each.name}\` again`);
  }
  return input;
}

/** The same of parts that compute something. */
function checkList(input: unknown, field: string, refuse: Refuse): readonly Fields<Feature>[] {
  const list = checkNamed(input, field, refuse);
  for (const [i, each] of list.entries()) {
    if (typeof each.of !== "function") refuse(`${field}.${i}.of`, "a function");
  }
  return list;
}

/**
 * Checks what a module calls an observation.
 * @param where for messages, such as the module's path
 * @throws CcparkError (invalid-argument) naming the first field that is wrong
 */
export function checkObservation(input: unknown, where: string): ObservationParts {
  const refuse = refusal("observation", where);
  if (typeof input !== "object" || input === null) return refuse("default export", "an observation's parts");
  const parts: Fields<ObservationParts> = input;
  checkTexts(parts, ["name", "definition", "source"], "", refuse);
  const { history } = parts;
  if (!Number.isInteger(history) || (history as number) < 1 || (history as number) > MAX_HISTORY) {
    refuse("history", `a whole number of frames from 1 to ${MAX_HISTORY}`);
  }
  for (const [i, feature] of checkList(parts.features, "features", refuse).entries()) {
    checkTexts(feature, ["unit"], `features.${i}.`, refuse);
    checkRange(feature, `features.${i}.`, refuse);
  }
  return input as ObservationParts;
}

/**
 * Checks what a module calls an action form.
 * @param where for messages, such as the module's path
 * @throws CcparkError (invalid-argument) naming the first field that is wrong
 */
export function checkAction(input: unknown, where: string): ActionParts {
  const refuse = refusal("action", where);
  if (typeof input !== "object" || input === null) return refuse("default export", "an action's parts");
  const parts: Fields<ActionParts> = input;
  checkTexts(parts, ["name", "definition", "source"], "", refuse);
  if ((parts.dimensions === undefined) === (parts.choices === undefined)) {
    refuse("dimensions, choices", "one of the two");
  }
  if (parts.choices !== undefined) checkNamed(parts.choices, "choices", refuse);
  else {
    for (const [i, dimension] of checkNamed(parts.dimensions, "dimensions", refuse).entries()) {
      checkTexts(dimension, ["unit"], `dimensions.${i}.`, refuse);
      checkRange(dimension, `dimensions.${i}.`, refuse);
      if (!Number.isFinite(dimension.low) || !Number.isFinite(dimension.high)) {
        refuse(`dimensions.${i}.low, high`, "finite numbers");
      }
    }
  }
  if (typeof parts.apply !== "function") refuse("apply", "a function of (action, setting, mssBytes)");
  return input as ActionParts;
}

/**
 * Checks what a module calls a RewardSpec.
 * @param where for messages, such as the module's path
 * @throws CcparkError (invalid-argument) naming the first field that is wrong
 */
export function checkReward(input: unknown, where: string): RewardSpec {
  const refuse = refusal("reward", where);
  if (typeof input !== "object" || input === null) return refuse("default export", "a RewardSpec");
  const spec: Fields<RewardSpec> = input;
  checkTexts(spec, ["name", "definition", "source"], "", refuse);
  checkRange(spec, "", refuse);
  checkList(spec.components, "components", refuse);
  if (typeof spec.of !== "function") refuse("of", "a function of an Interval");
  return input as RewardSpec;
}

/** A module's mistake is its author's to mend: it is named where it happens. */
function finite<A extends readonly unknown[]>(
  what: string,
  of: (...args: A) => number,
): (...args: A) => number {
  return (...args) => {
    const value: unknown = of(...args);
    if (Number.isFinite(value)) return value as number;
    throw new CcparkError("invalid-argument", `[env] ${what}: got ${value}, expected a finite number`);
  };
}

function finiteFeatures(path: string, parts: ObservationParts): ObservationParts {
  const features = parts.features.map((feature) => ({
    ...feature,
    of: finite(`observation ${path}, ${feature.name}`, feature.of),
  }));
  return { ...parts, name: path, features };
}

async function loadFor(path: string, what: string, neededBy: string | undefined): Promise<unknown> {
  try {
    return await loadDefaultExport(path, what);
  } catch (error) {
    if (neededBy === undefined || !(error instanceof CcparkError)) throw error;
    const message = `${error.message}; ${neededBy} was made with it`;
    throw new CcparkError(error.kind, message, { cause: error });
  }
}

/** The names that options of an environment have. */
export function signalsOf({
  observation,
  action,
  reward,
}: {
  readonly observation: string;
  readonly action: string;
  readonly reward: string;
}): SignalNames {
  return { observations: [observation], actions: [action], rewards: [reward] };
}

/**
 * Loads the modules among the names; one that is known already is left alone.
 * @param neededBy what asks for them, such as a checkpoint's path; for messages
 * @throws CcparkError (not-found, invalid-argument)
 */
export async function loadSignals(
  { observations = [], actions = [], rewards = [], algorithms = [] }: SignalNames,
  neededBy?: string,
): Promise<void> {
  await registerModules(algorithms);
  for (const path of observations) {
    if (!isModulePath(path) || OBSERVATIONS.has(path)) continue;
    const input = await loadFor(path, "observation", neededBy);
    const parts = checkObservation(input, `\`${path}\``);
    // another call may have been quicker
    if (!OBSERVATIONS.has(path)) registerObservation(finiteFeatures(path, parts));
  }
  for (const path of actions) {
    if (!isModulePath(path) || ACTIONS.has(path)) continue;
    const input = await loadFor(path, "action", neededBy);
    const parts = checkAction(input, `\`${path}\``);
    if (!ACTIONS.has(path)) registerAction(makeAction({ ...parts, name: path }));
  }
  for (const path of rewards) {
    if (!isModuleFile(path) || REWARDS.has(path)) continue;
    const input = await loadFor(path, "reward", neededBy);
    const spec = checkReward(input, `\`${path}\``);
    if (!REWARDS.has(path)) registerReward({ ...spec, name: path, of: finite(`reward ${path}`, spec.of) });
  }
}
