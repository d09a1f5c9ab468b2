import { describe, expect, it } from "vitest";
import { claimsTable } from "../../eval/experiments/experiment.ts";
import { fairness, fittedExponent } from "../../eval/experiments/laws/fairness.ts";
import { jainIndex } from "../../testbeds/fairness.ts";

describe("fairness", () => {
  it("Reno flows share a link with a median Jain index above 0.95, and longer RTTs cost an exponent from -2.2 to -0.9", () => {
    const rows = [...(fairness.run({}) as Iterable<object>)];
    expect(rows).toHaveLength(fairness.count({}));
    const { text, claims } = fairness.report(rows, {});
    console.log(`seeds 1 to 10, and 1 to 3 for the exponent\n${text}${claimsTable(claims)}`);
    expect(claims.map(({ claim, threshold }) => [claim, threshold])).toEqual([
      ["2 Reno flows: median of Jain's index", { low: 0.95 }],
      ["4 Reno flows: median of Jain's index", { low: 0.95 }],
      ["10 Reno flows: median of Jain's index", { low: 0.95 }],
      ["exponent of Reno's throughput over the RTT", { low: -2.2, high: -0.9 }],
    ]);
    expect(claims.map(({ verdict }) => verdict)).toEqual(["pass", "pass", "pass", "pass"]);
  });

  it("Jain's index is 1 for equal shares and 1 / n if one flow has everything", () => {
    expect(jainIndex([3, 3, 3])).toBeCloseTo(1, 12);
    expect(jainIndex([5, 0, 0, 0])).toBeCloseTo(0.25, 12);
  });

  it("a power law's exponent is found", () => {
    const points = [1, 2, 4, 8].map((x) => ({ x, y: 3 * x ** -1.5 }));
    expect(fittedExponent(points)).toBeCloseTo(-1.5, 9);
  });
});
