/** `ccpark explain`: every name that other commands take, with unit, range and definition. */
import type { Command } from "commander";
import { printOut } from "./console.ts";

/** One name and what there is to know about it. */
interface Entry {
  readonly name: string;
  readonly summary: string;
  readonly source?: string;
  readonly isDefault?: boolean;
  /** vectors: one row per dimension; scalars: one row */
  readonly dimensions?: readonly {
    readonly name: string;
    readonly unit: string;
    readonly low: number;
    readonly high: number;
    readonly definition: string;
  }[];
  /** for a reader, such as `history: 5 frames` */
  readonly facts?: readonly string[];
  /** for a program: only in JSON */
  readonly data?: Readonly<Record<string, unknown>>;
}

type Topic = "scenarios" | "observations" | "actions" | "rewards" | "algorithms";

async function scenarios(): Promise<Entry[]> {
  const { SCENARIOS } = await import("../envs/scenarios/presets.ts");
  const { resolveScenario } = await import("../envs/scenarios/scenario-files.ts");
  const { linkLabel, storedScenario } = await import("../eval/links.ts");
  return [...SCENARIOS.values()].map((preset) => {
    const { name, description, source, trace } = preset;
    if (trace === "any")
      return {
        name,
        summary: description,
        source,
        facts: ["needs --trace FILE"],
        data: { needsTrace: true },
      };
    const scenario = resolveScenario(name);
    const { forward, reverse, propagationDelayMs, durationSec, ackPolicy } = storedScenario(scenario);
    return {
      name,
      summary: description,
      source,
      facts: [`link: ${linkLabel(scenario)}, ${durationSec} s`],
      data: { link: linkLabel(scenario), durationSec, propagationDelayMs, ackPolicy, forward, reverse },
    };
  });
}

async function observations(): Promise<Entry[]> {
  const { DEFAULT_OBSERVATION, OBSERVATIONS } = await import("../envs/observations.ts");
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

async function actions(): Promise<Entry[]> {
  const { ACTIONS, DEFAULT_ACTION } = await import("../envs/actions.ts");
  return [...ACTIONS.values()].map((spec) => ({
    name: spec.name,
    summary: spec.definition,
    isDefault: spec.name === DEFAULT_ACTION,
    dimensions: spec.space.dimensions,
  }));
}

async function rewards(): Promise<Entry[]> {
  const { DEFAULT_REWARD, REWARDS } = await import("../envs/rewards.ts");
  return [...REWARDS.values()].map((spec) => ({
    name: spec.name,
    summary: spec.definition,
    source: spec.source,
    isDefault: spec.name === DEFAULT_REWARD,
    facts: [`range of one step: ${range(spec.low, spec.high)}, unit: 1`],
    data: { low: spec.low, high: spec.high, unit: "1" },
  }));
}

async function algorithms(): Promise<Entry[]> {
  const { algorithmEntries } = await import("./contenders.ts");
  return [...algorithmEntries()];
}

const TOPICS: Readonly<Record<Topic, () => Promise<Entry[]>>> = {
  scenarios,
  observations,
  actions,
  rewards,
  algorithms,
};

const WIDTH = 100;

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

function describe(entry: Entry): string {
  const lines = [`  ${entry.name}${entry.isDefault === true ? " (default)" : ""}`, wrap(entry.summary, 4)];
  const { facts = [], dimensions = [], source } = entry;
  if (facts.length > 0) lines.push(wrap(facts.join("; "), 4));
  const nameWidth = Math.max(0, ...dimensions.map((d) => d.name.length));
  const unitWidth = Math.max(0, ...dimensions.map((d) => d.unit.length));
  const rangeWidth = Math.max(0, ...dimensions.map((d) => range(d.low, d.high).length));
  for (const d of dimensions) {
    const columns = [
      d.name.padEnd(nameWidth),
      d.unit.padEnd(unitWidth),
      range(d.low, d.high).padEnd(rangeWidth),
    ];
    lines.push(`    ${columns.join("  ")}  ${d.definition}`);
  }
  if (source !== undefined) lines.push(wrap(`source: ${source}`, 4));
  return lines.join("\n");
}

/** JSON has no infinity: a bound that is none becomes null. */
function toJson(topic: Topic, { facts: _, data, ...entry }: Entry): string {
  return `${JSON.stringify({ topic, ...entry, ...data })}\n`;
}

async function explain(topic: string | undefined, options: { readonly json?: true }): Promise<void> {
  const known = Object.keys(TOPICS) as Topic[];
  const wanted = known.filter((name) => topic === undefined || name === topic);
  if (wanted.length === 0) {
    const { unknownName } = await import("../core/errors.ts");
    throw unknownName("explain", "topic", topic ?? "", known);
  }
  for (const name of wanted) {
    const entries = await TOPICS[name]();
    if (options.json) printOut(entries.map((entry) => toJson(name, entry)).join(""));
    else printOut(`${name}\n\n${entries.map(describe).join("\n\n")}\n\n`);
  }
}

export function addExplain(program: Command): void {
  program
    .command("explain")
    .description(
      "list scenarios, observations, actions, rewards and algorithms with units, ranges and definitions",
    )
    .argument("[topic]", "scenarios, observations, actions, rewards or algorithms; absent: all")
    .option("--json", "one JSON line per name")
    .action(explain);
}
