/** Ctrl-C ends a command within a second with 130, also while it computes or waits for something to read. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { makeFolders, outcomeOf, startCli } from "./run-cli.ts";

const makeFolder = makeFolders();
/** On a machine that has other work. */
const WITHIN_MS = 1_000;

/** @param afterMs long enough for the command to be at work */
async function interrupted(args: readonly string[], afterMs = 4_000): Promise<void> {
  const child = startCli(args, { cwd: makeFolder() });
  const outcome = outcomeOf(child);
  await sleep(afterMs);
  const sentMs = performance.now();
  child.kill("SIGINT");
  const { code, stderr } = await outcome;
  expect({ code, stderr }).toEqual({ code: 130, stderr: expect.stringMatching(/interrupted\n$/) });
  expect(performance.now() - sentMs).toBeLessThan(WITHIN_MS);
}

function fifo(name: string): string {
  const path = join(makeFolder(), name);
  spawnSync("mkfifo", [path]);
  return path;
}

const LONG = ["--set", "link.rateMbps=10000", "--set", "durationSec=600", "--seeds", "2"];

it.each<[string, () => readonly string[]]>([
  ["a run of minutes", () => ["bench", "--algorithms", "bbr", ...LONG]],
  ["runs of minutes in threads", () => ["bench", "--algorithms", "bbr", "--workers", "2", ...LONG]],
  ["an experiment of minutes", () => ["experiment", "bundle-slowdown", "--seeds", "10"]],
  ["standard input", () => ["trace", "import", "-", "--format", "rows"]],
  ["a FIFO", () => ["trace", "import", fifo("t"), "--format", "rows"]],
  ["a FIFO as a trace", () => ["bench", "--scenario", "ccp-cell", "--trace", fifo("t")]],
  ["a FIFO as a scenario", () => ["sim", "--agent", "nobody", "--scenario", fifo("s.yaml")]],
])("ends at Ctrl-C: %s", async (_, args) => {
  await interrupted(args());
});

it("says at Ctrl-C that results are written when all runs are done", async () => {
  const cwd = makeFolder();
  const child = startCli(["bench", "--algorithms", "bbr", ...LONG, "--out", "results"], { cwd });
  const outcome = outcomeOf(child);
  while (!existsSync(join(cwd, "results"))) await sleep(50);
  await sleep(1_000);
  child.kill("SIGINT");
  const { code, stderr } = await outcome;
  expect([code, stderr]).toEqual([
    130,
    expect.stringMatching(/\ninterrupted: nothing is written before the last run\n$/),
  ]);
  expect(readdirSync(join(cwd, "results"))).toEqual([]);
});

it("ends at Ctrl-C before its commands are loaded", async () => {
  // sends the signal when the module that knows them is asked for
  const hooks = `export async function load(url, context, next) {
    if (/\\/cli\\/program\\.[jt]s/.test(url)) process.kill(process.pid, "SIGINT");
    return next(url, context);
  }`;
  const inUrl = (text: string): string => `data:text/javascript,${encodeURIComponent(text)}`;
  const register = inUrl(
    `import { register } from "node:module"; register(${JSON.stringify(inUrl(hooks))});`,
  );
  const child = startCli(["explain"], { env: { NODE_OPTIONS: `--import ${register}` } });
  const { code, stdout, stderr } = await outcomeOf(child);
  expect({ code, stdout, stderr }).toEqual({ code: 130, stdout: "", stderr: "\ninterrupted\n" });
});

it("ends at Ctrl-C while a user's module computes as it is loaded, or its algorithm as it is made", async () => {
  const cwd = makeFolder();
  const text = readFileSync(new URL("../../examples/algorithms/mine.js", import.meta.url), "utf8");
  writeFileSync(join(cwd, "loading.mjs"), `process.stderr.write("computing");\nfor (;;);\n${text}`);
  writeFileSync(
    join(cwd, "making.mjs"),
    text.replace(/ccp: \(.*\) => \(?\{/, '$& ...(() => { process.stderr.write("computing"); for (;;); })(),'),
  );
  for (const name of ["./loading.mjs", "./making.mjs"]) {
    const child = startCli(["bench", "--algorithms", name], { cwd });
    const outcome = outcomeOf(child);
    await new Promise((resolve) => child.stderr!.once("data", resolve));
    await sleep(200);
    const sentMs = performance.now();
    child.kill("SIGINT");
    expect((await outcome).code, name).toBe(130);
    expect(performance.now() - sentMs, name).toBeLessThan(WITHIN_MS);
  }
});

it("bench reads a trace from a pipe once, and says why threads cannot", async () => {
  const bench = (path: string, ...more: string[]) => {
    const child = startCli([
      ...["bench", "--scenario", "ccp-cell", "--trace", path, "--algorithms", "reno"],
      ...["--duration", "1", "--seeds", "1", "--json", ...more],
    ]);
    spawn("sh", ["-c", `seq 1 100 > ${path}`]);
    return outcomeOf(child);
  };
  const alone = await bench(fifo("t"));
  expect([alone.code, alone.stdout]).toEqual([0, expect.stringContaining('"algorithm":"reno"')]);
  const threads = await bench(fifo("t"), "--workers", "2");
  expect([threads.code, threads.stderr]).toEqual([2, expect.stringContaining("is a pipe")]);
});

it("reads a FIFO to its end", async () => {
  const path = fifo("rows");
  const child = startCli(["trace", "import", path, "--format", "rows"]);
  const outcome = outcomeOf(child);
  const writer = spawn("sh", ["-c", `sleep 1; (echo "0 12"; sleep 1; echo "0.01 12") > ${path}`]);
  await new Promise((resolve) => writer.on("close", resolve));
  const { code, stdout } = await outcome;
  expect(code).toBe(0);
  expect(stdout.split("\n").length).toBeGreaterThan(10);
});
