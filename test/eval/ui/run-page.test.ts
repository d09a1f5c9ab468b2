/** The pages of single runs in a real browser: what each says first, its tables, and charts of little data. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeResults } from "../../../eval/result-files.ts";
import { summarise } from "../../../eval/summary.ts";
import { serveUi, type UiServer } from "../../../eval/ui/server.ts";
import { isMissing, openChromium, openRun } from "../chromium.ts";
import { sampleReport } from "../sample-report.ts";

describe.skipIf(isMissing)("the page of a run", () => {
  let folder: string;
  let server: UiServer;
  let context: BrowserContext;
  let page: Page;
  let complaints: readonly string[];

  const write = (name: string, files: Readonly<Record<string, string>>): void => {
    mkdirSync(join(folder, name), { recursive: true });
    for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, name, file), text);
  };
  const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join("");

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "ccpark-run-page-"));
    write("short", { "progress.jsonl": lines([{ update: 1, steps: 2048, policyLoss: -0.002 }]) });
    const flat = [1, 2, 3].map((update) => ({ update, steps: 0, policyLoss: 0.5, meanScore: null }));
    write("flat", { "progress.jsonl": lines(flat) });
    const updates = [1, 2, 3].map((update) => ({
      ...{
        update,
        steps: 2048 * update,
        episodes: 4,
        entropy: 0.5,
        meanQueueDelayMs: 3,
        meanScore: 12 + update,
      },
    }));
    const validation = [12, 13.5].map((score, i) => ({
      ...{ update: 3 * i, steps: 6144 * i, best: true, score, baselines: { cubic: 13, bbr: 14.5 } },
      ...{ utilisation: 0.9, meanQueueDelayMs: 2, lossRate: 0, links: [] },
    }));
    write("learning", {
      "config.json": JSON.stringify({ algorithm: "ppo" }),
      "progress.jsonl": lines(updates),
      "evaluations.jsonl": lines(validation),
    });
    const quantity = { name: "ratio of shares", unit: "1", source: "ours" };
    const judged = {
      section: "5.1.2",
      algorithm: "vegas",
      testbed: "simulated",
      seeds: [1],
      command: "again",
    };
    write("evaluated", {
      "summary.json": JSON.stringify({ command: "ccpark evaluate ccwg --algorithm vegas" }),
      "results.jsonl": lines([
        {
          ...{ ...judged, row: "starvation", level: "MUST", requirement: "nobody starves", verdict: "fail" },
          quantities: [
            { ...quantity, value: 0.25, threshold: { low: 0.1 }, verdict: "pass" },
            { ...quantity, value: null, threshold: { low: 0.5 }, verdict: "fail" },
          ],
        },
        {
          ...{ ...judged, row: "bufferbloat", level: "criterion", requirement: "short queues" },
          ...{
            verdict: "pass",
            quantities: [{ ...quantity, value: 0.5, threshold: { high: 1 }, verdict: "pass" }],
          },
        },
      ]),
      "bufferbloat.svg": '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="60"></svg>',
      "report.html":
        "<!doctype html><title>its own</title><p id=said>its own report</p><script>said.id='ran'</script>",
    });
    const data = await sampleReport();
    const flow = {
      ...{ id: "flow-0", algorithm: "test", direction: "forward" as const, startSec: 0, durationSec: 30 },
      ...{ p95OneWayDelayMs: 30, meanQueueDelayMs: 1, lossRate: 0, sentPackets: 9, droppedPackets: 0 },
    };
    const records = data.records.map((record) =>
      record.scenario === "park-paper"
        ? {
            ...record,
            jainIndex: 0.8,
            flows: [1, 3].map((goodputMbps) => ({ ...flow, id: `flow-${goodputMbps}`, goodputMbps })),
          }
        : record,
    );
    mkdirSync(join(folder, "company"));
    writeResults(join(folder, "company"), { ...data, records, summary: summarise(records) });
    server = await serveUi([folder], 0);
    ({ context, page, complaints } = await openChromium(join(folder, ".profile")));
  });

  afterAll(async () => {
    await context?.close();
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const open = (name: string): Promise<void> => openRun(page, server.url, name);

  it("draws charts of one point, and of points that are all alike", async () => {
    for (const name of ["short", "flat"]) {
      await open(name);
      await page.locator("figure[data-frame]").first().waitFor();
      expect(complaints, name).toEqual([]);
    }
  });

  it("opens a training with whether it learns, beside whom, and draws its score first", async () => {
    await open("learning");
    await page.getByText("Training learning: ppo").waitFor();
    expect(await page.locator(".sentences li").allTextContents()).toEqual([
      "It learns: score 12.00 at first, 13.50 at best (6,144 steps), 13.50 now; below bbr (14.50).",
      "Validation score 13.50 (12.75 on average of 2; cubic 13.00, bbr 14.50), utilisation 90 %, queue 2.0 ms, loss 0.0 %.",
    ]);
    const titles = (await page.locator("figure.chart figcaption").allTextContents()).map((text) =>
      text.trim(),
    );
    expect(titles).toEqual([
      "Score on validation links",
      "Score of training episodes",
      "Mean queueing delay (ms)",
      "entropy (nats)",
      "Episodes that ended (per update)",
    ]);
  });

  it("says when a training ends, though it writes nothing more", async () => {
    await open("learning");
    write("learning", { ".lock-1-2": "" });
    await page.getByText("Training goes on").waitFor();
    rmSync(join(folder, "learning/.lock-1-2"));
    await page.getByText("Not training now").waitFor();
  });

  it("opens an evaluation with who fails, row by row what decided, and its own report", async () => {
    await open("evaluated");
    expect(await page.locator(".sentences li").allTextContents()).toEqual([
      "vegas fails 1 row: starvation.",
      "MUST: 0 of 1 pass, 0 not run; criterion: 1 of 1 pass, 0 not run.",
    ]);
    const row = page.locator("#verdicts tbody tr").nth(1);
    for (const text of ["bufferbloat", "pass", "0.5 ratio of shares", "<= 1"]) {
      expect(await row.textContent()).toContain(text);
    }
    await page.locator("figure.picture img").waitFor();
    await page.getByRole("link", { name: /own report/ }).click();
    await page.locator("#ran").waitFor();
  });

  it("runs a report as a page that may ask this server for nothing", async () => {
    await open("evaluated");
    const report = await page.getByRole("link", { name: /own report/ }).getAttribute("href");
    const { headers } = await fetch(new URL(report!, server.url));
    expect(headers.get("content-security-policy")).toMatch(/^sandbox allow-scripts; default-src 'none';/);
  });

  it("says of a link with several flows what they got together, and that the rest is of the first", async () => {
    await open("company");
    const heads = page.locator("main table thead").first();
    await page.getByText("Throughput of the first flow").waitFor();
    expect(await heads.textContent()).toMatch(/jain.*all flows \(Mbit\/s\)/);
    expect(await page.locator(".key").textContent()).toContain("Several flows: a row is the first flow");
    await page.getByLabel("Link", { exact: true }).selectOption("cell-walk");
    await page.getByText("Throughput (Mbit/s)").waitFor();
    expect(await heads.textContent()).not.toContain("jain");
    expect(await page.locator(".key").textContent()).not.toContain("Several flows");
  });

  it("explains its marks below the table, and says who is not ranked", async () => {
    await open("company");
    const key = await page.locator(".key").textContent();
    for (const words of ["green best of the link", "framed tied with it", "half width of the 95 %"]) {
      expect(key).toContain(words);
    }
    expect(key).toContain("Delays are queueing delays at the bottleneck.");
    const unranked = page.locator("main table").first().locator("tbody th", { hasText: "not ranked" });
    expect((await unranked.allTextContents()).join(" ")).toMatch(/untrained/);
    expect(await page.locator("main table").first().locator("tbody th").first().textContent()).toBe("agent");
  });

  it("keeps the units of a table where its columns become lines", async () => {
    await open("company");
    await page.setViewportSize({ width: 400, height: 900 });
    const before = await page.evaluate(
      "getComputedStyle(document.querySelector('main table tbody td'), '::before').content",
    );
    expect(before).toBe('"goodput (Mbit/s)"');
    await page.setViewportSize({ width: 1440, height: 1000 });
  });
});
