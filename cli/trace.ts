/** `ccpark trace`: checks, describes and generates link traces in Mahimahi's format. */
import { type Command, Option } from "commander";
import { printErr, printOut } from "./console.ts";
import { EXIT } from "./exit-codes.ts";
import { MAX_SEED, parsePositive, parseWhole } from "./options.ts";

interface JsonOption {
  readonly json?: true;
}

async function lint(
  files: readonly string[],
  options: JsonOption & { readonly declaredMbps?: number; readonly strict?: true },
): Promise<void> {
  const { loadTrace } = await import("../traces/trace-files.ts");
  const { lintTrace } = await import("../traces/mahimahi.ts");
  const traces = files.map((file) => loadTrace(file));
  let warnings = 0;
  for (const trace of traces) {
    const findings = lintTrace(trace, options.declaredMbps);
    warnings += findings.filter((finding) => finding.severity === "warning").length;
    if (options.json) printOut(`${JSON.stringify({ trace: trace.name, findings })}\n`);
    else if (findings.length === 0) printOut(`${trace.name}: ok\n`);
    else
      for (const { severity, code, message } of findings)
        printOut(`${trace.name}: ${severity} ${code}: ${message}\n`);
  }
  if (options.strict && warnings > 0) process.exitCode = EXIT.failure;
}

async function info(files: readonly string[], options: JsonOption): Promise<void> {
  const { loadTrace } = await import("../traces/trace-files.ts");
  const { traceInfo } = await import("../traces/mahimahi.ts");
  const { traceSha256 } = await import("../eval/links.ts");
  const rows = files.map((file) => {
    const trace = loadTrace(file);
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
  const { generateTrace, TRACE_MODELS } = await import("../traces/generate.ts");
  const { formatMahimahiTrace } = await import("../traces/mahimahi.ts");
  const { unknownName } = await import("../core/errors.ts");
  const { claimFile, writeFilesWhole } = await import("../eval/result-files.ts");
  const model = (Object.keys(TRACE_MODELS) as (keyof typeof TRACE_MODELS)[]).find(
    (name) => name === options.model,
  );
  if (model === undefined) throw unknownName("trace", "model", options.model, Object.keys(TRACE_MODELS));
  if (options.out !== undefined) claimFile(options.out);
  const trace = generateTrace({
    model,
    meanMbps: options.mbps,
    durationSec: options.duration,
    seed: options.seed,
  });
  const text = formatMahimahiTrace(trace);
  if (options.out === undefined) {
    printOut(text);
    return;
  }
  writeFilesWhole({ [options.out]: text });
  if (!options.quiet) printErr(`wrote ${trace.opportunitiesMs.length} opportunities to ${options.out}\n`);
}

export function addTrace(program: Command): void {
  const trace = program
    .command("trace")
    .description("check, describe and generate link traces (Mahimahi's format)");
  trace
    .command("lint")
    .description("what a reader of results should know about a trace")
    .argument("<file...>", "trace files or shipped names")
    .option("--declared-mbps <rate>", "the rate that the name or paper promises, Mbit/s", parsePositive)
    .option("--strict", "exit with 1 if there is a warning")
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
    .requiredOption("--model <name>", "lte, umts, 5g-like or wifi-like")
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
}
