import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { decodeCheckpoint, encodeCheckpoint } from "../../agents/checkpoint.ts";
import { loadCheckpoint, saveCheckpoint } from "../../agents/checkpoint-files.ts";
import { Ppo, policyFromCheckpoint } from "../../agents/ppo.ts";
import { CcparkError } from "../../core/errors.ts";
import { makeBox } from "../../envs/spaces.ts";
import { makeToyEnv } from "./toy-env.ts";

const env = { observation: "window", action: "rate", reward: "copa", description: "toy" };

function makePpo(): Ppo {
  const { observationSpace } = makeToyEnv();
  const actionSpace = makeBox([
    { name: "a", unit: "1", low: -Infinity, high: Infinity, definition: "" },
    { name: "b", unit: "1", low: 0, high: 5, definition: "" },
  ]);
  return new Ppo({ observationSpace, actionSpace, seed: 2 ** 53 - 1, options: { hidden: [8, 5] }, env });
}

describe("format", () => {
  it("comes back as it was, to the bit", () => {
    const checkpoint = makePpo().checkpoint();
    const bytes = encodeCheckpoint(checkpoint);
    expect(decodeCheckpoint(bytes, "memory")).toEqual(checkpoint);
    expect(encodeCheckpoint(decodeCheckpoint(bytes, "memory"))).toEqual(bytes);
  });

  it("reads from a view that does not start at a multiple of 8", () => {
    const bytes = encodeCheckpoint(makePpo().checkpoint());
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    expect(encodeCheckpoint(decodeCheckpoint(shifted.subarray(3), "memory"))).toEqual(bytes);
  });

  it("refuses other files, damage, cuts and other versions, naming the file", () => {
    const bytes = encodeCheckpoint(makePpo().checkpoint());
    const refused = (content: Uint8Array): string => {
      try {
        decodeCheckpoint(content, "run/x.ccpark");
      } catch (error) {
        expect(error).toBeInstanceOf(CcparkError);
        expect((error as CcparkError).kind).toBe("invalid-argument");
        return (error as CcparkError).message;
      }
      throw new Error("not refused");
    };
    expect(refused(new Uint8Array(0))).toContain("run/x.ccpark");
    expect(refused(new TextEncoder().encode("{}".repeat(20)))).toContain("expected a ccpark checkpoint");
    for (const length of [16, 100, bytes.length - 1])
      expect(refused(bytes.slice(0, length))).toContain("damaged or cut");
    const damaged = bytes.slice();
    damaged[bytes.length - 9]! ^= 1;
    expect(refused(damaged)).toContain("damaged or cut");
  });

  it("makes a policy that acts like the learner, also for other bounds than finite ones", () => {
    const ppo = makePpo();
    const policy = policyFromCheckpoint(decodeCheckpoint(encodeCheckpoint(ppo.checkpoint()), "memory"));
    const observation = new Float32Array(32).fill(0.3);
    expect(policy.act(observation, "greedy")).toEqual(ppo.act(observation, "greedy"));
    expect(policy.spec.actionSpace.high[0]).toBe(Infinity);
  });

  it("refuses spaces of other shapes with both shapes", () => {
    const { observationSpace, actionSpace } = makeToyEnv({ observations: 12 });
    expect(() => policyFromCheckpoint(makePpo().checkpoint(), { observationSpace, actionSpace })).toThrow(
      "[checkpoint] the checkpoint does not fit the environment: got observation shape [32] and action shape [2] in the checkpoint, expected observation shape [12] and action shape [1]",
    );
  });

  it("refuses to resume with other hidden layers", () => {
    const checkpoint = makePpo().checkpoint();
    const { observationSpace, actionSpace } = makePpo().spec;
    const resume = (): Ppo =>
      Ppo.fromCheckpoint(checkpoint, { observationSpace, actionSpace, options: { hidden: [9] } });
    expect(resume).toThrow("other hidden layers than the checkpoint: got [9], expected [8,5]");
  });
});

describe("files", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "ccpark-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("saves, replaces and loads, and leaves nothing else behind", () => {
    const path = join(folder, "a.ccpark");
    writeFileSync(path, "old");
    saveCheckpoint(path, makePpo().checkpoint());
    expect(loadCheckpoint(path)).toEqual(makePpo().checkpoint());
    expect(readdirSync(folder)).toEqual(["a.ccpark"]);
  });

  it("keeps the old file when the new one cannot be written", () => {
    const path = join(folder, "a.ccpark");
    writeFileSync(path, "old");
    mkdirSync(`${path}.tmp`);
    expect(() => saveCheckpoint(path, makePpo().checkpoint())).toThrow("[files] cannot write");
    expect(readFileSync(path, "utf8")).toBe("old");
  });

  it("says not-found for a file that is not there", () => {
    const load = (): unknown => loadCheckpoint(join(folder, "none.ccpark"));
    expect(load).toThrow(expect.objectContaining({ kind: "not-found" }));
  });
});
