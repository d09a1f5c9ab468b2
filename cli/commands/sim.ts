/** `ccpark sim`: one run of a scenario under an agent of another process. */
import { type Command, Option } from "commander";
import type { Pace } from "../../envs/foreign-agent/pace.ts";
import { outTakesColour, outWidth, printErr, printOut } from "../console.ts";
import { oneScenario } from "../one-scenario.ts";
import {
  collect,
  MAX_SEED,
  modeOption,
  parsePositive,
  parseWhole,
  quietMsOption,
  quoteForShell,
  SET_HELP,
  socketDirOption,
  WIDE_HELP,
} from "../options.ts";

interface SimOptions {
  readonly scenario: string;
  readonly set?: readonly string[];
  readonly agent: string;
  readonly algorithm?: string;
  readonly mode: Pace;
  readonly seed: number;
  readonly duration?: number;
  readonly trace?: string;
  readonly quietMs?: number;
  readonly socketDir?: string;
  readonly reward?: string;
  readonly out?: string;
  readonly json?: true;
  readonly wide?: true;
  readonly quiet?: true;
}

async function sim(options: SimOptions): Promise<void> {
  const { basename, join } = await import("node:path");
  const { DEFAULT_REWARD, getReward } = await import("../../envs/signals/rewards.ts");
  const { loadSignals } = await import("../../envs/signals/signal-files.ts");
  const { externalContender, printAgentEvent, printAgentWarning } = await import("../contenders.ts");
  const { runPlan, versions } = await import("../bench/run-benchmark.ts");
  const { storedScenario } = await import("../../eval/links.ts");
  const { claimFolder } = await import("../../core/whole-files.ts");
  const { jsonLines, writeResults } = await import("../../eval/result-files.ts");
  const { makeReportData } = await import("../../eval/report/report-data.ts");

  const rewardName = options.reward ?? DEFAULT_REWARD;
  await loadSignals({ rewards: [rewardName] });
  getReward(rewardName);
  const scenario = await oneScenario(options);
  const quiet = options.quiet === true;
  const contender = externalContender({
    agent: options.agent,
    algorithmName: options.algorithm,
    pace: options.mode,
    quietMs: options.quietMs,
    socketDir: options.socketDir,
    onWarning: printAgentWarning,
    ...(quiet ? {} : { onEvent: printAgentEvent }),
  });
  if (options.out !== undefined) claimFolder(options.out);
  const seeds = [options.seed];
  const runs = await runPlan(
    { scenarios: [scenario], contenders: [contender], seeds, rewardName },
    { quiet },
  );
  const { counters, events } = contender.last!;
  const sets = (options.set ?? []).map((text) => ` --set ${quoteForShell(text)}`).join("");
  const words = ["ccpark sim", `--scenario ${options.scenario}${sets}`, `--agent ${basename(options.agent)}`];
  if (options.algorithm !== undefined) words.push(`--algorithm ${options.algorithm}`);
  words.push(`--mode ${options.mode}`, `--seed ${options.seed}`);
  if (options.quietMs !== undefined) words.push(`--quiet-ms ${options.quietMs}`);
  if (options.duration !== undefined) words.push(`--duration ${options.duration}`);
  if (options.trace !== undefined) words.push(`--trace ${basename(options.trace)}`);
  const data = makeReportData({
    title: `ccpark sim: ${scenario.name} under an agent of another process`,
    provenance: {
      command: words.join(" "),
      options: {
        scenario: options.scenario,
        set: options.set ?? [],
        mode: options.mode,
        algorithm: options.algorithm ?? null,
        seed: options.seed,
        reward: rewardName,
        counters,
      },
      versions: versions(),
    },
    scenarios: [storedScenario(scenario)],
    contenders: [{ name: contender.name, description: contender.description }],
    seeds,
    rewardName,
    runs,
    learning: [],
  });
  if (options.json === true) {
    printOut(jsonLines([{ ...runs[0]!.record, mode: options.mode, counters, events }]));
  } else {
    const { terminalTable } = await import("../../eval/report/terminal-table.ts");
    printOut(
      terminalTable(data.summary, seeds, rewardName, {
        colour: outTakesColour(),
        width: outWidth(options.wide === true),
      }),
    );
    const counted = Object.entries(counters).map(([name, count]) => `${name} ${count}`);
    printOut(`${counted.join(", ")}\n`);
  }
  if (options.out !== undefined) {
    writeResults(options.out, data);
    if (!quiet) printErr(`report: ${join(options.out, "report.html")}\n`);
  }
}

export function addSim(program: Command): void {
  program
    .command("sim")
    .description("run a scenario under an agent of another process: Portus, or `ccpark agent`")
    .addOption(
      new Option("--scenario <name>", "preset or file (see `ccpark explain scenarios`)").default(
        "park-paper",
      ),
    )
    .option("--set <path=value>", SET_HELP, collect)
    .requiredOption("--agent <socket>", "the agent's socket: a path, or a name below --socket-dir (portus)")
    .option("--algorithm <name>", "algorithm to ask the agent for; default: the agent's own")
    .addOption(modeOption())
    .addOption(quietMsOption())
    .addOption(socketDirOption())
    .addOption(new Option("--seed <n>", "seed of the run").argParser(parseWhole(0, MAX_SEED)).default(1))
    .option("--duration <sec>", "seconds instead of the scenario's own", parsePositive)
    .option("--trace <file>", "a trace file or shipped name, for scenarios that take one (ccp-cell)")
    .option(
      "--reward <name>",
      "reward to report (see `ccpark explain rewards`), or a module of your own, ./FILE.js",
    )
    .option("--out <dir>", "write results.jsonl, summary.json, series.json and report.html there")
    .option("--json", "one JSON line: as of `bench --json`, with counters and events")
    .option("--wide", WIDE_HELP)
    .option("--quiet", "no progress and no messages")
    .action(sim);
}
