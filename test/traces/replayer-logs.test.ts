import { describe, expect, it } from "vitest";
import { parseRecordedDelay } from "../../traces/replayer-logs.ts";

describe("delays of recordings", () => {
  it("LeoReplayer's are steps on a grid of 10 ms, where what does not change needs no point", () => {
    expect(parseRecordedDelay("leoreplayer", "24\n24\n18\n", "delay_1.txt")).toEqual({
      kind: "steps",
      points: [
        { atSec: 0, delayMs: 24 },
        { atSec: 0.02, delayMs: 18 },
      ],
      periodSec: 0.03,
    });
  });

  it("CellReplay's are linear between their times, the first of which becomes 0, and light opportunities are left", () => {
    const text = "100 30 0 1 2\n200 40 0\n200 45\n400 20 1 1\n";
    expect(parseRecordedDelay("cellreplay", text, "down-delay-light-pdo")).toEqual({
      kind: "trace",
      points: [
        { atSec: 0, delayMs: 30 },
        { atSec: 0.1, delayMs: 45 },
      ],
      periodSec: 0.3,
    });
  });

  it.each([
    ["leoreplayer", "24\nx\n", "line 2: got `x`, expected a delay in whole milliseconds"],
    ["leoreplayer", "", "line 1: got no line"],
    ["cellreplay", "0 10\n20 10\n10 10\n", "line 3: got `10 10`, expected times that do not go back"],
    ["cellreplay", "0 10\n20 10\n", "got 2 times, expected at least 3"],
    ["cellreplay", "0\n", "expected a delay in whole milliseconds"],
  ] as const)("%s: %j is refused with its line", (replayer, text, expected) => {
    expect(() => parseRecordedDelay(replayer, text, "d.txt")).toThrow(expected);
  });
});
