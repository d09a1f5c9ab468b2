/** The walks of docs/ten-minutes.md, line by line: in a clean copy of the clone, and in a clean npm project. */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PAGE = readFileSync(join(ROOT, "docs/ten-minutes.md"), "utf8");
/** What a clone has not. */
const MADE = new Set(["node_modules", "dist", ".git", "runs", "__pycache__"]);

const folder = mkdtempSync(join(tmpdir(), "ccpark-ten-minutes-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Writes the files of a section and runs its lines, in the order of the page. @returns what was printed */
function walk(title: string, cwd: string): string {
  const section = PAGE.split(/^## /m).find((text) => text.startsWith(title))!;
  let said = "";
  for (const [, language, text] of section.matchAll(/^```(\w+)\n(.*?)^```/gms)) {
    if (language !== "sh") {
      const [, name] = /^(?:\/\/|#) (\S+)\n/.exec(text!)!;
      writeFileSync(join(cwd, name!), text!);
      continue;
    }
    const env = { ...process.env, npm_config_prefer_offline: "true" };
    const { status, stdout, stderr } = spawnSync("bash", ["-euc", text!], { cwd, encoding: "utf8", env });
    if (status !== 0) throw new Error(`${text}\n${stdout}\n${stderr}`);
    said += stdout + stderr;
  }
  return said;
}

/** Utilisation of a contender, percent, in a table that was printed. */
function utilisation(said: string, name: string): number {
  const row = said.split("\n").find((line) => line.startsWith(`│ ${name} `))!;
  return Number(/([\d.]+)/.exec(row.split("│")[3]!)![1]);
}

// they install and build for minutes
describe.skipIf(process.env["CI"] !== "true")("an idea in ten minutes", () => {
  it("a PhD student's, in a clean clone", () => {
    const clone = join(folder, "ccpark");
    cpSync(ROOT, clone, { recursive: true, filter: (path) => !MADE.has(basename(path)) });
    const said = walk("A PhD student", clone);
    expect(said).toMatch(/term3: -20 \* lossRate/);
    const config = JSON.parse(readFileSync(join(clone, "runs/mine/config.json"), "utf8"));
    expect(JSON.stringify(config)).toContain(
      "2 * log2(throughputMbps) - 0.05 * queueDelayMs - 20 * lossRate",
    );
    const [, steps] = /Training takes ([\d,]+) steps/.exec(PAGE)!;
    const progress = readFileSync(join(clone, "runs/mine/progress.jsonl"), "utf8").trim().split("\n");
    expect(JSON.parse(progress.at(-1)!).steps).toBe(Number(steps!.replaceAll(",", "")));
    expect(said).toContain("mbpsPerMs");
    expect(utilisation(said, "cubic")).toBeGreaterThan(95);
    expect(existsSync(join(clone, "runs/compare/report.html"))).toBe(true);
  }, 900_000);

  it("a transport engineer's, in a clean npm project", () => {
    const project = join(folder, "mine");
    mkdirSync(project);
    const said = walk("A transport engineer", project);
    expect(utilisation(said, "mine")).toBeGreaterThan(50);
    expect(said).toContain("mine:targetMs=40");
  }, 600_000);
});
