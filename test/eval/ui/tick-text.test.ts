import { describe, expect, it } from "vitest";
import { pointText, tickTexts } from "../../../eval/ui/page/tick-text.ts";

describe("numbers beside an axis", () => {
  it("say where a tick stands, to the last digit of the step", () => {
    expect(tickTexts([-0.0025, -0.005, -0.0075], 0.0025)).toEqual(["-0.0025", "-0.0050", "-0.0075"]);
    expect(tickTexts([0, 2.5, 5], 2.5)).toEqual(["0.0", "2.5", "5.0"]);
    expect(tickTexts([0, 500, 1000], 500)).toEqual(["0", "500", "1,000"]);
    expect(tickTexts([0, 5e-8, 1e-7], 5e-8)).toEqual(["0", "5e-8", "1e-7"]);
  });

  it("are short where they are large, and still no other number", () => {
    expect(tickTexts([0, 1_250_000, 2_500_000], 1_250_000)).toEqual(["0", "1.25M", "2.5M"]);
    expect(tickTexts([5000, 10_000, 15_000], 5000)).toEqual(["5K", "10K", "15K"]);
    expect(tickTexts([1_000_000, 1_002_500], 2500)).toEqual(["1M", "1.0025M"]);
  });

  it("round a point to five digits, whatever its size", () => {
    expect(pointText(0.004060095822)).toBe("0.0040601");
    expect(pointText(null)).toBe("–");
  });
});
