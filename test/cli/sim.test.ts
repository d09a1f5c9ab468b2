/** `ccpark sim` and `bench` with an agent of another process. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { makeSocketFolder, ourAgent } from "../envs/foreign-agent/agent-child.ts";
import { makeFolders, outcomeOf, runCli, startCli } from "./run-cli.ts";

const makeFolder = makeFolders();
const sockets = makeSocketFolder();
const agent = join(sockets.folder, "agent");
beforeAll(() => sockets.start(ourAgent(agent)));
afterAll(() => sockets.clear());

describe("sim", () => {
  it("prints a line of bench's shape with counters and events, marked as not reproducible", async () => {
    const args = ["sim", "--agent", agent, "--algorithm", "reno", "--duration", "3", "--json"];
    const { code, stdout, stderr } = await runCli(args);
    expect(stderr).toBe("");
    const line = JSON.parse(stdout);
    expect(line).toMatchObject({
      scenario: "park-paper",
      algorithm: "unix:reno",
      seed: 1,
      reproducible: false,
      mode: "lock-step",
      durationSec: 3,
      events: [],
    });
    expect(line.goodputMbps).toBeGreaterThan(30);
    expect(line.counters).toMatchObject({ installs: 1, fallbackEvents: 0 });
    expect(line.counters.reports).toBeGreaterThan(20);
    expect(code).toBe(0);
  });

  it("prints a table row with a footnote and the counters, and writes a report", async () => {
    const out = join(makeFolder(), "results");
    const args = ["sim", "--agent", agent, "--duration", "2", "--mode", "real-time", "--out", out];
    const { code, stdout } = await runCli(args);
    expect(stdout).toMatch(/unix \[1\]/);
    expect(stdout).toContain("[1] driven by a process outside");
    expect(stdout).toMatch(/reports \d+, cwndChanges \d+, lossEvents \d+, installs 1, fallbackEvents 0/);
    expect(readFileSync(join(out, "results.jsonl"), "utf8")).toContain('"reproducible":false');
    expect(readFileSync(join(out, "report.html"), "utf8")).toContain("not reproducible to the bit");
    const summary = readFileSync(join(out, "summary.json"), "utf8");
    expect(summary, "no path of this machine").not.toContain(sockets.folder);
    expect(code).toBe(0);
  });

  it("says on stderr and in its events that the agent has died, and goes on", async () => {
    const path = join(sockets.folder, "mortal");
    const mortal = await sockets.start(ourAgent(path));
    const child = startCli(["sim", "--agent", path, "--mode", "real-time", "--duration", "5", "--json"]);
    const outcome = outcomeOf(child);
    await vi.waitUntil(() => mortal.output.includes(" opened: "), { timeout: 30_000 });
    await new Promise((resolve) => setTimeout(resolve, 500));
    await mortal.kill();
    const { code, stdout, stderr } = await outcome;
    expect(stderr).toMatch(/\[\d\.\d{3} s\] nobody receives at the agent's address\n/);
    expect(stderr).toMatch(/flow 1 is driven by a native algorithm until an agent takes it over\n/);
    const { counters, events } = JSON.parse(stdout);
    expect(events.map((event: { kind: string }) => event.kind)).toEqual(["agent-gone", "fallback"]);
    expect(counters.fallbackEvents).toBe(1);
    expect(code).toBe(0);
  });

  it.for<[string, string[], string, number]>([
    ["no agent", ["--agent", join(sockets.folder, "nobody")], "there is no such socket", 1],
    ["no socket named", [], "required option '--agent <socket>' not specified", 2],
    ["an unknown mode", ["--agent", agent, "--mode", "fast"], "Allowed choices are lock-step, real-time", 2],
    ["an unknown scenario", ["--agent", agent, "--scenario", "park-papr"], "did you mean `park-paper`?", 2],
  ])("%s is one sentence", async ([, args, sentence, exitCode]) => {
    const { code, stdout, stderr } = await runCli(["sim", ...args]);
    expect(stderr).toContain(sentence);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(stdout).toBe("");
    expect(code).toBe(exitCode);
  });
});

describe("bench", () => {
  it("takes an agent of another process as a contender, and marks only its rows", async () => {
    const external = `unix:${agent}:reno`;
    const args = ["bench", "--algorithms", `reno,${external}`, "--seeds", "1", "--duration", "3"];
    const { code, stdout } = await runCli([...args, "--json"]);
    const [inside, outside] = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(inside).not.toHaveProperty("reproducible");
    expect(outside).toMatchObject({ algorithm: "unix:reno", reproducible: false });
    expect(outside.goodputMbps / inside.goodputMbps).toBeGreaterThan(0.97);
    expect(outside.goodputMbps / inside.goodputMbps).toBeLessThan(1.03);
    expect(code).toBe(0);
  });

  it.for<[string, string, string]>([
    ["a contender without an algorithm", `unix:${agent}:`, "expected unix:SOCKET:NAME"],
    ["two of one name", `unix:${agent}:reno,unix:${agent}x:reno`, "two contenders are called `unix:reno`"],
  ])("%s is refused", async ([, algorithms, sentence]) => {
    const { code, stderr } = await runCli(["bench", "--algorithms", algorithms]);
    expect(stderr).toContain(sentence);
    expect(code).toBe(2);
  });
});
