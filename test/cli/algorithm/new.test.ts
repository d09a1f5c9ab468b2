import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeFolders, runCli } from "../run-cli.ts";

const makeFolder = makeFolders();
/** It starts five processes one after another. */
const TIMEOUT_MS = 180_000;

describe("ccpark algorithm new", () => {
  it(
    "writes an algorithm and its test, and runs both",
    async () => {
      const cwd = makeFolder();
      const { code, stdout, stderr } = await runCli(["algorithm", "new", "my-idea"], { cwd });
      expect(stderr).toContain("written: my-idea.mjs\nwritten: my-idea.test.mjs\n");
      expect(stdout).toContain("│ my-idea │");
      expect(stdout).toContain("pass 4");
      expect(stdout).toContain("fail 0");
      expect(stdout).toContain("Next: change my-idea.mjs, run it by its path (./my-idea.mjs)");
      expect(code).toBe(0);
      const again = await runCli(["algorithm", "new", "my-idea"], { cwd });
      expect([again.code, again.stderr]).toEqual([
        2,
        "error: [algorithm] `my-idea.mjs`: got a file that is there, expected another name or --dir\n",
      ]);
    },
    TIMEOUT_MS,
  );

  it("only writes where it is asked to, and every line of it names the algorithm alone", async () => {
    const cwd = makeFolder();
    const { code, stdout } = await runCli(["algorithm", "new", "mine", "--dir", "a/b", "--no-run"], { cwd });
    expect(code).toBe(0);
    expect(stdout).toContain("change mine.mjs in a/b");
    expect(readFileSync(join(cwd, "a/b/mine.mjs"), "utf8")).toContain('name: "mine"');
    expect(readFileSync(join(cwd, "a/b/mine.test.mjs"), "utf8")).toContain('from "./mine.mjs"');
  });

  it("refuses bad names and files that are there in one sentence, and writes nothing", async () => {
    const cwd = makeFolder();
    writeFileSync(join(cwd, "there.test.mjs"), "mine");
    const refusals = {
      Bad: "expected lower case letters, digits and hyphens",
      "a/b": "expected lower case letters, digits and hyphens",
      reno: "expected a name that no algorithm of ccpark has",
      "native-x": "expected a name that does not begin with `native-`",
      there: "got a file that is there",
    };
    for (const [name, words] of Object.entries(refusals)) {
      const { code, stderr } = await runCli(["algorithm", "new", name, "--no-run"], { cwd });
      expect(code).toBe(2);
      expect(stderr).toContain(words);
      expect(stderr.trim().split("\n")).toHaveLength(1);
    }
    expect(existsSync(join(cwd, "there.mjs"))).toBe(false);
    expect(readFileSync(join(cwd, "there.test.mjs"), "utf8")).toBe("mine");
  });
});
