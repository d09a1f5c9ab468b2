/** A table of all contenders over the links of all results folders: who wins, by how much, and where each fails. */
import { leagueTable, type LeagueRow as StoredRow } from "../league/table.ts";
import type { LinkVerdict } from "../verdicts/verdicts.ts";
import type { RunEntry } from "./run-folders.ts";

export interface LeagueRow {
  readonly algorithm: string;
  /** links on which it met another contender */
  readonly links: number;
  readonly best: number;
  readonly tied: number;
  /** median lead over the next where it is best; absent: nowhere */
  readonly medianLead?: number;
  /** where it does worst: not ranked, or furthest behind */
  readonly worst?: { readonly runId: string; readonly scenario: string; readonly text: string };
}

function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

const percent = (fraction: number): string => `${(100 * fraction).toFixed(0)} %`;

function textOf({ barred, margin, against, utilisation }: LinkVerdict): string {
  if (barred !== undefined) {
    const does = barred.by === "utilisation" ? "uses" : "loses";
    return `not ranked: ${does} ${percent(barred.value)} where ${barred.other} ${does} ${percent(barred.otherValue)}`;
  }
  return `${margin!.toFixed(2)} below ${against}, uses ${percent(utilisation)}`;
}

/** A link that is not ranked counts as further behind than any that is. */
function depth({ barred, margin }: LinkVerdict): number {
  return barred === undefined ? margin! : 1000 + Math.abs(barred.value - barred.otherValue);
}

const nameOf = ({ scenario, link }: LinkVerdict): string => JSON.stringify([scenario, link]);

/** The largest share of wins first. A link of several runs counts once, as the newest one with the contender has it. */
export function leagueOf(runs: readonly RunEntry[]): LeagueRow[] {
  const of = new Map<string, { readonly runId: string; readonly link: LinkVerdict }[]>();
  for (const { id, verdicts } of runs.toSorted((a, b) => b.modifiedMs - a.modifiedMs)) {
    const names = verdicts.flatMap(({ links }) => links.map(nameOf));
    const seen = new Set<string>();
    const shared = new Set(names.filter((name) => seen.has(name) || !seen.add(name)));
    for (const { algorithm, links } of verdicts) {
      const before = of.get(algorithm) ?? [];
      const counted = new Set(before.map(({ link }) => nameOf(link)));
      const met = links.filter((link) => shared.has(nameOf(link)) && !counted.has(nameOf(link)));
      of.set(algorithm, [...before, ...met.map((link) => ({ runId: id, link }))]);
    }
  }
  return [...of]
    .filter(([, met]) => met.length > 0)
    .map(([algorithm, met]): LeagueRow => {
      const best = met.filter(({ link }) => link.outcome === "best");
      const behind = met.filter(
        ({ link }) => link.outcome === "behind" && (link.barred !== undefined || link.margin !== undefined),
      );
      const worst = behind.sort((a, b) => depth(b.link) - depth(a.link))[0];
      const medianLead = median(best.flatMap(({ link }) => link.margin ?? []));
      return {
        algorithm,
        links: met.length,
        best: best.length,
        tied: met.filter(({ link }) => link.outcome === "tied").length,
        ...(medianLead !== undefined && { medianLead }),
        ...(worst && {
          worst: { runId: worst.runId, scenario: worst.link.scenario, text: textOf(worst.link) },
        }),
      };
    })
    .sort((a, b) => b.best / b.links - a.best / a.links || b.tied / b.links - a.tied / a.links);
}

/** The table of what `ccpark league --json` printed, of 0.2.0 too, which did not say what is idle or lossy; what is no league stays the text that it is. */
export function leagueReport(text: string): string {
  try {
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    return leagueTable(lines.map((line): StoredRow => ({ idle: [], lossy: [], ...JSON.parse(line) })));
  } catch {
    return text;
  }
}
