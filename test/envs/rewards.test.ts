import { describe, expect, it } from "vitest";
import { FACTS } from "../../envs/signals/facts.ts";
import { getFlowReward } from "../../envs/signals/flow-rewards.ts";
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

describe("a formula as a reward", () => {
  const text = "log2(throughputMbps) - 0.5 * log2(max(queueDelayMs, 1)) - 10 * lossRate";

  it("is the reward of its text, with its summands as components", () => {
    const reward = getReward(text);
    const step = interval({ ackedPackets: 99, lostPackets: 1, meanRttUs: 54_000, minRttUs: 50_000 });
    const mbps = (99 * 1448 * 8) / 10_000;
    expect(reward.of(step)).toBeCloseTo(Math.log2(mbps) - 0.5 * Math.log2(4) - 0.1, 12);
    expect(reward.name).toBe(text);
    const sum = reward.components.reduce((total, each) => total + each.of(step), 0);
    expect(sum).toBe(reward.of(step));
    expect(reward.components.map(({ name }) => name)).toEqual(["term1", "term2", "term3"]);
  });

  it("of every fact is finite in silence, as their reciprocals and logarithms are above 0", () => {
    const silence = emptyInterval(1448);
    for (const { name, low, high } of FACTS) {
      const value = getReward(`${name} + 0`).of(silence);
      expect(value).toBeGreaterThanOrEqual(low);
      expect(value).toBeLessThanOrEqual(high);
      if (low > 0) expect(getReward(`log2(${name}) / ${name}`).of(silence)).not.toBeNaN();
    }
    expect(getFlowReward("throughputMbps / fairShareMbps").of(silence, 0)).toBe(1);
  });

  it("is told from a name and from a path", () => {
    expect(getReward("throughputMbps-queueDelayMs").components).toHaveLength(2);
    expect(getReward("throughputMbps / rttMs").components).toHaveLength(1);
    expect(() => getReward("scroe")).toThrow("[env] unknown reward `scroe`; did you mean `score`?");
    expect(() => getReward("sage-fair")).toThrow(/unknown name `sage`/);
    expect(() => getReward("./score")).toThrow("[env] unknown reward `./score`");
    expect(() => getReward("throughput")).toThrow("did you mean `throughputMbps`?");
    expect(() => getReward("fairShareMbps")).toThrow(/unknown name `fairShareMbps`/);
  });

  it("that has no value in silence is refused before anything runs, with what it was made of", () => {
    const message = "got -Infinity where lossRate = 0, expected a finite number";
    expect(() => getReward("log2(lossRate)")).toThrow(message);
    expect(() => getReward("1 / queueDelayMs")).toThrow("where queueDelayMs = 0");
    expect(() => getReward("throughputMbps / (stepMs - 7)").of(interval({ stepUs: 7000 }))).toThrow(
      "where throughputMbps = 0.011584, stepMs = 7",
    );
  });
});
