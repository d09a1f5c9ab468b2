/** Sizes of transfers as a distribution: draws by a seeded generator, and the mean that a load is computed from. */
import { drawExponential } from "../../core/distributions.ts";
import { exp, log, pow } from "../../core/math.ts";
import type { Rng } from "../../core/random.ts";
import type { Bytes } from "../../core/units.ts";
import type { SizeSpec } from "../../scenarios/traffic/sizes.ts";

export interface Sizes {
  readonly meanBytes: Bytes;
  /** > 0 */
  draw(rng: Rng): Bytes;
}

interface Point {
  readonly bytes: Bytes;
  /** of a size of at most so many bytes */
  readonly probability: number;
}

/**
 * Web-like requests: 97.6 % of them at most 10 KB and the largest 0.002 % between 5 and 100 MB, as the CCP thesis and
 * Bundler (EuroSys 2022) report of a backbone trace. The trace is not public: the points between are ours. Sizes are
 * log-uniform between two points.
 */
const WEB_POINTS: readonly Point[] = [
  { bytes: 100, probability: 0 },
  { bytes: 1_000, probability: 0.6 },
  { bytes: 10_000, probability: 0.976 },
  { bytes: 100_000, probability: 0.996 },
  { bytes: 1_000_000, probability: 0.9996 },
  { bytes: 5_000_000, probability: 0.99998 },
  { bytes: 100_000_000, probability: 1 },
];

/** Between two points of a distribution function: how sizes lie there. */
interface Interpolation {
  at(low: Bytes, high: Bytes, fraction: number): Bytes;
  mean(low: Bytes, high: Bytes): Bytes;
}

const LINEAR: Interpolation = {
  at: (low, high, fraction) => low + (high - low) * fraction,
  mean: (low, high) => (low + high) / 2,
};
const LOG_UNIFORM: Interpolation = {
  at: (low, high, fraction) => exp(log(low) + (log(high) - log(low)) * fraction),
  mean: (low, high) => (high - low) / (log(high) - log(low)),
};

function byPoints(points: readonly Point[], between: Interpolation): Sizes {
  const first = points[0]!;
  let meanBytes = first.probability * first.bytes;
  for (let i = 1; i < points.length; i++) {
    const [low, high] = [points[i - 1]!, points[i]!];
    meanBytes += (high.probability - low.probability) * between.mean(low.bytes, high.bytes);
  }
  return {
    meanBytes,
    draw(rng) {
      const u = rng.next();
      const i = points.findIndex((point) => point.probability > u);
      const high = points[i] ?? points.at(-1)!;
      const low = points[i - 1];
      if (low === undefined) return high.bytes;
      return between.at(low.bytes, high.bytes, (u - low.probability) / (high.probability - low.probability));
    },
  };
}

/** Pareto with the tail cut off at `maxBytes`. */
function boundedPareto(shape: number, minBytes: Bytes, maxBytes: Bytes): Sizes {
  const ratio = pow(minBytes / maxBytes, shape);
  const meanBytes =
    shape === 1
      ? (minBytes * log(maxBytes / minBytes)) / (1 - ratio)
      : ((minBytes / (1 - ratio)) * shape * (1 - pow(minBytes / maxBytes, shape - 1))) / (shape - 1);
  return { meanBytes, draw: (rng) => minBytes * pow(1 - rng.next() * (1 - ratio), -1 / shape) };
}

export function makeSizes(spec: SizeSpec): Sizes {
  switch (spec.kind) {
    case "fixed":
      return { meanBytes: spec.bytes, draw: () => spec.bytes };
    case "uniform":
      return {
        meanBytes: (spec.minBytes + spec.maxBytes) / 2,
        draw: (rng) => rng.uniform(spec.minBytes, spec.maxBytes),
      };
    case "exponential":
      return { meanBytes: spec.meanBytes, draw: (rng) => spec.meanBytes * drawExponential(rng) };
    case "pareto":
      return boundedPareto(spec.shape, spec.minBytes, spec.maxBytes);
    case "web":
      return byPoints(WEB_POINTS, LOG_UNIFORM);
    case "empirical":
      return byPoints(spec.points, LINEAR);
  }
}
