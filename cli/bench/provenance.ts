/** Wiring: what a benchmark's results say of themselves, and whether a folder's results may be replaced by others. */
import { basename } from "node:path";
import type { Pace } from "../../envs/foreign-agent/pace.ts";
import type { ExportFormat } from "../../eval/export-files.ts";
import type { Metric } from "../../eval/metrics.ts";
import type { Provenance } from "../../eval/report/report-data.ts";
import { DEFAULT_HEADLINE, type Headline } from "../../eval/verdicts/headline.ts";
import { isScenarioFile } from "../../scenarios/scenario-files.ts";
import { SIMULATED } from "../../testbeds/simulated/simulated.ts";
import { outsideWords, quoteForShell } from "../options.ts";
import type { PlannedBench } from "./bench-plan.ts";
import { refuseOther } from "./other-results.ts";
import { versions } from "./run-benchmark.ts";

export interface BenchOptions {
  readonly scenario?: readonly string[];
  readonly suite?: string;
  readonly set?: readonly string[];
  readonly trace?: string;
  readonly algorithms: readonly string[];
  readonly seeds?: number;
  readonly until?: string;
  readonly aggregate?: true;
  readonly checkpoint?: string;
  readonly duration?: number;
  readonly vary?: boolean;
  readonly mode: Pace;
  readonly socketDir?: string;
  readonly quietMs?: number;
  readonly reward?: string;
  readonly headline: Headline;
  readonly metric?: readonly string[];
  readonly observationNoise?: number;
  readonly on: string;
  readonly out?: string;
  readonly force?: true;
  readonly export?: readonly ExportFormat[];
  readonly workers?: number;
  readonly picture?: string;
  readonly json?: true;
  readonly wide?: true;
  readonly quiet?: true;
}

/** Names that a title lists before it counts them. */
const TITLE_NAMES = 6;

/** The command line that gives these results, with files by their base names. */
function normalisedCommand(
  options: BenchOptions,
  names: readonly string[],
  seeds: number,
  rewardName: string,
): string {
  const what = options.suite === undefined ? `--scenario ${names.join(",")}` : `--suite ${options.suite}`;
  const words = ["ccpark bench", what];
  for (const text of options.set ?? []) words.push(`--set ${quoteForShell(text)}`);
  if (options.trace !== undefined) words.push(`--trace ${basename(options.trace)}`);
  const algorithms = options.algorithms.map((name) =>
    name.replace(/^(agent|onnx|unix):(.*)$/, (_, kind: string, path: string) => `${kind}:${basename(path)}`),
  );
  words.push(`--algorithms ${algorithms.join(",")}`, `--seeds ${seeds}`);
  if (options.checkpoint !== undefined) words.push(`--checkpoint ${basename(options.checkpoint)}`);
  if (options.duration !== undefined) words.push(`--duration ${options.duration}`);
  if (options.vary !== undefined) words.push(options.vary ? "--vary" : "--no-vary");
  words.push(`--reward ${quoteForShell(rewardName)}`);
  for (const text of options.metric ?? []) words.push(`--metric ${quoteForShell(text)}`);
  if (options.observationNoise !== undefined) words.push(`--observation-noise ${options.observationNoise}`);
  if (options.headline !== DEFAULT_HEADLINE) words.push(`--headline ${options.headline}`);
  words.push(...outsideWords(options));
  if (options.on !== SIMULATED.name) words.push(`--on ${options.on}`);
  return words.join(" ");
}

export function titleOf(suite: string | undefined, names: readonly string[]): string {
  const unique = [...new Set(names)];
  if (suite !== undefined) return `ccpark benchmark: suite ${suite}, ${unique.length} scenarios`;
  const more = unique.length - TITLE_NAMES;
  return `ccpark benchmark: ${unique.slice(0, TITLE_NAMES).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

export function benchProvenance(
  options: BenchOptions,
  { plan, checkpoints, models }: PlannedBench,
  chosen: {
    readonly names: readonly string[];
    readonly seeds: readonly number[];
    readonly rewardName: string;
    readonly metrics: readonly Metric[];
    readonly vary: boolean;
  },
): Provenance {
  const { names, seeds, rewardName, metrics, vary } = chosen;
  const shown = names.map((name) => (isScenarioFile(name) ? basename(name) : name));
  return {
    command: normalisedCommand(options, shown, seeds.length, rewardName),
    options: {
      scenario: names,
      suite: options.suite ?? null,
      set: options.set ?? [],
      algorithms: plan.contenders.map((contender) => contender.name),
      seeds,
      reward: rewardName,
      ...(metrics.length > 0 && { metrics: metrics.map(({ text }) => text) }),
      ...(options.observationNoise !== undefined && { observationNoise: options.observationNoise }),
      testbed: options.on,
      durationSec: options.duration ?? null,
      vary,
      checkpoints: checkpoints.map((loaded) => loaded.stored),
      ...(models.length > 0 && { models: models.map((loaded) => loaded.stored) }),
    },
    versions: versions(),
  };
}

/** Command and options; without seeds, where a condition says how many there will be. */
function identity({ command, options }: Pick<Provenance, "command" | "options">, anySeeds: boolean): string {
  if (!anySeeds) return JSON.stringify([command, options]);
  return JSON.stringify([command.replace(/ --seeds \d+/, ""), { ...options, seeds: null }]);
}

/**
 * The same benchmark may be run again into its folder, another one may not take its place.
 * @param until the condition that ends it, if there is one
 * @throws CcparkError already-exists
 */
export function refuseOtherResults(folder: string, provenance: Provenance, until: string | undefined): void {
  const anySeeds = until !== undefined;
  refuseOther({
    folder,
    file: "summary.json",
    isSame: (stored) =>
      identity(stored as unknown as Provenance, anySeeds) === identity(provenance, anySeeds),
  });
}
