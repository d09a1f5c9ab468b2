/** `bench` of a suite with thresholds: rows with verdicts, and what would make other cases of it. */
import { describe, expect, it } from "vitest";
import { runCli } from "../run-cli.ts";

describe("bench --suite bbr-draft", () => {
  it("prints one line of JSON per case, with its threshold in words and its verdict", async () => {
    const args = ["bench", "--suite", "bbr-draft", "--algorithms", "native-bbr3", "--json", "--quiet"];
    const { code, stdout } = await runCli(args);
    expect(code).toBe(0);
    const rows = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(rows).toHaveLength(22);
    for (const row of rows) {
      expect(row).toMatchObject({ suite: "bbr-draft", algorithm: "native-bbr3", seed: 1, verdict: "pass" });
      expect(row.threshold).toContain(row.checks[0].name);
    }
  }, 120_000);

  it.each([
    [["--algorithms", "cubic"], "got `cubic`, expected bbr3 or native-bbr3"],
    [["--duration", "3"], "got --duration, expected none"],
    [["--export", "csv", "--out", "nowhere"], "--export: got csv, expected qlog"],
  ])("refuses %s in one sentence", async (args, sentence) => {
    const { code, stderr } = await runCli(["bench", "--suite", "bbr-draft", "--quiet", ...args]);
    expect(code).toBe(2);
    expect(stderr).toContain(sentence);
  });
});
