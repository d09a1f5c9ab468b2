/** Wiring: what `train` draws its episodes from, as its options or `config.json` say it. */
import { createHash } from "node:crypto";
import type { Checkpoint } from "../../agents/checkpoint.ts";
import type { LearnerSpec } from "../../agents/learner.ts";
import { LEARNERS } from "../../agents/registry.ts";
import { checkCrossTraffic, crossTrafficModules } from "../../algorithms/cross-traffic.ts";
import { CcparkError } from "../../core/errors.ts";
import { loadSignals } from "../../envs/signals/signal-files.ts";
import { flowsUnderTest } from "../../scenarios/flows.ts";
import { parseOverride } from "../../scenarios/overrides.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { resolveScenarios, type ScenarioEntry } from "../../scenarios/scenario-files.ts";
import { checkTemplate } from "../../scenarios/template.ts";
import { CURRICULA, curriculumFiles } from "../../training/curricula/registry.ts";
import { scenarioNamesOf, TRAINING_RANGE_NAME } from "../../training/described-env.ts";
import type { Continuation, RunConfig } from "../../training/run-config.ts";

/** Plain data, as `config.json` has it. */
export interface Episodes {
  /** presets, grids, files, curricula, or the training range alone */
  readonly scenarios: readonly string[];
  readonly trace: string | null;
  /** fields of the scenarios, `path=value` */
  readonly set: readonly string[];
  /** null: the scenarios' own, of the training range the default */
  readonly episodeSec: number | null;
}

/** Names for `--override`. */
export const EPISODE_NAMES: readonly string[] = ["scenario", "trace", "set", "episode"];

const NONE: Episodes = { scenarios: [TRAINING_RANGE_NAME], trace: null, set: [], episodeSec: null };

/** Of a run that was written before `config.json` told whether `--episode` was given: it always held a number. */
const DEFAULT_EPISODE_SEC_OF_010 = 10;

function storedEpisodes(checkpoint: Checkpoint, config: RunConfig | undefined): Episodes {
  if (config === undefined) return { ...NONE, scenarios: trainedOn(checkpoint) };
  const { scenarios = NONE.scenarios, trace = null, set = [], episodeSec = null, history } = config;
  const isOld = history.length === 0 && episodeSec === DEFAULT_EPISODE_SEC_OF_010;
  return { scenarios, trace, set, episodeSec: isOld ? null : episodeSec } as Episodes;
}

/** Names of the scenarios that a checkpoint was trained on; the training range where it does not say. */
export function trainedOn(checkpoint: Checkpoint): readonly string[] {
  const names = scenarioNamesOf(checkpoint) ?? NONE.scenarios;
  const known = [...new Set(names)].sort().join();
  // checkpoints have the files of a curriculum, which stands for them
  const curriculum = [...CURRICULA.values()].find(
    ({ shares }) => Object.keys(shares).sort().join() === known,
  );
  return curriculum === undefined ? names : [curriculum.name];
}

export interface GivenEpisodes {
  readonly scenario?: readonly string[];
  readonly trace?: string;
  readonly set: readonly string[];
  readonly episode?: number;
}

export function newEpisodes({ scenario, trace, set, episode }: GivenEpisodes): Episodes {
  return {
    scenarios: scenario ?? NONE.scenarios,
    trace: trace ?? null,
    set,
    episodeSec: episode ?? null,
  };
}

/**
 * Those of a run that goes on. Other scenarios do not inherit trace and fields of the old ones.
 * @throws CcparkError (invalid-argument) for a contradiction that was not asked for
 */
export function continuedEpisodes(
  given: GivenEpisodes,
  from: Checkpoint,
  config: RunConfig | undefined,
  continuation: Continuation,
): Episodes {
  const stored = storedEpisodes(from, config);
  const scenarios = continuation.choose("scenario", given.scenario, stored.scenarios);
  const { trace, set } = scenarios === stored.scenarios ? stored : NONE;
  const others = scenarios !== stored.scenarios;
  return {
    scenarios,
    trace: others ? (given.trace ?? null) : continuation.choose("trace", given.trace, trace),
    set: others ? given.set : continuation.choose("set", given.set.length === 0 ? undefined : given.set, set),
    episodeSec: continuation.choose("episode", given.episode, stored.episodeSec),
  };
}

/** A curriculum stands for its files. */
function filesOf(name: string): readonly string[] {
  const curriculum = CURRICULA.get(name);
  return curriculum === undefined ? [name] : curriculumFiles(curriculum);
}

/** @returns undefined: the training range, a link per episode */
export function resolveEpisodes({
  scenarios,
  trace,
  set,
  episodeSec,
}: Episodes): readonly ScenarioEntry[] | undefined {
  if (scenarios.length === 1 && scenarios[0] === TRAINING_RANGE_NAME) {
    if (set.length === 0 && trace === null) return undefined;
    const got =
      trace === null
        ? `--set ${set[0]}: got no scenario, expected --scenario beside fields of one`
        : `--trace ${trace}: got no scenario, expected --scenario with one that takes a trace, such as ccp-cell`;
    throw new CcparkError("invalid-argument", `[train] ${got}`);
  }
  return resolveScenarios(scenarios.flatMap(filesOf), {
    ...(trace !== null && { tracePath: trace }),
    ...(episodeSec !== null && { durationSec: episodeSec }),
    overrides: set.map(parseOverride),
  });
}

/**
 * Algorithms of other flows, in every choice that a scenario leaves: a name that nobody knows would end the training in the
 * episode that draws it.
 * @throws ScenarioError
 */
export async function checkAlgorithms(entries: readonly ScenarioEntry[]): Promise<void> {
  const inAll = (check: (scenario: Scenario) => void): void => {
    for (const { name, template } of entries) checkTemplate(template, { name, check });
  };
  const modules = new Set<string>();
  inAll((scenario) => {
    for (const path of crossTrafficModules(scenario)) modules.add(path);
  });
  await loadSignals({ algorithms: [...modules] });
  inAll(checkCrossTraffic);
}

/**
 * That as many flows learn as the learner learns of.
 * @param entries undefined: the training range, whose links have one
 * @throws CcparkError (invalid-argument) for a scenario with too many or too few of them
 */
export function expectFlows(entries: readonly ScenarioEntry[] | undefined, learner: LearnerSpec): void {
  const isOfSeveral = learner.needs?.flows === true;
  const others = [...LEARNERS.values()].filter((each) => (each.needs?.flows === true) !== isOfSeveral);
  const counts = entries?.map((entry) => [entry.name, flowsUnderTest(entry.of(0)).length] as const);
  for (const [scenario, count] of counts ?? [[TRAINING_RANGE_NAME, 1] as const]) {
    if (count > 1 === isOfSeveral) continue;
    const names = others.map(({ name }) => name).join(", ");
    const expected = isOfSeveral
      ? `several (\`flows: [{ algorithm: test }]\`), or a learner of one flow: ${names}`
      : `one, or a learner of several: ${names}`;
    throw new CcparkError(
      "invalid-argument",
      `[train] scenario ${scenario}: got ${count} ${count === 1 ? "flow" : "flows"} under test, expected ${expected}`,
    );
  }
}

/** SHA-256 (hex) of everything that the scenarios say, traces included; null of the training range. */
export function digestOf(entries: readonly ScenarioEntry[] | undefined): string | null {
  if (entries === undefined) return null;
  const content = entries.map(({ name, template }) => ({ name, template }));
  return createHash("sha256").update(JSON.stringify(content)).digest("hex");
}

/**
 * Names alone do not make a scenario the same: its file, or the preset of another version, may say something else by now.
 * @throws CcparkError (failed-precondition)
 */
export function expectSameScenarios(
  digest: string | null,
  config: RunConfig | undefined,
  continuation: Continuation,
): void {
  const stored = config?.["scenariosSha256"];
  if (stored === undefined || stored === digest) return;
  if (EPISODE_NAMES.some((name) => continuation.allows(name))) {
    continuation.changed["scenariosSha256"] = { from: stored as string | null, to: digest };
    return;
  }
  throw new CcparkError(
    "failed-precondition",
    "[train] scenario: it is not what it was when the run began (a file of it, or this version's preset, has changed); put it back, or add --override scenario to go on with it as it is now",
  );
}
