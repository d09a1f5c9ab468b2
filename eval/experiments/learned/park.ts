/**
 * Park's A2C, alone and confined to what Vegas does (A. Narayan, thesis on CCP, Fig. 4.12): who sets window and rate anew every 10 ms
 * explores mostly what no link bears; who sets 0.2 to 2 times Vegas's average window begins near a good one. 48 Mbit/s, 50 ms, 400
 * packets, the recipe `park` of `ccpark train` for both, but for the action. Learning curves on the link itself, acting greedily,
 * beside Vegas.
 */

import Table from "cli-table3";
import { getLearner } from "../../../agents/registry.ts";
import { makeAlgorithm, resolveAlgorithm } from "../../../algorithms/reference.ts";
import { runAlgorithm } from "../../../envs/measured-run.ts";
import { DEFAULT_ENV_OPTIONS, type EnvOptions } from "../../../envs/options.ts";
import { resolveScenarios } from "../../../scenarios/scenario-files.ts";
import type { FlowMetrics } from "../../../testbeds/results.ts";
import type { EvaluationLine } from "../../../training/evaluation/evaluations.ts";
import { makeEvaluator, validationLinks } from "../../../training/evaluation/validation.ts";
import { getRecipe } from "../../../training/recipes/registry.ts";
import { train } from "../../../training/train.ts";
import { openTrainingEnvs } from "../../../training/training-env.ts";
import { median } from "../../statistics.ts";
import { type Claim, type Experiment, experiment, type Figure, judge } from "../experiment.ts";
import { axis, nameColour, type Panel, page, panelTitle } from "../figures.ts";
import { choice, type Settings, seeds, whole } from "../options.ts";
import { PLAIN_TABLE } from "../plain-table.ts";

const RECIPE = getRecipe("park");
/** Of a run on the link, as of every evaluation. */
const RUN_SEED = 1;
/** The thesis's figure says "early"; here a third of the steps. */
const MOST_OF_THE_STEPS = 1 / 3;

const OPTIONS = {
  seeds: seeds(5),
  steps: whole(200_000, { low: 1000, high: 1e8, help: "environment steps of each training" }),
  evaluateEvery: whole(40, { low: 1, high: 1e6, help: "updates between two evaluations" }),
  reward: choice("score", ["score", "park"], {
    help: "what is learnt from; `park` pays an idle link more than a full one with 0.3 ms of queue",
  }),
};

const VEGAS = "Vegas";
const LEARNERS = [
  { name: "A2C", action: RECIPE.action },
  { name: "A2C confined", action: "confined" },
] as const;
const NAMES = [...LEARNERS.map(({ name }) => name), VEGAS];

type Facts = Pick<FlowMetrics, "score" | "utilisation" | "meanQueueDelayMs" | "lossRate">;

/** Where a policy stood after so many environment steps. */
type Point = Facts & { readonly steps: number };

interface ParkRow {
  readonly name: string;
  /** of the training; Vegas has none */
  readonly seed?: number;
  /** of Vegas one, after no steps */
  readonly curve: readonly Point[];
}

const factsOf = ({ score, utilisation, meanQueueDelayMs, lossRate }: Facts): Facts => ({
  score,
  utilisation,
  meanQueueDelayMs,
  lossRate,
});

function episodesOfLink() {
  const scenarios = resolveScenarios(RECIPE.scenarios).map(({ name, template }) => ({ name, template }));
  return { scenarios, episodeSec: RECIPE.episodeSec! };
}

async function learn(
  { name, action }: (typeof LEARNERS)[number],
  seed: number,
  { steps, evaluateEvery, reward }: Settings<typeof OPTIONS>,
): Promise<ParkRow> {
  const { observation, stepMs, learner, options, numEnvs } = RECIPE;
  const env: EnvOptions = { ...DEFAULT_ENV_OPTIONS, observation, action, reward, stepMs };
  const episodes = episodesOfLink();
  const curve: Point[] = [];
  await train({
    makeEnvs: () => openTrainingEnvs({ env, ...episodes }, { numEnvs }),
    learner,
    options: { ...getLearner(learner).tuned, ...options },
    totalSteps: steps,
    seed,
    env: { observation, action, reward, description: "" },
    evaluation: {
      evaluator: makeEvaluator(env, validationLinks(episodes)),
      every: evaluateEvery,
      earlyStop: 0,
    },
    onEvaluation: (line: EvaluationLine) => curve.push({ steps: line.steps, ...factsOf(line) }),
  });
  return { name, seed, curve };
}

function vegas({ reward }: Settings<typeof OPTIONS>): ParkRow {
  const [scenario] = validationLinks(episodesOfLink());
  const algorithm = makeAlgorithm(resolveAlgorithm("vegas"));
  const { metrics } = runAlgorithm({ scenario: scenario!, seed: RUN_SEED, rewardName: reward, algorithm });
  return { name: VEGAS, curve: [{ steps: 0, ...factsOf(metrics) }] };
}

// ------------------------------------------------------------------------------------------------------------- report

/** Of a row's curve, the first with at least so high a score; undefined: none. */
const reached = ({ curve }: ParkRow, score: number): number | undefined =>
  curve.find((point) => point.score >= score)?.steps;

/** From which point on none is below; undefined: the last one is. */
function heldFrom({ curve }: ParkRow, score: number): number | undefined {
  const below = curve.findLastIndex((point) => point.score < score);
  return curve[below + 1]?.steps;
}

interface Outcome {
  readonly name: string;
  readonly seeds: number;
  /** trainings that got to Vegas's score */
  readonly reached: number;
  /** environment steps to it, the median; of those that did not get there all that they had */
  readonly steps: number;
  /** environment steps after which it is never below again, counted as `steps` */
  readonly held: number;
  /** median over seeds */
  readonly best: number;
  readonly last: Facts;
}

function outcomesOf(rows: readonly ParkRow[], vegasScore: number): Outcome[] {
  return LEARNERS.map(({ name }) => {
    const own = rows.filter((row) => row.name === name);
    const got = own.map((row) => reached(row, vegasScore));
    const last = own.map(({ curve }) => curve.at(-1)!);
    const middle = (of: (facts: Facts) => number): number => median(last.map(of));
    return {
      name,
      seeds: own.length,
      reached: got.filter((steps) => steps !== undefined).length,
      steps: median(got.map((steps, i) => steps ?? last[i]!.steps)),
      held: median(own.map((row, i) => heldFrom(row, vegasScore) ?? last[i]!.steps)),
      best: median(own.map(({ curve }) => Math.max(...curve.map(({ score }) => score)))),
      last: {
        score: middle((f) => f.score),
        utilisation: middle((f) => f.utilisation),
        meanQueueDelayMs: middle((f) => f.meanQueueDelayMs),
        lossRate: middle((f) => f.lossRate),
      },
    };
  });
}

const vegasOf = (rows: readonly ParkRow[]): Point => rows.find(({ name }) => name === VEGAS)!.curve[0]!;

const percent = (share: number): string => (100 * share).toFixed(1);

function tableOf(rows: readonly ParkRow[], { steps, reward }: Settings<typeof OPTIONS>): string {
  const beside = vegasOf(rows);
  const head = [
    "",
    "reached Vegas",
    "after steps",
    "never below after",
    "best score",
    "score",
    "utilisation %",
    "queue ms",
    "loss %",
  ];
  const table = new Table({
    ...PLAIN_TABLE,
    head,
    colAligns: ["left", ...head.slice(1).map(() => "right" as const)],
  });
  const facts = (f: Facts): string[] => [
    f.score.toFixed(2),
    percent(f.utilisation),
    f.meanQueueDelayMs.toFixed(1),
    percent(f.lossRate),
  ];
  for (const outcome of outcomesOf(rows, beside.score)) {
    const all = outcome.reached === outcome.seeds;
    table.push([
      outcome.name,
      `${outcome.reached} of ${outcome.seeds}`,
      `${all ? "" : "over "}${Math.round(outcome.steps).toLocaleString("en")}`,
      all ? Math.round(outcome.held).toLocaleString("en") : "",
      outcome.best.toFixed(2),
      ...facts(outcome.last),
    ]);
  }
  table.push([VEGAS, "", "", "", "", ...facts(beside)]);
  return `${table.toString()}\n48 Mbit/s, 50 ms, 400 packets; ${steps.toLocaleString("en")} steps of ${RECIPE.stepMs} ms, reward ${reward}, medians over seeds; score: the benchmark's, acting greedily for 20 s.\n`;
}

function claimsOf(rows: readonly ParkRow[]): Claim[] {
  const [alone, confined] = outcomesOf(rows, vegasOf(rows).score) as [Outcome, Outcome];
  const ratio = confined.reached * 2 > confined.seeds ? confined.steps / alone.steps : Number.NaN;
  const bound = alone.reached * 2 > alone.seeds ? "" : ", which has not got there: of all that it had";
  return [
    judge({
      claim: "steps of A2C confined after which it is never below Vegas again",
      measured: confined.held,
      unit: "steps",
    }),
    judge({
      claim: "score of A2C confined at the end, less Vegas's",
      measured: confined.last.score - vegasOf(rows).score,
      unit: "1",
    }),
    judge({
      claim: `trainings of A2C confined that reach Vegas's score`,
      published: "reaches it early",
      measured: confined.reached,
      unit: `of ${confined.seeds}`,
      threshold: { low: Math.floor(confined.seeds / 2) + 1 },
    }),
    judge({
      claim: `steps of A2C confined to Vegas's score over those of A2C alone${bound}`,
      published: "alone it does not",
      measured: ratio,
      unit: "1",
      threshold: { high: MOST_OF_THE_STEPS },
    }),
  ];
}

function figureOf(rows: readonly ParkRow[], { steps }: Settings<typeof OPTIONS>): Figure {
  const trained = rows.filter(({ name }) => name !== VEGAS);
  const values = trained.flatMap(({ name, seed, curve }) => curve.map((point) => ({ ...point, name, seed })));
  const beside = vegasOf(rows);
  const flat = [0, steps].map((at) => ({ ...beside, steps: at, name: VEGAS }));
  const color = nameColour(NAMES);
  const panel = (title: string, field: keyof Facts, words: object = {}): Panel => {
    const encoding = {
      x: axis({ field: "steps", title: "Environment steps", format: "~s" }),
      y: axis({ field, title, ...words }),
      color,
    };
    return {
      title: panelTitle(title),
      width: 270,
      height: 220,
      layer: [
        {
          data: { values },
          mark: { type: "line", strokeWidth: 1, opacity: 0.4 },
          encoding: { ...encoding, detail: { field: "seed", type: "nominal" } },
        },
        {
          data: { values },
          mark: { type: "line", strokeWidth: 2.6 },
          encoding: { ...encoding, y: { ...encoding.y, aggregate: "median" } },
        },
        { data: { values: flat }, mark: { type: "line", strokeWidth: 2, strokeDash: [5, 4] }, encoding },
      ],
    };
  };
  const title = "Park: A2C alone, confined to 0.2 to 2 times Vegas's average, and Vegas";
  return page({ title, subtitle: ["thin: one training each; thick: their median"] }, NAMES, [
    panel("Score", "score", { zero: false }),
    panel("Utilisation", "utilisation", { format: "%" }),
    panel("Mean queueing delay, ms", "meanQueueDelayMs"),
  ]);
}

export const park: Experiment = experiment({
  name: "park",
  summary: "A2C as in Park, alone and confined to what Vegas does, beside Vegas: learning curves",
  source: "A. Narayan, thesis on CCP (MIT), Fig. 4.12; Park (Mao et al., NeurIPS 2019)",
  options: OPTIONS,
  count: ({ seeds: all }) => 1 + LEARNERS.length * all.length,
  async *run(settings): AsyncGenerator<ParkRow> {
    yield vegas(settings);
    for (const learner of LEARNERS) {
      for (const seed of settings.seeds) yield await learn(learner, seed, settings);
    }
  },
  describe: ({ name, seed, curve }) =>
    `${name}${seed === undefined ? "" : `, seed ${seed}`}: score ${curve.at(-1)!.score.toFixed(2)}`,
  report: (rows, settings) => ({
    text: tableOf(rows, settings),
    claims: claimsOf(rows),
    summary: { vegas: vegasOf(rows), learners: outcomesOf(rows, vegasOf(rows).score) },
    figure: figureOf(rows, settings),
  }),
});
