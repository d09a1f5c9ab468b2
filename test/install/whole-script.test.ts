/** Built commands start from one script and what V8 compiled of it: where that does not fit they start from modules, and say the same. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeEach, describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "ccpark whole "));
const installed = join(folder, "node_modules/ccpark");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What `ccpark` of the copy says, run in the folder that it is installed in. */
function ccpark(args: readonly string[], flags: readonly string[] = []) {
  const main = join(installed, "dist/cli/main.js");
  const { CCPARK_DEBUG: _, ...env } = process.env;
  const done = spawnSync(process.execPath, [...flags, main, ...args], { cwd: folder, encoding: "utf8", env });
  return { status: done.status, stdout: done.stdout, stderr: done.stderr };
}

const BENCH = ["bench", "--duration", "1", "--seeds", "2", "--json", "--quiet", "--algorithms"];

/** An algorithm that tells in its name whether it came into the script of the command. */
const TELLS = `
import { ALGORITHMS, CcparkError } from "ccpark";
import * as core from "ccpark/core";
const isWhole = globalThis[Symbol.for("ccpark.whole")] !== undefined;
if (core.CcparkError !== undefined && core.CcparkError !== CcparkError) throw new Error("two copies");
export default { ...ALGORITHMS.get("reno"), name: isWhole ? "from-script" : "from-modules" };
`;
const THROWS = `
import { CcparkError } from "ccpark";
throw new CcparkError("invalid-argument", "[throws] not today");
`;

/** the names of the algorithms that ran */
function ranIn(stdout: string): string[] {
  const names = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).algorithm as string);
  return [...new Set(names)];
}

// a clone that was never built has nothing to start; CI always builds before
describe.skipIf(!existsSync(join(ROOT, "dist/cli/whole/run-whole.js")) && process.env["CI"] !== "true")(
  "a built command",
  { timeout: 120_000 },
  () => {
    const inDist = (ending: string): string => {
      const name = readdirSync(join(installed, "dist")).find((file) => file.endsWith(ending))!;
      return join(installed, "dist", name);
    };

    beforeEach(() => {
      rmSync(installed, { recursive: true, force: true });
      mkdirSync(installed, { recursive: true });
      for (const part of ["dist", "package.json", "agents/zoo", "traces", "proto"])
        cpSync(join(ROOT, part), join(installed, part), { recursive: true });
      symlinkSync(join(ROOT, "node_modules"), join(installed, "node_modules"));
      writeFileSync(join(folder, "tells.mjs"), TELLS);
      writeFileSync(join(folder, "throws.mjs"), THROWS);
    });

    it("starts from the script, also in threads, and a user's module has the command's own classes", () => {
      const one = ccpark([...BENCH, "./tells.mjs,cubic", "--workers", "1"]);
      expect(one.stderr).toBe("");
      expect(ranIn(one.stdout)).toContain("from-script");
      const two = ccpark([...BENCH, "./tells.mjs,cubic", "--workers", "2"]);
      expect(two).toEqual(one);
      const { stderr, status } = ccpark([...BENCH, "./throws.mjs"]);
      expect(status).toBe(2);
      expect(stderr).toMatch(/^error: .*not today/);
    });

    it("starts from modules where V8 has other flags, or nothing is compiled for it, with the same results", () => {
      const ran = ccpark([...BENCH, "cubic"]);
      const flagged = ccpark([...BENCH, "./tells.mjs"], ["--no-opt"]);
      expect(flagged.stderr).toBe("");
      expect(ranIn(flagged.stdout)).toEqual(["from-modules"]);
      expect(ccpark([...BENCH, "cubic"], ["--no-opt"])).toEqual(ran);
      rmSync(inDist(".cache"));
      expect(ranIn(ccpark([...BENCH, "./tells.mjs"]).stdout)).toEqual(["from-modules"]);
      expect(ccpark([...BENCH, "cubic"])).toEqual(ran);
    });

    it("does not take half of what was compiled", () => {
      const ran = ccpark([...BENCH, "cubic"]);
      truncateSync(inDist(".cache"), 100_000);
      expect(ccpark([...BENCH, "cubic"])).toEqual(ran);
      truncateSync(inDist(".cache"), 0);
      expect(ccpark([...BENCH, "cubic"])).toEqual(ran);
    });

    it("draws pictures, whose library is none that a script can take, from a folder that nobody may write", () => {
      chmodSync(join(installed, "dist"), 0o555);
      const { status, stderr } = ccpark(["bench", "--duration", "1", "--seeds", "1", "--picture", "p.svg"]);
      chmodSync(join(installed, "dist"), 0o755);
      expect(stderr).not.toContain("error");
      expect(status).toBe(0);
      expect(existsSync(join(folder, "p.svg"))).toBe(true);
    });
  },
);
