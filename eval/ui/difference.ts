/** What two runs say of the same contenders on one link. */
import { isReference } from "../contenders/contender.ts";
import { type Column, formatMean } from "../report/columns.ts";
import type { SummaryRow } from "../summary.ts";
import { tieWith } from "../verdicts/standing.ts";

interface Side {
  readonly name: string;
  /** of one link */
  readonly rows: readonly SummaryRow[];
}

export interface Difference {
  /** in which run each contender does better by the headline, in a sentence */
  readonly answer: string;
  /** contender -> quantities in which the two runs are no tie */
  readonly differing: Readonly<Record<string, readonly string[]>>;
  /** contenders that do not compete */
  readonly references: readonly string[];
}

/** The rule of every table: by the seeds that both have; false where one has no such quantity. */
function differ(column: Column, a: SummaryRow, b: SummaryRow): boolean {
  const isMeasured = a[column.quantity] !== undefined && b[column.quantity] !== undefined;
  return isMeasured && tieWith(column, a, b) === undefined;
}

function listed(texts: readonly string[]): string {
  return texts.length < 2 ? texts.join("") : `${texts.slice(0, -1).join(", ")} and ${texts.at(-1)}`;
}

/** @param headline of which more is better */
export function differenceOf(columns: readonly Column[], headline: Column, a: Side, b: Side): Difference {
  const better: [string[], string[]] = [[], []];
  const same: string[] = [];
  const differing: Record<string, string[]> = {};
  for (const own of a.rows) {
    const { algorithm } = own;
    const other = b.rows.find((row) => row.algorithm === algorithm);
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
  const names = new Set([...a.rows, ...b.rows].map(({ algorithm }) => algorithm));
  return { answer, differing, references: [...names].filter(isReference) };
}
