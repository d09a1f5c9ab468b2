/** `ccpark dataset` and the learners from what it wrote, on the command line. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { EXIT } from "../../../cli/exit/exit-codes.ts";
import { runCli } from "../run-cli.ts";

const root = mkdtempSync(join(tmpdir(), "ccpark-recorded-"));
afterAll(() => rmSync(root, { recursive: true }));
const at = (name: string): string => join(root, name);
const record = (out: string) =>
  runCli([
    "dataset",
    ...["--algorithms", "cubic,constant", "--scenario", "park-paper,training-range", "--episodes", "1"],
    ...["--duration", "2", "--out", at(out), "--json", "--quiet"],
  ]);

describe("ccpark dataset", () => {
  it("records each contender on each scenario, and the same command gives the same bytes", async () => {
    const { code, stdout } = await record("a");
    expect(code).toBe(EXIT.ok);
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ algorithm, scenario }) => `${scenario} ${algorithm}`).sort()).toEqual([
      "park-paper constant",
      "park-paper cubic",
      "training-range constant",
      "training-range cubic",
    ]);
    await record("b");
    for (const file of ["dataset.json", "observations.npy", "actions.npy", "rewards.npy"]) {
      expect(readFileSync(join(at("a"), file)), file).toEqual(readFileSync(join(at("b"), file)));
    }
  });

  it("is learnt from, and the policy is a contender", async () => {
    await record("c");
    for (const learner of ["bc", "iql", "dagger"]) {
      const trained = await runCli([
        "train",
        ...["--learner", learner, "--dataset", at("c"), "--out", at(learner), "--steps", "64", "--envs", "2"],
        ...["--set", "hidden=[4]", "--set", "gradientSteps=1", "--quiet", "--backend", "wasm"],
      ]);
      expect(trained.stderr, learner).toBe("");
      expect(trained.code, learner).toBe(EXIT.ok);
    }
    const { stdout, code } = await runCli([
      "bench",
      ...["--scenario", "park-paper", "--duration", "1", "--seeds", "1", "--json", "--quiet"],
      ...["--algorithms", ["bc", "iql", "dagger"].map((name) => `agent:${at(name)}`).join(",")],
    ]);
    expect(code).toBe(EXIT.ok);
    expect(stdout.trim().split("\n")).toHaveLength(3);
  });

  it.each([
    [["train", "--learner", "bc", "--out", at("x")], "[train] --learner bc: got no --dataset"],
    [["train", "--dataset", at("c"), "--out", at("x")], "[train] --dataset: got one for ppo"],
    [["train", "--learner", "bc", "--dataset", at("none"), "--out", at("x")], "dataset.json"],
    [
      ["train", "--learner", "bc", "--dataset", at("c"), "--observation", "park-14", "--out", at("x")],
      "observation: got `park-14`, expected `standard`",
    ],
    [
      [
        "dataset",
        "--algorithms",
        "cubic",
        "--scenario",
        "training-range",
        "--set",
        "link.rateMbps=3",
        "--out",
        at("x"),
      ],
      "got --set",
    ],
  ])("refuses in one sentence: %j", async (args, message) => {
    const { code, stderr } = await runCli(args);
    expect(code).toBe(EXIT.usage);
    expect(stderr).toContain(message);
  });
});
