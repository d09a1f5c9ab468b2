/** Wiring: the same results may be made again into their folder, others may not take their place unasked. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CcparkError } from "../../core/errors.ts";

/** What a file of results says of itself. */
export type Stored = Readonly<Record<string, unknown>>;

/** @param whose whose results they are, where they do not say so by a `command` */
export interface OwnResults {
  readonly folder: string;
  /** JSON that says what the results are of */
  readonly file: string;
  readonly isSame: (stored: Stored) => boolean;
  readonly whose?: (stored: Stored) => string;
  /** what would help; default: another folder, or to replace them */
  readonly expected?: string;
}

/** @throws CcparkError already-exists: the folder has results of something else */
export function refuseOther({
  folder,
  file,
  isSame,
  whose,
  expected = "another --out, or --force",
}: OwnResults): void {
  let stored: unknown;
  try {
    stored = JSON.parse(readFileSync(join(folder, file), "utf8"));
  } catch {
    return; // no results, or none that could be read again
  }
  if (typeof stored !== "object" || stored === null) return;
  const results = stored as Stored;
  const of =
    whose?.(results) ?? (typeof results["command"] === "string" ? `\`${results["command"]}\`` : undefined);
  if (of === undefined || isSame(results)) return;
  const message = `[output] folder has other results, \`${folder}\`: got those of ${of}, expected ${expected}`;
  throw new CcparkError("already-exists", message);
}
