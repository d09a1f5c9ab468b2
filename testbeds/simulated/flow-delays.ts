/** From a scenario's changing delay to the simulator's. */
import type { Rng } from "../../core/random.ts";
import { NANOS_PER_MILLI, NANOS_PER_SEC, type Nanos } from "../../core/units.ts";
import type { DelayPoints } from "../../scenarios/delays/points.ts";
import type { DelaySpec } from "../../scenarios/delays/registry.ts";
import {
  type DelayProcess,
  type DelayProcessSpec,
  makeDelay,
  type DelayPoints as PointsNs,
} from "../../sim/servers/delay-process.ts";

function schedule({ points, periodSec }: DelayPoints, zeroNs: Nanos): PointsNs {
  return {
    points: points.map(({ atSec, delayMs }) => ({
      atNs: atSec * NANOS_PER_SEC,
      delayNs: delayMs * NANOS_PER_MILLI,
    })),
    periodNs: periodSec === undefined ? undefined : periodSec * NANOS_PER_SEC,
    originNs: zeroNs,
  };
}

type Convert<Spec> = (delay: Spec, zeroNs: Nanos) => DelayProcessSpec;

const DELAYS: { readonly [K in DelaySpec["kind"]]: Convert<Extract<DelaySpec, { readonly kind: K }>> } = {
  steps: (delay, zeroNs) => ({ kind: "steps", ...schedule(delay, zeroNs) }),
  trace: (delay, zeroNs) => ({ kind: "trace", ...schedule(delay, zeroNs) }),
  "random-walk": ({ startMs, everyMs, stepMs, minMs, maxMs }) => ({
    kind: "random-walk",
    startNs: startMs * NANOS_PER_MILLI,
    everyNs: everyMs * NANOS_PER_MILLI,
    stepNs: stepMs * NANOS_PER_MILLI,
    minNs: minMs * NANOS_PER_MILLI,
    maxNs: maxMs * NANOS_PER_MILLI,
  }),
};

/** @param zeroNs start of the flow under test */
export function flowDelay(spec: DelaySpec | undefined, rng: Rng, zeroNs: Nanos): DelayProcess | undefined {
  if (spec === undefined) return undefined;
  const convert = DELAYS[spec.kind] as Convert<DelaySpec>;
  return makeDelay(convert(spec, zeroNs), rng);
}
