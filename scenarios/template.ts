/**
 * Templates of scenarios: what a file or a preset writes. Fields with a default may be left out, a buffer may be given in
 * bandwidth-delay products or milliseconds, and a distribution may stand for any value. `sampleScenario` makes a scenario
 * of it; each distribution draws from its own fork of the generator, named by its path.
 */
import { CcparkError } from "../core/errors.ts";
import { exp, log } from "../core/math.ts";
import type { Rng } from "../core/random.ts";
import { type Bytes, fromMbps, PACKET_BYTES } from "../core/units.ts";
import { type GenerateTraceOptions, generateTrace } from "../traces/generate.ts";
import type { DirectionSpec, QueueSpec } from "./direction.ts";
import { bdpPackets, constantRate, DEFAULT_DURATION_SEC } from "./links.ts";
import { peakMbps, RATE_SCHEMA, type RateSpec } from "./rates/registry.ts";
import type { Scenario } from "./scenario.ts";
import { MAX_VALUES, measureExtent } from "./schema/extent.ts";
import { scenarioError, type ValidateOptions, validateScenario } from "./validate.ts";

/** A value that a seed draws. Counts (packets, bytes, flows) are rounded up to whole numbers. */
export type Draw<T> =
  | { readonly uniform: readonly [number, number] }
  /** uniform in the logarithm */
  | { readonly logUniform: readonly [number, number] }
  /** whole numbers from the first to the second, equally likely */
  | { readonly integer: readonly [number, number] }
  /** one of them, equally likely or by weights */
  | { readonly choice: readonly Templated<T>[]; readonly weights?: readonly number[] };

/** The type with a distribution allowed in place of every value. */
export type Templated<T> =
  | Draw<T>
  | (T extends readonly (infer E)[]
      ? readonly Templated<E>[]
      : T extends object
        ? { readonly [K in keyof T]: Templated<T[K]> }
        : T);

/** Limits of a queue; `bdp` and `ms` count at the link's highest rate and become whole packets. */
export interface QueueInput extends QueueSpec {
  /** bandwidth-delay products of the link and the scenario's round trip */
  readonly bdp?: number;
  /** how long a full queue takes to drain, milliseconds */
  readonly ms?: number;
}

/** A trace that is generated when the scenario is drawn (traces/generate.ts): lap and seed may be left out, and drawn. */
export interface GeneratedRate extends Omit<GenerateTraceOptions, "durationSec" | "seed" | "name"> {
  readonly kind: "generated";
  /** seconds of a lap, whole; absent: those of the scenario, rounded up */
  readonly durationSec?: number;
  /** absent: 1 */
  readonly seed?: number;
}

export interface DirectionInput extends Partial<Omit<DirectionSpec, "queue" | "rate">> {
  readonly queue?: QueueInput;
  readonly rate?: RateSpec | GeneratedRate;
}

/** A scenario with defaults left out. */
export interface ScenarioInput extends Partial<Omit<Scenario, "forward" | "reverse" | "links">> {
  /** both ways together, in place of `propagationDelayMs` */
  readonly rttMs?: number;
  readonly forward?: DirectionInput;
  readonly reverse?: DirectionInput;
  readonly links?: Readonly<Record<string, DirectionInput>>;
}

/** A scenario is a template too: of itself. */
export type ScenarioTemplate = { readonly [K in keyof ScenarioInput]: Templated<ScenarioInput[K]> };

export type PlainObject = Readonly<Record<string, unknown>>;

export function isPlainObject(value: unknown): value is PlainObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const DRAWS = ["uniform", "logUniform", "integer", "choice"] as const;

function isDraw(value: unknown): value is PlainObject {
  return isPlainObject(value) && DRAWS.some((kind) => kind in value);
}

/** Whether a seed decides anything. */
export function hasDraws(value: unknown): boolean {
  if (typeof value !== "object") return false;
  if (isDraw(value)) return true;
  if (Array.isArray(value)) return value.some(hasDraws);
  return isPlainObject(value) && Object.values(value).some(hasDraws);
}

function below(path: string, key: string | number): string {
  return path === "" ? String(key) : `${path}.${key}`;
}

/** Fields that count something. */
const COUNTS = /(packets|bytes)$|^(count|senders|buckets|bands|priority|keyFrameEvery)$/i;

function wholeWhereCounted(path: string, value: number): number {
  const field = path.slice(path.lastIndexOf(".") + 1).replace(/(\(\d+\))+$/, "");
  return COUNTS.test(field) ? Math.ceil(value) : value;
}

/** How a distribution is resolved: drawn, or set to one of its ends to see whether the template can hold. */
interface Resolver {
  number(path: string, draw: PlainObject): number;
  /** index into `choice` */
  pick(path: string, draw: PlainObject): number;
}

function resolveDraws(value: unknown, path: string, resolver: Resolver): unknown {
  if (isDraw(value)) {
    const options = value["choice"] as unknown[] | undefined;
    if (options === undefined) return wholeWhereCounted(path, resolver.number(path, value));
    const index = resolver.pick(path, value);
    return resolveDraws(options[index], `${path}(${index})`, resolver);
  }
  if (Array.isArray(value)) {
    return hasDraws(value) ? value.map((entry, i) => resolveDraws(entry, below(path, i), resolver)) : value;
  }
  if (!isPlainObject(value) || !hasDraws(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [key, resolveDraws(entry, below(path, key), resolver)]),
  );
}

function drawing(rng: Rng): Resolver {
  return {
    number(path, draw) {
      const own = rng.fork(path);
      if (draw["uniform"] !== undefined) return own.uniform(...(draw["uniform"] as [number, number]));
      if (draw["integer"] !== undefined) {
        const [low, high] = draw["integer"] as [number, number];
        return low + own.integer(high - low + 1);
      }
      const [low, high] = draw["logUniform"] as [number, number];
      return exp(own.uniform(log(low), log(high)));
    },
    pick(path, draw) {
      const options = draw["choice"] as unknown[];
      const weights = (draw["weights"] as number[] | undefined) ?? options.map(() => 1);
      let left = rng.fork(path).next() * weights.reduce((sum, weight) => sum + weight, 0);
      const found = weights.findIndex((weight) => (left -= weight) < 0);
      return found < 0 ? weights.findLastIndex((weight) => weight > 0) : found;
    },
  };
}

/** Every distribution at its low or high end; of the choice at `path` the option `index`, of others the first. */
function ends(end: "low" | "high", at?: { readonly path: string; readonly index: number }): Resolver {
  return {
    number(_, draw) {
      const kind = DRAWS.find((each) => each in draw)!;
      return (draw[kind] as [number, number])[end === "low" ? 0 : 1];
    },
    pick: (path) => (at?.path === path ? at.index : 0),
  };
}

export interface TemplateOptions extends ValidateOptions {
  /** absent: `scenario` */
  readonly name?: string;
  /** further rules, of who runs the scenario; throws ScenarioError */
  readonly check?: (scenario: Scenario) => void;
}

/** Where options of choices stand: every one is tried once. */
function choicesIn(value: unknown, path: string): { readonly path: string; readonly index: number }[] {
  if (Array.isArray(value)) {
    return hasDraws(value) ? value.flatMap((entry, i) => choicesIn(entry, below(path, i))) : [];
  }
  if (!isPlainObject(value)) return [];
  const options = value["choice"];
  if (!Array.isArray(options)) {
    return Object.entries(value).flatMap(([key, entry]) => choicesIn(entry, below(path, key)));
  }
  return options.flatMap((entry, index) => [{ path, index }, ...choicesIn(entry, `${path}(${index})`)]);
}

function isRange(value: unknown): value is [number, number] {
  return Array.isArray(value) && value.length === 2 && value.every((each) => Number.isFinite(each));
}

/** What is wrong with a distribution itself. */
function drawMistake(draw: PlainObject): string | undefined {
  const kind = DRAWS.find((each) => each in draw)!;
  const foreign = Object.keys(draw).find((key) => key !== kind && !(kind === "choice" && key === "weights"));
  if (foreign !== undefined)
    return `only \`${kind}\` beside nothing else: \`${foreign}\` does not belong here`;
  const { [kind]: value, weights } = draw;
  if (kind === "choice") {
    if (!Array.isArray(value) || value.length === 0) return "a list with at least one entry after `choice`";
    if (weights === undefined) return undefined;
    const fits =
      Array.isArray(weights) &&
      weights.length === value.length &&
      weights.every((weight) => Number.isFinite(weight) && weight >= 0) &&
      weights.some((weight) => weight > 0);
    return fits ? undefined : `${value.length} weights, 0 or more, not all 0`;
  }
  if (!isRange(value) || value[0] > value[1])
    return `a range after \`${kind}\`: [low, high] with low <= high`;
  if (kind === "logUniform" && value[0] <= 0) return "a range above 0 after `logUniform`";
  if (kind === "integer" && !value.every(Number.isSafeInteger)) return "whole numbers after `integer`";
  if (kind === "integer" && value[1] - value[0] >= 2 ** 32)
    return "at most 2^32 whole numbers after `integer`";
  return undefined;
}

function checkDraws(value: unknown, path: string, options: ValidateOptions): void {
  if (isDraw(value)) {
    const mistake = drawMistake(value);
    if (mistake !== undefined) throw scenarioError(path, value, mistake, options);
    if (Array.isArray(value["choice"])) {
      value["choice"].forEach((entry, i) => {
        checkDraws(entry, `${path}(${i})`, options);
      });
    }
  } else if (Array.isArray(value)) {
    value.forEach((entry, i) => {
      // a trace has tens of thousands of numbers
      if (typeof entry === "object") checkDraws(entry, below(path, i), options);
    });
  } else if (isPlainObject(value)) {
    for (const [key, entry] of Object.entries(value)) checkDraws(entry, below(path, key), options);
  }
}

/** Values that all checks of one template may look at together: about a second. */
const MAX_CHECKED_VALUES = 4 * MAX_VALUES;

/**
 * Checks a template: its distributions, and the scenarios that it makes with all of them at the low end, at the high end,
 * and with each option of each choice.
 * @throws ScenarioError
 */
export function checkTemplate(value: unknown, options: TemplateOptions = {}): ScenarioTemplate {
  if (!isPlainObject(value)) throw scenarioError("scenario", value, "an object", options);
  measureExtent(value, options);
  checkDraws(value, "", options);
  const check = (input: unknown): void => {
    const scenario = complete(input as PlainObject, options);
    options.check?.(scenario);
  };
  const low = resolveDraws(value, "", ends("low"));
  check(low);
  if (hasDraws(value)) {
    check(resolveDraws(value, "", ends("high")));
    const choices = choicesIn(value, "");
    const toCheck = choices.length * measureExtent(low, options);
    if (toCheck > MAX_CHECKED_VALUES) {
      throw scenarioError(
        "scenario",
        `${choices.length} options of choices, each to be checked in ${toCheck / choices.length} values`,
        `fewer of either: at most ${MAX_CHECKED_VALUES} values to check`,
        options,
      );
    }
    for (const at of choices) {
      check(resolveDraws(value, "", ends("low", at)));
    }
  }
  return value as ScenarioTemplate;
}

/**
 * The scenario that a generator draws from a template; without distributions always the same.
 * @throws ScenarioError for what breaks the schema
 */
export function sampleScenario(
  template: ScenarioTemplate,
  rng: Rng,
  options: TemplateOptions = {},
): Scenario {
  return complete(resolveDraws(template, "", drawing(rng)) as PlainObject, options);
}

/** The scenario of a template without distributions. */
export function fixedScenario(template: ScenarioTemplate, options: TemplateOptions = {}): Scenario {
  return complete(template as PlainObject, options);
}

function isRate(value: unknown): value is RateSpec {
  return RATE_SCHEMA.safeParse(value).success;
}

/** What the shorthand of queues counts by. */
interface PathSize {
  /** undefined: the delays are wrong, and the schema will say so */
  readonly rttMs: number | undefined;
  readonly mtuBytes: Bytes;
  readonly durationSec: unknown;
}

/** A rate with `generated` resolved. */
function completeRate(
  rate: unknown,
  { durationSec }: PathSize,
  path: string,
  options: ValidateOptions,
): unknown {
  if (!isPlainObject(rate) || rate["kind"] !== "generated") return rate;
  const { kind: _, ...given } = rate;
  const lapSec = typeof durationSec === "number" ? Math.ceil(durationSec) : DEFAULT_DURATION_SEC;
  const generator = { durationSec: lapSec, seed: 1, ...given } as GenerateTraceOptions;
  try {
    const { opportunitiesMs } = generateTrace(generator);
    return { kind: "trace", name: `generated-${generator.model}`, opportunitiesMs };
  } catch (cause) {
    if (!(cause instanceof CcparkError)) throw cause;
    throw scenarioError(path, rate, `options of a generated trace (${cause.message})`, { ...options, cause });
  }
}

/** A queue with `bdp` or `ms` resolved. */
function completeQueue(
  queue: unknown,
  rate: unknown,
  { rttMs, mtuBytes }: PathSize,
  path: string,
  options: ValidateOptions,
): unknown {
  if (!isPlainObject(queue)) return queue;
  const { bdp, ms, ...rest } = queue;
  const key = bdp === undefined ? "ms" : "bdp";
  const given = bdp ?? ms;
  if (given === undefined) return rest;
  const complain = (field: string, got: unknown, expected: string): never => {
    throw scenarioError(`${path}.${field}`, got, expected, options);
  };
  if (bdp !== undefined && ms !== undefined) complain("ms", ms, "bdp or ms, not both");
  const other = ["packets", "bytes"].find((limit) => rest[limit] !== undefined);
  if (other !== undefined) complain(key, given, `${other} or ${key}, not both`);
  if (typeof given !== "number" || !(given > 0) || !Number.isFinite(given))
    complain(key, given, "a number > 0");
  if (!isRate(rate) || rttMs === undefined) return rest;
  const mbps = peakMbps(rate) ?? complain(key, given, "packets or bytes, since the rate has no limit");
  const amount = given as number;
  const packets =
    key === "bdp" ? amount * bdpPackets(mbps, rttMs, mtuBytes) : (fromMbps(mbps) * amount) / 1000 / mtuBytes;
  return { ...rest, packets: Math.max(1, Math.round(packets)) };
}

function completeDirection(
  direction: unknown,
  fallback: { readonly rate?: unknown; readonly queue: unknown },
  size: PathSize,
  path: string,
  options: ValidateOptions,
): unknown {
  if (!isPlainObject(direction)) return direction;
  const { rate: given = fallback.rate, lossRate = 0, queue, ...rest } = direction;
  const rate = completeRate(given, size, `${path}.rate`, options);
  const limitless = isRate(rate) && peakMbps(rate) === undefined;
  const wanted = queue ?? (limitless ? {} : fallback.queue);
  return { ...rest, rate, queue: completeQueue(wanted, rate, size, `${path}.queue`, options), lossRate };
}

/** The buffer of a link that names none. */
const DEFAULT_QUEUE: QueueInput = { bdp: 1 };

/** Puts the defaults in, resolves shorthand and validates. */
function complete(input: PlainObject, options: TemplateOptions): Scenario {
  const { rttMs, forward, reverse = {}, links, ...rest } = input;
  if (rttMs !== undefined && rest["propagationDelayMs"] !== undefined) {
    throw scenarioError("rttMs", rttMs, "rttMs or propagationDelayMs, not both", options);
  }
  if (rttMs !== undefined && (typeof rttMs !== "number" || !(rttMs > 0))) {
    throw scenarioError("rttMs", rttMs, "a number > 0", options);
  }
  const propagationDelayMs = rttMs === undefined ? rest["propagationDelayMs"] : (rttMs as number) / 2;
  const back = rest["reversePropagationDelayMs"] ?? propagationDelayMs;
  const roundTripMs =
    typeof propagationDelayMs === "number" && typeof back === "number"
      ? propagationDelayMs + back
      : undefined;
  const mtu = rest["mtuBytes"];
  const size = {
    rttMs: roundTripMs,
    mtuBytes: typeof mtu === "number" && mtu > 0 ? mtu : PACKET_BYTES,
    durationSec: rest["durationSec"],
  };
  const forwardRate = isPlainObject(forward) ? forward["rate"] : undefined;
  const constant = isRate(forwardRate) && forwardRate.kind === "constant";
  const reverseRate = constant ? constantRate(forwardRate.mbps) : { kind: "unlimited" };
  const directions = {
    forward: completeDirection(forward, { queue: DEFAULT_QUEUE }, size, "forward", options),
    reverse: completeDirection(reverse, { rate: reverseRate, queue: {} }, size, "reverse", options),
    ...(isPlainObject(links)
      ? {
          links: Object.fromEntries(
            Object.entries(links).map(([name, link]) => [
              name,
              completeDirection(link, { queue: DEFAULT_QUEUE }, size, `links.${name}`, options),
            ]),
          ),
        }
      : links === undefined
        ? {}
        : { links }),
  };
  const defaults = {
    name: options.name ?? "scenario",
    source: "scenario file",
    description: "",
    durationSec: DEFAULT_DURATION_SEC,
    ackPolicy: "delayed",
  };
  return validateScenario({ ...defaults, ...rest, ...directions, propagationDelayMs }, options);
}

/** Limits of a queue: one that is given replaces all that were there. */
const QUEUE_LIMITS = ["packets", "bytes", "bdp", "ms"];
const DELAYS = ["propagationDelayMs", "reversePropagationDelayMs"];

/** What of the base stays beside the keys that are given anew. */
function besides(base: PlainObject, keys: readonly string[], path: string): PlainObject {
  const isQueue = /(^|\.)queue$/.test(path);
  const dropped =
    isQueue && keys.some((key) => QUEUE_LIMITS.includes(key))
      ? QUEUE_LIMITS
      : path === "" && keys.includes("rttMs")
        ? DELAYS
        : path === "" && keys.includes("propagationDelayMs")
          ? ["rttMs"]
          : [];
  return dropped.length === 0
    ? base
    : Object.fromEntries(Object.entries(base).filter(([key]) => !dropped.includes(key)));
}

/**
 * Objects are merged field by field, anything else is replaced; so are distributions and objects of another `kind`. `null`
 * takes a field out.
 */
export function mergeTemplates(base: unknown, over: unknown, path = ""): unknown {
  if (!isPlainObject(base) || !isPlainObject(over) || isDraw(base) || isDraw(over)) return over;
  if (over["kind"] !== undefined && over["kind"] !== base["kind"]) return over;
  const merged: Record<string, unknown> = { ...besides(base, Object.keys(over), path) };
  for (const [key, value] of Object.entries(over)) {
    if (value === null) delete merged[key];
    else merged[key] = mergeTemplates(merged[key], value, below(path, key));
  }
  return merged;
}
