/** Verdicts that do not mislead: references never win, overlaps are ties, an unused or flooded link is no victory. */
import { describe, expect, it } from "vitest";
import { power } from "../../../eval/benchmark.ts";
import { COLUMNS, type Column, ONE_WAY_COLUMNS } from "../../../eval/report/columns.ts";
import { terminalTable } from "../../../eval/report/terminal-table.ts";
import { type Estimate, estimate } from "../../../eval/statistics.ts";
import type { SummaryRow } from "../../../eval/summary.ts";
import { barredBy, leadersOf, standingIn } from "../../../eval/verdicts/standing.ts";
import { verdictSentences } from "../../../eval/verdicts/verdicts.ts";

const SCORE: Column = COLUMNS.find(({ quantity }) => quantity === "score")!;
const DELAY: Column = COLUMNS.find(({ quantity }) => quantity === "meanQueueDelayMs")!;

function value(mean: number, halfWidth = 0): Estimate {
  if (halfWidth === 0) return { mean, ci95: null, samples: 3 };
  return { mean, ci95: halfWidth, low: mean - halfWidth, high: mean + halfWidth, samples: 3 };
}

interface Said {
  readonly utilisation?: number;
  readonly utilisationHalf?: number;
  readonly lossRate?: number;
  readonly score: number;
  readonly scoreHalf?: number;
  readonly delay?: number;
  readonly scenario?: string;
}

function row(algorithm: string, said: Said): SummaryRow {
  const {
    utilisation = 0.95,
    utilisationHalf,
    lossRate = 0,
    score,
    scoreHalf,
    delay = 5,
    scenario = "a",
  } = said;
  return {
    scenario,
    link: "48 Mbit/s",
    algorithm,
    goodputMbps: value(48 * utilisation),
    utilisation: value(utilisation, utilisationHalf),
    lossRate: value(lossRate),
    meanQueueDelayMs: value(delay),
    score: value(score, scoreHalf),
    power: value(0.5),
  };
}

const namesOf = (rows: readonly SummaryRow[]): string[] => rows.map(({ algorithm }) => algorithm);

describe("verdicts", () => {
  it("never marks a reference as best, in no column", () => {
    const rows = ["oracle", "constant", "constant-rate", "untrained"].map((name) =>
      row(name, { score: 20, delay: 0.1 }),
    );
    rows.push(row("cubic", { score: 14, delay: 70 }), row("bbr", { score: 16, delay: 9 }));
    for (const column of [SCORE, DELAY]) {
      const marked = rows.filter((each) => standingIn(column, each, rows) !== "none");
      expect(namesOf(marked)).toEqual(["bbr"]);
    }
  });

  it("calls overlapping intervals a tie, and a clear lead best", () => {
    const tied = [
      row("a", { score: 15, scoreHalf: 0.3 }),
      row("b", { score: 15.4, scoreHalf: 0.2 }),
      row("c", { score: 13, scoreHalf: 0.1 }),
    ];
    expect(tied.map((each) => standingIn(SCORE, each, tied))).toEqual(["tied", "tied", "none"]);
    expect(namesOf(leadersOf(SCORE, tied))).toEqual(["b", "a"]);
    const clear = [row("a", { score: 15, scoreHalf: 0.1 }), row("b", { score: 15.4, scoreHalf: 0.1 })];
    expect(clear.map((each) => standingIn(SCORE, each, clear))).toEqual(["none", "best"]);
  });

  it("calls a lead that would be printed as 0.00 a tie, and does not speak of intervals that are not there", () => {
    const rows = [row("a", { score: 17.276 }), row("b", { score: 17.274 }), row("c", { score: 17.26 })];
    expect(rows.map((each) => standingIn(SCORE, each, rows))).toEqual(["tied", "tied", "none"]);
    expect(verdictSentences(rows, "score")).toEqual([
      "a: tied with b by score: as good to the last digit.",
      "b: tied with a by score: as good to the last digit.",
      "c: behind by score: 0.02 below a.",
    ]);
  });

  describe("of the same seeds", () => {
    /** a row as of these scores of seeds 1, 2, ... */
    const seeded = (algorithm: string, scores: readonly number[]): SummaryRow => ({
      ...row(algorithm, { score: 0 }),
      score: estimate(scores),
      bySeed: { score: Object.fromEntries(scores.map((each, i) => [i + 1, each])) },
    });
    const low = seeded("low", [7.87, 6.83, 8.36]);
    const high = seeded("high", [9.1, 8.2, 9.7]);

    it("knows a lead in every seed from a tie, also where intervals overlap", () => {
      expect(low.score!.high!).toBeGreaterThan(high.score!.low!);
      const rows = [low, high];
      expect(namesOf(leadersOf(SCORE, rows))).toEqual(["high"]);
      expect(verdictSentences(rows, "score")).toEqual([
        "high: best deployable contender by score, 1.31 above low.",
        "low: behind by score: 1.31 below high.",
      ]);
    });

    it("says that the interval of the difference has 0 in it, of one other and of several", () => {
      const rows = [seeded("a", [8, 9, 10]), seeded("b", [8.5, 8.9, 10.2]), seeded("behind", [5, 6, 7])];
      expect(verdictSentences(rows, "score").slice(0, 2)).toEqual([
        "b: tied with a by score, 0.20 above in the mean: the interval of their difference has 0 in it.",
        "a: tied with b by score, 0.20 below in the mean: the interval of their difference has 0 in it.",
      ]);
      const more = [...rows, seeded("c", [7.9, 9.2, 9.9])];
      expect(verdictSentences(more, "score").slice(0, 2)).toEqual([
        "b: tied with a and c by score, 0.20 above a in the mean: the interval of each one's difference to the best mean has 0 in it.",
        "a: tied with b and c by score, 0.20 below b in the mean: the interval of each one's difference to the best mean has 0 in it.",
      ]);
    });

    it("takes overlapping intervals where one lacks a seed, and a difference without interval for what it is", () => {
      const missing = { ...low, bySeed: { score: { 1: 7.87, 2: 6.83 } } };
      expect(verdictSentences([missing, high], "score")[0]).toBe(
        "high: tied with low by score, 1.31 above in the mean: their intervals overlap.",
      );
      const ahead = seeded("ahead", [7.5, 9.5, 8.5]);
      const rows = [seeded("steady", [7, 9, 8]), ahead];
      expect(namesOf(leadersOf(SCORE, rows)), "by 0.5 in every seed").toEqual(["ahead"]);
    });
  });

  describe("of two seeds", () => {
    const twice = (algorithm: string, delays: readonly number[]): SummaryRow => ({
      ...row(algorithm, { score: 15 }),
      meanQueueDelayMs: estimate(delays),
      bySeed: { meanQueueDelayMs: { 1: delays[0]!, 2: delays[1]! } },
    });

    it("calls nobody tied who is ten times behind in both, however wide the interval of two is", () => {
      const rows = [twice("short", [2, 2.5]), twice("long", [18, 31])];
      expect(rows[1]!.meanQueueDelayMs!.low!).toBeLessThan(rows[0]!.meanQueueDelayMs!.mean);
      expect(rows.map((each) => standingIn(DELAY, each, rows))).toEqual(["best", "none"]);
    });

    it("calls those tied of whom each is ahead once, and says so", () => {
      const rows = [twice("a", [2, 3]), twice("b", [3, 2.5]), twice("c", [9, 8])];
      expect(rows.map((each) => standingIn(DELAY, each, rows))).toEqual(["tied", "tied", "none"]);
      const scored = rows.slice(0, 2).map((each) => ({
        ...each,
        score: each.meanQueueDelayMs!,
        bySeed: { score: each.bySeed!.meanQueueDelayMs! },
      }));
      expect(verdictSentences(scored, "score")[0]).toBe(
        "b: tied with a by score, 0.25 above in the mean: neither is ahead in both seeds.",
      );
    });
  });

  it("shows what verdicts are made by, also where a suite has columns of its own", () => {
    const rows = [row("bbr", { score: 16.5 }), row("cubic", { score: 14 })];
    const head = (headline: "score" | "power"): string =>
      terminalTable(rows, [1], "score", { colour: false, columns: ONE_WAY_COLUMNS, headline });
    expect(head("score")).toMatch(/loss │ +score/);
    expect(head("power")).toMatch(/loss │ +power/);
    expect(head("power")).not.toMatch(/│ +score/);
  });

  it("says below a table how ties are found, and where there is no mark", () => {
    const rows = [row("a", { score: 15 }), row("b", { score: 14 })];
    const legend = (seeds: readonly number[]): string =>
      terminalTable(rows, seeds, "score", { colour: false });
    expect(legend([1, 2])).toContain("= tied with the best: not behind in both seeds");
    expect(legend([1])).toContain("= tied with the best: as good to the last digit, no mark where all are");
    expect(legend([1, 2, 3])).toContain(
      "= tied with the best: the interval of the difference, seed by seed, has 0 in it, no mark where all are",
    );
  });

  it("never marks who uses 53 % of a link on which another one uses 98 %, whatever its score and delay", () => {
    const rows = [
      row("shy", { utilisation: 0.53, score: 18, delay: 0.1 }),
      row("reno", { utilisation: 0.98, score: 14, delay: 60 }),
    ];
    expect(barredBy(rows[0]!, rows)).toEqual({
      by: "utilisation",
      value: 0.53,
      other: "reno",
      otherValue: 0.98,
    });
    for (const column of [SCORE, DELAY]) expect(standingIn(column, rows[0]!, rows)).toBe("none");
  });

  it("never marks who loses 8 % where another one loses none, and lets a link be hard for all", () => {
    const flooding = [row("blast", { lossRate: 0.08, score: 18 }), row("cubic", { score: 15 })];
    expect(standingIn(SCORE, flooding[0]!, flooding)).toBe("none");
    expect(barredBy(flooding[0]!, flooding)?.by).toBe("lossRate");
    const hard = [
      row("a", { utilisation: 0.5, score: 12 }),
      row("b", { utilisation: 0.9, lossRate: 0.3, score: 11 }),
    ];
    expect(barredBy(hard[0]!, hard), "one that floods is no better one").toBeUndefined();
  });

  it("ranks those near the fullest by the metric where nobody fills the link, and not who leaves it idle", () => {
    const policed = [
      row("reno", { utilisation: 0.545, score: 12.2, delay: 27 }),
      row("bbr", { utilisation: 0.524, score: 14.5, delay: 0.1 }),
      row("vegas", { utilisation: 0.046, score: 17, delay: 0.05 }),
    ];
    for (const column of [SCORE, DELAY]) expect(namesOf(leadersOf(column, policed))).toEqual(["bbr"]);
    expect(verdictSentences(policed, "score")).toEqual([
      "bbr: best deployable contender by score, 2.30 above reno; uses 52 %; with the least goodput of those ranked, 25.15 Mbit/s.",
      "reno: behind by score: 2.30 below bbr; uses 55 %.",
      "vegas: not ranked by score: it uses 4.6 % of the link, where 44 % is asked for and reno uses 55 %.",
      "No contender uses 80 % of the link: ranked is who comes near enough to the one that uses most.",
    ]);
  });

  it("has no cliff at its thresholds: near and tied is as good, near and clearly less is not, tied by noise alone is not", () => {
    const beside = (utilisation: number, half: number, other: number, otherHalf: number): boolean => {
      const rows = [
        row("a", { utilisation, utilisationHalf: half, score: 16 }),
        row("b", { utilisation: other, utilisationHalf: otherHalf, score: 14 }),
      ];
      return barredBy(rows[0]!, rows) === undefined;
    };
    expect(beside(0.765, 0.072, 0.77, 0.038)).toBe(true);
    expect(beside(0.79, 0.03, 0.81, 0.02)).toBe(true);
    expect(beside(0.79, 0.001, 0.99, 0.001)).toBe(false);
    expect(beside(0.53, 0.6, 0.98, 0.02)).toBe(false);
    const lossy = [
      row("a", { lossRate: 0.081, score: 16 }),
      row("b", { lossRate: 0.08, score: 14 }),
      row("c", { lossRate: 0.2, score: 18 }),
    ];
    expect(namesOf(leadersOf(SCORE, lossy))).toEqual(["a"]);
    expect(verdictSentences(lossy, "score")).toContain(
      "c: not ranked by score: it loses 20 % of its packets, where 10 % is the most and b loses 8.0 %.",
    );
  });

  it("opens with a sentence per contender: on how many links, by how much, and where it falls short", () => {
    const rows = ["wifi", "wired", "lte-a", "lte-b"].flatMap((scenario) => {
      const isLte = scenario.startsWith("lte");
      return [
        row("agent", { scenario, score: isLte ? 17 : 16, utilisation: isLte ? 0.58 : 0.97 }),
        row("vegas", { scenario, score: 15, utilisation: 0.9 }),
        row("oracle", { scenario, score: 20 }),
      ];
    });
    expect(verdictSentences(rows, "score")).toEqual([
      "agent: best deployable contender on 2 of 4 links, by 1.00 of score over the next ranked; on lte-a and lte-b it is vegas, where agent uses 58 % and is not ranked.",
      "vegas: best deployable contender on 2 of 4 links; on wifi and wired it is agent.",
      "oracle is a reference and does not compete.",
    ]);
  });

  it("where several others are best it counts their links, and says in a sentence of its own how one falls short there", () => {
    const rows = ["a", "b", "c", "d", "e"].flatMap((scenario, i) => [
      row("bbr", { scenario, score: i < 2 ? 17 : 15, utilisation: i < 2 ? 0.97 : 0.7 }),
      row("vegas", { scenario, score: i < 4 ? 16 : 14 }),
      row("cubic", { scenario, score: i < 4 ? 14 : 16 }),
    ]);
    expect(verdictSentences(rows, "score")).toEqual([
      "bbr: best deployable contender on 2 of 5 links, by 1.00 of score over the next ranked; elsewhere it is vegas (2 links) and cubic (1). There bbr uses 70 % and is not ranked.",
      "vegas: best deployable contender on 2 of 5 links, by 2.00 of score over the next ranked; elsewhere it is bbr (2 links) and cubic (1).",
      "cubic: best deployable contender on 1 of 5 links, by 2.00 of score over the next ranked; elsewhere it is bbr (2 links) and vegas (2).",
    ]);
  });

  it("says once what is the same of several", () => {
    const rows = ["wifi", "wired"].flatMap((scenario) => [
      row("agent", { scenario, score: 16 }),
      row("cubic", { scenario, score: 14 }),
      row("reno", { scenario, score: 13 }),
      row("bbr", { scenario, score: 15, lossRate: 0.08 }),
    ]);
    expect(verdictSentences(rows, "score")).toEqual([
      "agent: best deployable contender on 2 of 2 links, by 2.00 of score over the next ranked.",
      "cubic and reno: best on none of 2 links; on wifi and wired it is agent.",
      "bbr: best on none of 2 links; on wifi and wired it is agent, where bbr loses 8.0 % and is not ranked.",
    ]);
  });

  it("says on one link by how much, with whom it is tied, and who is not ranked", () => {
    const rows = [
      row("bbr", { score: 16.5, scoreHalf: 0.1 }),
      row("cubic", { score: 14, scoreHalf: 0.1 }),
      row("shy", { score: 19, utilisation: 0.3 }),
    ];
    expect(verdictSentences(rows, "score")).toEqual([
      "bbr: best deployable contender by score, 2.50 above cubic.",
      "cubic: behind by score: 2.50 below bbr.",
      "shy: not ranked by score: it uses 30 % of the link, where 80 % is asked for and bbr uses 95 %.",
    ]);
    const text = terminalTable(rows, [1, 2, 3], "score", { colour: false });
    expect(text.startsWith("bbr: best deployable contender by score")).toBe(true);
    expect(text.replaceAll(/\s+/g, " ")).toContain(
      "is not ranked where another contender uses more, or loses less",
    );
    const flooding = [
      row("blast", { lossRate: 0.08, score: 18 }),
      row("cubic", { lossRate: 0.002, score: 15 }),
      row("reno", { score: 14 }),
    ];
    expect(verdictSentences(flooding, "score")).toContain(
      "blast: not ranked by score: it loses 8.0 % of its packets, where 5.0 % is the most and reno loses 0 %.",
    );
  });

  it("says of the best that it has the least goodput of those ranked, on one link and of several", () => {
    const of = (scenario: string) => [
      row("policy", { scenario, score: 17, utilisation: 0.92 }),
      row("cubic", { scenario, score: 14, utilisation: 0.99 }),
      row("shy", { scenario, score: 18, utilisation: 0.3 }),
    ];
    expect(verdictSentences(of("wifi"), "score")[0]).toBe(
      "policy: best deployable contender by score, 3.00 above cubic; with the least goodput of those ranked, 44.16 Mbit/s.",
    );
    const other = [
      row("policy", { scenario: "wired", score: 17 }),
      row("cubic", { scenario: "wired", score: 14 }),
    ];
    expect(verdictSentences([...of("wifi"), ...other], "score")[0]).toBe(
      "policy: best deployable contender on 2 of 2 links, by 3.00 of score over the next ranked, with the least goodput of those ranked on wifi.",
    );
  });

  it("says of several flows that the first is judged, and how evenly they share", () => {
    const beside = (scenario: string) => [
      { ...row("cubic", { scenario, score: 16 }), jainIndex: value(0.839) },
      { ...row("bbr", { scenario, score: 15 }), jainIndex: value(0.968) },
    ];
    expect(verdictSentences(beside("shared"), "score")).toContain(
      "The first flow is judged; Jain's index of all flows: cubic 0.839, bbr 0.968.",
    );
    const alone = ["cubic", "bbr"].map((name) => row(name, { scenario: "alone", score: 15 }));
    expect(verdictSentences([...beside("shared"), ...alone], "score")).toContain(
      "On shared several flows share the link: the first one is judged; how evenly they share is Jain's index.",
    );
    expect(verdictSentences(alone, "score").join(" ")).not.toContain("first");
  });

  it("says plainly where no contender uses the link, or none that does not flood it", () => {
    const idle = (scenario: string) => [
      row("a", { scenario, score: 15, utilisation: 0.7 }),
      row("b", { scenario, score: 16, utilisation: 0.4 }),
      row("oracle", { scenario, score: 20, utilisation: 1 }),
    ];
    expect(verdictSentences(idle("lte"), "score")).toEqual([
      "a: best deployable contender by score; uses 70 %.",
      "b: not ranked by score: it uses 40 % of the link, where 56 % is asked for and a uses 70 %.",
      "No contender uses 80 % of the link: ranked is who comes near enough to the one that uses most.",
      "oracle is a reference and does not compete.",
    ]);
    const used = [row("a", { scenario: "wifi", score: 15 }), row("b", { scenario: "wifi", score: 16 })];
    const flooded = [
      row("a", { scenario: "radio", score: 15, utilisation: 0.5 }),
      row("b", { scenario: "radio", score: 16, lossRate: 0.3 }),
    ];
    const sentences = verdictSentences([...idle("lte"), ...used, ...flooded], "score");
    expect(sentences).toContain(
      "On lte no contender uses 80 % of the link: ranked is who comes near enough to the one that uses most.",
    );
    expect(sentences).toContain(
      "On radio no contender uses 80 % of the link and loses at most 5.0 %: the best falls short, too.",
    );
    expect(sentences.filter((each) => each.includes("wifi no contender"))).toEqual([]);
  });

  it("keeps utilisation and loss beside the headline in a narrow terminal", () => {
    const rows = [row("bbr", { score: 16.5 }), row("cubic", { score: 14 })];
    const text = terminalTable(rows, [1, 2, 3], "score", { colour: false, width: 52 });
    const head = text.split("\n").find((line) => line.includes("utilisation"))!;
    for (const title of ["utilisation", "loss", "score"]) expect(head).toContain(title);
  });

  it("measures power from 0 to 1: a full link without queue and loss has 1", () => {
    const full = { utilisation: 1, lossRate: 0, meanQueueDelayMs: 0 };
    expect(power(full, 50)).toBe(1);
    expect(power({ ...full, meanQueueDelayMs: 50 }, 50)).toBe(0.5);
    expect(power({ utilisation: 0.8, lossRate: 0.1, meanQueueDelayMs: 0 }, 50)).toBeCloseTo(0.72, 12);
    expect(power(full, 0)).toBe(1);
    expect(power({ ...full, meanQueueDelayMs: Number.NaN }, 50)).toBeNaN();
  });
});
