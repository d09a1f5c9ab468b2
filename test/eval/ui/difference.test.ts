import { expect, it } from "vitest";
import { COLUMNS } from "../../../eval/report/columns.ts";
import { estimate } from "../../../eval/statistics.ts";
import type { SummaryRow } from "../../../eval/summary.ts";
import { differenceOf } from "../../../eval/ui/difference.ts";

const [SCORE] = COLUMNS.filter(({ quantity }) => quantity === "score");

/** @param scores of each contender: of seeds 1, 2, ... */
function side(name: string, scores: Readonly<Record<string, readonly number[]>>) {
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
  return { name, rows };
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
  expect(low.rows[0]!.score!.high!).toBeGreaterThan(high.rows[0]!.score!.low!);
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
