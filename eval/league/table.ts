/**
 * The league table: for each contender mean, interquartile mean and worst of its score over links, with bootstrap intervals, and how
 * often it is at least as good as the best of the baselines. Definitions of Agarwal et al., "Deep Reinforcement Learning at the
 * Edge of the Statistical Precipice" (NeurIPS 2021; rliable): the interquartile mean leaves out the lowest and highest quarter
 * of all runs; intervals are percentiles of a stratified bootstrap, which draws seeds anew within each link.
 */
import Table from "cli-table3";
import { Rng } from "../../core/random.ts";
import type { BenchmarkRecord } from "../benchmark.ts";
import { PLAIN_TABLE } from "../experiments/plain-table.ts";
import { CONFIDENCE, mean } from "../statistics.ts";

/** Of which the best of each link is what everybody is measured by. */
export const BASELINES: readonly string[] = ["cubic", "vegas", "bbr", "bbr3", "copa"];

const RESAMPLES = 2000;
/** A score this much below the best of a link is still near it. */
const NEAR = 0.5;
/** What a link is to be used, where one of these uses it so. */
const USED = { share: 0.8, by: ["cubic", "bbr"] };
/** Loss that nobody minds, and by whom more is excused. */
const LOST = { share: 0.02, by: "bbr" };

export interface Interval95 {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export interface LeagueRow {
  readonly algorithm: string;
  readonly links: number;
  /** of the score, over links */
  readonly mean: Interval95;
  /** of the score less the best baseline's mean on the link, over runs */
  readonly iqm: Interval95;
  /** the same, of the worst link */
  readonly worst: number;
  readonly worstLink: string;
  /** links on which it is at least as good as the best baseline; within 0.5 of it */
  readonly wins: number;
  readonly near: number;
  readonly utilisation: number;
  readonly lossRate: number;
  /** links that it leaves idle: less used than 80 % where Cubic or BBR use as much */
  readonly idle: readonly string[];
  /** links on which it loses more than 2 % and more than BBR loses */
  readonly lossy: readonly string[];
  /** beside itself and beside Cubic, by case; absent: not run */
  readonly jain?: Readonly<Record<string, number>>;
  readonly cubicShare?: Readonly<Record<string, number>>;
}

/** The mean of what is left without the lowest and the highest quarter; of fewer than four values their mean. */
export function interquartileMean(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const cut = Math.floor(sorted.length / 4);
  return mean(sorted.slice(cut, sorted.length - cut));
}

/** @param strata values by link, one per seed */
export function stratifiedBootstrap(
  strata: readonly (readonly number[])[],
  of: (strata: readonly (readonly number[])[]) => number,
  rng: Rng,
): Interval95 {
  const value = of(strata);
  const drawn = Float64Array.from({ length: RESAMPLES }, () =>
    of(strata.map((values) => values.map(() => values[rng.integer(values.length)]!))),
  ).sort();
  const at = (q: number): number => drawn[Math.min(RESAMPLES - 1, Math.floor(q * RESAMPLES))]!;
  return { value, low: at(0.5 - CONFIDENCE / 2), high: at(0.5 + CONFIDENCE / 2) };
}

/** One row per contender, the best mean first. */
export function leagueRows(records: readonly BenchmarkRecord[]): LeagueRow[] {
  const links = [...new Set(records.map(({ scenario }) => scenario))];
  const algorithms = [...new Set(records.map(({ algorithm }) => algorithm))];
  const of = (algorithm: string, link: string): BenchmarkRecord[] =>
    records.filter((each) => each.algorithm === algorithm && each.scenario === link);
  const scores = (algorithm: string, link: string): number[] => of(algorithm, link).map(({ score }) => score);
  const present = algorithms.filter((name) => BASELINES.includes(name));
  const best = new Map(
    links.map((link) => [link, Math.max(...present.map((name) => mean(scores(name, link))))]),
  );
  const rows = algorithms.map((algorithm): LeagueRow => {
    const ran = links.filter((link) => of(algorithm, link).length > 0);
    const strata = ran.map((link) => scores(algorithm, link));
    const gaps = ran.map((link, i) => strata[i]!.map((score) => score - best.get(link)!));
    const gapMeans = gaps.map(mean);
    const worst = Math.min(...gapMeans);
    const utilisationOf = (name: string, link: string): number =>
      mean(of(name, link).map(({ utilisation }) => utilisation));
    const lossOf = (name: string, link: string): number =>
      mean(of(name, link).map(({ lossRate }) => lossRate));
    const isUsed = (link: string): boolean => USED.by.some((name) => utilisationOf(name, link) >= USED.share);
    const excused = (link: string): number => Math.max(LOST.share, lossOf(LOST.by, link) || 0);
    const all = ran.flatMap((link) => of(algorithm, link));
    const rng = Rng.fromSeed(1).fork("league");
    return {
      algorithm,
      links: ran.length,
      mean: stratifiedBootstrap(strata, (drawn) => mean(drawn.map(mean)), rng),
      iqm: stratifiedBootstrap(gaps, (drawn) => interquartileMean(drawn.flat()), rng),
      worst,
      worstLink: ran[gapMeans.indexOf(worst)]!,
      wins: gapMeans.filter((gap) => gap >= 0).length,
      near: gapMeans.filter((gap) => gap >= -NEAR).length,
      utilisation: mean(all.map(({ utilisation }) => utilisation)),
      lossRate: mean(all.map(({ lossRate }) => lossRate)),
      idle: ran.filter((link) => isUsed(link) && utilisationOf(algorithm, link) < USED.share),
      lossy: ran.filter((link) => lossOf(algorithm, link) > excused(link)),
    };
  });
  return rows.sort((a, b) => b.mean.value - a.mean.value);
}

const number = (value: number, digits = 2): string => (Number.isFinite(value) ? value.toFixed(digits) : "-");
const percent = (value: number): string => (Number.isFinite(value) ? `${(100 * value).toFixed(1)} %` : "-");
const interval = ({ value, low, high }: Interval95): string =>
  `${number(value)} [${number(low)}, ${number(high)}]`;
const cases = (values: Readonly<Record<string, number>> | undefined): string =>
  values === undefined
    ? "-"
    : Object.values(values)
        .map((value) => number(value))
        .join(" ");

export function leagueTable(rows: readonly LeagueRow[]): string {
  const table = new Table({
    ...PLAIN_TABLE,
    head: [
      "algorithm",
      "mean score",
      "IQM to best",
      "worst to best",
      "wins",
      "near",
      "utilisation",
      "loss",
      "idle",
      "lossy",
      "Jain 2, 4",
      "beside Cubic 1, 2, 4 BDP",
    ],
    colAligns: [
      "left",
      "right",
      "right",
      "left",
      "right",
      "right",
      "right",
      "right",
      "right",
      "right",
      "right",
      "right",
    ],
  });
  for (const row of rows) {
    table.push([
      row.algorithm,
      interval(row.mean),
      interval(row.iqm),
      `${number(row.worst)} ${row.worstLink}`,
      `${row.wins}/${row.links}`,
      `${row.near}/${row.links}`,
      percent(row.utilisation),
      percent(row.lossRate),
      String(row.idle.length),
      String(row.lossy.length),
      cases(row.jain),
      cases(row.cubicShare),
    ]);
  }
  const named = rows.flatMap(({ algorithm, idle, lossy }) => [
    ...(idle.length > 0 ? [`${algorithm} leaves idle: ${idle.join(", ")}`] : []),
    ...(lossy.length > 0 ? [`${algorithm} loses much on: ${lossy.join(", ")}`] : []),
  ]);
  return [table.toString(), ...named, ""].join("\n");
}
