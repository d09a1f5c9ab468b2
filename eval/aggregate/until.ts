/** Seeds until intervals are narrow: when a benchmark has run enough of them. */
import { CcparkError } from "../../core/errors.ts";
import type { BenchmarkRecord } from "../benchmark.ts";
import { type Quantity, SUMMARISED, summarise } from "../summary.ts";

export interface Until {
  readonly quantity: Quantity;
  /** half width of the 95 % interval / mean */
  readonly relativeWidth: number;
}

const FORM = /^(?:([A-Za-z0-9]+):)?ci=(.+)$/;

/** `ci=0.05` (of goodput), or `p95QueueDelayMs:ci=0.1`. @throws CcparkError invalid-argument */
export function parseUntil(text: string): Until {
  const [, name = "goodputMbps", width = ""] = FORM.exec(text) ?? [];
  const relativeWidth = Number(width);
  const quantity = SUMMARISED.find((each) => each === name);
  if (width.trim() !== "" && relativeWidth > 0 && relativeWidth < 1 && quantity !== undefined)
    return { quantity, relativeWidth };
  const expected = `ci=WIDTH between 0 and 1, or QUANTITY:ci=WIDTH with one of ${SUMMARISED.join(", ")}`;
  throw new CcparkError("invalid-argument", `[bench] --until: got \`${text}\`, expected ${expected}`);
}

/** The widest relative interval of all rows; 0: all are one outcome. */
export function widestInterval(records: readonly BenchmarkRecord[], { quantity }: Until): number {
  return summarise(records).reduce((widest, row) => {
    const value = row[quantity];
    if (value === undefined || value.ci95 === null) return widest;
    return Math.max(widest, value.mean === 0 ? Number.POSITIVE_INFINITY : value.ci95 / Math.abs(value.mean));
  }, 0);
}

/** Seeds to run next, since widths fall with the root of their number: enough to get there, at most as many again as there are. */
export function moreSeeds(seeds: number, widest: number, { relativeWidth }: Until, limit: number): number {
  const needed = Math.ceil(seeds * (widest / relativeWidth) ** 2);
  return Math.min(limit, Math.max(seeds + 1, Math.min(needed, 2 * seeds))) - seeds;
}
