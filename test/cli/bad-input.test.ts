/** A user's mistake is one clear sentence, exit code 2 (or 1 for a state of the machine) and nothing half-written. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { BUILT, makeFolders, type Outcome, outcomeOf, runCli } from "./run-cli.ts";

const makeFolder = makeFolders();

function expectOneSentence(outcome: Outcome, code: number, ...parts: (string | RegExp)[]): void {
  for (const part of parts) expect(outcome.stderr).toMatch(part);
  expect(outcome.stderr, "no stack trace").not.toMatch(/\n\s+at /);
  expect(outcome.stderr.trim().split("\n").length, outcome.stderr).toBeLessThanOrEqual(3);
  expect(outcome.stdout).toBe("");
  expect(outcome.code).toBe(code);
}

describe("mistakes on the command line", () => {
  it.concurrent.for<[string, string[], ...string[]]>([
    [
      "an unknown scenario",
      ["bench", "--scenario", "park-papr"],
      "unknown scenario `park-papr`",
      "did you mean `park-paper`?",
    ],
    [
      "an unknown algorithm",
      ["bench", "--algorithms", "cubik"],
      "unknown algorithm `cubik`",
      "did you mean `cubic`?",
    ],
    [
      "an ONNX policy that is not there",
      ["bench", "--algorithms", "onnx:none.onnx"],
      "`none.onnx`: no such file",
    ],
    [
      "a device for a checkpoint",
      ["bench", "--algorithms", "agent:/dev/zero"],
      "it is a device, pipe or socket",
    ],
    ["a device for a trace", ["trace", "import", "/dev/zero"], "got more than 256 MiB and no end"],
    ["a device for a policy", ["bench", "--algorithms", "onnx:/dev/zero"], "it is a device, pipe or socket"],
    [
      "a policy's file without its prefix",
      ["bench", "--algorithms", "x.onnx"],
      "unknown algorithm `x.onnx`; a policy's file is called `onnx:x.onnx`",
    ],
    [
      "a field of a link a level too high",
      ["bench", "--scenario", "park-paper", "--set", "queue.packets=10"],
      "did you mean `forward.queue`?",
    ],
    ["a count that is not whole", ["train", "--steps", "1.25", "--out", "x"], "expected a whole number"],
    ["an unknown reward", ["bench", "--reward", "scor"], "unknown reward `scor`", "did you mean `score`?"],
    [
      "an unknown observation",
      ["train", "--observation", "park14", "--out", "x"],
      "unknown observation `park14`",
      "did you mean `park-14`?",
    ],
    [
      "an unknown action",
      ["train", "--action", "absolut", "--out", "x"],
      "unknown action `absolut`",
      "did you mean `absolute`?",
    ],
    [
      "a scenario that is like none of many",
      ["bench", "--scenario", "nope"],
      "unknown scenario `nope`; nearest of ",
      "`ccpark explain scenarios` lists all",
    ],
    [
      "a contender without its option",
      ["attack", "cubik"],
      "`cubik`: expected it after --target, with --reference beside it",
    ],
    [
      "a list with words among its numbers",
      ["experiment", "copa-compression", "--every-ms", "20,abc"],
      "argument '20,abc' is invalid. expected numbers above 0 separated by commas, each once",
    ],
    [
      "a name without the option that takes it",
      ["evaluate", "ccwg", "cubic"],
      "required option '--algorithm <name>' not specified",
      "`cubic`: expected it after --algorithm",
    ],
    [
      "what to do with results that are not kept",
      ["bench", "--force"],
      "--force: does nothing without --out DIR",
    ],
    [
      "how to run an agent of another process, without one",
      ["evaluate", "ccwg", "--algorithm", "reno", "--mode", "real-time"],
      "--mode: does nothing without an agent of another process (unix:SOCKET:NAME) among the contenders",
    ],
    [
      "a metric of a plot that has its own",
      ["plot", "runs", "--kind", "tradeoff", "--metric", "power"],
      "--metric power: expected none with --kind tradeoff, which is goodput against p95 delay",
    ],
    [
      "an unknown topic",
      ["explain", "scenaros"],
      "unknown topic or name `scenaros`",
      "did you mean `scenarios`?",
    ],
    [
      "an unknown trace model",
      ["trace", "generate", "--model", "lt", "--mbps", "5"],
      "unknown model `lt`",
      "did you mean `lte`?",
    ],
    [
      "an unknown hyperparameter",
      ["train", "--set", "learningrate=1", "--out", "x"],
      "unknown option `learningrate`",
      "did you mean `learningRate`?",
    ],
    ["a scenario without its trace", ["bench", "--scenario", "ccp-cell"], "`ccp-cell` needs a trace"],
    ["a trace that nothing takes", ["bench", "--trace", "lte-driving"], "`park-paper` takes no trace"],
    [
      "a list with spaces in it",
      ["bench", "--algorithms", "cubic", "bbr"],
      "too many arguments for 'bench'",
      "a list has commas and no spaces, such as --algorithms cubic,bbr",
    ],
    [
      "a suite for a scenario",
      ["bench", "--scenario", "pantheon"],
      "unknown scenario `pantheon`",
      "`pantheon` is a suite: `ccpark bench --suite pantheon`",
    ],
    [
      "a scenario for a suite",
      ["bench", "--suite", "park-paper"],
      "unknown suite `park-paper`",
      "`park-paper` is a scenario: `ccpark bench --scenario park-paper`",
    ],
    [
      "a policy's name for an algorithm",
      ["bench", "--algorithms", "general"],
      "unknown algorithm `general`",
      "a policy: `ccpark bench --algorithms zoo:general`",
    ],
    [
      "an action for a learner",
      ["train", "--learner", "indigo", "--out", "x"],
      "unknown learner `indigo`",
      "an action: `ccpark train --action indigo`",
    ],
    [
      "an experiment for a topic",
      ["explain", "completion-times"],
      "unknown topic or name `completion-times`",
      "`completion-times` is an experiment: `ccpark experiment completion-times`",
    ],
    [
      "a fact of runs for a reward",
      ["train", "--reward", "goodputMbps", "--out", "x"],
      "unknown name `goodputMbps`",
      "`goodputMbps` is a metric: `ccpark explain metrics goodputMbps`",
    ],
    [
      "a misspelt fact for a reward that is to be explained",
      ["explain", "rewards", "thruputMbps"],
      "unknown name `thruputMbps`; did you mean `throughputMbps`?",
    ],
    [
      "a learner over choices without such an action",
      ["train", "--learner", "dqn", "--out", "x"],
      "action: got a box, expected choices, such as --action indigo",
    ],
    [
      "an option of a command below",
      ["evaluate", "--algorithm", "cubic"],
      "unknown option '--algorithm'",
      "`ccpark evaluate ccwg` takes --algorithm",
    ],
    [
      "an argument in place of a command below",
      ["trace", "lte-driving"],
      "unknown command 'lte-driving'",
      "commands of `ccpark trace`: lint, info, generate, import",
    ],
    [
      "an option of a command beside",
      ["bench", "--learner", "dqn"],
      "unknown option '--learner'",
      "`ccpark train`, `ccpark sweep` take --learner",
    ],
    [
      "a trace for a training on no scenario",
      ["train", "--trace", "none", "--out", "x"],
      "--trace none: got no scenario, expected --scenario with one that takes a trace",
    ],
    [
      "a scenario of several flows for a learner of one",
      ["train", "--scenario", "c4", "--out", "x"],
      "got 2 flows under test, expected one, or a learner of several: mappo",
    ],
    [
      "a scenario of one flow for a learner of several",
      ["train", "--learner", "mappo", "--out", "x"],
      "training-range: got 1 flow under test, expected several",
    ],
    [
      "a path that is no scenario's",
      ["bench", "--scenario", "./links.txt"],
      "`./links.txt`: got a path with another ending, expected a file that ends in .yaml, .yml or .json",
    ],
    [
      "a field of a file as people say it",
      ["bench", "--set", "rtt=50"],
      "rtt: got 50, expected no such field; did you mean `rttMs`?",
    ],
    ["a policy without its file", ["bench", "--algorithms", "agent"], "`agent`; expected agent:FILE"],
    ["a folder for a module", ["bench", "--algorithms", "/"], "no module `/`: it is a folder"],
    ["a missing policy", ["bundle", "send", "--policy", "nowhere.yaml"], "`nowhere.yaml`: no such file"],
    ["a missing trace", ["trace", "info", "nowhere.trace"], "nowhere.trace"],
    ["a missing checkpoint", ["bench", "--checkpoint", "nowhere.ccpark"], "nowhere.ccpark"],
    ["no seeds", ["bench", "--seeds", "0"], "expected a whole number from 1 to 1000"],
    ["a negative duration", ["bench", "--duration", "-3"], "expected a number above 0"],
    ["an unknown command", ["bensch"], "unknown command 'bensch'", "Did you mean bench?"],
    ["an unknown option", ["bench", "--seedz", "1"], "unknown option '--seedz'", "Did you mean --seeds?"],
    ["an option without its value", ["bench", "--seeds"], "argument missing"],
    [
      "a name for a module that clients may name",
      ["serve", "--observation", "standard"],
      "expected modules such as ./FILE.js",
    ],
    ["a host that is no loopback address", ["serve", "--host", "0.0.0.0"], "expected a loopback address"],
  ])("%s", async ([, args, ...messages]) => {
    const cwd = makeFolder();
    expectOneSentence(
      await runCli(args, { cwd }),
      2,
      ...messages.map((text) => new RegExp(text.replace(/[.*+?()]/g, "\\$&"))),
    );
    expect(readdirSync(cwd)).toEqual([]);
  });

  it.concurrent("a module, a folder and a file of results that are not what they are taken for", async () => {
    const cwd = makeFolder();
    writeFileSync(join(cwd, "mine.mjs"), "export default {};");
    mkdirSync(join(cwd, "results"));
    writeFileSync(join(cwd, "results/results.jsonl"), "");
    const outcomes = await Promise.all(
      [
        ["bench", "--algorithms", "./mine.js"],
        ["bench", "--algorithms", "agent:results"],
        ["bench", "--algorithms", "cubic:beta"],
        ["plot", "results"],
      ].map((args) => runCli(args, { cwd })),
    );
    const told = [
      /no module `\.\/mine\.js`: did you mean `\.\/mine\.mjs`\?/,
      /`results`: holds no checkpoint, expected the folder of a run/,
      /cubic:beta: got `beta`, expected name=value, such as cubic:beta=0\.7/,
      /\[plot\] `results`: got no run that has ended/,
    ];
    for (const [i, outcome] of outcomes.entries()) expectOneSentence(outcome, 2, told[i]!);
    expect(readdirSync(join(cwd, "results"))).toEqual(["results.jsonl"]);
  });

  it.concurrent("a malformed trace, with the number of its line", async () => {
    const cwd = makeFolder();
    writeFileSync(join(cwd, "bad.trace"), "1\n2\nthree\n4\n");
    const message = /bad\.trace line 3: got `three`/;
    expectOneSentence(await runCli(["trace", "lint", "bad.trace"], { cwd }), 2, message);
    const bench = ["bench", "--scenario", "ccp-cell", "--trace", "bad.trace", "--out", "results"];
    expectOneSentence(await runCli(bench, { cwd }), 2, message);
    expect(existsSync(join(cwd, "results"))).toBe(false);
  });

  it.concurrent("capacity with a bad row, which leaves no file behind", async () => {
    const cwd = makeFolder();
    writeFileSync(join(cwd, "rows.csv"), "time,mbps\n0,12\n1,fast\n");
    const outcome = await runCli(["trace", "import", "rows.csv", "--out", "t.trace"], { cwd });
    expectOneSentence(outcome, 2, /\[trace\] bad rate, rows\.csv line 3: got `1,fast`, expected a rate/);
    expect(readdirSync(cwd)).toEqual(["rows.csv"]);
  });

  it.concurrent("an unknown algorithm in one choice of other flows, before a training begins", async () => {
    const cwd = makeFolder();
    writeFileSync(
      join(cwd, "link.yaml"),
      "extends: park-paper\nflows: [{algorithm: {choice: [cubic, cubik]}}]\n",
    );
    const outcome = await runCli(["train", "--scenario", "link.yaml", "--out", "x"], { cwd });
    expectOneSentence(outcome, 2, "flows.0.algorithm: got `cubik`", "did you mean `cubic`?");
    expect(existsSync(join(cwd, "x"))).toBe(false);
  });

  it.concurrent("an output folder that cannot be written, before any run", async () => {
    const cwd = makeFolder();
    writeFileSync(join(cwd, "taken"), "a file");
    // the run itself would take minutes: the refusal comes first, or the test times out
    for (const out of ["taken", "taken/below", "/proc/ccpark"]) {
      const outcome = await runCli(["bench", "--out", out, "--duration", "86000"], { cwd });
      expectOneSentence(outcome, 2, /cannot write into folder/, new RegExp(out));
      if (out.startsWith("/proc")) expect(outcome.stderr).toContain("`/proc` takes no new folders");
    }
    expect(readdirSync(cwd)).toEqual(["taken"]);
  });

  it.concurrent("a picture that would overwrite a folder", async () => {
    const cwd = makeFolder();
    mkdirSync(join(cwd, "picture.svg"));
    const outcome = await runCli(["bench", "--picture", "picture.svg"], { cwd });
    expectOneSentence(outcome, 2, /cannot write file `picture\.svg`: it is a folder/);
  });

  it.concurrent("a file that is no checkpoint", async () => {
    const cwd = makeFolder();
    writeFileSync(join(cwd, "notes.txt"), "these are only notes, far from a checkpoint");
    expectOneSentence(
      await runCli(["bench", "--checkpoint", "notes.txt"], { cwd }),
      2,
      /notes\.txt/,
      /ccpark checkpoint/,
    );
  });

  it.concurrent("a checkpoint of another shape", async () => {
    const cwd = makeFolder();
    const small = [
      "--steps",
      "64",
      "--envs",
      "2",
      "--episode",
      "1",
      "--set",
      "rolloutSteps=32",
      "--backend",
      "cpu",
    ];
    const trained = await runCli(["train", ...small, "--out", "run", "--quiet"], { cwd });
    expect(trained).toMatchObject({ code: 0 });
    const other = [
      "train",
      ...small,
      "--out",
      "other",
      "--resume",
      "run",
      "--observation",
      "park-14",
      "--override",
      "observation",
      "--quiet",
    ];
    const outcome = await runCli(other, { cwd });
    expectOneSentence(outcome, 2, /run\/checkpoint\.ccpark/, /14/);
  });

  // what runs the sources has files open of its own; CI always builds before
  // of four threads each has come and gone on some machines before the next one opens files
  const bench = ["bench", "--scenario", "park-paper", "--duration", "1", "--seeds", "2", "--workers", "8"];
  it
    .skipIf(!existsSync(BUILT) && process.env["CI"] !== "true")
    .concurrent.each<[string, number, ...string[]]>([
      ["one script", 18, "explain"],
      ["one script", 32, ...bench],
      // as it starts where it is not a clone: of another Node, or with other flags
      ["modules", 24, "explain"],
      ["modules", 32, "trace", "info", "lte-driving"],
      ["modules", 64, "serve", "--port", "0", "--json"],
      ["modules", 64, ...bench],
    ])("too few open files, from %s: %i, %s", async (from, limit, ...args) => {
    const line = `ulimit -n ${limit}; exec "$@"`;
    const flags = from === "modules" ? ["--no-opt"] : [];
    const node = [process.execPath, ...flags, BUILT, ...args];
    const outcome = await outcomeOf(spawn("sh", ["-c", line, "sh", ...node]));
    expectOneSentence(outcome, 1, /too few files open \(`ulimit -n`\): expected at least 256/);
  });

  it.concurrent("a port in use: exit code 1", async () => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, "127.0.0.1", resolve));
    const address = blocker.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const outcome = await runCli(["serve", "--port", String(port)]);
    blocker.close();
    expectOneSentence(outcome, 1, new RegExp(`${port}`), /in use/);
  });
});

describe("CCPARK_DEBUG=1", () => {
  it("adds the stack trace", async () => {
    const outcome = await runCli(["bench", "--scenario", "nope"], { env: { CCPARK_DEBUG: "1" } });
    expect(outcome.stderr).toMatch(/unknown scenario `nope`/);
    expect(outcome.stderr).toMatch(/\n\s+at /);
    expect(outcome.code).toBe(2);
  });
});
