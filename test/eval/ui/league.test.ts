/** The league of the page: who met whom, and who is best where the others are not ranked. */
import { describe, expect, it } from "vitest";
import { estimate } from "../../../eval/statistics.ts";
import type { SummaryRow } from "../../../eval/summary.ts";
import { type League, type LeagueRun, leagueOf } from "../../../eval/ui/league.ts";
import type { RunLink } from "../../../eval/ui/run-links.ts";

/** The score of each seed from 1 on, or also what it uses. */
type Got = readonly number[] | { readonly scores: readonly number[]; readonly utilisation: number };

function rowOf(scenario: string, algorithm: string, got: Got): SummaryRow {
  const { scores, utilisation } = "scores" in got ? got : { scores: got, utilisation: 0.9 };
  const bySeed = (values: readonly number[]) =>
    Object.fromEntries(values.map((value, i) => [String(i + 1), value]));
  return {
    scenario,
    link: "12 Mbit/s",
    algorithm,
    goodputMbps: estimate([12]),
    utilisation: estimate([utilisation]),
    lossRate: estimate([0]),
    score: estimate(scores),
    bySeed: { score: bySeed(scores), utilisation: bySeed(scores.map(() => utilisation)) },
  };
}

const link = (scenario: string, got: Readonly<Record<string, Got>>, durationSec = 30): RunLink => ({
  scenario,
  label: "12 Mbit/s",
  settings: { durationSec },
  rows: Object.entries(got).map(([algorithm, each]) => rowOf(scenario, algorithm, each)),
});

const run = (id: string, links: readonly RunLink[], modifiedMs = 0): LeagueRun => ({
  id,
  modifiedMs,
  headline: "score",
  links,
});

const counted = ({ rows }: League) => rows.map(({ algorithm, best, links }) => [algorithm, best, links]);

describe("the league", () => {
  it("counts a link as won where all others are not ranked, though there is nobody to be ahead of", () => {
    const league = leagueOf([
      run("one", [
        link("short", {
          a: { scores: [10], utilisation: 0.97 },
          b: { scores: [12], utilisation: 0.1 },
        }),
      ]),
    ]);
    expect(counted(league)).toEqual([
      ["a", 1, 1],
      ["b", 0, 1],
    ]);
    expect(league.rows[1]!.worst!.text).toBe("not ranked: uses 10 % where a uses 97 %");
  });

  it("leaves out a link on which a contender was alone", () => {
    const league = leagueOf([
      run("alone", [link("long", { a: [10] })]),
      run("two", [link("short", { a: [10], b: [11] })]),
    ]);
    expect(counted(league)).toEqual([
      ["b", 1, 1],
      ["a", 0, 1],
    ]);
  });

  it("counts a link of two runs once, as the newer has it", () => {
    const { rows } = leagueOf([
      run("old", [link("short", { a: [11], b: [10] }), link("long", { a: [11], b: [10] })], 1),
      run("new", [link("short", { a: [11], c: [13] })], 2),
    ]);
    expect(Object.fromEntries(rows.map(({ algorithm, best, links }) => [algorithm, [best, links]]))).toEqual({
      a: [1, 2],
      b: [0, 2],
      c: [1, 1],
    });
    expect(rows.find(({ algorithm }) => algorithm === "a")!.worst).toMatchObject({ runId: "new" });
  });

  it("lets contenders of different runs meet on the same link", () => {
    const { rows } = leagueOf([
      run("one", [link("short", { reno: [14.74], cubic: [14.1] })], 1),
      run("two", [link("short", { copa: [16.49], cubic: [14.1] })], 2),
    ]);
    expect(counted({ by: "score", rows })).toEqual([
      ["copa", 1, 1],
      ["reno", 0, 1],
      ["cubic", 0, 1],
    ]);
    expect(rows[0]!.medianLead).toBeCloseTo(1.75);
    expect(rows[1]).toMatchObject({ rank: 2, againstFirst: { links: 1, ahead: 0, behind: 1 } });
    expect(rows[1]!.worst).toMatchObject({ runId: "one", text: "1.75 below copa, uses 90 %" });
  });

  it("takes a link of another duration for another link", () => {
    const league = leagueOf([
      run("short", [link("cell", { a: [12], b: [11] }, 5)], 1),
      run("long", [link("cell", { a: [10], b: [11] }, 30)], 2),
    ]);
    expect(counted(league)).toEqual([
      ["a", 1, 2],
      ["b", 1, 2],
    ]);
    expect(league.rows.map(({ rank }) => rank)).toEqual([1, 1]);
    expect(league.rows.map(({ worst }) => worst!.link)).toEqual(["12 Mbit/s for 30 s", "12 Mbit/s for 5 s"]);
  });

  it("lets nobody lead that was on few of the links, whatever it won there", () => {
    const many = ["p", "q", "r", "s"].map((name) => link(name, { bbr: [12], cubic: [11] }));
    const { rows } = leagueOf([run("many", many, 1), run("one", [link("p", { agent: [15], bbr: [12] })], 2)]);
    expect(rows.map(({ algorithm, rank, isOnFew }) => [algorithm, rank, isOnFew])).toEqual([
      ["bbr", 1, false],
      ["cubic", 2, false],
      ["agent", 3, true],
    ]);
    expect(rows[2]!.againstFirst).toEqual({ links: 1, ahead: 1, behind: 0 });
  });

  it("lets lead who is ahead of each other one on most of the links that both were on", () => {
    const { rows } = leagueOf([
      run("both", [
        link("p", { a: [12], b: [11] }),
        link("q", { a: [12], b: [11] }),
        link("r", { a: [10], b: [11] }),
      ]),
      // b is best on more links, those on which a was not
      run(
        "other",
        ["s", "t"].map((name) => link(name, { b: [12], c: [11] })),
      ),
      run("third", [link("u", { a: [12], c: [11] })]),
    ]);
    expect(counted({ by: "score", rows })).toEqual([
      ["a", 3, 4],
      ["b", 3, 5],
      ["c", 0, 3],
    ]);
    expect(rows[1]!.againstFirst).toEqual({ links: 3, ahead: 1, behind: 2 });
  });

  it("judges two contenders by the seeds that both have", () => {
    const { rows } = leagueOf([
      run("three", [link("short", { a: [10, 14, 15] })], 1),
      run("one", [link("short", { b: [11] })], 2),
    ]);
    expect(counted({ by: "score", rows })).toEqual([
      ["b", 1, 1],
      ["a", 0, 1],
    ]);
    expect(rows[0]!.medianLead).toBeCloseTo(1);
  });

  it("takes no seed from a contender whose newer run had fewer, but all from one that is no longer the same", () => {
    const old = run("old", [link("short", { a: [10, 14, 15], agent: [9, 13, 14] })], 1);
    expect(counted(leagueOf([old, run("trained", [link("short", { agent: [12] })], 2)]))).toEqual([
      ["agent", 1, 1],
      ["a", 0, 1],
    ]);
    const { rows } = leagueOf([
      run("old", [link("short", { a: [10, 14, 15], agent: [11, 9, 18] })], 1),
      run("same", [link("short", { agent: [11] })], 2),
    ]);
    expect(
      rows.map(({ tied }) => tied),
      "by three seeds, not by one",
    ).toEqual([1, 1]);
  });

  it("says of contenders without a common link that they have not met", () => {
    const { rows } = leagueOf([
      run("one", [link("p", { a: [12], b: [11] })]),
      run("two", [link("q", { c: [12], d: [11] })]),
    ]);
    expect(rows.map(({ algorithm, rank }) => [algorithm, rank])).toEqual([
      ["a", 1],
      ["c", 1],
      ["b", 3],
      ["d", 3],
    ]);
    expect(rows[1]!.againstFirst).toBeUndefined();
  });

  it("takes nothing of a run whose settings are not stored for the link of another", () => {
    const { settings: _, ...going } = link("short", { b: [11], c: [10] });
    const league = leagueOf([run("done", [link("short", { a: [12] })]), run("going", [going])]);
    expect(counted(league)).toEqual([
      ["b", 1, 1],
      ["c", 0, 1],
    ]);
  });
});
