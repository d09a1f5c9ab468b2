import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { decodeCheckpoint, encodeCheckpoint } from "../../agents/checkpoint.ts";
import { loadCheckpoint, saveCheckpoint } from "../../agents/checkpoint-files.ts";
import { GaussianPolicy } from "../../agents/nn/gaussian-policy.ts";
import { Ppo } from "../../agents/ppo.ts";
import { policyFromCheckpoint } from "../../agents/registry.ts";
import { CcparkError } from "../../core/errors.ts";
import { boundsOf, makeBox } from "../../envs/spaces.ts";
import { TRAINING_DEFAULTS } from "../../training/defaults.ts";
import { type ProgressLine, train } from "../../training/train.ts";
import { openTrainingEnvs } from "../../training/training-env.ts";
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
    expect(decodeCheckpoint(bytes, "memory")).toEqual({ where: "memory", ...checkpoint });
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

  /** The file with another header, or with other bytes behind it; the checksum fits. */
  function altered(
    bytes: Uint8Array,
    change: (header: string) => string,
    body = (b: Uint8Array) => b,
  ): Uint8Array {
    const view = new DataView(bytes.buffer);
    const end = 16 + view.getUint32(8, true);
    const header = new TextEncoder().encode(
      change(new TextDecoder().decode(bytes.subarray(16, end)).trimEnd()),
    );
    const length = Math.ceil(header.length / 8) * 8;
    const rest = body(bytes.slice(end));
    const out = new Uint8Array(16 + length + rest.length).fill(0x20);
    out.set(bytes.subarray(0, 16));
    out.set(header, 16);
    out.set(rest, 16 + length);
    const outView = new DataView(out.buffer);
    outView.setUint32(8, length, true);
    outView.setUint32(12, crc32(out.subarray(16)), true);
    return out;
  }

  it.each([
    ["another version", (h: string) => h.replace('"version":2', '"version":3'), "format version 3"],
    ["a prototype", (h: string) => h.replace('"options":{', '"options":{"__proto__":{},'), "`__proto__`"],
    [
      "a huge array",
      (h: string) => h.replace(/"length":\d+/, '"length":900000000000'),
      "as its header lists arrays",
    ],
    ["an array twice", (h: string) => h.replace('"name":"value"', '"name":"policy"'), "each name once"],
    [
      "fewer bounds than dimensions",
      (h: string) => h.replace('"names":["o0",', '"names":['),
      "observationSpace",
    ],
    ["no JSON", () => "{", "the header is not JSON"],
    ["no state", (h: string) => h.replace('"state":', '"other":'), "header field `state`"],
  ])("refuses %s under a checksum that fits, naming the file", (_what, change, message) => {
    const read = (): unknown =>
      decodeCheckpoint(altered(encodeCheckpoint(makePpo().checkpoint()), change), "run/x.ccpark");
    expect(read).toThrow(message);
    expect(read).toThrow("run/x.ccpark");
    expect(read).toThrow(CcparkError);
  });

  it.each([Number.NaN, Infinity, -Infinity])("refuses weights of %d, naming the file", (x) => {
    const read = (): unknown =>
      decodeCheckpoint(
        altered(
          encodeCheckpoint(makePpo().checkpoint()),
          (header) => header,
          (body) => {
            new DataView(body.buffer).setFloat32(8, x, true);
            return body;
          },
        ),
        "run/x.ccpark",
      );
    expect(read).toThrow(
      `[checkpoint] not readable, run/x.ccpark: got ${x} in array \`policy\`, expected finite numbers`,
    );
  });

  it("refuses options that the learner does not have, and learners that are not known", () => {
    const { header, arrays } = makePpo().checkpoint();
    const load = (changed: object): unknown =>
      policyFromCheckpoint({ header: { ...header, ...changed }, arrays });
    expect(() => load({ options: { ...header.options, constructor: 1 } })).toThrow("constructor");
    expect(() => load({ learner: "pop" })).toThrow("did you mean `ppo`?");
  });

  it("makes a policy that acts like the learner, also for other bounds than finite ones", () => {
    const ppo = makePpo();
    const policy = policyFromCheckpoint(decodeCheckpoint(encodeCheckpoint(ppo.checkpoint()), "memory"));
    const observation = new Float32Array(32).fill(0.3);
    expect(policy.act(observation, "greedy", 0)).toEqual(ppo.act(observation, "greedy"));
    if (!(policy instanceof GaussianPolicy)) throw new Error("another policy");
    expect(boundsOf(policy.spec.actionSpace).high[0]).toBe(Infinity);
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

/** CRC-32 of ISO 3309, bit by bit. */
function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const byte of bytes) {
    c ^= byte;
    for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  }
  return (c ^ 0xffffffff) >>> 0;
}

describe("version 1", () => {
  const path = fileURLToPath(new URL("../golden/checkpoints/ppo-v1.ccpark", import.meta.url));

  it("loads, and its policy acts as version 0.1.0 did, but for the rounding of float32", () => {
    const policy = policyFromCheckpoint(loadCheckpoint(path));
    const actions = [-1, -0.25, 0, 0.5, 1].map(
      (x) => policy.act(new Float32Array(30).fill(x), "greedy", 0)[0],
    );
    const then = [
      -0.027169492095708847, -0.027147674933075905, -0.026748713105916977, -0.004379355348646641,
      -0.0022978519555181265,
    ];
    then.forEach((action, i) => {
      expect(Math.abs(actions[i]! - action)).toBeLessThan(2 ** -24);
    });
  });

  it("is written again as version 2 with the same content", () => {
    const checkpoint = loadCheckpoint(path);
    expect(checkpoint.header).toMatchObject({ learner: "ppo", updates: 8, state: { adamSteps: 40 } });
    expect(decodeCheckpoint(encodeCheckpoint(checkpoint), path)).toEqual(checkpoint);
  });

  it("resumes where it stopped", async () => {
    const { header } = loadCheckpoint(path);
    const { env, episodeSec } = TRAINING_DEFAULTS;
    const lines: ProgressLine[] = [];
    await train({
      makeEnvs: () => openTrainingEnvs({ env, episodeSec }, { numEnvs: 8 }),
      options: { backend: "wasm" },
      totalSteps: 5120,
      seed: header.seed,
      checkpointEvery: 2,
      resumeFrom: path,
      onProgress: (line) => lines.push(line),
    });
    expect(lines.map((line) => line.steps)).toEqual([4608, 5120]);
    expect(lines[0]!.episodes).toBe(15);
    // V, rewards and their statistics are the stored ones here; float32 of other machines differs in the last digits.
    expect(lines[0]!.losses["explainedVariance"]).toBeCloseTo(-2.4917, 3);
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
    expect(loadCheckpoint(path)).toEqual({ where: path, ...makePpo().checkpoint() });
    expect(readdirSync(folder)).toEqual(["a.ccpark"]);
  });

  it("keeps the old file when the new one cannot be written", () => {
    const path = join(folder, "a.ccpark");
    writeFileSync(path, "old");
    mkdirSync(`${path}.tmp-${process.pid}`);
    expect(() => saveCheckpoint(path, makePpo().checkpoint())).toThrow("[output] cannot write file");
    expect(readFileSync(path, "utf8")).toBe("old");
  });

  it("says not-found for a file that is not there", () => {
    const load = (): unknown => loadCheckpoint(join(folder, "none.ccpark"));
    expect(load).toThrow(expect.objectContaining({ kind: "not-found" }));
  });
});
