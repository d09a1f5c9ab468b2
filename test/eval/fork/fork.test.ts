/** Counterfactuals: up to the fork it is the original run to the byte; a fork to the same controller is possible; regret is never negative. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeAlgorithm, resolveAlgorithm } from "../../../algorithms/reference.ts";
import type { CongestionControlFactory } from "../../../ccp-bridge/congestion-control.ts";
import { runCcpAlgorithm } from "../../../ccp-bridge/in-process-flow.ts";
import { NANOS_PER_MICRO, NANOS_PER_SEC } from "../../../core/units.ts";
import { runAlgorithm } from "../../../envs/measured-run.ts";
import { niceBinSec } from "../../../eval/benchmark.ts";
import { forkRun, regretOf } from "../../../eval/fork/fork.ts";
import { regretText } from "../../../eval/fork/fork-text.ts";
import { HandOver } from "../../../eval/fork/forked-control.ts";
import { loadStoredRun } from "../../../eval/fork/stored-run.ts";
import { resolveScenario } from "../../../scenarios/scenario-files.ts";
import { RunRecorder } from "../../../testbeds/exports/recorder.ts";
import { SIMULATED } from "../../../testbeds/simulated/simulated.ts";

const algorithm = (name: string) => () => makeAlgorithm(resolveAlgorithm(name));
const SCENARIO = {
  ...resolveScenario("park-paper", { durationSec: 8 }),
  flows: [{ algorithm: "reno", startSec: 1 }],
};
const AT_SEC = 4.2;

describe("a fork", () => {
  it("is the original run up to the fork, and differs after it", () => {
    for (const [first, second] of [
      ["cubic", "vegas"],
      ["bbr", "cubic"],
      ["native-reno", "bbr3"],
    ] as const) {
      const options = { scenario: SCENARIO, seed: 3, original: algorithm(first), atSec: AT_SEC };
      const { original, forked } = forkRun({ ...options, other: algorithm(second) });
      expect(forked.atFork).toEqual(original.atFork);
      expect(forked.before).toEqual(original.before);
      const { binSec, timeSec } = original.result.series;
      // bins of arrivals: what was under way at the fork arrives within the next half a second
      const same = timeSec.filter((sec) => sec <= AT_SEC - binSec).length;
      for (const key of ["throughputMbps", "queueDelayMs", "cwndPackets"] as const) {
        expect(forked.result.series[key].slice(0, same)).toEqual(original.result.series[key].slice(0, same));
      }
      expect(forked.after).not.toEqual(original.after);
      expect(forkRun({ ...options, other: algorithm(second) }).forked).toEqual(forked);
    }
  }, 60_000);

  it("has the same packets up to the fork, each at the same nanosecond", () => {
    const texts = [false, true].map((isForked) => {
      const recorder = new RunRecorder(["qlog"]);
      const made = makeAlgorithm(resolveAlgorithm("cubic"));
      const first: CongestionControlFactory = typeof made === "function" ? made : runCcpAlgorithm(made);
      const vegas = makeAlgorithm(resolveAlgorithm("vegas"));
      const handOver = new HandOver(first, typeof vegas === "function" ? vegas : runCcpAlgorithm(vegas));
      const run = SIMULATED.open(resolveScenario("park-paper", { durationSec: 3 }), 2, {
        control: () => (isForked ? handOver.factory : first),
        recorder,
      });
      const atNs = run.startNs + 1.5 * NANOS_PER_SEC;
      run.runUntil(atNs);
      if (isForked) handOver.fork(atNs / NANOS_PER_MICRO);
      run.runUntil(run.endNs);
      return recorder.texts(run, "run").qlog!.split("\n");
    });
    const [original, forked] = texts as [string[], string[]];
    const firstDifference = original.findIndex((line, i) => line !== forked[i]);
    const timeMs = Number(/"time":\s*([0-9.]+)/.exec(original[firstDifference]!)![1]);
    expect(firstDifference).toBeGreaterThan(1000);
    expect(timeMs).toBeGreaterThanOrEqual(1500);
  });

  it("of a run is that run: another path through the controller changes no byte", () => {
    const scenario = resolveScenario("park-paper", { durationSec: 5 });
    const result = runAlgorithm({
      scenario,
      seed: 1,
      algorithm: algorithm("cubic")(),
      rewardName: "score",
      seriesBinSec: niceBinSec(scenario.durationSec),
    });
    const { original } = forkRun({
      scenario,
      seed: 1,
      original: algorithm("cubic"),
      other: algorithm("reno"),
      atSec: 2,
    });
    expect(original.result.metrics).toEqual(result.metrics);
  });

  it("is of the first flow under test; others keep their controller", () => {
    const scenario = {
      ...resolveScenario("park-paper", { durationSec: 12 }),
      flows: [{ algorithm: "test" }],
    };
    const options = { scenario, seed: 1, original: algorithm("vegas"), other: algorithm("cubic"), atSec: 4 };
    const { original, forked } = forkRun(options);
    expect(forked.atFork).toEqual(original.atFork);
    // Cubic takes from Vegas, which the second flow still is
    const goodputs = forked.result.flows!.map(({ goodputMbps }) => goodputMbps);
    expect(goodputs[0]).toBeGreaterThan(goodputs[1]!);
    expect(forked.after.goodputMbps).toBeGreaterThan(original.after.goodputMbps);
  });

  it("outside of the run is refused in one sentence", () => {
    const options = { scenario: SCENARIO, seed: 1, original: algorithm("cubic"), other: algorithm("reno") };
    expect(() => forkRun({ ...options, atSec: 9 })).toThrow(
      "[fork] --at: got 9, expected a time within the run",
    );
  });
});

describe("the regret of decisions", () => {
  it("is the best alternative's gain, never negative, and the same twice", () => {
    const options = {
      scenario: resolveScenario("park-paper", { durationSec: 6 }),
      seed: 1,
      original: algorithm("reno"),
      atSec: 2,
      decisions: 3,
      holdSec: 0.05,
      horizonSec: 0.4,
    };
    const decisions = regretOf(options);
    expect(decisions).toHaveLength(3);
    for (const { score, alternatives, regret, best } of decisions) {
      expect(regret).toBe(Math.max(score, ...alternatives) - score);
      expect(regret).toBeGreaterThanOrEqual(0);
      if (best === 1) expect(regret).toBe(0);
    }
    expect(decisions.map(({ atSec }) => +atSec.toFixed(9))).toEqual([2, 3.8, 5.6]);
    expect(regretOf(options)).toEqual(decisions);
    expect(() => regretOf({ ...options, holdSec: 1 })).toThrow(
      "[fork] --hold: got 1, expected at most the --horizon, 0.4 s",
    );
  }, 60_000);

  it("of a doubled window that overflows the queue says what it loses, and that the score has no losses in it", () => {
    const decisions = regretOf({
      scenario: resolveScenario("park-paper", { durationSec: 8 }),
      seed: 1,
      original: algorithm("cubic"),
      atSec: 5,
      decisions: 2,
      holdSec: 0.05,
      horizonSec: 0.4,
    });
    for (const { best, lossRate, alternativeLossRates } of decisions) {
      expect(best).toBe(2);
      expect(lossRate).toBe(0);
      expect(alternativeLossRates.at(-1)).toBeGreaterThan(0.1);
    }
    const text = regretText(decisions, 0.4);
    expect(text.split("\n")[1]).toMatch(/regret │ loss % │ of best/);
    expect(text).toContain(
      "score of the 0.4 s after each decision (--horizon): losses are no part of the score",
    );
    expect(text).toContain("In 2 of 2 the best by score loses more than what was done");
  }, 60_000);
});

describe("a stored run", () => {
  it("is chosen by its row, and refused where two are left", () => {
    const folder = mkdtempSync(join(tmpdir(), "ccpark-fork-"));
    const scenario = resolveScenario("park-paper");
    const record = { scenario: "park-paper", algorithm: "cubic", seed: 1 };
    const lines = [record, { ...record, seed: 2 }].map((each) => JSON.stringify(each));
    writeFileSync(join(folder, "results.jsonl"), lines.join("\n"));
    writeFileSync(join(folder, "summary.json"), JSON.stringify({ scenarios: [scenario] }));
    expect(loadStoredRun(folder, { seed: 2 })).toEqual({ record: { ...record, seed: 2 }, scenario });
    expect(() => loadStoredRun(folder, {})).toThrow(
      "got 2 runs (park-paper cubic seed 1; park-paper cubic seed 2)",
    );
    expect(() => loadStoredRun(folder, { contender: "bbr" })).toThrow(
      "got bbr, expected one of its 2 runs: park-paper cubic seed 1; park-paper cubic seed 2",
    );
    rmSync(join(folder, "summary.json"));
    expect(() => loadStoredRun(folder, { seed: 2 })).toThrow(
      "summary.json: no such file, expected what `ccpark bench --out` wrote",
    );
    expect(() => loadStoredRun(join(folder, "none"), {})).toThrow("got nothing there");
  });
});
