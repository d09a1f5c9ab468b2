/** Single fields set from the command line, `--set link.rateMbps=24`: by their path in the scenario, or by a short name. */
import { unknownName } from "../core/errors.ts";
import { measureExtent } from "./schema/extent.ts";
import { isPlainObject, mergeTemplates, type PlainObject } from "./template.ts";
import { scenarioError, valueAt } from "./validate.ts";
import { readYaml } from "./yaml-files.ts";

/** One `PATH=VALUE`. */
export interface Override {
  /** as it was typed */
  readonly text: string;
  readonly path: string;
  readonly value: unknown;
}

interface Alias {
  readonly meaning: string;
  /** paths of what it sets */
  readonly fields: readonly string[];
  readonly apply: (template: PlainObject, value: unknown) => PlainObject;
}

function setting(field: string, make: (value: unknown) => PlainObject, meaning = field): Alias {
  return {
    meaning,
    fields: [field],
    apply: (template, value) => mergeTemplates(template, make(value)) as PlainObject,
  };
}

function buffer(limit: string): Alias {
  return setting(
    `forward.queue.${limit}`,
    (value) => ({ forward: { queue: { [limit]: value } } }),
    `forward.queue.${limit}, in place of every other limit`,
  );
}

const LINK_RATE: Alias = {
  meaning: "a constant rate of `forward`, and of `reverse` where that is constant",
  fields: ["forward.rate.mbps", "reverse.rate.mbps"],
  apply(template, mbps) {
    const rate = { kind: "constant", mbps };
    const back = valueAt(template, ["reverse", "rate", "kind"]) === "constant" ? { reverse: { rate } } : {};
    return mergeTemplates(template, { forward: { rate }, ...back }) as PlainObject;
  },
};

/** Short names for what is changed most. */
export const ALIASES: ReadonlyMap<string, Alias> = new Map([
  ["link.rateMbps", LINK_RATE],
  ["link.rttMs", setting("rttMs", (rttMs) => ({ rttMs }))],
  ["link.delayMs", setting("propagationDelayMs", (propagationDelayMs) => ({ propagationDelayMs }))],
  ["link.bufferPackets", buffer("packets")],
  ["link.bufferBytes", buffer("bytes")],
  ["link.bufferBdp", buffer("bdp")],
  ["link.bufferMs", buffer("ms")],
  ["link.lossRate", setting("forward.lossRate", (lossRate) => ({ forward: { lossRate } }))],
  ["link.durationSec", setting("durationSec", (durationSec) => ({ durationSec }))],
]);

/** Paths of the fields that an override sets. */
export function fieldsOf({ path }: Override): readonly string[] {
  return ALIASES.get(path)?.fields ?? [path];
}

/**
 * Reads `PATH=VALUE`; the value is JSON or YAML.
 * @throws ScenarioError
 */
export function parseOverride(text: string): Override {
  const at = text.indexOf("=");
  const path = text.slice(0, Math.max(at, 0)).trim();
  if (path === "" || path.split(".").some((key) => key === "" || key === "__proto__")) {
    throw scenarioError("scenario", text, "PATH=VALUE, such as link.rateMbps=24", { origin: "--set" });
  }
  const written = text.slice(at + 1);
  const read = readYaml(written);
  if ("mistake" in read) {
    throw scenarioError(path, written, `a value in JSON or YAML: ${read.mistake}`, {
      origin: "--set",
      cause: read.cause,
    });
  }
  measureExtent(read.value, { origin: "--set" });
  return { text, path, value: read.value };
}

/** The template with one field set; objects on the way are made, entries of lists must be there. */
function setAt(
  at: unknown,
  keys: readonly string[],
  value: unknown,
  override: Override,
  done: string[],
): unknown {
  const [key, ...rest] = keys;
  const path = done.join(".");
  if (key === undefined) return value;
  if (Array.isArray(at)) {
    const index = Number(key);
    if (!Number.isInteger(index) || index < 0 || index >= at.length) {
      throw scenarioError(override.path, override.value, `an entry from 0 to ${at.length - 1} of ${path}`, {
        origin: "--set",
      });
    }
    return at.map((entry, i) => (i === index ? setAt(entry, rest, value, override, [...done, key]) : entry));
  }
  const object = isPlainObject(at) ? at : {};
  const inner = setAt(object[key], rest, value, override, [...done, key]);
  return mergeTemplates(object, { [key]: inner }, path);
}

/**
 * Applies an override to a template.
 * @throws CcparkError (not-found) for an unknown short name; ScenarioError for an entry that a list does not have
 */
export function applyOverride(template: PlainObject, override: Override): PlainObject {
  const { path, value } = override;
  if (path.startsWith("link.")) {
    const alias = ALIASES.get(path);
    if (alias === undefined) throw unknownName("scenario", "field", path, [...ALIASES.keys()]);
    return alias.apply(template, value);
  }
  return setAt(template, path.split("."), value, override, []) as PlainObject;
}
