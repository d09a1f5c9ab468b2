/**
 * Every learner of one flow on the training range: learning curves and scores on links that no training saw, each as a share of
 * PPO's. Learners from recorded runs have those of Cubic and BBR, and stand beside what they learnt from.
 *
 * Hyperparameters are what `ccpark train` sets; the environment steps of each are its own, since one off policy makes more of a
 * step and takes longer over it. `mappo` is for several flows, and no learner here.
 */
import Table from "cli-table3";
import type { Checkpoint } from "../../../agents/checkpoint.ts";
import type { RecordedData } from "../../../agents/nn/offline/recorded.ts";
import { getLearner } from "../../../agents/registry.ts";
import { crossTrafficAlgorithm } from "../../../algorithms/cross-traffic.ts";
import { makeAlgorithm, resolveAlgorithm } from "../../../algorithms/reference.ts";
import { Rng } from "../../../core/random.ts";
import { runAlgorithm } from "../../../envs/measured-run.ts";
import { DEFAULT_ENV_OPTIONS, type EnvOptions } from "../../../envs/options.ts";
import type { Scenario } from "../../../scenarios/scenario.ts";
import { sampleTrainingScenario } from "../../../scenarios/training.ts";
import type { FlowMetrics } from "../../../testbeds/results.ts";
import { recordedData } from "../../../training/datasets/dataset-files.ts";
import { TRAINING_DEFAULTS } from "../../../training/defaults.ts";
import { spacesOf } from "../../../training/described-env.ts";
import type { EvaluationLine } from "../../../training/evaluation/evaluations.ts";
import { greedyRuns, makeEvaluator } from "../../../training/evaluation/validation.ts";
import { train } from "../../../training/train.ts";
import { openTrainingEnvs } from "../../../training/training-env.ts";
import { mean } from "../../statistics.ts";
import { type Claim, type Experiment, experiment, type Figure, judge } from "../experiment.ts";
import { axis, nameColour, page, panelTitle } from "../figures.ts";
import { choices, positive, type Settings, seeds, whole } from "../options.ts";
import { PLAIN_TABLE } from "../plain-table.ts";

interface Entry {
  readonly name: string;
  /** the panel of its curve */
  readonly family: "on policy" | "off policy" | "from others' runs";
  /** environment steps of a training */
  readonly steps: number;
  /** the least share of PPO's score that it should reach; absent: it is what it is */
  readonly atLeast?: number;
  readonly action?: string;
}

const ENTRIES = [
  { name: "ppo", family: "on policy", steps: 400_000 },
  { name: "recurrent-ppo", family: "on policy", steps: 100_000, atLeast: 0.95 },
  { name: "a2c", family: "on policy", steps: 400_000, atLeast: 0.9 },
  { name: "sac", family: "off policy", steps: 150_000, atLeast: 0.95 },
  { name: "td3", family: "off policy", steps: 150_000, atLeast: 0.95 },
  { name: "dqn", family: "off policy", steps: 150_000, atLeast: 0.9, action: "indigo" },
  { name: "dagger", family: "from others' runs", steps: 60_000, atLeast: 0.95 },
  { name: "iql", family: "from others' runs", steps: 60_000, atLeast: 0.95 },
  { name: "bc", family: "from others' runs", steps: 60_000 },
] as const satisfies readonly Entry[];
type LearnerName = (typeof ENTRIES)[number]["name"];
const NAMES = ENTRIES.map(({ name }) => name);
const FAMILIES = [...new Set(ENTRIES.map(({ family }) => family))];

/** Whose runs are recorded. */
const RECORDED = ["cubic", "bbr"] as const;
/** Seconds of a recorded run: BBR's looks for the least round trip, one every ten seconds, are in it, which show what an idle link costs. */
const RECORDED_SEC = 30;
/** Offline reinforcement learning is to be better than what it has seen by this. */
const OFFLINE_GAIN = 1.1;
/** A policy is to keep this share of its score where all that it sees is off by up to a tenth. */
const NOISE = { share: 0.1, kept: 0.95 };
/** Of every run on a held-out link. */
const RUN_SEED = 1;

const OPTIONS = {
  seeds: seeds(3),
  learners: choices<LearnerName>(NAMES, NAMES, { help: "learners; ppo is always one of them" }),
  scale: positive(1, { help: "environment steps of every training, as a multiple of its own" }),
  links: whole(20, { low: 1, high: 1000, help: "held-out links, of 10 s each" }),
  episodes: whole(60, { low: 1, high: 10_000, help: "recorded episodes each of Cubic and BBR, of 30 s" }),
  points: whole(8, { low: 1, high: 1000, help: "evaluations in the course of a training" }),
};

type Facts = Pick<FlowMetrics, "score" | "utilisation" | "meanQueueDelayMs" | "lossRate">;
type Point = Facts & { readonly steps: number };

interface LearnersRow {
  readonly name: string;
  /** of the training; what was recorded has none */
  readonly seed?: number;
  /** means over the held-out links; of who was recorded one, after no steps */
  readonly curve: readonly Point[];
  /** the last score with noise on what the policy sees */
  readonly noisyScore?: number;
}

const { episodeSec, numEnvs } = TRAINING_DEFAULTS;

function drawnLinks(purpose: string, count: number, durationSec: number = episodeSec): Scenario[] {
  return Array.from({ length: count }, (_, i) =>
    sampleTrainingScenario(Rng.fromSeed(i).fork(`learners.${purpose}`), { durationSec }),
  );
}

function meanFacts(all: readonly Facts[]): Facts {
  const of = (pick: (facts: Facts) => number): number => mean(all.map(pick));
  return {
    score: of((f) => f.score),
    utilisation: of((f) => f.utilisation),
    meanQueueDelayMs: of((f) => f.meanQueueDelayMs),
    lossRate: of((f) => f.lossRate),
  };
}

/** An algorithm on links, each once. */
const runsOf = (name: string, links: readonly Scenario[], recordSteps?: EnvOptions) =>
  links.map((scenario) =>
    runAlgorithm({
      scenario,
      seed: RUN_SEED,
      rewardName: DEFAULT_ENV_OPTIONS.reward,
      algorithm: makeAlgorithm(resolveAlgorithm(name)),
      algorithms: crossTrafficAlgorithm,
      ...(recordSteps && { recordSteps }),
    }),
  );

function recordingsOf(env: EnvOptions, episodes: number): RecordedData {
  const links = drawnLinks("recorded", episodes, RECORDED_SEC);
  const runs = RECORDED.flatMap((name) => runsOf(name, links, env));
  return recordedData(
    spacesOf(env),
    runs.map(({ steps }) => steps!),
  );
}

async function learn(
  entry: Entry,
  seed: number,
  links: readonly Scenario[],
  { scale, points }: Settings<typeof OPTIONS>,
  dataset: () => RecordedData,
): Promise<LearnersRow> {
  const spec = getLearner(entry.name);
  const env: EnvOptions = { ...DEFAULT_ENV_OPTIONS, ...(entry.action && { action: entry.action }) };
  const { observation, action, reward } = env;
  const options = { ...spec.defaults, ...spec.tuned };
  const totalSteps = Math.max(1, Math.round(scale * entry.steps));
  const updates = Math.ceil(totalSteps / (numEnvs * Number(options.rolloutSteps)));
  const curve: Point[] = [];
  const { checkpoint } = await train({
    makeEnvs: () => openTrainingEnvs({ env, episodeSec, teacher: spec.needs?.teacher === true }, { numEnvs }),
    learner: entry.name,
    options: spec.tuned,
    totalSteps,
    seed,
    env: { observation, action, reward, description: "" },
    ...(spec.needs?.dataset === "required" && { dataset: dataset() }),
    evaluation: { evaluator: makeEvaluator(env, links), every: Math.ceil(updates / points), earlyStop: 0 },
    onEvaluation: ({ steps, score, utilisation, meanQueueDelayMs, lossRate }: EvaluationLine) =>
      curve.push({ steps, score, utilisation, meanQueueDelayMs, lossRate }),
  });
  return { name: entry.name, seed, curve, noisyScore: noisyScore(checkpoint, env, links) };
}

function noisyScore(checkpoint: Checkpoint, env: EnvOptions, links: readonly Scenario[]): number {
  return mean(greedyRuns(checkpoint, env, links, NOISE.share).map(({ metrics }) => metrics.score));
}

const chosen = ({ learners }: Settings<typeof OPTIONS>): readonly Entry[] =>
  ENTRIES.filter(({ name }) => name === "ppo" || learners.includes(name));

// ------------------------------------------------------------------------------------------------------------- report

interface Outcome extends Facts {
  readonly name: string;
  /** environment steps of each training */
  readonly steps: number;
  /** scores at the end, a seed each */
  readonly scores: readonly number[];
  /** of PPO's score */
  readonly share: number;
  /** of its own score, with noise */
  readonly noisyShare: number;
}

const lastOf = ({ curve }: LearnersRow): Point => curve.at(-1)!;

/** In the order of the rows; means over seeds. */
function outcomesOf(rows: readonly LearnersRow[]): Outcome[] {
  const names = [...new Set(rows.map(({ name }) => name))];
  const outcome = (name: string): Omit<Outcome, "share"> => {
    const own = rows.filter((row) => row.name === name);
    const facts = meanFacts(own.map(lastOf));
    const noisy = mean(own.map((row) => row.noisyScore ?? Number.NaN));
    return {
      name,
      ...facts,
      steps: lastOf(own[0]!).steps,
      scores: own.map((row) => lastOf(row).score),
      noisyShare: noisy / facts.score,
    };
  };
  const outcomes = names.map(outcome);
  const ppo = outcomes.find(({ name }) => name === "ppo")!.score;
  return outcomes.map((each) => ({ ...each, share: each.score / ppo }));
}

const isRecorded = ({ name }: { readonly name: string }): boolean =>
  (RECORDED as readonly string[]).includes(name);
/** Of those who were recorded. */
const behaviourOf = (outcomes: readonly Outcome[]): number =>
  mean(outcomes.filter(isRecorded).map(({ score }) => score));
const percent = (share: number): string => (100 * share).toFixed(1);

function tableOf(rows: readonly LearnersRow[], { links, scale }: Settings<typeof OPTIONS>): string {
  const head = [
    "",
    "steps",
    "score",
    "least, most",
    "of PPO's %",
    "utilisation %",
    "queue ms",
    "loss %",
    "kept with noise %",
  ];
  const table = new Table({
    ...PLAIN_TABLE,
    head,
    colAligns: ["left", ...head.slice(1).map(() => "right" as const)],
  });
  for (const each of outcomesOf(rows)) {
    const { name, steps, score, scores, share, utilisation, meanQueueDelayMs, lossRate, noisyShare } = each;
    const ends = [Math.min(...scores), Math.max(...scores)].map((end) => end.toFixed(2)).join(", ");
    table.push([
      name,
      isRecorded(each) ? "" : steps.toLocaleString("en"),
      score.toFixed(2),
      isRecorded(each) ? "" : ends,
      percent(share),
      percent(utilisation),
      meanQueueDelayMs.toFixed(1),
      percent(lossRate),
      isRecorded(each) ? "" : percent(noisyShare),
    ]);
  }
  const seedCount = rows.filter(({ name }) => name === "ppo").length;
  const short = scale < 1 ? ` Trained for ${scale} of the steps that the claims are of.` : "";
  return `${table.toString()}\n${links} links of the training range that no training saw, 10 s each, greedily; means over ${seedCount} seed${seedCount === 1 ? "" : "s"}. Noise: every number that the policy sees is off by up to 10 %.${short}\n`;
}

function claimsOf(rows: readonly LearnersRow[]): Claim[] {
  const outcomes = outcomesOf(rows);
  const of = (name: string): Outcome | undefined => outcomes.find((each) => each.name === name);
  const entries: readonly Entry[] = ENTRIES;
  const shares = entries.flatMap(({ name, atLeast }) => {
    const outcome = of(name);
    if (outcome === undefined || atLeast === undefined) return [];
    const claim = `score of ${name} over PPO's`;
    return [judge({ claim, measured: outcome.share, unit: "1", threshold: { low: atLeast } })];
  });
  const iql = of("iql");
  const claim = `score of iql over the mean of those that it learnt from (${RECORDED.join(", ")})`;
  const measured = (iql?.score ?? Number.NaN) / behaviourOf(outcomes);
  const offline = iql && judge({ claim, measured, unit: "1", threshold: { low: OFFLINE_GAIN } });
  const least = Math.min(...outcomes.filter((each) => !isRecorded(each)).map(({ noisyShare }) => noisyShare));
  return [
    ...shares,
    ...(offline ? [offline] : []),
    judge({
      claim: "least share of a learner's score that is kept with 10 % noise on what it sees",
      measured: least,
      unit: "1",
      threshold: { low: NOISE.kept },
    }),
  ];
}

function figureOf(rows: readonly LearnersRow[]): Figure {
  const trained = rows.filter((row) => !isRecorded(row));
  const names = [...new Set(rows.map(({ name }) => name))];
  const color = nameColour(names);
  const low = Math.min(...rows.map((row) => lastOf(row).score)) - 0.5;
  const entries: readonly Entry[] = ENTRIES;
  const panels = FAMILIES.flatMap((family) => {
    const members = entries.filter((entry) => entry.family === family).map(({ name }) => name);
    const own = trained.filter(({ name }) => members.includes(name));
    if (own.length === 0) return [];
    const values = own.flatMap(({ name, seed, curve }) =>
      curve.map(({ steps, score }) => ({ name, seed, steps, score: Math.max(low, score) })),
    );
    const end = Math.max(...own.map((row) => lastOf(row).steps));
    const flat = rows
      .filter(isRecorded)
      .flatMap((row) => [0, end].map((steps) => ({ name: row.name, steps, score: lastOf(row).score })));
    const encoding = {
      x: axis({ field: "steps", title: "Environment steps", format: "~s" }),
      y: axis({ field: "score", title: "Score", domain: [low, 17] }),
      color,
    };
    const thick = { ...encoding, y: { ...encoding.y, aggregate: "median" } };
    return [
      {
        title: panelTitle(family[0]!.toUpperCase() + family.slice(1)),
        width: 270,
        height: 240,
        layer: [
          {
            data: { values },
            mark: { type: "line", strokeWidth: 1, opacity: 0.4 },
            encoding: { ...encoding, detail: { field: "seed", type: "nominal" } },
          },
          { data: { values }, mark: { type: "line", strokeWidth: 2.6 }, encoding: thick },
          { data: { values: flat }, mark: { type: "line", strokeWidth: 2, strokeDash: [5, 4] }, encoding },
        ],
      },
    ];
  });
  const title = "Learners on links of the training range that they have not seen";
  return page({ title, subtitle: ["thin: one training each; thick: their median"] }, names, panels);
}

export const learners: Experiment = experiment({
  name: "learners",
  summary: "every learner of one flow on held-out links of the training range, beside PPO, Cubic and BBR",
  source: "ours; the papers of the learners are in `ccpark explain learners`",
  options: OPTIONS,
  count: (settings) => RECORDED.length + chosen(settings).length * settings.seeds.length,
  async *run(settings): AsyncGenerator<LearnersRow> {
    const links = drawnLinks("held-out", settings.links);
    for (const name of RECORDED) {
      const facts = meanFacts(runsOf(name, links).map(({ metrics }) => metrics));
      yield { name, curve: [{ steps: 0, ...facts }] };
    }
    let recorded: RecordedData | undefined;
    const dataset = (): RecordedData => {
      recorded ??= recordingsOf(DEFAULT_ENV_OPTIONS, settings.episodes);
      return recorded;
    };
    for (const entry of chosen(settings)) {
      for (const seed of settings.seeds) yield await learn(entry, seed, links, settings, dataset);
    }
  },
  describe: (row) =>
    `${row.name}${row.seed === undefined ? "" : `, seed ${row.seed}`}: score ${lastOf(row).score.toFixed(2)}`,
  report: (rows, settings) => ({
    text: tableOf(rows, settings),
    claims: claimsOf(rows),
    summary: outcomesOf(rows),
    figure: figureOf(rows),
  }),
});
