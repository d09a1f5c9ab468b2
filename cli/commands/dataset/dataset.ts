/** `ccpark dataset`: records runs of any contender as an environment would have shown them, to learn from. */
import { type Command, Option } from "commander";
import { interruptible, printErr, printOut } from "../../console.ts";
import {
  collect,
  MAX_SEED,
  parseAlgorithms,
  parseList,
  parsePositive,
  parseWhole,
  quoteForShell,
  SET_HELP,
} from "../../options.ts";

interface DatasetOptions {
  readonly algorithms: readonly string[];
  readonly scenario: readonly string[];
  readonly set?: readonly string[];
  readonly trace?: string;
  readonly duration?: number;
  readonly episodes: number;
  readonly seed: number;
  readonly observation?: string;
  readonly action?: string;
  readonly reward?: string;
  readonly stepMs?: number | "rtt";
  readonly out: string;
  readonly json?: true;
  readonly quiet?: true;
}

const DEFAULT_EPISODES = 20;

function parseStep(text: string): number | "rtt" {
  return text === "rtt" ? "rtt" : parsePositive(text);
}

/** The command line that gives these files, with files by their base names. */
function commandOf(options: DatasetOptions, baseName: (path: string) => string): string {
  const words = ["ccpark dataset", `--algorithms ${options.algorithms.join(",")}`];
  words.push(`--scenario ${options.scenario.join(",")}`);
  for (const text of options.set ?? []) words.push(`--set ${quoteForShell(text)}`);
  if (options.trace !== undefined) words.push(`--trace ${baseName(options.trace)}`);
  if (options.duration !== undefined) words.push(`--duration ${options.duration}`);
  words.push(`--episodes ${options.episodes}`, `--seed ${options.seed}`);
  for (const name of ["observation", "action", "reward"] as const) {
    if (options[name] !== undefined) words.push(`--${name} ${quoteForShell(options[name])}`);
  }
  if (options.stepMs !== undefined) words.push(`--step-ms ${options.stepMs}`);
  return words.join(" ");
}

async function dataset(options: DatasetOptions): Promise<void> {
  const { basename } = await import("node:path");
  const { checkCrossTraffic, crossTrafficAlgorithm, crossTrafficModules } = await import(
    "../../../algorithms/cross-traffic.ts"
  );
  const { claimFolder } = await import("../../../core/whole-files.ts");
  const { DEFAULT_ENV_OPTIONS, parseEnvOptions } = await import("../../../envs/options.ts");
  const { loadSignals, signalsOf } = await import("../../../envs/signals/signal-files.ts");
  const { linkLabel } = await import("../../../eval/links.ts");
  const { NO_SERIES } = await import("../../../testbeds/testbed.ts");
  const { saveDataset } = await import("../../../training/datasets/dataset-files.ts");
  const { namedContenders } = await import("../../contenders.ts");
  const { spacesOf } = await import("../../../training/described-env.ts");
  const { episodeSource } = await import("./episode-source.ts");
  const { startTask } = await import("../../train/progress.ts");

  const given = Object.fromEntries(
    (["observation", "action", "reward", "stepMs"] as const)
      .filter((name) => options[name] !== undefined)
      .map((name) => [name, options[name]]),
  );
  const env = parseEnvOptions({ ...DEFAULT_ENV_OPTIONS, ...given });
  await loadSignals(signalsOf(env));
  const spaces = spacesOf(env);
  const sources = interruptible(() => episodeSource(options));
  const { contenders } = await namedContenders(options.algorithms, { quiet: options.quiet === true });
  const samples = sources.map((of) => of(options.seed));
  await loadSignals({ algorithms: samples.flatMap(crossTrafficModules) });
  for (const sample of samples) checkCrossTraffic(sample);
  claimFolder(options.out);

  const seeds = Array.from({ length: options.episodes }, (_, i) => options.seed + i);
  const total = seeds.length * contenders.length * sources.length;
  const task = await startTask({ label: "dataset", total, unit: "episodes", quiet: options.quiet === true });
  const common = {
    rewardName: env.reward,
    seriesBinSec: NO_SERIES,
    algorithms: crossTrafficAlgorithm,
    recordSteps: env,
  };
  const episodes = [];
  for (const of of sources) {
    for (const seed of seeds) {
      const scenario = of(seed);
      for (const contender of contenders) {
        const prepared = contender.prepare?.(scenario, { seeds: [seed], ...common });
        const { steps, metrics } = await (prepared ?? contender).run({ scenario, seed, ...common });
        const { score, utilisation, meanQueueDelayMs, lossRate } = metrics;
        episodes.push({
          facts: {
            algorithm: contender.name,
            scenario: scenario.name,
            link: linkLabel(scenario),
            seed,
            ...{ score, utilisation, meanQueueDelayMs, lossRate },
          },
          steps: steps!,
        });
        task.update(episodes.length, `${contender.name}, score ${score.toFixed(2)}`);
      }
    }
  }
  const header = saveDataset(options.out, { command: commandOf(options, basename), env, spaces }, episodes);
  const steps = header.episodes.reduce((sum, episode) => sum + episode.steps, 0);
  task.finish(`${steps.toLocaleString("en")} steps`);
  if (options.json) for (const episode of header.episodes) printOut(`${JSON.stringify(episode)}\n`);
  if (!options.quiet)
    printErr(`dataset: ${options.out}, ${header.episodes.length} episodes, ${steps} steps\n`);
}

export function addDataset(program: Command): void {
  program
    .command("dataset")
    .description(
      "record runs of any contender, step by step as the environment would show them, to learn from",
    )
    .addOption(
      new Option("--algorithms <names>", "whose runs: contenders as in `ccpark bench`, separated by commas")
        .argParser(parseAlgorithms)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option(
        "--scenario <names>",
        "presets, grids or files, separated by commas, or training-range: a new link per episode",
      )
        .argParser(parseList)
        .default(["training-range"], "training-range"),
    )
    .option("--set <path=value>", SET_HELP, collect)
    .option("--trace <file>", "a trace file or shipped name, for scenarios that take one")
    .option("--duration <sec>", "seconds per episode", parsePositive)
    .addOption(
      new Option("--episodes <n>", "episodes of each contender on each scenario")
        .argParser(parseWhole(1, 1e6))
        .default(DEFAULT_EPISODES),
    )
    .addOption(
      new Option("--seed <n>", "of the first episode; each further one has the next")
        .argParser(parseWhole(0, MAX_SEED))
        .default(1),
    )
    .option("--observation <name>", "see `ccpark explain observations`, or a module of your own, ./FILE.js")
    .option("--action <name>", "form in which what was done is written down (see `ccpark explain actions`)")
    .option("--reward <name>", "see `ccpark explain rewards`; a formula, or a module of your own, ./FILE.js")
    .option("--step-ms <ms>", "length of a step in milliseconds, or rtt", parseStep)
    .requiredOption("--out <dir>", "folder: dataset.json, observations.npy, actions.npy, rewards.npy")
    .option("--json", "JSON Lines on stdout: one per episode")
    .option("--quiet", "no progress and no messages")
    .action(dataset);
}
