/** `ccpark bench --export` and `--workers` as a user meets them. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeFolders, runCli } from "../run-cli.ts";

const makeFolder = makeFolders();
const BENCH = ["bench", "--scenario", "pantheon-18", "--algorithms", "native-cubic", "--duration", "2"];

describe("ccpark bench --export", () => {
  it("writes each format of each run below exports/, named after scenario, algorithm and seed", async () => {
    const out = join(makeFolder(), "results");
    const words = ["--seeds", "2", "--quiet", "--out", out, "--export", "csv,jsonl,qlog,mahimahi"];
    const { code, stderr } = await runCli([...BENCH, ...words]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const folder = join(out, "exports", "pantheon-18");
    expect(readdirSync(folder).sort()).toEqual(
      [1, 2]
        .flatMap((seed) => ["csv", "jsonl", "log", "sqlog"].map((end) => `native-cubic-seed${seed}.${end}`))
        .sort(),
    );
    for (const end of ["csv", "log", "sqlog"]) {
      const text = readFileSync(join(folder, `native-cubic-seed2.${end}`), "utf8");
      expect(text).toContain("scenario pantheon-18, algorithm native-cubic, seed 2");
    }
  });

  it("says what it needs and what it knows", async () => {
    const homeless = await runCli([...BENCH, "--export", "csv"]);
    expect(homeless.code).toBe(2);
    expect(homeless.stderr).toContain("--export needs --out DIR to write into");
    const unknown = await runCli([...BENCH, "--export", "har"]);
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain("expected names among csv, jsonl, qlog, mahimahi, pcap");
    const virtual = await runCli([
      ...BENCH,
      "--export",
      "pcap",
      "--out",
      join(tmpdir(), "ccpark-no-packets"),
    ]);
    expect(virtual.code).toBe(2);
    expect(virtual.stderr).toContain("--export on simulated: got pcap, expected csv, jsonl, qlog, mahimahi");
  });
});

describe("ccpark bench --workers", () => {
  it("tells a mistake in a scenario's flows as one sentence with its path", async () => {
    const cross = `flows=[{algorithm: cubicc}]`;
    const { code, stderr } = await runCli([...BENCH, "--set", cross, "--workers", "2", "--quiet"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/flows\.0\.algorithm: got `cubicc`, .*did you mean `cubic`\?/);
    expect(stderr).not.toContain("    at ");
  });

  it("gives the same lines without it, where runs turn out slow and get further threads while they are under way", async () => {
    const slow = [
      "bench",
      "--algorithms",
      "sprout",
      "--duration",
      "20",
      "--seeds",
      "16",
      "--json",
      "--quiet",
    ];
    const [counted, one] = await Promise.all([runCli(slow), runCli([...slow, "--workers", "1"])]);
    expect(counted).toEqual(one);
    expect(one.stdout.trim().split("\n")).toHaveLength(16);
  });

  it("refuses an agent of another process", async () => {
    const { code, stderr } = await runCli([
      ...BENCH.slice(0, 3),
      ...["--algorithms", "unix:/tmp/no-such-socket:reno", "--workers", "2", "--quiet"],
    ]);
    expect(code).toBe(2);
    expect(stderr).toContain("runs without --workers");
    expect(existsSync("/tmp/no-such-socket")).toBe(false);
  });
});
