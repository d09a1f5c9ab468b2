/** Results folders of `bench` and `quickstart`, read again: no run is repeated. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { CcparkError } from "../../core/errors.ts";
import { fileError } from "../../core/whole-files.ts";
import type { BenchmarkRecord } from "../benchmark.ts";
import type { StoredScenario } from "../links.ts";
import type { SeriesEntry } from "../report/report-data.ts";
import { type SummaryRow, summarise } from "../summary.ts";
import { DEFAULT_HEADLINE, HEADLINES, type Headline } from "../verdicts/headline.ts";

export interface SavedResults {
  /** base name of the folder */
  readonly name: string;
  readonly title: string;
  readonly command: string;
  readonly headline: Headline;
  /** empty: not stored, as of runs that go on */
  readonly scenarios: readonly StoredScenario[];
  readonly seeds: readonly number[];
  readonly testbed: string;
  readonly records: readonly BenchmarkRecord[];
  readonly summary: readonly SummaryRow[];
  readonly series: readonly SeriesEntry[];
}

const FILES = { records: "results.jsonl", summary: "summary.json", series: "series.json" } as const;

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw fileError("[plot] cannot read file", path, error);
  }
}

function parsed(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const message = `[plot] \`${path}\`: expected JSON, got: ${(error as Error).message}`;
    throw new CcparkError("invalid-argument", message, { cause: error });
  }
}

function isRecord(value: unknown): value is BenchmarkRecord {
  const { scenario, algorithm, goodputMbps } = (value ?? {}) as Partial<BenchmarkRecord>;
  return typeof scenario === "string" && typeof algorithm === "string" && typeof goodputMbps === "number";
}

/** JSON has no NaN: null stands for what had nothing to be measured on. */
function withNan(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(record).map(([key, value]) => [key, value === null ? Number.NaN : value]),
  );
}

/** One run per line; a last line that is still being written is left out. */
function readRecords(path: string): BenchmarkRecord[] {
  const lines = read(path).split("\n");
  const isCut = lines.at(-1) !== "";
  const whole = isCut ? lines.slice(0, -1) : lines;
  return whole
    .filter((line) => line.trim() !== "")
    .map((line, i) => {
      const value = parsed(`${path}:${i + 1}`, line);
      if (isRecord(value))
        return withNan(value as unknown as Record<string, unknown>) as unknown as BenchmarkRecord;
      const message = `[plot] \`${path}:${i + 1}\`: got a line without scenario, algorithm and goodputMbps, expected a run of \`ccpark bench\``;
      throw new CcparkError("invalid-argument", message);
    });
}

/** Whether a folder has runs of a benchmark, finished or still growing. */
export function hasResults(folder: string): boolean {
  return existsSync(join(folder, FILES.records));
}

/** What a reader needs first: verdicts and tables, without runs and courses. */
export type SavedSummary = Omit<SavedResults, "records" | "series">;

interface StoredSummary {
  readonly title?: unknown;
  readonly command?: unknown;
  readonly headline?: unknown;
  readonly scenarios?: unknown;
  readonly seeds?: unknown;
  readonly options?: { readonly testbed?: unknown };
  readonly summary?: unknown;
}

function expectFolder(folder: string): void {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new CcparkError(
      "not-found",
      `[plot] no folder \`${folder}\`, expected one that \`ccpark bench --out\` wrote`,
    );
  }
  if (!hasResults(folder)) {
    const message = `[plot] \`${folder}\` has no ${FILES.records}, expected a folder that \`ccpark bench --out\` wrote`;
    throw new CcparkError("not-found", message);
  }
}

/**
 * @param records of the folder; absent: read where there is no summary yet, since the runs go on
 * @throws CcparkError as `readResults`
 */
export function readSummary(folder: string, records?: readonly BenchmarkRecord[]): SavedSummary {
  expectFolder(folder);
  const at = join(folder, FILES.summary);
  const stored = (existsSync(at) ? parsed(at, read(at)) : {}) as StoredSummary;
  const name = basename(resolve(folder));
  const isStored = Array.isArray(stored.summary) && Array.isArray(stored.seeds);
  const runs = isStored ? [] : (records ?? readRecords(join(folder, FILES.records)));
  return {
    name,
    title: typeof stored.title === "string" ? stored.title : name,
    command: typeof stored.command === "string" ? stored.command : "",
    headline: HEADLINES.find((each) => each === stored.headline) ?? DEFAULT_HEADLINE,
    scenarios: Array.isArray(stored.scenarios) ? (stored.scenarios as StoredScenario[]) : [],
    seeds: isStored ? (stored.seeds as number[]) : [...new Set(runs.map(({ seed }) => seed))],
    testbed: typeof stored.options?.testbed === "string" ? stored.options.testbed : "simulated",
    summary: Array.isArray(stored.summary) ? (stored.summary as SummaryRow[]) : summarise(runs),
  };
}

/** The courses over time of all runs; empty: none are stored. */
export function readSeries(folder: string): readonly SeriesEntry[] {
  const at = join(folder, FILES.series);
  if (!existsSync(at)) return [];
  const { series } = parsed(at, read(at)) as { readonly series?: readonly SeriesEntry[] };
  return Array.isArray(series) ? series : [];
}

/** @throws CcparkError not-found: no such folder, or no results in it; invalid-argument: they are damaged */
export function readResults(folder: string): SavedResults {
  expectFolder(folder);
  const records = readRecords(join(folder, FILES.records));
  return { ...readSummary(folder, records), records, series: readSeries(folder) };
}
