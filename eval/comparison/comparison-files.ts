/** The folder of a comparison: `comparison.json`, and the benchmark's page with each algorithm once per world. */
import { join } from "node:path";
import { writeFilesWhole } from "../../core/whole-files.ts";
import type { BenchmarkRun } from "../benchmark.ts";
import { storedScenarios } from "../links.ts";
import { htmlReport } from "../report/html-report.ts";
import { makeReportData } from "../report/report-data.ts";
import { prettyJson } from "../result-files.ts";
import type { Bounds, ComparisonRow } from "./comparison.ts";

export interface ComparisonFacts {
  readonly command: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly checkpoints: readonly unknown[];
  readonly reference: string;
  readonly bounds: Bounds;
  readonly seeds: readonly number[];
  readonly entries: Parameters<typeof storedScenarios>[0];
  readonly runs: readonly BenchmarkRun[];
  readonly rows: readonly ComparisonRow[];
}

/** `cubic on udp`: on the page each world's algorithm is a contender of its own. */
function named(run: BenchmarkRun): BenchmarkRun {
  const { algorithm, testbed } = run.record;
  return { ...run, record: { ...run.record, algorithm: `${algorithm} on ${testbed}` } };
}

/** File name -> content. */
export function comparisonFiles(facts: ComparisonFacts): Record<string, string> {
  const { command, versions, checkpoints, reference, bounds, seeds, entries, rows } = facts;
  const runs = facts.runs.map(named);
  const names = [...new Set(runs.map(({ record }) => record.algorithm))];
  const scenarios = storedScenarios(entries, seeds);
  const data = makeReportData({
    title: `ccpark comparison of worlds: ${[...new Set(rows.map(({ testbed }) => testbed))].join(", ")}`,
    provenance: { command, options: { reference, checkpoints }, versions },
    scenarios,
    contenders: names.map((name) => ({ name, description: name })),
    seeds,
    rewardName: runs[0]!.record.rewardName,
    runs,
    learning: [],
  });
  return {
    "comparison.json": prettyJson({
      command,
      versions,
      checkpoints,
      reference,
      bounds,
      seeds,
      scenarios,
      rows,
    }),
    "report.html": htmlReport(data),
  };
}

export function writeComparison(folder: string, facts: ComparisonFacts): void {
  const files = comparisonFiles(facts);
  writeFilesWhole(
    Object.fromEntries(Object.entries(files).map(([name, content]) => [join(folder, name), content])),
  );
}
