/** Harm of a contender to the flows beside it, against the same flows on the same link without it. */
import { describe, expect, it } from "vitest";
import { resolveAlgorithm } from "../../algorithms/reference.ts";
import { type BenchmarkRecord, runBenchmark } from "../../eval/benchmark.ts";
import { algorithmContender } from "../../eval/contenders/algorithm-contender.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { resolveScenario } from "../../scenarios/scenario-files.ts";

const LINK: Scenario = resolveScenario("park-paper", { durationSec: 20 });

async function run(scenario: Scenario, algorithms: readonly string[]): Promise<BenchmarkRecord[]> {
  const records: BenchmarkRecord[] = [];
  const contenders = algorithms.map((name) => algorithmContender(resolveAlgorithm(name)));
  const plan = { scenarios: [scenario], contenders, seeds: [1], rewardName: "score" };
  for await (const { record } of runBenchmark(plan)) records.push(record);
  return records;
}

describe("harm", () => {
  it("is the part of its goodput alone that a flow loses beside the contender", async () => {
    const [alone] = await run(LINK, ["cubic"]);
    const beside = { ...LINK, flows: [{ algorithm: "cubic" }] };
    const [cubic, vegas] = await run(beside, ["cubic", "vegas"]);
    for (const record of [cubic!, vegas!]) {
      const other = record.flows!.find(({ id }) => id !== "flow-0")!;
      expect(record.harm).toBeCloseTo(1 - other.goodputMbps / alone!.goodputMbps, 2);
      expect(record.delayHarm).toBeGreaterThanOrEqual(0);
      expect(record.delayHarm).toBeLessThan(1);
    }
    // Vegas gives way to the queue that CUBIC fills, another CUBIC does not
    expect(vegas!.harm!).toBeLessThan(cubic!.harm! - 0.1);
  });

  it("is the same when the contender is run alone or after others", async () => {
    const beside = { ...LINK, flows: [{ algorithm: "vegas" }, { algorithm: "test", startSec: 5 }] };
    const [, second] = await run(beside, ["reno", "bbr"]);
    const [only] = await run({ ...beside }, ["bbr"]);
    expect(second).toEqual(only);
    expect(second!.harm).toBeGreaterThan(0.5);
  });

  it("to delay is the part of it that the contender's queue makes", async () => {
    const quiet = { algorithm: "cubic", application: { kind: "constant-rate", mbps: 1 } } as const;
    const [reno] = await run({ ...LINK, flows: [quiet] }, ["reno"]);
    const baseMs = LINK.propagationDelayMs;
    const { p95OneWayDelayMs } = reno!.flows!.find(({ id }) => id !== "flow-0")!;
    expect(reno!.harm).toBeLessThan(0.1);
    expect(reno!.delayHarm).toBeCloseTo(1 - baseMs / p95OneWayDelayMs, 1);
    expect(reno!.delayHarm).toBeGreaterThan(0.5);
  });

  it("has no value where nobody else goes the same way", async () => {
    for (const flows of [
      undefined,
      [{ algorithm: "test" }],
      [{ algorithm: "cubic", direction: "backward" } as const],
    ]) {
      const [record] = await run({ ...LINK, durationSec: 3, flows }, ["reno"]);
      expect(record).not.toHaveProperty("harm");
      expect(record).not.toHaveProperty("delayHarm");
    }
  });
});
