/** From a scenario's impairments to the simulator's: one entry per field. */
import { fromMbps, NANOS_PER_MILLI, NANOS_PER_SEC, type Nanos } from "../../core/units.ts";
import type { DirectionSpec } from "../../scenarios/direction.ts";
import type { SteadyJitterSpec } from "../../scenarios/impairments/jitter.ts";
import type { TimeSpan } from "../../scenarios/schema/times.ts";
import type { Impairments, SpanNs, SteadyJitterSpecNs } from "../../sim/general/impairments/impairments.ts";

/** @param zeroNs start of the flow under test */
export function spansNs(spans: readonly TimeSpan[], zeroNs: Nanos): SpanNs[] {
  return spans.map(({ fromSec, toSec }) => ({
    fromNs: zeroNs + fromSec * NANOS_PER_SEC,
    toNs: zeroNs + toSec * NANOS_PER_SEC,
  }));
}

function steadyJitter(spec: SteadyJitterSpec): SteadyJitterSpecNs {
  return spec.kind === "uniform"
    ? { kind: "uniform", maxNs: spec.maxMs * NANOS_PER_MILLI }
    : { kind: spec.kind, meanNs: spec.meanMs * NANOS_PER_MILLI };
}

/** Those that the link itself holds are left: Bernoulli loss, outages and its own delay. */
type Field = Exclude<keyof Impairments, "lossRate">;

const IMPAIRMENTS: {
  readonly [F in Field]-?: (spec: NonNullable<DirectionSpec[F]>, zeroNs: Nanos) => Impairments[F];
} = {
  policer: ({ mbps, burstBytes }) => ({ rateBytesPerSec: fromMbps(mbps), burstBytes }),
  blackholes: spansNs,
  lossOverTime: ({ points, periodSec }, zeroNs) => ({
    points: points.map(({ atSec, lossRate }) => ({ atNs: atSec * NANOS_PER_SEC, value: lossRate })),
    ...(periodSec !== undefined && { periodNs: periodSec * NANOS_PER_SEC }),
    originNs: zeroNs,
  }),
  gilbertElliott: (spec) => spec,
  periodicLoss: (spec) => spec,
  ackThinning: (isThinned) => isThinned,
  corruptionRate: (rate) => rate,
  duplicationRate: (rate) => rate,
  slots: ({ everyMs, maxPackets }) => ({ everyNs: everyMs * NANOS_PER_MILLI, maxPackets }),
  jitter: (spec, zeroNs) =>
    spec.kind === "steps"
      ? {
          kind: "steps",
          steps: {
            points: spec.points.map(({ atSec, jitter }) => ({
              atNs: atSec * NANOS_PER_SEC,
              value: steadyJitter(jitter),
            })),
            ...(spec.periodSec !== undefined && { periodNs: spec.periodSec * NANOS_PER_SEC }),
            originNs: zeroNs,
          },
          reorder: spec.reorder,
        }
      : { ...steadyJitter(spec), reorder: spec.reorder },
};

/** @returns undefined: the link does none of them, which the FIFO network can run */
export function linkImpairments(link: DirectionSpec, zeroNs: Nanos): Impairments | undefined {
  const given = Object.keys(IMPAIRMENTS).filter((field) => link[field as Field]) as Field[];
  const entries = given.map((field) => {
    const convert = IMPAIRMENTS[field] as (spec: unknown, zeroNs: Nanos) => unknown;
    return [field, convert(link[field], zeroNs)];
  });
  return entries.length === 0 ? undefined : (Object.fromEntries(entries) as Impairments);
}
