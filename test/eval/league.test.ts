/** Splits and the league table: seals, what no training may see, and rliable's definitions. */
import { describe, expect, it } from "vitest";
import { Rng } from "../../core/random.ts";
import type { BenchmarkRecord } from "../../eval/benchmark.ts";
import { resolveSplit, sealedLinks, sealOfSplit } from "../../eval/league/split-files.ts";
import { expectNotSealed, findSplit, SPLITS } from "../../eval/league/splits.ts";
import { interquartileMean, leagueRows, leagueTable, stratifiedBootstrap } from "../../eval/league/table.ts";
import { leagueReport } from "../../eval/ui/league.ts";
import { resolveScenarios } from "../../scenarios/scenario-files.ts";

const record = (
  algorithm: string,
  scenario: string,
  score: number,
  { utilisation = 0.9, lossRate = 0.01 } = {},
): BenchmarkRecord => ({ algorithm, scenario, score, utilisation, lossRate }) as unknown as BenchmarkRecord;

describe("splits", () => {
  it.each([...SPLITS.values()])("$name says what it was sealed with", (split) => {
    expect(sealOfSplit(split)).toBe(split.sha256);
  });

  it("leave out recorded traces that are not there, and say so", () => {
    const { links, skipped } = resolveSplit(findSplit("validation"), "/nowhere");
    expect(links).toHaveLength(28);
    expect(skipped).toHaveLength(6);
    expect(skipped[0]).toContain("no recorded trace /nowhere/Verizon-LTE-short.down (set CCPARK_TEST_DATA)");
  });

  it("refuse a split whose links say something else by now", () => {
    const changed = { ...findSplit("test"), links: findSplit("test").links.slice(1) };
    expect(() => resolveSplit(changed, "/nowhere")).toThrow("a preset has changed");
  });

  it("refuse to train on a link of the test split, and on no other", () => {
    const entries = (name: string) => resolveScenarios([name], { durationSec: 5 });
    expect(() => expectNotSealed(entries("ccbench1-grid/12-flat-40ms-1bdp"), sealedLinks())).toThrow(
      "of the test split, which is sealed",
    );
    expect(() => expectNotSealed(entries("ccbench1-grid/12-flat-40ms-2bdp"), sealedLinks())).not.toThrow();
  });
});

describe("league table", () => {
  it("takes the interquartile mean without the lowest and the highest quarter", () => {
    expect(interquartileMean([1, 2, 3, 4, 5, 6, 7, 100])).toBe(4.5);
    expect(interquartileMean([1, 2])).toBe(1.5);
  });

  it("draws seeds anew within each link: links that do not vary leave no interval", () => {
    const mean = (strata: readonly (readonly number[])[]): number =>
      strata.flat().reduce((sum, value) => sum + value, 0) / strata.flat().length;
    const still = stratifiedBootstrap(
      [
        [1, 1],
        [5, 5],
      ],
      mean,
      Rng.fromSeed(1),
    );
    expect(still).toEqual({ value: 3, low: 3, high: 3 });
    const { value, low, high } = stratifiedBootstrap(
      [
        [0, 2],
        [5, 5],
      ],
      mean,
      Rng.fromSeed(1),
    );
    expect([value, low, high]).toEqual([3, 2.5, 3.5]);
  });

  it("counts wins against the best baseline of each link", () => {
    const rows = leagueRows([
      record("cubic", "a", 10),
      record("cubic", "b", 12),
      record("vegas", "a", 11),
      record("vegas", "b", 9),
      record("mine", "a", 11.5),
      record("mine", "b", 11.7),
    ]);
    const [first] = rows;
    expect(first).toMatchObject({ algorithm: "mine", wins: 1, near: 2, worstLink: "b", links: 2 });
    expect(first!.worst).toBeCloseTo(-0.3);
    expect(rows.find(({ algorithm }) => algorithm === "vegas")).toMatchObject({ wins: 1, near: 1 });
    expect(leagueTable(rows)).toContain("mine");
  });

  it("names links left idle that Cubic or BBR use, and losses that BBR has not", () => {
    const rows = leagueRows([
      record("cubic", "a", 10, { utilisation: 0.95 }),
      record("cubic", "b", 10, { utilisation: 0.5 }),
      record("cubic", "c", 10, { lossRate: 0.2 }),
      record("bbr", "a", 10, { utilisation: 0.7 }),
      record("bbr", "b", 10, { utilisation: 0.7, lossRate: 0.1 }),
      record("bbr", "c", 10, { lossRate: 0.001 }),
      record("mine", "a", 9, { utilisation: 0.79 }),
      record("mine", "b", 9, { utilisation: 0.3, lossRate: 0.09 }),
      record("mine", "c", 9, { lossRate: 0.03 }),
    ]);
    const mine = rows.find(({ algorithm }) => algorithm === "mine")!;
    expect(mine).toMatchObject({ idle: ["a"], lossy: ["c"] });
    const text = leagueTable(rows);
    for (const line of ["mine leaves idle: a", "mine loses much on: c"]) expect(text).toContain(line);
  });
});

it("the page shows a stored league as its table, and what is none as it is", () => {
  const interval = { value: 1, low: 0, high: 2 };
  const row = {
    algorithm: "cubic",
    links: 2,
    mean: interval,
    iqm: interval,
    worst: -0.5,
    worstLink: "park-paper",
    wins: 1,
    near: 2,
    utilisation: 0.9,
    lossRate: 0.01,
    idle: ["park-paper"],
    lossy: [],
  };
  expect(leagueReport(`${JSON.stringify({ split: "validation", ...row })}\n`)).toBe(leagueTable([row]));
  for (const text of ["<script>", "{}\n", "null"]) expect(leagueReport(text)).toBe(text);
});
