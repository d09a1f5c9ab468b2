/** Observations, actions and rewards from a user's own modules, known to this process under the path as written. */
import { registerModules } from "../../algorithms/module-files.ts";
import { CcparkError, Mistakes } from "../../core/errors.ts";
import { loadDefaultExport, thrownText } from "../../core/module-files.ts";
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

function checkTexts<T>(
  input: T,
  fields: readonly (keyof T & string)[],
  at: string,
  mistakes: Mistakes,
): void {
  for (const field of fields) {
    const text: unknown = input[field];
    if (typeof text !== "string" || text === "") mistakes.add(`${at}${field}`, "a text that is not empty");
  }
}

/** Bounds may be infinite, but are numbers in order. */
function checkRange({ low, high }: Fields<Feature>, at: string, mistakes: Mistakes): void {
  if (typeof low !== "number" || typeof high !== "number" || !(low < high)) {
    mistakes.add(`${at}low, high`, "numbers, low below high");
  }
}

/** What the parts of a list have in common: objects with a name of their own. */
function checkNamed(input: unknown, field: string, mistakes: Mistakes): readonly Fields<Feature>[] {
  if (!Array.isArray(input) || input.length === 0) {
    mistakes.add(field, "a list that is not empty");
    return [];
  }
  for (const [i, each] of input.entries()) {
    if (typeof each !== "object" || each === null) {
      mistakes.add(`${field}.${i}`, "an object");
      return [];
    }
    checkTexts(each as Fields<Feature>, ["name", "definition"], `${field}.${i}.`, mistakes);
    const isTwice =
      each.name && input.slice(0, i).some((other: { name?: unknown }) => other.name === each.name);
    if (isTwice) mistakes.add(`${field}.${i}.name`, `a name of its own, not \`${each.name}\` again`);
  }
  return input;
}

/** The same of parts that compute something. */
function checkList(input: unknown, field: string, mistakes: Mistakes): readonly Fields<Feature>[] {
  const list = checkNamed(input, field, mistakes);
  for (const [i, each] of list.entries()) {
    if (typeof each.of !== "function") mistakes.add(`${field}.${i}.of`, "a function");
  }
  return list;
}

/**
 * Checks what a module calls an observation.
 * @param where for messages, such as the module's path
 * @throws CcparkError (invalid-argument) naming the fields that are wrong
 */
export function checkObservation(input: unknown, where: string): ObservationParts {
  const mistakes = new Mistakes("observation", where);
  const parts = mistakes.expectObject<ObservationParts>(input, "an observation's parts");
  checkTexts(parts, ["name", "definition", "source"], "", mistakes);
  const { history } = parts;
  if (!Number.isInteger(history) || (history as number) < 1 || (history as number) > MAX_HISTORY) {
    mistakes.add("history", `a whole number of frames from 1 to ${MAX_HISTORY}`);
  }
  for (const [i, feature] of checkList(parts.features, "features", mistakes).entries()) {
    checkTexts(feature, ["unit"], `features.${i}.`, mistakes);
    checkRange(feature, `features.${i}.`, mistakes);
  }
  mistakes.tell();
  return input as ObservationParts;
}

/**
 * Checks what a module calls an action form.
 * @param where for messages, such as the module's path
 * @throws CcparkError (invalid-argument) naming the fields that are wrong
 */
export function checkAction(input: unknown, where: string): ActionParts {
  const mistakes = new Mistakes("action", where);
  const parts = mistakes.expectObject<ActionParts>(input, "an action's parts");
  checkTexts(parts, ["name", "definition", "source"], "", mistakes);
  if ((parts.dimensions === undefined) === (parts.choices === undefined)) {
    mistakes.add("dimensions, choices", "one of the two");
  } else if (parts.choices !== undefined) checkNamed(parts.choices, "choices", mistakes);
  else {
    for (const [i, dimension] of checkNamed(parts.dimensions, "dimensions", mistakes).entries()) {
      checkTexts(dimension, ["unit"], `dimensions.${i}.`, mistakes);
      checkRange(dimension, `dimensions.${i}.`, mistakes);
      if (![dimension.low, dimension.high].every(Number.isFinite)) {
        mistakes.add(`dimensions.${i}.low, high`, "finite numbers");
      }
    }
  }
  if (typeof parts.apply !== "function") mistakes.add("apply", "a function of (action, setting, mssBytes)");
  mistakes.tell();
  return input as ActionParts;
}

/**
 * Checks what a module calls a RewardSpec.
 * @param where for messages, such as the module's path
 * @throws CcparkError (invalid-argument) naming the fields that are wrong
 */
export function checkReward(input: unknown, where: string): RewardSpec {
  const mistakes = new Mistakes("reward", where);
  const spec = mistakes.expectObject<RewardSpec>(input, "a RewardSpec");
  checkTexts(spec, ["name", "definition", "source"], "", mistakes);
  checkRange(spec, "", mistakes);
  checkList(spec.components, "components", mistakes);
  if (typeof spec.of !== "function") mistakes.add("of", "a function of an Interval");
  mistakes.tell();
  return input as RewardSpec;
}

/** A module's mistake is its author's to mend: it is named where it happens. */
function named<A extends readonly unknown[], R>(what: string, of: (...args: A) => R): (...args: A) => R {
  return (...args) => {
    try {
      return of(...args);
    } catch (cause) {
      throw new CcparkError("invalid-argument", `[env] ${what}: ${thrownText(cause)}`, { cause });
    }
  };
}

function finite<A extends readonly unknown[]>(
  what: string,
  of: (...args: A) => number,
): (...args: A) => number {
  const call = named(what, of);
  return (...args) => {
    const value: unknown = call(...args);
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
    if (!ACTIONS.has(path))
      registerAction(makeAction({ ...parts, name: path, apply: named(`action ${path}`, parts.apply) }));
  }
  for (const path of rewards) {
    if (!isModuleFile(path) || REWARDS.has(path)) continue;
    const input = await loadFor(path, "reward", neededBy);
    const spec = checkReward(input, `\`${path}\``);
    if (!REWARDS.has(path)) registerReward({ ...spec, name: path, of: finite(`reward ${path}`, spec.of) });
  }
}
