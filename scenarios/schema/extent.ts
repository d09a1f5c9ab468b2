/**
 * How large a scenario may be before anybody looks at what it says: every later check takes time in proportion to it. What
 * contains itself is endlessly deep, and so refused.
 */
import { scenarioError, type ValidateOptions } from "../validate.ts";

/** Fields, entries and values together: a list of 100,000 flows with ten fields each. */
export const MAX_VALUES = 1_000_000;
/** Flows hold applications, these pauses, each with times, any of them drawn: the deepest field of the schema is nine down. */
const MAX_DEPTH = 24;
/** Longer than any name of a field, a link or a file. */
const MAX_KEY_LENGTH = 200;
/** A description of many paragraphs. */
const MAX_TEXT_LENGTH = 10_000;
/** Times of a trace are one value each and are counted by whoever reads traces. */
const TRACE_FIELD = "opportunitiesMs";

type Path = { readonly above: Path; readonly key: string } | undefined;

function pathText(path: Path): string {
  const keys: string[] = [];
  for (let at = path; at !== undefined; at = at.above) keys.unshift(at.key);
  return keys.length === 0 ? "scenario" : keys.join(".");
}

/**
 * @returns how many values it holds
 * @throws ScenarioError for one that is too large, too deep, or has too long a text
 */
export function measureExtent(value: unknown, options: ValidateOptions = {}): number {
  let values = 0;
  const visit = (at: unknown, path: Path, depth: number): void => {
    if (++values > MAX_VALUES) {
      throw scenarioError(pathText(path), `more than ${MAX_VALUES} values`, "fewer", options);
    }
    if (typeof at === "string") {
      if (at.length > MAX_TEXT_LENGTH) {
        throw scenarioError(pathText(path), at, `at most ${MAX_TEXT_LENGTH} characters`, options);
      }
    } else if (at !== null && typeof at === "object") {
      if (depth === MAX_DEPTH) {
        throw scenarioError(pathText(path), "more", `nothing more than ${MAX_DEPTH} levels deep`, options);
      }
      if (Array.isArray(at)) {
        if (path?.key === TRACE_FIELD) return;
        for (let i = 0; i < at.length; i++) visit(at[i], { above: path, key: String(i) }, depth + 1);
        return;
      }
      for (const key of Object.keys(at)) {
        if (key === "__proto__") throw scenarioError(pathText(path), key, "names of fields", options);
        if (key.length > MAX_KEY_LENGTH) {
          throw scenarioError(
            pathText(path),
            key,
            `names of fields with at most ${MAX_KEY_LENGTH} characters`,
            options,
          );
        }
        visit((at as Record<string, unknown>)[key], { above: path, key }, depth + 1);
      }
    }
  };
  visit(value, undefined, 0);
  return values;
}
