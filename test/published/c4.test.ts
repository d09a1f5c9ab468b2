/** The simulations of draft-huitema-ccwg-c4-test: what each is, and what its verdict is made of. */
import { describe, expect, it } from "vitest";
import { resolveAlgorithm } from "../../algorithms/reference.ts";
import { algorithmContender } from "../../eval/contenders/algorithm-contender.ts";
import { type CaseContender, findCaseSuite } from "../../eval/suites/case-suite.ts";
import { worstOf } from "../../eval/suites/thresholds.ts";
import { findSuite, suiteScenarios } from "../../scenarios/presets/suites.ts";
import { resolveScenarios } from "../../scenarios/scenario-files.ts";

const published = findSuite("c4");
const suite = findCaseSuite(published)!;
const entries = resolveScenarios(suiteScenarios(published, false));

function contender(reference: string): CaseContender {
  return { reference, contender: algorithmContender(resolveAlgorithm(reference)) };
}

async function trial(name: string, reference: string, seed: number) {
  const entry = entries.find((each) => each.name === `c4/${name}`)!;
  return (await suite.run(entry.of(seed), contender(reference), { seed, qlog: false })).record;
}

describe("the simulations of draft-huitema-ccwg-c4-test", () => {
  it("are 31, each with its thresholds and 100 trials, the impossible one with its erratum", () => {
    expect(entries).toHaveLength(31);
    expect(published.seeds).toBe(100);
    for (const entry of entries) expect(suite.checksOf(entry.of(1)).length, entry.name).toBeGreaterThan(0);
    const badWifi = entries.find(({ name }) => name === "c4/08-bad-wifi")!.of(1);
    expect(suite.erratumOf?.(badWifi)).toContain("take 8 s");
  });

  it("a download is judged by its completion, and a call by the delays of its frames (seed 1)", async () => {
    const download = await trial("01-20mbps", "cubic", 1);
    expect(download.checks[0]).toMatchObject({ name: "completion", threshold: { high: 5 }, verdict: "pass" });
    // 10 MB of payload at 20 Mbit/s
    expect(download.checks[0]!.value).toBeGreaterThan(4);
    const call = await trial("25-media-100mbps", "cubic", 1);
    expect(call.checks.map(({ name }) => name)).toContain("greatest frame delay, audio");
    for (const { value, threshold } of call.checks) {
      expect(value).toBeGreaterThanOrEqual(15);
      expect(value).toBeLessThanOrEqual(threshold.high!);
    }
  });

  it("the verdict of a case is that of its worst trial, whose seed it names (seeds 1 and 2)", async () => {
    const trials = [await trial("08-bad-wifi", "bbr3", 1), await trial("08-bad-wifi", "bbr3", 2)];
    const worst = worstOf(trials);
    const values = trials.map(({ checks }) => checks[0]!.value);
    expect(worst.checks[0]!.value).toBe(Math.max(...values));
    expect(worst.seed).toBe(values.indexOf(Math.max(...values)) + 1);
    expect(worst.trials).toBe(2);
    expect(await trial("08-bad-wifi", "bbr3", 2)).toEqual(trials[1]);
  });

  it("one that was never done is the worst of all", async () => {
    const done = await trial("01-20mbps", "cubic", 1);
    const never = {
      ...done,
      seed: 9,
      verdict: "fail" as const,
      checks: [{ ...done.checks[0]!, value: Number.NaN, verdict: "fail" as const }],
    };
    expect(worstOf([done, never])).toMatchObject({ seed: 9, verdict: "fail", passed: 1 });
  });
});
