/** What `bench --export` writes of each run: `exports/SCENARIO/ALGORITHM-seedN.FORMAT` in the results' folder. */
import { join } from "node:path";
import { claimFolder, writeFilesWhole } from "../core/whole-files.ts";
import { RECORDED_FORMATS, type RecordedFormat } from "../testbeds/exports/recorder.ts";
import { seriesCsv, seriesJsonLines } from "../testbeds/exports/series-rows.ts";
import { type BenchmarkRun, runTitle } from "./benchmark.ts";

export type ExportFormat = "csv" | "jsonl" | RecordedFormat;

/** The usual endings: qlog in JSON-SEQ is `.sqlog`. */
const ENDING: Readonly<Record<ExportFormat, string>> = {
  csv: "csv",
  jsonl: "jsonl",
  qlog: "sqlog",
  mahimahi: "log",
  pcap: "pcap",
};

export function recordedFormats(formats: readonly ExportFormat[]): RecordedFormat[] {
  return RECORDED_FORMATS.filter((format) => formats.includes(format));
}

/** A name that is one part of a path on every system. */
function pathPart(name: string): string {
  return name.replaceAll(/[^\w.-]+/g, "_");
}

function textOf(run: BenchmarkRun, format: ExportFormat): string | Uint8Array | undefined {
  const { scenario, algorithm, seed } = run.record;
  switch (format) {
    case "csv":
      return seriesCsv(run.series, [runTitle(scenario, algorithm, seed)]);
    case "jsonl":
      return seriesJsonLines(run.series, { scenario, algorithm, seed });
    default:
      return run.recordings?.[format];
  }
}

/**
 * Writes what was asked for of every run; a contender that cannot be recorded has no such file.
 * @throws CcparkError
 */
export function writeExports(
  folder: string,
  runs: readonly BenchmarkRun[],
  formats: readonly ExportFormat[],
): void {
  if (formats.length === 0) return;
  const files: Record<string, string | Uint8Array> = {};
  for (const run of runs) {
    const { scenario, algorithm, seed } = run.record;
    const place = join(folder, "exports", pathPart(scenario));
    claimFolder(place);
    for (const format of formats) {
      const text = textOf(run, format);
      const file = join(place, `${pathPart(algorithm)}-seed${seed}.${ENDING[format]}`);
      if (text !== undefined) files[file] = text;
    }
  }
  writeFilesWhole(files);
}
