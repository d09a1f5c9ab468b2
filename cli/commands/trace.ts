/** `ccpark trace`: checks, describes, generates and imports link traces in Mahimahi's format. */
import { existsSync } from "node:fs";
import { type Command, Option } from "commander";
import { CcparkError } from "../../core/errors.ts";
import { DATE_ORDERS, type DateOrder } from "../../traces/capacity/clock.ts";
import type { Capacity } from "../../traces/capacity/import.ts";
import { RATE_UNITS, TIME_UNITS } from "../../traces/capacity/units.ts";
import { REPLAYERS, type Replayer } from "../../traces/replayer-logs.ts";
import { interruptible, printErr, printOut } from "../console.ts";
import { EXIT } from "../exit/exit-codes.ts";
import { MAX_SEED, parsePositive, parseWhole } from "../options.ts";
import { inputName, readText } from "../text-input.ts";

interface JsonOption {
  readonly json?: true;
}

async function lint(
  files: readonly string[],
  options: JsonOption & { readonly declaredMbps?: number; readonly strict?: true },
): Promise<void> {
  const { loadTrace } = await import("../../traces/trace-files.ts");
  const { TraceError } = await import("../../traces/mahimahi.ts");
  const { lintTrace } = await import("../../traces/lint.ts");
  let malformed: InstanceType<typeof TraceError> | undefined;
  let failed = false;
  for (const file of files) {
    try {
      const trace = interruptible(() => loadTrace(file));
      const findings = interruptible(() => lintTrace(trace, options.declaredMbps));
      failed ||= findings.some(({ severity }) => severity === "warning" || options.strict === true);
      if (options.json) printOut(`${JSON.stringify({ trace: trace.name, findings })}\n`);
      else if (findings.length === 0) printOut(`${trace.name}: ok\n`);
      else
        for (const { severity, code, message } of findings)
          printOut(`${trace.name}: ${severity} ${code}: ${message}\n`);
    } catch (error) {
      // A malformed file is told at the end, so that the others are checked too.
      if (!(error instanceof TraceError)) throw error;
      malformed ??= error;
      if (options.json) {
        const finding = { severity: "error", code: "format", line: error.line, message: error.message };
        printOut(`${JSON.stringify({ trace: file, findings: [finding] })}\n`);
      } else if (malformed !== error) printErr(`error: ${error.message}\n`);
    }
  }
  if (malformed !== undefined) throw malformed;
  if (failed) process.exitCode = EXIT.failure;
}

async function info(files: readonly string[], options: JsonOption): Promise<void> {
  const { loadTrace } = await import("../../traces/trace-files.ts");
  const { traceInfo } = await import("../../traces/mahimahi.ts");
  const { traceSha256 } = await import("../../eval/links.ts");
  const rows = files.map((file) => {
    const trace = interruptible(() => loadTrace(file));
    return { ...traceInfo(trace), sha256: traceSha256(trace.opportunitiesMs) };
  });
  for (const row of rows) {
    if (options.json) {
      printOut(`${JSON.stringify(row)}\n`);
      continue;
    }
    const facts: [string, string][] = [
      ["opportunities", `${row.opportunities} of 1504 bytes`],
      ["period", `${(row.periodMs / 1000).toFixed(3)} s`],
      ["mean rate", `${row.meanMbps.toFixed(3)} Mbit/s`],
      ["per second", `${row.minMbps.toFixed(3)} to ${row.maxMbps.toFixed(3)} Mbit/s`],
      ["longest gap", `${row.longestGapMs} ms`],
      ["in outages", `${(100 * row.outageShare).toFixed(1)} % of the time (gaps above 200 ms)`],
      ["sha256", row.sha256],
    ];
    printOut(`${row.name}\n${facts.map(([name, value]) => `  ${name.padEnd(14)} ${value}\n`).join("")}`);
  }
}

interface GenerateOptions {
  readonly model: string;
  readonly mbps: number;
  readonly duration: number;
  readonly seed: number;
  readonly out?: string;
  readonly quiet?: true;
}

async function generate(options: GenerateOptions): Promise<void> {
  const { generateTrace, TRACE_MODELS } = await import("../../traces/generate.ts");
  const { formatMahimahiTrace } = await import("../../traces/mahimahi.ts");
  const { unknownName } = await import("../../core/errors.ts");
  const { claimFile, writeFilesWhole } = await import("../../core/whole-files.ts");
  const model = (Object.keys(TRACE_MODELS) as (keyof typeof TRACE_MODELS)[]).find(
    (name) => name === options.model,
  );
  if (model === undefined) throw unknownName("trace", "model", options.model, Object.keys(TRACE_MODELS));
  if (options.out !== undefined) claimFile(options.out);
  const trace = interruptible(() =>
    generateTrace({
      model,
      meanMbps: options.mbps,
      durationSec: options.duration,
      seed: options.seed,
    }),
  );
  const text = interruptible(() => formatMahimahiTrace(trace));
  if (options.out === undefined) {
    printOut(text);
    return;
  }
  writeFilesWhole({ [options.out]: text });
  if (!options.quiet) printErr(`wrote ${trace.opportunitiesMs.length} opportunities to ${options.out}\n`);
}

interface ImportOptions {
  readonly format: string;
  readonly as: string;
  readonly delay?: string;
  readonly rateUnit?: string;
  readonly timeUnit?: string;
  readonly dateOrder?: DateOrder;
  readonly timeColumn?: string;
  readonly rateColumn?: string;
  readonly intervalMs?: number;
  readonly duration?: number;
  readonly out?: string;
  readonly force?: true;
  readonly json?: true;
  readonly quiet?: true;
}

/** A recording of an emulator built on Mahimahi; with its delays it is a scenario. */
async function importReplay(file: string, replayer: Replayer, options: ImportOptions): Promise<void> {
  const { parseRecordedDelay, REPLAYER_NOTES } = await import("../../traces/replayer-logs.ts");
  const { formatMahimahiTrace, parseMahimahiTrace, traceInfo } = await import("../../traces/mahimahi.ts");
  const { claimFile, writeFilesWhole } = await import("../../core/whole-files.ts");
  const name = inputName(file);
  if (options.as === "scenario" && options.delay === undefined) {
    const message = `[trace] --format ${replayer} --as scenario: got no --delay, expected the file of its delays`;
    throw new CcparkError("invalid-argument", message);
  }
  const { text, facts } = interruptible(() => {
    const trace = parseMahimahiTrace(readText(file), name);
    const { opportunities, periodMs, meanMbps } = traceInfo(trace);
    const measured = { format: replayer, periodMs, meanMbps, opportunities };
    if (options.delay === undefined) return { text: formatMahimahiTrace(trace), facts: measured };
    const forward = parseRecordedDelay(replayer, readText(options.delay), inputName(options.delay));
    const scenario = {
      description: `${name} and ${inputName(options.delay)} of ${replayer}; the way back has the first delay`,
      forward: {
        rate: { kind: "trace", name, opportunitiesMs: trace.opportunitiesMs },
        queue: { packets: REPLAYED_QUEUE_PACKETS },
      },
      propagationDelayMs: Math.max(1, forward.points[0]!.delayMs),
      delay: { forward },
      fixed: { traceOffsetMs: 0 },
    };
    const delays = forward.points.length;
    return { text: `${JSON.stringify(scenario)}\n`, facts: { ...measured, delays } };
  });
  if (options.out === undefined) printOut(text);
  else {
    if (options.force !== true) refuseExisting(options.out);
    claimFile(options.out);
    writeFilesWhole({ [options.out]: text });
  }
  const notes = [REPLAYER_NOTES[replayer]];
  if (options.json) {
    const row = { ...facts, notes, out: options.out ?? null };
    (options.out === undefined ? printErr : printOut)(`${JSON.stringify(row)}\n`);
  } else if (!options.quiet) {
    const written = options.out === undefined ? "" : `, written to ${options.out}`;
    const delays = "delays" in facts ? `, ${facts.delays} delays` : "";
    printErr(
      `${name}: read as ${replayer}\n${notes[0]}\n${(facts.periodMs / 1000).toFixed(3)} s, ` +
        `${facts.meanMbps.toFixed(3)} Mbit/s on average, ${facts.opportunities} opportunities${delays}${written}\n`,
    );
  }
}

async function importFile(file: string, options: ImportOptions): Promise<void> {
  const replayer = REPLAYERS.find((each) => each === options.format);
  if (replayer !== undefined) {
    await importReplay(file, replayer, options);
    return;
  }
  if (options.delay !== undefined) {
    const message = `[trace] --delay: got ${options.format}, expected --format ${REPLAYERS.join(" or ")}`;
    throw new CcparkError("invalid-argument", message);
  }
  const { importCapacity, importTrace } = await import("../../traces/capacity/import.ts");
  const { CAPACITY_FORMATS } = await import("../../traces/capacity/table.ts");
  const { formatMahimahiTrace, traceInfo } = await import("../../traces/mahimahi.ts");
  const { claimFile, writeFilesWhole } = await import("../../core/whole-files.ts");
  const name = inputName(file);
  const how = {
    format: CAPACITY_FORMATS.find((known) => known === options.format),
    rateUnit: options.rateUnit,
    timeUnit: options.timeUnit,
    dateOrder: options.dateOrder,
    timeColumn: options.timeColumn,
    rateColumn: options.rateColumn,
    intervalMs: options.intervalMs,
    durationSec: options.duration,
  };
  const imported = interruptible(() => {
    const content = readText(file);
    if (options.as === "scenario") {
      const capacity = importCapacity(content, name, how);
      const { format, firstSec, endMs, meanMbps, points, notes } = capacity;
      const facts = { format, firstSec, periodMs: endMs, meanMbps, points: points.length };
      return { text: scenarioText(capacity), facts, notes, size: `${points.length} rates` };
    }
    const { format, trace, meanMbps, firstSec, notes } = importTrace(content, name, how);
    const { opportunities, periodMs } = traceInfo(trace);
    const facts = { format, firstSec, periodMs, meanMbps, opportunities };
    return { text: formatMahimahiTrace(trace), facts, notes, size: `${opportunities} opportunities` };
  });
  const { text, facts, notes, size } = imported;
  if (options.out === undefined) printOut(text);
  else {
    if (options.force !== true) refuseExisting(options.out);
    claimFile(options.out);
    writeFilesWhole({ [options.out]: text });
  }
  if (options.json) {
    const row = { ...facts, notes, out: options.out ?? null };
    (options.out === undefined ? printErr : printOut)(`${JSON.stringify(row)}\n`);
  } else if (!options.quiet) {
    const found = options.format === "auto" ? "found to be" : "read as";
    const shift = facts.firstSec === 0 ? "" : `; its first time, ${facts.firstSec} s, became 0`;
    const written = options.out === undefined ? "" : `, written to ${options.out}`;
    printErr(
      `${name}: ${found} ${facts.format}${shift}\n${notes.map((note) => `${note}\n`).join("")}` +
        `${(facts.periodMs / 1000).toFixed(3)} s, ${facts.meanMbps.toFixed(3)} Mbit/s on average, ${size}${written}\n`,
    );
  }
}

/** Of a scenario that replays a recording, whose files say nothing of it; ours. */
const REPLAYED_QUEUE_PACKETS = 1_000;

/** Of a scenario that replays rates; the delay is no matter of the file. */
const IMPORTED_RTT_MS = 40;

/** The rates themselves: no packets are counted, so they may be of any size. JSON is YAML too. */
function scenarioText({ name, points, endMs }: Capacity): string {
  const periodSec = endMs / 1000;
  const rate = {
    kind: "steps",
    points: points.map(({ atMs, mbps }) => ({ atSec: atMs / 1000, mbps })),
    periodSec,
  };
  const described = { description: `capacity of ${name}; rttMs is not the file's: set your own` };
  return `${JSON.stringify({ ...described, forward: { rate }, rttMs: IMPORTED_RTT_MS }, null, 1)}\n`;
}

function refuseExisting(file: string): void {
  if (!existsSync(file)) return;
  throw new CcparkError(
    "already-exists",
    `[output] file exists, \`${file}\`: got a file that would be replaced, expected another --out, or --force`,
  );
}

export function addTrace(program: Command): void {
  const trace = program
    .command("trace")
    .description("check, describe, generate and import link traces (Mahimahi's format)");
  trace
    .command("lint")
    .description("what a reader of results should know about a trace")
    .argument("<file...>", "trace files or shipped names")
    .option("--declared-mbps <rate>", "the rate that the name or paper promises, Mbit/s", parsePositive)
    .option("--strict", "exit with 1 for an info too, not only for a warning")
    .option("--json", "one JSON line per trace")
    .action(lint);
  trace
    .command("info")
    .description("rate, period, gaps and digest of a trace")
    .argument("<file...>", "trace files or shipped names")
    .option("--json", "one JSON line per trace")
    .action(info);
  trace
    .command("generate")
    .description("a cellular-like or Wi-Fi-like trace from a seeded stochastic model")
    .requiredOption("--model <name>", "lte, umts, evdo-like, 5g-like or wifi-like")
    .requiredOption("--mbps <rate>", "mean rate, Mbit/s", parsePositive)
    .addOption(
      new Option("--duration <sec>", "period, whole seconds").argParser(parseWhole(1, 3600)).default(60),
    )
    .addOption(
      new Option("--seed <n>", "seed of the generator").argParser(parseWhole(0, MAX_SEED)).default(1),
    )
    .option("--out <file>", "write here instead of to stdout")
    .option("--quiet", "no messages")
    .action(generate);
  trace
    .command("import")
    .description("capacity over time from other tools, as a trace in Mahimahi's format")
    .argument("<file>", "rows of `seconds Mbit/s`, a JSON list, CSV or a Mahimahi trace; - is standard input")
    .addOption(
      new Option("--format <format>", "what the file is")
        .choices(["auto", "mahimahi", "rows", "json", "csv", ...REPLAYERS])
        .default("auto"),
    )
    .option(
      "--delay <file>",
      "of a recording of LeoReplayer or CellReplay: the file of its delays, which makes a scenario of both",
    )
    .addOption(
      new Option("--as <what>", "a trace, or a scenario file with the rates, which may be of any size")
        .choices(["trace", "scenario"])
        .default("trace"),
    )
    .addOption(
      new Option(
        "--rate-unit <unit>",
        "unit of the rates; default: as the column's name says, else mbps",
      ).choices([...RATE_UNITS.keys()]),
    )
    .addOption(
      new Option(
        "--time-unit <unit>",
        "unit of the times; default: as the column's name or their size says, else s",
      ).choices([...TIME_UNITS.keys()]),
    )
    .addOption(
      new Option("--date-order <order>", "of dates such as 02/01/2024, where both may be meant").choices(
        DATE_ORDERS,
      ),
    )
    .option("--time-column <name>", "CSV column (name or number from 1) or JSON key of the time")
    .option("--rate-column <name>", "the same of the rate")
    .option("--interval-ms <ms>", "lists without times: how long each rate holds", parsePositive)
    .option("--duration <sec>", "where the last rate ends; default: as long as the one before", parsePositive)
    .option("--out <file>", "write here instead of to stdout")
    .option("--force", "replace the file if it exists")
    .option("--json", "the summary as one JSON line")
    .option("--quiet", "no messages")
    .action(importFile);
}
