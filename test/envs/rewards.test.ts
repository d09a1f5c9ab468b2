import { describe, expect, it } from "vitest";
import { emptyInterval, type Interval } from "../../envs/signals/interval.ts";
import { getReward } from "../../envs/signals/rewards.ts";

function interval(changes: Partial<Interval>): Interval {
  return { ...emptyInterval(1448), report: true, stepUs: 10_000, ...changes };
}

describe("the park reward", () => {
  const park = getReward("park");

  it("is log2(rout) - 0.5 log2(rtt - min_rtt)", () => {
    const at = interval({ deliveryRateBytesPerSec: 2 ** 22, rttUs: 54_096, minRttUs: 50_000 });
    expect(park.of(at)).toBeCloseTo(22 - 0.5 * 12, 12);
  });

  it("counts a logarithm of something not positive as 0, and so pays an idle link", () => {
    const idle = interval({ deliveryRateBytesPerSec: 1.5e6, rttUs: 50_000, minRttUs: 50_000 });
    const busy = interval({ deliveryRateBytesPerSec: 42.7e6 / 8, rttUs: 50_300, minRttUs: 50_000 });
    expect(park.of(idle)).toBeCloseTo(Math.log2(1.5e6), 12);
    expect(park.of(idle)).toBeGreaterThan(park.of(busy));
    expect(park.of(interval({}))).toBe(0);
  });
});

describe("the score reward", () => {
  const score = getReward("score");

  it("prefers a full link with 1 ms of queue to an idle one without", () => {
    const busy = interval({ ackedPackets: 41, meanRttUs: 51_000, minRttUs: 50_000 });
    const idle = interval({ ackedPackets: 10, meanRttUs: 50_000, minRttUs: 50_000 });
    expect(score.of(busy)).toBeGreaterThan(score.of(idle) + 2);
  });

  it("earns nothing for less than 1 ms of queue and loses half a bit per doubling above", () => {
    const at = (delayUs: number): number =>
      score.of(interval({ ackedPackets: 40, meanRttUs: 50_000 + delayUs, minRttUs: 50_000 }));
    expect(at(0)).toBe(at(1_000));
    expect(at(2_000)).toBeCloseTo(at(1_000) - 0.5, 12);
  });

  it("stays finite in silence", () => {
    expect(score.of(interval({ report: false }))).toBeCloseTo(Math.log2(1448) - 0.5 * Math.log2(1000), 12);
  });
});
