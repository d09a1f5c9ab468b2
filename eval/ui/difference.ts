/** What two runs say of the same contenders on one link. */
import { isReference } from "../contenders/contender.ts";
import { type Column, formatMean, intervalsText, tiesText } from "../report/columns.ts";
import type { SummaryRow } from "../summary.ts";
import { tieWith } from "../verdicts/standing.ts";
import { linksDiffer, type RunLink } from "./run-links.ts";

interface Side {
  readonly name: string;
  readonly link: RunLink;
}

export interface Difference {
  /** in which run each contender does better by the headline, in a sentence */
  readonly answer: string;
  /** when two values are framed, and what ± is, in the words of every table; absent: the links differ, nothing is judged */
  readonly rule?: string;
  /** contender -> quantities in which the two runs are no tie */
  readonly differing: Readonly<Record<string, readonly string[]>>;
  /** contenders that do not compete */
  readonly references: readonly string[];
}

/** By the rule of every table; false where one has no such quantity. */
function differ(column: Column, a: SummaryRow, b: SummaryRow): boolean {
  const isMeasured = a[column.quantity] !== undefined && b[column.quantity] !== undefined;
  return isMeasured && tieWith(column, a, b) === undefined;
}

function listed(texts: readonly string[]): string {
  return texts.length < 2 ? texts.join("") : `${texts.slice(0, -1).join(", ")} and ${texts.at(-1)}`;
}

function seedsOf({ rows }: RunLink): number[] {
  const seeds = rows.flatMap(({ bySeed }) =>
    Object.values(bySeed ?? {}).flatMap((values) => Object.keys(values)),
  );
  return [...new Set(seeds)].map(Number).sort((a, b) => a - b);
}

function ruleOf(a: RunLink, b: RunLink): string {
  const [ofA, ofB] = [seedsOf(a), seedsOf(b)];
  const isSame = ofA.length === ofB.length && ofA.every((seed, i) => seed === ofB[i]);
  const tied = isSame ? tiesText(ofA) : "their intervals overlap, as their seeds are not the same";
  const intervals = isSame ? intervalsText(ofA) : "mean ± half width of the 95 % confidence interval";
  return `Framed: the two runs are not tied. Tied: ${tied}. Values: ${intervals}.`;
}

/** @param headline of which more is better */
export function differenceOf(columns: readonly Column[], headline: Column, a: Side, b: Side): Difference {
  const names = new Set([...a.link.rows, ...b.link.rows].map(({ algorithm }) => algorithm));
  const references = [...names].filter(isReference);
  const unlike = linksDiffer(a, b);
  if (unlike !== undefined) {
    const answer = `Not judged, as the links differ: ${unlike}.`;
    return { answer, differing: {}, references };
  }
  const better: [string[], string[]] = [[], []];
  const same: string[] = [];
  const differing: Record<string, string[]> = {};
  for (const own of a.link.rows) {
    const { algorithm } = own;
    const other = b.link.rows.find((row) => row.algorithm === algorithm);
    if (other === undefined) continue;
    differing[algorithm] = columns
      .filter((column) => differ(column, own, other))
      .map(({ quantity }) => quantity);
    const values = [own, other].map((row) => row[headline.quantity]?.mean);
    if (values[0] === undefined || values[1] === undefined) continue;
    const by = values[0] - values[1];
    const text = formatMean(headline, { mean: Math.abs(by), ci95: null, samples: 1 });
    if (differ(headline, own, other)) better[by > 0 ? 0 : 1].push(`${algorithm} (by ${text})`);
    else same.push(algorithm);
  }
  const parts = [a, b].flatMap(({ name }, i) =>
    better[i]!.length === 0 ? [] : [`${name} is better for ${listed(better[i]!)}`],
  );
  if (same.length > 0) parts.push(`tied for ${listed(same)}`);
  const answer =
    parts.length === 0 ? "They have no contender in common." : `By ${headline.title}: ${parts.join("; ")}.`;
  return { answer, rule: ruleOf(a.link, b.link), differing, references };
}
