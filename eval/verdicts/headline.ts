/** Quantities that verdicts, tables and pages may rank by. */
export const HEADLINES = ["score", "power"] as const;
export type Headline = (typeof HEADLINES)[number];
export const DEFAULT_HEADLINE: Headline = "score";

/** As a heading. */
export function headlineTitle(headline: Headline): string {
  return headline === "score" ? "Score" : "Power";
}
