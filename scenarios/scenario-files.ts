/**
 * Scenarios by name or file: presets with their traces, and files in YAML or JSON that may include others (`extends`); the
 * only file of this folder that touches the file system.
 */
import { basename, dirname, isAbsolute, posix, relative, resolve } from "node:path";
import { CcparkError, clipped, nearestName, printable, showValue } from "../core/errors.ts";
import { Rng } from "../core/random.ts";
import { readWhole } from "../core/text-files.ts";
import { type MahimahiTrace, parseMahimahiTrace } from "../traces/mahimahi.ts";
import { SHIPPED_TRACES } from "../traces/shipped.ts";
import { loadTrace } from "../traces/trace-files.ts";
import { applyOverride, fieldsOf, type Override } from "./overrides.ts";
import { SUITES } from "./presets/suites.ts";
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
import { readYaml } from "./yaml-files.ts";

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

/** A path whose ending says that it is no scenario: none is a preset's name, which may be `c4/01-one-flow` or `rmcat-5.1`. */
const OTHER_PATH = /^\.{0,2}[\\/]|\.[a-z]+$/i;

/** @throws CcparkError (invalid-argument) for a path that is no scenario's */
function expectNameOrFile(name: string): void {
  if (isScenarioFile(name) || !OTHER_PATH.test(name)) return;
  const message = `[scenario] \`${clipped(name)}\`: got a path with another ending, expected a file that ends in .yaml, .yml or .json`;
  throw new CcparkError("invalid-argument", message);
}

/** Where files come from: the disk, or the texts that another process sent. */
interface Files {
  /** where a path means from a folder */
  resolve(folder: string, path: string): string;
  /** @throws an error of node:fs */
  readText(path: string): string;
  /** a shipped one by its name, any other by its path. @throws CcparkError */
  loadTrace(nameOrPath: string): MahimahiTrace;
}

const DISK: Files = { resolve, readText: (path) => readWhole(path).toString("utf8"), loadTrace };

/** Texts by path, and no disk: paths mean what they mean to whoever sent them. */
class SentFiles implements Files {
  readonly #texts: PlainObject;

  /** @throws ScenarioError */
  constructor(texts: unknown) {
    if (
      texts !== undefined &&
      !(isPlainObject(texts) && Object.values(texts).every((text) => typeof text === "string"))
    ) {
      throw scenarioError("files", texts, "texts by their paths");
    }
    this.#texts = texts ?? {};
  }

  resolve(folder: string, path: string): string {
    return posix.normalize(
      /^(?:[a-z]:)?[\\/]/i.test(path) || folder === "." ? path : posix.join(folder, path),
    );
  }

  readText(path: string): string {
    const text = Object.hasOwn(this.#texts, path) ? this.#texts[path] : undefined;
    if (typeof text === "string") return text;
    throw new CcparkError(
      "not-found",
      `got no text of ${path}, expected it in \`files\`: a server reads no files for its clients`,
    );
  }

  loadTrace(nameOrPath: string): MahimahiTrace {
    if (SHIPPED_TRACES.some(({ name }) => name === nameOrPath)) return loadTrace(nameOrPath);
    const path = this.resolve(".", nameOrPath);
    if (!Object.hasOwn(this.#texts, path)) {
      const names = SHIPPED_TRACES.map(({ name }) => name).join(", ");
      throw new CcparkError(
        "not-found",
        `[trace] unknown trace ${showValue(nameOrPath)}: got no text of it in \`files\`, expected one, or a shipped one: ${names}`,
      );
    }
    return parseMahimahiTrace(this.readText(path), printable(basename(path)));
  }
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
  expectNameOrFile(name);
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
  for (const name of names) expectNameOrFile(name);
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

/** How a template is finished, whatever it was written in. */
interface Finish extends Pick<ResolveOptions, "durationSec" | "overrides" | "vary"> {
  /** of a template that has none */
  readonly name: string;
  /** what was read, for messages; absent: a program's own */
  readonly source?: string;
  readonly check?: (scenario: Scenario) => void;
}

function finish(layers: readonly Layer[], { name, source, check, ...options }: Finish): ScenarioEntry {
  const { durationSec, overrides = [], vary = false } = options;
  let template = layers.reduce<PlainObject>(
    (merged, { value }) => mergeTemplates(merged, value) as PlainObject,
    {},
  );
  if (durationSec !== undefined) template = { ...template, durationSec };
  if (vary) template = { variation: TYPICAL_VARIATION, ...template };
  for (const override of overrides) template = applyOverride(template, withOverrideTraces(override));
  // without distributions it is the scenario
  let lowest: Scenario | undefined;
  const checks = {
    name,
    origin: originIn(layers, overrides, source),
    check: (scenario: Scenario): void => {
      lowest ??= scenario;
      check?.(scenario);
    },
  };
  const checked = checkTemplate(template, checks);
  const drawn = hasDraws(checked);
  const fixed = drawn ? undefined : lowest;
  const draw = (rng: Rng): Scenario => fixed ?? sampleScenario(checked, rng, checks);
  return {
    name: fixed?.name ?? String(template["name"] ?? checks.name),
    template: checked,
    drawn,
    draw,
    of: (seed) => draw(Rng.fromSeed(seed).fork("scenario")),
  };
}

function resolveEntry(name: string, options: ResolveOptions): ScenarioEntry {
  const { tracePath } = options;
  const layers = isScenarioFile(name)
    ? fileLayers(name, [], { files: DISK, tracePath })
    : [presetLayer(name, { files: DISK, tracePath })];
  return finish(layers, { ...options, name: titleOf(name), source: name });
}

/** What a program's scenario may have beside its fields. */
export interface WrittenScenario extends PlainObject {
  /** a preset, or a path among `files` */
  readonly extends?: unknown;
  /** a shipped trace, or a path among `files`, for a preset that takes one */
  readonly trace?: unknown;
  /** texts by path: scenarios in YAML or JSON and traces, for `extends`, `trace` and `file` */
  readonly files?: unknown;
}

/**
 * A scenario that another process has written: no file of this machine is read for it.
 * @param tracePath as `trace` of the scenario, which counts where both are given
 * @param check as in `checkTemplate`
 * @throws as `resolveScenarios`
 */
export function resolveWritten(
  value: WrittenScenario,
  {
    tracePath,
    durationSec,
    check,
  }: Pick<ResolveOptions, "tracePath" | "durationSec"> & Pick<Finish, "check">,
): ScenarioEntry {
  const { extends: base, trace = tracePath, files: texts, ...own } = value;
  measureExtent(own);
  if (trace !== undefined && typeof trace !== "string") {
    throw scenarioError("trace", trace, "a shipped trace, or a path among `files`");
  }
  const from: Source = { files: new SentFiles(texts), tracePath: trace };
  const layer: Layer = { origin: "", value: withTraces(own, ".", "", "", from.files) as PlainObject };
  const finished = { durationSec, ...(check && { check }) };
  if (base === undefined) {
    if (trace !== undefined) throw noTrace("a scenario", trace);
    return finish([layer], { name: "scenario", ...finished });
  }
  if (typeof base !== "string" || base === "") throw scenarioError("extends", base, EXPECTED_BASE);
  const complain = (expected: string, cause?: unknown): never => {
    throw scenarioError("extends", base, expected, { cause });
  };
  const below = isScenarioFile(base)
    ? fileLayers(posix.normalize(base), [], from)
    : [extendedPreset(base, from, complain)];
  return finish([...below, layer], { name: isScenarioFile(base) ? titleOf(base) : "scenario", ...finished });
}

function titleOf(name: string): string {
  return isScenarioFile(name) ? basename(name).replace(FILE_NAME, "") : name;
}

/** Where a field was written last: an override, a file, or nowhere (a preset needs no word). */
function originIn(
  layers: readonly Layer[],
  overrides: readonly Override[],
  source: string | undefined,
): (path: string) => string | undefined {
  return (path) => {
    const set = overrides.findLast((each) =>
      fieldsOf(each).some((field) => path === field || path.startsWith(`${field}.`)),
    );
    if (set !== undefined) return `--set ${set.text}`;
    const keys = path.replace(/\(\d+\)/g, "").split(".");
    const layer = layers.findLast(({ value }) => valueAt(value, keys) !== undefined);
    if (layer !== undefined) return isScenarioFile(layer.origin) ? layer.origin : undefined;
    return source !== undefined && isScenarioFile(source) ? source : undefined;
  };
}

/** What presets and files are resolved with. */
interface Source {
  readonly files: Files;
  readonly tracePath: string | undefined;
}

const EXPECTED_BASE = "the name of a preset or a file";

function noTrace(what: string, tracePath: string): CcparkError {
  return scenarioError(
    "forward.rate",
    tracePath,
    `no trace beside ${what} that takes none: it names its own`,
  );
}

function presetLayer(name: string, { files, tracePath }: Source): Layer {
  const { trace: wanted } = findPreset(name);
  const source = tracePath ?? (typeof wanted === "object" ? wanted.shipped : undefined);
  const template = presetTemplate(name, source === undefined ? undefined : files.loadTrace(source));
  return { origin: name, value: template as PlainObject };
}

/** The layers of a file, what it extends first. */
function fileLayers(path: string, including: readonly string[], from: Source): Layer[] {
  const { files } = from;
  const absolute = files.resolve(".", path);
  const shown = shownPath(path);
  const value = readTemplate(path, shown, files);
  const { extends: base, trace: ownTrace, ...own } = value;
  if (ownTrace !== undefined && typeof ownTrace !== "string") {
    throw scenarioError("trace", ownTrace, "a shipped trace or the path of one", { origin: shown });
  }
  // what a base says of itself is not true of the file that extends it
  const words =
    base === undefined
      ? {}
      : { name: titleOf(path), source: `scenario file, extends ${String(base)}`, description: "" };
  const layer: Layer = {
    origin: shown,
    value: { ...words, ...(withTraces(own, dirname(absolute), "", shown, files) as PlainObject) },
  };
  const tracePath =
    from.tracePath ?? (ownTrace === undefined ? undefined : traceOf(ownTrace, dirname(absolute), files));
  if (base === undefined) {
    if (tracePath !== undefined) throw noTrace(`\`${shown}\``, tracePath);
    return [layer];
  }
  const complain = (expected: string, cause?: unknown): never => {
    throw scenarioError("extends", base, expected, { origin: shown, cause });
  };
  if (typeof base !== "string" || base === "") return complain(EXPECTED_BASE);
  if (!isScenarioFile(base)) return [extendedPreset(base, { files, tracePath }, complain), layer];
  const target = files.resolve(dirname(absolute), base);
  const chain = [...including, absolute];
  if (chain.includes(target)) {
    const circle = [...chain.slice(chain.indexOf(target)), target].map(shownPath).join(" -> ");
    return complain(`a file that does not lead back here: ${circle}`);
  }
  try {
    return [...fileLayers(target, chain, { files, tracePath }), layer];
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

/** A preset as a base; one that takes a trace leaves its rate to what extends it, unless there is one. */
function extendedPreset(
  name: string,
  from: Source,
  complain: (expected: string, cause?: unknown) => never,
): Layer {
  let preset: ReturnType<typeof findPreset>;
  try {
    preset = findPreset(name);
  } catch (error) {
    const suite = SUITES.get(name);
    if (suite !== undefined) {
      const [first = "", ...others] = suite.scenarios;
      const such = others.length === 0 ? first : `${first} or another of its ${suite.scenarios.length}`;
      return complain(
        `one scenario: \`${name}\` is a suite (\`ccpark explain suites ${name}\`), such as ${such}`,
        error,
      );
    }
    const near = nearestName(name, SCENARIOS.keys());
    return complain(`a preset or a file${near === undefined ? "" : `; did you mean \`${near}\`?`}`, error);
  }
  if (preset.template === undefined) {
    return complain(`one scenario: \`${name}\` is a grid (see \`ccpark explain scenarios ${name}\`)`);
  }
  if (preset.trace !== "any" || from.tracePath !== undefined) return presetLayer(name, from);
  return { origin: name, value: preset.template(undefined) as PlainObject };
}

/** Short where it lies below the working folder. */
function shownPath(path: string): string {
  if (!isAbsolute(path)) return path;
  const near = relative(resolve("."), path);
  return near.startsWith("..") ? path : near;
}

function readTemplate(path: string, shown: string, files: Files): PlainObject {
  let text: string;
  try {
    text = files.readText(path);
  } catch (cause) {
    if (cause instanceof CcparkError)
      throw new CcparkError(cause.kind, `[scenario] ${shown}: ${cause.message}`, { cause });
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
function withTraces(value: unknown, folder: string, path: string, origin: string, files: Files): unknown {
  const below = (key: string | number): string => (path === "" ? String(key) : `${path}.${key}`);
  if (Array.isArray(value)) {
    if (!value.some((entry) => typeof entry === "object")) return value;
    return value.map((entry, i) => withTraces(entry, folder, below(i), origin, files));
  }
  if (!isPlainObject(value)) return value;
  if (typeof value["file"] === "string") {
    const { file, ...rest } = value;
    const { name, opportunitiesMs } = readTrace(String(file), folder, below("file"), origin, files);
    return { kind: "trace", ...rest, name, opportunitiesMs };
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [key, withTraces(entry, folder, below(key), origin, files)]),
  );
}

/** `forward.rate.file=a.down` is `forward.rate={ file: a.down }`, from the working folder. */
function withOverrideTraces(override: Override): Override {
  const field = /^(.+)\.file$/.exec(override.path)?.[1];
  const path = field ?? override.path;
  const value = field === undefined ? override.value : { file: override.value };
  return { ...override, path, value: withTraces(value, resolve("."), path, "--set", DISK) };
}

/** A word without points and slashes is a shipped name, or a file beside the working folder. */
function traceOf(file: string, folder: string, files: Files): string {
  return /[./\\]/.test(file) ? files.resolve(folder, file) : file;
}

function readTrace(file: string, folder: string, path: string, origin: string, files: Files): MahimahiTrace {
  try {
    return files.loadTrace(traceOf(file, folder, files));
  } catch (error) {
    if (!(error instanceof CcparkError)) throw error;
    const reason = error.message.replace(/^\[trace\] /, "");
    throw scenarioError(path, file, `a trace that can be read (${reason})`, {
      ...(origin !== "" && { origin }),
      cause: error,
    });
  }
}
