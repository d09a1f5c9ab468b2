import { describe, expect, it } from "vitest";
import { CongestionEnv } from "../../envs/congestion-env.ts";
import { makeEnv } from "../../envs/local-env.ts";
import { DEFAULT_ENV_OPTIONS, type EnvOptions, parseEnvOptions } from "../../envs/options.ts";
import { makeVectorEnv } from "../../envs/vector/local-vector-env.ts";
import { getScenario } from "../../scenarios/presets.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { measure } from "../../testbeds/measure.ts";
import { envContract } from "../contract/env-contract.ts";

const SHORT = getScenario("park-paper", { durationSec: 2 });
const OPTIONS: EnvOptions = { ...DEFAULT_ENV_OPTIONS, stepMs: 10 };

/** 12 Mbit/s for a second, then nothing for ten: one outage per lap. */
const OUTAGE: Scenario = {
  ...SHORT,
  name: "outage",
  forward: {
    rate: {
      kind: "trace",
      name: "outage",
      opportunitiesMs: [...Array.from({ length: 1000 }, (_, i) => i + 1), 11_000],
    },
    queue: { packets: 1000 },
    lossRate: 0,
  },
  durationSec: 5,
  fixed: { startSec: 0, traceOffsetMs: 0, sendJitterUs: 0 },
};

function hold(env: CongestionEnv): Float32Array {
  return new Float32Array(env.actionSpace.shape[0]);
}

for (const action of ["multiplicative", "absolute", "indigo"]) {
  for (const observation of ["standard", "park-14"]) {
    for (const stepMs of [10, "rtt"] as const) {
      envContract(`local env, ${action}, ${observation}, step ${stepMs}`, async () =>
        makeEnv(SHORT, { ...OPTIONS, action, observation, stepMs }),
      );
    }
  }
}

describe("a step", () => {
  it("ends at the first ACK 10 ms or more after the last report", () => {
    const env = new CongestionEnv(SHORT, { ...OPTIONS, action: "absolute" });
    env.reset(1);
    const reported: number[] = [];
    for (let i = 0; i < 150; i++) {
      const { info } = env.step([300, 0]);
      if (info.report && i > 20) reported.push(info.stepUs);
    }
    expect(reported.length).toBeGreaterThan(100);
    const mean = reported.reduce((a, b) => a + b) / reported.length;
    expect(mean).toBeGreaterThanOrEqual(10_000);
    expect(mean).toBeLessThan(11_500);
  });

  it("ends without a report, with zero counters and the held RTT, k ms after it began in an outage", () => {
    const env = new CongestionEnv(OUTAGE, { ...OPTIONS, observation: "park-14" });
    env.reset(1);
    let last = env.step(hold(env));
    let heldRttUs = 0;
    const silent: number[] = [];
    while (!last.truncated) {
      last = env.step(hold(env));
      if (last.info.report) {
        heldRttUs = last.info.rttUs;
      } else if (last.info.timeUs > 1_500_000 && !last.truncated) {
        silent.push(last.info.stepUs);
        expect(last.info.deliveredBytes).toBe(0);
        expect(last.info.rttUs).toBe(heldRttUs);
        expect(Array.from(last.observation.slice(0, 8))).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
      }
    }
    expect(silent.length).toBeGreaterThan(300);
    expect(Math.max(...silent)).toBeCloseTo(10_000, 3);
    expect(Math.min(...silent)).toBeCloseTo(10_000, 3);
  });

  it("lasts max(2 srtt, 200 ms) in an outage in rtt mode", () => {
    const env = new CongestionEnv(OUTAGE, { ...OPTIONS, stepMs: "rtt" });
    env.reset(1);
    const silent: number[] = [];
    for (;;) {
      const { info, truncated } = env.step(hold(env));
      if (truncated) break;
      if (!info.report && info.timeUs > 2_000_000) silent.push(info.stepUs);
    }
    expect(silent.length).toBeGreaterThan(5);
    for (const stepUs of silent) expect(stepUs).toBeCloseTo(200_000, 3);
  });

  it("ends at once on a loss when that is asked for", () => {
    const small = { ...SHORT, forward: { ...SHORT.forward, queue: { packets: 20 } } };
    const lossSteps = (reportLossAtOnce: boolean): number[] => {
      const env = new CongestionEnv(small, { ...OPTIONS, action: "absolute", reportLossAtOnce, stepMs: 50 });
      env.reset(1);
      const steps: number[] = [];
      for (;;) {
        const { info, truncated } = env.step([400, 0]);
        if (truncated) return steps;
        if (info.lostPackets > 0) steps.push(info.stepUs);
      }
    };
    expect(Math.min(...lossSteps(false))).toBeGreaterThanOrEqual(40_000);
    expect(Math.min(...lossSteps(true))).toBeLessThan(5_000);
  });

  it("is cut at the end of the episode and sets truncated, never terminated", () => {
    const env = new CongestionEnv(SHORT, OPTIONS);
    let last = env.reset(5);
    while (!last.truncated) last = env.step(hold(env));
    expect(last.terminated).toBe(false);
    expect(last.info.timeUs).toBeCloseTo(2_000_000, 3);
    expect(() => env.step(hold(env))).toThrow(/after the end of the episode/);
    expect(env.reset(6).truncated).toBe(false);
  });
});

describe("actions", () => {
  it("multiply the window by 2^a and keep its fraction between steps", () => {
    const env = new CongestionEnv(SHORT, OPTIONS);
    env.reset(1);
    expect(env.step([1]).info.cwndBytes).toBeCloseTo(20 * 1448, 6);
    expect(env.step([-0.5]).info.cwndBytes).toBeCloseTo((20 * 1448) / Math.SQRT2, 6);
    for (let i = 0; i < 10; i++) env.step([-1]);
    expect(env.info().cwndBytes).toBe(2 * 1448);
  });

  it("set cwnd and rate in the absolute form, where 0 leaves a field alone", () => {
    const env = new CongestionEnv(SHORT, { ...OPTIONS, action: "absolute" });
    env.reset(1);
    expect(env.step([50, 1e6]).info).toMatchObject({ cwndBytes: 50 * 1448, pacingRateBytesPerSec: 1e6 });
    expect(env.step([0, 0]).info).toMatchObject({ cwndBytes: 50 * 1448, pacingRateBytesPerSec: 1e6 });
    expect(env.step([1, 3]).info).toMatchObject({ cwndBytes: 2 * 1448, pacingRateBytesPerSec: 1448 });
  });

  it("really limit the flow: a rate of 2 MB/s delivers 2 MB/s", () => {
    const env = new CongestionEnv(SHORT, { ...OPTIONS, action: "absolute" });
    let last = env.reset(1);
    while (!last.truncated) last = env.step([1000, 2e6]);
    expect(env.metrics().goodputMbps).toBeGreaterThan(15);
    expect(env.metrics().goodputMbps).toBeLessThan(16.1);
  });

  it("are clipped and counted, or refused without changing the state", () => {
    const clip = new CongestionEnv(SHORT, OPTIONS);
    clip.reset(1);
    expect(clip.step([7]).info).toMatchObject({ clippedActions: 1, cwndBytes: 20 * 1448 });
    expect(clip.step([0.5]).info.clippedActions).toBe(0);
    const reject = new CongestionEnv(SHORT, { ...OPTIONS, actionPolicy: "reject" });
    reject.reset(1);
    expect(() => reject.step([7])).toThrow(
      "[env] action outside the box at log2CwndChange: got 7, expected -1 to 1",
    );
    expect(reject.info().timeUs).toBeCloseTo(0, 6);
    expect(reject.step([1]).info.cwndBytes).toBe(20 * 1448);
  });

  it.each(["clip", "reject"] as const)(
    "that are not finite, too long or negative are refused under %s",
    (actionPolicy) => {
      const env = new CongestionEnv(SHORT, { ...OPTIONS, action: "absolute", actionPolicy });
      env.reset(1);
      expect(() => env.step([Number.NaN, 0])).toThrow(/not finite at cwndPackets/);
      expect(() => env.step([1, Number.POSITIVE_INFINITY])).toThrow(/not finite at rateBytesPerSec/);
      expect(() => env.step([1])).toThrow(/wrong length: got 1, expected 2/);
      expect(() => env.step([-1, 0])).toThrow(/outside the box at cwndPackets: got -1/);
    },
  );

  it("arrive late by the action delay", () => {
    const deliveredAfter = (actionDelayUs: number): number => {
      const env = new CongestionEnv(SHORT, { ...OPTIONS, action: "absolute", actionDelayUs });
      env.reset(1);
      for (let i = 0; i < 40; i++) env.step([300, 0]);
      return env.run.flows[0]!.sentPackets;
    };
    expect(deliveredAfter(0)).toBeGreaterThan(2 * deliveredAfter(300_000));
  });
});

describe("seeds", () => {
  const fingerprint = (seed: number, scenario = SHORT): string => {
    const env = new CongestionEnv(scenario, OPTIONS);
    let last = env.reset(seed);
    const seen: number[] = [];
    while (!last.truncated) {
      last = env.step([Math.sin(seen.length) / 3]);
      seen.push(last.reward, ...last.observation);
    }
    return JSON.stringify([seen, env.metrics()]);
  };

  it("give the same bytes when equal and others when not", () => {
    expect(fingerprint(1)).toBe(fingerprint(1));
    expect(fingerprint(1)).not.toBe(fingerprint(2));
  });

  it("give the same bytes whatever episodes the environment, and others at once, have had before", () => {
    const fresh = fingerprint(5);
    const others = [1, 2].map(() => new CongestionEnv(OUTAGE, OPTIONS));
    const env = new CongestionEnv(SHORT, OPTIONS);
    for (const seed of [5, 6, 5, 7, 5]) {
      let last = env.reset(seed);
      const seen: number[] = [];
      while (!last.truncated) {
        if (seen.length % 500 === 0) for (const other of others) other.reset(seed);
        for (const other of others) other.step([0.1]);
        last = env.step([Math.sin(seen.length) / 3]);
        seen.push(last.reward, ...last.observation);
      }
      if (seed === 5) expect(JSON.stringify([seen, env.metrics()])).toBe(fresh);
    }
  });

  it("leave nothing to ask of a run whose environment has begun the next episode", () => {
    const env = new CongestionEnv(SHORT, OPTIONS);
    env.reset(1);
    const { run } = env;
    env.reset(2);
    expect(() => measure(run)).toThrow("[sim] the run is over and its memory serves another one");
    expect(() => run.runUntil(run.endNs)).toThrow("the run is over");
    expect(env.metrics().durationSec).toBe(0);
  });

  it("draw the flow's start in U(0, 1 s), unless the scenario fixes it", () => {
    const starts = Array.from({ length: 200 }, (_, seed) => {
      const env = new CongestionEnv(SHORT, OPTIONS);
      env.reset(seed);
      return env.run.startNs / 1e9;
    });
    expect(Math.min(...starts)).toBeLessThan(0.05);
    expect(Math.max(...starts)).toBeGreaterThan(0.95);
    expect(Math.max(...starts)).toBeLessThan(1);
    const fixed = { ...SHORT, fixed: { startSec: 0.25, sendJitterUs: 0 } };
    expect(fingerprint(1, fixed)).toBe(fingerprint(2, fixed));
  });

  it("that are negative or fractional are refused", () => {
    const env = new CongestionEnv(SHORT, OPTIONS);
    expect(() => env.reset(-1)).toThrow(
      "[env] wrong seed: got -1, expected a whole number from 0 to 2^53 - 1",
    );
    expect(() => env.reset(0.5)).toThrow(/wrong seed: got 0.5/);
  });
});

describe("the vector form", () => {
  it("gives the same bytes as single environments with seed + i", () => {
    const vector = makeVectorEnv(SHORT, OPTIONS, 3);
    vector.reset(10);
    const singles = [0, 1, 2].map(() => new CongestionEnv(SHORT, OPTIONS));
    const size = vector.observationSpace.shape[0];
    for (const [i, env] of singles.entries()) {
      expect(vector.observations.slice(i * size, (i + 1) * size)).toEqual(env.reset(10 + i).observation);
    }
    for (let step = 0; step < 150; step++) {
      vector.step(Float32Array.of(0.1, -0.1, 0.05));
      for (const [i, env] of singles.entries()) {
        const single = env.step([Math.fround([0.1, -0.1, 0.05][i]!)]);
        expect(vector.observations.slice(i * size, (i + 1) * size)).toEqual(single.observation);
        expect(vector.rewards[i]).toBe(single.reward);
      }
    }
  });

  it("starts the next episode in the step that ends one, and keeps the last observation", () => {
    const vector = makeVectorEnv(SHORT, OPTIONS, 2);
    vector.reset(1);
    const ended: number[] = [];
    for (let step = 0; step < 450; step++) {
      vector.step(Float32Array.of(0, 0));
      for (const episode of vector.endedEpisodes) {
        ended.push(episode.seed);
        expect(vector.truncated[episode.env]).toBe(1);
        expect(episode.utilisation).toBeGreaterThan(0);
        const size = vector.observationSpace.shape[0];
        const first = vector.observations.slice(episode.env * size, (episode.env + 1) * size);
        const final = vector.finalObservations.slice(episode.env * size, (episode.env + 1) * size);
        expect(final).not.toEqual(first);
      }
    }
    expect(ended.slice(0, 2).sort()).toEqual([1, 2]);
    expect(new Set(ended).size).toBe(ended.length);
  });

  it("refuses a step before reset and actions of the wrong length", () => {
    const vector = makeVectorEnv(SHORT, OPTIONS, 2);
    expect(() => vector.step(new Float32Array(2))).toThrow(/step before the first reset/);
    vector.reset(1);
    expect(() => vector.step(new Float32Array(3))).toThrow(/wrong length: got 3, expected 2 x 1/);
  });
});

describe("options", () => {
  it("are refused by name", () => {
    expect(() => parseEnvOptions({ stepMs: -1 })).toThrow(/wrong option at stepMs/);
    expect(() => parseEnvOptions({ stepMS: 10 })).toThrow(/stepMS/);
    expect(() => new CongestionEnv(SHORT, { ...OPTIONS, observation: "park14" })).toThrow(
      /did you mean `park-14`/,
    );
    expect(() => new CongestionEnv(SHORT, { ...OPTIONS, reward: "prak" })).toThrow(/did you mean `park`/);
    expect(() => new CongestionEnv(SHORT, { ...OPTIONS, action: "absolut" })).toThrow(
      /did you mean `absolute`/,
    );
  });
});
