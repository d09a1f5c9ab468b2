/** The figures of the CCP thesis: each has what the thesis says and why ours differs, and runs or says why not. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { loadExperiment } from "../../../eval/experiments/registry.ts";
import { chooseFigures, figureText, type Reproduced, reproduce } from "../../../eval/reproduce/reproduce.ts";
import { THESIS } from "../../../eval/reproduce/thesis.ts";
import { runCli } from "../../cli/run-cli.ts";
import { kernelRefuses } from "../../testbeds/linux/kernel-access.ts";

async function run(ids: readonly string[], linux = false): Promise<Reproduced[]> {
  const done: Reproduced[] = [];
  const options = { linux, onProgress: async () => {} };
  for await (const each of reproduce(chooseFigures(THESIS, ids), options)) done.push(each);
  return done;
}

describe("reproduce thesis", () => {
  it("has every figure and table of chapter 4 that a world here can run, each with the thesis's words and ours", () => {
    expect(THESIS.map(({ id }) => id)).toEqual(
      expect.arrayContaining([
        "4.2",
        "4.3",
        "4.4",
        "4.5",
        "4.6",
        "4.7",
        "4.8",
        "4.9",
        "4.10",
        "4.11",
        "4.12",
        "table-4.1",
        "table-copa",
      ]),
    );
    for (const { thesis, differs, id } of THESIS) {
      expect(thesis.length, id).toBeGreaterThan(0);
      expect(differs, id).not.toBe("");
    }
  });

  it("finds BBR's gains and its cycle of eight round trips, and Copa's starvation by compressed ACKs", async () => {
    const done = await run(["4.2", "table-copa"]);
    expect(done.map(({ figure }) => figure.id)).toEqual(["4.2", "table-copa"]);
    for (const { claims, figure } of done) {
      const failed = claims.filter(({ verdict }) => verdict === "fail");
      expect(failed, figure.id).toEqual([]);
      expect(claims.length).toBeGreaterThan(2);
    }
    expect(figureText(done[0]!)).toMatch(/Figure 4\.2.*thesis: .*where and why ours differs/s);
  });

  it("skips what measures Linux where it was not asked for, with the reason", async () => {
    const [done] = await run(["4.8"]);
    expect(done!.skipped).toContain("not asked for");
    expect(figureText(done!)).toContain("not run: ");
  });

  it("skips it too where this user may not load programs into the kernel, and the experiment says the same", async () => {
    vi.spyOn(process, "getuid").mockReturnValue(1000);
    const [done] = await run(["4.7"], true);
    const why = (await loadExperiment("kernel-staleness")).refuses?.();
    vi.restoreAllMocks();
    expect(done!.skipped).toBe(why);
    expect(why).toMatch(/root|Linux|koffi|BTF/);
  });

  it.skipIf(kernelRefuses() !== undefined)(
    "measures Linux where it can: programs and Linux's Cubic in turns, and how late an agent hears",
    { timeout: 150_000 },
    async () => {
      const ran = async (name: string, given: object) => {
        const experiment = await loadExperiment(name);
        const initial = Object.entries(experiment.options).map(([key, option]) => [key, option.initial]);
        const settings = { ...Object.fromEntries(initial), sec: 0.3, ...given };
        const rows: object[] = [];
        for await (const row of experiment.run(settings)) rows.push(row);
        expect(rows).toHaveLength(experiment.count(settings));
        return {
          rows: rows as Record<string, number | string | boolean>[],
          ...experiment.report(rows, settings),
        };
      };
      const scalability = await ran("kernel-scalability", { flows: [2], rounds: 1 });
      expect(scalability.rows.map(({ algorithm }) => algorithm)).toEqual([
        "kernel-cubic",
        "cubic",
        "reports-10ms",
      ]);
      for (const { mbps, flows } of scalability.rows) {
        expect(mbps).toBeGreaterThan(10);
        expect(flows).toBe(2);
      }
      const overhead = await ran("kernel-overhead", { rounds: 1 });
      expect(overhead.rows.find(({ algorithm }) => algorithm === "no-agent")!["reportsPerSec"]).toBe(0);
      expect(overhead.claims.length).toBe(6);
      // one round proves nothing to the contrary
      expect(overhead.claims.filter(({ verdict }) => verdict === "fail")).toEqual([]);
      const { rows, text } = await ran("kernel-staleness", { rounds: 1 });
      expect(rows.slice(0, 4).map(({ every }) => every)).toEqual(["ack", 1000, 10_000, 10_000]);
      expect(rows.slice(0, 4).map(({ isAwake }) => isAwake)).toEqual([false, false, false, true]);
      expect(rows[4]).toMatchObject({ instructions: 159, switches: 40, acksWithoutProgram: 0 });
      expect(rows[5]).toMatchObject({ switches: 40, acksWithoutProgram: 0 });
      expect(text).toContain("ACKs found none");
    },
  );

  it("is one command, which writes rows, tables and picture of each figure", async () => {
    const out = mkdtempSync(join(tmpdir(), "ccpark-thesis-"));
    const { code, stdout } = await runCli(["reproduce", "thesis", "4.3", "--out", out, "--quiet", "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ figure: "4.3", command: "ccpark reproduce thesis 4.3" });
    for (const file of ["results.jsonl", "summary.json", "slow-start.svg"])
      expect(existsSync(join(out, "4.3", file)), file).toBe(true);
    expect(readFileSync(join(out, "report.txt"), "utf8")).toContain("Figure 4.3");
    rmSync(out, { recursive: true, force: true });
    const wrong = await runCli(["reproduce", "thesis", "9.9"]);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain("unknown figure `9.9`");
  });
});
