import { describe, expect, it } from "vitest";
import { cubic } from "../../algorithms/native/cubic.ts";
import { CongestionEnv } from "../../envs/congestion-env.ts";
import { runAlgorithm } from "../../envs/measured-run.ts";
import { parseEnvOptions } from "../../envs/options.ts";
import { FACTS } from "../../envs/signals/facts.ts";
import { getFlowReward } from "../../envs/signals/flow-rewards.ts";
import { emptyInterval, type Interval, Silence } from "../../envs/signals/interval.ts";
import { getReward } from "../../envs/signals/rewards.ts";
import { getScenario } from "../../scenarios/presets.ts";
import type { Scenario } from "../../scenarios/scenario.ts";

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

  it("counts silence as delay beyond the smallest RTT, and stays in its range", () => {
    const at = (silentMs: number): number => score.of(interval({ report: false, silentUs: 1000 * silentMs }));
    expect(at(0)).toBeCloseTo(Math.log2(1448) - 0.5 * Math.log2(1000), 12);
    expect(at(4_000)).toBeCloseTo(at(1_000) - 1, 12);
    expect(at(2_000_000)).toBeGreaterThan(score.low);
    const held = { report: false, meanRttUs: 90_000, minRttUs: 50_000 };
    expect(score.of(interval({ ...held, silentUs: 90_000 }))).toBe(score.of(interval(held)));
    expect(score.of(interval({ ...held, silentUs: 210_000 }))).toBeCloseTo(score.of(interval(held)) - 1, 12);
  });
});

describe("silence", () => {
  const sender = (acks: number, inflightPackets: number) => ({ acks, inflightPackets });

  it("lasts while packets are in flight or given up, and nothing comes back", () => {
    const flow = emptyInterval(1448);
    const silence = new Silence();
    const waited = (acks: number, inflight: number): number => {
      silence.endStep(flow, 10, sender(acks, inflight));
      return flow.silentUs;
    };
    expect([waited(0, 4), waited(0, 4), waited(0, 0), waited(1, 3)]).toEqual([10, 20, 30, 40]); // no report of the ACK yet
    flow.minRttUs = 5;
    expect([waited(2, 3), waited(2, 3), waited(3, 0), waited(3, 0), waited(3, 1)]).toEqual([0, 10, 0, 0, 10]);
    silence.endStep(flow, 1e12, sender(3, 1));
    expect(flow.silentUs).toBe(2e9);
  });

  const base = getScenario("park-paper", { durationSec: 6 });
  const link = (opportunitiesMs: readonly number[]): Scenario => ({
    ...base,
    forward: {
      rate: { kind: "trace", name: "link", opportunitiesMs },
      queue: { packets: 1000 },
      lossRate: 0,
    },
    fixed: { startSec: 0, traceOffsetMs: 0, sendJitterUs: 0 },
  });
  const dead = link([60_000]);
  const slow = link([100]); // 10 packets a second through a queue of seconds
  const upTo1Sec = Array.from({ length: 1000 }, (_, i) => i + 1);

  /** Rewards of a flow that leaves its window alone, by the end of their steps. */
  function rewardsOn(scenario: Scenario, reward: string, stepMs: number | "rtt") {
    const env = new CongestionEnv(scenario, parseEnvOptions({ reward, stepMs }));
    env.reset(1);
    const steps: { atUs: number; reward: number }[] = [];
    for (let ended = false; !ended; ) {
      const { info, reward, truncated } = env.step([0]);
      steps.push({ atUs: info.timeUs, reward });
      ended = truncated;
    }
    return steps;
  }
  const mean = (steps: readonly { reward: number }[]): number =>
    steps.reduce((sum, step) => sum + step.reward, 0) / steps.length;

  it.each<[string, number | "rtt"]>([
    ["score", 10],
    ["score", "rtt"],
    ["throughputMbps - 10 * queueDelayMs", 10],
    ["log2(deliveryRateMbps / rttMs)", "rtt"],
    ["-lastRttMs", 10],
  ])("of a dead link is paid less than a bad one: %s, steps of %s ms", (reward, stepMs) => {
    const [none, bad] = [rewardsOn(dead, reward, stepMs), rewardsOn(slow, reward, stepMs)];
    expect(mean(none)).toBeLessThan(mean(bad));
    for (const [i, step] of none.entries()) if (i > 0) expect(step.reward).toBeLessThan(none[i - 1]!.reward);
  });

  it.each(["score", "park", "throughputMbps - queueDelayMs", "deliveryRateMbps"])(
    "of an outage is paid less, and never more than before: %s",
    (reward) => {
      const steps = rewardsOn(link([...upTo1Sec, 60_000]), reward, 10);
      const good = steps.filter(({ atUs }) => atUs > 5e5 && atUs < 1e6);
      const out = steps.filter(({ atUs }) => atUs > 2e6);
      expect(out.length).toBeGreaterThan(300);
      expect(Math.max(...out.map((step) => step.reward))).toBeLessThan(mean(good));
      for (const [i, step] of out.entries())
        if (i > 0) expect(step.reward).toBeLessThanOrEqual(out[i - 1]!.reward);
    },
  );

  it("of a flow that has nothing to send is no delay", () => {
    const finite: Scenario = { ...base, application: { kind: "finite", bytes: 3e5 } };
    const steps = rewardsOn(finite, "-queueDelayMs", 10);
    const idle = steps.filter(({ atUs }) => atUs > 3e6);
    expect(new Set(idle.map((step) => step.reward)).size).toBe(1);
    expect(idle[0]!.reward).toBeGreaterThan(-10);
  });

  it("counts in the reward of a whole run", () => {
    const run = { seed: 1, rewardName: "score", algorithm: cubic };
    const of = (scenario: Scenario): number => runAlgorithm({ ...run, scenario }).reward;
    expect(of(dead)).toBeLessThan(of(slow));
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
