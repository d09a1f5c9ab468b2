/** `npm run sizes` on small repositories: what is over is named, and what is not passes. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const SCRIPT = fileURLToPath(new URL("sizes.mjs", import.meta.url));

describe("sizes", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "ccpark-sizes-"));
    spawnSync("git", ["init", "--quiet"], { cwd: folder });
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  function write(file: string, lines: number): void {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), "export {};\n".repeat(lines));
  }
  const run = (): { readonly status: number | null; readonly stdout: string; readonly stderr: string } =>
    spawnSync(process.execPath, [SCRIPT, folder], { encoding: "utf8" });

  it("passes rooms of a quarter and folders of 15 files, and counts tests and generated code apart", () => {
    for (const room of ["a", "b", "c", "d"]) write(`${room}/one.ts`, 25);
    for (let i = 0; i < 14; i++) write(`a/empty-${i}.ts`, 0);
    write("test/long.test.ts", 500);
    for (let i = 0; i < 20; i++) write(`b/generated/table-${i}.ts`, 100);
    const { status, stdout, stderr } = run();
    expect(stderr).toBe("");
    expect(status).toBe(0);
    expect(stdout).toMatch(/^a\/ +25 +25\.0 %$/m);
    expect(stdout).toMatch(/^source +100$/m);
    expect(stdout).toMatch(/^tests +500$/m);
    expect(stdout).toMatch(/^generated +2000$/m);
  });

  it("names a room above a quarter and a folder with more than 15 files", () => {
    write("a/one.ts", 30);
    for (const room of ["b", "c", "d"]) write(`${room}/one.ts`, 20);
    for (let i = 0; i < 16; i++) write(`test/b/case-${i}.test.ts`, 1);
    const { status, stderr } = run();
    expect(status).toBe(1);
    expect(stderr.trim().split("\n")).toEqual([
      "[sizes] a/ holds 33.3 % of the source lines, at most 25 %",
      "[sizes] test/b/ has 16 loose files, at most 15",
    ]);
  });
});
