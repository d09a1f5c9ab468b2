/** Observations, actions and rewards from a user's own modules, by the commands as a user types them. */
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { loadCheckpoint } from "../../agents/checkpoint-files.ts";
import { connectVectorEnv } from "../../envs/grpc/client.ts";
import { makeFolders, outcomeOf, runCli, startCli } from "./run-cli.ts";

const makeFolder = makeFolders();
const OBSERVATION = "./my-observation.js";
const ACTION = "./my-action.js";
const REWARD = "./my-reward.js";
const FORMULA = "log2(throughputMbps) - 0.5 * log2(max(queueDelayMs, 1)) - 10 * lossRate";

/** A folder with the examples. */
function folderWithModules(): string {
  const cwd = makeFolder();
  writeFileSync(join(cwd, "package.json"), '{ "type": "module" }');
  for (const file of [OBSERVATION, ACTION, REWARD])
    cpSync(resolve("examples/signals", file), join(cwd, file));
  return cwd;
}

const TRAIN = [
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
const OWN = ["--observation", OBSERVATION, "--action", ACTION, "--reward", REWARD];

describe("modules of one's own", () => {
  it("train a policy that remembers their paths, whatever the number of workers, and bench runs it", async () => {
    const cwd = folderWithModules();
    for (const workers of ["1", "2"]) {
      const outcome = await runCli([...TRAIN, ...OWN, "--out", workers, "--workers", workers], { cwd });
      expect(outcome).toMatchObject({ code: 0, stderr: "" });
    }
    const checkpoint = loadCheckpoint(join(cwd, "1/checkpoint.ccpark"));
    const { where } = checkpoint;
    expect(checkpoint).toEqual({ ...loadCheckpoint(join(cwd, "2/checkpoint.ccpark")), where });
    expect(checkpoint.header.env).toMatchObject({ observation: OBSERVATION, action: ACTION, reward: REWARD });
    expect(checkpoint.header.observationSpace.names).toHaveLength(8);

    const bench = ["bench", "--duration", "2", "--seeds", "2", "--algorithms", "cubic,agent:1", "--json"];
    const results = await Promise.all(
      ["1", "2"].map((workers) => runCli([...bench, "--reward", REWARD, "--workers", workers], { cwd })),
    );
    const [one, two] = results.map(({ code, stdout }) => ({ code, lines: stdout.trim().split("\n").sort() }));
    expect(one).toMatchObject({ code: 0 });
    expect(two).toEqual(one);
    const { reward, goodputMbps } = JSON.parse(one!.lines.find((line) => line.includes('"cubic"'))!);
    // Mbit/s less a tenth of some ms
    expect(reward).toBeLessThan(1.05 * goodputMbps);
    expect(reward).toBeGreaterThan(0);

    const unnamed = await runCli(["bench", "--algorithms", "1"], { cwd });
    expect([unnamed.code, unnamed.stderr]).toEqual([
      2,
      "error: [algorithm] unknown algorithm `1`; the policy of a run is called `agent:1`\n",
    ]);
    const resumed = await runCli([...TRAIN, "--steps", "512", "--resume", "1", "--out", "3"], { cwd });
    expect(resumed.code).toBe(0);

    rmSync(join(cwd, OBSERVATION));
    for (const args of [
      ["bench", "--algorithms", "agent:1"],
      ["agent", "--checkpoint", "1/checkpoint.ccpark", "--udp", "0"],
      [...TRAIN, "--resume", "1", "--out", "4"],
    ]) {
      const { code, stderr } = await runCli(args, { cwd });
      expect(code).toBe(2);
      expect(stderr).toMatch(
        /^error: \[observation\] no module `\.\/my-observation\.js`: expected a JavaScript file; 1\S* was made with it\n$/,
      );
    }
  });

  it("are served to clients that name them, in threads too, and no others are", async () => {
    const cwd = folderWithModules();
    const child = startCli(["serve", "--port", "0", "--json", "--workers", "2", ...OWN], { cwd });
    const outcome = outcomeOf(child);
    try {
      const ready = await new Promise<string>((resolve) =>
        child.stdout!.once("data", (data) => resolve(`${data}`)),
      );
      const { address } = JSON.parse(ready) as { address: string };
      const connect = (observation: string) =>
        connectVectorEnv({ address, numEnvs: 3, kwargs: { observation, action: ACTION, reward: REWARD } });
      const envs = await connect(OBSERVATION);
      try {
        expect(envs.observationSpace.dimensions.map(({ name }) => name)).toContain("queueDelay[-3]");
        await envs.reset([1, 2, 3]);
        await envs.step(new Float32Array(3));
        const { rewards, observations } = envs;
        expect(observations).toHaveLength(24);
        expect([...rewards].every(Number.isFinite)).toBe(true);
        expect(envs.actionSpace).toMatchObject({ dimensions: [{ name: "packets", low: -10, high: 10 }] });
      } finally {
        await envs.close();
      }
      // a file that is there, but not the client's to load
      writeFileSync(join(cwd, "other.js"), "throw new Error('loaded');");
      await expect(connect("./other.js")).rejects.toThrow(/unknown observation `\.\/other\.js`/);
    } finally {
      child.kill("SIGTERM");
      await outcome;
    }
  });

  it("an algorithm drives cross traffic in bench and train, in threads too, where a scenario names its file", async () => {
    const cwd = folderWithModules();
    cpSync(resolve("examples/algorithms/mine.js"), join(cwd, "mine.js"));
    const flows = [{ id: "other", algorithm: "./mine.js:targetMs=5" }];
    writeFileSync(join(cwd, "shared.json"), JSON.stringify({ extends: "park-paper", durationSec: 2, flows }));
    const bench = [
      "bench",
      "--scenario",
      "shared.json",
      "--algorithms",
      "cubic",
      "--seeds",
      "1",
      "--json",
      "--quiet",
    ];
    const [one, two] = await Promise.all(
      [[], ["--workers", "2"]].map((more) => runCli([...bench, ...more], { cwd })),
    );
    expect(one).toMatchObject({ code: 0, stderr: "" });
    expect(two!.stdout).toBe(one!.stdout);
    const { flows: got } = JSON.parse(one!.stdout) as { flows: { id: string; goodputMbps: number }[] };
    expect(got.find(({ id }) => id === "other")!.goodputMbps).toBeGreaterThan(0.1);
    const train = [...TRAIN, "--scenario", "shared.json", "--workers", "2", "--out", "run"];
    expect(await runCli(train, { cwd })).toMatchObject({ code: 0, stderr: "" });
  });

  it("a formula is a reward in every command, recorded as it was written, and a metric of bench", async () => {
    const cwd = makeFolder();
    const trained = await runCli([...TRAIN, "--reward", FORMULA, "--out", "1"], { cwd });
    expect(trained).toMatchObject({ code: 0, stderr: "" });
    expect(loadCheckpoint(join(cwd, "1/checkpoint.ccpark")).header.env.reward).toBe(FORMULA);
    expect(readFileSync(join(cwd, "1/config.json"), "utf8")).toContain(FORMULA);
    const metric = ["--metric", "power = goodputMbps / meanQueueDelayMs", "--metric", "lossRate / 0"];
    const bench = ["bench", "--duration", "2", "--seeds", "1", "--reward", FORMULA, ...metric];
    const { code, stdout } = await runCli([...bench, "--algorithms", "cubic,agent:1", "--json"], { cwd });
    expect(code).toBe(0);
    for (const line of stdout.trim().split("\n")) {
      const record = JSON.parse(line) as Record<string, number | string | null>;
      expect(record).toMatchObject({ rewardName: FORMULA, "metric.lossRate / 0": null });
      expect(record["metric.power"]).toBe(Number(record["goodputMbps"]) / Number(record["meanQueueDelayMs"]));
      expect(record["reward"]).toBeLessThan(8);
    }
    const wrong = await runCli(["bench", "--reward", FORMULA.replace("throughput", "thruput")], { cwd });
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain("unknown name `thruputMbps`; did you mean `throughputMbps`?");
  });

  it.concurrent.each([
    ["--observation", "export default 3;", "default export: expected an observation's parts"],
    [
      "--observation",
      'export default { name: "a", definition: "a", source: "a", history: 1, features: [{ name: "q", unit: "1", low: 0, high: 1, definition: "a", of: () => 0 / 0 }] };',
      "[env] observation ./bad.js, q: got NaN, expected a finite number",
    ],
    ["--action", "export default {};", "[action] `./bad.js`: name: expected a text"],
    ["--reward", "export default {", "[reward] cannot load `./bad.js:1`: Unexpected end of input"],
  ])("%s %s is refused in one sentence", async (option, text, sentence) => {
    const cwd = folderWithModules();
    writeFileSync(join(cwd, "bad.js"), text);
    const { code, stderr } = await runCli([...TRAIN, "--out", "run", option, "./bad.js"], { cwd });
    expect(stderr).toContain(sentence);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(code).toBe(2);
  });
});
