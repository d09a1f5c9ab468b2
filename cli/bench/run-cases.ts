/** Wiring of `bench` for a suite whose cases have thresholds: runs each with each contender, prints verdicts, writes files for other stacks. */
import { join } from "node:path";
import { CcparkError } from "../../core/errors.ts";
import { claimFolder, writeFilesWhole } from "../../core/whole-files.ts";
import { jsonLines, prettyJson } from "../../eval/result-files.ts";
import { type CaseRun, caseFile, caseTable } from "../../eval/suites/case-suite.ts";
import { type CaseRecord, worstOf } from "../../eval/suites/thresholds.ts";
import { breathe, printOut, writesAtTheEnd } from "../console.ts";
import { quoteForShell } from "../options.ts";
import { startTask } from "../train/progress.ts";
import type { CaseOutcome } from "./case-worker.ts";
import { type Cases, type CasesInput, type CaseUnit, loadCases, runCaseUnit } from "./cases.ts";
import { refuseOther, type Stored } from "./other-results.ts";
import { versions } from "./run-benchmark.ts";
import { openWorkerPool } from "./worker-pool.ts";

export interface CaseOptions {
  readonly seeds: readonly number[];
  readonly json: boolean;
  readonly quiet: boolean;
  /** folder for the cases, and with `qlog` for the runs */
  readonly out?: string;
  /** replaces results of other contenders or seeds there */
  readonly force: boolean;
  /** threads */
  readonly workers: number;
}

/** The last part of `bbr-draft/01-startup-plateau`. */
function fileName(scenario: string): string {
  return scenario.slice(scenario.lastIndexOf("/") + 1);
}

/** Trials that a thread takes at once: few enough that at the end no thread has much more left than the others. */
const TRIALS_AT_ONCE = 10;

function* partsOf(unit: CaseUnit): Generator<CaseUnit> {
  for (let at = 0; at < unit.seeds.length; at += TRIALS_AT_ONCE)
    yield { ...unit, seeds: unit.seeds.slice(at, at + TRIALS_AT_ONCE) };
}

/** The runs of each unit, in the order of units, whoever was done first. */
async function* runsOf(
  input: CasesInput,
  cases: Cases,
  units: readonly CaseUnit[],
  workers: number,
): AsyncGenerator<readonly CaseRun[]> {
  const isHere = cases.contenders.every(({ contender }) => contender.reproducible !== false);
  if (workers === 1 || !isHere) {
    for (const unit of units) {
      yield await runCaseUnit(cases, unit, input.qlog);
      await breathe();
    }
    return;
  }
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const url = new URL(`./case-worker.${extension}`, import.meta.url);
  const pool = await openWorkerPool(url, workers, input);
  try {
    const outcomes = units.map((unit) =>
      Promise.all([...partsOf(unit)].map((part): Promise<CaseOutcome> => pool.run(part))),
    );
    // all are awaited in order; one that fails meanwhile must not be an unhandled rejection
    for (const outcome of outcomes) outcome.catch(() => {});
    for (const outcome of outcomes) {
      yield (await outcome).flatMap((done) => {
        if ("kind" in done) throw new CcparkError(done.kind, done.message);
        return done.runs;
      });
    }
  } finally {
    await pool.destroy();
  }
}

/** @returns whether every case passes. @throws CcparkError for a contender that the suite is not about */
export async function runCases(
  input: CasesInput,
  { seeds, json, quiet, out, force, workers }: CaseOptions,
): Promise<boolean> {
  const cases = await loadCases(input);
  const { suite, entries, contenders } = cases;
  const folder = out && join(out, suite.name);
  const names = contenders.map(({ reference }) => quoteForShell(reference));
  const command = `ccpark bench --suite ${suite.name} --algorithms ${names.join(",")} --seeds ${seeds.length}`;
  if (folder !== undefined) {
    claimFolder(folder);
    const isSame = (stored: Stored): boolean => stored["command"] === command;
    if (!force) refuseOther({ folder, file: "summary.json", isSame });
    writesAtTheEnd();
  }
  const units = entries.flatMap((_, entry) =>
    contenders.map((__, contender): CaseUnit => ({ entry, contender, seeds })),
  );
  const total = units.length * seeds.length;
  const task = await startTask({ label: suite.name, total, unit: "runs", quiet });
  const records: CaseRecord[] = [];
  const files: Record<string, string> = {};
  if (folder !== undefined) {
    for (const entry of entries) {
      files[join(folder, `${fileName(entry.name)}.json`)] = caseFile(suite, entry.of(seeds[0]!));
    }
  }
  let done = 0;
  for await (const runs of runsOf(input, cases, units, workers)) {
    const { entry } = units[done / seeds.length]!;
    const erratum = suite.erratumOf?.(entries[entry]!.of(seeds[0]!));
    const own = runs.map(({ record }) => (erratum === undefined ? record : { ...record, erratum }));
    const made = suite.isWorst === true ? [worstOf(own)] : own;
    records.push(...made);
    if (json) printOut(jsonLines(made));
    for (const { record, qlog } of runs) {
      if (folder === undefined || qlog === undefined) continue;
      const label = record.algorithm.replaceAll(/[^\w.-]+/g, "_");
      files[join(folder, `${fileName(record.scenario)}.${label}-seed${record.seed}.sqlog`)] = qlog;
    }
    done += runs.length;
    task.update(done, `${own[0]!.scenario} ${own[0]!.algorithm}`);
  }
  task.finish();
  if (!json) printOut(caseTable(records));
  if (folder !== undefined) {
    files[join(folder, "results.jsonl")] = jsonLines(records);
    files[join(folder, "summary.json")] = prettyJson({ command, seeds, versions: versions() });
  }
  writeFilesWhole(files);
  return records.every(({ verdict }) => verdict === "pass");
}
