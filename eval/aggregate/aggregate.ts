/**
 * What a benchmark of several links says as a whole, after Agarwal et al. (NeurIPS 2021): interquartile mean, performance profile
 * and probability of improvement, with stratified bootstrap intervals: seeds are drawn anew within each link.
 */
import { Rng } from "../../core/random.ts";
import type { BenchmarkRecord } from "../benchmark.ts";
import { groupBy } from "../group-by.ts";
import { CONFIDENCE, type Estimate, mean, median } from "../statistics.ts";

const RESAMPLES = 2000;
const SEED = 1;
/** Of the values on each side: the interquartile mean leaves them out. */
const TRIMMED = 0.25;
/** Where profiles are told. */
export const PROFILE_LEVELS: readonly number[] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/**
 * Kleinrock's power of a run, 0 to 1: utilisation x (1 - loss) x one-way delay without queue / one-way delay. The same scale on every
 * link, which means over links want.
 */
export function powerOf({
  utilisation,
  lossRate,
  meanOneWayDelayMs,
  meanQueueDelayMs,
}: BenchmarkRecord): number {
  if (!(meanOneWayDelayMs > 0)) return 0;
  return utilisation * (1 - lossRate) * Math.max(0, 1 - meanQueueDelayMs / meanOneWayDelayMs);
}

/** The mean of the middle half: a quarter of the values, rounded down, is left out at each end. */
export function interquartileMean(values: readonly number[]): number {
  const cut = Math.floor(TRIMMED * values.length);
  return mean(values.toSorted((a, b) => a - b).slice(cut, values.length - cut));
}

/** Share of the values above a level. */
export function shareAbove(values: readonly number[], level: number): number {
  return values.filter((value) => value > level).length / values.length;
}

/** How probably a value of the first is higher than one of the second; ties count half (Mann and Whitney's U / (m n)). */
export function probabilityOfImprovement(first: readonly number[], second: readonly number[]): number {
  let wins = 0;
  for (const a of first) for (const b of second) wins += a > b ? 1 : a === b ? 0.5 : 0;
  return wins / (first.length * second.length);
}

/** Cliff's delta, -1 to 1: 0 is no effect; below 0.147 in size it counts as negligible (Romano et al. 2006). */
export function cliffsDelta(first: readonly number[], second: readonly number[]): number {
  return 2 * probabilityOfImprovement(first, second) - 1;
}

/** Values by link: a resample draws as many within each. */
type Strata = readonly (readonly number[])[];

function resampled(strata: Strata, rng: Rng): number[][] {
  return strata.map((values) => values.map(() => values[rng.integer(values.length)]!));
}

/** Any statistic of values by link with its interval; the same on every machine. */
export function stratifiedBootstrap(
  groups: readonly Strata[],
  of: (groups: readonly Strata[]) => number,
): Estimate {
  const centre = of(groups);
  const samples = groups.flat(2).length;
  if (groups.every((strata) => strata.every((values) => values.length < 2)))
    return { mean: centre, ci95: null, samples };
  const rng = Rng.fromSeed(SEED).fork("stratified bootstrap");
  const statistics = Float64Array.from({ length: RESAMPLES }, () =>
    of(groups.map((strata) => resampled(strata, rng))),
  ).sort();
  const at = (q: number): number => statistics[Math.min(RESAMPLES - 1, Math.floor(q * RESAMPLES))]!;
  const [low, high] = [at(0.5 - CONFIDENCE / 2), at(0.5 + CONFIDENCE / 2)];
  return low === high
    ? { mean: centre, ci95: null, samples }
    : { mean: centre, ci95: (high - low) / 2, low, high, samples };
}

export interface ContenderAggregate {
  readonly algorithm: string;
  readonly interquartileMean: Estimate;
  readonly median: Estimate;
  /** share of the runs above each of `PROFILE_LEVELS` */
  readonly profile: readonly number[];
  /** against the first contender, mean over links; absent of itself */
  readonly against?: {
    readonly algorithm: string;
    readonly probabilityOfImprovement: Estimate;
    readonly cliffsDelta: Estimate;
  };
}

/** Of the power of all runs; contenders in the order of the records. */
export function aggregate(records: readonly BenchmarkRecord[]): ContenderAggregate[] {
  const links = [...groupBy(records, ({ scenario }) => scenario).values()];
  const names = [...new Set(records.map(({ algorithm }) => algorithm))];
  const strataOf = (name: string): Strata =>
    links.map((ofLink) => ofLink.filter(({ algorithm }) => algorithm === name).map(powerOf));
  const overLinks = (effect: typeof cliffsDelta) => (groups: readonly Strata[]) => {
    const both = groups[0]!.flatMap((own, i) => {
      const other = groups[1]![i]!;
      return own.length === 0 || other.length === 0 ? [] : [effect(own, other)];
    });
    return mean(both);
  };
  const [first] = names;
  return names.map((algorithm) => {
    const strata = strataOf(algorithm);
    const values = strata.flat();
    const pair = [strata, strataOf(first!)];
    return {
      algorithm,
      interquartileMean: stratifiedBootstrap([strata], ([own]) => interquartileMean(own!.flat())),
      median: stratifiedBootstrap([strata], ([own]) => median(own!.flat())),
      profile: PROFILE_LEVELS.map((level) => shareAbove(values, level)),
      ...(algorithm !== first && {
        against: {
          algorithm: first!,
          probabilityOfImprovement: stratifiedBootstrap(pair, overLinks(probabilityOfImprovement)),
          cliffsDelta: stratifiedBootstrap(pair, overLinks(cliffsDelta)),
        },
      }),
    };
  });
}
