/** `ccpark attack` and `ccpark fork`, as a user runs them: what is found replays to the byte, and a fork is the same run until it. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeFolders, outcomeOf, runCli, startCli } from "../run-cli.ts";

const makeFolder = makeFolders();

describe("ccpark attack", () => {
  it("ends at Ctrl-C with what it has found so far, as after a budget", async () => {
    const out = makeFolder();
    const pair = ["attack", "--matrix", "vegas,cubic", "--environments", "50000", "--out", out];
    const child = startCli(pair);
    const outcome = outcomeOf(child);
    await new Promise((resolve) => child.stderr!.once("data", resolve)); // progress
    child.kill("SIGINT");
    const { code, stdout, stderr } = await outcome;
    expect(code).toBe(130);
    expect(stderr).toContain("stopping with what is found so far; Ctrl-C again ends at once\n");
    const { tried } = JSON.parse(readFileSync(join(out, "vegas-against-cubic-seed-1.json"), "utf8"));
    expect(tried).toBeGreaterThan(0);
    expect(readdirSync(out).some((name) => name.startsWith("cubic-against-vegas"))).toBe(false);
    expect(stdout).toMatch(/vegas .* 0\.\d{3}/);
  });

  it("writes a link that replays with the gap that it says, and finds the same again", async () => {
    const search = ["attack", "--target", "bbr", "--reference", "cubic"];
    const small = [
      "--environments",
      "20",
      "--duration",
      "3",
      "--seed",
      "4",
      "--workers",
      "1",
      "--json",
      "--quiet",
    ];
    const [first, again] = [makeFolder(), makeFolder()];
    const found = await runCli([...search, ...small, "--out", first]);
    expect(found.stderr).toBe("");
    expect(found.code).toBe(0);
    const repeated = await runCli([...search, ...small, "--out", again]);
    expect(repeated.stdout).toBe(found.stdout);
    expect(readdirSync(again)).toEqual(readdirSync(first));

    const scenario = join(first, "bbr-against-cubic-seed-4.yaml");
    expect(readFileSync(scenario, "utf8")).toBe(
      readFileSync(join(again, "bbr-against-cubic-seed-4.yaml"), "utf8"),
    );
    const { duel } = JSON.parse(found.stdout).simplified;
    expect(duel.gap).toBeCloseTo(duel.reference.utility - duel.target.utility, 12);
    const bench = ["bench", "--scenario", scenario, "--algorithms", "cubic,bbr", "--seeds", "1"];
    const replay = await runCli([...bench, "--json", "--quiet"]);
    expect(replay.code).toBe(0);
    const [cubic, bbr] = replay.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).goodputMbps as number);
    // of the same capacity
    const { reference, target } = duel;
    expect(cubic! / bbr!).toBeCloseTo(reference.throughputShare / target.throughputShare, 6);
  });

  it("says that its gap is not of the score, and by which column a replay shows it", async () => {
    const folder = makeFolder();
    const search = ["attack", "--target", "bbr", "--reference", "cubic", "--seed", "4", "--out", folder];
    const found = await runCli([...search, "--environments", "10", "--duration", "2", "--quiet"]);
    expect(found.stdout).toContain("A replay ranks by the score, which may say otherwise");
    const [, gap] = /made short: gap ([\d.]+)/.exec(found.stdout)!;
    const file = join(folder, "bbr-against-cubic-seed-4.yaml");
    const [, metric] = /# replay: .* --metric '([^']+)'/.exec(readFileSync(file, "utf8"))!;
    expect(found.stdout).toContain(metric);
    const bench = ["bench", "--scenario", file, "--algorithms", "cubic,bbr", "--seeds", "1"];
    const replay = await runCli([...bench, "--metric", metric!, "--json", "--quiet"]);
    const [cubic, bbr] = replay.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line)["metric.utility"] as number);
    expect((cubic! - bbr!).toFixed(3)).toBe(gap);
  });

  it("says which contender there is not", async () => {
    const { code, stderr } = await runCli(["attack", "--target", "bbrr", "--reference", "cubic"]);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/`bbrr`; did you mean `bbr`\?/);
  });
});

describe("ccpark fork", () => {
  it("goes on as before with the same controller, and with another one from the fork on alone", async () => {
    const folder = makeFolder();
    const bench = [
      "bench",
      "--scenario",
      "park-paper",
      "--algorithms",
      "bbr",
      "--duration",
      "4",
      "--seeds",
      "1",
    ];
    expect((await runCli([...bench, "--out", folder, "--quiet"])).code).toBe(0);
    const fork = await runCli(["fork", "--run", folder, "--at", "2", "--algorithm", "cubic", "--json"]);
    expect(fork.code).toBe(0);
    const { original, forked } = JSON.parse(fork.stdout);
    expect(forked.atFork).toEqual(original.atFork);
    expect(forked.before).toEqual(original.before);
    expect(forked.after.meanQueueDelayMs).toBeGreaterThan(2 * original.after.meanQueueDelayMs);

    const late = await runCli(["fork", "--run", folder, "--at", "9", "--algorithm", "cubic"]);
    expect(late.code).not.toBe(0);
    expect(late.stderr).toContain("--at: got 9, expected a time within the run, between 0 and 4 s");
  });
});
