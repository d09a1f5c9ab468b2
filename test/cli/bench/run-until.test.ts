import { expect, it, vi } from "vitest";
import { resolveAlgorithm } from "../../../algorithms/reference.ts";
import { runUntil } from "../../../cli/bench/run-until.ts";
import { Rng } from "../../../core/random.ts";
import { type BenchmarkRun, runBenchmark } from "../../../eval/benchmark.ts";
import { algorithmContender } from "../../../eval/contenders/algorithm-contender.ts";
import { makeLink } from "../../../scenarios/links.ts";

const PLAN = {
  scenarios: [makeLink({ mbps: 1, rttMs: 10, durationSec: 0.2 })],
  contenders: [algorithmContender(resolveAlgorithm("reno"))],
  seeds: [1, 2, 3],
  rewardName: "score",
};

/** One run, with the goodput of each seed drawn between 0 and 2 Mbit/s. */
async function drawnRuns(seeds: readonly number[]): Promise<BenchmarkRun[]> {
  const { value: run } = await runBenchmark(PLAN).next();
  return seeds.map((seed) => {
    const goodputMbps = Rng.fromSeed(seed).uniform(0, 2);
    return { ...run!, record: { ...run!.record, seed, goodputMbps } };
  });
}

it("says so where the most seeds there are do not make intervals as narrow as asked for, however quiet it is", async () => {
  const said = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  try {
    const narrow = await runUntil("ci=0.2", PLAN, drawnRuns, { quiet: true });
    expect(narrow.seeds.length).toBeLessThan(200);
    expect(said).not.toHaveBeenCalled();
    const { runs, seeds } = await runUntil("ci=0.001", PLAN, drawnRuns, { quiet: true });
    expect([runs.length, seeds.length]).toEqual([1000, 1000]);
    expect(said.mock.calls.map(([text]) => text)).toEqual([
      "--until ci=0.001: not reached, some row is wider than 0.1 % of its mean with 1000 seeds, the most there are\n",
    ]);
  } finally {
    said.mockRestore();
  }
});
