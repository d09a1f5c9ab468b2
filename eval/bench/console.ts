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

/** Wall seconds that `run` takes: the median of `repeats`, after one warm-up. */
export function medianSeconds(repeats: number, run: () => void): number {
  run();
  const seconds = Array.from({ length: repeats }, () => {
    const began = performance.now();
    run();
    return (performance.now() - began) / 1000;
  });
  seconds.sort((a, b) => a - b);
  return seconds[Math.floor(seconds.length / 2)]!;
}
