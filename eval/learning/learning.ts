/** What is shown of a training: its evaluations on validation links, and what is to be said of them in a sentence. */
import type { TrainingFacts } from "../../agents/learner.ts";

/** Means over links, or those of one: score, shares 0 to 1, milliseconds; NaN where there was nothing to measure. */
export interface LearningMeasures {
  readonly score: number;
  readonly utilisation: number;
  readonly meanQueueDelayMs: number;
  readonly lossRate: number;
}

/** One evaluation, as `evaluations.jsonl` has it. */
export interface LearningPoint extends LearningMeasures {
  readonly update: number;
  readonly steps: number;
  readonly best: boolean;
  /** score of each algorithm on the same links */
  readonly baselines: Readonly<Record<string, number>>;
  readonly links: readonly (LearningMeasures & { readonly link: string })[];
}

export interface Learning {
  readonly evaluations: readonly LearningPoint[];
  /** after each update; means over the episodes that ended, on links drawn anew */
  readonly progress: readonly TrainingFacts[];
}

/** Evaluations whose mean counts as one: a single one may be luck. */
const RUNNING = 3;
/** Less than this is no difference in score: a hundredth of twice the goodput. */
const LEAST_GAIN = 0.02;
/** Evaluations without a better score after which it is said so. */
const STUCK_AFTER = 5;
/** A share of lost packets that no controller should live with. */
const HIGH_LOSS = 0.1;

/** Evaluations in a row, all of which have to be alike, before a training is warned of. */
const WARN_AFTER = 4;
/** Scores this near to each other are no progress. */
const STANDSTILL = 0.1;
const FULL_LINK = 0.97;

const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;

/** Mean score of the last evaluations. */
export function runningScore(evaluations: readonly LearningPoint[]): number {
  const last = evaluations.slice(-RUNNING);
  return last.reduce((sum, { score }) => sum + score, 0) / last.length;
}

/** `validation score 16.52 (16.31 on average of 5; cubic 14.34, bbr 16.26), utilisation 97 %, queue 1.2 ms, loss 0.0 %`, of the latest evaluation. */
export function learningNote(evaluations: readonly LearningPoint[]): string {
  const last = evaluations.at(-1);
  if (last === undefined) return "";
  const { utilisation, meanQueueDelayMs, lossRate, baselines } = last;
  const beside = Object.entries(baselines).map(([name, score]) => `${name} ${score.toFixed(2)}`);
  const over = Math.min(RUNNING, evaluations.length);
  const running = over === 1 ? "" : `${runningScore(evaluations).toFixed(2)} on average of ${over}; `;
  return [
    `validation score ${last.score.toFixed(2)} (${running}${beside.join(", ")})`,
    `utilisation ${percent(utilisation)}`,
    `queue ${meanQueueDelayMs.toFixed(1)} ms`,
    `loss ${percent(lossRate)}`,
  ].join(", ");
}

/**
 * What is to be said while a training still has time: it stands still below an algorithm that learns nothing, or it keeps links full and
 * loses much. Empty while there is nothing of that kind. The first evaluation, of no training, does not count.
 */
export function learningWarning(evaluations: readonly LearningPoint[]): string {
  const last = evaluations.slice(1).slice(-WARN_AFTER);
  if (last.length < WARN_AFTER) return "";
  const scores = last.map(({ score }) => score);
  const highest = Math.max(...scores);
  const isStanding = highest - Math.min(...scores) < STANDSTILL;
  const better = Object.entries(last.at(-1)!.baselines).filter(([, score]) => score > highest);
  const found: string[] = [];
  if (isStanding && better.length > 0) {
    const names = better.map(([name, score]) => `${name} (${score.toFixed(2)})`).join(" and ");
    found.push(`it stays below ${names} with a score of ${highest.toFixed(2)}`);
  }
  const floods = last.every((each) => each.utilisation >= FULL_LINK && each.lossRate >= HIGH_LOSS);
  if (floods) found.push(`it keeps the link full and loses ${percent(last.at(-1)!.lossRate)} of its packets`);
  if (found.length === 0) return "";
  return `${WARN_AFTER} evaluations in a row: ${found.join("; ")}. Exploring may not reach what the link bears: an action relative to the path (\`multiplicative\`, \`confined\`), a larger \`initialLogStd\` or \`normaliseObservations\` may help (\`ccpark explain actions\`, \`hyperparameters\`)`;
}

/** Whether it learns, in a sentence or two; empty while that cannot be said. */
export function learningVerdict(evaluations: readonly LearningPoint[]): string {
  const first = evaluations[0];
  const best = evaluations.reduce<LearningPoint | undefined>(
    (top, each) => (top === undefined || each.score > top.score ? each : top),
    undefined,
  );
  const last = evaluations.at(-1);
  if (first === undefined || best === undefined || last === undefined || last === first) return "";
  const gain = best.score - first.score;
  const stuckFor = evaluations.length - 1 - evaluations.indexOf(best);
  const sentences = [
    gain < LEAST_GAIN
      ? `it does not learn: no evaluation is better than the first (score ${first.score.toFixed(2)})`
      : `it learns: score ${first.score.toFixed(2)} at first, ${best.score.toFixed(2)} at best (${best.steps.toLocaleString("en")} steps), ${last.score.toFixed(2)} now`,
  ];
  if (gain >= LEAST_GAIN && stuckFor >= STUCK_AFTER)
    sentences.push(`no better one for ${stuckFor} evaluations`);
  const better = Object.entries(best.baselines).filter(([, score]) => score > best.score);
  if (better.length > 0) {
    sentences.push(`below ${better.map(([name, score]) => `${name} (${score.toFixed(2)})`).join(" and ")}`);
  }
  if (last.lossRate >= HIGH_LOSS) sentences.push(`it loses ${percent(last.lossRate)} of its packets`);
  return sentences.join("; ");
}
