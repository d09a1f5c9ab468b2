/** How far two samples are from one another as distributions. */

/**
 * The Kolmogorov-Smirnov statistic: the largest difference of the two empirical distribution functions, 0 (the same) to 1 (apart).
 * @returns NaN where one of them is empty
 */
export function kolmogorovSmirnov(first: readonly number[], second: readonly number[]): number {
  if (first.length === 0 || second.length === 0) return Number.NaN;
  const a = Float64Array.from(first).sort();
  const b = Float64Array.from(second).sort();
  let largest = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const value = Math.min(a[i]!, b[j]!);
    while (i < a.length && a[i]! === value) i++;
    while (j < b.length && b[j]! === value) j++;
    largest = Math.max(largest, Math.abs(i / a.length - j / b.length));
  }
  return largest;
}

/**
 * The first Wasserstein distance, in the samples' own unit: how far, on average, a value of one has to be moved to make the other.
 * @returns NaN where one of them is empty
 */
export function wasserstein(first: readonly number[], second: readonly number[]): number {
  if (first.length === 0 || second.length === 0) return Number.NaN;
  const a = Float64Array.from(first).sort();
  const b = Float64Array.from(second).sort();
  // the area between the two quantile functions, which are steps
  let area = 0;
  let at = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const ends = [(i + 1) / a.length, (j + 1) / b.length] as const;
    const next = Math.min(...ends);
    area += (next - at) * Math.abs(a[i]! - b[j]!);
    at = next;
    if (ends[0] === next) i++;
    if (ends[1] === next) j++;
  }
  return area;
}
