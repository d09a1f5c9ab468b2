/** The pages of single runs in a real browser: what each says first, its tables, and charts of little data. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serveUi, type UiServer } from "../../../eval/ui/server.ts";
import { isMissing, openChromium } from "./chromium.ts";

describe.skipIf(isMissing)("the page of a run", () => {
  let folder: string;
  let server: UiServer;
  let context: BrowserContext;
  let page: Page;
  const complaints: string[] = [];

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
    server = await serveUi([folder], 0);
    context = await openChromium(join(folder, ".profile"));
    page = await context.newPage();
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
  });

  afterAll(async () => {
    await context?.close();
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const open = async (name: string): Promise<void> => {
    await page.goto(`${server.url}#/`);
    await page.getByRole("link", { name, exact: true }).click();
    await page.getByRole("heading", { name, exact: true }).waitFor();
  };

  it("draws charts of one point, and of points that are all alike", async () => {
    for (const name of ["short", "flat"]) {
      await open(name);
      await page.locator("figure[data-frame]").first().waitFor();
      expect(complaints, name).toEqual([]);
    }
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
});
