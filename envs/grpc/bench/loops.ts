/** Closed loops of round trips, timed one by one, and what is said of their times. */

/** Times of the round trips of one window, microseconds. */
export type Times = readonly number[];

export interface Window {
  readonly times: Times;
  /** of client and server on the processor per round trip, microseconds: what other work on the machine changes least */
  readonly cpuUs: number;
}

/** @param roundTrip resolves with its answer */
export async function timeRoundTrips(windowMs: number, roundTrip: () => Promise<unknown>): Promise<Times> {
  const times: number[] = [];
  const until = performance.now() + windowMs;
  let began = performance.now();
  while (began < until) {
    await roundTrip();
    const now = performance.now();
    times.push((now - began) * 1e3);
    began = now;
  }
  return times;
}

/** The same for a synchronous thing. */
export function timeCalls(windowMs: number, call: () => void): Times {
  const times: number[] = [];
  const until = performance.now() + windowMs;
  let began = performance.now();
  while (began < until) {
    call();
    const now = performance.now();
    times.push((now - began) * 1e3);
    began = now;
  }
  return times;
}

/** A quantile, nearest rank. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]!;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Time per round trip of a window: all of it, by their number. */
export const meanOf = ({ times }: Window): number =>
  times.reduce((sum, time) => sum + time, 0) / times.length;

export interface Contender {
  readonly name: string;
  run(windowMs: number): Promise<Times>;
  /** of the server so far, microseconds; absent: there is none */
  readonly serverCpuUs?: () => number;
}

async function measure({ run, serverCpuUs = () => 0 }: Contender, windowMs: number): Promise<Window> {
  const before = process.cpuUsage();
  const serverBeforeUs = serverCpuUs();
  const times = await run(windowMs);
  const { user, system } = process.cpuUsage(before);
  return { times, cpuUs: (user + system + serverCpuUs() - serverBeforeUs) / times.length };
}

/** Windows of each contender, in the order of the runs. */
export type Results = ReadonlyMap<string, readonly Window[]>;

/**
 * Runs of all contenders in turns, so that what else happens on the machine happens to all of them; the order turns
 * around from run to run.
 * @param warmRoundTrips of each before, at least: by time alone a busy machine would be measured before V8 has compiled
 */
export async function interleave(
  contenders: readonly Contender[],
  runs: number,
  windowMs: number,
  warmRoundTrips: number,
): Promise<Results> {
  for (const contender of contenders) {
    for (let done = 0; done < warmRoundTrips; ) done += (await contender.run(windowMs)).length;
  }
  const results = new Map<string, Window[]>(contenders.map(({ name }) => [name, []]));
  for (let run = 0; run < runs; run++) {
    const order = run % 2 === 0 ? contenders : [...contenders].reverse();
    for (const contender of order) results.get(contender.name)!.push(await measure(contender, windowMs));
  }
  return results;
}

export interface Summary {
  /** medians over the runs of the time per round trip, microseconds */
  readonly meanUs: number;
  /** of all round trips together */
  readonly p10Us: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** as `Window.cpuUs`, median over the runs */
  readonly cpuUs: number;
  readonly perSec: number;
}

export function summarise(windows: readonly Window[]): Summary {
  const meanUs = median(windows.map(meanOf));
  const all = windows.flatMap(({ times }) => times);
  return {
    meanUs,
    p10Us: quantile(all, 0.1),
    p50Us: quantile(all, 0.5),
    p99Us: quantile(all, 0.99),
    cpuUs: median(windows.map(({ cpuUs }) => cpuUs)),
    perSec: 1e6 / meanUs,
  };
}

/**
 * How many times as long one takes as another: medians over the runs of the ratios of their means and of their time on the
 * processor, and the ratios of their 10th and 50th percentiles. @param lessUs taken off the first, per round trip: what is not transport
 */
export function ratios(
  of: readonly Window[],
  to: readonly Window[],
  less: Summary | undefined,
): { readonly mean: number; readonly p50: number; readonly p10: number; readonly cpu: number } {
  const [a, b] = [summarise(of), summarise(to)];
  return {
    mean: median(of.map((window, i) => (meanOf(window) - (less?.meanUs ?? 0)) / meanOf(to[i]!))),
    p50: (a.p50Us - (less?.p50Us ?? 0)) / b.p50Us,
    p10: (a.p10Us - (less?.p10Us ?? 0)) / b.p10Us,
    cpu: median(of.map(({ cpuUs }, i) => (cpuUs - (less?.cpuUs ?? 0)) / to[i]!.cpuUs)),
  };
}
