/** Small files in the forms that people's have, each by the command that they would type: the right value, or one sentence. */
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { makeFolders, runCli } from "../cli/run-cli.ts";

const inputs = fileURLToPath(new URL(".", import.meta.url));
const input = (path: string): string => join(inputs, path);
const makeFolder = makeFolders();

/** What `--json` says of an import, or the error. */
async function imported(
  file: string,
  options: readonly string[],
): Promise<{ readonly facts?: Readonly<Record<string, unknown>>; readonly error: string }> {
  const out = join(makeFolder(), "out");
  const { code, stdout, stderr } = await runCli([
    "trace",
    "import",
    file,
    ...options,
    "--json",
    "--out",
    out,
  ]);
  if (code === 0) return { facts: JSON.parse(stdout), error: "" };
  expect(code).toBe(2);
  expect(stderr.trimEnd()).not.toContain("\n");
  return { error: stderr };
}

describe("other people's files", () => {
  it.each<[string, readonly string[], number, number]>([
    ["json-parallel-lists/trace.json", [], 2_000, 5],
    [
      "csv-clock-times-duplicates/log.csv",
      ["--time-column", "Timestamp", "--rate-column", "DL_bitrate", "--rate-unit", "kbps"],
      3_000,
      22,
    ],
    ["units-in-header/a.csv", ["--time-column", "Time (ms)"], 1_500, 9],
    ["units-in-header/b.csv", ["--time-column", "timeMs"], 1_500, 9],
    ["units-in-header/c.csv", [], 1_500, 9],
    ["units-in-header/d.rows", ["--time-unit", "ms"], 1_500, 9],
    ["units-in-header/e.csv", ["--rate-column", "DL (kbps)"], 3_000, 0.006],
    ["gigabit-trace-limit/mm5g.rows", ["--as", "scenario"], 300_000, 1_595.5],
  ])("%s %s", async (file, options, periodMs, meanMbps) => {
    const { facts, error } = await imported(input(file), options);
    expect(error).toBe("");
    expect(facts?.["periodMs"]).toBeCloseTo(periodMs, 9);
    expect(facts?.["meanMbps"]).toBeCloseTo(meanMbps, 9);
  });

  it("in times that may be two, or of too many packets, are refused with the way out", async () => {
    expect((await imported(input("units-in-header/d.rows"), [])).error).toContain("expected --time-unit");
    const { error } = await imported(input("gigabit-trace-limit/mm5g.rows"), []);
    expect(error).toContain("at most 10000000, one line each; --as scenario writes the rates themselves");
  });

  it("are read compressed, as traces are", async () => {
    const file = join(makeFolder(), "a.csv.gz");
    writeFileSync(file, gzipSync(readFileSync(input("units-in-header/a.csv"))));
    expect((await imported(file, [])).facts).toMatchObject({ periodMs: 1_500, meanMbps: 9 });
    const info = await runCli(["trace", "info", input("gz/t.trace.gz"), "--json"]);
    expect(JSON.parse(info.stdout)).toMatchObject({ opportunities: 3, periodMs: 3 });
  });

  it("of rates of 5G become a link that runs", async () => {
    const folder = makeFolder();
    copyFileSync(input("gigabit-trace-limit/mm5g.rows"), join(folder, "mm5g.rows"));
    await runCli(["trace", "import", "mm5g.rows", "--as", "scenario", "--out", "mm5g.json"], { cwd: folder });
    const bench = ["bench", "--scenario", "mm5g.json", "--algorithms", "cubic", "--seeds", "1"];
    const run = await runCli([...bench, "--duration", "1", "--json", "--quiet"], { cwd: folder });
    expect(run.stderr).toBe("");
    const { goodputMbps } = JSON.parse(run.stdout);
    expect(goodputMbps).toBeGreaterThan(100);
    expect(goodputMbps).toBeLessThan(1_200);
  });
});

it("a link that delivered nothing shows no delay, and no score above that of one that works", async () => {
  const folder = makeFolder();
  for (const file of ["h.trace", "slow.yaml", "working.yaml"]) {
    copyFileSync(input(`nothing-delivered/${file}`), join(folder, file));
  }
  const bench = ["bench", "--scenario", "slow.yaml,working.yaml", "--algorithms", "reno", "--seeds", "1"];
  const { stdout } = await runCli([...bench, "--json", "--quiet"], { cwd: folder });
  const [slow, working] = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(slow).toMatchObject({ goodputMbps: 0, meanQueueDelayMs: null, p95QueueDelayMs: null });
  expect(slow.score).toBeLessThan(working.score);
});
