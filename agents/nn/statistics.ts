/** Running statistics by Welford's method, and what they normalise. */
import * as z from "zod";

/** Keeps a standard deviation above 0. */
export const EPSILON = 1e-8;

export const STATISTICS: z.ZodObject<{ count: z.ZodNumber; mean: z.ZodNumber; squares: z.ZodNumber }> =
  z.object({
    count: z.number().int().nonnegative(),
    mean: z.number(),
    squares: z.number().nonnegative(),
  });

/** Of one quantity: mean and sum of squared deviations. */
export interface Statistics {
  count: number;
  mean: number;
  squares: number;
}

/** Takes one value into account. */
export function observe(statistics: Statistics, x: number): void {
  statistics.count += 1;
  const before = x - statistics.mean;
  statistics.mean += before / statistics.count;
  statistics.squares += before * (x - statistics.mean);
}

/** Frozen statistics that a policy subtracts and divides by before its network; both [observationSpace.shape[0]]. */
export interface ObservationStatistics {
  readonly mean: Float64Array;
  readonly std: Float64Array;
}

/** Statistics of every dimension of the observations. */
export class RunningObservations {
  /** [observation] each; they go into checkpoints */
  readonly mean: Float64Array;
  readonly squares: Float64Array;
  count = 0;

  constructor(width: number) {
    this.mean = new Float64Array(width);
    this.squares = new Float64Array(width);
  }

  /** @param observations [rows x observation] */
  observe(observations: Float32Array): void {
    const { mean, squares } = this;
    const width = mean.length;
    for (let row = 0; row < observations.length; row += width) {
      this.count += 1;
      for (let i = 0; i < width; i++) {
        const x = observations[row + i]!;
        const before = x - mean[i]!;
        mean[i]! += before / this.count;
        squares[i]! += before * (x - mean[i]!);
      }
    }
  }

  /** A copy as it is now; standard deviations of 1 before there are two observations. */
  frozen(): ObservationStatistics {
    const { count } = this;
    return {
      mean: this.mean.slice(),
      std: this.squares.map((squares) => (count > 1 ? Math.sqrt(squares / count + EPSILON) : 1)),
    };
  }
}

/** Rewards are clipped here after scaling: ten standard deviations of a return in one step is an accident. */
const REWARD_CLIP = 10;

/** Divides rewards by the running standard deviation of discounted returns. */
export class RewardScale {
  /** of discounted returns so far; it goes into checkpoints */
  statistics: Statistics = { count: 0, mean: 0, squares: 0 };
  readonly #gamma: number;
  /** discounted return so far of each environment's episode */
  #running: Float64Array = new Float64Array(0);

  constructor(gamma: number) {
    this.#gamma = gamma;
  }

  /** All episodes begin. */
  begin(numEnvs: number): void {
    this.#running = new Float64Array(numEnvs);
  }

  /** @param ended whether the episode is over with this reward */
  observe(env: number, reward: number, ended: boolean): void {
    this.#running[env] = this.#running[env]! * this.#gamma + reward;
    observe(this.statistics, this.#running[env]!);
    if (ended) this.#running[env] = 0;
  }

  scaled(rewards: Float64Array): Float64Array {
    const scale = 1 / Math.sqrt(this.statistics.squares / this.statistics.count + EPSILON);
    return rewards.map((r) => Math.min(REWARD_CLIP, Math.max(-REWARD_CLIP, r * scale)));
  }
}

/** Means of named numbers over the steps of an update, each over those steps that have it. */
export class Means {
  readonly #sums = new Map<string, { sum: number; count: number }>();

  add(values: Readonly<Record<string, number>>): void {
    for (const [name, value] of Object.entries(values)) {
      const entry = this.#sums.get(name) ?? { sum: 0, count: 0 };
      entry.sum += value;
      entry.count += 1;
      this.#sums.set(name, entry);
    }
  }

  /** NaN of a name that never came. */
  of(name: string): number {
    const { sum, count } = this.#sums.get(name) ?? { sum: Number.NaN, count: 0 };
    return sum / count;
  }
}

/** 1 - Var(target - value) / Var(target), 1 at best; NaN where the targets do not vary. */
export function explainedVariance(targets: Float32Array, values: Float32Array): number {
  const residuals = targets.map((target, i) => target - values[i]!);
  const ofTargets = variance(targets);
  return ofTargets === 0 ? Number.NaN : 1 - variance(residuals) / ofTargets;
}

/** Which of `count` values is the largest, of equals the first. */
export function largestOf(values: ArrayLike<number>, from: number, count: number): number {
  let at = 0;
  for (let i = 1; i < count; i++) if (values[from + i]! > values[from + at]!) at = i;
  return at;
}

/** NaN of nothing. */
export function meanOf(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : values.reduce((sum, x) => sum + x, 0) / values.length;
}

export function variance(values: ArrayLike<number>): number {
  let mean = 0;
  for (let i = 0; i < values.length; i++) mean += values[i]! / values.length;
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i]! - mean) ** 2;
  return sum / values.length;
}
