import { expect, it } from "vitest";
import type { Column, Row } from "../../../eval/ui/page/api.ts";
import { differ, differenceText } from "../../../eval/ui/page/difference.ts";

const SCORE: Column = { quantity: "score", title: "score", unit: "", factor: 1, digits: 2 };

function side(name: string, scores: Readonly<Record<string, readonly [mean: number, half: number]>>) {
  const rows = Object.entries(scores).map(([algorithm, [mean, half]]): Row => {
    const score = { mean, ci95: half, low: mean - half, high: mean + half };
    return { scenario: "s", link: "l", algorithm, values: { score }, standing: { score: "none" } };
  });
  return { name, rows };
}

it("says in which of two runs each contender does better, by how much, and who is as good", () => {
  const before = side("before", { agent: [16, 0.1], bbr: [15, 0.1], cubic: [14, 0.5], gone: [1, 0] });
  const after = side("after", { agent: [17.25, 0.1], bbr: [14.5, 0.1], cubic: [14.2, 0.5], come: [1, 0] });
  expect(differenceText(SCORE, before, after)).toBe(
    "By score: before is better for bbr (by 0.50); after is better for agent (by 1.25); as good for cubic.",
  );
  expect(differenceText(SCORE, side("before", { gone: [1, 0] }), after)).toBe(
    "They have no contender in common.",
  );
});

it("frames nothing that reads alike", () => {
  const point = (mean: number) => ({ mean, ci95: 0, low: mean, high: mean });
  expect(differ(SCORE, point(17.482), point(17.478))).toBe(false);
  expect(differ(SCORE, point(17.482), point(17.472))).toBe(true);
});
