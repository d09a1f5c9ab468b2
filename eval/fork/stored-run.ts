/** One run of a saved benchmark: what it needs to be run again. */
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { CcparkError } from "../../core/errors.ts";
import { readWhole } from "../../core/text-files.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { isPlainObject } from "../../scenarios/template.ts";
import { validateScenario } from "../../scenarios/validate.ts";
import { loadTrace } from "../../traces/trace-files.ts";
import type { BenchmarkRecord } from "../benchmark.ts";
import { traceSha256 } from "../links.ts";

/** Which row of the results is meant; what is absent is no condition. */
export interface RowSelection {
  readonly scenario?: string;
  readonly contender?: string;
  readonly seed?: number;
}

export interface StoredRun {
  readonly record: BenchmarkRecord;
  readonly scenario: Scenario;
}

const problem = (message: string, cause?: unknown): CcparkError =>
  new CcparkError("invalid-argument", `[fork] ${message}`, { cause });

function readJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw problem(`${path}: got broken JSON, expected what \`ccpark bench --out\` wrote`, cause);
  }
}

function described({ scenario, algorithm, seed }: BenchmarkRecord): string {
  return `${scenario} ${algorithm} seed ${seed}`;
}

/** Some of several. */
function listed(records: readonly BenchmarkRecord[]): string {
  return `${records.slice(0, 4).map(described).join("; ")}${records.length > 4 ? "; ..." : ""}`;
}

/**
 * The records of a results file that a selection leaves.
 * @throws CcparkError (invalid-argument) where it leaves none
 */
function selectedRecords(path: string, { scenario, contender, seed }: RowSelection): BenchmarkRecord[] {
  const lines = readWhole(path).toString("utf8").split("\n");
  const records = lines.filter((line) => line.trim() !== "").map((line) => readJson(path, line));
  const isRecord = (value: unknown): value is BenchmarkRecord =>
    isPlainObject(value) && typeof value["scenario"] === "string" && typeof value["algorithm"] === "string";
  if (!records.every(isRecord)) throw problem(`${path}: got other lines, expected a run in each`);
  const left = records.filter(
    (record) =>
      (scenario === undefined || record.scenario === scenario) &&
      (contender === undefined || record.algorithm === contender) &&
      (seed === undefined || record.seed === seed),
  );
  if (left.length === 0) {
    const chosen = [scenario, contender, seed === undefined ? undefined : `seed ${seed}`];
    const got = chosen.filter((each) => each !== undefined).join(" ");
    throw problem(`${path}: got ${got}, expected one of its ${records.length} runs: ${listed(records)}`);
  }
  return left;
}

/**
 * @param path a folder that `ccpark bench --out` wrote, or its `results.jsonl`
 * @throws CcparkError not-found without files; invalid-argument where no row or more than one is left
 */
export function loadStoredRun(path: string, selection: RowSelection): StoredRun {
  if (!existsSync(path)) {
    const message = `[fork] ${path}: got nothing there, expected a folder of \`ccpark bench --out\``;
    throw new CcparkError("not-found", message);
  }
  const isFolder = statSync(path).isDirectory();
  const folder = isFolder ? path : dirname(path);
  const results = isFolder ? join(path, "results.jsonl") : path;
  const summary = join(folder, "summary.json");
  for (const file of [results, summary]) {
    if (!existsSync(file))
      throw new CcparkError(
        "not-found",
        `[fork] ${file}: no such file, expected what \`ccpark bench --out\` wrote`,
      );
  }
  const records = selectedRecords(results, selection);
  const [record] = records;
  if (record === undefined || records.length > 1) {
    throw problem(
      `${results}: got ${records.length} runs (${listed(records)}), expected one: --scenario, --contender and --seed choose`,
    );
  }
  const stored = readJson(summary, readWhole(summary).toString("utf8"));
  const scenarios = isPlainObject(stored) && Array.isArray(stored["scenarios"]) ? stored["scenarios"] : [];
  return { record, scenario: scenarioOf(scenarios, record, summary) };
}

function scenarioOf(scenarios: readonly unknown[], record: BenchmarkRecord, summary: string): Scenario {
  const names = [record.scenario, `${record.scenario} (seed ${record.seed})`];
  const named = scenarios.find((each) => isPlainObject(each) && names.includes(String(each["name"])));
  if (!isPlainObject(named)) throw problem(`${summary}: got no scenario ${record.scenario}`);
  const { links } = named;
  return validateScenario({
    ...named,
    forward: withTrace(named["forward"], summary),
    reverse: withTrace(named["reverse"], summary),
    ...(isPlainObject(links) && {
      links: Object.fromEntries(
        Object.entries(links).map(([name, link]) => [name, withTrace(link, summary)]),
      ),
    }),
  });
}

/** Results keep a trace's name and digest: it is read again. */
function withTrace(direction: unknown, summary: string): unknown {
  const rate = isPlainObject(direction) ? direction["rate"] : undefined;
  if (!isPlainObject(direction) || !isPlainObject(rate) || rate["kind"] !== "trace") return direction;
  const name = String(rate["name"]);
  const { opportunitiesMs } = loadTrace(name);
  if (traceSha256(opportunitiesMs) !== rate["sha256"]) {
    throw problem(`${summary}: trace ${name}: got another content, expected the one of the run`);
  }
  return { ...direction, rate: { kind: "trace", name, opportunitiesMs } };
}
