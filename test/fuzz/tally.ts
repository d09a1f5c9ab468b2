/** Counts by what happened. */
export class Tally {
  readonly counts: Map<string, number> = new Map();

  add(what: string, by = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + by);
  }

  get(what: string): number {
    return this.counts.get(what) ?? 0;
  }

  /** Largest first. */
  rows(prefix: string): [what: string, count: number][] {
    return [...this.counts]
      .filter(([what]) => what.startsWith(prefix))
      .map(([what, count]): [string, number] => [what.slice(prefix.length), count])
      .sort((a, b) => b[1] - a[1]);
  }
}

/** A case that went wrong. */
export function demand(condition: boolean, what: () => string): void {
  if (!condition) throw new Error(what());
}
