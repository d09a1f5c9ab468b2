/** Small files in the forms that people's have, each by the command that they would type: the right value, or one sentence. */
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { describe, expect, it } from "vitest";
import { CONTRACT_KEY } from "../../eval/onnx/contract.ts";
import { readMetadata } from "../../eval/onnx/model-metadata.ts";
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

const CONTRACT = readMetadata(readFileSync(new URL("../golden/onnx/policy.onnx", import.meta.url))).get(
  CONTRACT_KEY,
)!;

/** A copy of a model with the contract of the golden one, but for what it says of the graph. */
function withContract(model: string, copy: string, graph: object): void {
  const contract = JSON.stringify({ ...JSON.parse(CONTRACT), ...graph });
  const entry = new BinaryWriter().tag(14, WireType.LengthDelimited).fork();
  entry.tag(1, WireType.LengthDelimited).string(CONTRACT_KEY);
  entry.tag(2, WireType.LengthDelimited).string(contract);
  writeFileSync(copy, Buffer.concat([readFileSync(model), entry.join().finish()]));
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

describe("policies of other exporters", () => {
  const random = input("onnx-random/random.onnx");

  it("that draw random numbers are refused by name, before anything runs", async () => {
    const { code, stdout, stderr } = await runCli([
      "bench",
      "--algorithms",
      `cubic,onnx:${random}`,
      "--seeds",
      "1",
    ]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("the graph draws random numbers (RandomNormalLike)");
  });

  it("without a contract are told how to get one", async () => {
    const { code, stderr } = await runCli([
      "bench",
      "--algorithms",
      `onnx:${input("onnx-recurrent/lstm_state.onnx")}`,
    ]);
    expect(code).toBe(2);
    expect(stderr).toContain(
      "expected what ccpark.export_onnx writes, or ccpark.add_contract for a file of another exporter",
    );
  });

  it("have their memory fed from step to step, anew in each run", async () => {
    const folder = makeFolder();
    const about = { input: "observation", output: "action" };
    const state = [
      { input: "h0", output: "h1" },
      { input: "c0", output: "c1" },
    ];
    withContract(input("onnx-recurrent/lstm_state.onnx"), join(folder, "lstm.onnx"), { ...about, state });
    withContract(input("onnx-foreign-export/names.onnx"), join(folder, "names.onnx"), {
      input: "input",
      output: "output",
    });
    withContract(input("onnx-foreign-export/extraout.onnx"), join(folder, "extraout.onnx"), about);
    const names = "onnx:lstm.onnx,onnx:names.onnx,onnx:extraout.onnx";
    const bench = ["bench", "--algorithms", names, "--seeds", "1", "--duration", "1", "--json", "--quiet"];
    const [once, again] = await Promise.all([runCli(bench, { cwd: folder }), runCli(bench, { cwd: folder })]);
    expect(once).toMatchObject({ code: 0, stderr: "" });
    expect(again.stdout).toBe(once.stdout);
    expect(once.stdout.trimEnd().split("\n")).toHaveLength(3);
  });

  it("that answer what is no number cost the others nothing", async () => {
    const folder = makeFolder();
    writeFileSync(
      join(folder, "late.mjs"),
      `export default { name: "late", source: "test", summary: "fails", reads: [], params: [],
        native: () => () => ({ name: "late", cwndBytes: 14480, pacingRateBytesPerSec: undefined,
          onAck({ nowUs }) { if (nowUs > 1e6) throw new Error("[late] cannot go on"); }, onCongestion() {} }) };\n`,
    );
    const bench = ["bench", "--algorithms", "./late.mjs,reno", "--seeds", "2", "--duration", "2", "--quiet"];
    const { code, stdout, stderr } = await runCli([...bench, "--json"], { cwd: folder });
    expect(code).toBe(1);
    expect(stderr.trimEnd().split("\n")).toEqual([
      "error: late on park-paper, seed 1, left out: ./late.mjs:3: [late] cannot go on",
      "error: late on park-paper, seed 2, left out: ./late.mjs:3: [late] cannot go on",
    ]);
    const alone = await runCli([...bench.with(2, "reno"), "--json"], { cwd: folder });
    expect(alone.code).toBe(0);
    expect(stdout).toBe(alone.stdout);
  });
});
