/** The commands as a script uses them: what they print, what they write, and how they end. */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { Pace } from "../../cli/train/progress.ts";
import { makeFolders, outcomeOf, runCli, startCli } from "./run-cli.ts";

const makeFolder = makeFolders();
const TINY = ["bench", "--scenario", "park-paper,cell-lte-driving", "--duration", "2", "--seeds", "2"];

function parseLines(text: string): Record<string, unknown>[] {
  expect(text.endsWith("\n")).toBe(true);
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

function digests(folder: string): Record<string, string> {
  // event files for TensorBoard hold the time of day
  const names = readdirSync(folder).filter((name) => name !== "tensorboard");
  const entries = names.map((name) => {
    const content = readFileSync(join(folder, name));
    return [name, createHash("sha256").update(content).digest("hex")];
  });
  return Object.fromEntries(entries);
}

describe("ccpark bench", () => {
  it.concurrent("--json prints one line per scenario, algorithm, link and seed, and nothing else", async () => {
    const { code, stdout } = await runCli([...TINY, "--algorithms", "cubic,constant", "--json"]);
    expect(code).toBe(0);
    const lines = parseLines(stdout);
    expect(lines).toHaveLength(2 * 2 * 2);
    expect(lines.map(({ scenario, algorithm, seed }) => [scenario, algorithm, seed])).toEqual(
      ["park-paper", "cell-lte-driving"].flatMap((scenario) =>
        ["cubic", "constant"].flatMap((algorithm) => [1, 2].map((seed) => [scenario, algorithm, seed])),
      ),
    );
    for (const line of lines) {
      expect(line["durationSec"]).toBe(2);
      expect(line["link"]).toMatch(/48 Mbit\/s, 50 ms, 400 packets|lte-driving/);
      expect(line["rewardName"]).toBe("score");
      for (const name of ["goodputMbps", "utilisation", "score", "reward", "servedBytes"]) {
        expect(line[name], name).toEqual(expect.any(Number));
      }
      for (const name of ["meanQueueDelayMs", "p95QueueDelayMs", "lossRate", "wastedBytes"]) {
        expect(line[name] as number, name).toBeGreaterThanOrEqual(0);
      }
      if (line["algorithm"] === "constant")
        expect(line["detail"]).toMatch(/^cwnd \d+ packets = \d\.\d\d BDP$/);
    }
  });

  it.concurrent("writes the same bytes twice, in any working folder and output folder", async () => {
    const [here, there] = [makeFolder(), makeFolder()];
    const args = [...TINY, "--algorithms", "reno,untrained", "--quiet"];
    const first = await runCli([...args, "--out", "results", "--picture", "results/p.svg"], { cwd: here });
    const out = join(there, "deep/elsewhere");
    const second = await runCli([...args, "--out", out, "--picture", join(out, "p.svg")], { cwd: there });
    expect([first.code, second.code]).toEqual([0, 0]);
    expect(second.stdout).toBe(first.stdout);
    const written = digests(join(here, "results"));
    expect(Object.keys(written).sort()).toEqual([
      "p.svg",
      "report.html",
      "results.csv",
      "results.jsonl",
      "series.json",
      "summary.json",
    ]);
    expect(digests(out)).toEqual(written);
    for (const name of Object.keys(written)) {
      const text = readFileSync(join(out, name), "utf8");
      expect(text.includes(there) || text.includes(here), `${name} names no folder`).toBe(false);
    }
  });

  it.concurrent("stores what reproduces the results, a trace by its base name and digest", async () => {
    const cwd = makeFolder();
    const text = "3\n5\n9\n12\n";
    writeFileSync(join(cwd, "my.trace"), text);
    const args = [
      "bench",
      "--scenario",
      "ccp-cell",
      "--trace",
      join(cwd, "my.trace"),
      "--algorithms",
      "reno",
    ];
    expect(
      (await runCli([...args, "--seeds", "1", "--duration", "1", "--out", "r", "--quiet"], { cwd })).code,
    ).toBe(0);
    const summary = JSON.parse(readFileSync(join(cwd, "r/summary.json"), "utf8"));
    expect(summary.command).toBe(
      "ccpark bench --scenario ccp-cell --trace my.trace --algorithms reno --seeds 1 --duration 1 --reward score",
    );
    expect(summary.versions.ccpark).toMatch(/^\d+\.\d+\.\d+/);
    expect(summary.seeds).toEqual([1]);
    expect(summary.scenarios[0].forward.rate).toEqual({
      kind: "trace",
      name: "my.trace",
      sha256: createHash("sha256").update(text).digest("hex"),
      opportunities: 4,
      periodMs: 12,
    });
  });

  it.concurrent("prints a table with the best value of each link marked", async () => {
    const { code, stdout } = await runCli([...TINY, "--algorithms", "cubic,reno"]);
    expect(code).toBe(0);
    for (const word of [
      "goodput",
      "utilisation",
      "mean delay",
      "p95 delay",
      "loss",
      "score",
      "reward",
      "±",
      "*",
    ]) {
      expect(stdout).toContain(word);
    }
  });

  it.concurrent("ends quietly when its reader goes away", async () => {
    const child = startCli(["explain", "--json"]);
    child.stdout?.destroy();
    const { code, stderr } = await outcomeOf(child);
    expect(stderr).toBe("");
    expect(code).toBe(0);
  });

  it.concurrent("ends with 130 on Ctrl-C and leaves nothing half-written", async () => {
    const cwd = makeFolder();
    const child = startCli(["bench", "--seeds", "1000", "--json", "--out", "r"], { cwd });
    const outcome = outcomeOf(child);
    // within a run: Node may drop a signal that comes in the microseconds between two of them, which is when this line is read
    child.stdout?.once("data", () => setTimeout(() => child.kill("SIGINT"), 50));
    expect((await outcome).code).toBe(130);
    expect(readdirSync(join(cwd, "r"))).toEqual([]);
  });
});

describe("ccpark train", () => {
  it.concurrent("makes the same checkpoint twice, and bench runs it", async () => {
    const cwd = makeFolder();
    const args = [
      "train",
      "--steps",
      "256",
      "--envs",
      "4",
      "--episode",
      "1",
      "--set",
      "rolloutSteps=32",
      "--quiet",
    ];
    for (const out of ["a", "b"])
      expect(await runCli([...args, "--out", out], { cwd })).toMatchObject({ code: 0 });
    expect(digests(join(cwd, "a"))["checkpoint.ccpark"]).toBe(digests(join(cwd, "b"))["checkpoint.ccpark"]);
    const bench = await runCli(
      [...TINY, "--algorithms", "reno", "--checkpoint", "a/checkpoint.ccpark", "--json"],
      { cwd },
    );
    expect(bench.code).toBe(0);
    expect(parseLines(bench.stdout).filter((line) => line["algorithm"] === "agent")).toHaveLength(4);
    const again = await runCli([...args, "--out", "a"], { cwd });
    expect(again).toMatchObject({ code: 2 });
    expect(again.stderr).toMatch(/holds a run already/);
  });

  it.concurrent("learns choices, and bench runs the checkpoint", async () => {
    const cwd = makeFolder();
    const small = ["--steps", "256", "--envs", "4", "--episode", "1", "--set", "rolloutSteps=32", "--quiet"];
    const trained = await runCli(["train", ...small, "--action", "indigo", "--out", "choices"], { cwd });
    expect(trained).toMatchObject({ code: 0, stderr: "" });
    const bench = await runCli([...TINY, "--algorithms", "reno,agent:choices", "--json"], { cwd });
    expect(bench.code).toBe(0);
    const records = parseLines(bench.stdout).filter((line) => line["algorithm"] === "agent:choices");
    expect(records).toHaveLength(4);
    for (const record of records) expect(record["goodputMbps"]).toBeGreaterThan(0.1);
    const other = await runCli([...TINY, "--algorithms", "reno,checkpoint:choices", "--json"], { cwd });
    expect(other.stdout).toBe(bench.stdout);
  });

  it.concurrent("keeps what was learnt when Ctrl-C stops it, with 130", async () => {
    const cwd = makeFolder();
    const child = startCli(
      ["train", "--steps", "100000000", "--out", "run", "--json", "--set", "rolloutSteps=16"],
      { cwd },
    );
    const outcome = outcomeOf(child);
    child.stdout?.once("data", () => child.kill("SIGINT"));
    const { code, stdout } = await outcome;
    expect(code).toBe(130);
    expect(parseLines(stdout)[0]).toMatchObject({ update: 1, totalSteps: 100000000 });
    expect(existsSync(join(cwd, "run/checkpoint.ccpark"))).toBe(true);
  });
});

describe("ccpark quickstart", () => {
  it.concurrent("trains, benchmarks and writes checkpoint, results, report and picture", async () => {
    const cwd = makeFolder();
    const args = ["quickstart", "--steps", "1024", "--seeds", "1", "--picture", "p.svg"];
    const { code, stdout, stderr } = await runCli(args, { cwd });
    expect({ code, stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringContaining("\npicture: p.svg\n"),
    });
    expect(stdout).toContain("park-paper");
    for (const name of ["agent", "untrained", "constant", "cubic", "vegas", "bbr", "reno"])
      expect(stdout).toContain(name);
    expect(readdirSync(join(cwd, "runs/quickstart")).sort()).toEqual([
      "best.ccpark",
      "checkpoint.ccpark",
      "config.json",
      "curve.svg",
      "evaluations.jsonl",
      "progress.jsonl",
      "report.html",
      "results.csv",
      "results.jsonl",
      "series.json",
      "summary.json",
      "tensorboard",
    ]);
    expect(readFileSync(join(cwd, "p.svg"), "utf8")).toMatch(/^<svg/);
    const records = parseLines(readFileSync(join(cwd, "runs/quickstart/results.jsonl"), "utf8"));
    expect(records).toHaveLength(7 * 7);
  });
});

describe("ccpark quickstart, interrupted in its benchmark", () => {
  it.concurrent("ends at once with 130, and keeps the checkpoint", async () => {
    const cwd = makeFolder();
    const child = startCli(["quickstart", "--steps", "1024", "--seeds", "100", "--json"], { cwd });
    const outcome = outcomeOf(child);
    // within a run: Node may drop a signal that comes in the microseconds between two of them, which is when this line is read
    child.stdout?.once("data", () => setTimeout(() => child.kill("SIGINT"), 50));
    expect((await outcome).code).toBe(130);
    expect(readdirSync(join(cwd, "runs/quickstart")).sort()).toEqual([
      "best.ccpark",
      "checkpoint.ccpark",
      "config.json",
      "curve.svg",
      "evaluations.jsonl",
      "progress.jsonl",
      "report.html",
      "tensorboard",
    ]);
  });
});

describe("ccpark explain", () => {
  it.concurrent("lists the names of every topic on a page", async () => {
    const { code, stdout } = await runCli(["explain"]);
    expect(code).toBe(0);
    expect(stdout.split("\n").length).toBeLessThan(60);
    for (const text of [
      "park-paper",
      "park-14",
      "multiplicative",
      "score",
      "cubic",
      "udp",
      "explain TOPIC",
    ]) {
      expect(stdout).toContain(text);
    }
  });

  it.concurrent("has units, ranges and definitions of a topic", async () => {
    for (const [topic, texts] of [
      ["observations", ["park-14", "B/s"]],
      ["rewards", ["range of one step"]],
      ["algorithms", ["native-cubic", "packets"]],
    ] as const) {
      const { stdout } = await runCli(["explain", topic]);
      for (const text of texts) expect(stdout).toContain(text);
    }
  });

  it.concurrent("finds a name in any topic, and a module", async () => {
    expect((await runCli(["explain", "vegas"])).stdout).toMatch(/^algorithms\n\n {2}vegas\n/);
    expect((await runCli(["explain", "oracle"])).stdout).toMatch(
      /^algorithms\n\n {2}oracle\n {4}the ceiling/,
    );
    expect((await runCli(["explain", "pantheon-18"])).stdout).toMatch(/^scenarios\n\n {2}pantheon-18\n/);
    expect((await runCli(["explain", "testbed"])).stdout).toBe(
      (await runCli(["explain", "testbeds"])).stdout,
    );
    const { code, stderr } = await runCli(["explain", "vegaz"]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("did you mean `vegas`?")]);
    const mine = await runCli(["explain", "algorithms", resolve("examples/algorithms/mine.js")]);
    expect(mine.stdout).toContain("targetMs");
  });

  it.concurrent("explains a module of one's own without its topic, with its parameters and what its program takes", async () => {
    const cwd = makeFolder();
    cpSync(resolve("examples/algorithms/mine.js"), join(cwd, "mine.mjs"));
    writeFileSync(
      join(cwd, "reward.mjs"),
      'export default { name: "r", definition: "nothing", source: "none", low: 0, high: 1, components: [{ name: "a", definition: "a", of: () => 0 }], of: () => 0 };',
    );
    const algorithm = await runCli(["explain", "./mine.mjs"], { cwd });
    expect(algorithm.stdout).toMatch(/^algorithms\n\n {2}\.\/mine\.mjs\n {4}adds a packet per round trip/);
    expect(algorithm.stdout).toMatch(
      /program: perRtt, \d+ bytes to install\n {4}targetMs {2}ms {2}0\.1 to 1000 {2}default 10;/,
    );
    const reward = await runCli(["explain", "./reward.mjs"], { cwd });
    expect(reward.stdout).toMatch(/^rewards\n\n {2}\.\/reward\.mjs\n {4}nothing\n/);
    const missing = await runCli(["explain", "./none.mjs"], { cwd });
    expect([missing.code, missing.stderr]).toEqual([
      2,
      "error: [explain] no module `./none.mjs`: expected a JavaScript file\n",
    ]);
  });

  it.concurrent("has every word of the glossary, by each of its names, as that page has it", async () => {
    const page = readFileSync(resolve("docs/glossary.md"), "utf8").split("\n\n")[2]!;
    const rows = page.split("\n").slice(2);
    expect(rows.length).toBeGreaterThan(20);
    const { stdout } = await runCli(["explain", "glossary", "--json"]);
    const entries = parseLines(stdout);
    expect(entries.map(({ name }) => name)).toEqual(rows.map((row) => /^\| \*\*(.+?)\*\* \|/.exec(row)![1]));
    for (const { summary } of entries) expect(summary).not.toMatch(/\]\(|\*\*|\b_/);
    const words = ["BDP", "aqm", "cwnd", "congestion window", "MSS", "jains-index"];
    const asked = [...words.map((word) => [word]), ["pacing", "rate"]];
    const explained = await Promise.all(asked.map((each) => runCli(["explain", ...each])));
    const found = explained.map(({ stdout }) => /^glossary\n\n {2}(.+)\n/.exec(stdout)?.[1]);
    const jain = "Jain's index, Jain, fairness";
    expect(found).toEqual(["BDP", "ECN, AQM", "cwnd", "cwnd", "packet", jain, "pacing rate"]);
    expect((await runCli(["explain", "Cubic"])).stdout).toMatch(
      /^algorithms\n\n {2}cubic\n[\s\S]*\nglossary\n/,
    );
  });

  it.concurrent("explains what a newcomer asks for first, and says of an index what it is an index of", async () => {
    for (const words of [["TCP"], ["RL"], ["congestion", "control"]]) {
      const { code, stdout } = await runCli(["explain", ...words]);
      expect([words, code]).toEqual([words, 0]);
      expect(stdout, words.join(" ")).toMatch(/^glossary\n\n/);
    }
    for (const words of [["jain", "index"], ["jainIndex"]]) {
      const { stdout } = await runCli(["explain", ...words]);
      expect(stdout.replace(/\s+/g, " "), words.join(" ")).toContain("/ (flows x sum of");
    }
    const agent = (await runCli(["explain", "agent"])).stdout;
    expect(agent.indexOf("glossary")).toBeLessThan(agent.indexOf("parameters"));
  });

  it.concurrent("finds parameters by their names, however they are written, and by their values", async () => {
    for (const words of ["slowStart", "slow-start", "hystart"]) {
      const { code, stdout } = await runCli(["explain", words]);
      expect([words, code]).toEqual([words, 0]);
      expect(stdout).toMatch(/^parameters\n\n {2}slowStart\n {4}what ends slow start/);
      expect(stdout.replace(/\s+/g, " ")).toContain("default: reno standard, cubic hystart");
    }
    const [beta, ...others] = parseLines((await runCli(["explain", "parameters", "beta", "--json"])).stdout);
    expect(beta).toMatchObject({ name: "beta", low: 0.1, high: 0.95, defaults: { reno: 0.5 } });
    expect(others.map(({ name }) => name)).toEqual(others.map(() => "beta"));
    expect((await runCli(["explain", "slow-starz"])).stderr).toContain("did you mean `slowStart`?");
  });

  it.concurrent("breaks its lines where a reader's window ends", async () => {
    for (const columns of [60, 100]) {
      const { stdout } = await runCli(["explain", "algorithms"], { env: { COLUMNS: String(columns) } });
      // a head of columns, and a word that is wider, cannot be broken
      const prose = stdout.split("\n").filter((line) => !/^ {4}\w+ +\S+ +\S+ to \S+$/.test(line));
      expect(prose.filter((line) => line.length > columns)).toEqual([]);
    }
  });

  it.concurrent("--json gives one line per name", async () => {
    const { stdout } = await runCli(["explain", "actions", "--json"]);
    const lines = parseLines(stdout);
    expect(lines.map((line) => line["topic"])).toEqual(lines.map(() => "actions"));
    expect(lines.flatMap((line) => line["dimensions"] as object[])[0]).toMatchObject({
      name: expect.any(String),
      unit: expect.any(String),
      low: expect.any(Number),
      high: expect.any(Number),
      definition: expect.any(String),
    });
  });
});

describe("ccpark trace", () => {
  it.concurrent("generates the same file for the same seed, and info and lint read it", async () => {
    const cwd = makeFolder();
    const args = ["trace", "generate", "--model", "lte", "--mbps", "6", "--duration", "10", "--seed", "4"];
    expect((await runCli([...args, "--out", "t.trace"], { cwd })).code).toBe(0);
    const text = readFileSync(join(cwd, "t.trace"), "utf8");
    expect((await runCli(args)).stdout).toBe(text);
    const info = parseLines((await runCli(["trace", "info", "t.trace", "--json"], { cwd })).stdout)[0]!;
    expect(info).toMatchObject({
      name: "t.trace",
      periodMs: 10_000,
      opportunities: text.trimEnd().split("\n").length,
      sha256: createHash("sha256").update(text).digest("hex"),
    });
    const lint = await runCli(["trace", "lint", "t.trace", "--declared-mbps", "60", "--strict"], { cwd });
    expect(lint.stdout).toMatch(/warning/);
    expect(lint.code).toBe(1);
  });

  it.concurrent("lint exits with 1 where there is a warning, and checks every file", async () => {
    const cwd = makeFolder();
    const wired = (perMs: number, fromMs: number, toMs: number) =>
      Array.from({ length: perMs * (toMs - fromMs + 1) }, (_, i) => fromMs + Math.floor(i / perMs));
    writeFileSync(join(cwd, "wired96"), `${wired(8, 0, 9).join("\n")}\n`);
    writeFileSync(join(cwd, "12mbps"), `${wired(1, 1, 1).join("\n")}\n`);
    writeFileSync(join(cwd, "broken"), "1\n3\n2\n");
    const good = await runCli(["trace", "lint", "12mbps"], { cwd });
    expect([good.code, good.stdout]).toEqual([
      0,
      "12mbps: info single-line: one opportunity every 1 ms: 12.000 Mbit/s in the coarsest possible steps\n",
    ]);
    expect((await runCli(["trace", "lint", "12mbps", "--strict"], { cwd })).code).toBe(1);
    const bad = await runCli(["trace", "lint", "12mbps", "wired96"], { cwd });
    expect(bad.code).toBe(1);
    expect(bad.stdout).toMatch(
      /wired96: warning declared-rate: declared 96 Mbit\/s by its name, .* 106\.67 Mbit\/s/,
    );
    const all = await runCli(["trace", "lint", "broken", "wired96", "--json"], { cwd });
    expect(all.code).toBe(2);
    expect(parseLines(all.stdout)).toMatchObject([
      { trace: "broken", findings: [{ severity: "error", code: "format", line: 3 }] },
      { trace: "wired96" },
    ]);
  });

  it.concurrent("imports capacity, says what it took the file for, and replaces a file only with --force", async () => {
    const cwd = makeFolder();
    writeFileSync(join(cwd, "rows.txt"), "0 12\n1 6\n");
    const args = ["trace", "import", "rows.txt", "--out", "t.trace"];
    const first = await runCli(args, { cwd });
    expect([first.code, first.stdout]).toEqual([0, ""]);
    expect(first.stderr).toBe(
      "rows.txt: found to be rows\ntimes: column 1 in s, which is taken for granted (--time-unit)\n" +
        "rates: column 2 in mbps, which is taken for granted (--rate-unit)\n2.000 s, 9.000 Mbit/s on average, 1500 opportunities, written to t.trace\n",
    );
    const text = readFileSync(join(cwd, "t.trace"), "utf8");
    expect(text.split("\n").slice(998, 1003)).toEqual(["999", "1000", "1002", "1004", "1006"]);
    const again = await runCli(args, { cwd });
    expect(again.code).toBe(2);
    expect(again.stderr).toBe(
      "error: [output] file exists, `t.trace`: got a file that would be replaced, expected another --out, or --force\n",
    );
    const forced = await runCli([...args, "--force", "--json"], { cwd });
    expect(parseLines(forced.stdout)).toEqual([
      {
        ...{ format: "rows", firstSec: 0, periodMs: 2000, meanMbps: 9, opportunities: 1500 },
        notes: [expect.stringContaining("in s"), expect.stringContaining("in mbps")],
        out: "t.trace",
      },
    ]);
    expect((await runCli(["trace", "import", "t.trace", "--quiet"], { cwd })).stdout).toBe(text);
  });
});

describe("ccpark serve", () => {
  it.concurrent("says where it listens, and ends with 0 on SIGTERM and 130 on Ctrl-C", async () => {
    for (const [signal, code] of [
      ["SIGTERM", 0],
      ["SIGINT", 130],
    ] as const) {
      const child = startCli(["serve", "--port", "0", "--json"]);
      const outcome = outcomeOf(child);
      child.stdout?.once("data", () => setTimeout(() => child.kill(signal), 50));
      const result = await outcome;
      expect(parseLines(result.stdout)[0]).toMatchObject({ host: "127.0.0.1", port: expect.any(Number) });
      expect(result.code).toBe(code);
    }
  });
});

describe("ccpark completion", () => {
  it.concurrent("completes commands, their options and files in bash", async () => {
    const { code, stdout } = await runCli(["completion", "bash"]);
    expect(code).toBe(0);
    const complete = (line: string): string[] => {
      const words = line.split(" ");
      const script = `${stdout}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}; _ccpark; printf '%s\\n' "\${COMPREPLY[@]}"`;
      return execFileSync("bash", ["-c", script], { encoding: "utf8" }).trim().split("\n");
    };
    expect(complete("ccpark ex")).toEqual(["experiment", "explain"]);
    expect(complete("ccpark bench --me")).toEqual(["--metric"]);
    expect(complete("ccpark trace im")).toEqual(["import"]);
    expect(complete("ccpark completion z")).toEqual(["zsh"]);
    expect(complete("ccpark trace import --rate-u")).toEqual(["--rate-unit"]);
    expect(complete("ccpark trace import --date-order ")).toEqual(["dmy", "mdy"]);
    expect(complete("ccpark bench --checkpoint ")).toEqual([""]);
    expect(complete("ccpark bench ./fi")).toEqual([""]);
  });

  it.concurrent("has a script for zsh and fish, and no others", async () => {
    const zsh = (await runCli(["completion", "zsh"])).stdout;
    expect(zsh).toContain("autoload -U +X bashcompinit");
    const fish = (await runCli(["completion", "fish"])).stdout;
    expect(fish).toMatch(/^complete -c ccpark -n '__fish_seen_subcommand_from bench' -l metric -r -d '/m);
    for (const line of fish.trim().split("\n")) expect(line.split("'").length % 2).toBe(1);
    expect((await runCli(["completion", "csh"])).code).toBe(2);
  });

  const has = (shell: string): boolean => spawnSync(shell, ["-c", "true"]).status === 0;

  it.skipIf(!has("zsh")).concurrent("completes in zsh", async () => {
    const { stdout } = await runCli(["completion", "zsh"]);
    const complete = (words: readonly string[]): string[] => {
      const script = `${stdout}
emulate sh; COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}; _ccpark; print -l -- "\${COMPREPLY[@]}"`;
      return execFileSync("zsh", ["-f", "-c", script], { encoding: "utf8" }).trim().split("\n");
    };
    // zsh itself leaves out what does not begin so
    expect(complete(["ccpark", "ex"])).toEqual(expect.arrayContaining(["experiment", "explain"]));
    expect(complete(["ccpark", "trace", "import", "--date-order", ""])).toEqual(["dmy", "mdy"]);
  });

  it.skipIf(!has("fish")).concurrent("completes in fish", async () => {
    const { stdout } = await runCli(["completion", "fish"]);
    const complete = (line: string): string[] =>
      execFileSync("fish", ["-c", `${stdout}\ncomplete -C '${line}'`], { encoding: "utf8" })
        .trim()
        .split("\n")
        .map((each) => each.split("\t")[0]!);
    expect(complete("ccpark ex")).toEqual(["experiment", "explain"]);
    expect(complete("ccpark trace i")).toEqual(["import", "info"]);
    expect(complete("ccpark trace import --date-order ")).toEqual(["dmy", "mdy"]);
    expect(complete("ccpark completion ")).toEqual(["bash", "fish", "zsh"]);
  });
});

describe("progress", () => {
  it("promises no time before it has seen work go on, and what it says is of the last half a minute", () => {
    const pace = new Pace();
    // a minute of loading before the first of it was done
    expect(pace.rate(1, 60)).toBeUndefined();
    expect(pace.rate(2, 60.5)).toBeUndefined();
    expect(pace.rate(11, 62)).toBeCloseTo(5);
    for (let sec = 63; sec <= 100; sec++) pace.rate(11 + (sec - 62), sec);
    expect(pace.rate(50, 101)).toBeCloseTo(1, 1);
    expect(pace.rate(51, 200)).toBeLessThan(0.1);
  });
});

describe("ccpark", () => {
  it.concurrent("documents exit codes in its help, and knows its version", async () => {
    const help = await runCli(["--help"]);
    expect(help.code).toBe(0);
    expect(help.stdout).toMatch(/Exit codes:[\s\S]*130/);
    const version = await runCli(["--version"]);
    expect(version).toMatchObject({ code: 0, stderr: "" });
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
