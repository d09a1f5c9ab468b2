/** Run folders under real processes: killed ones go on, two of them never write at once, and a run goes on as it was. */
import { type ChildProcess, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { loadCheckpoint } from "../../agents/checkpoint-files.ts";
import { makeFolders, type Outcome, outcomeOf, runCli, startCli } from "./run-cli.ts";

const makeFolder = makeFolders();
const RUN = ["checkpoint.ccpark", "config.json", "progress.jsonl"];
/** with evaluations and event files */
const JUDGED_RUN = [
  "best.ccpark",
  "checkpoint.ccpark",
  "config.json",
  "curve.svg",
  "evaluations.jsonl",
  "progress.jsonl",
  "report.html",
  "tensorboard",
];
/** 4 environments x 16 steps: 64 steps per update, a checkpoint every second one */
const UNJUDGED = ["--evaluate-every", "0", "--no-tensorboard"];
const SMALL = [
  ...UNJUDGED,
  ...["--envs", "4", "--set", "rolloutSteps=16", "--set", "hidden=[8]", "--checkpoint-every", "2"],
];
const LINK = ["--scenario", "park-paper", "--episode", "1", "--reward", "park", "--step-ms", "20"];
/** never over by itself */
const ENDLESS = ["--steps", "100000000"];

const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
});

/** A training that runs until it is killed. */
function start(args: readonly string[], cwd: string): { child: ChildProcess; outcome: Promise<Outcome> } {
  const child = startCli(["train", ...args], { cwd });
  children.push(child);
  return { child, outcome: outcomeOf(child) };
}

const until = (condition: () => boolean): Promise<void> =>
  vi.waitFor(() => expect(condition()).toBe(true), { timeout: 150_000, interval: 20 });

async function killed({ child, outcome }: ReturnType<typeof start>): Promise<void> {
  child.kill("SIGKILL");
  await outcome;
}

const updatesOf = (folder: string): number => loadCheckpoint(join(folder, RUN[0]!)).header.updates;
const bytesOf = (folder: string, name = RUN[0]!): string =>
  readFileSync(join(folder, name)).toString("base64");
const configOf = (folder: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(folder, "config.json"), "utf8")) as Record<string, unknown>;

/** One sentence on stderr that says so, and exit code 2 or 1. */
function expectRefused({ code, stdout, stderr }: Outcome, message: RegExp, expected = 2): void {
  expect(stderr).toMatch(message);
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  expect({ code, stdout }).toEqual({ code: expected, stdout: "" });
}

describe("a run that was killed", { timeout: 300_000 }, () => {
  it.concurrent("goes on to the bytes of one that was not, with nothing but --resume", async () => {
    const cwd = makeFolder();
    const steps = ["--steps", String(64 * 9)];
    const whole = await runCli(["train", "--out", "whole", ...LINK, ...SMALL, ...steps, "--seed", "3"], {
      cwd,
    });
    expect(whole.code).toBe(0);
    const cut = start(["--out", "cut", ...LINK, ...SMALL, ...steps, "--seed", "3"], cwd);
    await until(() => existsSync(join(cwd, "cut/checkpoint.ccpark")));
    await killed(cut);
    const resumed = await runCli(["train", "--out", "cut", "--resume", "cut", "--quiet"], { cwd });
    expect(resumed).toMatchObject({ code: 0, stderr: "" });
    expect(readdirSync(join(cwd, "cut")).sort()).toEqual(RUN);
    expect(bytesOf(join(cwd, "cut"))).toBe(bytesOf(join(cwd, "whole")));
    expect(bytesOf(join(cwd, "cut"), "progress.jsonl")).toBe(bytesOf(join(cwd, "whole"), "progress.jsonl"));
    const { history: _, ...config } = configOf(join(cwd, "whole"));
    expect(configOf(join(cwd, "cut"))).toMatchObject(config);
  });

  it.concurrent("before its first checkpoint is started again, and leaves nothing of the first try", async () => {
    const cwd = makeFolder();
    const args = ["--out", "run", ...LINK, ...SMALL.slice(0, -2), "--checkpoint-every", "1000"];
    const first = start([...args, ...ENDLESS], cwd);
    const progress = join(cwd, "run/progress.jsonl");
    await until(() => existsSync(progress));
    await killed(first);
    expect(
      readdirSync(join(cwd, "run"))
        .filter((name) => !name.startsWith(".lock-"))
        .sort(),
    ).toEqual(RUN.slice(1));
    expectRefused(
      await runCli(["train", "--out", "run", "--resume", "run"], { cwd }),
      /holds no checkpoint; .*started again, without --resume/,
    );
    const again = await runCli(["train", ...args, "--steps", "128", "--quiet"], { cwd });
    expect(again).toMatchObject({ code: 0, stderr: "" });
    expect(readdirSync(join(cwd, "run")).sort()).toEqual(RUN);
    expect(readFileSync(progress, "utf8").trimEnd().split("\n")).toHaveLength(2);
  });
});

describe("one folder, two trainings", { timeout: 300_000 }, () => {
  it.concurrent("the second is refused in one sentence, new or resumed, and the first goes on", async () => {
    const cwd = makeFolder();
    const first = start(["--out", "run", ...LINK, ...SMALL, ...ENDLESS], cwd);
    await until(() => existsSync(join(cwd, "run/checkpoint.ccpark")));
    const held = new RegExp(`process ${first.child.pid} is training there`);
    const other = ["train", "--out", "run", "--quiet"];
    expectRefused(await runCli([...other, ...LINK, ...SMALL], { cwd }), held, 1);
    expectRefused(await runCli([...other, "--resume", "run"], { cwd }), held, 1);
    const updates = updatesOf(join(cwd, "run"));
    await until(() => updatesOf(join(cwd, "run")) > updates);
    await killed(first);
    const steps = 64 * (updatesOf(join(cwd, "run")) + 2);
    const resumed = await runCli([...other, "--resume", "run", "--steps", String(steps)], { cwd });
    expect(resumed).toMatchObject({ code: 0, stderr: "" });
    expect(readdirSync(join(cwd, "run")).sort()).toEqual(RUN);
  });

  it.concurrent("of two that start at the same time at most one trains", async () => {
    const cwd = makeFolder();
    const args = ["train", "--out", "run", ...LINK, ...SMALL, "--steps", "128", "--quiet"];
    const outcomes = await Promise.all([1, 2, 3].map(() => runCli(args, { cwd })));
    const refused = outcomes.filter(({ code }) => code !== 0);
    expect(outcomes.length - refused.length).toBeLessThanOrEqual(1);
    for (const { stderr } of refused) expect(stderr).toMatch(/is training there|holds a run already/);
  });

  it.concurrent("takes over the lock of a process that is gone, also where its id was given to another one", async () => {
    const cwd = makeFolder();
    const args = ["train", "--out", "run", ...LINK, ...SMALL, "--steps", "128", "--quiet"];
    expect((await runCli(args, { cwd })).code).toBe(0);
    const gone = spawnSync(process.execPath, ["-e", ""]).pid;
    // the second one is this very process, which began at another time
    for (const [pid, startTicks] of [
      [gone, 12345],
      [process.pid, 1],
    ]) {
      writeFileSync(join(cwd, `run/.lock-${pid}-${startTicks}`), "");
      const resumed = await runCli(["train", "--out", "run", "--resume", "run", "--quiet"], { cwd });
      expect(resumed).toMatchObject({ code: 0, stderr: "" });
      expect(readdirSync(join(cwd, "run")).sort()).toEqual(RUN);
    }
  });
});

describe("a run that goes on", { timeout: 300_000 }, () => {
  it.concurrent("refuses what contradicts it, each by its name, and changes nothing", async () => {
    const cwd = makeFolder();
    const run = join(cwd, "run");
    const made = await runCli(["train", "--out", "run", ...LINK, ...SMALL, "--steps", "128", "--quiet"], {
      cwd,
    });
    expect(made.code).toBe(0);
    const before = RUN.map((name) => bytesOf(run, name));
    const contradictions: [string[], RegExp][] = [
      [["--reward", "score"], /reward: got "score", but the run of `run` has "park"; leave it out/],
      [["--scenario", "training-range"], /scenario: got \["training-range"\].* has \["park-paper"\]/],
      [["--episode", "2"], /episode: got 2, .* has 1;/],
      [["--seed", "9"], /seed: got 9, .* has 1;/],
      [["--envs", "8"], /envs: got 8, .* has 4;/],
      [["--step-ms", "rtt"], /step-ms: got "rtt", .* has 20;/],
      [["--action", "indigo"], /action: got "indigo"/],
      [["--observation", "park-14"], /observation: got "park-14"/],
      [["--set", "learningRate=0.5"], /learningRate: got 0.5, .* has 0.001; .*add --override learningRate/],
      [["--set", "link.rateMbps=5"], /set: got \["link.rateMbps=5"\], .* has \[\];/],
      [["--checkpoint-every", "3"], /checkpoint-every: got 3, .* has 2;/],
      [["--override", "rewrad"], /unknown name after --override `rewrad`; did you mean `reward`\?/],
      [["--reward", "score", "--override", "seed"], /reward: got "score"/],
    ];
    const resume = ["train", "--out", "run", "--resume", "run", "--steps", "256", "--quiet"];
    const outcomes = await Promise.all(contradictions.map(([args]) => runCli([...resume, ...args], { cwd })));
    outcomes.forEach((outcome, i) => {
      expectRefused(outcome, contradictions[i]![1]);
    });
    expect(RUN.map((name) => bytesOf(run, name))).toEqual(before);
    expectRefused(
      await runCli(["train", "--out", "new", "--override", "reward"], { cwd }),
      /got no --resume/,
    );
  });

  it.concurrent("does what it was asked for by name, and config.json keeps the history", async () => {
    const cwd = makeFolder();
    const run = join(cwd, "run");
    const train = async (...args: string[]): Promise<void> => {
      const { code, stderr } = await runCli(["train", "--out", "run", "--quiet", ...args], { cwd });
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    };
    await train(...LINK, ...SMALL, "--steps", "128");
    const change = ["--reward", "score", "--set", "learningRate=0.01", "--override", "reward,learningRate"];
    await train("--resume", "run", "--steps", "256", ...change);
    await train("--resume", "run", "--steps", "320");
    const config = configOf(run);
    expect(config).toMatchObject({
      scenarios: ["park-paper"],
      episodeSec: 1,
      numEnvs: 4,
      totalSteps: 320,
      env: { reward: "score" },
      options: { learningRate: 0.01, hidden: [8], resetEvery: 2 },
      history: [
        { update: 0, steps: 0, totalSteps: 128, changed: {} },
        {
          update: 2,
          steps: 128,
          totalSteps: 256,
          changed: { reward: { from: "park", to: "score" }, learningRate: { from: 0.001, to: 0.01 } },
        },
        { update: 4, steps: 256, totalSteps: 320, changed: {} },
      ],
    });
    expect(loadCheckpoint(join(run, RUN[0]!)).header.env.reward).toBe("score");
  });

  it.concurrent("refuses a scenario file that says something else by now, and a folder with another run", async () => {
    const cwd = makeFolder();
    const file = join(cwd, "mine.yaml");
    writeFileSync(file, "extends: park-paper\npropagationDelayMs: 20\n");
    const train = (...args: string[]): Promise<Outcome> => runCli(["train", "--quiet", ...args], { cwd });
    const made = await train(
      "--out",
      "a",
      "--scenario",
      "mine.yaml",
      "--episode",
      "1",
      ...SMALL,
      "--steps",
      "128",
    );
    expect(made).toMatchObject({ code: 0, stderr: "" });
    expect((await train("--out", "b", "--resume", "a", "--steps", "192")).code).toBe(0);
    expectRefused(await train("--out", "b", "--resume", "a", "--steps", "256"), /holds a run already/);
    writeFileSync(file, "extends: park-paper\npropagationDelayMs: 30\n");
    const resume = ["--out", "a", "--resume", "a", "--steps", "256"];
    expectRefused(await train(...resume), /scenario: it is not what it was when the run began/, 1);
    expect((await train(...resume, "--override", "scenario")).code).toBe(0);
    const { history } = configOf(join(cwd, "a")) as { history: { changed: object }[] };
    expect(Object.keys(history.at(-1)!.changed)).toEqual(["scenariosSha256"]);
    // a checkpoint that was taken out of its folder still knows its scenario and environment
    rmSync(join(cwd, "b/config.json"));
    expectRefused(await train("--out", "c", "--resume", "b", "--reward", "park"), /reward: got "park"/);
  });
});

describe("ccpark quickstart, killed and started again", { timeout: 600_000 }, () => {
  it("goes on, ends with the bytes of a training that was not, and keeps what is finished", async () => {
    const cwd = makeFolder();
    // 60 updates, which take seconds after the first checkpoint: a busy machine sees that late
    const [UPDATE_STEPS, CHECKPOINT_UPDATES, UPDATES] = [32 * 64, 20, 60];
    const inAll = UPDATES * UPDATE_STEPS;
    const steps = ["--steps", String(inAll)];
    const args = ["quickstart", "--seeds", "1", ...steps, "--out", "run"];
    const child = startCli(args, { cwd });
    children.push(child);
    const outcome = outcomeOf(child);
    await until(() => existsSync(join(cwd, "run/checkpoint.ccpark")));
    child.kill("SIGKILL");
    await outcome;
    const updates = updatesOf(join(cwd, "run"));
    expect(updates % CHECKPOINT_UPDATES).toBe(0);
    expect(updates).toBeLessThan(UPDATES);
    const again = await runCli(args, { cwd });
    expect(again).toMatchObject({ code: 0 });
    expect(again.stderr).toContain(`going on after ${(updates * UPDATE_STEPS).toLocaleString("en")} steps`);
    expect(readdirSync(join(cwd, "run")).sort()).toEqual(
      [...JUDGED_RUN, "results.csv", "results.jsonl", "series.json", "summary.json"].sort(),
    );
    const whole = await runCli(["train", "--out", "whole", ...steps, "--quiet"], { cwd });
    expect(whole.code).toBe(0);
    expect(bytesOf(join(cwd, "run"))).toBe(bytesOf(join(cwd, "whole")));
    expect(bytesOf(join(cwd, "run"), "progress.jsonl")).toBe(bytesOf(join(cwd, "whole"), "progress.jsonl"));
    const before = RUN.map((name) => bytesOf(join(cwd, "run"), name));
    for (const [other, message] of [
      [["--steps", "2048"], new RegExp(`holds another training, steps: got 2048, expected ${inAll}`)],
      [["--seed", "2", ...steps], /holds another training, seed: got 2, expected 1/],
    ] as const) {
      expectRefused(await runCli(["quickstart", "--out", "run", ...other], { cwd }), message);
    }
    const finished = startCli([...args, "--json"], { cwd });
    children.push(finished);
    const ended = outcomeOf(finished);
    // within a run: Node may drop a signal that comes in the microseconds between two of them, which is when this line is read
    finished.stdout?.once("data", () => setTimeout(() => finished.kill("SIGINT"), 50));
    const { code, stderr } = await ended;
    expect(code).toBe(130);
    expect(stderr).toContain(`the training is done: ${inAll.toLocaleString("en")} steps`);
    expect(RUN.map((name) => bytesOf(join(cwd, "run"), name))).toEqual(before);
  });

  it("keeps what there was on Ctrl-C, and goes on from there", async () => {
    const cwd = makeFolder();
    const args = ["quickstart", "--seeds", "1", "--steps", "6144"];
    const child = startCli(args, { cwd });
    children.push(child);
    const outcome = outcomeOf(child);
    await until(() => existsSync(join(cwd, "runs/quickstart/progress.jsonl")));
    child.kill("SIGINT");
    const { code, stderr } = await outcome;
    expect(code).toBe(130);
    expect(stderr).toContain("to go on with when started again");
    const run = join(cwd, "runs/quickstart");
    expect(readdirSync(run).sort()).toEqual(JUDGED_RUN);
    const updates = updatesOf(run);
    expect(updates).toBeGreaterThan(0);
    const again = startCli([...args, "--json"], { cwd });
    children.push(again);
    const ended = outcomeOf(again);
    again.stdout?.once("data", () => again.kill("SIGINT"));
    await ended;
    expect(updatesOf(run)).toBe(3);
  });
});
