import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { makeLink } from "../../envs/scenarios/links.ts";
import { countRuns, niceBinSec, runBenchmark } from "../../eval/benchmark.ts";
import { constantContender, selectContenders } from "../../eval/contenders.ts";
import { linkLabel, traceSha256 } from "../../eval/links.ts";
import { ONE_WAY_COLUMNS } from "../../eval/report/columns.ts";
import { linkPicture } from "../../eval/report/picture.ts";
import { terminalTable } from "../../eval/report/terminal-table.ts";
import { claimFolder, resultFiles, writeFilesWhole } from "../../eval/result-files.ts";
import { summarise } from "../../eval/summary.ts";
import { makeScenario, sampleContender, sampleReport } from "./sample-report.ts";

const folder = mkdtempSync(join(tmpdir(), "ccpark-eval-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("benchmark", () => {
  it("runs scenarios, then contenders, then seeds, in order", async () => {
    const plan = {
      scenarios: [makeScenario("one"), makeScenario("two")],
      contenders: ["cubic", "reno"].map(sampleContender),
      seeds: [1, 2],
      rewardName: "score",
    };
    const order: string[] = [];
    for await (const { record } of runBenchmark(plan)) {
      order.push(`${record.scenario} ${record.algorithm} ${record.seed}`);
    }
    expect(order).toEqual([
      "one cubic 1",
      "one cubic 2",
      "one reno 1",
      "one reno 2",
      "two cubic 1",
      "two cubic 2",
      "two reno 1",
      "two reno 2",
    ]);
    expect(order).toHaveLength(countRuns(plan));
  });

  it("averages over seeds, per scenario, link and algorithm", async () => {
    const { records, summary } = await sampleReport(["cubic", "reno"]);
    expect(summary).toEqual(summarise(records));
    expect(summary).toHaveLength(4);
    const cubic = records.filter((r) => r.scenario === "park-paper" && r.algorithm === "cubic");
    expect(summary[0]!.score.mean).toBeCloseTo(cubic.reduce((sum, r) => sum + r.score, 0) / 3, 12);
  });

  it("gives every run about 120 bins of a round width", () => {
    expect([2, 10, 30, 60, 120, 3600].map(niceBinSec)).toEqual([0.05, 0.1, 0.25, 0.5, 1, 10]);
  });

  it("names an unknown contender and the one probably meant", () => {
    const registry = new Map([["cubic", () => sampleContender("cubic")]]);
    expect(() => selectContenders(["cubik"], registry)).toThrow(
      /unknown algorithm `cubik`; did you mean `cubic`/,
    );
  });
});

describe("the constant contender", () => {
  it("finds the window with the highest mean score over the seeds, and says which it was", async () => {
    const scenario = makeLink({ mbps: 12, rttMs: 40, bufferBdp: 2, durationSec: 3 });
    const plan = {
      scenarios: [scenario],
      contenders: [constantContender()],
      seeds: [1, 2],
      rewardName: "score",
    };
    for await (const { record } of runBenchmark(plan)) {
      expect(record.detail).toMatch(/^cwnd \d+ packets = \d\.\d\d BDP$/);
      const fraction = Number(/= (\S+) BDP/.exec(record.detail!)![1]);
      expect(fraction).toBeGreaterThan(0.85);
      expect(fraction).toBeLessThan(1.25);
      expect(record.utilisation).toBeGreaterThan(0.9);
    }
  });
});

describe("links", () => {
  it("are named by rate, round trip and queue, a trace by its base name", () => {
    expect(linkLabel(makeScenario("x"))).toBe("48 Mbit/s, 50 ms, 400 packets");
    const forward = {
      rate: { kind: "trace" as const, name: "/home/someone/a.down", opportunitiesMs: [1, 2] },
      queue: {},
      lossRate: 0.0006,
    };
    expect(linkLabel(makeScenario("x", { forward }))).toBe("a.down, 50 ms, no queue limit, loss 0.06 %");
    expect(traceSha256([1, 2])).toBe(createHash("sha256").update("1\n2\n").digest("hex"));
  });
});

describe("reports", () => {
  it("mark the best value of each column, and only there", async () => {
    const { summary, seeds, rewardName } = await sampleReport(["agent", "cubic"]);
    const table = terminalTable(summary, seeds, rewardName, { colour: false });
    const agent = table.split("\n").find((line) => line.includes("│ agent"))!;
    const cubic = table.split("\n").find((line) => line.includes("│ cubic"))!;
    expect(agent.match(/\*/g)).toHaveLength(7);
    expect(cubic).not.toContain("*");
    const oneWay = terminalTable(summary, seeds, rewardName, { colour: false, columns: ONE_WAY_COLUMNS });
    expect(oneWay).toMatch(/throughput.*p95 one-way.*mean one-way.*utilisation.*loss/);
    expect(oneWay).toContain("one-way delays include propagation");
    expect(terminalTable(summary, seeds, rewardName, { colour: true })).toContain("\u001b[1m");
  });

  it("hold the same bytes for the same runs, and stay below 4 MB", async () => {
    const files = resultFiles(await sampleReport());
    expect(resultFiles(await sampleReport())).toEqual(files);
    expect(files["report.html"]!.length).toBeLessThan(4_000_000);
    expect(JSON.parse(files["series.json"]!).series).toHaveLength(7 * 2 * 3);
  });

  it("never end a script early, whatever a name contains", async () => {
    const page = resultFiles(await sampleReport())["report.html"]!;
    const opened = page.match(/<script[\s>]/g)!.length;
    expect(page.match(/<\/script/g)).toHaveLength(opened);
    expect(page).toContain("Made-up contenders &amp; &lt;/script&gt; on two links");
    expect(page).not.toMatch(/(src|href)="(?!data:)/);
  });

  it("draw the picture of one link for light and dark readers", async () => {
    const svg = await linkPicture(await sampleReport(), "park-paper");
    expect(svg).toMatch(/^<svg[^>]*><style>/);
    expect(svg).toContain("prefers-color-scheme:dark");
    for (const text of ["park-paper: 48 Mbit/s", "p95 queueing delay", "agent", "Goodput (Mbit/s)"]) {
      expect(svg).toContain(text);
    }
    await expect(linkPicture(await sampleReport(["agent"]), "nowhere")).rejects.toThrow(/no link `nowhere`/);
  });
});

describe("result files", () => {
  it("appear whole or not at all", () => {
    const target = join(folder, "all-or-none");
    claimFolder(join(target, "taken.json"));
    expect(() =>
      writeFilesWhole({ [join(target, "a.json")]: "{}", [join(target, "missing/b.json")]: "{}" }),
    ).toThrow(/cannot write file/);
    expect(readdirSync(target)).toEqual(["taken.json"]);
    writeFilesWhole({ [join(target, "a.json")]: "{}" });
    expect(readFileSync(join(target, "a.json"), "utf8")).toBe("{}");
  });

  it("leave no trace of the check that a folder takes them", () => {
    const target = join(folder, "deep/er");
    claimFolder(target);
    expect(statSync(target).isDirectory()).toBe(true);
    expect(readdirSync(target)).toEqual([]);
  });
});
