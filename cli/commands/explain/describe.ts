/** Entries as text for a reader. */
import { outWidth } from "../../console.ts";
import { type Dimension, type Entry, range } from "./entry.ts";

/** Of prose: a line that is longer is hard to read. */
const WIDTH: number = Math.min(100, outWidth(false) ?? 100);

/** Of a column of prose: where less is left, it stands below what it is about. */
const LEAST_COLUMN = 40;

/** Breaks prose at spaces. */
export function wrap(text: string, indent: number): string {
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

/** What stands in columns, and its prose beside it, or below it where there is no room. */
function row(columns: readonly string[], prose: string): string {
  const head = `    ${columns.join("  ")}`;
  const at = head.length + 2;
  return at + LEAST_COLUMN <= WIDTH
    ? `${head}  ${wrap(prose, at).trimStart()}`
    : `${head.trimEnd()}\n${wrap(prose, 6)}`;
}

function rangeOf({ low, high, choices }: Dimension): string {
  return choices ? "one of" : range(low, high);
}

export function describe(entry: Entry): string {
  const lines = [`  ${entry.name}${entry.isDefault === true ? " (default)" : ""}`, wrap(entry.summary, 4)];
  const { facts = [], dimensions = [], choices = [], options = [], source } = entry;
  if (facts.length > 0) lines.push(wrap(facts.join("; "), 4));
  const nameWidth = Math.max(0, ...dimensions.map((d) => d.name.length));
  const unitWidth = Math.max(0, ...dimensions.map((d) => d.unit.length));
  const rangeWidth = Math.max(0, ...dimensions.map((d) => rangeOf(d).length));
  for (const d of dimensions) {
    const columns = [d.name.padEnd(nameWidth), d.unit.padEnd(unitWidth), rangeOf(d).padEnd(rangeWidth)];
    lines.push(row(columns, d.definition));
  }
  const choiceWidth = Math.max(0, ...choices.map((choice) => choice.name.length));
  for (const [number, choice] of choices.entries()) {
    lines.push(row([`${number}`, choice.name.padEnd(choiceWidth)], choice.definition));
  }
  for (const option of options) {
    lines.push(`    ${option.name}=${JSON.stringify(option.default)}  (${option.values})`);
    lines.push(wrap(option.definition, 6));
  }
  if (source !== undefined) lines.push(wrap(`source: ${source}`, 4));
  return lines.join("\n");
}
