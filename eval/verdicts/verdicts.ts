/** What a table says, in sentences: who is best on how many links and by how much, and where the others fall short. */
import { isReference } from "../contenders/contender.ts";
import { groupBy } from "../group-by.ts";
import { byLink, COLUMNS, type Column, formatMean } from "../report/columns.ts";
import type { SummaryRow } from "../summary.ts";
import type { Headline } from "./headline.ts";
import {
  allowedLossRate,
  askedUtilisation,
  type Barred,
  barredBy,
  leadersOf,
  MAX_LOSS_RATE,
  MIN_UTILISATION,
  type Tie,
  tieWith,
  type Unmet,
  unmetBy,
} from "./standing.ts";

export function headlineColumn(headline: Headline): Column {
  return COLUMNS.find(({ quantity }) => quantity === headline)!;
}

/** One contender on one link, by the headline. */
export interface LinkVerdict {
  readonly scenario: string;
  readonly link: string;
  readonly outcome: "best" | "tied" | "behind";
  /** the best of the link; empty where nobody competes */
  readonly leaders: readonly string[];
  /** why the best of the link are tied, each reason once; empty: one is best, or nobody */
  readonly ties: readonly Tie[];
  /** of the headline: best: ahead of the next; behind: of the best mean; absent: there is no other */
  readonly margin?: number;
  /** whom the margin is against */
  readonly against?: string;
  readonly utilisation: number;
  readonly lossRate: number;
  readonly barred?: Barred;
  /** of one of the best that has clearly less than every other that is ranked: in Mbit/s */
  readonly leastGoodputMbps?: number;
}

export interface ContenderVerdict {
  readonly algorithm: string;
  readonly links: readonly LinkVerdict[];
  readonly best: number;
  readonly tied: number;
}

const GOODPUT: Column = COLUMNS.find(({ quantity }) => quantity === "goodputMbps")!;

/** Undefined: another one has as little. */
function leastGoodput(row: SummaryRow, others: readonly SummaryRow[]): number | undefined {
  const { mean } = row.goodputMbps;
  const isLeast = others.every(
    (other) => other.goodputMbps.mean > mean && tieWith(GOODPUT, other, row) === undefined,
  );
  return isLeast && others.length > 0 ? mean : undefined;
}

function linkVerdict(row: SummaryRow, rows: readonly SummaryRow[], column: Column): LinkVerdict {
  const leaders = leadersOf(column, rows);
  const meanOf = (each: SummaryRow | undefined): number => each?.[column.quantity]?.mean ?? Number.NaN;
  const isLeader = leaders.includes(row);
  const barred = barredBy(row, rows);
  const others = rows
    .filter((each) => each !== row && !isReference(each.algorithm) && barredBy(each, rows) === undefined)
    .sort((a, b) => meanOf(b) - meanOf(a));
  const next = isLeader ? others[0] : leaders[0];
  const least = isLeader ? leastGoodput(row, others) : undefined;
  const margin = Math.abs(meanOf(row) - meanOf(next));
  return {
    scenario: row.scenario,
    link: row.link,
    outcome: !isLeader ? "behind" : leaders.length > 1 ? "tied" : "best",
    leaders: leaders.map(({ algorithm }) => algorithm),
    ties: [...new Set(leaders.slice(1).flatMap((leader) => tieWith(column, leaders[0]!, leader) ?? []))],
    ...(next !== undefined && !Number.isNaN(margin) && { margin, against: next.algorithm }),
    utilisation: row.utilisation?.mean ?? Number.NaN,
    lossRate: row.lossRate?.mean ?? Number.NaN,
    ...(barred !== undefined && { barred }),
    ...(least !== undefined && { leastGoodputMbps: least }),
  };
}

/** Where there is one link: the best mean first, of those that are tied. */
function byMean(a: ContenderVerdict, b: ContenderVerdict): number {
  const place = ({ algorithm, links: [link, ...more] }: ContenderVerdict): number =>
    link === undefined || more.length > 0 ? 0 : link.leaders.indexOf(algorithm);
  return place(a) - place(b);
}

/** The contenders that compete; those best on most links first. */
export function contenderVerdicts(summary: readonly SummaryRow[], headline: Headline): ContenderVerdict[] {
  const column = headlineColumn(headline);
  const links = byLink(summary);
  const names = [...new Set(summary.map(({ algorithm }) => algorithm))].filter((name) => !isReference(name));
  return names
    .map((algorithm): ContenderVerdict => {
      const verdicts = links.flatMap((rows) => {
        const row = rows.find((each) => each.algorithm === algorithm);
        return row === undefined ? [] : [linkVerdict(row, rows, column)];
      });
      const count = (outcome: LinkVerdict["outcome"]): number =>
        verdicts.filter((each) => each.outcome === outcome).length;
      return { algorithm, links: verdicts, best: count("best"), tied: count("tied") };
    })
    .sort((a, b) => b.best - a.best || b.tied - a.tied || byMean(a, b));
}

/** More links than these are counted, not named. */
const NAMED_LINKS = 3;
/** More contenders than these are counted. */
const NAMED_CONTENDERS = 12;

function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

function percent(fraction: number): string {
  const value = 100 * fraction;
  return value >= 10 || value === 0 ? value.toFixed(0) : value.toPrecision(2);
}

/** `57 to 59 %` */
function range(fractions: readonly number[]): string {
  const known = fractions.filter((value) => !Number.isNaN(value));
  const low = percent(Math.min(...known));
  const high = percent(Math.max(...known));
  return low === high ? `${low} %` : `${low} to ${high} %`;
}

/** What stands against a contender on these links: ` uses 57 to 59 %`, ` loses 8 %`. */
function shortfall(links: readonly LinkVerdict[]): string {
  const parts: string[] = [];
  const unused = links.filter(({ utilisation }) => utilisation < MIN_UTILISATION);
  const flooded = links.filter(({ lossRate }) => lossRate > MAX_LOSS_RATE);
  if (unused.length > 0) parts.push(`uses ${range(unused.map(({ utilisation }) => utilisation))}`);
  if (flooded.length > 0) parts.push(`loses ${range(flooded.map(({ lossRate }) => lossRate))}`);
  return parts.join(" and ");
}

function value(column: Column, of: number): string {
  return formatMean(column, { mean: of, ci95: null, samples: 1 });
}

/** Why, whatever its score: `it uses 75 % of the link, where 80 % is asked for and cubic uses 100 %`. */
function barredText({ by, value: own, other, otherValue }: Barred): string {
  return by === "utilisation"
    ? `it uses ${percent(own)} % of the link, where ${percent(askedUtilisation(otherValue))} % is asked for and ${other} uses ${percent(otherValue)} %`
    : `it loses ${percent(own)} % of its packets, where ${percent(allowedLossRate(otherValue))} % is the most and ${other} loses ${percent(otherValue)} %`;
}

/** Of several reasons the one that needs most: a difference is of the best mean and another, so that two others may differ. */
function tieText(ties: readonly Tie[], others: number): string {
  if (ties.includes("difference")) {
    return others === 1
      ? "the interval of their difference has 0 in it"
      : "the interval of each one's difference to the best mean has 0 in it";
  }
  if (ties.includes("two seeds")) {
    return others === 1
      ? "neither is ahead in both seeds"
      : "each one is behind the best mean in one of two seeds at most";
  }
  return ties.includes("overlap") ? "their intervals overlap" : "as good to the last digit";
}

/** What a score does not say of one of the best: `; with the least goodput of those ranked, 44.40 Mbit/s`. */
function leastText({ leastGoodputMbps }: LinkVerdict): string {
  return leastGoodputMbps === undefined
    ? ""
    : `; with the least goodput of those ranked, ${value(GOODPUT, leastGoodputMbps)} ${GOODPUT.unit}`;
}

/** Which mean of those tied is the better one: `, 0.37 above copa in the mean`; nothing where they read alike. */
function meanText({ algorithm, links }: ContenderVerdict, column: Column): string {
  const { leaders, margin, against } = links[0]!;
  if (margin === undefined || against === undefined || !leaders.includes(against)) return "";
  const by = value(column, margin);
  const whom = leaders.length === 2 ? "" : ` ${against}`;
  return Number(by) === 0 ? "" : `, ${by} ${leaders[0] === algorithm ? "above" : "below"}${whom} in the mean`;
}

/** On one link: by how much. */
function onOneLink(verdict: ContenderVerdict, column: Column): string {
  const { algorithm, links } = verdict;
  const link = links[0]!;
  const least = leastText(link);
  const by = link.margin === undefined ? "" : value(column, link.margin);
  const short = shortfall(links);
  switch (link.outcome) {
    case "best": {
      const ahead = link.against === undefined ? "" : `, ${by} above ${link.against}`;
      return `best deployable contender by ${column.title}${ahead}${short === "" ? "" : `; ${short}`}${least}`;
    }
    case "tied": {
      const others = link.leaders.filter((name) => name !== algorithm);
      return `tied with ${listed(others)} by ${column.title}${meanText(verdict, column)}: ${tieText(link.ties, others.length)}${short === "" ? "" : `; ${short}`}${least}`;
    }
    case "behind": {
      const { barred } = link;
      if (barred !== undefined) {
        return `not ranked by ${column.title}: ${barredText(barred)}`;
      }
      const behind = link.against === undefined ? "" : `: ${by} below ${link.against}`;
      return `behind by ${column.title}${behind}${short === "" ? "" : `; ${short}`}`;
    }
  }
}

/** By how much it wins: `, by 0.31 to 0.75 of score over the next ranked`. */
function lead(links: readonly LinkVerdict[], column: Column): string {
  const margins = links.flatMap(({ outcome, margin }) =>
    outcome === "best" && margin !== undefined ? [margin] : [],
  );
  if (margins.length === 0) return "";
  const low = value(column, Math.min(...margins));
  const high = value(column, Math.max(...margins));
  return `, by ${low === high ? low : `${low} to ${high}`} of ${column.title} over the next ranked`;
}

/** Of links where it is among the best: `, with the least goodput of those ranked on wifi`. */
function leastAcross(links: readonly LinkVerdict[]): string {
  const at = links.filter(({ leastGoodputMbps }) => leastGoodputMbps !== undefined);
  if (at.length === 0) return "";
  const where =
    at.length <= NAMED_LINKS ? listed(at.map(({ scenario }) => scenario)) : `${at.length} of them`;
  return `, with the least goodput of those ranked on ${where}`;
}

/** Several that are best where one is not, by the number of links: their names are in the tables. */
function leadersText(leaders: readonly (readonly [name: string, at: readonly LinkVerdict[]])[]): string {
  const named = leaders.slice(0, NAMED_LINKS).map(([leader, { length }], i) => {
    const links = length === 1 ? "link" : "links";
    return `${leader} (${i === 0 ? `${length} ${links}` : length})`;
  });
  const others = leaders.slice(NAMED_LINKS).reduce((sum, [, { length }]) => sum + length, 0);
  return listed(others === 0 ? named : [...named, `others (${others})`]);
}

function acrossLinks(
  { algorithm, links, best, tied }: ContenderVerdict,
  count: number,
  column: Column,
): string {
  const head =
    best > 0
      ? `best deployable contender on ${best} of ${count} links${lead(links, column)}`
      : `best on none of ${count} links`;
  const tiedLinks = links.filter(({ outcome }) => outcome === "tied").map(({ scenario }) => scenario);
  const ties = tied === 0 ? "" : `, tied on ${tied <= NAMED_LINKS ? listed(tiedLinks) : `${tied} more`}`;
  const behind = links.filter(({ outcome }) => outcome === "behind");
  const byLeader = new Map<string, LinkVerdict[]>();
  for (const link of behind) {
    const leader = link.leaders.length === 0 ? "nobody" : listed(link.leaders.slice(0, NAMED_LINKS));
    byLeader.set(leader, [...(byLeader.get(leader) ?? []), link]);
  }
  const unranked = behind.filter(({ barred }) => barred !== undefined);
  const ranks = unranked.length === behind.length ? "" : ` on ${unranked.length} of them`;
  const short = `${shortfall(behind)}${unranked.length === 0 ? "" : ` and is not ranked${ranks}`}`;
  const said = `${head}${ties}${leastAcross(links)}`;
  const leaders = [...byLeader].sort(([, a], [, b]) => b.length - a.length);
  if (leaders.length > 1) {
    const there = short === "" ? "" : `. There ${algorithm} ${short}`;
    return `${said}; ${best + tied > 0 ? "elsewhere " : ""}it is ${leadersText(leaders)}${there}`;
  }
  const where = leaders.map(([leader, at]) => {
    const names = at.map(({ scenario }) => scenario);
    return `; on ${names.length <= NAMED_LINKS ? listed(names) : `${names.length} links`} it is ${leader}`;
  });
  return `${said}${where.join("")}${short === "" ? "" : `, where ${algorithm} ${short}`}`;
}

/** Where even the best falls short: that no other contender does better says little. */
function unmetSentences(links: readonly (readonly SummaryRow[])[]): string[] {
  const at = new Map<Unmet, string[]>();
  for (const rows of links) {
    const unmet = unmetBy(rows);
    if (unmet !== undefined) at.set(unmet, [...(at.get(unmet) ?? []), rows[0]!.scenario]);
  }
  return [...at].map(([unmet, names]) => {
    const where =
      links.length === 1
        ? ""
        : `On ${names.length <= NAMED_LINKS ? listed(names) : `${names.length} of ${links.length} links`} `;
    const uses = `${where === "" ? "No" : "no"} contender uses ${percent(MIN_UTILISATION)} % of the link`;
    const loses = unmet === "both" ? ` and loses at most ${percent(MAX_LOSS_RATE)} %` : "";
    const rule =
      unmet === "both"
        ? "the best falls short, too"
        : "ranked is who comes near enough to the one that uses most";
    return `${where}${uses}${loses}: ${rule}.`;
  });
}

/** Of flows beside each other the table judges one: an unfair one may be best of it. */
function companySentence(links: readonly (readonly SummaryRow[])[]): string | undefined {
  const shared = links.filter((rows) => rows.some(({ jainIndex }) => jainIndex !== undefined));
  const [rows] = shared;
  if (rows === undefined) return undefined;
  if (links.length > 1) {
    const names = shared.map(([row]) => row!.scenario);
    const where =
      shared.length === links.length
        ? "Everywhere"
        : `On ${names.length <= NAMED_LINKS ? listed(names) : `${names.length} of ${links.length} links`}`;
    return `${where} several flows share the link: the first one is judged; how evenly they share is Jain's index.`;
  }
  const shares = rows
    .slice(0, NAMED_CONTENDERS)
    .flatMap(({ algorithm, jainIndex }) => (jainIndex ? [`${algorithm} ${jainIndex.mean.toFixed(3)}`] : []));
  return `The first flow is judged; Jain's index of all flows: ${shares.join(", ")}.`;
}

/** A sentence for each contender, those that win most first, and one for all of whom the same is said; then what does not compete. */
export function verdictSentences(summary: readonly SummaryRow[], headline: Headline): string[] {
  const column = headlineColumn(headline);
  const links = byLink(summary);
  const count = links.length;
  const verdicts = contenderVerdicts(summary, headline);
  const said = groupBy(verdicts.length < 2 ? [] : verdicts.slice(0, NAMED_CONTENDERS), (verdict) =>
    count === 1 ? onOneLink(verdict, column) : acrossLinks(verdict, count, column),
  );
  const sentences = [...said].map(
    ([text, of]) => `${listed(of.map(({ algorithm }) => algorithm))}: ${text}.`,
  );
  const more = verdicts.length - NAMED_CONTENDERS;
  if (more > 0) sentences.push(`And ${more} more contenders.`);
  if (verdicts.length > 1) {
    sentences.push(...unmetSentences(links));
    const company = companySentence(links);
    if (company !== undefined) sentences.push(company);
  }
  const references = [...new Set(summary.map(({ algorithm }) => algorithm))].filter(isReference);
  if (references.length > 0 && verdicts.length > 0) {
    const are = references.length === 1 ? "is a reference and does" : "are references and do";
    sentences.push(`${listed(references)} ${are} not compete.`);
  }
  return sentences;
}
