/**
 * A table of all contenders over the links of all results folders: who wins, by how much, and where each fails. Contenders of
 * different runs meet where the link is the same, over the seeds that both have; they are judged as in every table.
 */
import { isReference } from "../contenders/contender.ts";
import { groupBy } from "../group-by.ts";
import { leagueTable, type LeagueRow as StoredRow } from "../league/table.ts";
import type { Column } from "../report/columns.ts";
import { estimate } from "../statistics.ts";
import type { SummaryRow } from "../summary.ts";
import { DEFAULT_HEADLINE, type Headline } from "../verdicts/headline.ts";
import { type Barred, barredBy, tieWith } from "../verdicts/standing.ts";
import { headlineColumn } from "../verdicts/verdicts.ts";
import { describeLink, JUDGED, linkKey, type RunLink } from "./run-links.ts";

export interface LeagueRun {
  readonly id: string;
  readonly modifiedMs: number;
  readonly headline: Headline;
  readonly links: readonly RunLink[];
}

/** Two contenders over the links that both were on. */
export interface Duel {
  readonly links: number;
  readonly ahead: number;
  readonly behind: number;
}

export interface LeagueRow {
  readonly algorithm: string;
  /** links on which it met another contender */
  readonly links: number;
  readonly best: number;
  readonly tied: number;
  /** equal of equals; who was on few links comes after all that were not */
  readonly rank: number;
  /** on fewer than half as many links as the one on most: what it won there leads nowhere */
  readonly isOnFew: boolean;
  /** against the first row; absent: they have not met, or it is the first */
  readonly againstFirst?: Duel;
  /** median lead over the next where it is best; absent: nowhere */
  readonly medianLead?: number;
  /** where it does worst: not ranked, or furthest behind */
  readonly worst?: {
    readonly runId: string;
    readonly scenario: string;
    /** absent: it is the only link of that name */
    readonly link?: string;
    readonly text: string;
  };
}

export interface League {
  /** the title of the column that judges: the headline of all runs, or where they have several, the score */
  readonly by: string;
  readonly rows: readonly LeagueRow[];
}

/** Who was on fewer links than this share of the most leads nobody. */
const SHARE_OF_LINKS = 0.5;

interface Entry {
  readonly runId: string;
  readonly link: RunLink;
  readonly row: SummaryRow;
}

/** One contender and another on a link. */
interface Meeting {
  readonly other: string;
  /** of the headline; infinite where one of the two has none */
  readonly lead: number;
  readonly isTied: boolean;
  readonly barred?: Barred;
}

/** One contender on a link. */
interface Place {
  readonly algorithm: string;
  readonly entry: Entry;
  readonly outcome: "best" | "tied" | "behind";
  /** best: ahead of the next; behind: of the best mean; absent: there is no other that is ranked */
  readonly margin?: number;
  readonly against?: string;
  readonly barred?: Barred;
  readonly standings: readonly { readonly other: string; readonly sign: number }[];
}

function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

const percent = (fraction: number): string => `${(100 * fraction).toFixed(0)} %`;

function textOf({ barred, margin, against, entry }: Place): string {
  if (barred !== undefined) {
    const does = barred.by === "utilisation" ? "uses" : "loses";
    return `not ranked: ${does} ${percent(barred.value)} where ${barred.other} ${does} ${percent(barred.otherValue)}`;
  }
  const { utilisation } = entry.row;
  const uses = utilisation === undefined ? "" : `, uses ${percent(utilisation.mean)}`;
  return `${margin!.toFixed(2)} below ${against}${uses}`;
}

/** A link that is not ranked counts as further behind than any that is. */
function depth({ barred, margin }: Place): number {
  return barred === undefined ? margin! : 1000 + Math.abs(barred.value - barred.otherValue);
}

/** Rows stay while their folder does, and each is asked for its seeds by all others of its link. */
const seedsByRow = new WeakMap<SummaryRow, readonly string[]>();

function seedsOf(row: SummaryRow): readonly string[] {
  let seeds = seedsByRow.get(row);
  if (seeds === undefined) {
    seeds = [...new Set(JUDGED.flatMap((quantity) => Object.keys(row.bySeed?.[quantity] ?? {})))];
    seedsByRow.set(row, seeds);
  }
  return seeds;
}

type BySeed = NonNullable<SummaryRow["bySeed"]>;

/** As if these had been its runs. */
function withSeeds({ scenario, link, algorithm, goodputMbps }: SummaryRow, bySeed: BySeed): SummaryRow {
  const known = Object.entries(bySeed).filter(([, values]) => Object.keys(values).length > 0);
  const estimates = known.map(([quantity, values]) => [quantity, estimate(Object.values(values))] as const);
  return { scenario, link, algorithm, goodputMbps, ...Object.fromEntries(estimates), bySeed };
}

function onSeeds(row: SummaryRow, seeds: readonly string[]): SummaryRow {
  if (seedsOf(row).length === seeds.length) return row;
  const bySeed = Object.entries(row.bySeed ?? {}).map(([quantity, values]) => {
    const known = seeds.filter((seed) => seed in values);
    return [quantity, Object.fromEntries(known.map((seed) => [seed, values[seed]!]))] as const;
  });
  return withSeeds(row, Object.fromEntries(bySeed));
}

/** An older run of the same contender: it got the same in the seeds of both. What was trained anew is not. */
function isSame(newer: SummaryRow, older: SummaryRow): boolean {
  const shared = JUDGED.flatMap((quantity) => {
    const before = older.bySeed?.[quantity] ?? {};
    const values = Object.entries(newer.bySeed?.[quantity] ?? {}).filter(([seed]) => seed in before);
    return values.map(([seed, value]) => before[seed] === value);
  });
  return shared.length > 0 && shared.every(Boolean);
}

/** A short new run takes no seed from a longer old one of the same contender. */
function withOlder(newer: SummaryRow, older: SummaryRow): SummaryRow {
  const own = seedsOf(newer);
  if (seedsOf(older).every((seed) => own.includes(seed)) || !isSame(newer, older)) return newer;
  const quantities = Object.keys(newer.bySeed ?? {});
  const bySeed = quantities.map(
    (quantity) => [quantity, { ...older.bySeed?.[quantity], ...newer.bySeed?.[quantity] }] as const,
  );
  return withSeeds(newer, Object.fromEntries(bySeed));
}

/** What each says of the other; undefined: they have no seed in common. */
function meet(column: Column, one: SummaryRow, other: SummaryRow): [Meeting, Meeting] | undefined {
  const ofOther = seedsOf(other);
  const seeds = seedsOf(one).filter((seed) => ofOther.includes(seed));
  if (seeds.length === 0) return undefined;
  const rows = [onSeeds(one, seeds), onSeeds(other, seeds)] as const;
  const [a, b] = rows.map((row) => row[column.quantity]?.mean);
  const isTied =
    a === undefined || b === undefined ? a === b : tieWith(column, rows[0], rows[1]) !== undefined;
  const value = (mean: number | undefined): number => mean ?? Number.NEGATIVE_INFINITY;
  const lead = a === b ? 0 : value(a) - value(b);
  const of = (i: 0 | 1): Meeting => {
    const barred = barredBy(rows[i], rows);
    return {
      other: rows[1 - i]!.algorithm,
      lead: i === 0 ? lead : -lead,
      isTied,
      ...(barred !== undefined && { barred }),
    };
  };
  return [of(0), of(1)];
}

/** The other that does best in what bars it, utilisation first, as where all meet in one run. */
function worstBarred(meetings: readonly Meeting[]): Barred | undefined {
  const all = meetings.flatMap(({ barred }) => barred ?? []);
  const unused = all.filter(({ by }) => by === "utilisation");
  return unused.length > 0
    ? unused.reduce((most, each) => (each.otherValue > most.otherValue ? each : most))
    : all.toSorted((a, b) => a.otherValue - b.otherValue)[0];
}

/** Of the contenders that met another one there. */
function placesOn(column: Column, entries: readonly Entry[]): Place[] {
  const met = new Map<string, Meeting[]>(entries.map(({ row }) => [row.algorithm, []]));
  for (const [i, { row }] of entries.entries()) {
    for (const { row: other } of entries.slice(i + 1)) {
      const pair = meet(column, row, other);
      if (pair === undefined) continue;
      met.get(row.algorithm)!.push(pair[0]);
      met.get(other.algorithm)!.push(pair[1]);
    }
  }
  const barredOf = new Map([...met].map(([name, meetings]) => [name, worstBarred(meetings)]));
  return entries.flatMap((entry) => {
    const { algorithm } = entry.row;
    const meetings = met.get(algorithm)!;
    if (meetings.length === 0) return [];
    const barred = barredOf.get(algorithm);
    const ranked = meetings
      .filter(({ other }) => barredOf.get(other) === undefined)
      .sort((a, b) => a.lead - b.lead);
    const [rival] = ranked;
    const isBehind = barred !== undefined || (rival !== undefined && rival.lead < 0 && !rival.isTied);
    const outcome = isBehind ? "behind" : ranked.some(({ isTied }) => isTied) ? "tied" : "best";
    const standings = meetings.map(({ other, lead, isTied }) => {
      const isRanked = Number(barred === undefined);
      const unlike = isRanked - Number(barredOf.get(other) === undefined);
      return { other, sign: unlike !== 0 ? unlike : isRanked === 0 || isTied ? 0 : Math.sign(lead) };
    });
    const isMeasured = rival !== undefined && Number.isFinite(rival.lead);
    return {
      algorithm,
      entry,
      outcome,
      standings,
      ...(isMeasured && { margin: Math.abs(rival.lead), against: rival.other }),
      ...(barred !== undefined && { barred }),
    };
  });
}

/** Each contender of each link, as the newest run with it there has it, with the seeds that older ones add. */
function entriesByLink(runs: readonly LeagueRun[]): Map<string, Map<string, Entry>> {
  const byLink = new Map<string, Map<string, Entry>>();
  for (const { id, links } of runs.toSorted((a, b) => b.modifiedMs - a.modifiedMs)) {
    for (const link of links) {
      const key = linkKey(link, id);
      const known = byLink.get(key) ?? new Map<string, Entry>();
      byLink.set(key, known);
      for (const row of link.rows) {
        if (isReference(row.algorithm)) continue;
        const newer = known.get(row.algorithm);
        known.set(
          row.algorithm,
          newer === undefined ? { runId: id, link, row } : { ...newer, row: withOlder(newer.row, row) },
        );
      }
    }
  }
  return byLink;
}

/** algorithm -> other -> the two over all links. */
function duelsOf(places: readonly Place[]): Map<string, Map<string, Duel>> {
  const duels = new Map<string, Map<string, Duel>>();
  for (const { algorithm, standings } of places) {
    const own = duels.get(algorithm) ?? new Map<string, Duel>();
    duels.set(algorithm, own);
    for (const { other, sign } of standings) {
      const { links, ahead, behind } = own.get(other) ?? { links: 0, ahead: 0, behind: 0 };
      own.set(other, {
        links: links + 1,
        ahead: ahead + Number(sign > 0),
        behind: behind + Number(sign < 0),
      });
    }
  }
  return duels;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

type Unranked = Omit<LeagueRow, "rank" | "isOnFew" | "againstFirst">;

function rowOf(algorithm: string, places: readonly Place[], ambiguous: ReadonlySet<string>): Unranked {
  const best = places.filter(({ outcome }) => outcome === "best");
  const behind = places.filter(
    ({ outcome, barred, margin }) => outcome === "behind" && (barred !== undefined || margin !== undefined),
  );
  const worst = behind.sort((a, b) => depth(b) - depth(a))[0];
  const scenario = worst?.entry.link.scenario ?? "";
  const medianLead = median(best.flatMap(({ margin }) => margin ?? []));
  return {
    algorithm,
    links: places.length,
    best: best.length,
    tied: places.filter(({ outcome }) => outcome === "tied").length,
    ...(medianLead !== undefined && { medianLead }),
    ...(worst && {
      worst: {
        runId: worst.entry.runId,
        scenario,
        ...(ambiguous.has(scenario) && { link: describeLink(worst.entry.link) }),
        text: textOf(worst),
      },
    }),
  };
}

/**
 * First who is ahead of most others on the links that the two have in common (Copeland: who is ahead of every other leads), then
 * by the share of all meetings that were won. A link of several runs counts once, as the newest one with the contender has it.
 */
export function leagueOf(runs: readonly LeagueRun[]): League {
  const headlines = new Set(runs.map(({ headline }) => headline));
  const column = headlineColumn(headlines.size === 1 ? [...headlines][0]! : DEFAULT_HEADLINE);
  const placesByLink = [...entriesByLink(runs).values()].map((of) => placesOn(column, [...of.values()]));
  const names = placesByLink.flatMap(([place]) => place?.entry.link.scenario ?? []);
  const ambiguous = new Set(names.filter((name, i) => names.indexOf(name) !== i));
  const places = placesByLink.flat();
  const duels = duelsOf(places);
  const rows = [...groupBy(places, ({ algorithm }) => algorithm)].map(([name, of]) =>
    rowOf(name, of, ambiguous),
  );
  const mostLinks = Math.max(0, ...rows.map(({ links }) => links));
  const isOnFew = ({ links }: Unranked): boolean => links < SHARE_OF_LINKS * mostLinks;
  const many = new Set(rows.filter((row) => !isOnFew(row)).map(({ algorithm }) => algorithm));
  const ranked = rows.map((row) => {
    const against = [...duels.get(row.algorithm)!]
      .filter(([other]) => many.has(other))
      .map(([, duel]) => duel);
    const won = sum(against.map(({ ahead, behind }) => Math.sign(ahead - behind)));
    const net = sum(against.map(({ ahead, behind }) => ahead - behind));
    return {
      row,
      keys: [Number(isOnFew(row)), -won, -net / Math.max(1, sum(against.map(({ links }) => links)))],
    };
  });
  const order = (a: readonly number[], b: readonly number[]): number =>
    a.map((key, i) => key - b[i]!).find((by) => by !== 0) ?? 0;
  ranked.sort((a, b) => order(a.keys, b.keys) || b.row.links - a.row.links);
  const first = ranked[0]?.row.algorithm;
  return {
    by: column.title,
    rows: ranked.map(({ row, keys }) => {
      const againstFirst = duels.get(row.algorithm)!.get(first!);
      return {
        ...row,
        rank: 1 + ranked.findIndex((each) => order(each.keys, keys) === 0),
        isOnFew: isOnFew(row),
        ...(againstFirst !== undefined && { againstFirst }),
      };
    }),
  };
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
