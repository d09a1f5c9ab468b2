/** From a scenario's rate to the simulator's: one entry per kind. */
import type { Rng } from "../../core/random.ts";
import { fromMbps, NANOS_PER_MILLI, NANOS_PER_SEC, type Nanos } from "../../core/units.ts";
import type { RatePoints } from "../../scenarios/rates/points.ts";
import type { RateSpec } from "../../scenarios/rates/registry.ts";
import type { LinkRate } from "../../sim/servers/make-server.ts";
import type { PointSchedule } from "../../sim/servers/rates/points.ts";

export interface RateContext {
  /** start of the flow under test */
  readonly zeroNs: Nanos;
  /** where in a trace the simulation begins is drawn from it */
  readonly offset: Rng;
  /** fixes the place in a trace */
  readonly offsetMs: number | undefined;
}

function schedule({ points, periodSec }: RatePoints, { zeroNs }: RateContext): PointSchedule {
  return {
    points: points.map(({ atSec, mbps }) => ({
      atNs: atSec * NANOS_PER_SEC,
      rateBytesPerSec: fromMbps(mbps),
    })),
    periodNs: periodSec === undefined ? undefined : periodSec * NANOS_PER_SEC,
    originNs: zeroNs,
  };
}

type Convert<Spec> = (rate: Spec, context: RateContext) => LinkRate;

const RATES: { readonly [K in RateSpec["kind"]]: Convert<Extract<RateSpec, { readonly kind: K }>> } = {
  constant: ({ mbps }) => ({ kind: "constant", rateBytesPerSec: fromMbps(mbps) }),
  unlimited: (rate) => rate,
  steps: (rate, context) => ({ kind: "steps", ...schedule(rate, context) }),
  ramp: (rate, context) => ({ kind: "ramp", ...schedule(rate, context) }),
  poisson: ({ mbps }) => ({ kind: "poisson", rateBytesPerSec: fromMbps(mbps) }),
  trace({ opportunitiesMs, end }, { offset, offsetMs }) {
    const periodMs = opportunitiesMs[opportunitiesMs.length - 1]!;
    const drawn = offset.uniform(0, periodMs);
    const offsetNs = (offsetMs === undefined ? drawn : offsetMs % periodMs) * NANOS_PER_MILLI;
    return { kind: "trace", opportunitiesMs, offsetNs, end };
  },
  markov: ({ states }) => ({
    kind: "markov",
    states: states.map(({ mbps, meanSec }) => ({
      rateBytesPerSec: fromMbps(mbps),
      meanNs: meanSec * NANOS_PER_SEC,
    })),
  }),
  "random-steps": ({ minMbps, maxMbps, everySec }) => ({
    kind: "random-steps",
    minBytesPerSec: fromMbps(minMbps),
    maxBytesPerSec: fromMbps(maxMbps),
    minEveryNs: everySec * NANOS_PER_SEC,
    maxEveryNs: everySec * NANOS_PER_SEC,
  }),
};

export function linkRate(rate: RateSpec, context: RateContext): LinkRate {
  const convert = RATES[rate.kind] as Convert<RateSpec>;
  return convert(rate, context);
}
