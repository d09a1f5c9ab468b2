/** The league of the page: who met whom, and who is best where the others are not ranked. */
import { describe, expect, it } from "vitest";
import { leagueOf } from "../../../eval/ui/league.ts";
import type { RunEntry } from "../../../eval/ui/run-folders.ts";
import type { LinkVerdict } from "../../../eval/verdicts/verdicts.ts";

const link = (scenario: string, rest: Partial<LinkVerdict>): LinkVerdict => ({
  scenario,
  link: "12 Mbit/s",
  outcome: "behind",
  leaders: ["a"],
  ties: [],
  utilisation: 0.9,
  lossRate: 0,
  ...rest,
});

const run = (id: string, verdicts: Record<string, readonly LinkVerdict[]>, modifiedMs = 0): RunEntry => ({
  id,
  name: id,
  kind: "results",
  title: id,
  links: [],
  contenders: Object.keys(verdicts),
  sentences: [],
  modifiedMs,
  live: false,
  verdicts: Object.entries(verdicts).map(([algorithm, links]) => ({ algorithm, links, best: 0, tied: 0 })),
});

describe("the league", () => {
  it("counts a link as won where all others are not ranked, though there is nobody to be ahead of", () => {
    const barred = { by: "utilisation", value: 0.1, other: "a", otherValue: 0.97 } as const;
    const rows = leagueOf([
      run("one", { a: [link("short", { outcome: "best" })], b: [link("short", { barred })] }),
    ]);
    expect(rows.map(({ algorithm, best, links }) => [algorithm, best, links])).toEqual([
      ["a", 1, 1],
      ["b", 0, 1],
    ]);
    expect(rows[1]!.worst!.text).toBe("not ranked: uses 10 % where a uses 97 %");
  });

  it("leaves out a link on which a contender was alone", () => {
    const rows = leagueOf([
      run("alone", { a: [link("long", { outcome: "best" })] }),
      run("two", {
        a: [link("short", { margin: 1, against: "b" })],
        b: [link("short", { outcome: "best", margin: 1, against: "a" })],
      }),
    ]);
    expect(rows.map(({ algorithm, best, links }) => [algorithm, best, links])).toEqual([
      ["b", 1, 1],
      ["a", 0, 1],
    ]);
  });

  it("counts a link of two runs once, as the newer has it", () => {
    const won = link("short", { outcome: "best", margin: 1, against: "b" });
    const behind = link("short", { margin: 1, against: "a" });
    const lost = link("short", { margin: 2, against: "c" });
    const rows = leagueOf([
      run(
        "old",
        {
          a: [won, link("long", { outcome: "best", margin: 1, against: "b" })],
          b: [behind, link("long", { margin: 1, against: "a" })],
        },
        1,
      ),
      run("new", { a: [lost], c: [link("short", { outcome: "best", margin: 2, against: "a" })] }, 2),
    ]);
    expect(Object.fromEntries(rows.map(({ algorithm, best, links }) => [algorithm, [best, links]]))).toEqual({
      a: [1, 2],
      b: [0, 2],
      c: [1, 1],
    });
    expect(rows.find(({ algorithm }) => algorithm === "a")!.worst).toMatchObject({ runId: "new" });
  });
});
