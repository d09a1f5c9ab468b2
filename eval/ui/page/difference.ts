/** What two runs say of the same contenders on one link, in a sentence. */
import type { Column, Estimate, Row } from "./api.ts";

/** Intervals that do not overlap, of values that do not read alike; a value without interval is a point. */
export function differ(
  { factor, digits }: Column,
  a: Estimate | null | undefined,
  b: Estimate | null | undefined,
): boolean {
  if (!a || !b || (a.mean * factor).toFixed(digits) === (b.mean * factor).toFixed(digits)) return false;
  return (a.low ?? a.mean) > (b.high ?? b.mean) || (b.low ?? b.mean) > (a.high ?? a.mean);
}

interface Side {
  readonly name: string;
  /** of one link */
  readonly rows: readonly Row[];
}

function listed(texts: readonly string[]): string {
  return texts.length < 2 ? texts.join("") : `${texts.slice(0, -1).join(", ")} and ${texts.at(-1)}`;
}

/** In which run each contender does better by the headline, of which more is better, and by how much. */
export function differenceText(headline: Column, a: Side, b: Side): string {
  const better: [string[], string[]] = [[], []];
  const same: string[] = [];
  for (const { algorithm, values } of a.rows) {
    const other = b.rows.find((row) => row.algorithm === algorithm)?.values[headline.quantity];
    const own = values[headline.quantity];
    if (!own || !other) continue;
    const by = own.mean - other.mean;
    const text = Math.abs(by * headline.factor).toFixed(headline.digits);
    if (differ(headline, own, other)) better[by > 0 ? 0 : 1].push(`${algorithm} (by ${text})`);
    else same.push(algorithm);
  }
  const parts = [a, b].flatMap(({ name }, i) =>
    better[i]!.length === 0 ? [] : [`${name} is better for ${listed(better[i]!)}`],
  );
  if (same.length > 0) parts.push(`as good for ${listed(same)}`);
  return parts.length === 0
    ? "They have no contender in common."
    : `By ${headline.title}: ${parts.join("; ")}.`;
}
