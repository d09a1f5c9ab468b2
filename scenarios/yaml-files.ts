/**
 * Values written in YAML or JSON: of files and of `--set`. What cannot be read is one sentence, never an exception of the parser's,
 * which is loaded with the first text: presets need none.
 */
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

export type YamlValue =
  | { readonly value: unknown }
  /** @param line from 1 */
  | { readonly mistake: string; readonly line: number; readonly cause: unknown };

/** Uses of anchors are not counted here: what they make is measured as a whole (`extent.ts`). */
export function readYaml(text: string): YamlValue {
  const { parseDocument } = require("yaml") as typeof import("yaml");
  const document = parseDocument(text, { prettyErrors: true });
  const [mistake] = document.errors;
  if (mistake !== undefined) {
    const [first = ""] = mistake.message.split("\n");
    const isTooDeep = mistake.code === "RESOURCE_EXHAUSTION";
    const message = isTooDeep
      ? "values within values, too many levels deep"
      : first.replace(/ at line \d+.*$/, "");
    return { mistake: message, line: mistake.linePos?.[0].line ?? 1, cause: mistake };
  }
  try {
    return { value: document.toJS({ maxAliasCount: -1 }) };
  } catch (cause) {
    // an alias without its anchor
    return { mistake: cause instanceof Error ? cause.message : String(cause), line: 1, cause };
  }
}
