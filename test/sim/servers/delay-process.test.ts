/** One-way delay over time: tables for points, laws for the random walk. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Rng } from "../../../core/random.ts";
import { NANOS_PER_MILLI } from "../../../core/units.ts";
import { type DelayProcessSpec, makeDelay } from "../../../sim/servers/delay-process.ts";

const MILLI = NANOS_PER_MILLI;
const points = [
  { atNs: 10 * MILLI, delayNs: 20 * MILLI },
  { atNs: 20 * MILLI, delayNs: 40 * MILLI },
];

const delaysMs = (spec: DelayProcessSpec, timesMs: readonly number[]): number[] => {
  const delay = makeDelay(spec, Rng.fromSeed(1));
  return timesMs.map((ms) => delay.delayNs(ms * MILLI) / MILLI);
};

describe("delay over time", () => {
  it.each<[string, DelayProcessSpec, number[], number[]]>([
    ["steps", { kind: "steps", points }, [0, 10, 15, 20, 99], [20, 20, 20, 40, 40]],
    ["a trace", { kind: "trace", points }, [0, 10, 15, 20, 99], [20, 20, 30, 40, 40]],
    [
      "laps of 30 ms",
      { kind: "steps", points, periodNs: 30 * MILLI },
      [0, 29, 30, 50, 60],
      [20, 40, 20, 40, 20],
    ],
    [
      "laps from an origin",
      { kind: "trace", points, periodNs: 30 * MILLI, originNs: 5 * MILLI },
      [0, 5, 20, 50],
      [40, 20, 30, 30],
    ],
  ])("%s", (_what, spec, timesMs, expected) => {
    expect(delaysMs(spec, timesMs)).toEqual(expected);
  });

  it("walks within its bounds, by at most a step per move, whatever is asked in between", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 1, max: 30 }), (seed, stepMs) => {
        const spec: DelayProcessSpec = {
          kind: "random-walk",
          startNs: 12 * MILLI,
          everyNs: 7 * MILLI,
          stepNs: stepMs * MILLI,
          minNs: 10 * MILLI,
          maxNs: 25 * MILLI,
        };
        const often = makeDelay(spec, Rng.fromSeed(seed));
        const seldom = makeDelay(spec, Rng.fromSeed(seed));
        let before = 12 * MILLI;
        for (let ms = 0; ms < 700; ms++) {
          const delayNs = often.delayNs(ms * MILLI);
          expect(delayNs).toBeGreaterThanOrEqual(10 * MILLI);
          expect(delayNs).toBeLessThanOrEqual(25 * MILLI);
          if (ms % 7 !== 0) expect(delayNs).toBe(before);
          expect(Math.abs(delayNs - before)).toBeLessThanOrEqual(stepMs * MILLI);
          before = delayNs;
          if (ms % 100 === 0) expect(seldom.delayNs(ms * MILLI)).toBe(delayNs);
        }
      }),
      { seed: 20260302, numRuns: 30 },
    );
  });
});
