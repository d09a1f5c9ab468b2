/** `ccpark attack`: searches links on which one congestion control does much worse than another. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { AttackOptions, AttackResult } from "../../../eval/attack/attack.ts";
import { exitOnInterrupt, printErr, printOut, stopOnInterrupt } from "../../console.ts";
import { EXIT } from "../../exit/exit-codes.ts";
import {
  FORCE_HELP,
  MAX_SEED,
  parseAlgorithms,
  parsePositive,
  parseWhole,
  quoteForShell,
  refuseIdle,
} from "../../options.ts";

interface Options {
  readonly target?: string;
  readonly reference?: string;
  readonly matrix?: readonly string[];
  readonly method: string;
  readonly seed: number;
  readonly environments: number;
  readonly budget?: number;
  readonly duration: number;
  readonly weight: number;
  readonly workers?: number;
  readonly out?: string;
  readonly force?: true;
  readonly json?: true;
  readonly quiet?: true;
}

interface Pair {
  readonly target: string;
  readonly reference: string;
}

const METHOD = "genetic";
const ENVIRONMENTS = 2000;
const MAX_ENVIRONMENTS = 1e6;
const DURATION_SEC = 6;
const MAX_WORKERS = 256;

function parseShare(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0 && value <= 1))
    throw new InvalidArgumentError("expected a number from 0 to 1.");
  return value;
}

/** The command line that gives the result of one pair. */
function commandOf({ target, reference }: Pair, options: Options): string {
  const { method, seed, environments, duration, weight } = options;
  const words = [
    "ccpark attack",
    `--target ${quoteForShell(target)}`,
    `--reference ${quoteForShell(reference)}`,
  ];
  words.push(`--method ${method}`, `--seed ${seed}`, `--environments ${environments}`);
  words.push(`--duration ${duration}`, `--weight ${weight}`);
  return words.join(" ");
}

/** With a budget of time nobody knows before how many environments there will be. */
async function refuseOtherAttacks(folder: string, pairs: readonly Pair[], options: Options): Promise<void> {
  const { attackName } = await import("../../../eval/attack/attack.ts");
  const { refuseOther } = await import("../../bench/other-results.ts");
  const shown = (command: unknown): string =>
    options.budget === undefined ? String(command) : String(command).replace(/ --environments \d+/, "");
  for (const pair of pairs) {
    const file = `${attackName({ ...pair, seed: options.seed })}.json`;
    const command = commandOf(pair, options);
    refuseOther({ folder, file, isSame: (stored) => shown(stored["command"]) === shown(command) });
  }
}

async function pairsOf({ target, reference, matrix }: Options): Promise<Pair[]> {
  const { CcparkError } = await import("../../../core/errors.ts");
  if (matrix !== undefined) {
    if (target !== undefined || reference !== undefined || matrix.length < 2) {
      const got = matrix.length < 2 ? `\`${matrix.join(",")}\`` : "--target or --reference beside it";
      const message = `[attack] --matrix: got ${got}, expected two names or more, alone`;
      throw new CcparkError("invalid-argument", message);
    }
    return matrix.flatMap((one) =>
      matrix.filter((other) => other !== one).map((other) => ({ target: one, reference: other })),
    );
  }
  if (target === undefined || reference === undefined || target === reference) {
    const got = target === reference && target !== undefined ? `\`${target}\` twice` : "one of them, or none";
    const message = `[attack] --target and --reference: got ${got}, expected two names, or --matrix with all of them`;
    throw new CcparkError("invalid-argument", message);
  }
  return [{ target, reference }];
}

async function attackAll(options: Options, given: Command): Promise<void> {
  const { availableParallelism } = await import("node:os");
  const { join } = await import("node:path");
  const { CcparkError } = await import("../../../core/errors.ts");
  const { claimFolder, writeFilesWhole } = await import("../../../core/whole-files.ts");
  const { attack } = await import("../../../eval/attack/attack.ts");
  const { attackFiles } = await import("../../../eval/attack/attack-files.ts");
  const { attackText, matrixText } = await import("../../../eval/attack/attack-text.ts");
  const { findSearchMethod } = await import("../../../eval/attack/searcher.ts");
  const { jsonLines } = await import("../../../eval/result-files.ts");
  const { openEvaluatePool } = await import("../../attack/evaluate-pool.ts");
  const { versions } = await import("../../bench/run-benchmark.ts");
  const { namedContenders } = await import("../../contenders.ts");
  const { startTask } = await import("../../train/progress.ts");

  const [name] = given.args;
  if (name !== undefined) {
    const message = `[attack] \`${name}\`: expected it after --target, with --reference beside it, or after --matrix`;
    throw new CcparkError("invalid-argument", message);
  }
  refuseIdle(given);
  findSearchMethod(options.method);
  const pairs = await pairsOf(options);
  const { contenders } = await namedContenders(
    pairs.flatMap(({ target, reference }) => [target, reference]),
    { quiet: true },
  );
  const outside = contenders.find(
    ({ reproducible, prepare }) => reproducible === false || prepare !== undefined,
  );
  if (outside !== undefined) {
    const message = `[attack] \`${outside.name}\`: expected a contender that acts in each run by itself, in this process`;
    throw new CcparkError("invalid-argument", message);
  }
  if (options.out !== undefined) {
    claimFolder(options.out);
    if (options.force !== true) await refuseOtherAttacks(options.out, pairs, options);
  }
  const quiet = options.quiet === true;
  const total = pairs.length * options.environments;
  const task = await startTask({ label: "attack", total, unit: "environments", quiet });
  const workers = options.workers ?? availableParallelism();
  const pool = await openEvaluatePool(workers, options.weight);
  const results: AttackResult[] = [];
  const files: Record<string, string> = {};
  let isStopped = false;
  stopOnInterrupt(() => {
    isStopped = true;
    printErr("\nstopping with what is found so far; Ctrl-C again ends at once\n");
  });
  try {
    for (const [i, pair] of pairs.entries()) {
      if (isStopped) break;
      const untilMs = performance.now() + (options.budget ?? Number.POSITIVE_INFINITY) * 1000;
      const wanted: AttackOptions = {
        ...pair,
        method: options.method,
        seed: options.seed,
        environments: options.environments,
        durationSec: options.duration,
      };
      const result = await attack(wanted, pool.of(pair.target, pair.reference), {
        onProgress: (tried, gap) =>
          task.update(
            i * options.environments + tried,
            `${pair.target} against ${pair.reference}: gap ${gap.toFixed(3)}`,
          ),
        isOver: () => isStopped || performance.now() >= untilMs,
        atOnce: workers,
      });
      results.push(result);
      const command = commandOf(pair, { ...options, environments: result.tried });
      const how = { command, versions: versions(), weight: options.weight };
      for (const [name, text] of Object.entries(attackFiles(result, how)))
        files[join(options.out ?? "", name)] = text;
      if (options.json === true) printOut(jsonLines([{ command, ...result }]));
      else if (options.matrix === undefined) printOut(attackText(result, options.weight));
    }
  } finally {
    await pool.close();
    exitOnInterrupt();
  }
  if (isStopped) process.exitCode = EXIT.interrupted;
  task.finish();
  if (options.matrix !== undefined && options.json !== true) printOut(matrixText(options.matrix, results));
  if (options.out === undefined) return;
  writeFilesWhole(files);
  if (!quiet)
    for (const name of Object.keys(files))
      if (!/\.(found\.yaml|json)$/.test(name)) printErr(`scenario: ${name}\n`);
}

export function addAttack(program: Command): void {
  program
    .command("attack")
    .description(
      "search links, buffers and cross traffic on which one contender does much worse than another",
    )
    .allowExcessArguments()
    .option("--target <name>", "the contender that is attacked (as of `ccpark bench --algorithms`)")
    .option("--reference <name>", "the contender that shows what was possible")
    .addOption(
      new Option(
        "--matrix <names>",
        "instead: each of these against each other, separated by commas",
      ).argParser(parseAlgorithms),
    )
    .option("--method <name>", "genetic, random or bayesian", METHOD)
    .addOption(
      new Option("--seed <n>", "of the search: the same seed finds the same link")
        .argParser(parseWhole(0, MAX_SEED))
        .default(1),
    )
    .addOption(
      new Option("--environments <n>", "how many to try for each pair")
        .argParser(parseWhole(1, MAX_ENVIRONMENTS))
        .default(ENVIRONMENTS),
    )
    .option(
      "--budget <sec>",
      "seconds for each pair, if the environments are not tried before",
      parsePositive,
    )
    .option("--duration <sec>", "seconds of each run", parsePositive, DURATION_SEC)
    .option(
      "--weight <share>",
      "of throughput in the utility, 0 to 1; the rest is that of delay (docs/evaluation.md)",
      parseShare,
      0.9,
    )
    .addOption(
      new Option("--workers <n>", "threads; the result is the same (default: one per core)").argParser(
        parseWhole(1, MAX_WORKERS),
      ),
    )
    .option("--out <dir>", "write the scenario that was found there, short and as it was found, and how")
    .option("--force", FORCE_HELP)
    .option("--json", "JSON Lines on stdout: one per pair")
    .option("--quiet", "no progress and no messages")
    .action(attackAll);
}
