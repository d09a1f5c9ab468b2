import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { encodeCheckpoint } from "../../agents/checkpoint.ts";
import { loadCheckpoint } from "../../agents/checkpoint-files.ts";
import { Continuation } from "../../training/run-config.ts";
import { type ProgressLine, type TrainOptions, type TrainResult, train } from "../../training/train.ts";
import { makeToyEnv } from "../agents/toy-env.ts";

// 8 environments x 32 steps: 256 steps per update
const BASE: TrainOptions = {
  makeEnvs: () => makeToyEnv(),
  options: {
    hidden: [8],
    rolloutSteps: 32,
    minibatchSize: 64,
    epochs: 2,
    normaliseObservations: true,
    backend: "wasm",
  },
  totalSteps: 256 * 7,
  seed: 4,
  env: { observation: "toy", action: "force", reward: "quadratic", description: "double integrator" },
  checkpointEvery: 2,
};

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ccpark-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const runDir = (name: string): string => join(folder, name);
const bytesOf = (result: TrainResult): Uint8Array => encodeCheckpoint(result.checkpoint);
const linesOf = (name: string): ProgressLine[] =>
  readFileSync(join(runDir(name), "progress.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as ProgressLine);

/** Ends the run after the given update. */
function stopAt(update: number): Pick<TrainOptions, "signal" | "onProgress"> {
  const stop = new AbortController();
  return { signal: stop.signal, onProgress: (line) => line.update === update && stop.abort() };
}

describe("run folder", () => {
  it("holds the configuration, one line per update and the checkpoint, and nothing else", async () => {
    const seen: ProgressLine[] = [];
    const result = await train({
      ...BASE,
      runDir: runDir("a"),
      onProgress: (line) => seen.push(line),
      config: { by: "test" },
    });
    expect(readdirSync(runDir("a")).sort()).toEqual(["checkpoint.ccpark", "config.json", "progress.jsonl"]);
    expect(encodeCheckpoint(loadCheckpoint(result.checkpointPath!))).toEqual(bytesOf(result));
    expect(linesOf("a").map((line) => line.update)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(linesOf("a")[0]!.meanEpisodeReturn).toBeNull(); // no episode had ended
    expect(seen).toHaveLength(7);
    const config = JSON.parse(readFileSync(join(runDir("a"), "config.json"), "utf8")) as Record<
      string,
      unknown
    >;
    expect(config).toMatchObject({ by: "test", algorithm: "ppo", seed: 4, totalSteps: 1792, numEnvs: 8 });
  });

  it("gives the same bytes on a second run", async () => {
    await train({ ...BASE, runDir: runDir("a") });
    await train({ ...BASE, runDir: runDir("b") });
    for (const file of ["checkpoint.ccpark", "config.json", "progress.jsonl"]) {
      expect(readFileSync(join(runDir("a"), file))).toEqual(readFileSync(join(runDir("b"), file)));
    }
  });

  it("works without a folder", async () => {
    const result = await train({ ...BASE, totalSteps: 256 });
    expect(result.checkpointPath).toBeUndefined();
    expect(result.last!.steps).toBe(256);
    expect(result.backend).toContain("wasm");
  });

  it("refuses a folder that takes no files before it makes an environment", async () => {
    writeFileSync(runDir("file"), "");
    let made = false;
    const makeEnvs = (): ReturnType<typeof makeToyEnv> => {
      made = true;
      return makeToyEnv();
    };
    const started = train({ ...BASE, makeEnvs, runDir: join(runDir("file"), "run") });
    await expect(started).rejects.toThrow(
      /^\[output\] cannot write into folder `.*`: a part of the path is a file, not a folder$/,
    );
    expect(made).toBe(false);
  });

  it("does not overwrite a run", async () => {
    await train({ ...BASE, totalSteps: 256, runDir: runDir("a") });
    await expect(train({ ...BASE, runDir: runDir("a") })).rejects.toThrow("holds a run already");
  });

  it("takes the place of a run without a checkpoint, and of no file that is not a run's", async () => {
    await train({ ...BASE, totalSteps: 256, runDir: runDir("a") });
    rmSync(join(runDir("a"), "checkpoint.ccpark"));
    await train({ ...BASE, totalSteps: 512, runDir: runDir("a") });
    expect(linesOf("a").map((line) => line.update)).toEqual([1, 2]);
    mkdirSync(runDir("b"));
    for (const [name, text] of [
      ["config.json", '{"name": "somebody\'s own"}'],
      ["progress.jsonl", "somebody's own\n"],
    ]) {
      writeFileSync(join(runDir("b"), name!), text!);
      await expect(train({ ...BASE, runDir: runDir("b") })).rejects.toThrow(
        /config\.json|holds a run already/,
      );
      expect(readFileSync(join(runDir("b"), name!), "utf8")).toBe(text);
      rmSync(join(runDir("b"), name!));
    }
    expect(readdirSync(runDir("b"))).toEqual([]);
  });

  it("lets one training at a time into a folder, also of this process", async () => {
    const first = train({ ...BASE, runDir: runDir("a") });
    await expect(train({ ...BASE, runDir: runDir("a") })).rejects.toThrow("is training there");
    await first;
    expect(readdirSync(runDir("a")).sort()).toEqual(["checkpoint.ccpark", "config.json", "progress.jsonl"]);
  });

  it("gives the lock back when training fails", async () => {
    const makeEnvs = (): never => {
      throw new Error("no environment");
    };
    await expect(train({ ...BASE, makeEnvs, runDir: runDir("a") })).rejects.toThrow("no environment");
    await train({ ...BASE, totalSteps: 256, runDir: runDir("a") });
  });

  it("keeps the last good checkpoint when training diverges", async () => {
    const makeEnvs = (): ReturnType<typeof makeToyEnv> => makeToyEnv({ nanAfter: 32 * 4 + 5 });
    await expect(train({ ...BASE, makeEnvs, runDir: runDir("a") })).rejects.toThrow("diverged in update 5");
    expect(loadCheckpoint(join(runDir("a"), "checkpoint.ccpark")).header.updates).toBe(4);
  });
});

describe("resume", () => {
  it("ends with the bytes of a run that was never interrupted", async () => {
    const whole = await train({ ...BASE, runDir: runDir("whole") });
    const first = await train({ ...BASE, runDir: runDir("cut"), ...stopAt(4) });
    expect(first.stopped).toBe(true);
    expect(first.learner.updates).toBe(4);
    const rest = await train({ ...BASE, runDir: runDir("cut"), resumeFrom: runDir("cut") });
    expect(bytesOf(rest)).toEqual(bytesOf(whole));
    expect(linesOf("cut")).toEqual(linesOf("whole"));
  });

  it("drops lines that came after the checkpoint, also half of one", async () => {
    const whole = await train({ ...BASE, runDir: runDir("whole") });
    await train({ ...BASE, runDir: runDir("cut"), ...stopAt(2) });
    const stored = readFileSync(join(runDir("cut"), "progress.jsonl"), "utf8");
    writeFileSync(join(runDir("cut"), "progress.jsonl"), `${stored}{"update":3,"steps":768}\n{"upda`);
    const rest = await train({
      ...BASE,
      runDir: runDir("cut"),
      resumeFrom: join(runDir("cut"), "checkpoint.ccpark"),
    });
    expect(bytesOf(rest)).toEqual(bytesOf(whole));
    expect(linesOf("cut")).toEqual(linesOf("whole"));
  });

  it("goes on in another folder with the options of the checkpoint", async () => {
    await train({ ...BASE, runDir: runDir("a"), totalSteps: 512 });
    const rest = await train({
      makeEnvs: () => makeToyEnv(),
      totalSteps: 1024,
      runDir: runDir("b"),
      resumeFrom: runDir("a"),
      options: { backend: "wasm" },
    });
    expect(rest.learner.options).toMatchObject({ hidden: [8] });
    expect(rest.learner.seed).toBe(4);
    expect(rest.learner.env.reward).toBe("quadratic");
    expect(linesOf("b").map((line) => line.steps)).toEqual([768, 1024]);
  });

  it("refuses environments that do not fit, with both shapes", async () => {
    await train({ ...BASE, runDir: runDir("a"), totalSteps: 256 });
    const other = train({
      ...BASE,
      makeEnvs: () => makeToyEnv({ observations: 5 }),
      resumeFrom: runDir("a"),
    });
    await expect(other).rejects.toThrow("observation shape [32]");
  });

  it("refuses what contradicts the run, and does what is asked for by name", async () => {
    await train({ ...BASE, runDir: runDir("a"), totalSteps: 512 });
    const refused = (options: Partial<TrainOptions>, message: string): Promise<void> =>
      expect(train({ ...BASE, resumeFrom: runDir("a"), ...options })).rejects.toThrow(message);
    await refused({ seed: 9 }, "[train] seed: got 9, but the run of");
    await refused({ options: { gamma: 0.5 } }, "gamma: got 0.5");
    await refused({ checkpointEvery: 3 }, "checkpoint-every: got 3");
    await refused({ makeEnvs: () => makeToyEnv({ numEnvs: 4 }) }, "envs: got 4");
    await refused({ env: { ...BASE.env!, reward: "other" } }, 'reward: got "other"');
    await refused({ learner: "pop" }, "expected `ppo`, which the checkpoint is of");
    const continuation = new Continuation("the run", ["seed", "gamma"]);
    const rest = await train({
      ...BASE,
      ...{ seed: 9, options: { gamma: 0.5, backend: "wasm" }, totalSteps: 1024 },
      ...{ resumeFrom: runDir("a"), runDir: runDir("a"), continuation },
    });
    expect(rest.learner.seed).toBe(9);
    expect(rest.learner.options).toMatchObject({ gamma: 0.5, hidden: [8] });
  });

  it("has nothing to do where the steps are done", async () => {
    await train({ ...BASE, runDir: runDir("a"), totalSteps: 512 });
    const again = await train({ ...BASE, totalSteps: 512, resumeFrom: runDir("a") });
    expect(again.last).toBeUndefined();
    expect(again.checkpoint.header.steps).toBe(512);
  });
});

describe("options", () => {
  it("are refused before anything is written", async () => {
    const refused = (options: Partial<TrainOptions>): Promise<unknown> =>
      train({ ...BASE, runDir: runDir("x"), ...options });
    await expect(refused({ totalSteps: 0 })).rejects.toThrow("[train] totalSteps: got 0");
    await expect(refused({ seed: -1 })).rejects.toThrow("[train] seed: got -1");
    await expect(refused({ checkpointEvery: 1.5 })).rejects.toThrow("[train] checkpointEvery: got 1.5");
    await expect(refused({ options: { gamma: 2 } })).rejects.toThrow("[ppo] option `gamma`");
    await expect(refused({ resumeFrom: runDir("none") })).rejects.toThrow(
      expect.objectContaining({ kind: "not-found" }),
    );
    expect(readdirSync(folder)).toEqual([]);
  });
});
