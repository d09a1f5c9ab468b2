/** Plots of saved results: whatever is drawn is what the files say, in every format, without a run. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { differentLinks, KINDS, plotOf, SIZES } from "../../../eval/plots/plot.ts";
import { FORMATS, plotCsv, plotFile } from "../../../eval/plots/plot-files.ts";
import { readResults, type SavedResults } from "../../../eval/plots/saved-results.ts";
import type { ReportData } from "../../../eval/report/report-data.ts";
import { writeResults } from "../../../eval/result-files.ts";
import { mean } from "../../../eval/statistics.ts";
import { summarise } from "../../../eval/summary.ts";
import { runCli } from "../../cli/run-cli.ts";
import { sampleReport } from "../sample-report.ts";

/** Texts of a piece of SVG, and how far to the right of its beginning each begins. */
function labelsOf(svg: string): { readonly text: string; readonly x: number }[] {
  const labels: { text: string; x: number }[] = [];
  const lefts: number[] = [];
  const leftOf = (attributes: string): number =>
    Number(/transform="translate\(([-\d.]+)/.exec(attributes)?.[1] ?? 0);
  for (const [, open, attributes, text] of svg.matchAll(/<(g|text)([^>]*)>([^<]*)|<\/g>/g)) {
    if (open === undefined) lefts.pop();
    else if (open === "g") lefts.push(leftOf(attributes!));
    else labels.push({ text: text!, x: lefts.reduce((sum, left) => sum + left, leftOf(attributes!)) });
  }
  return labels;
}

describe("plots of saved results", () => {
  let folder: string;
  let data: ReportData;
  let saved: SavedResults;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "ccpark-plots-"));
    data = await sampleReport();
    writeResults(folder, data);
    saved = readResults(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("read what was written", () => {
    expect(saved.records).toEqual(data.records);
    expect(saved.summary).toEqual(data.summary);
    expect(saved.series).toEqual(data.series);
  });

  it("draw means with their intervals, in the unit of their axis", () => {
    const plot = plotOf([saved], { metric: "utilisation", scenarios: ["park-paper"], size: "column" });
    const cubic = plot.rows.find(({ contender }) => contender === "cubic")!;
    const row = data.summary.find(
      ({ scenario, algorithm }) => scenario === "park-paper" && algorithm === "cubic",
    )!;
    expect(cubic["mean"]).toBeCloseTo(100 * row.utilisation!.mean, 9);
    expect(cubic["low"]).toBeCloseTo(100 * row.utilisation!.low!, 9);
  });

  it("draw courses over time and distributions of the chosen contenders", () => {
    const contenders = ["agent", "bbr"];
    const time = plotOf([saved], {
      metric: "queueDelayMs",
      scenarios: ["cell-walk"],
      contenders,
      size: "double",
    });
    const stored = data.series.find(
      ({ scenario, algorithm, seed }) => scenario === "cell-walk" && algorithm === "bbr" && seed === 1,
    )!;
    const drawn = time.rows.filter(({ contender }) => contender === "bbr").map((row) => row["queueDelayMs"]);
    expect(drawn).toEqual(stored.queueDelayMs);
    const cdf = plotOf([saved], { metric: "score", kind: "cdf", contenders, size: "column" });
    const shares = cdf.rows.filter(({ contender }) => contender === "agent").map((row) => row["share"]);
    expect(shares).toEqual([1, 2, 3, 4, 5, 6].map((n) => n / 6));
    const used = plotOf([saved], {
      metric: "utilisation",
      kind: "cdf",
      contenders: ["agent"],
      size: "column",
    });
    const percent = saved.records
      .filter(({ algorithm }) => algorithm === "agent")
      .map(({ utilisation }) => 100 * utilisation)
      .sort((a, b) => a - b);
    expect(used.rows.map((row) => row["utilisation"])).toEqual(percent);
  });

  it("draw the course of the seed that is asked for, and say which there are", () => {
    const options = { metric: "queueDelayMs", scenarios: ["cell-walk"], contenders: ["bbr"] } as const;
    const plot = plotOf([saved], { ...options, seed: 2, size: "column" });
    const stored = data.series.find(
      ({ scenario, algorithm, seed }) => scenario === "cell-walk" && algorithm === "bbr" && seed === 2,
    )!;
    expect(plot.rows.map((row) => row["queueDelayMs"])).toEqual(stored.queueDelayMs);
    expect(plot.name).toBe("cell-walk.queueDelayMs.time.seed-2");
    expect(() => plotOf([saved], { ...options, seed: 9, size: "column" })).toThrow(
      /has no course of seed 9 on cell-walk, expected one of 1, 2, 3/,
    );
    expect(() => plotOf([saved], { ...options, kind: "cdf", seed: 2, size: "column" })).toThrow(
      /seed 2: got kind cdf, expected time/,
    );
  });

  it("draw what flows in company and transfers have, where there are some", () => {
    expect(() => plotOf([saved], { metric: "jainIndex", size: "column" })).toThrow(
      /unknown metric `jainIndex`/,
    );
    const flow = {
      algorithm: "bbr",
      direction: "forward",
      startSec: 0,
      durationSec: 10,
      meanQueueDelayMs: 1,
      p95OneWayDelayMs: 30,
      lossRate: 0,
      sentPackets: 100,
      droppedPackets: 0,
    } as const;
    const records = saved.records.map((record) => ({
      ...record,
      jainIndex: 0.5 + record.seed / 10,
      flows: [1, 3].map((goodputMbps) => ({ ...flow, id: `flow-${goodputMbps}`, goodputMbps })),
    }));
    const company = { ...saved, records, summary: summarise(records) };
    const options = { scenarios: ["park-paper"], contenders: ["bbr"], size: "column" } as const;
    const seeds = saved.records.filter((each) => each.scenario === "park-paper" && each.algorithm === "bbr");
    const jain = plotOf([company], { ...options, metric: "jainIndex" });
    expect(jain.rows[0]!["mean"]).toBeCloseTo(0.5 + mean(seeds.map(({ seed }) => seed)) / 10, 9);
    const total = plotOf([company], { ...options, metric: "totalGoodputMbps", kind: "cdf" });
    expect(total.rows.map((row) => row["totalGoodputMbps"])).toEqual(seeds.map(() => 4));
  });

  it("tell seven lines apart by dash and mark, also without colour", () => {
    const { spec, names } = plotOf([saved], {
      metric: "cwndPackets",
      scenarios: ["park-paper"],
      size: "column",
    });
    expect(names).toHaveLength(7);
    const { layer } = spec as {
      layer: { mark: { strokeDash?: number[] }; encoding: Record<string, { scale: { range: unknown[] } }> }[];
    };
    const dashes = layer.slice(0, -1).map(({ mark }) => mark.strokeDash);
    for (const range of [dashes, layer.at(-1)!.encoding["shape"]!.scale.range]) {
      expect(new Set(range.map((each) => JSON.stringify(each))).size).toBe(7);
    }
  });

  it("have a legend of whole marks, whose outlines are not in the dashes of the lines", async () => {
    const plot = plotOf([saved], { metric: "cwndPackets", scenarios: ["park-paper"], size: "column" });
    const svg = (await plotFile(plot, "svg")) as string;
    const legend = svg.slice(svg.indexOf("role-legend"), svg.indexOf("role-title"));
    expect(legend.match(/<text[^>]*>(agent|cubic|bbr)</g)).toHaveLength(3);
    expect(legend).not.toContain("stroke-dasharray");
    expect(svg).toContain("stroke-dasharray");
  });

  it("have every name of the legend whole within the picture, however many there are", async () => {
    const others = ["ledbat-plus-plus", "westwood", "illinois", "nimbus", "vivace"];
    const of = <T extends { readonly algorithm: string }>(entries: readonly T[]): T[] => [
      ...entries,
      ...others.flatMap((algorithm) =>
        entries.filter((each) => each.algorithm === "bbr").map((each) => ({ ...each, algorithm })),
      ),
    ];
    const many = {
      ...saved,
      records: of(saved.records),
      summary: of(saved.summary),
      series: of(saved.series),
    };
    for (const kind of KINDS) {
      const metric = kind === "time" ? "throughputMbps" : "score";
      const plot = plotOf([many], { metric, kind, scenarios: ["park-paper"], size: "column" });
      const svg = (await plotFile(plot, "svg")) as string;
      const width = Number(/width="([\d.]+)pt"/.exec(svg)![1]);
      const legend = labelsOf(svg.slice(svg.indexOf("role-legend"), svg.indexOf("role-title")));
      expect(
        legend.map(({ text }) => text),
        kind,
      ).toEqual(plot.names);
      const [, leftOfAll] = /<svg.*?<g[^>]* transform="translate\(([-\d.]+)/.exec(svg)!;
      for (const { text, x } of legend) {
        expect(Number(leftOfAll) + x + 4 * text.length, `${kind} ${text}`).toBeLessThan(width);
      }
    }
  });

  it("draw a panel for each link where throughput meets delay, and no interval beyond what can be", async () => {
    const plot = plotOf([saved], { metric: "score", kind: "tradeoff", size: "double" });
    const svg = (await plotFile(plot, "svg")) as string;
    for (const scenario of new Set(saved.records.map((record) => record.scenario)))
      expect(svg).toContain(scenario);
    for (const row of plot.rows) {
      expect(row["p95Low"]).toBeGreaterThanOrEqual(0);
      expect(row["goodputLow"]).toBeGreaterThanOrEqual(0);
    }
    const wide = saved.summary.map((row) => ({
      ...row,
      lossRate: { ...row.lossRate!, low: -0.2, high: 1.3 },
    }));
    const loss = plotOf([{ ...saved, summary: wide }], { metric: "lossRate", size: "column" });
    expect(loss.rows.every((row) => row["low"] === 0 && row["high"] === 100)).toBe(true);
  });

  it("have their title whole within the picture, whatever is beside the axis", async () => {
    for (const kind of KINDS) {
      const metric = kind === "time" ? "throughputMbps" : "score";
      const plot = plotOf([saved], { metric, kind, scenarios: ["park-paper"], size: "column" });
      const svg = (await plotFile(plot, "svg")) as string;
      const [, leftOfAll] = /<svg.*?<g[^>]* transform="translate\(([-\d.]+)/.exec(svg)!;
      const [, leftOfTitle] = /role-title">(?:<g[^>]*?transform="translate\(([-\d.]+))/.exec(svg)!;
      expect(Number(leftOfAll) + Number(leftOfTitle), kind).toBeGreaterThan(0);
    }
  });

  it("are files of every format, in the widths of one and two columns, the same bytes each time", async () => {
    for (const kind of KINDS) {
      const metric = kind === "time" ? "throughputMbps" : "score";
      for (const size of SIZES) {
        const plot = plotOf([saved], { metric, kind, scenarios: ["park-paper"], size });
        const svg = (await plotFile(plot, "svg")) as string;
        expect(Number(/width="([\d.]+)pt"/.exec(svg)![1])).toBeLessThanOrEqual(size === "column" ? 252 : 516);
        for (const format of FORMATS) {
          const file = await plotFile(plot, format);
          expect(file.length, `${kind} ${format}`).toBeGreaterThan(100);
          expect(
            Buffer.from(await plotFile(plot, format)).equals(Buffer.from(file)),
            `${kind} ${format}`,
          ).toBe(true);
        }
      }
    }
  });

  it("tell contenders of one name apart by their run", () => {
    const other = { ...saved, name: "other" };
    const { names } = plotOf([saved, other], { metric: "score", contenders: ["bbr"], size: "column" });
    expect(names).toEqual([`bbr (${saved.name})`, "bbr (other)"]);
  });

  it("tell which links are not the same in each folder", () => {
    const other = (change: object): SavedResults => ({
      ...saved,
      name: "other",
      records: saved.records.map((record) => ({
        ...record,
        ...(record.scenario === "park-paper" ? change : {}),
      })),
    });
    expect(differentLinks([saved, other({})])).toEqual([]);
    expect(differentLinks([saved, other({ link: "9 Mbit/s" })])).toEqual([
      expect.stringMatching(
        /^park-paper is not the same in each folder: .* in .*; 9 Mbit\/s, .* s in other$/,
      ),
    ]);
    expect(differentLinks([saved, other({ durationSec: 1234 })])).toEqual([
      expect.stringContaining("1234 s in other"),
    ]);
    expect(differentLinks([saved, other({ durationSec: 1234 })], ["cell-walk"])).toEqual([]);
  });

  it("quote in CSV what has commas", () => {
    const plot = plotOf([saved], { metric: "score", size: "column" });
    const rows = [{ contender: 'x "y", z', mean: 1 }];
    expect(plotCsv({ ...plot, rows })).toBe('contender,mean\n"x ""y"", z",1\n');
  });

  it("say in one sentence what is wrong", () => {
    const size = "column" as const;
    expect(() => plotOf([saved], { metric: "scor", size })).toThrow(/\[plot\] unknown metric `scor`.*score/s);
    expect(() => plotOf([saved], { metric: "score", contenders: ["nobody"], size })).toThrow(
      /unknown contender/,
    );
    expect(() => plotOf([saved], { metric: "cwndPackets", size })).toThrow(/of one link/);
    expect(() => plotOf([saved], { metric: "score", kind: "time", size })).toThrow(
      /expected mean, cdf or tradeoff/,
    );
    expect(() => readResults(join(folder, "nowhere"))).toThrow(/no folder/);
    const broken = mkdtempSync(join(tmpdir(), "ccpark-plots-broken-"));
    writeFileSync(join(broken, "results.jsonl"), "{}\n");
    expect(() => readResults(broken)).toThrow(/results.jsonl:1.*expected a run/);
    rmSync(broken, { recursive: true });
  });

  it("are made by one command, which writes results.csv beside them", async () => {
    const out = join(folder, "figures");
    const { code, stdout } = await runCli([
      "plot",
      folder,
      "--metric",
      "score",
      "--format",
      "svg,pdf,png",
      "--size",
      "double",
      "--out",
      out,
      "--quiet",
    ]);
    expect(code).toBe(0);
    expect(stdout.split("\n")).toHaveLength(5);
    expect(readdirSync(out).sort()).toEqual([
      "2-links.score.mean.pdf",
      "2-links.score.mean.png",
      "2-links.score.mean.svg",
      "results.csv",
    ]);
    const lines = readFileSync(join(out, "results.csv"), "utf8").trimEnd().split("\n");
    expect(lines).toHaveLength(1 + data.records.length);
    expect((await runCli(["plot", join(folder, "nowhere")])).code).toBe(2);
  });
});
