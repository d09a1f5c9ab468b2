/** Trainings that choose links for their policy, as users run them. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { FocusStage } from "../../../training/focus/focus.ts";
import { makeFolders, runCli } from "../run-cli.ts";

const makeFolder = makeFolders();
/** 4 environments x 16 steps per update */
const SMALL = [
  ...["--step-ms", "100", "--envs", "4", "--set", "rolloutSteps=16", "--set", "hidden=[8]"],
  ...["--set", "annealLearningRate=false"],
  ...["--checkpoint-every", "2", "--focus-every", "2", "--evaluate-every", "0", "--no-tensorboard"],
];
const ADVERSARY = ["--adversary", "cubic", "--adversary-environments", "6"];
const FILES = ["checkpoint.ccpark", "progress.jsonl", "focus.jsonl"];

const stagesIn = (folder: string): FocusStage[] =>
  readFileSync(join(folder, "focus.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as FocusStage);

describe("ccpark train, on chosen links", { timeout: 300_000 }, () => {
  it("--adversary trains on links that a search found, and going on gives the bytes of a run that was never interrupted", async () => {
    const cwd = makeFolder();
    const options = [...SMALL, ...ADVERSARY, "--scenario", "link-24mbps-80ms-2bdp", "--episode", "3"];
    const whole = await runCli(["train", "--out", "whole", ...options, "--steps", "384"], { cwd });
    expect(whole.code, whole.stderr).toBe(0);
    const [first, second] = stagesIn(join(cwd, "whole"));
    expect([first!.update, second!.update]).toEqual([2, 4]);
    for (const { links, facts } of [first!, second!]) {
      expect(facts["adversaryGap"]).toBeGreaterThan(0); // an untrained policy against Cubic
      expect(links.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(0.3);
    }
    expect(second!.links).toHaveLength(2);
    expect(second!.links[0]).toMatchObject({ scenario: { source: "ccpark attack" } });

    const half = await runCli(["train", "--out", "half", ...options, "--steps", "256"], { cwd });
    expect(half.code, half.stderr).toBe(0);
    const moved = await runCli(["train", "--out", "moved", "--resume", "half", "--steps", "384"], { cwd });
    expect(moved.code, moved.stderr).toBe(0);
    const rest = await runCli(["train", "--out", "half", "--resume", "half", "--steps", "384"], { cwd });
    expect(rest.code, rest.stderr).toBe(0);
    for (const [folder, name] of [
      ["half", "checkpoint.ccpark"],
      ["half", "focus.jsonl"],
      ["moved", "checkpoint.ccpark"],
      ["moved", "focus.jsonl"],
    ])
      expect(readFileSync(join(cwd, folder!, name!)).equals(readFileSync(join(cwd, "whole", name!)))).toBe(
        true,
      );
  });

  it("--curriculum gap draws links by how far the policy is from the best baseline, the same for the same seed", async () => {
    const cwd = makeFolder();
    const options = [...SMALL, "--curriculum", "gap", "--steps", "256"];
    for (const out of ["a", "b"]) {
      const workers = out === "a" ? "1" : "2";
      const { code, stderr } = await runCli(["train", "--out", out, ...options, "--workers", workers], {
        cwd,
      });
      expect(code, stderr).toBe(0);
    }
    for (const name of FILES)
      expect(readFileSync(join(cwd, "a", name)).equals(readFileSync(join(cwd, "b", name)))).toBe(true);
    const [stage] = stagesIn(join(cwd, "a"));
    expect(stage!.facts["meanGap"]).toBeGreaterThan(0);
    const probabilities = stage!.links.map(({ probability }) => probability);
    expect(probabilities.reduce((sum, each) => sum + each, 0)).toBeCloseTo(0.6);
    expect(Math.max(...probabilities)).toBeGreaterThan(3 * Math.min(...probabilities));
  });

  it("warns at the start of a training that is over before its first choice, with the steps that it takes", async () => {
    const cwd = makeFolder();
    const options = ["--curriculum", "gap", "--learner", "ppo", "--set", "rolloutSteps=16", "--envs", "4"];
    const short = [
      "--steps",
      "128",
      "--checkpoint-every",
      "2",
      "--focus-every",
      "2",
      "--evaluate-every",
      "0",
    ];
    const { code, stderr } = await runCli(["train", "--out", "run", ...options, ...short], { cwd });
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(
      /^warning: --curriculum gap and --adversary .* after update 2 \(128 steps\), and this training ends with 128: .* --focus-every$/m,
    );
    const longer = ["--steps", "192", ...short.slice(2)];
    const { stderr: quiet } = await runCli(["train", "--out", "longer", ...options, ...longer], { cwd });
    expect(quiet).not.toContain("warning: --curriculum");
    expect(stagesIn(join(cwd, "longer"))).toHaveLength(1);
  });

  it.each([
    [
      ["--focus-every", "2"],
      /^error: \[train\] --focus-every: got neither --adversary nor --curriculum gap, expected one of them$/m,
    ],
    [
      ["--adversary-environments", "9"],
      /^error: \[train\] --adversary-environments: got no --adversary, expected a search beside it$/m,
    ],
    [["--adversary", "cubik"], /cubik.*cubic/],
    [
      ["--resume", "zoo:general"],
      /got `zoo:general`, .* holds what acts and nothing of what learns; .*--recipe general/,
    ],
    [["--adversary", "--focus-every", "3", "--checkpoint-every", "2"], /got 3, expected a multiple of 2/],
  ] as const)("refuses %j in one sentence, and leaves no run", async (options, message) => {
    const cwd = makeFolder();
    const { code, stderr } = await runCli(["train", "--out", "run", "--steps", "64", ...options], { cwd });
    expect(code).not.toBe(0);
    expect(stderr).toMatch(message);
    expect(existsSync(join(cwd, "run/checkpoint.ccpark"))).toBe(false);
  });
});
