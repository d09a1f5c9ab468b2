/** Recorded runs on disk: what is written is what is read, and what is damaged is refused by name. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { DEFAULT_ENV_OPTIONS } from "../../envs/options.ts";
import { loadDataset, saveDataset } from "../../training/datasets/dataset-files.ts";
import { decodeNpy, encodeNpy } from "../../training/datasets/npy.ts";
import { spacesOf } from "../../training/described-env.ts";

const root = mkdtempSync(join(tmpdir(), "ccpark-dataset-"));
afterAll(() => rmSync(root, { recursive: true }));
const env = DEFAULT_ENV_OPTIONS;
const spaces = spacesOf(env);
const WIDTH = spaces.observationSpace.shape[0];

const facts = { algorithm: "cubic", scenario: "park-paper", link: "a link", seed: 1 };
const measures = { score: 15, utilisation: 0.9, meanQueueDelayMs: Number.NaN, lossRate: 0 };

function made(name: string): string {
  const folder = join(root, name);
  const episode = (steps: number, first: number) => ({
    facts: { ...facts, ...measures },
    steps: {
      observations: Float32Array.from(
        { length: (steps + 1) * WIDTH },
        (_, i) => first + Math.floor(i / WIDTH),
      ),
      actions: Float32Array.from({ length: steps }, (_, i) => i / 10),
      rewards: Float64Array.from({ length: steps }, (_, i) => i + 0.5),
    },
  });
  saveDataset(folder, { command: "ccpark dataset", env, spaces }, [episode(2, 0), episode(3, 10)]);
  return folder;
}

describe("a dataset", () => {
  it("is read as it was written, each step with what it led to", () => {
    const { transitions, header } = loadDataset(made("whole"));
    const firsts = (values: Float32Array): number[] => [...values].filter((_, i) => i % WIDTH === 0);
    expect(transitions.rows).toBe(5);
    expect(firsts(transitions.observations)).toEqual([0, 1, 10, 11, 12]);
    expect(firsts(transitions.nextObservations)).toEqual([1, 2, 11, 12, 13]);
    expect([...transitions.rewards]).toEqual([0.5, 1.5, 0.5, 1.5, 2.5]);
    expect([...transitions.terminated]).toEqual([0, 0, 0, 0, 0]);
    expect(header.episodes.map(({ steps, episodeReturn }) => [steps, episodeReturn])).toEqual([
      [2, 2],
      [3, 4.5],
    ]);
    expect(header.episodes[0]!.meanQueueDelayMs).toBeNaN();
    expect(header.env).toEqual(env);
  });

  it("has a digest that tells it from any other", () => {
    const a = loadDataset(made("a")).sha256;
    expect(loadDataset(made("b")).sha256).toBe(a);
    const other = made("c");
    const file = join(other, "rewards.npy");
    const bytes = readFileSync(file);
    bytes[bytes.length - 8]! ^= 1;
    writeFileSync(file, bytes);
    expect(loadDataset(other).sha256).not.toBe(a);
  });

  it.each([
    ["dataset.json", (text: string) => text.replace('"version": 1', '"version": 2'), "`version`"],
    [
      "dataset.json",
      (text: string) => text.replace('"steps": 3', '"steps": 4'),
      "observations.npy: got an array",
    ],
    ["dataset.json", (text: string) => text.replace('"steps": 3', '"steps": -1'), "`episodes.1.steps`"],
    ["dataset.json", () => "{", "the text is not JSON"],
    ["actions.npy", () => "nothing", "other bytes"],
  ])("is refused by name where %s is wrong", (name, change, message) => {
    const folder = made("original");
    const broken = join(root, "broken");
    cpSync(folder, broken, { recursive: true });
    const file = join(broken, name);
    writeFileSync(file, change(readFileSync(file, "utf8")));
    expect(() => loadDataset(broken)).toThrow(message);
    expect(() => loadDataset(broken)).toThrow(broken);
  });

  it("is refused with numbers that are not finite, cut, or absent", () => {
    const folder = made("numbers");
    const file = join(folder, "actions.npy");
    const whole = readFileSync(file);
    const { data, shape } = decodeNpy(whole, file);
    data[1] = Number.NaN;
    writeFileSync(file, encodeNpy({ data, shape }));
    expect(() => loadDataset(folder)).toThrow("actions.npy: got NaN, expected finite numbers");
    writeFileSync(file, whole.subarray(0, whole.length - 3));
    expect(() => loadDataset(folder)).toThrow("as its shape says");
    rmSync(file);
    expect(() => loadDataset(folder)).toThrow(expect.objectContaining({ kind: "not-found" }));
  });
});

describe(".npy", () => {
  it("comes back as it went, in every type and shape, with numbers at a multiple of 64", () => {
    for (const data of [
      Float32Array.of(1, -2.5, 3, 4),
      Float64Array.of(0, 1e300, -1, 2),
      Uint8Array.of(0, 1, 255, 7),
    ]) {
      for (const shape of [[4], [2, 2], [4, 1]]) {
        const bytes = encodeNpy({ data, shape });
        expect((bytes.length - data.byteLength) % 64).toBe(0);
        expect(decodeNpy(bytes, "x")).toEqual({ data, shape });
      }
    }
  });
});
