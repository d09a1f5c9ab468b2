/**
 * Seeded generator of cellular-like traces: a doubly stochastic Poisson process, after the link model of Winstein,
 * Sivaraman and Balakrishnan (NSDI 2013, section 3: Poisson deliveries whose rate wanders, with outages).
 *   1. log-rate x: Ornstein-Uhlenbeck with standard deviation `sigma` and relaxation time `relaxationSec`, one step per
 *      10 ms; their walk is Brownian in the rate, which needs clipping at 0, ours stays positive and returns to its mean.
 *   2. outages: begin `outagesPerSec` times per second while up, last exponentially long, rate 0.
 *   3. the path is scaled so that its mean is `meanMbps`; grants arrive as a Poisson process of that rate divided by the
 *      mean grant, each is a geometric number of packets, and falls on the end of its scheduling slot of `slotMs`.
 * Left out on purpose: other users, handovers that change the mean, retransmissions below IP.
 */
import { drawExponential, drawNormal } from "../core/distributions.ts";
import { CcparkError, unknownName } from "../core/errors.ts";
import { exp, log } from "../core/math.ts";
import { Rng } from "../core/random.ts";
import type { Mbps } from "../core/units.ts";
import type { MahimahiTrace } from "./mahimahi.ts";
import { MAX_OPPORTUNITIES, OPPORTUNITY_BYTES } from "./mahimahi.ts";

/** What a model fixes; every number may be given instead. */
export interface TraceModel {
  readonly description: string;
  /** standard deviation of the natural log of the rate, 0 to 3 */
  readonly sigma: number;
  /** time in which the rate forgets where it was, seconds, > 0 */
  readonly relaxationSec: number;
  /** beginnings per second of time without outage, 0 to 100 */
  readonly outagesPerSec: number;
  /** mean length of an outage, seconds, 0 to 60 */
  readonly outageSec: number;
  /** scheduling slot, whole milliseconds, 1 to 1000 */
  readonly slotMs: number;
  /** mean packets per grant, 1 to 1000 */
  readonly grantPackets: number;
}

export type TraceModelName = "lte" | "umts" | "evdo-like" | "5g-like" | "wifi-like";

export const TRACE_MODELS: Readonly<Record<TraceModelName, TraceModel>> = {
  lte: {
    description: "LTE: 1 ms slots, small grants, rate wanders over seconds",
    sigma: 0.6,
    relaxationSec: 4,
    outagesPerSec: 0.01,
    outageSec: 0.3,
    slotMs: 1,
    grantPackets: 2,
  },
  umts: {
    description: "UMTS/HSPA: 10 ms slots, slower and more often out",
    sigma: 0.8,
    relaxationSec: 6,
    outagesPerSec: 0.03,
    outageSec: 0.8,
    slotMs: 10,
    grantPackets: 3,
  },
  "evdo-like": {
    description: "EV-DO: 5 ms turns of the scheduler, slow and uneven, long fades",
    sigma: 0.9,
    relaxationSec: 3,
    outagesPerSec: 0.05,
    outageSec: 0.6,
    slotMs: 5,
    grantPackets: 2,
  },
  "5g-like": {
    description: "5G millimetre wave: large bursts, wide swings, short blockages",
    sigma: 1,
    relaxationSec: 1.5,
    outagesPerSec: 0.15,
    outageSec: 0.25,
    slotMs: 1,
    grantPackets: 8,
  },
  "wifi-like": {
    description: "Wi-Fi: aggregated frames, contention changes the rate within a second",
    sigma: 0.4,
    relaxationSec: 0.7,
    outagesPerSec: 0,
    outageSec: 0,
    slotMs: 1,
    grantPackets: 12,
  },
};

export interface GenerateTraceOptions extends Partial<Omit<TraceModel, "description">> {
  readonly model: TraceModelName;
  /** mean over one lap in Mbit/s of 1504-byte opportunities, 0.01 to 10000; met up to Poisson noise */
  readonly meanMbps: Mbps;
  /** the period, whole seconds, 1 to 3600 */
  readonly durationSec: number;
  /** whole number, 0 to 2^53 - 1 */
  readonly seed: number;
  /** name of the result; absent: the model's */
  readonly name?: string;
}

/** One step of the rate's walk. */
const STEP_MS = 10;

/** Inclusive bounds of the numeric options. */
const BOUNDS: readonly (readonly [keyof GenerateTraceOptions, number, number, "whole" | "any"])[] = [
  ["meanMbps", 0.01, 10_000, "any"],
  ["durationSec", 1, 3600, "whole"],
  ["seed", 0, Number.MAX_SAFE_INTEGER, "whole"],
  ["sigma", 0, 3, "any"],
  ["relaxationSec", 0.01, 3600, "any"],
  ["outagesPerSec", 0, 100, "any"],
  ["outageSec", 0, 60, "any"],
  ["slotMs", 1, 1000, "whole"],
  ["grantPackets", 1, 1000, "any"],
];

/** Relative rate per step, unscaled. */
function drawRatePath(steps: number, model: TraceModel, rng: Rng): Float64Array {
  const path = new Float64Array(steps);
  const walk = rng.fork("walk");
  const outage = rng.fork("outage");
  const keep = exp(-STEP_MS / 1000 / model.relaxationSec);
  const kick = model.sigma * Math.sqrt(1 - keep * keep);
  const drawUpSteps = (): number =>
    model.outagesPerSec > 0 ? (drawExponential(outage) / model.outagesPerSec) * (1000 / STEP_MS) : steps + 1;
  let x = model.sigma * drawNormal(walk);
  let outageFrom = drawUpSteps();
  let outageTo = outageFrom + drawExponential(outage) * model.outageSec * (1000 / STEP_MS);
  for (let i = 0; i < steps; i++) {
    if (i >= outageTo) {
      outageFrom = i + drawUpSteps();
      outageTo = outageFrom + drawExponential(outage) * model.outageSec * (1000 / STEP_MS);
    }
    path[i] = i >= outageFrom ? 0 : exp(x);
    x = keep * x + kick * drawNormal(walk);
  }
  return path;
}

/**
 * A trace whose first line is at least 1 and whose last is the duration, so that laps join without artefact.
 * The same options give the same trace, on every machine.
 * @throws CcparkError invalid-argument for an option out of range, not-found for an unknown model
 */
export function generateTrace(options: GenerateTraceOptions): MahimahiTrace {
  if (!Object.hasOwn(TRACE_MODELS, options.model)) {
    throw unknownName("trace", "model", options.model, Object.keys(TRACE_MODELS));
  }
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const model = { ...TRACE_MODELS[options.model], ...given } as TraceModel & GenerateTraceOptions;
  for (const [key, low, high, kind] of BOUNDS) {
    const value = model[key];
    if (
      typeof value !== "number" ||
      !(value >= low && value <= high) ||
      (kind === "whole" && !Number.isInteger(value))
    ) {
      throw new CcparkError(
        "invalid-argument",
        `[trace] generator option out of range, ${key}: got ${String(value)}, expected ${kind === "whole" ? "a whole number, " : ""}${low} to ${high}`,
      );
    }
  }
  const periodMs = model.durationSec * 1000;
  const packetsPerMs = (model.meanMbps * 1000) / (OPPORTUNITY_BYTES * 8);
  if (packetsPerMs * periodMs > MAX_OPPORTUNITIES) {
    throw new CcparkError(
      "invalid-argument",
      `[trace] trace too large, meanMbps x durationSec: got ${Math.round(packetsPerMs * periodMs)} opportunities, expected at most ${MAX_OPPORTUNITIES}`,
    );
  }

  const rng = Rng.fromSeed(options.seed).fork(`trace.${options.model}`);
  const path = drawRatePath(periodMs / STEP_MS, model, rng);
  let sum = 0;
  for (const rate of path) sum += rate;
  const grantsPerMs = sum > 0 ? (packetsPerMs * path.length) / sum / model.grantPackets : 0;

  const arrivals = rng.fork("grants");
  const sizes = rng.fork("sizes");
  const logMore = model.grantPackets > 1 ? log(1 - 1 / model.grantPackets) : 0;
  const opportunitiesMs: number[] = [];
  let untilGrant = drawExponential(arrivals);
  for (let i = 0; i < path.length; i++) {
    const hazardPerMs = grantsPerMs * path[i]!;
    for (let ms = 0; ms < STEP_MS; ms++) {
      untilGrant -= hazardPerMs;
      while (untilGrant <= 0) {
        untilGrant += drawExponential(arrivals);
        const slotEndMs = Math.ceil((i * STEP_MS + ms + 1) / model.slotMs) * model.slotMs;
        const packets = logMore === 0 ? 1 : 1 + Math.floor(log(1 - sizes.next()) / logMore);
        for (let k = 0; k < packets; k++) opportunitiesMs.push(Math.min(slotEndMs, periodMs));
      }
    }
  }
  if (opportunitiesMs[opportunitiesMs.length - 1] !== periodMs) opportunitiesMs.push(periodMs);
  return { name: options.name ?? options.model, opportunitiesMs };
}
