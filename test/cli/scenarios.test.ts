/** Scenarios on the command line: suites, grids, files, single fields, and what `explain` says of them. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeFolders, runCli } from "./run-cli.ts";

const makeFolder = makeFolders();

interface Line {
  readonly scenario: string;
  readonly algorithm: string;
  readonly link: string;
  readonly drawnLink?: string;
  readonly seed: number;
  readonly p95OneWayDelayMs: number;
}

function lines(text: string): Line[] {
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);
}

describe("scenarios on the command line", () => {
  it("bench --suite pantheon runs all 18 and prints Pantheon's axes with intervals", async () => {
    const args = [
      "bench",
      "--suite",
      "pantheon",
      "--duration",
      "0.3",
      "--algorithms",
      "native-reno",
      "--seeds",
      "2",
    ];
    const { code, stdout, stderr } = await runCli([...args, "--quiet"]);
    expect([code, stderr]).toEqual([0, ""]);
    for (let number = 1; number <= 18; number++) expect(stdout).toMatch(new RegExp(`pantheon-${number}  `));
    expect(stdout.match(/throughput.*p95 one-way.*mean one-way/g)).toHaveLength(18);
    expect(stdout).toContain("half width of the 95 % confidence interval over 2 seeds");
  });

  it("bench --suite takes all algorithms, which `all` stands for too, and draws every link as Pantheon does", async () => {
    const cwd = makeFolder();
    const short = ["--duration", "0.3", "--seeds", "1", "--quiet"];
    const suite = await runCli(["bench", "--suite", "pantheon", ...short, "--picture", "p.svg"], { cwd });
    expect([suite.code, suite.stderr]).toEqual([0, ""]);
    const first = suite.stdout.slice(
      suite.stdout.indexOf("pantheon-1  "),
      suite.stdout.indexOf("pantheon-2  "),
    );
    expect(first.match(/│ (cubic|vegas|bbr|reno) /g)).toHaveLength(4);
    const svg = readFileSync(join(cwd, "p.svg"), "utf8");
    expect(svg).toContain("Throughput against p95 one-way delay");
    for (let number = 1; number <= 18; number++) expect(svg).toContain(`>pantheon-${number}<`);

    const listed = ["--scenario", "pantheon-18", "--algorithms", "dctcp,all,reno", "--json"];
    const { stdout } = await runCli(["bench", ...listed, ...short]);
    expect(lines(stdout).map(({ algorithm }) => algorithm)).toEqual([
      "dctcp",
      "cubic",
      "vegas",
      "bbr",
      "reno",
    ]);
  });

  it("bench says what each flow and the transfers got, in the table and in summary.json", async () => {
    const cwd = makeFolder();
    const args = ["bench", "--scenario", "rmcat-5.7,ccp-fct", "--duration", "3", "--seeds", "2"];
    const out = ["--algorithms", "cubic", "--out", "o", "--quiet"];
    const { code, stdout, stderr } = await runCli([...args, ...out], { cwd });
    expect([code, stderr]).toEqual([0, ""]);
    const [flows, transfers] = stdout.split("\n\n");
    expect(flows).toMatch(/reward .* jain .* all flows/);
    expect(flows).toMatch(/^ {2}flow-1 +test +0 s +[\d.]+ \| [\d.]+$/m);
    expect(flows).toMatch(/^ {2}short-7 +reno +-5 s +[\d.]+ \| [\d.]+$/m);
    expect(transfers).toMatch(/reward .* fct p50 .* fct p99/);
    expect(transfers).toMatch(/transfers completed: cubic [\d.]+ %/);
    const { summary } = JSON.parse(readFileSync(join(cwd, "o/summary.json"), "utf8"));
    expect(summary[0].flows).toHaveLength(12);
    expect(summary[0].jainIndex.samples).toBe(2);
    expect(summary[1].p99CompletionMs.mean).toBeGreaterThan(summary[1].medianCompletionMs.mean);
  });

  it("bench takes a file with distributions, and --set", async () => {
    const cwd = makeFolder();
    writeFileSync(
      join(cwd, "mine.yaml"),
      "extends: park-paper\nname: mine\nforward: { rate: { mbps: { uniform: [5, 9] } } }\n",
    );
    const args = [
      "bench",
      "--scenario",
      "mine.yaml",
      "--set",
      "link.bufferBdp=2",
      "--duration",
      "0.5",
      "--seeds",
      "2",
    ];
    const run = ["--algorithms", "native-reno", "--json", "--quiet"];
    const { code, stdout, stderr } = await runCli([...args, ...run], { cwd });
    expect([code, stderr]).toEqual([0, ""]);
    const records = lines(stdout);
    expect(records.map(({ scenario, link, seed }) => [scenario, link, seed])).toEqual([
      ["mine", "a link per seed", 1],
      ["mine", "a link per seed", 2],
    ]);
    expect(records[0]!.drawnLink).toMatch(/^[5-8]\.\d+ Mbit\/s, 50 ms, \d+ packets$/);
    expect(records[0]!.drawnLink).not.toBe(records[1]!.drawnLink);
    expect(records[0]!.p95OneWayDelayMs).toBeGreaterThan(25);
  });

  it("bench of a grid runs its members", async () => {
    const args = [
      "bench",
      "--scenario",
      "raynet-orca",
      "--duration",
      "0.3",
      "--seeds",
      "1",
      "--algorithms",
      "native-reno",
    ];
    const { stdout } = await runCli([...args, "--json", "--quiet"]);
    expect(lines(stdout).map(({ scenario }) => scenario)).toEqual(["raynet-orca/train", "raynet-orca/eval"]);
  });

  it("explain lists source and status of every preset, members of a grid, and suites", async () => {
    const all = await runCli(["explain", "scenarios", "--json"]);
    const presets = lines(all.stdout) as unknown as {
      name: string;
      source: string;
      status: { kind: string };
    }[];
    expect(presets.length).toBeGreaterThanOrEqual(55);
    for (const { name, source, status } of presets) {
      expect(source.length, name).toBeGreaterThan(5);
      expect(["runnable", "substituted", "not-runnable"], name).toContain(status.kind);
    }
    const grid = await runCli(["explain", "scenarios", "cctestbed-table"]);
    expect(grid.stdout.match(/^ {2}cctestbed-table\/\d+mbps-\d+ms$/gm)).toHaveLength(12);
    const suites = await runCli(["explain", "suites"]);
    expect(suites.stdout).toContain("`ccpark bench --suite pantheon`: pantheon-1 to pantheon-18; 5 seeds");
  });

  it.each([
    [["bench", "--suite", "pantheo"], "unknown suite `pantheo`; did you mean `pantheon`?"],
    [
      ["bench", "--scenario", "mine.yaml"],
      "mine.yaml: got no such file, expected a scenario in YAML or JSON",
    ],
    [["bench", "--scenario", "park-paper", "--suite", "ccp"], "cannot be used with"],
    [["bench", "--set", "link.lossRate=2"], "--set link.lossRate=2: forward.lossRate: got 2, expected < 1"],
    [["serve", "--set", "link.rateMbps=0"], "--set link.rateMbps=0: forward.rate.mbps: got 0, expected > 0"],
    [
      ["train", "--out", "x", "--set", "link.rateMbps=3"],
      "got no scenario, expected --scenario beside fields of one",
    ],
    [["explain", "scenarios", "ccbench1-gird"], "did you mean `ccbench1-grid`?"],
    [["bench", "--scenario", "cctestbed-table/5mbps-36ms"], "did you mean `cctestbed-table/5mbps-35ms`?"],
  ])("%j is one sentence", async (args, message) => {
    const { code, stderr, stdout } = await runCli(args);
    expect(stderr).toContain(message);
    expect([code, stdout]).toEqual([2, ""]);
  });
});
