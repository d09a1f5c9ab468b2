/** The runs of a benchmark as CSV (RFC 4180): one line per run, every quantity that is a number or a name. */
import type { BenchmarkRecord } from "../benchmark.ts";

/** Quoted where it must be. */
export function csvField(value: unknown): string {
  if (value === undefined || value === null || Number.isNaN(value)) return "";
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function csvText(head: readonly string[], rows: readonly (readonly unknown[])[]): string {
  return [head, ...rows].map((row) => `${row.map(csvField).join(",")}\n`).join("");
}

/** Columns in the order in which records have them; lists (flows, transfers) stay in `results.jsonl`. */
export function resultsCsv(records: readonly BenchmarkRecord[]): string {
  const keys = [...new Set(records.flatMap((record) => Object.keys(record)))].filter((key) =>
    records.every(
      (record) =>
        typeof (record as unknown as Record<string, unknown>)[key] !== "object" ||
        (record as unknown as Record<string, unknown>)[key] === null,
    ),
  );
  return csvText(
    keys,
    records.map((record) => keys.map((key) => (record as unknown as Record<string, unknown>)[key])),
  );
}
