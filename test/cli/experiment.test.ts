import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeFolders, runCli } from "./run-cli.ts";

const makeFolder = makeFolders();
const SMALL = [
  "experiment",
  "incast",
  "--seeds",
  "2",
  "--rates",
  "10",
  "--packets",
  "10",
  "--intervals-us",
  "50",
];

describe("ccpark experiment", () => {
  it("incast prints a table with what it depends on, and writes results and a picture that reproduce it", async () => {
    const folder = makeFolder();
    const picture = join(folder, "incast.svg");
    const { code, stdout, stderr } = await runCli([
      ...SMALL,
      "--out",
      folder,
      "--picture",
      picture,
      "--quiet",
    ]);
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(stdout).toContain("10 Gbit/s");
    expect(stdout).toContain("RTO floor 1 ms");
    expect(readFileSync(picture, "utf8")).toContain("</svg>");
    expect(readFileSync(join(folder, "results.jsonl"), "utf8").trim().split("\n")).toHaveLength(4);
    const summary = JSON.parse(readFileSync(join(folder, "summary.json"), "utf8"));
    expect(summary.command).toContain("--algorithm portus-reno");
    expect(summary.plan.seeds).toEqual([1, 2]);
    expect(summary.versions.generator).toBeTypeOf("string");
  });

  it("incast --json prints one line per run, the same for each run of the command", async () => {
    const [once, again] = await Promise.all([runCli([...SMALL, "--json"]), runCli([...SMALL, "--json"])]);
    expect(once.stdout).toBe(again.stdout);
    const lines = once.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map(({ algorithm, intervalUs, seed }) => [algorithm, intervalUs, seed])).toEqual([
      ["native-reno", null, 1],
      ["native-reno", null, 2],
      ["portus-reno", 50, 1],
      ["portus-reno", 50, 2],
    ]);
  });

  it("wrong numbers are one sentence and exit code 2", async () => {
    const { code, stderr } = await runCli(["experiment", "incast", "--packets", "10,0"]);
    expect(code).toBe(2);
    expect(stderr).toContain("expected a whole number from 1");
  });
});
