/** How the benchmarks print: JSON Lines under --json, else one readable line each. */

export function wantsJson(): boolean {
  return process.argv.includes("--json");
}

export function printRow(row: Readonly<Record<string, string | number | boolean>>): void {
  if (wantsJson()) {
    console.log(JSON.stringify(row));
    return;
  }
  const text = Object.entries(row).map(
    ([key, value]) => `${key} ${typeof value === "number" ? compact(value) : value}`,
  );
  console.log(text.join("  "));
}

function compact(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toPrecision(4);
}

export interface Times {
  /** seconds of this process on the processor, all its threads together */
  readonly cpuSec: number;
  readonly wallSec: number;
}

function median(values: number[]): number {
  values.sort((a, b) => a - b);
  return values[Math.floor(values.length / 2)]!;
}

/** What `run` takes on what `prepare` makes (not timed): the medians of `repeats`, after one warm-up if there are several. */
export function medianTimes<T>(repeats: number, prepare: () => T, run: (prepared: T) => void): Times {
  if (repeats > 1) run(prepare());
  const cpuSecs: number[] = [];
  const wallSecs: number[] = [];
  for (let i = 0; i < repeats; i++) {
    const prepared = prepare();
    const before = process.cpuUsage();
    const began = performance.now();
    run(prepared);
    wallSecs.push((performance.now() - began) / 1000);
    const { user, system } = process.cpuUsage(before);
    cpuSecs.push((user + system) / 1e6);
  }
  return { cpuSec: median(cpuSecs), wallSec: median(wallSecs) };
}

/** A quantile of several figures, nearest rank. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]!;
}

/** Wall seconds that `run` takes: the median of `repeats`, after one warm-up. */
export function medianSeconds(repeats: number, run: () => void): number {
  return medianTimes(repeats, () => undefined, run).wallSec;
}
