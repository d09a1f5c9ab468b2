/** Elasticity detection, and what Nimbus does with it (Goyal et al., SIGCOMM 2022). */
import { describe, expect, it } from "vitest";
import { ElasticityDetector, halfSine } from "../../../algorithms/ccp/nimbus/elasticity.ts";
import { NimbusFlow, nimbus } from "../../../algorithms/ccp/nimbus/nimbus.ts";
import { Pauses } from "../../../algorithms/ccp/nimbus/pauses.ts";
import { defaultParams } from "../../../algorithms/spec.ts";
import type { CcpAlgorithm } from "../../../ccp-bridge/agent/algorithm.ts";
import { Rng } from "../../../core/random.ts";
import { MICROS_PER_SEC } from "../../../core/units.ts";
import { runAlgorithm } from "../../../envs/measured-run.ts";
import type { ScenarioTemplate } from "../../../scenarios/template.ts";
import type { RunResult } from "../../../testbeds/results.ts";
import { path } from "./published-paths.ts";

const PULSE_HZ = 5;
const SEEDS = [1, 2, 3, 4, 5];
/** 48 Mbit/s, 50 ms: 200 packets, of which the queue holds two times as many */
const LINK = { mbps: 48, rttMs: 50, queuePackets: 400, durationSec: 60 };
const SETTLED_SEC = 10;

describe("ElasticityDetector", () => {
  /** A signal for `sec`, at intervals between 8 and 12 ms. */
  function detect(sec: number, signal: (sec: number, noise: number) => number): number | undefined {
    const rng = Rng.fromSeed(1);
    const detector = new ElasticityDetector(PULSE_HZ);
    for (let t = 0; t < sec; t += 0.008 + 0.004 * rng.next()) {
      detector.add(t * MICROS_PER_SEC, signal(t, rng.next() - 0.5));
    }
    return detector.elasticity();
  }
  const rhythm = (sec: number): number => {
    const phase = (sec * PULSE_HZ) % 1;
    return phase < 0.5 ? halfSine(2 * phase) : -halfSine(2 * phase - 1);
  };

  it("finds the pulses' rhythm in noise, and none in noise alone", () => {
    expect(detect(8, (t, noise) => 0.5 + 0.1 * rhythm(t) + 0.1 * noise)).toBeGreaterThan(5);
    expect(detect(8, (_, noise) => 0.5 + 0.3 * noise)).toBeLessThan(2);
  });

  it("takes no slow swing for it, as wide as it may be, and no faster one", () => {
    expect(detect(8, (t, noise) => 0.5 + 0.05 * t + 0.1 * noise)).toBeLessThan(2);
    expect(detect(8, (t) => 0.5 + 0.1 * rhythm(t * 1.5))).toBeLessThan(1);
  });

  it("says nothing before it has seen 5 s, and 0 where there is hardly any cross traffic", () => {
    expect(detect(4.9, rhythm)).toBeUndefined();
    expect(detect(8, (t) => 0.04 + 0.04 * rhythm(t))).toBe(0);
  });

  it("begins anew after a silence", () => {
    const detector = new ElasticityDetector(PULSE_HZ);
    for (let t = 0; t < 6; t += 0.01) detector.add(t * MICROS_PER_SEC, 0.5 + 0.1 * rhythm(t));
    expect(detector.elasticity()).toBeGreaterThan(2);
    detector.add(8 * MICROS_PER_SEC, 0.5);
    expect(detector.elasticity()).toBeUndefined();
  });
});

interface Watched {
  readonly result: RunResult;
  /** share of the reports after the first 10 s in which the flow competed */
  readonly competitive: number;
}

const runs = new Map<string, Watched>();

/** 60 s beside something, whatever test asks first. */
function beside(what: "cubic" | "poisson" | "nobody", seed: number): Watched {
  const key = `${what} ${seed}`;
  let watched = runs.get(key);
  if (watched === undefined) {
    watched = watch(BESIDE[what], seed);
    runs.set(key, watched);
  }
  return watched;
}

const BESIDE: Readonly<Record<"cubic" | "poisson" | "nobody", ScenarioTemplate>> = {
  cubic: { flows: [{ algorithm: "cubic", startSec: 0 }] },
  poisson: { traffic: [{ kind: "datagrams", arrivals: "poisson", mbps: LINK.mbps / 2 }] },
  nobody: {},
};

function watch(over: ScenarioTemplate, seed: number): Watched {
  const params = defaultParams(nimbus);
  const counts = { competitive: 0, all: 0 };
  const algorithm: CcpAlgorithm = {
    ...nimbus.ccp!(params),
    newFlow(control, info) {
      const flow = new NimbusFlow(control, info, params);
      const onReport: NimbusFlow["onReport"] = (report) => {
        flow.onReport(report);
        if (report.nowUs - info.nowUs < SETTLED_SEC * MICROS_PER_SEC) return;
        counts.all += 1;
        if (flow.mode === "competitive") counts.competitive += 1;
      };
      return { onReport };
    },
  };
  const scenario = path(LINK, over);
  const result = runAlgorithm({ scenario, seed, rewardName: "score", algorithm });
  return { result, competitive: counts.competitive / counts.all };
}

describe("Pauses", () => {
  /** What cross traffic is seen for `sec`, every 10 ms. @param shareAt of the link, s after the beginning */
  function see(sec: number, shareAt: (sec: number) => number, pauses = new Pauses()): Pauses {
    for (let ms = 0; ms < 1000 * sec; ms += 10) pauses.add(1000 * ms, shareAt(ms / 1000));
    return pauses;
  }
  const stopping =
    (everySec: number, sec: number, left = 0) =>
    (t: number): number =>
      t % everySec < sec ? 0.4 * left : 0.4;

  it("finds them where they come every ten seconds, and forgets them when they come no more", () => {
    const pauses = see(25, stopping(10.2, 0.25));
    expect(pauses.recur(25e6)).toBe(true);
    expect(pauses.recur(46e6)).toBe(false);
  });

  it("takes no dip for one, nor what comes more often, is shorter, or ends", () => {
    expect(see(60, stopping(10.2, 0.25, 0.7)).recur(60e6)).toBe(false);
    expect(see(60, stopping(2.55, 0.25)).recur(60e6)).toBe(false);
    expect(see(60, stopping(10.2, 0.05)).recur(60e6)).toBe(false);
    expect(see(60, stopping(10.2, 3)).recur(60e6)).toBe(false);
  });

  it("holds one for the first of many, until it has not come again", () => {
    const once = (t: number): number => (t > 10 && t < 10.25 ? 0 : 0.4);
    expect(see(10.2, once).mayRecur(10.2e6)).toBe(false);
    const pauses = see(11, once);
    expect(pauses.mayRecur(11e6)).toBe(true);
    expect(pauses.recur(11e6)).toBe(false);
    expect(pauses.mayRecur(23e6)).toBe(false);
  });

  it("counts one that is seen in pieces as a whole, each of which is too short", () => {
    const inPieces = (t: number): number => ((t > 10 && t < 10.09) || (t > 10.12 && t < 10.21) ? 0 : 0.4);
    expect(see(11, inPieces).mayRecur(11e6)).toBe(true);
    expect(see(11, (t) => (t > 10 && t < 10.09 ? 0 : 0.4)).mayRecur(11e6)).toBe(false);
  });

  it("takes nothing for one just after a change of its own", () => {
    const pauses = see(9, () => 0.4);
    pauses.disturb(9e6);
    for (let ms = 9000; ms < 11_500; ms += 10) pauses.add(1000 * ms, ms < 9500 ? 0 : 0.4);
    expect(pauses.mayRecur(11.5e6)).toBe(false);
  });

  it("says that it is one while it lasts, for a second at most", () => {
    expect(see(10.3, stopping(10.2, 0.25)).isPausing).toBe(true);
    expect(see(11, stopping(10.2, 0.25)).isPausing).toBe(false);
    expect(see(12, (t) => (t < 10 ? 0.4 : 0)).isPausing).toBe(false);
  });
});

describe("Nimbus on 48 Mbit/s, 50 ms, a queue of two bandwidth-delay products, link rate not given", () => {
  it.each(SEEDS)(
    "tells Cubic from Poisson cross traffic more than nine tenths of the time, seed %i",
    (seed) => {
      expect(beside("cubic", seed).competitive).toBeGreaterThan(0.9);
      expect(beside("poisson", seed).competitive).toBeLessThan(0.1);
    },
  );

  it.each(SEEDS)(
    "keeps the delay low beside Poisson traffic and alone, and uses the link, seed %i",
    (seed) => {
      for (const what of ["poisson", "nobody"] as const) {
        const { metrics } = beside(what, seed).result;
        expect(metrics.meanQueueDelayMs).toBeLessThan(16);
        expect(metrics.utilisation).toBeGreaterThan(0.95);
      }
    },
  );

  it.each(SEEDS)("gets its share beside Cubic: neither has twice as much, seed %i", (seed) => {
    const [own, cubic] = beside("cubic", seed).result.flows!.map(({ goodputMbps }) => goodputMbps);
    expect(own! / cubic!).toBeGreaterThan(0.5);
    expect(own! / cubic!).toBeLessThan(2);
  });
});
