/** The links of a run as its results store them: whether another run had the same one, and in what the two differ. */
import { isDeepStrictEqual } from "node:util";
import type { SavedSummary } from "../plots/saved-results.ts";
import { byLink } from "../report/columns.ts";
import type { SummaryRow } from "../summary.ts";

/** All that the course of a link depends on, by the fields of a scenario. */
type Settings = Readonly<Record<string, unknown>>;

export interface RunLink {
  readonly scenario: string;
  readonly label: string;
  /** absent: not stored, as of a run that goes on */
  readonly settings?: Settings;
  /** each with its values by seed, also of one seed */
  readonly rows: readonly SummaryRow[];
}

/** What verdicts look at. */
export const JUDGED = ["utilisation", "lossRate", "score", "power"] as const;

function withSeed(row: SummaryRow, seed: number): SummaryRow {
  if (row.bySeed !== undefined) return row;
  const known = JUDGED.filter((quantity) => row[quantity] !== undefined);
  const bySeed = Object.fromEntries(known.map((quantity) => [quantity, { [seed]: row[quantity]!.mean }]));
  return { ...row, bySeed };
}

export function runLinks({ summary, scenarios, seeds, testbed }: SavedSummary): RunLink[] {
  return byLink(summary).map((rows): RunLink => {
    const { scenario, link: label } = rows[0]!;
    // where each seed draws its link, that of the first one stands for all
    const stored = scenarios.find(({ name }) => name === scenario || name.startsWith(`${scenario} (seed `));
    const common = { scenario, label, rows: rows.map((row) => withSeed(row, seeds[0] ?? 1)) };
    if (stored === undefined) return common;
    const { name: _name, source: _source, description: _description, ...settings } = stored;
    return { ...common, settings: { testbed, ...settings } };
  });
}

/** The same for the same link of any run; of what is not stored, of no other run. */
export function linkKey({ scenario, label, settings }: RunLink, runId: string): string {
  return JSON.stringify([scenario, label, settings ?? runId]);
}

/** `12 Mbit/s, 20 ms for 5 s` */
export function describeLink({ label, settings }: RunLink): string {
  return settings === undefined ? label : `${label} for ${settings["durationSec"]} s`;
}

interface Side {
  readonly name: string;
  readonly link: RunLink;
}

/** `a has 12 Mbit/s, 20 ms for 5 s, b has 12 Mbit/s, 60 ms for 5 s`; undefined: nothing tells them apart. */
export function linksDiffer(a: Side, b: Side): string | undefined {
  const [ofA, ofB] = [a, b].map(({ link }) => link.settings);
  const isStored = ofA !== undefined && ofB !== undefined;
  const [textA, textB] = isStored
    ? [describeLink(a.link), describeLink(b.link)]
    : [a.link.label, b.link.label];
  if (textA !== textB) return `${a.name} has ${textA}, ${b.name} has ${textB}`;
  if (!isStored) return undefined;
  const fields = [...new Set([...Object.keys(ofA), ...Object.keys(ofB)])];
  const unlike = fields.filter((field) => !isDeepStrictEqual(ofA[field], ofB[field]));
  return unlike.length === 0 ? undefined : `${textA} in both, but not the same ${unlike.join(", ")}`;
}
