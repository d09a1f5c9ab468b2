/** What a policy is trained on: a new link in each episode, most of constant rate, some with a cellular-like trace. */
import { exp, log } from "../core/math.ts";
import type { Rng } from "../core/random.ts";
import { generateTrace } from "../traces/generate.ts";
import { DEFAULT_DURATION_SEC, makeDirection, makeLink, UNLIMITED } from "./links.ts";
import type { Scenario } from "./scenario.ts";

type Range = readonly [number, number];

/** Ends of the training range; park-paper lies inside, at 48 Mbit/s, 50 ms and 2 BDP. */
export const TRAINING_RANGE: Readonly<Record<"mbps" | "rttMs" | "bufferBdp", Range>> = {
  mbps: [12, 96],
  rttMs: [20, 100],
  bufferBdp: [0.5, 4],
};

/** The cellular part: mean rate of a generated LTE-like trace, round trip, and a queue in packets. */
export const CELLULAR_RANGE: Readonly<Record<"meanMbps" | "rttMs" | "packets" | "sigma", Range>> = {
  meanMbps: [2, 24],
  rttMs: [20, 100],
  packets: [50, 400],
  sigma: [0.2, 0.9],
};

/** One episode in ten: enough to learn that capacity can fall, few enough to stay precise on constant links. */
export const CELLULAR_SHARE = 0.1;

function drawLogUniform(rng: Rng, [low, high]: Range): number {
  return exp(rng.uniform(log(low), log(high)));
}

/**
 * A link from the training range: rate and buffer log-uniform, round trip uniform; with probability `CELLULAR_SHARE` a
 * trace generated for this episode instead of the constant rate.
 * @param options durationSec: absent 30
 */
export function sampleTrainingScenario(rng: Rng, options: { readonly durationSec?: number } = {}): Scenario {
  const durationSec = options.durationSec ?? DEFAULT_DURATION_SEC;
  if (rng.fork("cellular").next() < CELLULAR_SHARE) return sampleCellular(rng.fork("trace"), durationSec);
  const mbps = drawLogUniform(rng, TRAINING_RANGE.mbps);
  const rttMs = rng.uniform(...TRAINING_RANGE.rttMs);
  const bufferBdp = drawLogUniform(rng, TRAINING_RANGE.bufferBdp);
  return makeLink({
    mbps,
    rttMs,
    bufferBdp,
    durationSec,
    name: "training-range",
    source: "drawn from the training range",
    description: `${mbps.toFixed(1)} Mbit/s, ${rttMs.toFixed(1)} ms round trip, buffer ${bufferBdp.toFixed(2)} BDP`,
  });
}

function sampleCellular(rng: Rng, durationSec: number): Scenario {
  const meanMbps = drawLogUniform(rng, CELLULAR_RANGE.meanMbps);
  const sigma = rng.uniform(...CELLULAR_RANGE.sigma);
  const trace = generateTrace({
    model: "lte",
    meanMbps,
    sigma,
    durationSec: Math.ceil(durationSec),
    seed: rng.integer(2 ** 32),
  });
  const rttMs = rng.uniform(...CELLULAR_RANGE.rttMs);
  const packets = Math.round(drawLogUniform(rng, CELLULAR_RANGE.packets));
  return {
    name: "training-range",
    source: "drawn from the training range",
    description: `LTE-like trace of ${meanMbps.toFixed(1)} Mbit/s on average, ${rttMs.toFixed(1)} ms round trip, ${packets} packets`,
    forward: makeDirection(
      { kind: "trace", name: "generated", opportunitiesMs: trace.opportunitiesMs },
      { packets },
    ),
    reverse: UNLIMITED,
    propagationDelayMs: rttMs / 2,
    durationSec,
    ackPolicy: "delayed",
  };
}
