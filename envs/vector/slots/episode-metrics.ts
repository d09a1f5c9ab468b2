/** What an episode was like, as numbers alone: 1 for yes, NaN for what has no value. */
export function asNumbers(metrics: object): Record<string, number> {
  return Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, Number(value)]));
}
