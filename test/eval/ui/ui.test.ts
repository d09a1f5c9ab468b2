/** The page of `ccpark ui` in a real browser: league, run, compare, download; large runs, many runs, hostile names; no other network. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { resolveAlgorithm } from "../../../algorithms/reference.ts";
import { runBenchmark } from "../../../eval/benchmark.ts";
import { algorithmContender } from "../../../eval/contenders/algorithm-contender.ts";
import { writeExports } from "../../../eval/export-files.ts";
import { makeReportData } from "../../../eval/report/report-data.ts";
import { writeResults } from "../../../eval/result-files.ts";
import { serveUi, type UiServer } from "../../../eval/ui/server.ts";
import { resolveScenarios } from "../../../scenarios/scenario-files.ts";
import { isMissing, openChromium, openRun } from "../chromium.ts";
import { sampleReport } from "../sample-report.ts";

const POINTS = 100_000;
const HOSTILE = "<script>window.hacked=1</script><img src=x onerror=window.hacked=1>";
/** Of what a page of 100,000 points per series may take to draw once, generous for a loaded machine. */
const FRAME_MS = 500;
const FIRST_PAGE_MS = 1000;

describe.skipIf(isMissing)("ccpark ui in Chromium", () => {
  let folder: string;
  let server: UiServer;
  let context: BrowserContext;
  let page: Page;
  const requests: string[] = [];
  let complaints: string[];

  async function realRun(at: string): Promise<void> {
    const scenarios = resolveScenarios(["transperf-sample"], { durationSec: 3 }).map((entry) => entry.of(0));
    const contenders = ["cubic", "bbr"].map((name) => algorithmContender(resolveAlgorithm(name)));
    const plan = { scenarios, contenders, seeds: [1], rewardName: "score", recording: ["qlog" as const] };
    const runs = [];
    for await (const run of runBenchmark(plan)) runs.push(run);
    const data = makeReportData({
      title: "a real run",
      provenance: { command: "ccpark bench", options: {}, versions: {} },
      scenarios: [],
      contenders: contenders.map(({ name, description }) => ({ name, description })),
      seeds: [1],
      rewardName: "score",
      runs,
      learning: [],
    });
    writeResults(at, data);
    writeExports(at, runs, ["qlog"]);
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "ccpark-ui-"));
    const data = await sampleReport();
    for (const name of ["first", "second"]) {
      mkdirSync(join(folder, name));
      writeResults(join(folder, name), data);
    }
    mkdirSync(join(folder, "training"));
    const lines = Array.from({ length: 50 }, (_, i) => ({
      update: i + 1,
      steps: 2048 * (i + 1),
      meanScore: 12 + i / 20,
    }));
    writeFileSync(
      join(folder, "training/progress.jsonl"),
      lines.map((line) => `${JSON.stringify(line)}\n`).join(""),
    );
    mkdirSync(join(folder, "compared"));
    writeResults(join(folder, "compared"), data);
    cpSync(join(folder, "training/progress.jsonl"), join(folder, "compared/progress.jsonl"));
    mkdirSync(join(folder, "large"));
    const timeSec = Array.from({ length: POINTS }, (_, i) => (i + 1) / 100);
    const course = (of: (t: number) => number): number[] => timeSec.map((t) => +of(t).toFixed(3));
    const large = data.series
      .filter(({ scenario, seed }) => scenario === "park-paper" && seed === 1)
      .slice(0, 4)
      .map((entry, k) => ({
        ...entry,
        timeSec,
        throughputMbps: course((t) => 40 + k + Math.sin(t * (k + 1))),
        capacityMbps: course(() => 48),
        queueDelayMs: course((t) => 20 + 10 * k + 5 * Math.sin(t / (k + 1))),
        cwndPackets: course((t) => 200 + 20 * Math.cos(t)),
      }));
    writeResults(join(folder, "large"), { ...data, series: large });
    mkdirSync(join(folder, "real"));
    await realRun(join(folder, "real"));
    const rename = (text: string): string =>
      text
        .replaceAll('"cubic"', JSON.stringify(HOSTILE))
        .replaceAll('"park-paper"', JSON.stringify(`link ${HOSTILE}`));
    mkdirSync(join(folder, "hostile <script>window.hacked=1<"));
    for (const file of ["results.jsonl", "summary.json", "series.json"]) {
      const text = rename(readFileSync(join(folder, "first", file), "utf8"));
      writeFileSync(join(folder, "hostile <script>window.hacked=1<", file), text);
    }
    server = await serveUi([folder], 0);
    ({ context, page, complaints } = await openChromium(join(folder, ".profile")));
    page.on("request", (each) => requests.push(each.url()));
  });

  afterAll(async () => {
    await context?.close();
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const open = (name: string): Promise<void> => openRun(page, server.url, name);

  it("answers on its first page who is best, on how many links, and where each does worst", async () => {
    await page.goto(server.url);
    await page.locator("#league tbody tr").first().waitFor();
    expect(await page.locator(".answer").textContent()).toMatch(
      // of links that several runs have, as the newest has them
      /^agent is best on 2 of 3 links, by \d+\.\d\d in the median\. It does worst on cell-walk: \d+\.\d\d below vegas, uses \d+ %\. Next: vegas, best on 1 of 3; of 3 links of both agent is ahead on 2, vegas on 1\.$/,
    );
    const names = await page.locator("#league tbody th").allTextContents();
    expect(names).toContain("agent");
    for (const reference of ["constant", "untrained"]) expect(names).not.toContain(reference);
  });

  it("shows a run: sentences, the table of each link, courses over time of the chosen contenders", async () => {
    await open("first");
    expect(await page.locator(".sentences li").first().textContent()).toMatch(/best deployable contender/);
    const rows = page.locator("main table").first().locator("tbody tr");
    const all = await rows.count();
    await page.locator("#chart-throughputMbps canvas").waitFor();
    await page.getByLabel("cubic", { exact: true }).uncheck();
    expect(await rows.count()).toBe(all - 1);
    await page.getByLabel("Link", { exact: true }).selectOption("cell-walk");
    await page.getByRole("heading", { name: /^cell-walk/ }).waitFor();
  });

  it("opens the link where a contender does worst, and keeps link and seed in the address", async () => {
    await page.goto(`${server.url}#/`);
    await page.locator(".answer").getByRole("link", { name: "cell-walk" }).click();
    await page.getByRole("heading", { name: /^cell-walk/ }).waitFor();
    // the newest run with that link is the one with hostile names, which have to be quoted in an address
    await page.getByLabel("Link", { exact: true }).selectOption({ index: 0 });
    await page.getByLabel("Seed", { exact: true }).selectOption("2");
    const chosen = new URLSearchParams(new URL(page.url()).hash.split("?")[1]);
    expect(Object.fromEntries(chosen)).toEqual({ link: `link ${HOSTILE}`, seed: "2" });
    await page.reload();
    await page.getByRole("heading", { name: /^link <script>/ }).waitFor();
    const seed = page.getByLabel("Seed", { exact: true });
    await seed.waitFor();
    expect(await seed.inputValue()).toBe("2");
    await page.goBack();
    await page.locator("#league").waitFor();
  });

  it("names the run or the view in the title of the document", async () => {
    await page.goto(`${server.url}#/`);
    await page.locator("#runs").waitFor();
    await expect.poll(() => page.title()).toBe("League and runs – ccpark");
    await open("first");
    await expect.poll(() => page.title()).toBe("first – ccpark");
  });

  it("counts the runs that are found", async () => {
    await page.goto(`${server.url}#/`);
    await page.getByRole("heading", { name: /^Runs \(\d+\)$/ }).waitFor();
    const all = await page.locator("#runs tbody tr").count();
    await page.getByLabel("Find").fill("second");
    await page.getByRole("heading", { name: `Runs (1 of ${all})` }).waitFor();
  });

  it("says of a run that is not there so, with a way back", async () => {
    await page.goto(`${server.url}#/run/nope`);
    expect(await page.getByRole("alert").textContent()).toBe("No such run.");
    await expect.poll(() => page.title()).toBe("Nothing to show – ccpark");
    await page.getByRole("link", { name: "All runs" }).click();
    await page.locator("#runs").waitFor();
    // the browser logs the 404 that was asked for
    expect(complaints.splice(0).every((text) => text.includes("404"))).toBe(true);
  });

  it("zooms in time by keys as by mouse, all charts together", async () => {
    await open("first");
    const shown = page.getByRole("group", { name: "Time shown" }).locator("output");
    await shown.waitFor();
    const whole = await shown.textContent();
    await page.getByRole("button", { name: "Zoom in" }).focus();
    await page.keyboard.press("Enter");
    expect(await shown.textContent()).toBe("7.5 to 22.5 s");
    await page.getByRole("button", { name: "All" }).press("Enter");
    expect(await shown.textContent()).toBe(whole);
  });

  it("downloads a plot as SVG, PNG, PDF and CSV, one column wide and two", async () => {
    await open("first");
    await page.getByLabel("Width of Throughput").selectOption("double");
    const starts = { svg: "<svg", png: "\u0089PNG", pdf: "%PDF", csv: "contender," };
    for (const [format, start] of Object.entries(starts)) {
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("link", { name: `Download Throughput as ${format.toUpperCase()}` }).click(),
      ]);
      expect(download.suggestedFilename()).toBe(`park-paper.throughputMbps.time.${format}`);
      const text = readFileSync((await download.path())!, "latin1");
      expect(text.startsWith(start), `${format} begins with ${text.slice(0, 8)}`).toBe(true);
    }
  });

  it("downloads the course of the seed that is shown", async () => {
    await open("first");
    await page.getByLabel("Seed", { exact: true }).selectOption("2");
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: "Download Throughput as CSV" }).click(),
    ]);
    expect(download.suggestedFilename()).toBe("park-paper.throughputMbps.time.seed-2.csv");
  });

  it("compares two runs", async () => {
    await page.goto(`${server.url}#/`);
    for (const name of ["first", "real"]) await page.getByLabel(`Compare ${name}`, { exact: true }).waitFor();
    await page.getByLabel("Compare first", { exact: true }).check();
    await page.getByLabel("Compare second", { exact: true }).check();
    await page.getByRole("link", { name: "Compare the two" }).click();
    await page.locator("#comparison tbody tr").first().waitFor();
    expect(await page.locator("#comparison tbody tr").count()).toBe(14);
    expect(await page.locator(".answer").textContent()).toMatch(/^By score: tied for agent, /);
    const charts = page.locator("figure.chart canvas");
    await charts.nth(2).waitFor(); // they are drawn after the table
    expect(await charts.count()).toBe(3);
  });

  it("lets tick no third run, and says why", async () => {
    await page.goto(`${server.url}#/`);
    await page.getByLabel("Compare first", { exact: true }).check();
    await page.getByLabel("Compare second", { exact: true }).check();
    expect(await page.getByLabel("Compare real", { exact: true }).isDisabled()).toBe(true);
    await page.getByText("first and second are ticked: untick one to tick another.").waitFor();
    await page.getByLabel("Compare first", { exact: true }).uncheck();
    await page.getByLabel("Compare real", { exact: true }).check();
  });

  it("judges no two runs whose links differ, and says how they do", async () => {
    const unlike = mkdtempSync(join(tmpdir(), "ccpark-ui-unlike-"));
    for (const name of ["short", "long"])
      cpSync(join(folder, "first"), join(unlike, name), { recursive: true });
    const stored = join(unlike, "long", "summary.json");
    const text = readFileSync(stored, "utf8");
    writeFileSync(stored, text.replaceAll('"durationSec": 30', '"durationSec": 60'));
    const other = await serveUi([unlike], 0);
    await page.goto(other.url);
    await page.getByLabel("Compare short", { exact: true }).check();
    await page.getByLabel("Compare long", { exact: true }).check();
    await page.getByRole("link", { name: "Compare the two" }).click();
    await page.locator(".answer").waitFor();
    expect(await page.locator(".answer").textContent()).toBe(
      "Not judged, as the links differ: short has 48 Mbit/s, 50 ms, 400 packets for 30 s, long has 48 Mbit/s, 50 ms, 400 packets for 60 s.",
    );
    expect(await page.locator("#comparison .differs").count()).toBe(0);
    expect(await page.locator("#comparison td").nth(1).getAttribute("data-of")).toBe("goodput (Mbit/s)");
    await page.goto(server.url);
    await other.close();
    rmSync(unlike, { recursive: true, force: true });
  });

  it("says that nobody leads where the best of two runs have not met", async () => {
    const apart = mkdtempSync(join(tmpdir(), "ccpark-ui-apart-"));
    for (const [name, of] of [
      ["one", ["agent", "cubic"]],
      ["two", ["vegas", "reno"]],
    ] as const) {
      mkdirSync(join(apart, name));
      writeResults(join(apart, name), await sampleReport(of));
    }
    const stored = join(apart, "two", "summary.json");
    const text = readFileSync(stored, "utf8");
    writeFileSync(stored, text.replaceAll('"durationSec": 30', '"durationSec": 60'));
    const other = await serveUi([apart], 0);
    await page.goto(other.url);
    await page.locator(".answer").waitFor();
    expect(await page.locator(".answer").textContent()).toMatch(
      /^Nobody leads: (agent|vegas) is best on 2 of 2 links, by \d+\.\d\d in the median; (agent|vegas) is best on 2 of 2 links, by \d+\.\d\d in the median\. Not all of them have met on a link\. Where each does worst is below\.$/,
    );
    expect(await page.locator("#league tbody tr").nth(1).textContent()).toContain("not met");
    await page.goto(server.url);
    await other.close();
    rmSync(apart, { recursive: true, force: true });
  });

  it("says of runs without a common link which each has", async () => {
    await page.goto(`${server.url}#/`);
    await page.getByLabel("Compare first", { exact: true }).check();
    await page.getByLabel("Compare real", { exact: true }).check();
    await page.getByRole("link", { name: "Compare the two" }).click();
    await page.getByText(/They have no link in common: .*transperf-sample/).waitFor();
  });

  it("overlays the flows of a run from its qlog", async () => {
    await open("real");
    const section = page.getByRole("region", { name: "Flows of one run" });
    await section.locator("canvas").first().waitFor();
    const flows = await section.locator("figure").first().locator(".u-series th").allTextContents();
    expect(flows.length, "time, and several flows").toBeGreaterThan(2);
  });

  it("follows a training while it goes on", async () => {
    await open("training");
    await page.getByText("50 updates").waitFor();
    writeFileSync(join(folder, "training/progress.jsonl"), '{"update":51,"steps":104448,"meanScore":15}\n', {
      flag: "a",
    });
    await page.getByText("51 updates, 104,448 steps").waitFor({ timeout: 20_000 });
  });

  it("shows what a training was compared with first, and its curves below", async () => {
    await open("compared");
    expect(await page.locator(".sentences li").first().textContent()).toMatch(/best deployable contender/);
    await page.getByRole("heading", { name: "Training" }).waitFor();
    await page.getByText("50 updates").waitFor();
  });

  it(`draws ${POINTS.toLocaleString("en")} points per series fluidly, and notes the time of a frame`, async () => {
    await open("large");
    const figure = page.locator("#chart-throughputMbps figure[data-frame]");
    await figure.waitFor();
    const noted = async (): Promise<string> => (await figure.getAttribute("data-frame"))!;
    expect(await noted()).toContain("400,000 points");
    expect(await figure.textContent(), "is nothing to a reader").not.toContain("frame");
    const frames: number[] = [];
    for (let i = 0; i < 4; i++) {
      await page.getByRole("button", { name: i % 2 === 0 ? "Zoom in" : "Zoom out" }).click();
      await page.waitForTimeout(100);
      frames.push(Number(/frame ([\d.]+) ms/.exec(await noted())![1]));
    }
    console.log(`frames of 400,000 points: ${frames.join(", ")} ms`);
    expect(Math.min(...frames)).toBeLessThan(FRAME_MS);
  });

  it("shows hostile names as text", async () => {
    await page.goto(`${server.url}#/`);
    const link = page.locator("#runs a", { hasText: "hostile" });
    await link.click();
    await page.getByRole("heading", { name: /^link <script>/ }).waitFor();
    await page.locator("#chart-throughputMbps canvas").waitFor();
    expect(await page.locator("main").textContent()).toContain(HOSTILE);
    expect(await page.evaluate("window.hacked")).toBeUndefined();
  });

  it("fits 400 and 1,600 pixels, in light and dark, without scrolling sideways", async () => {
    for (const width of [400, 1600]) {
      await page.setViewportSize({ width, height: 900 });
      for (const name of ["League and runs", "first"]) {
        if (name === "first") await open("first");
        else await page.goto(`${server.url}#/`);
        await page.waitForTimeout(300);
        expect(
          await page.evaluate("document.documentElement.scrollWidth"),
          `${name} at ${width}`,
        ).toBeLessThanOrEqual(width);
      }
    }
    await page.setViewportSize({ width: 1440, height: 1000 });
    const background = (): Promise<unknown> =>
      page.evaluate("getComputedStyle(document.body).backgroundColor");
    const before = await background();
    await page.getByRole("button", { name: "Switch between light and dark" }).click();
    const after = await background();
    expect(after).not.toBe(before);
    await page.reload();
    await page.locator("#runs, #league, main h2").first().waitFor();
    expect(await background(), "after a reload").toBe(after);
  });

  it("shows its first page with 500 runs within a second", async () => {
    const many = mkdtempSync(join(tmpdir(), "ccpark-ui-many-"));
    for (let i = 0; i < 500; i++) {
      mkdirSync(join(many, `run-${i}`));
      for (const file of ["results.jsonl", "summary.json"])
        cpSync(join(folder, "first", file), join(many, `run-${i}`, file));
    }
    const other = await serveUi([many], 0);
    const startMs = performance.now();
    await page.goto(other.url);
    await page.locator("#runs tbody tr").nth(49).waitFor();
    const tookMs = performance.now() - startMs;
    console.log(`first page with 500 runs: ${tookMs.toFixed(0)} ms`);
    await page.getByRole("button", { name: "Show all 500 runs" }).click();
    await page.locator("#runs tbody tr").nth(499).waitFor();
    await page.goto(server.url);
    await other.close();
    rmSync(many, { recursive: true, force: true });
    expect(tookMs).toBeLessThan(FIRST_PAGE_MS);
  });

  it("answers nobody who calls it by another name, and only reads", async () => {
    const status = (options: object): Promise<number> =>
      new Promise((done) => {
        request(server.url, options, (response) => {
          response.resume();
          done(response.statusCode!);
        }).end();
      });
    expect(await status({ headers: { host: "evil.example" } })).toBe(403);
    expect(await status({ method: "POST" })).toBe(405);
    expect((await fetch(`${server.url}api/run?id=../../etc`)).status).toBe(404);
    expect((await fetch(`${server.url}api/plot?run=nobody`)).status).toBe(404);
  });

  it("asks nobody else for anything and logs no error", () => {
    const elsewhere = requests.filter((url) => !/^(http:\/\/127\.0\.0\.1:\d+\/|data:|blob:)/.test(url));
    expect(elsewhere).toEqual([]);
    expect(complaints).toEqual([]);
  });
});
