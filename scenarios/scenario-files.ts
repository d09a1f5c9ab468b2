/**
 * Scenarios by name or file: presets with their traces, and files in YAML or JSON that may include others (`extends`); the
 * only file of this folder that touches the file system.
 */
import { basename, dirname, isAbsolute, relative, resolve } from "node:path";
import { CcparkError, nearestName } from "../core/errors.ts";
import { Rng } from "../core/random.ts";
import { readWhole } from "../core/text-files.ts";
import { loadTrace } from "../traces/trace-files.ts";
import { applyOverride, fieldsOf, type Override } from "./overrides.ts";
import { drawScenario, expandPreset, findPreset, presetTemplate, SCENARIOS } from "./presets.ts";
import type { Scenario } from "./scenario.ts";
import { measureExtent } from "./schema/extent.ts";
import {
  checkTemplate,
  hasDraws,
  isPlainObject,
  mergeTemplates,
  type PlainObject,
  type ScenarioTemplate,
  sampleScenario,
} from "./template.ts";
import { scenarioError, valueAt } from "./validate.ts";
import { TYPICAL_VARIATION } from "./variation.ts";
import { readYaml } from "./yaml-text.ts";

export interface ResolveOptions {
  /** a file in Mahimahi's format or the name of a shipped trace, for presets that take one */
  readonly tracePath?: string;
  /** seconds, > 0; absent: the preset's */
  readonly durationSec?: number;
  /** single fields, in this order, after everything else */
  readonly overrides?: readonly Override[];
  /** what real runs vary is drawn, in every scenario that does not say itself what */
  readonly vary?: boolean;
  /** draws what the scenario leaves to a seed */
  readonly seed?: number;
}

/** What `--scenario` names: one scenario, or one per seed. */
export interface ScenarioEntry {
  readonly name: string;
  readonly template: ScenarioTemplate;
  /** a seed decides something */
  readonly drawn: boolean;
  /** the scenario of a run's or an episode's generator */
  readonly draw: (rng: Rng) => Scenario;
  /** the scenario of a seed, the same that an environment draws for an episode of this seed */
  readonly of: (seed: number) => Scenario;
}

const FILE_NAME = /\.(ya?ml|json)$/i;

/** Whether a name means a file. */
export function isScenarioFile(name: string): boolean {
  return FILE_NAME.test(name);
}

/** One part of a template, and where it is written. */
interface Layer {
  readonly origin: string;
  readonly value: PlainObject;
}

/**
 * The scenario of a preset or file, its traces loaded.
 * @throws as `resolveScenarios`; CcparkError invalid-argument where a seed must draw it and none is given
 */
export function resolveScenario(name: string, options: ResolveOptions = {}): Scenario {
  const entry = resolveEntry(name, options);
  if (!entry.drawn || options.seed !== undefined) return entry.of(options.seed ?? 0);
  return drawScenario(name, entry.template, undefined);
}

/**
 * Presets (a grid stands for its members) and files.
 * @throws CcparkError not-found for an unknown name or a missing file or trace; ScenarioError for what is wrong in a file
 *   or an override
 */
export function resolveScenarios(names: readonly string[], options: ResolveOptions = {}): ScenarioEntry[] {
  const { tracePath } = options;
  const expanded = names.flatMap((name) =>
    isScenarioFile(name) ? [name] : expandPreset(name).map((preset) => preset.name),
  );
  // a trace goes to the scenarios that ask for one; if none does, the first says that it takes none
  const takers = expanded.filter((name) => !isScenarioFile(name) && findPreset(name).trace === "any");
  return expanded.map((name) =>
    resolveEntry(name, {
      ...options,
      tracePath: takers.length === 0 || takers.includes(name) ? tracePath : undefined,
    }),
  );
}

function resolveEntry(name: string, options: ResolveOptions): ScenarioEntry {
  const { durationSec, overrides = [], tracePath, vary = false } = options;
  const layers = isScenarioFile(name) ? fileLayers(name, []) : [presetLayer(name, tracePath)];
  if (isScenarioFile(name) && tracePath !== undefined) {
    throw scenarioError("forward.rate", tracePath, "no --trace beside a file: it names its own", {
      origin: name,
    });
  }
  let template = layers.reduce<PlainObject>(
    (merged, { value }) => mergeTemplates(merged, value) as PlainObject,
    {},
  );
  if (durationSec !== undefined) template = { ...template, durationSec };
  if (vary) template = { variation: TYPICAL_VARIATION, ...template };
  for (const override of overrides) template = applyOverride(template, withOverrideTraces(override));
  const checks = { name: titleOf(name), origin: originIn(layers, overrides, name) };
  const checked = checkTemplate(template, checks);
  const drawn = hasDraws(checked);
  const fixed = drawn ? undefined : sampleScenario(checked, Rng.fromSeed(0), checks);
  const draw = (rng: Rng): Scenario => fixed ?? sampleScenario(checked, rng, checks);
  return {
    name: fixed?.name ?? String(template["name"] ?? checks.name),
    template: checked,
    drawn,
    draw,
    of: (seed) => draw(Rng.fromSeed(seed).fork("scenario")),
  };
}

function titleOf(name: string): string {
  return isScenarioFile(name) ? basename(name).replace(FILE_NAME, "") : name;
}

/** Where a field was written last: an override, a file, or nowhere (a preset needs no word). */
function originIn(
  layers: readonly Layer[],
  overrides: readonly Override[],
  name: string,
): (path: string) => string | undefined {
  return (path) => {
    const set = overrides.findLast((each) =>
      fieldsOf(each).some((field) => path === field || path.startsWith(`${field}.`)),
    );
    if (set !== undefined) return `--set ${set.text}`;
    const keys = path.replace(/\(\d+\)/g, "").split(".");
    const layer = layers.findLast(({ value }) => valueAt(value, keys) !== undefined);
    if (layer !== undefined) return isScenarioFile(layer.origin) ? layer.origin : undefined;
    return isScenarioFile(name) ? name : undefined;
  };
}

function presetLayer(name: string, tracePath?: string): Layer {
  const { trace: wanted } = findPreset(name);
  const source = tracePath ?? (typeof wanted === "object" ? wanted.shipped : undefined);
  const template = presetTemplate(name, source === undefined ? undefined : loadTrace(source));
  return { origin: name, value: template as PlainObject };
}

/** The layers of a file, what it extends first. */
function fileLayers(path: string, including: readonly string[]): Layer[] {
  const absolute = resolve(path);
  const shown = shownPath(path);
  const value = readTemplate(path, shown);
  const { extends: base, ...own } = value;
  // what a base says of itself is not true of the file that extends it
  const words =
    base === undefined
      ? {}
      : { name: titleOf(path), source: `scenario file, extends ${String(base)}`, description: "" };
  const layer: Layer = {
    origin: shown,
    value: { ...words, ...(withTraces(own, dirname(absolute), "", shown) as PlainObject) },
  };
  if (base === undefined) return [layer];
  const complain = (expected: string, cause?: unknown): never => {
    throw scenarioError("extends", base, expected, { origin: shown, cause });
  };
  if (typeof base !== "string" || base === "") return complain("the name of a preset or a file");
  if (!isScenarioFile(base)) return [extendedPreset(base, complain), layer];
  const target = resolve(dirname(absolute), base);
  const chain = [...including, absolute];
  if (chain.includes(target)) {
    const circle = [...chain.slice(chain.indexOf(target)), target].map(shownPath).join(" -> ");
    return complain(`a file that does not lead back here: ${circle}`);
  }
  try {
    return [...fileLayers(target, chain), layer];
  } catch (error) {
    if (
      error instanceof CcparkError &&
      error.kind === "not-found" &&
      error.message.includes(shownPath(target))
    ) {
      return complain("a file that is there", error);
    }
    throw error;
  }
}

/** A preset as a base; one that takes a trace leaves its rate to the file. */
function extendedPreset(name: string, complain: (expected: string, cause?: unknown) => never): Layer {
  let preset: ReturnType<typeof findPreset>;
  try {
    preset = findPreset(name);
  } catch (error) {
    const near = nearestName(name, SCENARIOS.keys());
    return complain(`a preset or a file${near === undefined ? "" : `; did you mean \`${near}\`?`}`, error);
  }
  if (preset.template === undefined) {
    return complain(`one scenario: \`${name}\` is a grid (see \`ccpark explain scenarios ${name}\`)`);
  }
  if (preset.trace !== "any") return presetLayer(name);
  return { origin: name, value: preset.template(undefined) as PlainObject };
}

/** Short where it lies below the working folder. */
function shownPath(path: string): string {
  if (!isAbsolute(path)) return path;
  const near = relative(resolve("."), path);
  return near.startsWith("..") ? path : near;
}

function readTemplate(path: string, shown: string): PlainObject {
  let text: string;
  try {
    text = readWhole(path).toString("utf8");
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    const reason = code === "ENOENT" ? "no such file" : code === "EISDIR" ? "a folder" : code;
    throw new CcparkError(
      "not-found",
      `[scenario] ${shown}: got ${reason}, expected a scenario in YAML or JSON`,
      {
        cause,
      },
    );
  }
  const read = readYaml(text);
  if ("mistake" in read) {
    throw new CcparkError(
      "invalid-argument",
      `[scenario] ${shown} line ${read.line}: got text that is neither YAML nor JSON, expected fields: ${read.mistake}`,
      { cause: read.cause },
    );
  }
  const { value } = read;
  if (!isPlainObject(value)) throw scenarioError("scenario", value ?? undefined, "fields", { origin: shown });
  measureExtent(value, { origin: shown });
  return value;
}

/** Traces named by `file` are loaded: a shipped name, or a path from the folder of the file that names it. */
function withTraces(value: unknown, folder: string, path: string, origin: string): unknown {
  const below = (key: string | number): string => (path === "" ? String(key) : `${path}.${key}`);
  if (Array.isArray(value)) {
    if (!value.some((entry) => typeof entry === "object")) return value;
    return value.map((entry, i) => withTraces(entry, folder, below(i), origin));
  }
  if (!isPlainObject(value)) return value;
  if (typeof value["file"] === "string") {
    const { file, ...rest } = value;
    const { name, opportunitiesMs } = readTrace(String(file), folder, below("file"), origin);
    return { kind: "trace", ...rest, name, opportunitiesMs };
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [key, withTraces(entry, folder, below(key), origin)]),
  );
}

/** `forward.rate.file=a.down` is `forward.rate={ file: a.down }`, from the working folder. */
function withOverrideTraces(override: Override): Override {
  const field = /^(.+)\.file$/.exec(override.path)?.[1];
  const path = field ?? override.path;
  const value = field === undefined ? override.value : { file: override.value };
  return { ...override, path, value: withTraces(value, resolve("."), path, "--set") };
}

function readTrace(file: string, folder: string, path: string, origin: string): ReturnType<typeof loadTrace> {
  try {
    return loadTrace(/[./\\]/.test(file) ? resolve(folder, file) : file);
  } catch (error) {
    if (!(error instanceof CcparkError)) throw error;
    const reason = error.message.replace(/^\[trace\] /, "");
    throw scenarioError(path, file, `a trace that can be read (${reason})`, { origin, cause: error });
  }
}
