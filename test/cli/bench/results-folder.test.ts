import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeFolders, runCli } from "../run-cli.ts";

const makeFolder = makeFolders();

it("a training does not take the place of a benchmark's results", async () => {
  const cwd = makeFolder();
  const bench = ["bench", "--algorithms", "reno", "--seeds", "1", "--duration", "1", "--out", "r", "--quiet"];
  expect((await runCli(bench, { cwd })).code).toBe(0);
  const page = readFileSync(join(cwd, "r/report.html"));
  const { code, stderr } = await runCli(["train", "--out", "r", "--steps", "10", "--quiet"], { cwd });
  expect([code, stderr]).toEqual([
    2,
    expect.stringMatching(/`r`: got those of `ccpark bench .*`, expected another --out\n$/),
  ]);
  expect(readFileSync(join(cwd, "r/report.html")).equals(page)).toBe(true);
});

it("runs a benchmark again into its folder, and replaces another one's results only with --force", async () => {
  const cwd = makeFolder();
  const bench = (...more: string[]) =>
    runCli(["bench", "--algorithms", "reno", "--duration", "1", "--quiet", "--out", "o", ...more], { cwd });
  expect((await bench("--seeds", "1")).code).toBe(0);
  expect((await bench("--seeds", "1")).code).toBe(0);
  const { code, stderr, stdout } = await bench("--seeds", "2");
  expect({ code, stdout, stderr }).toEqual({
    code: 2,
    stdout: "",
    stderr: expect.stringMatching(
      /^error: \[output\] folder has other results, `o`: got those of `ccpark bench .*--seeds 1 .*`, expected another --out, or --force\n$/,
    ),
  });
  expect((await bench("--seeds", "2", "--force")).code).toBe(0);
});

describe("other commands", () => {
  const commands: [what: string, first: string[], other: string[]][] = [
    ["evaluate ccwg", ["evaluate", "ccwg", "--row", "drop-tail", "--algorithm", "reno"], ["--seeds", "2"]],
    [
      "attack",
      ["attack", "--target", "vegas", "--reference", "reno", "--environments", "2", "--duration", "1"],
      ["--environments", "3"],
    ],
    [
      "a suite of cases",
      ["bench", "--suite", "bbr-draft", "--algorithms", "native-bbr3", "--workers", "1"],
      ["--seeds", "2"],
    ],
  ];
  it.each(commands)(
    "%s: refuse to replace what another one found, unless they are forced",
    async (_, first, other) => {
      const cwd = makeFolder();
      const quiet = ["--quiet", "--out", "o"];
      const seeds = first[0] === "attack" ? [] : ["--seeds", "1"];
      expect((await runCli([...first, ...seeds, ...quiet], { cwd })).code).toBeLessThan(2);
      const { code, stderr, stdout } = await runCli([...first, ...other, ...quiet], { cwd });
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toMatch(
        /^error: \[output\] folder has other results, `o(\/bbr-draft)?`: got those of `ccpark .*`, expected another --out, or --force\n$/,
      );
      expect((await runCli([...first, ...other, ...quiet, "--force"], { cwd })).code).toBeLessThan(2);
    },
  );

  it("fork: refuses another time or controller, and makes the same again", async () => {
    const cwd = makeFolder();
    const bench = [
      "bench",
      "--algorithms",
      "reno",
      "--duration",
      "2",
      "--seeds",
      "1",
      "--quiet",
      "--out",
      "o",
    ];
    expect((await runCli(bench, { cwd })).code).toBe(0);
    const fork = (...more: string[]) =>
      runCli(["fork", "--run", "o", "--at", "1", "--quiet", "--out", "f", ...more], { cwd });
    expect((await fork("--algorithm", "cubic")).code).toBe(0);
    expect((await fork("--algorithm", "cubic")).code).toBe(0);
    const { code, stderr } = await fork("--algorithm", "vegas");
    expect(code).toBe(2);
    expect(stderr).toBe(
      "error: [output] folder has other results, `f`: got those of another run, time or controller, expected another --out, or --force\n",
    );
    expect((await fork("--algorithm", "vegas", "--force")).code).toBe(0);
  });
});
