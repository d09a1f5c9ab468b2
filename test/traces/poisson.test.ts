/** Regenerated Poisson traces: rate, slow start, spread, the same for the same seed. */
import { describe, expect, it } from "vitest";
import { lintTrace } from "../../traces/lint.ts";
import { checkOpportunities, traceInfo } from "../../traces/mahimahi.ts";
import { regeneratePoisson } from "../../traces/poisson.ts";

describe("regenerated Poisson traces", () => {
  it.each([
    [0.57, 0, 0.57],
    [2.64, 5, 2.43],
    [3.04, 4, 2.845],
  ])("%d Mbit/s with %d slow seconds of every 60 replay at %d on average", (mbps, slowStartSec, mean) => {
    const means = Array.from({ length: 20 }, (_, seed) => {
      const trace = regeneratePoisson({ mbps, slowStartSec, periodSec: 60, seed });
      checkOpportunities(trace.opportunitiesMs, trace.name);
      expect(trace.opportunitiesMs.at(-1)).toBe(60_000);
      expect(trace.opportunitiesMs.filter((ms) => ms <= slowStartSec * 1000)).toHaveLength(10 * slowStartSec);
      return (traceInfo(trace).meanMbps * 1500) / 1504;
    });
    const average = means.reduce((sum, one) => sum + one, 0) / means.length;
    expect(Math.abs(average / mean - 1)).toBeLessThan(0.01);
  });

  it("is Poisson: counts per second have variance = mean", () => {
    const { opportunitiesMs } = regeneratePoisson({ mbps: 3, slowStartSec: 0, periodSec: 3600, seed: 7 });
    const counts = new Array<number>(3600).fill(0);
    for (const ms of opportunitiesMs) counts[Math.min(3599, Math.floor((ms - 1) / 1000))]!++;
    const mean = counts.reduce((sum, count) => sum + count, 0) / 3600;
    const variance = counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / 3600;
    expect(Math.abs(mean / 250 - 1)).toBeLessThan(0.01);
    expect(Math.abs(variance / mean - 1)).toBeLessThan(0.1);
  });

  it("gives the same trace for the same seed, another for another, and names it by its rate", () => {
    const make = (seed: number) => regeneratePoisson({ mbps: 2.64, slowStartSec: 5, periodSec: 60, seed });
    expect(make(3)).toEqual(make(3));
    expect(make(3)).not.toEqual(make(4));
    expect(make(3).name).toBe("2.64mbps-poisson");
    expect(lintTrace(make(3)).map((finding) => finding.code)).toContain("slow-start");
  });

  it("refuses options out of range in one sentence", () => {
    expect(() => regeneratePoisson({ mbps: 1, slowStartSec: 60, periodSec: 60, seed: 1 })).toThrow(
      "[trace] option of a Poisson trace out of range, slowStartSec: got 60, expected a whole number, 0 to 59",
    );
  });
});
