import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "ccpark-package-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${status}\n${stdout}\n${stderr}`);
  return stdout;
}

/** What somebody writes first: an environment, and an algorithm of one's own beside a registered one. */
const PROGRAM = `
import { type AlgorithmSpec, ccpAlgorithm, DEFAULT_ENV_OPTIONS, getScenario, makeEnv, runAlgorithm } from "ccpark";
const scenario = getScenario("park-paper", { durationSec: 2 });
const env = makeEnv(scenario, DEFAULT_ENV_OPTIONS);
let step = await env.reset({ seed: 1 });
while (!step.truncated) step = await env.step(Float32Array.of(0.01));
const program = "(def (Report (volatile acked 0))) (when true (:= Report.acked Ack.bytes_acked) (report))";
const newFlow: ReturnType<NonNullable<AlgorithmSpec["ccp"]>>["newFlow"] = (control, { mssBytes }) =>
  (control.setProgram("all", { Cwnd: 100 * mssBytes }), { onReport: (report) => void report.get("acked") });
const run = (algorithm: Parameters<typeof runAlgorithm>[0]["algorithm"]): number =>
  runAlgorithm({ scenario, seed: 1, rewardName: "score", algorithm }).metrics.goodputMbps;
console.log(JSON.stringify([step.info.timeUs, run({ name: "hundred", programs: { all: program }, newFlow }), run(ccpAlgorithm("vegas:alpha=3"))]));
`;

const ENTRIES = [
  "algorithms",
  "scenarios",
  "testbeds",
  "transport",
  "envs",
  "grpc",
  "serve",
  "agents",
  "training",
  "eval",
  "ccp-bridge",
  "traces",
  "core",
];

describe("the package in an empty project", () => {
  // a clone that was never built has nothing to pack; CI always builds before
  it.skipIf(!existsSync(join(ROOT, "dist/index.js")) && process.env["CI"] !== "true")(
    "installs from its tarball, compiles with its types and runs",
    () => {
      run("npm", ["pack", "--ignore-scripts", "--pack-destination", folder], ROOT);
      const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz"))!;
      writeFileSync(join(folder, "package.json"), '{ "name": "empty", "private": true, "type": "module" }');
      run("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", `./${tarball}`], folder);
      writeFileSync(join(folder, "first.ts"), PROGRAM);
      const compiler = ["--strict", "--module", "nodenext", "--target", "es2022"];
      run(join(ROOT, "node_modules/.bin/tsc"), [...compiler, "first.ts"], folder);
      const [timeUs, hundred, vegas] = JSON.parse(run("node", ["first.js"], folder)) as number[];
      expect(timeUs).toBeCloseTo(2e6, -3);
      // 100 packets in 50 ms
      expect(hundred).toBeGreaterThan(20);
      expect(hundred).toBeLessThan(24);
      expect(vegas).toBeGreaterThan(30);
      const imports = ENTRIES.map((entry) => `await import("ccpark/${entry}");`).join("\n");
      writeFileSync(join(folder, "entries.mjs"), `${imports}\nconsole.log("all");`);
      expect(run("node", ["entries.mjs"], folder)).toBe("all\n");
      expect(run("npx", ["--no-install", "ccpark", "--version"], folder)).toMatch(/^\d+\.\d+\.\d+/);
    },
    300_000,
  );
});
