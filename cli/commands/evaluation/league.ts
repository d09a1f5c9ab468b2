/** `ccpark league`: contenders on the links of a split, as a league table. */
import { type Command, Option } from "commander";
import type { BenchmarkRecord } from "../../../eval/benchmark.ts";
import type { LeagueRow } from "../../../eval/league/table.ts";
import { MAX_SEEDS, seedsUpTo } from "../../../eval/seeds.ts";
import { printErr, printOut } from "../../console.ts";
import { parseAlgorithms, parsePositive, parseWhole } from "../../options.ts";

interface LeagueOptions {
  readonly algorithms: readonly string[];
  readonly split: string;
  readonly seeds: number;
  readonly duration?: number;
  readonly company: boolean;
  readonly json?: true;
  readonly quiet?: true;
}

const DEFAULT_ALGORITHMS: readonly string[] = [
  "cubic",
  "vegas",
  "bbr",
  "bbr3",
  "copa",
  "zoo:general",
  "zoo:quickstart",
];
const DEFAULT_SEEDS = 3;

async function league(options: LeagueOptions): Promise<void> {
  const { join } = await import("node:path");
  const { findSplit } = await import("../../../eval/league/splits.ts");
  const { resolveSplit } = await import("../../../eval/league/split-files.ts");
  const { BASELINES, leagueRows, leagueTable } = await import("../../../eval/league/table.ts");
  const { contenderNotes } = await import("../../../eval/contenders/contender.ts");
  const { inCompany } = await import("../../../eval/league/company.ts");
  const { DEFAULT_REWARD } = await import("../../../envs/signals/rewards.ts");
  const { jsonLines } = await import("../../../eval/result-files.ts");
  const { namedContenders } = await import("../../contenders.ts");
  const { runPlan } = await import("../../bench/run-benchmark.ts");

  const split = findSplit(options.split);
  const quiet = options.quiet === true;
  const folder = join(process.env["CCPARK_TEST_DATA"] ?? "../shared", "traces");
  const { links, skipped } = resolveSplit(split, folder);
  const listed = new Set(options.algorithms);
  const { contenders } = await namedContenders([...listed, ...BASELINES], { quiet });
  // baselines that nobody listed are measured, and come behind
  const shown = new Set(contenders.slice(0, listed.size).map(({ name }) => name));
  if (!quiet) for (const reason of skipped) printErr(`left out: ${reason}\n`);
  const { duration } = options;
  const scenarios = links.map((link) => (duration === undefined ? link : { ...link, durationSec: duration }));
  const seeds = seedsUpTo(options.seeds);
  const plan = { scenarios, contenders, seeds, rewardName: DEFAULT_REWARD };
  const records: BenchmarkRecord[] = [];
  await runPlan(plan, { quiet, onRun: ({ record }) => records.push(record) });
  const rows: LeagueRow[] = [];
  for (const row of leagueRows(records).filter(({ algorithm }) => shown.has(algorithm))) {
    const contender = contenders.find(({ name }) => name === row.algorithm)!;
    rows.push(options.company ? { ...row, ...(await inCompany(contender, 1)) } : row);
  }
  if (options.json) printOut(jsonLines(rows.map((row) => ({ split: split.name, ...row }))));
  else
    printOut(
      `${leagueTable(rows)}best, wins and near: against the best of ${BASELINES.join(", ")} on each link; idle: less used than 80 % where Cubic or BBR use as much; lossy: more than 2 % lost, and more than BBR loses\n${contenderNotes(contenders)}`,
    );
}

export function addLeague(program: Command): void {
  program
    .command("league")
    .description("contenders on the links of a split: who is good everywhere, and who only at home")
    .addOption(
      new Option("--algorithms <names>", "contenders, separated by commas (see `ccpark explain algorithms`)")
        .argParser(parseAlgorithms)
        .default(DEFAULT_ALGORITHMS, DEFAULT_ALGORITHMS.join(",")),
    )
    .option("--split <name>", "validation, or test, which no training may see", "validation")
    .addOption(
      new Option("--seeds <n>", "run seeds 1 to n")
        .argParser(parseWhole(1, MAX_SEEDS))
        .default(DEFAULT_SEEDS),
    )
    .option("--duration <sec>", "seconds per run instead of the links' own", parsePositive)
    .option("--no-company", "without the runs beside itself and beside Cubic")
    .option("--json", "one JSON line per contender on stdout")
    .option("--quiet", "no progress and no messages")
    .action(league);
}
