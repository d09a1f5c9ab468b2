import * as z from "zod";
import type { Bytes } from "../../core/units.ts";
import { bytes, fraction, list, meanBytes } from "../schema/ranges.ts";
import { byKind, type Complaints, complain, fields, type Schema } from "../schema/shapes.ts";

interface SizePoint {
  readonly bytes: number;
  readonly probability: number;
}

/** Sizes of transfers, bytes. */
export type SizeSpec =
  | { readonly kind: "fixed"; readonly bytes: number }
  | { readonly kind: "uniform"; readonly minBytes: number; readonly maxBytes: number }
  | { readonly kind: "exponential"; readonly meanBytes: number }
  | {
      readonly kind: "pareto";
      readonly shape: number;
      readonly minBytes: number;
      readonly maxBytes: number;
    }
  /** heavy-tailed, web-like: 97.6 % of requests are 10 KB or less */
  | { readonly kind: "web" }
  /** piecewise linear between points of the distribution function, which ends at 1 */
  | { readonly kind: "empirical"; readonly points: readonly SizePoint[] };

function checkBounds(
  { minBytes, maxBytes }: { readonly minBytes: number; readonly maxBytes: number },
  complaints: Complaints,
): void {
  if (maxBytes < minBytes) complain(complaints, ["maxBytes"], `>= ${minBytes} (minBytes)`);
}

function checkDistribution(
  { points }: { readonly points: readonly SizePoint[] },
  complaints: Complaints,
): void {
  for (let i = 1; i < points.length; i++) {
    for (const key of ["bytes", "probability"] as const) {
      const before = points[i - 1]![key];
      if (points[i]![key] < before) {
        complain(complaints, ["points", i, key], `>= ${before}, as in the point before`);
        return;
      }
    }
  }
  if (points.at(-1)?.probability !== 1) {
    complain(complaints, ["points", points.length - 1, "probability"], "1 at the last point");
  }
}

export const SIZE_SCHEMA: Schema = byKind<SizeSpec>({
  fixed: { fields: { bytes } },
  uniform: { fields: { minBytes: bytes, maxBytes: bytes }, check: checkBounds },
  exponential: { fields: { meanBytes } },
  pareto: {
    fields: { shape: z.number().gt(0).max(100), minBytes: bytes, maxBytes: bytes },
    check: checkBounds,
  },
  web: { fields: {} },
  empirical: {
    fields: { points: list(fields<SizePoint>({ bytes, probability: fraction })).min(2) },
    check: checkDistribution,
  },
});

/** Below the mean of the web-like sizes, whose tail is heavy. */
const WEB_MEAN_BYTES = 5_000;

/** About the mean size, from below where a distribution is heavy-tailed: for estimates of how many transfers there are. */
export function roughMeanBytes(sizes: SizeSpec): Bytes {
  switch (sizes.kind) {
    case "fixed":
      return sizes.bytes;
    case "uniform":
      return (sizes.minBytes + sizes.maxBytes) / 2;
    case "exponential":
      return sizes.meanBytes;
    case "pareto":
      return sizes.minBytes;
    case "web":
      return WEB_MEAN_BYTES;
    case "empirical": {
      let mean = sizes.points[0]!.bytes * sizes.points[0]!.probability;
      for (let i = 1; i < sizes.points.length; i++) {
        const [a, b] = [sizes.points[i - 1]!, sizes.points[i]!];
        mean += ((a.bytes + b.bytes) / 2) * (b.probability - a.probability);
      }
      return mean;
    }
  }
}
