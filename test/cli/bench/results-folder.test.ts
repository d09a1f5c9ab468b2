import { expect, it } from "vitest";
import { makeFolders, runCli } from "../run-cli.ts";

const makeFolder = makeFolders();

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
