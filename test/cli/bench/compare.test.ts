import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeFolders, runCli } from "../run-cli.ts";

const makeFolder = makeFolders();

describe("ccpark compare", () => {
  it("runs the same link in two worlds, and writes what they differ by and a page with both", async () => {
    const cwd = makeFolder();
    const args = ["compare", "--algorithms", "reno,vegas", "--duration", "2", "--seeds", "1", "--quiet"];
    const { code, stdout, stderr } = await runCli([...args, "--on", "simulated,udp", "--out", "o"], { cwd });
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/│reno +│simulated │/);
    expect(stdout).toMatch(/│ +│udp +│.*[+-]?[\d.]+[ !] │/);
    expect(stdout).toMatch(/of 2 cells within the bounds/);
    for (const line of stdout.split("\n").filter((each) => each.startsWith("│"))) {
      expect(line.length).toBeLessThanOrEqual(80);
    }
    const { rows, reference, command } = JSON.parse(readFileSync(join(cwd, "o/comparison.json"), "utf8"));
    expect(reference).toBe("simulated");
    expect(command).toContain("--on simulated,udp --seeds 1 --duration 2");
    expect(rows.map(({ algorithm, testbed }: Record<string, string>) => `${algorithm} ${testbed}`)).toEqual([
      "reno simulated",
      "reno udp",
      "vegas simulated",
      "vegas udp",
    ]);
    expect(rows[1].difference.throughput.kolmogorovSmirnov).toBeLessThanOrEqual(1);
    const page = readFileSync(join(cwd, "o/report.html"), "utf8");
    for (const name of ["reno on simulated", "reno on udp", "vegas on udp"]) expect(page).toContain(name);
  });

  it("refuses one world, a world twice and an unknown one in a sentence, before anything runs", async () => {
    const on = (worlds: string) => runCli(["compare", "--on", worlds, "--duration", "1"]);
    const one = await on("udp");
    expect([one.code, one.stderr]).toEqual([
      2,
      expect.stringMatching(/--on: got `udp`, expected two worlds or more/),
    ]);
    const twice = await on("udp,udp");
    expect([twice.code, twice.stderr]).toEqual([2, expect.stringMatching(/got `udp` twice/)]);
    const unknown = await on("simulated,upd");
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringMatching(/did you mean `udp`/)]);
  });

  it("refuses a link that one of the worlds cannot run", async () => {
    const fast = ["--set", "forward.rate.mbps=1000", "--scenario", "park-paper"];
    const { code, stderr } = await runCli(["compare", ...fast, "--duration", "1"]);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/udp cannot run .*1000 Mbit\/s/);
  });
});
