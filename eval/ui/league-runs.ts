/** What each run folder has for the league; kept until the folder changes, since there may be hundreds. */
import { readSummary } from "../plots/saved-results.ts";
import type { LeagueRun } from "./league.ts";
import type { RunEntry } from "./run-folders.ts";
import { runLinks } from "./run-links.ts";

export class LeagueRuns {
  readonly #known = new Map<string, LeagueRun>();

  /** Of those that have results and could be read. */
  of(entries: readonly RunEntry[], pathOf: (id: string) => string): LeagueRun[] {
    return entries.flatMap(({ id, kind, error, modifiedMs }) => {
      if (kind !== "results" || error !== undefined) return [];
      const known = this.#known.get(id);
      if (known?.modifiedMs === modifiedMs) return [known];
      const saved = readSummary(pathOf(id));
      const run = { id, modifiedMs, headline: saved.headline, links: runLinks(saved) };
      this.#known.set(id, run);
      return [run];
    });
  }
}
