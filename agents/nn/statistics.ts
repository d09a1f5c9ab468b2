/** Running statistics by Welford's method, and what they normalise. */

/** Keeps a standard deviation above 0. */
export const EPSILON = 1e-8;

/** Of one quantity: mean and sum of squared deviations. */
export interface Statistics {
  count: number;
  mean: number;
  squares: number;
}

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
