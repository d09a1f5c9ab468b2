import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { EXPERIMENT_NAMES, loadExperiment } from "../../eval/experiments/registry.ts";
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
    expect(summary.command).toContain("--algorithm reno-in-agent");
    expect(summary.command).toContain("--seeds 2 ");
    expect(summary.settings.seeds).toEqual([1, 2]);
    expect(summary.claims[0]).toMatchObject({ threshold: { high: 1.2 }, verdict: "pass" });
    expect(readFileSync(join(folder, "report.txt"), "utf8")).toBe(stdout);
    expect(readFileSync(join(folder, "incast.png")).subarray(1, 4).toString()).toBe("PNG");
    expect(summary.versions.generator).toBeTypeOf("string");
  });

  it("incast --json prints one line per run, then its claims, the same for each run of the command", async () => {
    const [once, again] = await Promise.all([runCli([...SMALL, "--json"]), runCli([...SMALL, "--json"])]);
    expect(once.stdout).toBe(again.stdout);
    const lines = once.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const claim = lines.pop();
    expect(claim).toMatchObject({
      published: "at most 1.15 to 1.2",
      threshold: { high: 1.2 },
      verdict: "pass",
    });
    expect(lines.map(({ algorithm, intervalUs, seed }) => [algorithm, intervalUs, seed])).toEqual([
      ["native-reno", null, 1],
      ["native-reno", null, 2],
      ["reno-in-agent", 50, 1],
      ["reno-in-agent", 50, 2],
    ]);
  });

  it("says where a picture is that was asked for alone", async () => {
    const picture = join(makeFolder(), "incast.svg");
    const { code, stderr } = await runCli([...SMALL, "--picture", picture]);
    expect(code).toBe(0);
    expect(stderr).toContain(`picture: ${picture}\n`);
    expect(readFileSync(picture, "utf8")).toContain("</svg>");
  });

  it("wrong numbers are one sentence and exit code 2", async () => {
    const { code, stderr } = await runCli(["experiment", "incast", "--packets", "10,0"]);
    expect(code).toBe(2);
    expect(stderr).toContain("expected whole numbers from 1 to 1000000 separated by commas, each once");
  });

  it("alone and with --help it lists all experiments, and each has a help of its own", async () => {
    const [alone, help, incast] = await Promise.all([
      runCli(["experiment"]),
      runCli(["experiment", "--help"]),
      runCli(["experiment", "incast", "--help"]),
    ]);
    expect([alone.code, help.code, incast.code]).toEqual([0, 0, 0]);
    expect(help.stdout).toBe(alone.stdout);
    for (const name of EXPERIMENT_NAMES) expect(alone.stdout).toMatch(new RegExp(`^  ${name} `, "m"));
    expect(incast.stdout).toContain("--min-rto-ms <ms>");
    expect(incast.stdout).toContain("--picture <file>");
  });

  it("a name or option that there is not is one sentence and exit code 2", async () => {
    const [name, option] = await Promise.all([
      runCli(["experiment", "incats"]),
      runCli(["experiment", "incast", "--sedes", "2"]),
    ]);
    expect([name.code, option.code]).toEqual([2, 2]);
    expect(name.stderr).toContain("did you mean `incast`?");
    expect(option.stderr).toContain("Did you mean --seeds?");
  });

  it.each(EXPERIMENT_NAMES)(
    "%s is whole: what it is called, a line of summary, a source, options of one form",
    async (name) => {
      const { summary, source, options } = await loadExperiment(name);
      expect(summary).toMatch(/^\S.{20,110}$/);
      expect(summary).not.toMatch(/\.$/);
      expect(source.length).toBeGreaterThan(8);
      for (const [key, { initial, format, parse }] of Object.entries(options)) {
        expect(key).toMatch(/^[a-z][A-Za-z0-9]*$/);
        expect(parse(format(initial))).toEqual(initial);
      }
    },
  );
});
