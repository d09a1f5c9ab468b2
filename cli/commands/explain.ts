/** `ccpark explain`: every name that other commands take, with unit, range and definition. */

import type { Command } from "commander";
import { CcparkError, namedEntry, unknownName } from "../../core/errors.ts";
import { isModuleFile, isModulePath } from "../../core/module-path.ts";
import { loadSignals } from "../../envs/signals/signal-files.ts";
import { seedsText } from "../../eval/seeds.ts";
import type { PresetStatus, ScenarioPreset } from "../../scenarios/presets/preset.ts";
import { interruptible, outWidth, printOut } from "../console.ts";

interface Dimension {
  readonly name: string;
  readonly unit: string;
  readonly low: number;
  readonly high: number;
  /** names that the numbers stand for: one of them is given */
  readonly choices?: readonly string[];
  readonly definition: string;
}

/** One name and what there is to know about it. */
interface Entry {
  readonly name: string;
  readonly summary: string;
  readonly source?: string;
  readonly isDefault?: boolean;
  /** vectors: one row per dimension; scalars: one row */
  readonly dimensions?: readonly Dimension[];
  /** in the order of their numbers, from 0 */
  readonly choices?: readonly { readonly name: string; readonly definition: string }[];
  /** of a learner, with the default of `train` */
  readonly options?: readonly {
    readonly name: string;
    readonly values: string;
    readonly default: unknown;
    readonly definition: string;
  }[];
  /** for a reader, such as `history: 5 frames` */
  readonly facts?: readonly string[];
  /** for a program: only in JSON */
  readonly data?: Readonly<Record<string, unknown>>;
}

type Topic =
  | "scenarios"
  | "suites"
  | "observations"
  | "actions"
  | "rewards"
  | "facts"
  | "metrics"
  | "states"
  | "algorithms"
  | "learners"
  | "hyperparameters"
  | "recipes"
  | "zoo"
  | "curricula"
  | "testbeds";

interface Selection {
  /** one of the topic, or a user's module; of a preset or grid also its members */
  readonly name?: string;
  /** members of all presets too */
  readonly expand: boolean;
}

const modulesIn = (name: string | undefined): string[] =>
  name !== undefined && isModulePath(name) ? [name] : [];

async function scenarios({ name, expand }: Selection): Promise<Entry[]> {
  const { findPreset, presetMembers, SCENARIOS } = await import("../../scenarios/presets.ts");
  const { resolveScenarios } = await import("../../scenarios/scenario-files.ts");
  const { linkLabel, storedScenario } = await import("../../eval/links.ts");
  const listed = name === undefined ? [...SCENARIOS.values()] : [findPreset(name)];
  const presets = interruptible(() =>
    listed.flatMap((preset) =>
      expand || name !== undefined ? [preset, ...presetMembers(preset).values()] : [preset],
    ),
  );
  const entryOf = (preset: ScenarioPreset): Entry => {
    const { description, source, trace, status } = preset;
    const members = presetMembers(preset).size;
    const facts = [statusText(status)];
    if (members > 0) {
      const kind = preset.template === undefined ? "grid of" : "variants:";
      facts.push(`${kind} ${members} (\`ccpark explain scenarios ${preset.name}\`)`);
    }
    const common = { name: preset.name, summary: description, source };
    const data = { status, ...(members > 0 ? { members } : {}) };
    if (trace === "any") {
      return { ...common, facts: ["needs --trace FILE", ...facts], data: { ...data, needsTrace: true } };
    }
    if (preset.template === undefined) return { ...common, facts, data };
    const [entry] = resolveScenarios([preset.name]);
    if (entry!.drawn) {
      return {
        ...common,
        facts: ["link: drawn for each seed", ...facts],
        data: { ...data, template: entry!.template },
      };
    }
    const scenario = entry!.of(0);
    const stored = storedScenario(scenario);
    const { name: _, source: __, description: ___, ...parameters } = stored;
    return {
      ...common,
      facts: [`link: ${linkLabel(scenario)}, ${scenario.durationSec} s`, ...facts],
      data: { ...data, link: linkLabel(scenario), ...parameters },
    };
  };
  return interruptible(() => presets.map(entryOf));
}

function statusText(status: PresetStatus): string {
  switch (status.kind) {
    case "runnable":
      return "status: runnable";
    case "substituted":
      return `status: runnable with substitution (${status.substitution})`;
    case "not-runnable":
      return `status: not runnable (${status.why})`;
  }
}

async function suites(): Promise<Entry[]> {
  const { SUITES } = await import("../../scenarios/presets/suites.ts");
  return [...SUITES.values()].map(({ name, description, source, scenarios: names, seeds }) => ({
    name,
    summary: description,
    source,
    facts: [
      `\`ccpark bench --suite ${name}\`: ${names.length > 6 ? `${names[0]} to ${names.at(-1)}` : names.join(", ")}`,
      ...(seeds === undefined ? [] : [seedsText(seeds)]),
    ],
    data: { scenarios: names, seeds: seeds ?? null },
  }));
}

async function observations({ name }: Selection): Promise<Entry[]> {
  await loadSignals({ observations: modulesIn(name) });
  const { DEFAULT_OBSERVATION, OBSERVATIONS } = await import("../../envs/signals/observations.ts");
  return [...OBSERVATIONS.values()].map((spec) => ({
    name: spec.name,
    summary: spec.definition,
    source: spec.source,
    isDefault: spec.name === DEFAULT_OBSERVATION,
    dimensions: spec.features,
    facts: [
      `${spec.space.shape[0]} numbers: ${spec.features.length} features, ${spec.history} frames, the newest last`,
    ],
    data: { history: spec.history, length: spec.space.shape[0] },
  }));
}

async function actions({ name: wanted }: Selection): Promise<Entry[]> {
  await loadSignals({ actions: modulesIn(wanted) });
  const { ACTIONS, DEFAULT_ACTION } = await import("../../envs/signals/actions.ts");
  return [...ACTIONS.values()].map(({ name, definition, source, space }) => ({
    name,
    summary: definition,
    source,
    isDefault: name === DEFAULT_ACTION,
    ...(space.kind === "box" ? { dimensions: space.dimensions } : { choices: space.choices }),
  }));
}

async function rewards({ name }: Selection): Promise<Entry[]> {
  const isFormula = name !== undefined && !isModuleFile(name) && /\W/.test(name.replaceAll("-", ""));
  if (name !== undefined && isModuleFile(name)) await loadSignals({ rewards: [name] });
  const { DEFAULT_REWARD, REWARDS } = await import("../../envs/signals/rewards.ts");
  const { flowRewards, getFlowReward } = await import("../../envs/signals/flow-rewards.ts");
  // the named rewards are flow rewards too; what comes on top needs several flows
  const specs = [...flowRewards().values(), ...(isFormula ? [getFlowReward(name)] : [])];
  const wantsFlows = (reward: string): boolean =>
    reward === name && isFormula ? reward.includes("fairShareMbps") : !REWARDS.has(reward);
  return specs.map((spec) => ({
    name: spec.name,
    summary: spec.definition,
    source: spec.source,
    isDefault: spec.name === DEFAULT_REWARD,
    facts: [
      `range of one step: ${range(spec.low, spec.high)}, unit: 1`,
      ...(wantsFlows(spec.name) ? ["only in environments of several flows"] : []),
      ...(spec.components.length > 1
        ? [`components: ${spec.components.map((each) => `${each.name}: ${each.definition}`).join(", ")}`]
        : []),
    ],
    data: { low: spec.low, high: spec.high, unit: "1", severalFlows: wantsFlows(spec.name) },
  }));
}

/** What formulas may read: of a step for rewards, of a run for `bench --metric`. */
async function facts(): Promise<Entry[]> {
  const { FLOW_FACTS } = await import("../../envs/signals/facts.ts");
  const { RUN_FACTS } = await import("../../eval/metrics.ts");
  const entries = new Map<string, Entry>();
  const add = (use: string, { name, unit, low, high, definition }: Dimension): void => {
    const before = entries.get(name);
    entries.set(name, {
      name,
      summary: [before?.summary, `${use}: ${definition}`].filter(Boolean).join("; "),
      facts: before?.facts ?? [`unit: ${unit}, range: ${range(low, high)}`],
      data: { unit, low, high },
    });
  };
  for (const each of FLOW_FACTS) add("of a step (--reward)", each);
  for (const each of RUN_FACTS) add("of a run (--metric)", each);
  return [...entries.values()];
}

/** What results measure of a run, and of several beside each other. */
async function metrics(): Promise<Entry[]> {
  const { COMPARATIVE_METRICS, RUN_FACTS } = await import("../../eval/metrics.ts");
  return [...RUN_FACTS, ...COMPARATIVE_METRICS].map(({ name, unit, low, high, definition }) => ({
    name,
    summary: definition,
    facts: [`unit: ${unit}, range: ${range(low, high)}`],
    data: { unit, low, high },
  }));
}

const INTERVAL_NOTE =
  "Tables have 95 % intervals of means over seeds by Student's t; those of `ccpark league` and `bench --aggregate` are stratified bootstraps. Contenders are tied where the interval of their difference, seed by seed, has 0 in it.";

/** The language that facts are the names of. */
async function formulaNotes(): Promise<string> {
  const { FORMULA_FUNCTIONS } = await import("../../core/formula.ts");
  const lines = [
    "A formula is a reward wherever a name of one is taken, and a column of `ccpark bench --metric`:",
    "  ccpark train --reward 'log2(throughputMbps) - 0.5 * log2(max(queueDelayMs, 1)) - 10 * lossRate' --out runs/mine",
    "  ccpark bench --metric 'power = goodputMbps / meanQueueDelayMs'",
    `functions: ${FORMULA_FUNCTIONS.join(", ")}`,
    "operators: + - * / % ^, comparisons (1 or 0), and, or, not, a ? b : c; pi, e",
  ];
  return `${lines.join("\n")}\n\n`;
}

async function states(): Promise<Entry[]> {
  const { GLOBAL_STATE } = await import("../../envs/signals/global-state.ts");
  const { name, definition, source, space } = GLOBAL_STATE;
  return [
    { name, summary: definition, source, dimensions: space.dimensions, data: { length: space.shape[0] } },
  ];
}

async function algorithms({ name: wanted }: Selection): Promise<Entry[]> {
  const { ALGORITHMS } = await import("../../algorithms/registry.ts");
  const { loadModules } = await import("../../algorithms/module-files.ts");
  const { OTHER_CONTENDERS } = await import("../contenders.ts");
  const modules = await loadModules(modulesIn(wanted));
  return [
    ...[...ALGORITHMS, ...modules].map(
      ([name, { summary, source, reads, params, ccp, native, recovery }]) => ({
        name,
        summary,
        source,
        facts: [
          `reads: ${reads.join(", ")}`,
          ...(native === undefined ? [] : [`\`native-${name}\`: in the datapath, without an agent`]),
          ...(recovery === undefined ? [] : [`after an outage: ${recovery}`]),
        ],
        dimensions: params.map((param) => ({
          ...param,
          definition: [
            param.choices
              ? `${param.choices.join(", ")}; default ${param.choices[param.default]}`
              : `default ${Number(param.default.toPrecision(4))}`,
            param.why,
            ...(param.live ? ["may change on a live flow"] : []),
          ].join("; "),
        })),
        data: { reads, ccp: ccp !== undefined, native: native !== undefined, recovery: recovery ?? null },
      }),
    ),
    ...OTHER_CONTENDERS,
  ];
}

/** A learner each, as `train --learner` takes it. */
async function learners(): Promise<Entry[]> {
  const { DEFAULT_LEARNER, LEARNERS } = await import("../../agents/registry.ts");
  return [...LEARNERS.values()].map(({ name, source, summary, actions: learnsOver }) => ({
    name,
    summary,
    source,
    isDefault: name === DEFAULT_LEARNER,
    facts: [`actions: ${learnsOver.map((kind) => (kind === "box" ? "a box" : "choices")).join(", ")}`],
    data: { actions: learnsOver },
  }));
}

/** The same, with what `train --set` may change. */
async function hyperparameters(): Promise<Entry[]> {
  const { getLearner } = await import("../../agents/registry.ts");
  const { valuesOfKind } = await import("../../agents/nn/options.ts");
  return (await learners()).map((entry) => {
    const { options, defaults, tuned } = getLearner(entry.name);
    return {
      ...entry,
      options: Object.entries(options).map(([option, kind]) => ({
        name: option,
        values: valuesOfKind(kind),
        default: tuned[option] ?? defaults[option]!,
        definition: kind.definition,
      })),
    };
  });
}

async function testbeds(): Promise<Entry[]> {
  const { DEFAULT_TESTBED, TESTBEDS } = await import("../../testbeds/registry.ts");
  const { SCENARIOS } = await import("../../scenarios/presets.ts");
  const { resolveScenarios } = await import("../../scenarios/scenario-files.ts");
  const presets = [...SCENARIOS.values()].filter(
    ({ template, trace }) => template !== undefined && trace !== "any",
  );
  const scenarios = interruptible(() => presets.map(({ name }) => resolveScenarios([name])[0]!.of(0)));
  return [...TESTBEDS.values()].map((testbed) => {
    const refused = scenarios.flatMap((scenario) => {
      const why = testbed.refuses(scenario);
      return why === undefined ? [] : [`${scenario.name}: ${why}`];
    });
    return {
      name: testbed.name,
      summary: testbed.summary,
      isDefault: testbed.name === DEFAULT_TESTBED,
      facts: [
        `clock: ${testbed.clock}`,
        `runs ${scenarios.length - refused.length} of ${scenarios.length} presets${refused.length > 0 ? `; not, for example, ${refused[0]}` : ""}`,
        `records for --export: ${testbed.records.length === 0 ? "nothing but series" : testbed.records.join(", ")}`,
      ],
      data: { clock: testbed.clock, records: testbed.records, refuses: refused },
    };
  });
}

async function recipes(): Promise<Entry[]> {
  const { RECIPES } = await import("../../training/recipes/registry.ts");
  return [...RECIPES.values()].map(({ name, summary, source, differs, ...recipe }) => ({
    name,
    summary,
    source,
    facts: [
      `observation ${recipe.observation}, action ${recipe.action}, learner ${recipe.learner}, steps of ${recipe.stepMs === "rtt" ? "a round trip" : `${recipe.stepMs} ms`}`,
      `reward: ${recipe.reward}`,
      `on ${recipe.scenarios.join(", ")}, ${recipe.steps.toLocaleString("en")} steps`,
      ...differs.map((each) => `differs: ${each}`),
    ],
    data: { ...recipe, differs },
  }));
}

/** Policies that come with ccpark, as `zoo:NAME`. */
async function zoo(): Promise<Entry[]> {
  const { loadZoo, ZOO_PREFIX, zooNames, zooSummary } = await import("../../agents/zoo-files.ts");
  return zooNames().map((bare) => {
    const { learner, env, steps } = loadZoo(bare).header;
    const name = `${ZOO_PREFIX}${bare}`;
    return {
      name,
      summary: zooSummary(bare),
      facts: [
        `learner ${learner}, observation ${env.observation}, action ${env.action}, ${steps.toLocaleString("en")} steps`,
        `\`ccpark bench --algorithms cubic,${name}\``,
        `card: agents/zoo/${bare}.md`,
      ],
      data: { learner, observation: env.observation, action: env.action, steps },
    };
  });
}

async function curricula({ name: wanted }: Selection): Promise<Entry[]> {
  const { CURRICULA, findCurriculum } = await import("../../training/curricula/registry.ts");
  const listed = wanted === undefined ? [...CURRICULA.values()] : [findCurriculum(wanted)];
  return listed.map(({ name, summary, source, shares }) => ({
    name,
    summary,
    source,
    facts: [
      `shares of episodes: ${Object.entries(shares)
        .map(([file, share]) => `${file} ${share}`)
        .join(", ")}`,
    ],
    data: { shares },
  }));
}

const TOPICS: Readonly<Record<Topic, (selection: Selection) => Promise<Entry[]>>> = {
  scenarios,
  suites,
  observations,
  actions,
  rewards,
  facts,
  metrics,
  states,
  algorithms,
  learners,
  hyperparameters,
  recipes,
  zoo,
  curricula,
  testbeds,
};

const TOPIC_NAMES = Object.keys(TOPICS) as Topic[];

/** Of prose: a line that is longer is hard to read. */
const WIDTH: number = Math.min(100, outWidth(false) ?? 100);

/** Breaks prose at spaces. */
function wrap(text: string, indent: number): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line !== "" && indent + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines.map((each) => " ".repeat(indent) + each).join("\n");
}

function range(low: number, high: number): string {
  const bound = (value: number): string =>
    Number.isFinite(value) ? String(Number(value.toPrecision(6))) : value > 0 ? "inf" : "-inf";
  return `${bound(low)} to ${bound(high)}`;
}

function rangeOf({ low, high, choices }: Dimension): string {
  return choices ? "one of" : range(low, high);
}

function describe(entry: Entry): string {
  const lines = [`  ${entry.name}${entry.isDefault === true ? " (default)" : ""}`, wrap(entry.summary, 4)];
  const { facts = [], dimensions = [], choices = [], options = [], source } = entry;
  if (facts.length > 0) lines.push(wrap(facts.join("; "), 4));
  const nameWidth = Math.max(0, ...dimensions.map((d) => d.name.length));
  const unitWidth = Math.max(0, ...dimensions.map((d) => d.unit.length));
  const rangeWidth = Math.max(0, ...dimensions.map((d) => rangeOf(d).length));
  for (const d of dimensions) {
    const columns = [d.name.padEnd(nameWidth), d.unit.padEnd(unitWidth), rangeOf(d).padEnd(rangeWidth)];
    lines.push(`    ${columns.join("  ")}  ${d.definition}`);
  }
  const choiceWidth = Math.max(0, ...choices.map((choice) => choice.name.length));
  for (const [number, choice] of choices.entries()) {
    lines.push(`    ${number}  ${choice.name.padEnd(choiceWidth)}  ${choice.definition}`);
  }
  for (const option of options) {
    lines.push(`    ${option.name}=${JSON.stringify(option.default)}  (${option.values})`);
    lines.push(wrap(option.definition, 6));
  }
  if (source !== undefined) lines.push(wrap(`source: ${source}`, 4));
  return lines.join("\n");
}

/** JSON has no infinity: a bound that is none becomes null. */
function toJson(topic: Topic, { facts: _, data, ...entry }: Entry): string {
  return `${JSON.stringify({ topic, ...entry, ...data })}\n`;
}

interface ExplainOptions {
  readonly expand?: true;
  readonly json?: true;
}

function print(topic: Topic, entries: readonly Entry[], json: boolean): void {
  if (json) printOut(entries.map((entry) => toJson(topic, entry)).join(""));
  else printOut(`${topic}\n\n${entries.map(describe).join("\n\n")}\n\n`);
}

/** Nothing but names: what there is, on one page. */
async function overview(): Promise<void> {
  for (const topic of TOPIC_NAMES) {
    const entries = await TOPICS[topic]({ expand: false });
    printOut(`${topic}\n${wrap(entries.map(({ name }) => name).join(", "), 2)}\n`);
  }
  printOut(
    "\nccpark explain TOPIC has their definitions, units and ranges, ccpark explain NAME those of one; docs/glossary.md has the words (cwnd, BDP, pacing) and what a good score is.\n",
  );
}

/** Members of grids are many: only the one that is asked for is looked at. */
async function gridMember(name: string): Promise<Entry[]> {
  const { findPreset } = await import("../../scenarios/presets.ts");
  try {
    findPreset(name);
  } catch (error) {
    if (error instanceof CcparkError && error.kind === "not-found") return [];
    throw error;
  }
  return scenarios({ name, expand: false });
}

/** @throws CcparkError (not-found) where no topic has it */
async function explainName(name: string, json: boolean): Promise<void> {
  const names: string[] = [...TOPIC_NAMES];
  let isFound = false;
  for (const topic of TOPIC_NAMES) {
    const all = await TOPICS[topic]({ expand: false });
    const found = all.filter((entry) => entry.name === name);
    if (topic === "scenarios" && found.length === 0) found.push(...(await gridMember(name)));
    if (found.length > 0) print(topic, found, json);
    isFound ||= found.length > 0;
    names.push(...all.map((entry) => entry.name));
  }
  if (!isFound) throw unknownName("explain", "topic or name", name, names);
}

async function explain(
  topic: string | undefined,
  name: string | undefined,
  options: ExplainOptions,
): Promise<void> {
  const json = options.json === true;
  const expand = options.expand === true;
  if (topic === undefined && !json) return overview();
  const wanted = TOPIC_NAMES.filter((each) => topic === undefined || each === topic);
  if (wanted.length === 0) {
    if (name === undefined && !isModulePath(topic!)) return explainName(topic!, json);
    throw unknownName("explain", "topic", topic!, TOPIC_NAMES);
  }
  for (const each of wanted) {
    const all = await TOPICS[each]({ ...(name !== undefined && { name }), expand });
    print(each, name === undefined || each === "scenarios" ? all : [entryNamed(each, all, name)], json);
    if (each === "facts" && name === undefined && !json) printOut(await formulaNotes());
    if (each === "metrics" && name === undefined && !json) printOut(`${wrap(INTERVAL_NOTE, 0)}\n\n`);
  }
}

function entryNamed(topic: Topic, entries: readonly Entry[], name: string): Entry {
  return namedEntry("explain", topic, new Map(entries.map((entry) => [entry.name, entry])), name);
}

export function addExplain(program: Command): void {
  program
    .command("explain")
    .description(
      "list scenarios, suites, observations, actions, rewards, facts for formulas, states, algorithms, shipped policies (zoo) and testbeds with units, ranges and definitions",
    )
    .argument(
      "[topic]",
      "scenarios, suites, observations, actions, rewards, facts, metrics, states, algorithms, learners, hyperparameters, recipes, zoo, curricula, testbeds, or a name of any of them; absent: their names",
    )
    .argument(
      "[name]",
      "one name of the topic, or a module of yours (./mine.js); of a grid of scenarios, its members too",
    )
    .option("--expand", "scenarios: with all members of grids and variants")
    .option("--json", "one JSON line per name")
    .action(explain);
}
