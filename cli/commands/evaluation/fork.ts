/** `ccpark fork`: the same run, forked at a time with another controller, and what each decision cost. */
import { isDeepStrictEqual } from "node:util";
import type { Command } from "commander";
import { Option } from "commander";
import type { FlowAlgorithm } from "../../../ccp-bridge/in-process-flow.ts";
import { refuseOther } from "../../bench/other-results.ts";
import { printErr, printOut } from "../../console.ts";
import { FORCE_HELP, MAX_SEED, parsePositive, parseWhole, refuseIdle } from "../../options.ts";

interface Options {
  readonly run: string;
  readonly at: number;
  readonly algorithm?: string;
  readonly regret?: true;
  readonly decisions: number;
  readonly hold?: number;
  readonly horizon?: number;
  readonly scenario?: string;
  readonly contender?: string;
  readonly seed?: number;
  readonly out?: string;
  readonly force?: true;
  readonly json?: true;
  readonly quiet?: true;
}

const DECISIONS = 10;
const MAX_DECISIONS = 1000;
/** A decision is judged over so many round trips, which is when its losses have shown; it holds for one. */
const HORIZON_ROUNDS = 8;

/** A registered algorithm, a module, or a policy. */
async function algorithmMaker(name: string): Promise<() => FlowAlgorithm> {
  const { makeAlgorithm, resolveAlgorithm } = await import("../../../algorithms/reference.ts");
  const { loadModules } = await import("../../../algorithms/module-files.ts");
  const { policyPath } = await import("../../contenders.ts");
  const path = policyPath(name);
  if (path !== undefined) {
    const { checkpointAlgorithm } = await import("../../policies.ts");
    const loaded = await checkpointAlgorithm(path);
    return () => loaded;
  }
  const resolved = resolveAlgorithm(name, await loadModules([name]));
  return () => makeAlgorithm(resolved);
}

/** @param own what says which fork it is, as the file has it */
function refuseOtherFork(folder: string, file: string, own: Readonly<Record<string, unknown>>): void {
  refuseOther({
    folder,
    file,
    isSame: (stored) => Object.entries(own).every(([key, value]) => isDeepStrictEqual(stored[key], value)),
    whose: () => "another run, time or controller",
  });
}

async function fork(options: Options, command: Command): Promise<void> {
  refuseIdle(command);
  const { join } = await import("node:path");
  const { CcparkError } = await import("../../../core/errors.ts");
  const { claimFolder, writeFilesWhole } = await import("../../../core/whole-files.ts");
  const { forkRun, regretOf } = await import("../../../eval/fork/fork.ts");
  const { forkText, regretText } = await import("../../../eval/fork/fork-text.ts");
  const { loadStoredRun } = await import("../../../eval/fork/stored-run.ts");
  const { prettyJson } = await import("../../../eval/result-files.ts");
  const { roundTripMs } = await import("../../../scenarios/scenario.ts");
  const { versions } = await import("../../bench/run-benchmark.ts");

  const { run, at: atSec, algorithm, out } = options;
  if (algorithm === undefined && options.regret === undefined) {
    throw new CcparkError(
      "invalid-argument",
      "[fork] got neither --algorithm nor --regret, expected one of them or both",
    );
  }
  const { record, scenario } = loadStoredRun(run, options);
  if (record.algorithm.startsWith("agent") || record.algorithm.startsWith("onnx:")) {
    const message = `[fork] the run is of ${record.algorithm}, a policy: expected one of an algorithm, which can hand over at any time`;
    throw new CcparkError("failed-precondition", message);
  }
  const original = await algorithmMaker(record.algorithm);
  const { seed } = record;
  const common = { scenario, seed, original, atSec };
  const ofRun = { run: { scenario: record.scenario, algorithm: record.algorithm, seed } };
  const head = { ...ofRun, versions: versions() };
  const roundSec = Math.max(roundTripMs(scenario) / 1000, 0.01);
  const horizonSec = options.horizon ?? HORIZON_ROUNDS * roundSec;
  const settings = {
    decisions: options.decisions,
    holdSec: options.hold ?? Math.min(roundSec, horizonSec),
    horizonSec,
  };
  if (out !== undefined) {
    claimFolder(out);
    if (options.force !== true) {
      if (algorithm !== undefined) refuseOtherFork(out, "fork.json", { ...ofRun, atSec, algorithm });
      // its decisions are looked at one by one: the count is that of the list
      const { decisions: _, ...spans } = settings;
      if (options.regret === true) refuseOtherFork(out, "regret.json", { ...ofRun, atSec, ...spans });
    }
  }
  const files: Record<string, object> = {};
  const texts: string[] = [];
  if (algorithm !== undefined) {
    const result = forkRun({ ...common, other: await algorithmMaker(algorithm) });
    const again = result.original.result.metrics;
    if (again.sentPackets !== record.sentPackets || again.goodputMbps !== record.goodputMbps) {
      const message = `[fork] ${record.scenario}, ${record.algorithm}, seed ${seed}: got another run than the stored one, expected results of this version and options`;
      throw new CcparkError("failed-precondition", message);
    }
    files["fork.json"] = { ...head, atSec, algorithm, ...result };
    texts.push(forkText(result, [record.algorithm, algorithm]));
  }
  if (options.regret === true) {
    const decisions = regretOf({ ...common, ...settings });
    files["regret.json"] = { ...head, atSec, ...settings, decisions };
    texts.push(regretText(decisions, settings.horizonSec));
  }
  if (options.json === true) for (const value of Object.values(files)) printOut(`${JSON.stringify(value)}\n`);
  else printOut(texts.join("\n"));
  if (out === undefined) return;
  writeFilesWhole(
    Object.fromEntries(Object.entries(files).map(([name, value]) => [join(out, name), prettyJson(value)])),
  );
  if (options.quiet !== true)
    printErr(
      `written: ${Object.keys(files)
        .map((name) => join(out, name))
        .join(", ")}\n`,
    );
}

export function addFork(program: Command): void {
  program
    .command("fork")
    .description(
      "run a saved run again, forked at a time with another controller, and say what each decision cost",
    )
    .requiredOption("--run <path>", "a folder of `ccpark bench --out`, or its results.jsonl")
    .requiredOption("--at <sec>", "when to fork, seconds from the flow's start", parsePositive)
    .option("--algorithm <name>", "who decides from then on: an algorithm, ./FILE.js or agent:FILE")
    .option("--regret", "what other windows would have given, decision by decision from then on")
    .addOption(
      new Option("--decisions <n>", "that --regret looks at, evenly over the rest of the run")
        .argParser(parseWhole(1, MAX_DECISIONS))
        .default(DECISIONS),
    )
    .option("--hold <sec>", "how long another decision holds (default: one round trip)", parsePositive)
    .option("--horizon <sec>", "how long it is judged (default: 8 round trips)", parsePositive)
    .option("--scenario <name>", "chooses among the scenarios of a run")
    .option("--contender <name>", "chooses among the contenders of a run")
    .addOption(
      new Option("--seed <n>", "chooses among the seeds of a run").argParser(parseWhole(0, MAX_SEED)),
    )
    .option("--out <dir>", "write fork.json and regret.json there")
    .option("--force", FORCE_HELP)
    .option("--json", "JSON Lines on stdout")
    .option("--quiet", "no messages")
    .action(fork);
}
