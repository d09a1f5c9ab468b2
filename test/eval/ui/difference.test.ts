import { expect, it } from "vitest";
import { COLUMNS } from "../../../eval/report/columns.ts";
import { estimate } from "../../../eval/statistics.ts";
import type { SummaryRow } from "../../../eval/summary.ts";
import { differenceOf } from "../../../eval/ui/difference.ts";

const [SCORE] = COLUMNS.filter(({ quantity }) => quantity === "score");

/** @param scores of each contender: of seeds 1, 2, ... */
function side(
  name: string,
  scores: Readonly<Record<string, readonly number[]>>,
  label = "l",
  settings: Readonly<Record<string, unknown>> = { durationSec: 5 },
) {
  const rows = Object.entries(scores).map(
    ([algorithm, values]): SummaryRow => ({
      scenario: "s",
      link: "l",
      algorithm,
      goodputMbps: estimate([48]),
      score: estimate(values),
      bySeed: { score: Object.fromEntries(values.map((value, i) => [i + 1, value])) },
    }),
  );
  return { name, link: { scenario: "s", label, settings, rows } };
}

const before = side("before", {
  agent: [16, 16.1, 15.9],
  bbr: [15, 15.1, 14.9],
  cubic: [14, 14.5, 13.5],
  oracle: [18, 18, 18],
  gone: [1, 1, 1],
});
const after = side("after", {
  agent: [17.25, 17.4, 17.1],
  bbr: [14.5, 14.6, 14.4],
  cubic: [14.4, 14.2, 14],
  oracle: [18, 18, 18],
  come: [1, 1, 1],
});

it("says in which of two runs each contender does better, by how much, and who is tied", () => {
  expect(differenceOf(COLUMNS, SCORE!, before, after)).toEqual({
    answer:
      "By score: before is better for bbr (by 0.50); after is better for agent (by 1.25); tied for cubic and oracle.",
    rule: "Framed: the two runs are not tied. Tied: the interval of the difference, seed by seed, has 0 in it. Values: mean ± half width of the 95 % confidence interval over 3 seeds (Student's t).",
    differing: { agent: ["score"], bbr: ["score"], cubic: [], oracle: [] },
    references: ["oracle"],
  });
  expect(differenceOf(COLUMNS, SCORE!, side("before", { gone: [1] }), after).answer).toBe(
    "They have no contender in common.",
  );
});

it("tells by the seeds that both runs have what overlapping intervals do not tell", () => {
  const low = side("low", { agent: [7.87, 6.83, 8.36] });
  const high = side("high", { agent: [9.1, 8.2, 9.7] });
  expect(low.link.rows[0]!.score!.high!).toBeGreaterThan(high.link.rows[0]!.score!.low!);
  expect(differenceOf(COLUMNS, SCORE!, low, high).answer).toBe(
    "By score: high is better for agent (by 1.31).",
  );
});

it("frames nothing that reads alike", () => {
  const differing = (a: number, b: number) =>
    differenceOf(COLUMNS, SCORE!, side("a", { agent: [a] }), side("b", { agent: [b] })).differing["agent"];
  expect(differing(17.482, 17.478)).toEqual([]);
  expect(differing(17.482, 17.462)).toEqual(["score"]);
});

it("says of links that differ how they do, and judges nothing", () => {
  const got = { vegas: [12, 13] };
  const near = side("a", got, "24 Mbit/s, 20 ms");
  const unlike = (b: ReturnType<typeof side>) => differenceOf(COLUMNS, SCORE!, near, b);
  expect(unlike(side("b", { vegas: [10, 11] }, "24 Mbit/s, 60 ms"))).toEqual({
    answer:
      "Not judged, as the links differ: a has 24 Mbit/s, 20 ms for 5 s, b has 24 Mbit/s, 60 ms for 5 s.",
    differing: {},
    references: [],
  });
  expect(unlike(side("b", got, "24 Mbit/s, 20 ms", { durationSec: 15 })).answer).toBe(
    "Not judged, as the links differ: a has 24 Mbit/s, 20 ms for 5 s, b has 24 Mbit/s, 20 ms for 15 s.",
  );
  expect(unlike(side("b", got, "24 Mbit/s, 20 ms", { durationSec: 5, ackPolicy: "every" })).answer).toBe(
    "Not judged, as the links differ: 24 Mbit/s, 20 ms for 5 s in both, but not the same ackPolicy.",
  );
});

it("says when two values are framed in the words of the tables, by how many seeds there are", () => {
  const ruleOf = (a: readonly number[], b: readonly number[]) =>
    differenceOf(COLUMNS, SCORE!, side("a", { cubic: a }), side("b", { cubic: b }));
  const two = ruleOf([0.12, 0.38], [0.16, 9.94]);
  expect(two.rule).toContain("Tied: not behind in both seeds (an interval of two seeds tells little");
  expect(two.differing["cubic"]).toEqual(["score"]);
  expect(ruleOf([1], [2]).rule).toContain("Tied: as good to the last digit. Values: one seed");
  expect(ruleOf([1, 2, 3], [2, 3]).rule).toContain("Tied: their intervals overlap, as their seeds are not");
});
