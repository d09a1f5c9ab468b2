/** The HTML report in a real browser: every plot shows the values of the JSON, in light and dark, without a complaint. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { learningSvg } from "../../eval/learning/learning-chart.ts";
import { learningPage } from "../../eval/learning/learning-page.ts";
import { tradeoffRows } from "../../eval/report/chart-data.ts";
import type { ReportData } from "../../eval/report/report-data.ts";
import { writeResults } from "../../eval/result-files.ts";
import { isMissing, openChromium } from "./chromium.ts";
import { sampleReport } from "./sample-report.ts";

/** What a mark of a plot says: the row that it draws. */
type Row = Record<string, number | string>;

describe.skipIf(isMissing)("HTML report in Chromium", () => {
  let folder: string;
  let data: ReportData;
  let context: BrowserContext;
  let page: Page;
  let complaints: readonly string[];
  const requests: string[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "ccpark-report-"));
    data = await sampleReport(undefined, 4);
    writeResults(folder, data);
    ({ context, page, complaints } = await openChromium(join(folder, "profile")));
    await page.setViewportSize({ width: 1240, height: 900 });
    page.on("request", (request) => requests.push(request.url()));
    await page.goto(pathToFileURL(join(folder, "report.html")).href);
    await page.evaluate("window.ccparkReport.ready");
  });

  afterAll(async () => {
    await context?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The rows behind the marks of one kind that a plot really drew, read from its scene graph. */
  async function drawnRows(plot: string, markType: "line" | "symbol"): Promise<Row[]> {
    const script = `(() => {
      const rows = [];
      const visit = (node) => {
        if (node.marktype === ${JSON.stringify(markType)} && node.role === "mark") {
          for (const item of node.items) if (item.datum?.algorithm !== undefined) rows.push({ ...item.datum, _y: item.y });
        }
        for (const child of node.items ?? []) visit(child);
      };
      visit(window.ccparkReport.views[${JSON.stringify(plot)}].scenegraph().root);
      return rows;
    })()`;
    return page.evaluate(script) as Promise<Row[]>;
  }

  const of = (rows: readonly Row[], algorithm: string): Row[] =>
    rows.filter((row) => row["algorithm"] === algorithm);
  const column = (rows: readonly Row[], field: string): number[] => rows.map((row) => row[field] as number);

  for (const [index, scenario] of ["park-paper", "cell-walk"].entries()) {
    for (const [plot, field] of [
      ["throughput", "throughputMbps"],
      ["delay", "queueDelayMs"],
      ["cwnd", "cwndPackets"],
    ] as const) {
      it(`draws ${field} of every contender on ${scenario} as the JSON has it`, async () => {
        await page.evaluate(`window.ccparkReport.select(${index})`);
        const rows = await drawnRows(plot, "line");
        for (const { name } of data.contenders) {
          const stored = data.series.find(
            (s) => s.scenario === scenario && s.algorithm === name && s.seed === 1,
          )!;
          const drawn = of(rows, name);
          expect(column(drawn, "timeSec")).toEqual(stored.timeSec);
          expect(column(drawn, field)).toEqual(stored[field]);
          expect(new Set(column(drawn, "_y")).size, `${name} in ${plot} is no flat line`).toBeGreaterThan(1);
        }
      });
    }

    it(`draws throughput against delay and the score of every contender on ${scenario}`, async () => {
      await page.evaluate(`window.ccparkReport.select(${index})`);
      const link = data.summary.find((row) => row.scenario === scenario)!;
      const expected = tradeoffRows(data, link);
      for (const plot of ["tradeoff", "score"]) {
        const rows = await drawnRows(plot, "symbol");
        for (const row of expected) {
          expect(of(rows, row.algorithm).some((drawn) => drawn["score"] === row.score)).toBe(true);
        }
        expect(new Set(column(rows, "_y")).size).toBeGreaterThan(1);
      }
      const marks = await drawnRows("tradeoff", "symbol");
      const seeds = marks.filter((row) => row["seed"] !== undefined);
      expect(seeds).toHaveLength(data.contenders.length * data.seeds.length);
      for (const row of seeds) {
        const record = data.records.find(
          (r) => r.scenario === scenario && r.algorithm === row["algorithm"] && r.seed === row["seed"],
        )!;
        expect([row["goodputMbps"], row["p95QueueDelayMs"]]).toEqual([
          record.goodputMbps,
          record.p95QueueDelayMs,
        ]);
      }
    });
  }

  it("says beside the score of who is not ranked that it is not", async () => {
    await page.evaluate("window.ccparkReport.select(0)");
    const unranked = tradeoffRows(data, data.summary[0]!).filter(({ ranked }) => !ranked);
    expect(unranked.map(({ algorithm }) => algorithm)).toContain("untrained");
    const shown = (await page.locator("#plot-score svg text").allTextContents()).filter(
      (text) => text === "not ranked",
    );
    expect(shown).toHaveLength(unranked.length);
  });

  it("shows what each flow got on the link that has several, and nothing of the kind on the other", async () => {
    const shown = async (): Promise<string[]> => page.locator("table.flows tbody tr:visible").allInnerTexts();
    await page.evaluate("window.ccparkReport.select(0)");
    expect(await shown()).toEqual([]);
    await page.evaluate("window.ccparkReport.select(1)");
    const flows = data.summary.find((row) => row.scenario === "cell-walk")!.flows!;
    const rows = await shown();
    expect(rows).toHaveLength(flows.length);
    for (const [i, { id, goodputMbps }] of flows.entries()) {
      expect(rows[i]!.split("\t").slice(0, 4)).toEqual([
        id,
        ["test", "cubic", "cubic", "cubic, backward"][i],
        String(i * 7.5),
        goodputMbps.mean.toFixed(2),
      ]);
    }
  });

  it("draws the learning curve, leaving out updates in which no episode ended", async () => {
    const learned = data.learning.filter((progress) => Number.isFinite(progress.meanScore));
    const score = await drawnRows("learningScore", "symbol");
    expect(column(score, "steps")).toEqual(learned.map((progress) => progress.steps));
    expect(column(score, "meanScore")).toEqual(learned.map((progress) => progress.meanScore));
    const returns = await drawnRows("learningReturn", "symbol");
    expect(column(returns, "meanEpisodeReturn")).toEqual(
      learned.map((progress) => progress.meanEpisodeReturn),
    );
  });

  it("follows the reader's theme, and the button changes it", async () => {
    const theme = (): Promise<unknown> => page.evaluate("document.documentElement.dataset.theme");
    expect(await theme()).toBe("light");
    await page.emulateMedia({ colorScheme: "dark" });
    await page.waitForFunction("document.documentElement.dataset.theme === 'dark'");
    await page.click("#theme");
    expect(await theme()).toBe("light");
  });

  it("hides a contender in all plots of the link when its legend entry is clicked", async () => {
    const cubicRows = async (): Promise<number> => of(await drawnRows("delay", "line"), "cubic").length;
    expect(await cubicRows()).toBeGreaterThan(0);
    await page.click("#legend label:has(input[value=cubic])");
    await expect.poll(cubicRows).toBe(0);
    await page.click("#legend label:has(input[value=cubic])");
    await expect.poll(cubicRows).toBeGreaterThan(0);
  });

  it("shows all values at the hovered time", async () => {
    const plot = page.locator("#plot-delay");
    await plot.scrollIntoViewIfNeeded();
    const box = (await plot.boundingBox())!;
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.move(box.x + box.width / 2 + 2, box.y + box.height / 2);
    const tip = page.locator("#tip");
    await tip.waitFor({ state: "visible" });
    for (const { name } of data.contenders) expect(await tip.textContent()).toContain(name);
  });

  it("fits a narrow screen without scrolling sideways", async () => {
    await page.setViewportSize({ width: 390, height: 800 });
    await expect
      .poll(() =>
        page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"),
      )
      .toBeLessThanOrEqual(0);
    // whatever a plot writes lies on its card, and names stay in sight where a table is scrolled
    const outside = `(() => [...document.querySelectorAll(".plot text")].filter((text) => {
      const [card, own] = [text.closest("figure"), text].map((each) => each.getBoundingClientRect());
      return own.width > 0 && (own.right > card.right + 1 || own.left < card.left - 1);
    }).map((text) => text.textContent))()`;
    await expect.poll(() => page.evaluate(outside)).toEqual([]);
    const stays = `(() => {
      const table = [...document.querySelectorAll(".scroll")].find((each) => each.scrollWidth > each.clientWidth);
      table.scrollLeft = table.scrollWidth;
      const left = table.querySelector("tbody tr > :first-child").getBoundingClientRect().left;
      return [table.scrollLeft > 0, Math.round(left - table.getBoundingClientRect().left) <= 2];
    })()`;
    expect(await page.evaluate(stays)).toEqual([true, true]);
    await page.setViewportSize({ width: 1240, height: 900 });
  });

  it("so does the page of a training, whatever its configuration says", async () => {
    const measured = { score: 15, utilisation: 0.9, meanQueueDelayMs: 3, lossRate: 0 };
    const evaluation = { ...measured, best: true, baselines: { cubic: 13.3 } };
    const evaluations = [0, 10].map((update) => ({
      ...evaluation,
      update,
      steps: 2048 * update,
      links: [{ ...measured, link: "training-range 1" }],
    }));
    const learning = { evaluations, progress: [] };
    const config = JSON.stringify({ env: { description: "x".repeat(500) } });
    const curve = await learningSvg("Training", learning);
    const file = join(folder, "training.html");
    writeFileSync(file, learningPage({ title: "Training", learning, curve, config, isRunning: false }));
    const own = await context.newPage();
    await own.setViewportSize({ width: 390, height: 800 });
    await own.goto(pathToFileURL(file).href);
    expect(await own.evaluate("document.documentElement.scrollWidth")).toBe(390);
    const cell = own.locator("td[data-of=score]").first();
    expect([await cell.isVisible(), await cell.textContent()]).toEqual([true, "15.00"]);
    const background = (): Promise<unknown> =>
      own.evaluate("getComputedStyle(document.body).backgroundColor");
    await own.emulateMedia({ colorScheme: "light" });
    const light = await background();
    await own.emulateMedia({ colorScheme: "dark" });
    expect([light, await background()]).toEqual(["rgb(255, 255, 255)", "rgb(15, 20, 25)"]);
    await own.close();
  });

  it("asks the network for nothing and logs no error or warning", () => {
    expect(requests.filter((url) => !url.startsWith("file:") && !url.startsWith("data:"))).toEqual([]);
    expect(complaints).toEqual([]);
  });
});
