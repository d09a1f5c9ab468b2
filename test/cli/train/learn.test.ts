/** Trainings that are judged, given back and swept, as users run them. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeFolders, runCli } from "../run-cli.ts";

const makeFolder = makeFolders();
/** one link of a second, 4 environments x 16 steps per update */
const SMALL = [
  ...["--scenario", "link-24mbps-80ms-2bdp", "--episode", "1", "--step-ms", "20", "--envs", "4"],
  ...["--set", "rolloutSteps=16", "--set", "hidden=[8]", "--checkpoint-every", "2", "--steps", "256"],
];

describe("ccpark train", { timeout: 300_000 }, () => {
  it("says how it stands beside Cubic and BBR, and leaves curve, page and event file in the run folder", async () => {
    const cwd = makeFolder();
    const { code, stderr } = await runCli(["train", "--out", "run", ...SMALL], { cwd });
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/it (learns|does not learn)/);
    expect(stderr).toContain("best of the evaluations: run/best.ccpark");
    expect(readdirSync(join(cwd, "run")).sort()).toEqual([
      ...[
        "best.ccpark",
        "checkpoint.ccpark",
        "config.json",
        "curve.svg",
        "evaluations.jsonl",
        "progress.jsonl",
      ],
      ...["report.html", "tensorboard"],
    ]);
    expect(readFileSync(join(cwd, "run/curve.svg"), "utf8")).toMatch(/^<svg.*cubic.*<\/svg>\n$/s);
    const page = readFileSync(join(cwd, "run/report.html"), "utf8");
    expect(page).toContain("the training is over");
    expect(page).not.toContain('http-equiv="refresh"');
  });

  it("warns of Park's own form, which keeps the link full, while the training goes on", async () => {
    const park = [
      ...["--scenario", "park-paper", "--observation", "park-14", "--action", "absolute", "--reward", "park"],
      ...["--episode", "5", "--step-ms", "20", "--envs", "4", "--set", "rolloutSteps=16"],
      ...["--checkpoint-every", "2", "--evaluate-every", "2", "--steps", "768"],
    ];
    const { code, stderr } = await runCli(["train", "--out", "run", ...park], { cwd: makeFolder() });
    expect(code, stderr).toBe(0);
    expect(stderr.match(/^warning: 4 evaluations in a row: /gm)).toHaveLength(1);
    expect(stderr).toMatch(/it keeps the link full and loses \d+ % of its packets/);
  });

  it("--config gives a run back to the byte, and takes what is to differ", async () => {
    const cwd = makeFolder();
    const first = await runCli(
      [
        "train",
        "--out",
        "a",
        ...SMALL,
        "--seed",
        "7",
        "--reward",
        "park",
        "--set",
        "gamma=0.9",
        "--early-stop",
        "9",
      ],
      { cwd },
    );
    expect(first.code, first.stderr).toBe(0);
    const again = await runCli(["train", "--out", "b", "--config", "a/config.json", "--quiet"], { cwd });
    expect(again).toMatchObject({ code: 0, stderr: "" });
    for (const file of [
      "checkpoint.ccpark",
      "progress.jsonl",
      "evaluations.jsonl",
      "config.json",
      "best.ccpark",
    ]) {
      expect(readFileSync(join(cwd, "b", file)), file).toEqual(readFileSync(join(cwd, "a", file)));
    }
    const other = await runCli(
      ["train", "--out", "c", "--config", "a", "--seed", "8", "--set", "gamma=0.8", "--quiet"],
      { cwd },
    );
    expect(other).toMatchObject({ code: 0, stderr: "" });
    const config = JSON.parse(readFileSync(join(cwd, "c/config.json"), "utf8"));
    expect(config).toMatchObject({ seed: 8, totalSteps: 256, numEnvs: 4, env: { reward: "park" } });
    expect(config.options).toMatchObject({ gamma: 0.8, hidden: [8] });
  });

  it("refuses a configuration that is none, and one beside --resume", async () => {
    const cwd = makeFolder();
    const none = await runCli(["train", "--out", "x", "--config", "none.json"], { cwd });
    expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining("no such file") });
    const both = await runCli(["train", "--out", "x", "--config", "a", "--resume", "a"], { cwd });
    expect(both).toMatchObject({ code: 2, stderr: expect.stringContaining("--resume too") });
    expect(existsSync(join(cwd, "x"))).toBe(false);
  });
});

describe("ccpark sweep", { timeout: 300_000 }, () => {
  it("trains each setting with each seed, ranks them, and does nothing twice", async () => {
    const cwd = makeFolder();
    const args = [
      "sweep",
      "--out",
      "s",
      ...SMALL,
      "--vary",
      "learningRate=1e-3,1e-4",
      "--seeds",
      "2",
      "--quiet",
    ];
    const first = await runCli([...args, "--json"], { cwd });
    expect(first).toMatchObject({ code: 0, stderr: "" });
    const lines = first.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map(({ settings }) => settings)).toEqual([{ learningRate: 1e-3 }, { learningRate: 1e-4 }]);
    for (const { best, score } of lines) {
      expect(best).toHaveLength(2);
      expect(score).toBeCloseTo((best[0] + best[1]) / 2, 9);
    }
    const { trials } = JSON.parse(readFileSync(join(cwd, "s/sweep.json"), "utf8"));
    expect(trials[0].score).toBeGreaterThanOrEqual(trials[1].score);
    const again = await runCli(args, { cwd });
    expect(again.code, again.stderr).toBe(0);
    expect(again.stdout).toContain("trial-001-seed-*");
    expect(JSON.parse(readFileSync(join(cwd, "s/sweep.json"), "utf8")).trials).toEqual(trials);
  });

  it.each([
    ["an unknown name", ["--vary", "learningrate=1,2"], "did you mean `learningRate`"],
    ["a value out of its range", ["--vary", "gamma=2"], "option `gamma`"],
    ["no values", ["--vary", "gamma"], "expected NAME=VALUE,VALUE"],
    ["no evaluations", ["--vary", "gamma=0.9", "--evaluate-every", "0"], "compared by their evaluations"],
  ])("refuses %s", async (_, args, message) => {
    const cwd = makeFolder();
    const { code, stderr } = await runCli(["sweep", "--out", "s", ...args], { cwd });
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(existsSync(join(cwd, "s"))).toBe(false);
  });
});
