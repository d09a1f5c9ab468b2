/** What is said of a training while it goes on: nothing of one that gets somewhere. */
import { describe, expect, it } from "vitest";
import { type LearningPoint, learningNote, learningWarning } from "../../../eval/learning/learning.ts";

const BASELINES = { cubic: 14.34, bbr: 16.14 };

function evaluations(
  scores: readonly number[],
  { utilisation = 1, lossRate = 0 }: { readonly utilisation?: number; readonly lossRate?: number } = {},
): LearningPoint[] {
  return scores.map((score, update) => ({
    ...{ score, utilisation, lossRate, meanQueueDelayMs: 90, update, steps: 1000 * update },
    ...{ best: update === 0, baselines: BASELINES, links: [] },
  }));
}

describe("the note of a training", () => {
  it("tells the latest evaluation, all of it, and the average of the last ones by that name", () => {
    expect(learningNote(evaluations([10, 14, 15], { utilisation: 0.68 }))).toBe(
      "validation score 15.00 (13.00 on average of 3; cubic 14.34, bbr 16.14), utilisation 68 %, queue 90.0 ms, loss 0.0 %",
    );
    expect(learningNote(evaluations([10]))).toContain("validation score 10.00 (cubic 14.34, ");
  });
});

describe("the warning of a training", () => {
  it("says that four evaluations in a row stay below Cubic without getting better", () => {
    const warning = learningWarning(evaluations([14.1, 14.2, 14.2, 14.21, 14.19]));
    expect(warning).toContain("it stays below cubic (14.34) and bbr (16.14) with a score of 14.21");
    expect(warning).not.toContain("loses");
  });

  it("says that the link is kept full at a high loss", () => {
    const warning = learningWarning(evaluations([14, 12, 13, 14, 15], { lossRate: 0.71 }));
    expect(warning).toContain("it keeps the link full and loses 71 % of its packets");
    expect(warning).not.toContain("stays below");
  });

  it.each([
    ["of three evaluations after the first", [14.2, 14.2, 14.2, 14.2], {}],
    ["while scores still rise", [13, 13.2, 13.4, 13.6, 13.8], {}],
    ["of a policy above both", [16.5, 16.5, 16.5, 16.5, 16.5], {}],
    ["of losses on a link that is not full", [10, 12, 13, 14, 15], { utilisation: 0.8, lossRate: 0.3 }],
  ] as const)("is silent %s", (_, scores, facts) => {
    expect(learningWarning(evaluations(scores, facts))).toBe("");
  });
});
