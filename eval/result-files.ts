/**
 * Result folders: `results.jsonl` (one line per run), `summary.json` (what reproduces them, and the means),
 * `series.json` (every run over time, and the learning curve) and `report.html`. They hold no wall-clock time, host, absolute path or output
 * folder, so two runs of one command give the same bytes.
 */
import { randomBytes } from "node:crypto";
import { accessSync, constants, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { CcparkError } from "../core/errors.ts";
import { htmlReport } from "./report/html-report.ts";
import type { ReportData } from "./report/report-data.ts";

function reason(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const known: Readonly<Record<string, string>> = {
    EACCES: "permission denied",
    EPERM: "operation not permitted",
    EROFS: "the file system is read-only",
    ENOTDIR: "a part of the path is a file, not a folder",
    EEXIST: "it is a file, not a folder",
    ENOSPC: "no space left on the device",
    ENOENT: "a part of the path does not exist",
  };
  return known[code] ?? (error instanceof Error ? error.message : String(error));
}

/** Every missing folder of the path, one by one: Node's own recursive form never returns below /proc. */
function makeFolders(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false }) !== undefined) return;
  const parent = dirname(folder);
  if (parent !== folder) makeFolders(parent);
  mkdirSync(folder);
}

/**
 * Creates a folder for output, and proves that files can be written in it, before any work is done.
 * @throws CcparkError (permission-denied)
 */
export function claimFolder(folder: string): void {
  try {
    makeFolders(resolve(folder));
    if (!statSync(folder).isDirectory()) throw Object.assign(new Error(), { code: "EEXIST" });
    accessSync(folder, constants.W_OK | constants.X_OK);
    const probe = join(folder, `.ccpark-probe-${randomBytes(4).toString("hex")}`);
    writeFileSync(probe, "");
    rmSync(probe);
  } catch (cause) {
    throw new CcparkError(
      "permission-denied",
      `[output] cannot write into folder \`${folder}\`: ${reason(cause)}`,
      {
        cause,
      },
    );
  }
}

/** The same for one file: its folder must take it. */
export function claimFile(file: string): void {
  claimFolder(dirname(resolve(file)));
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory() === true) {
    throw new CcparkError("permission-denied", `[output] cannot write file \`${file}\`: it is a folder`);
  }
}

/** Writes all files, or none: each under a temporary name first, renamed when every one is complete. */
export function writeFilesWhole(files: Readonly<Record<string, string>>): void {
  const suffix = `.tmp-${randomBytes(4).toString("hex")}`;
  const paths = Object.keys(files);
  let current = "";
  try {
    for (current of paths) writeFileSync(current + suffix, files[current]!);
    for (current of paths) renameSync(current + suffix, current);
  } catch (cause) {
    for (const path of paths) rmSync(path + suffix, { force: true });
    throw new CcparkError(
      "permission-denied",
      `[output] cannot write file \`${current}\`: ${reason(cause)}`,
      { cause },
    );
  }
}

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
  const { provenance, scenarios, seeds, rewardName, contenders, summary } = data;
  return {
    "results.jsonl": jsonLines(data.records),
    "summary.json": prettyJson({ ...provenance, seeds, rewardName, contenders, scenarios, summary }),
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
