/**
 * Result folders: `results.jsonl` (one line per run), `results.csv` (the same as a table), `summary.json` (what reproduces them, and the means),
 * `series.json` (every run over time, and the learning curve) and `report.html`. They hold no wall-clock time, host, absolute path or output
 * folder, so two runs of one command give the same bytes.
 */
import { join } from "node:path";
import { writeFilesWhole } from "../core/whole-files.ts";
import { resultsCsv } from "./plots/results-csv.ts";
import { htmlReport } from "./report/html-report.ts";
import type { ReportData } from "./report/report-data.ts";

export function prettyJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** One line per run, keys in the order of `BenchmarkRecord`. */
export function jsonLines(records: readonly object[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join("");
}

/** One run or update per line: greppable, and a diff shows what changed. NaN (no episode ended) is null. */
function seriesJson(data: ReportData): string {
  const list = (entries: readonly object[]): string =>
    entries.map((entry) => JSON.stringify(entry)).join(",\n");
  return `{"series":[\n${list(data.series)}\n],"learning":[\n${list(data.learning)}\n]}\n`;
}

/** File name -> content. */
export function resultFiles(data: ReportData): Record<string, string> {
  const { title, provenance, scenarios, seeds, rewardName, headline, contenders, summary } = data;
  return {
    "results.jsonl": jsonLines(data.records),
    "summary.json": prettyJson({
      title,
      ...provenance,
      seeds,
      rewardName,
      headline,
      contenders,
      scenarios,
      summary,
    }),
    "results.csv": resultsCsv(data.records),
    "series.json": seriesJson(data),
    "report.html": htmlReport(data),
  };
}

export function writeResults(folder: string, data: ReportData): void {
  const files = resultFiles(data);
  writeFilesWhole(
    Object.fromEntries(Object.entries(files).map(([name, content]) => [join(folder, name), content])),
  );
}
