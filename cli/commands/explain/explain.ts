/** `ccpark explain`: every name that other commands take, with unit, range and definition. */
import type { Command } from "commander";
import { CcparkError, namedEntry, unknownName } from "../../../core/errors.ts";
import { isModuleFile, isModulePath } from "../../../core/module-path.ts";
import { groupBy } from "../../../eval/group-by.ts";
import { printOut } from "../../console.ts";
import { describe, wrap } from "./describe.ts";
import type { Entry } from "./entry.ts";
import { scenarios } from "./scenario-topics.ts";
import { CONTENDER_NOTE, formulaNotes, INTERVAL_NOTE } from "./signal-topics.ts";
import { TOPIC_NAMES, TOPICS, type Topic, topicOfModule } from "./topics.ts";

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
  for (const topic of TOPIC_NAMES.filter((each) => each !== "glossary")) {
    const entries = await TOPICS[topic]({ expand: false });
    const names = [...new Set(entries.map(({ name }) => name))];
    // without their algorithms, letters of papers
    const text = topic === "parameters" ? `${names.length} by which algorithms are varied` : names.join(", ");
    printOut(`${topic}\n${wrap(text, 2)}\n`);
  }
  printOut(
    "\nccpark explain TOPIC has their definitions, units and ranges, ccpark explain NAME those of one; ccpark explain glossary has the words (cwnd, BDP, pacing), and docs/glossary.md what a good score is.\n",
  );
}

/** Members of grids are many: only the one that is asked for is looked at. */
async function gridMember(name: string): Promise<Entry[]> {
  const { findPreset } = await import("../../../scenarios/presets.ts");
  try {
    findPreset(name);
  } catch (error) {
    if (error instanceof CcparkError && error.kind === "not-found") return [];
    throw error;
  }
  return scenarios({ name, expand: false });
}

const namesOf = ({ name, values = [] }: Entry): string[] => [name, ...values];

/** As people write it who do not know how it is written: `slow-start` for `slowStart`. */
const loosely = (name: string): string => name.toLowerCase().replace(/[-_ ']/g, "");

/** Words of the glossary have spaces, which a command line takes for the end of an argument. */
async function isWord(text: string): Promise<boolean> {
  const words = (await TOPICS.glossary({ expand: false })).flatMap(namesOf);
  return words.some((word) => loosely(word) === loosely(text));
}

/** What one of a topic is, where its plural is no `s` more. */
const ONE_OF: Partial<Record<Topic, string>> = { curricula: "curriculum", zoo: "policy", glossary: "word" };

function oneOf(topic: Topic): string {
  return ONE_OF[topic] ?? topic.replace(/s$/, "");
}

/** `vegas` of `vegas:alpha=3`, as contenders are named. */
const WITH_PARAMETERS = /^([\w-]+):\w+=/;

/** @throws CcparkError (not-found) where no topic has it */
async function explainName(name: string, json: boolean): Promise<void> {
  const entries = new Map<Topic, Entry[]>();
  for (const topic of TOPIC_NAMES) entries.set(topic, await TOPICS[topic]({ expand: false }));
  const having = (isMeant: (known: string) => boolean): [Topic, Entry[]][] =>
    [...entries]
      .map(([topic, all]): [Topic, Entry[]] => [topic, all.filter((entry) => namesOf(entry).some(isMeant))])
      .filter(([, found]) => found.length > 0);
  let found = having((known) => known === name);
  // the words of the field are written in ways of their own: `Cubic` is an algorithm, too
  if (found.every(([topic]) => topic === "glossary")) {
    const member = await gridMember(name);
    found = member.length > 0 ? [["scenarios", member]] : having((known) => loosely(known) === loosely(name));
  }
  // what has the name before what has a value of it
  const isValue = ([topic, meant]: [Topic, Entry[]]): boolean =>
    topic === "parameters" && meant.every((entry) => loosely(entry.name) !== loosely(name));
  const ordered = [...found.filter((each) => !isValue(each)), ...found.filter(isValue)];
  for (const [topic, meant] of ordered) print(topic, meant, json);
  if (found.length > 0) return;
  const [, varied] = WITH_PARAMETERS.exec(name) ?? [];
  if (varied !== undefined) return explainName(varied, json);
  const topic = TOPIC_NAMES.find((each) => oneOf(each) === loosely(name));
  if (topic !== undefined) {
    print(topic, entries.get(topic)!, json);
    return;
  }
  const known = [...entries.values()].flat().flatMap(namesOf);
  throw unknownName(
    "explain",
    "topic or name",
    name,
    [...TOPIC_NAMES, ...known],
    undefined,
    "ccpark explain",
  );
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
    if (name === undefined && isModuleFile(topic!))
      return explain(await topicOfModule(topic!), topic, options);
    if (name === undefined && !isModulePath(topic!)) return explainName(topic!, json);
    if (name !== undefined && (await isWord(`${topic} ${name}`)))
      return explainName(`${topic} ${name}`, json);
    throw unknownName("explain", "topic", topic!, TOPIC_NAMES);
  }
  for (const each of wanted) {
    const all = await TOPICS[each]({ ...(name !== undefined && { name }), expand });
    print(each, name === undefined || each === "scenarios" ? all : entriesNamed(each, all, name), json);
    if (each === "facts" && name === undefined && !json) printOut(await formulaNotes());
    if (each === "metrics" && name === undefined && !json) {
      const { BARRED_RULE } = await import("../../../eval/verdicts/standing.ts");
      const notes = [CONTENDER_NOTE, INTERVAL_NOTE, BARRED_RULE];
      printOut(notes.map((note) => `${wrap(note, 0)}\n\n`).join(""));
    }
  }
}

/** Parameters of one name may mean something else to each algorithm; one of several names is known by each. */
function entriesNamed(topic: Topic, entries: readonly Entry[], name: string): Entry[] {
  const named = entries.flatMap((entry) => [...new Set(namesOf(entry))].map((each) => ({ each, entry })));
  const found = namedEntry(
    "explain",
    oneOf(topic),
    groupBy(named, ({ each }) => each),
    name,
  );
  return found.map(({ entry }) => entry);
}

export function addExplain(program: Command): void {
  program
    .command("explain")
    .description(
      "list scenarios, suites, observations, actions, rewards, facts for formulas, states, algorithms and their parameters, shipped policies (zoo), testbeds and the words of the field (glossary) with units, ranges and definitions",
    )
    .argument(
      "[topic]",
      "scenarios, suites, observations, actions, rewards, facts, metrics, states, algorithms, parameters, learners, hyperparameters, recipes, zoo, curricula, testbeds, glossary, or a name or word (BDP) of any of them, or a value of a parameter (hystart); absent: their names",
    )
    .argument(
      "[name]",
      "one name of the topic, or a module of yours (./mine.js); of a grid of scenarios, its members too",
    )
    .option("--expand", "scenarios: with all members of grids and variants")
    .option("--json", "one JSON line per name")
    .action(explain);
}
