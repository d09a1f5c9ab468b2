import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { resolveAlgorithm } from "../../algorithms/reference.ts";
import { claimFolder, writeFilesWhole } from "../../core/whole-files.ts";
import { type BenchmarkRun, countRuns, niceBinSec, runBenchmark } from "../../eval/benchmark.ts";
import { algorithmContender } from "../../eval/contenders/algorithm-contender.ts";
import { constantContender } from "../../eval/contenders/constant-contender.ts";
import { linkLabel, traceSha256 } from "../../eval/links.ts";
import { COLUMNS, ONE_WAY_COLUMNS } from "../../eval/report/columns.ts";
import { MARKS, styleContenders } from "../../eval/report/palette.ts";
import { linkPicture } from "../../eval/report/picture.ts";
import { suitePicture } from "../../eval/report/suite-picture.ts";
import { terminalTable } from "../../eval/report/terminal-table.ts";
import { resultFiles } from "../../eval/result-files.ts";
import { SUMMARISED_OF_COMPANY, summarise } from "../../eval/summary.ts";
import { makeLink } from "../../scenarios/links.ts";
import { makeScenario, sampleContender, sampleReport } from "./sample-report.ts";

const folder = mkdtempSync(join(tmpdir(), "ccpark-eval-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a table in a terminal of 80 columns", () => {
  const lineWidths = (text: string): number[] => text.split("\n").map((line) => line.length);

  it("folds intervals, leaves out what is wanted least, and says so", async () => {
    const { summary, seeds, rewardName } = await sampleReport(["agent", "cubic", "vegas", "bbr"], 3);
    const draw = (width?: number) =>
      terminalTable(summary, seeds, rewardName, { colour: false, ...(width !== undefined && { width }) });
    expect(Math.max(...lineWidths(draw()))).toBeGreaterThan(100);
    expect(draw()).not.toContain("--wide");
    for (const width of [100, 80, 60]) {
      const text = draw(width);
      expect(Math.max(...lineWidths(text))).toBeLessThanOrEqual(width);
      for (const title of ["goodput", "p95 delay", "score"]) expect(text).toContain(title);
    }
    expect(draw(80)).toMatch(/^ {2}no room for reward, .*\(--wide\)$/m);
    // the frame is whole: every line of a table is as long as its first
    const frames = draw(80).matchAll(/┌.*?┘/gs);
    for (const [frame] of frames) expect(new Set(lineWidths(frame)).size).toBe(1);
  });

  it("is as without a limit where there is room", async () => {
    const { summary, seeds, rewardName } = await sampleReport(["agent", "cubic"]);
    const wide = terminalTable(summary, seeds, rewardName, { colour: false, width: 400 });
    expect(wide).toBe(terminalTable(summary, seeds, rewardName, { colour: false }));
  });
});

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
    expect(summary[0]!.score!.mean).toBeCloseTo(cubic.reduce((sum, r) => sum + r.score, 0) / 3, 12);
  });

  it("averages what several flows and transfers got, where there are any", async () => {
    const { records, summary } = await sampleReport(["cubic", "reno"], 4);
    const [alone, together] = [summary[0]!, summary.find(({ scenario }) => scenario === "cell-walk")!];
    for (const quantity of [...SUMMARISED_OF_COMPANY, "flows"] as const) {
      expect(alone, quantity).not.toHaveProperty(quantity);
    }
    const own = records.filter((r) => r.scenario === "cell-walk" && r.algorithm === "cubic");
    const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b) / values.length;
    // three forward flows: 1, 1/2 and 1/3 of the goodput over 1, 3/4 and 1/2 of the time
    const goodput = meanOf(own.map((record) => record.goodputMbps));
    expect(together.totalGoodputMbps!.mean).toBeCloseTo(goodput * (1 + 3 / 8 + 1 / 6), 10);
    expect(together.jainIndex!.mean).toBeCloseTo((11 / 6) ** 2 / (3 * (1 + 1 / 4 + 1 / 9)), 10);
    expect(together.completedShare!.mean).toBeCloseTo(0.95, 12);
    expect(together.medianCompletionMs!.mean).toBe(52);
    expect(together.p99CompletionMs!.mean).toBe(320);
    expect(together.flows!.map(({ id, direction, startSec }) => [id, direction, startSec])).toEqual([
      ["flow-0", "forward", 0],
      ["flow-1", "forward", 7.5],
      ["flow-2", "forward", 15],
      ["flow-3", "backward", 22.5],
    ]);
    expect(together.flows![1]!.goodputMbps.mean).toBeCloseTo(goodput / 2, 10);
  });

  it("counts no completion time where nothing completed, and no delay where nothing arrived", async () => {
    const { records } = await sampleReport(["cubic"], 2);
    const cut = records.map((record) => ({
      ...record,
      ...(record.transfers && { transfers: { ...record.transfers, completed: 0, medianMs: 0, p99Ms: 0 } }),
      ...(record.flows && {
        flows: record.flows.map((flow, i) =>
          i === 1 ? { ...flow, goodputMbps: 0, p95OneWayDelayMs: 0 } : flow,
        ),
      }),
    }));
    const row = summarise(cut).find(({ scenario }) => scenario === "cell-walk")!;
    expect(row.completedShare!.mean).toBe(0);
    expect(row.medianCompletionMs).toBeUndefined();
    expect(row.flows![1]!.p95OneWayDelayMs).toBeUndefined();
    expect(terminalTable([row], [1, 2, 3], "power", { colour: false })).toMatch(/flow-1 .* 0\.000 \| –\n/);
  });

  it("measures the same where nobody reads the time series, fairness over time too", async () => {
    const link = makeLink({ mbps: 12, rttMs: 40, bufferBdp: 2, durationSec: 20 });
    const beside = { ...link, name: "beside", flows: [{ algorithm: "cubic" }] };
    const contenders = [algorithmContender(resolveAlgorithm("reno"))];
    const plan = { scenarios: [link, beside], contenders, seeds: [1], rewardName: "score" };
    const runsOf = async (readsSeries: boolean): Promise<BenchmarkRun[]> => {
      const runs: BenchmarkRun[] = [];
      for await (const run of runBenchmark({ ...plan, readsSeries })) runs.push(run);
      return runs;
    };
    const read = await runsOf(true);
    const unread = await runsOf(false);
    expect(unread.map(({ record }) => record)).toEqual(read.map(({ record }) => record));
    expect(unread[1]!.record.convergenceSec).toBeDefined();
    const bins = (runs: readonly BenchmarkRun[]): number[] => runs.map(({ series }) => series.timeSec.length);
    expect(bins(read)).toEqual([80, 80]);
    expect(bins(unread)).toEqual([0, 80]);
  });

  it("gives every run about 120 bins of a round width", () => {
    expect([2, 10, 30, 60, 120, 3600].map(niceBinSec)).toEqual([0.05, 0.1, 0.25, 0.5, 1, 10]);
  });

  it("names an unknown contender and the one probably meant", () => {
    expect(() => resolveAlgorithm("cubik")).toThrow(/unknown algorithm `cubik`; did you mean `cubic`/);
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
    expect(agent.match(/\*/g)).toHaveLength(COLUMNS.length);
    expect(cubic).not.toContain("*");
    const oneWay = terminalTable(summary, seeds, rewardName, { colour: false, columns: ONE_WAY_COLUMNS });
    expect(oneWay).toMatch(/throughput.*p95 one-way.*mean one-way.*utilisation.*loss/);
    expect(oneWay).toContain("one-way delays include propagation");
    expect(terminalTable(summary, seeds, rewardName, { colour: true })).toContain("\u001b[1m");
  });

  it("show columns and lines of several flows and transfers on the links that have them, and only there", async () => {
    const data = await sampleReport(["agent", "cubic"], 4);
    const table = terminalTable(data.summary, data.seeds, data.rewardName, { colour: false });
    const [, alone, together, legend] = table.split("\n\n");
    expect(alone).not.toMatch(/jain|all flows|fct|each flow|completed/);
    expect(together).toMatch(/reward.* jain .* all flows .* fct p50 .* fct p99/);
    const agent = together!.split("\n").find((line) => line.includes("│ agent"))!;
    expect(agent.split("│")[10]).toContain(data.summary[2]!.jainIndex!.mean.toFixed(3));
    expect(agent).toMatch(/52\.0 {2}± 2\.5/);
    expect(together).toContain("transfers completed: agent 95.0 %, cubic 95.0 %");
    const { goodputMbps, p95OneWayDelayMs } = data.summary[3]!.flows![3]!;
    const got = `${goodputMbps.mean.toFixed(2)} | ${p95OneWayDelayMs!.mean.toFixed(1)}`;
    expect(together).toMatch(/^ {2}flow-3 +cubic, backward +22\.5 s .*$/m);
    expect(together!.split("\n").at(-1)!.endsWith(got)).toBe(true);
    expect(legend).toContain("a row is the first flow");

    const page = resultFiles(data)["report.html"]!;
    expect(page.match(/Flow by flow/g)).toHaveLength(1);
    expect(page).toContain(">jain</th>");
    expect(page).toContain("95.0 % of transfers completed");
    expect(page).toContain(
      `<td>${goodputMbps.mean.toFixed(2)}</td><td>${p95OneWayDelayMs!.mean.toFixed(1)}</td>`,
    );
  });

  it("say of finite flows when they were done, whether in time, and which run was the worst", async () => {
    const { records, rewardName } = await sampleReport(["cubic", "reno"]);
    const finite = records
      .filter(({ scenario }) => scenario === "park-paper")
      .map((record) => {
        const isLost = record.algorithm === "reno" && record.seed === 2;
        const completionMs = isLost ? Number.NaN : 10_000 + 1000 * record.seed;
        return { ...record, completionMs, deadlineSec: 12, deadlineMet: completionMs <= 12_000 };
      });
    const rows = summarise(finite);
    expect(rows[0]!.completionMs!.mean).toBe(12_000);
    expect(rows[1]!.ends).toEqual({
      runs: 3,
      completed: 2,
      deadline: { sec: 12, met: 1, worst: { seed: 2, completionMs: null } },
    });
    const table = terminalTable(rows, [1, 2, 3], rewardName, { colour: false });
    expect(table).toMatch(/completion .*\n.* s │\n/);
    expect(table).toContain("  cubic: deadline 12 s: fail in 1 of 3 runs, worst 13.00 s (seed 3)\n");
    expect(table).toContain("  reno: deadline 12 s: fail in 2 of 3 runs, worst not completed (seed 2)\n");
  });

  it("call it one outcome where every seed gives the same, instead of a certainty of ± 0.00", async () => {
    const { records, rewardName } = await sampleReport(["cubic"]);
    const same = records.map((record) => ({ ...record, goodputMbps: 46.03 + 1e-6 * record.seed, score: 14 }));
    const rows = summarise(same);
    const table = terminalTable(rows, [1, 2, 3], rewardName, { colour: false });
    expect(table).toContain("46.03");
    expect(table).not.toMatch(/± 0\.0+\b/);
    expect(table).toMatch(/A value without ± is one outcome.*--vary/);
    expect(rows[0]!.score!.ci95).toBeNull();
    const all = terminalTable((await sampleReport(["agent"])).summary, [1, 2, 3], rewardName, {
      colour: false,
    });
    expect(all).toContain("one outcome");
  });

  it("have Student's t over seeds also for scores and ratios, and keep each seed's value", async () => {
    const { records } = await sampleReport(["cubic"]);
    const [cubic] = summarise(
      records
        .filter(({ scenario }) => scenario === records[0]!.scenario)
        .map((record) => ({
          ...record,
          score: [7.87, 6.83, 8.36][record.seed - 1]!,
          utilisation: 0.8 + record.seed / 100,
        })),
    );
    // t(0.975, 2) = 4.303 and s / sqrt(3) = 0.4510; of three equal steps of 0.01 it is 0.01 / sqrt(3)
    expect(cubic!.score!.ci95).toBeCloseTo(1.94, 2);
    expect(cubic!.utilisation!.ci95).toBeCloseTo((4.3027 * 0.01) / Math.sqrt(3), 5);
    expect(cubic!.bySeed!["score"]).toEqual({ 1: 7.87, 2: 6.83, 3: 8.36 });
    expect(summarise(records.filter(({ seed }) => seed === 1))[0]).not.toHaveProperty("bySeed");
  });

  it("have a dash where nothing could be measured", async () => {
    const data = await sampleReport(["cubic", "reno"]);
    const records = data.records.map((record) =>
      record.algorithm === "reno"
        ? { ...record, meanQueueDelayMs: Number.NaN, p95QueueDelayMs: Number.NaN, utilisation: Number.NaN }
        : record,
    );
    const summary = summarise(records);
    const table = terminalTable(summary, data.seeds, data.rewardName, { colour: false });
    expect(table).toMatch(/│ reno .*–.*–.*–/);
    const page = resultFiles({ ...data, records, summary });
    expect(page["report.html"]).toMatch(/<td data-of="utilisation \(%\)">–<span class="ci"><\/span><\/td>/);
    expect(page["results.jsonl"]).toContain('"meanQueueDelayMs":null');
  });

  it("list twelve flows of a link and count the others", async () => {
    const data = await sampleReport(["agent"], 15);
    const table = terminalTable(data.summary, data.seeds, data.rewardName, { colour: false });
    expect(table.match(/^ {2}flow-\d+ /gm)).toHaveLength(12);
    expect(table).toContain("\n  and 3 more flows\n");
    expect(resultFiles(data)["report.html"]).toContain("and 3 more flows");
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

  it("draw six contenders of one's own as six filled marks, those of the legend", async () => {
    const own = ["onnx:a", "onnx:b", "agent:c", "vegas:alpha=3", "mine", "mine:targetMs=5"];
    const data = await sampleReport(own);
    const svg = await linkPicture(data, "park-paper");
    const styles = styleContenders(own);
    expect(new Set(styles.map(({ mark }) => mark)).size).toBe(6);
    expect(new Set(styles.map(({ light }) => light)).size).toBe(6);
    for (const { light } of styles) {
      // a mean and a score each, and its seeds
      const marks = svg.match(new RegExp(`<path [^>]*fill="${light}"[^>]*>`, "g")) ?? [];
      expect(marks.length).toBeGreaterThanOrEqual(2);
      for (const mark of marks) expect(mark).not.toMatch(/fill="(none|transparent)"|fill-opacity="0"/);
    }
    const page = resultFiles({ ...data, contenders: own.map((name) => ({ name, description: "" })) })[
      "report.html"
    ]!;
    for (const { mark } of styles) expect(page).toContain(MARKS[mark]!.sample);
  });

  it("gives contenders beyond the colours another mark, each pair once", () => {
    const names = Array.from({ length: 40 }, (_, i) => `mine-${i}`);
    const pairs = styleContenders([...names, "cubic", "reno", "agent"]).map(
      ({ light, mark }) => `${light} ${mark}`,
    );
    expect(new Set(pairs).size).toBe(names.length + 3);
  });

  it("draw all links of a suite, more delay to the left, each contender once in the legend", async () => {
    const svg = await suitePicture(await sampleReport(["agent", "cubic"]));
    expect(svg).toContain("prefers-color-scheme:dark");
    for (const text of ["park-paper", "cell-walk", "48 Mbit/s, 50 ms", "p95 one-way delay (ms)", "agent"]) {
      expect(svg).toContain(text);
    }
    expect(svg.match(/>cubic</g)).toHaveLength(1);
    const drawn = svg.matchAll(
      /aria-label="p95 one-way delay \(ms\): ([\d.]+);[^>]* transform="translate\(([\d.]+),/g,
    );
    const marks = [...drawn].map(([, delayMs, x]) => ({ delayMs: Number(delayMs), x: Number(x) }));
    // on each link both contenders' runs of three seeds, and their means
    expect(marks).toHaveLength(2 * 2 * (3 + 1));
    const onLink = marks.slice(0, 8).sort((a, b) => a.delayMs - b.delayMs);
    for (const [i, { x }] of onLink.slice(1).entries()) expect(x).toBeLessThanOrEqual(onLink[i]!.x);
    expect(onLink.at(-1)!.x).toBeLessThan(onLink[0]!.x);
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
