/** `ccpark compare`: the same algorithms and links in several worlds, and what the worlds differ by. */
import { type Command, Option } from "commander";
import { MAX_SEEDS, seedsUpTo } from "../../eval/seeds.ts";
import { printErr, printOut } from "../console.ts";
import {
  ALL_ALGORITHMS,
  collect,
  parseAlgorithms,
  parseList,
  parsePositive,
  parseWhole,
  quoteForShell,
  SET_HELP,
} from "../options.ts";

interface CompareOptions {
  readonly scenario: readonly string[];
  readonly set?: readonly string[];
  readonly trace?: string;
  readonly algorithms: readonly string[];
  readonly checkpoint?: string;
  readonly on: readonly string[];
  readonly seeds: number;
  readonly duration?: number;
  readonly vary?: boolean;
  readonly out?: string;
  readonly json?: true;
  readonly quiet?: true;
}

const DEFAULT_SCENARIO = "park-paper";
const DEFAULT_WORLDS = ["simulated", "udp"];
const DEFAULT_SEEDS = 3;
/** A bin is an RTT, but on very short paths more: a page could not show them all. */
const MIN_BIN_SEC = 0.01;

function commandOf(options: CompareOptions, baseName: (path: string) => string): string {
  const words = [`ccpark compare --scenario ${options.scenario.map((name) => baseName(name)).join(",")}`];
  for (const text of options.set ?? []) words.push(`--set ${quoteForShell(text)}`);
  if (options.trace !== undefined) words.push(`--trace ${baseName(options.trace)}`);
  words.push(`--algorithms ${options.algorithms.join(",")}`);
  if (options.checkpoint !== undefined) words.push(`--checkpoint ${baseName(options.checkpoint)}`);
  words.push(`--on ${options.on.join(",")}`, `--seeds ${options.seeds}`);
  if (options.duration !== undefined) words.push(`--duration ${options.duration}`);
  if (options.vary) words.push("--vary");
  return words.join(" ");
}

async function compare(options: CompareOptions): Promise<void> {
  const { basename, join } = await import("node:path");
  const { CcparkError } = await import("../../core/errors.ts");
  const { claimFolder } = await import("../../core/whole-files.ts");
  const { DEFAULT_REWARD } = await import("../../envs/signals/rewards.ts");
  const { compareWorlds, DEFAULT_BOUNDS } = await import("../../eval/comparison/comparison.ts");
  const { comparisonTable } = await import("../../eval/comparison/comparison-table.ts");
  const { writeComparison } = await import("../../eval/comparison/comparison-files.ts");
  const { jsonLines } = await import("../../eval/result-files.ts");
  const { realTimeNotes } = await import("../../eval/report/real-time-notes.ts");
  const { roundTripMs } = await import("../../scenarios/scenario.ts");
  const { findTestbed } = await import("../../testbeds/registry.ts");
  const { expectAccepts } = await import("../../testbeds/testbed.ts");
  const { noteSlowAcks } = await import("../ack-path-note.ts");
  const { contenderNotes } = await import("../../eval/contenders/contender.ts");
  const { planBench } = await import("../bench/bench-plan.ts");
  const { runComparison } = await import("../bench/run-comparison.ts");
  const { versions } = await import("../bench/run-benchmark.ts");

  const worlds = options.on.map(findTestbed);
  const [reference] = options.on;
  if (reference === undefined || new Set(options.on).size !== options.on.length || options.on.length < 2) {
    const message = `[compare] --on: got \`${options.on.join(",")}\`, expected two worlds or more, such as simulated,udp`;
    throw new CcparkError("invalid-argument", message, { field: "on" });
  }
  const seeds = seedsUpTo(options.seeds);
  const { plan, entries, checkpoints } = await planBench({
    names: options.scenario,
    tracePath: options.trace,
    durationSec: options.duration,
    vary: options.vary === true,
    overrides: options.set ?? [],
    algorithms: options.algorithms,
    checkpoint: options.checkpoint,
    seeds,
    rewardName: DEFAULT_REWARD,
    on: reference,
    recording: [],
    quiet: options.quiet === true,
  });
  if (options.quiet !== true) {
    const given = { names: options.scenario, overrides: options.set, trace: options.trace };
    await noteSlowAcks(entries, given, seeds[0]!);
  }
  // the plan has asked the first; all are asked before the first packet moves
  for (const world of worlds.slice(1)) for (const entry of entries) expectAccepts(world, entry.of(0));
  if (options.out !== undefined) claimFolder(options.out);
  const runs = await runComparison(
    plan,
    worlds,
    (scenario) => Math.max(MIN_BIN_SEC, roundTripMs(entries[scenario]!.of(0)) / 1000),
    { quiet: options.quiet === true },
  );
  const rows = compareWorlds(runs, reference);
  if (options.json === true) printOut(jsonLines(rows));
  else {
    printOut(comparisonTable(rows, reference, DEFAULT_BOUNDS));
    printOut(realTimeNotes(runs.map(({ record }) => record)) + contenderNotes(plan.contenders));
  }
  if (options.out === undefined) return;
  writeComparison(options.out, {
    command: commandOf(options, basename),
    versions: versions(),
    checkpoints: checkpoints.map(({ stored }) => stored),
    reference,
    bounds: DEFAULT_BOUNDS,
    seeds,
    entries,
    runs,
    rows,
  });
  if (!options.quiet) printErr(`report: ${join(options.out, "report.html")}\n`);
}

export function addCompare(program: Command): void {
  program
    .command("compare")
    .description("run the same algorithms and links in several worlds and say what the worlds differ by")
    .addOption(
      new Option("--scenario <names>", "presets, grids or files, separated by commas")
        .argParser(parseList)
        .default([DEFAULT_SCENARIO], DEFAULT_SCENARIO),
    )
    .option("--set <path=value>", SET_HELP, collect)
    .option("--trace <file>", "a trace file or shipped name, for scenarios that take one (ccp-cell)")
    .addOption(
      new Option("--algorithms <names>", "contenders, as of `ccpark bench`")
        .argParser(parseAlgorithms)
        .default(ALL_ALGORITHMS, "all"),
    )
    .option("--checkpoint <file>", "adds the trained agent of this checkpoint as `agent`")
    .addOption(
      new Option(
        "--on <testbeds>",
        "worlds, separated by commas: the others are measured against the first (see `ccpark explain testbeds`)",
      )
        .argParser(parseList)
        .default(DEFAULT_WORLDS, DEFAULT_WORLDS.join(",")),
    )
    .addOption(
      new Option("--seeds <n>", "run seeds 1 to n")
        .argParser(parseWhole(1, MAX_SEEDS))
        .default(DEFAULT_SEEDS),
    )
    .option("--duration <sec>", "seconds per run instead of the scenario's own", parsePositive)
    .option("--vary", "draw what differs from run to run of a real link")
    .option("--out <dir>", "write comparison.json and report.html, which overlays the worlds, there")
    .option("--json", "JSON Lines on stdout: one per scenario, algorithm and world")
    .option("--quiet", "no progress and no messages")
    .action(compare);
}
