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
});
