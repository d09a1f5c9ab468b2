/**
 * How algorithms are written down, on command lines and in scenario files, read in one place:
 *
 *   vegas    vegas:alpha=3,beta=5    native-cubic    native-cubic:beta=0.8    kernel-cubic    ./mine.js    ./mine.js:gain=2
 *
 * A file is a module whose default export is an AlgorithmSpec; loading it is I/O (`module-files.ts`).
 */
import type { CcpAlgorithm } from "../ccp-bridge/agent/algorithm.ts";
import type { FlowAlgorithm } from "../ccp-bridge/in-process-flow.ts";
import { CcparkError, unknownName } from "../core/errors.ts";
import { isModulePath } from "../core/module-path.ts";
import { hashText } from "../core/random.ts";
import { KernelAlgorithm, kernelSpec } from "./kernel-algorithm.ts";
import { ALGORITHMS } from "./registry.ts";
import { type AlgorithmSpec, type ParamValues, paramText, readParams } from "./spec.ts";

export interface AlgorithmReference {
  /** of an algorithm, without `native-`, or a module's path */
  readonly name: string;
  readonly isModule: boolean;
  /** in the datapath, without an agent */
  readonly isNative: boolean;
  readonly given: ReadonlyMap<string, string>;
}

/** Modules that have been loaded, by the path as written. */
export type AlgorithmModules = ReadonlyMap<string, AlgorithmSpec>;

/** Known to this process by their paths, for scenarios that name them. */
const REGISTERED: Map<string, AlgorithmSpec> = new Map();
/** bytes; labels are ASCII */
const MAX_WIRE_NAME = 63;
const NATIVE_PREFIX = "native-";
/** `name=value`: what a comma separates from further parameters, not from the next algorithm */
const PARAMETER = /^[A-Za-z]\w*=/;
const WITH_PARAMETERS = /^(.*?):([A-Za-z]\w*=.*)$/s;

/** Makes a module's algorithm known to this process, and no other, under its path as written. */
export function registerAlgorithm(path: string, spec: AlgorithmSpec): void {
  REGISTERED.set(path, spec);
}

export function isRegistered(path: string): boolean {
  return REGISTERED.has(path);
}

/**
 * Splits a list at its commas, but not within the parameters of one algorithm.
 * @param text or what stands between its commas
 */
export function splitReferences(text: string | readonly string[]): string[] {
  const references: string[] = [];
  const items = typeof text === "string" ? text.split(",") : text;
  for (const item of items.map((each) => each.trim())) {
    if (item === "") continue;
    const last = references.length - 1;
    if (PARAMETER.test(item) && last >= 0 && WITH_PARAMETERS.test(references[last]!)) {
      references[last] += `,${item}`;
    } else references.push(item);
  }
  return references;
}

/** @throws CcparkError (invalid-argument) for parameters that cannot be read */
export function parseReference(text: string): AlgorithmReference {
  const match = WITH_PARAMETERS.exec(text);
  const written = match?.[1] ?? text;
  const given = new Map<string, string>();
  for (const item of match?.[2]?.split(",") ?? []) {
    const at = item.indexOf("=");
    const name = item.slice(0, Math.max(at, 0)).trim();
    if (name === "" || given.has(name)) {
      const got = name === "" ? `\`${item}\`` : `${name} twice`;
      throw new CcparkError(
        "invalid-argument",
        `[algorithm] ${text}: got ${got}, expected name=value, each once`,
      );
    }
    given.set(name, item.slice(at + 1).trim());
  }
  const isModule = isModulePath(written);
  const isNative = !isModule && written.startsWith(NATIVE_PREFIX);
  return { name: isNative ? written.slice(NATIVE_PREFIX.length) : written, isModule, isNative, given };
}

/** An algorithm with all its parameters. */
export interface ResolvedAlgorithm {
  /** name and parameters as given: what tables and results call it */
  readonly label: string;
  readonly spec: AlgorithmSpec;
  readonly isNative: boolean;
  readonly params: ParamValues;
}

/** Names that a reference may have: of all algorithms, with `native-` of those that need no agent, and registered modules. */
export function algorithmNames(): string[] {
  return [
    ...ALGORITHMS.keys(),
    ...[...ALGORITHMS.values()].flatMap(({ name, native }) => (native ? [`${NATIVE_PREFIX}${name}`] : [])),
    ...REGISTERED.keys(),
  ];
}

/** @throws CcparkError (invalid-argument) for an algorithm's name with what is no parameter of it: `cubic:beta`, without a value */
function expectParameters(name: string): void {
  const at = name.indexOf(":");
  const params = at < 0 ? undefined : ALGORITHMS.get(name.slice(0, at))?.params;
  const got = name.slice(at + 1);
  if (params === undefined || got === "") return;
  const param = params.find((each) => each.name === got) ?? params[0];
  const example =
    param === undefined
      ? "none: it has no parameters"
      : `name=value, such as ${name.slice(0, at)}:${param.name}=${paramText(param, param.default)}`;
  throw new CcparkError("invalid-argument", `[algorithm] ${name}: got \`${got}\`, expected ${example}`);
}

/**
 * What a reference means.
 * @param others further names that may have been meant
 * @throws CcparkError (not-found, invalid-argument) in one sentence with the nearest name, or the parameter's range
 */
export function resolveAlgorithm(
  text: string,
  modules: AlgorithmModules = REGISTERED,
  others: readonly string[] = [],
): ResolvedAlgorithm {
  const { name, isModule, isNative, given } = parseReference(text);
  const spec = isModule ? modules.get(name) : (ALGORITHMS.get(name) ?? kernelSpec(name));
  const written = isNative ? `${NATIVE_PREFIX}${name}` : name;
  if (spec === undefined) expectParameters(name);
  if (spec === undefined || (isNative && spec.native === undefined)) {
    throw unknownName(
      "algorithm",
      "algorithm",
      written,
      [...algorithmNames(), ...others],
      undefined,
      "ccpark explain algorithms",
    );
  }
  const params = readParams(spec, given);
  const listed = [...given.keys()]
    .map((key) => `${key}=${paramText(spec.params.find(({ name: of }) => of === key)!, params[key]!)}`)
    .join(",");
  const label = `${isNative ? NATIVE_PREFIX : ""}${spec.name}${listed === "" ? "" : `:${listed}`}`;
  return { label, spec, isNative: isNative || spec.ccp === undefined, params };
}

/** A fresh one, without any state of another. Over CCP unless the reference says native or there is nothing else. */
export function makeAlgorithm({ label, spec, isNative, params }: ResolvedAlgorithm): FlowAlgorithm {
  return isNative ? spec.native!(params) : overCcp({ label, spec, params });
}

/** The same over CCP. @param resolved of a spec that has that form */
export function overCcp({ label, spec, params }: Omit<ResolvedAlgorithm, "isNative">): CcpAlgorithm {
  const made = spec.ccp!(params);
  if (made instanceof KernelAlgorithm) return made;
  const liveParams = spec.params.filter(({ live }) => live);
  return { ...made, name: wireName(label), ...(liveParams.length > 0 && { liveParams }) };
}

/** Create messages have room for 63 bytes: a longer label keeps its beginning and is told apart by a hash. */
function wireName(label: string): string {
  if (label.length <= MAX_WIRE_NAME) return label;
  const hash = (hashText(label) >>> 0).toString(16).padStart(8, "0");
  return `${label.slice(0, MAX_WIRE_NAME - hash.length - 1)}~${hash}`;
}

/**
 * A CCP algorithm by reference.
 * @throws CcparkError (not-found, invalid-argument), also for one that has no form over CCP
 */
export function ccpAlgorithm(text: string, modules?: AlgorithmModules): CcpAlgorithm {
  const resolved = resolveAlgorithm(text, modules);
  const made = makeAlgorithm(resolved);
  if (typeof made !== "function") return made;
  const message = `[algorithm] ${resolved.label} runs in the datapath, expected one that runs over CCP`;
  throw new CcparkError("invalid-argument", message);
}
