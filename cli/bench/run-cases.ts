/** Wiring of `bench` for a suite whose cases have thresholds: runs each with each algorithm, prints verdicts, writes files for other stacks. */
import { join } from "node:path";
import { resolveAlgorithm } from "../../algorithms/reference.ts";
import { claimFolder, writeFilesWhole } from "../../core/whole-files.ts";
import { jsonLines } from "../../eval/result-files.ts";
import { type CaseSuite, caseFile, caseTable } from "../../eval/suites/case-suite.ts";
import type { CaseRecord } from "../../eval/suites/thresholds.ts";
import type { ScenarioEntry } from "../../scenarios/scenario-files.ts";
import { breathe, printOut } from "../console.ts";
import { startTask } from "../train/progress.ts";

export interface CaseOptions {
  /** references; absent: the suite's own */
  readonly algorithms?: readonly string[];
  readonly seeds: readonly number[];
  readonly json: boolean;
  readonly quiet: boolean;
  /** folder for the cases, and with `qlog` for the runs */
  readonly out?: string;
  readonly qlog: boolean;
}

/** The last part of `bbr-draft/01-startup-plateau`. */
function fileName(scenario: string): string {
  return scenario.slice(scenario.lastIndexOf("/") + 1);
}

/** @returns whether every case passes. @throws CcparkError for an algorithm that the suite is not about */
export async function runCases(
  suite: CaseSuite,
  entries: readonly ScenarioEntry[],
  { algorithms = suite.algorithms, seeds, json, quiet, out, qlog }: CaseOptions,
): Promise<boolean> {
  const resolved = algorithms.map((name) => resolveAlgorithm(name));
  if (out !== undefined) claimFolder(join(out, suite.name));
  const total = entries.length * resolved.length * seeds.length;
  const task = await startTask({ label: suite.name, total, unit: "runs", quiet });
  const records: CaseRecord[] = [];
  const files: Record<string, string> = {};
  for (const entry of entries) {
    const name = fileName(entry.name);
    if (out !== undefined)
      files[join(out, suite.name, `${name}.json`)] = caseFile(suite, entry.of(seeds[0]!));
    for (const algorithm of resolved) {
      for (const seed of seeds) {
        const run = suite.run(entry.of(seed), algorithm, { seed, qlog: qlog && out !== undefined });
        records.push(run.record);
        if (json) printOut(jsonLines([run.record]));
        if (out !== undefined && run.qlog !== undefined) {
          const label = algorithm.label.replaceAll(/[^\w.-]+/g, "_");
          files[join(out, suite.name, `${name}.${label}-seed${seed}.sqlog`)] = run.qlog;
        }
        task.update(records.length, `${run.record.scenario} ${run.record.algorithm}`);
        await breathe();
      }
    }
  }
  task.finish();
  if (!json) printOut(caseTable(records));
  writeFilesWhole(files);
  return records.every(({ verdict }) => verdict === "pass");
}
