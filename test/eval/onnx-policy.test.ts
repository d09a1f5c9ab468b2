/** ONNX policies from other learners: the contract is checked field by field, and the network acts as it did at home. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { afterAll, describe, expect, it } from "vitest";
import { loadCheckpoint } from "../../agents/checkpoint-files.ts";
import { policyFromCheckpoint } from "../../agents/registry.ts";
import { runAgent, runAgentLater } from "../../envs/measured-run.ts";
import { getObservation } from "../../envs/signals/observations.ts";
import { CONTRACT_KEY } from "../../eval/onnx/contract.ts";
import { readMetadata } from "../../eval/onnx/model-metadata.ts";
import { loadOnnxPolicy } from "../../eval/onnx/policy.ts";
import { resolveScenario } from "../../scenarios/scenario-files.ts";

const golden = (name: string): string => fileURLToPath(new URL(`../golden/onnx/${name}`, import.meta.url));
const MODEL = readFileSync(golden("policy.onnx"));
const folder = mkdtempSync(join(tmpdir(), "ccpark-onnx-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function entry(key: string, value: string): Uint8Array {
  return new BinaryWriter()
    .tag(14, WireType.LengthDelimited)
    .fork()
    .tag(1, WireType.LengthDelimited)
    .string(key)
    .tag(2, WireType.LengthDelimited)
    .string(value)
    .join()
    .finish();
}

function stored(bytes: Uint8Array): string {
  const path = join(folder, "policy.onnx");
  writeFileSync(path, bytes);
  return path;
}

// biome-ignore lint/suspicious/noExplicitAny: a contract to be spoilt
type Json = any;

const CONTRACT = readMetadata(MODEL).get(CONTRACT_KEY)!;

/** The golden model with a spoilt contract: of two entries with one key the later counts. */
function spoilt(spoil: (contract: Json) => void): string {
  const contract = JSON.parse(CONTRACT) as Json;
  spoil(contract);
  return stored(Buffer.concat([MODEL, entry(CONTRACT_KEY, JSON.stringify(contract))]));
}

describe("an ONNX policy in the loop", () => {
  it("gives the run of the checkpoint whose weights it has, number by number", async () => {
    const onnx = await loadOnnxPolicy(golden("policy.onnx"));
    const agent = policyFromCheckpoint(loadCheckpoint(golden("policy.ccpark")));
    const { env } = onnx.contract;
    for (const name of ["park-paper", "link-24mbps-80ms-2bdp"]) {
      const scenario = { ...resolveScenario(name), durationSec: 10 };
      const run = { scenario, seed: 3, rewardName: "score", env };
      const expected = runAgent({ ...run, agent });
      expect(expected.metrics.utilisation).toBeGreaterThan(0.5);
      expect(await runAgentLater({ ...run, agent: onnx })).toEqual(expected);
    }
  });

  it("has the options of its contract", async () => {
    const { contract } = await loadOnnxPolicy(
      spoilt((c) =>
        Object.assign(c, { stepMs: 20, actionDelayUs: 500, reportLossAtOnce: true, reward: "park" }),
      ),
    );
    expect(contract.env).toEqual({
      observation: "standard",
      action: "multiplicative",
      reward: "park",
      stepMs: 20,
      actionDelayUs: 500,
      reportLossAtOnce: true,
      actionPolicy: "clip",
    });
  });

  const mistakes: readonly [what: string, path: () => string, message: RegExp][] = [
    ["no file", () => join(folder, "none.onnx"), /no such file/],
    ["a folder", () => folder, /it is a folder, expected a file/],
    [
      "no ONNX",
      () => stored(Buffer.from("not a model, though a file")),
      /not an ONNX model, or only a part of one/,
    ],
    [
      "half a file",
      () => stored(MODEL.subarray(0, MODEL.length >> 1)),
      /not an ONNX model, or only a part of one/,
    ],
    ["nothing in it", () => stored(new Uint8Array(0)), /not an ONNX model: the file is empty/],
    [
      "no contract",
      () => stored(MODEL.subarray(0, MODEL.length - entry(CONTRACT_KEY, CONTRACT).length)),
      /metadata `ccpark\.contract`: got none, expected what ccpark\.export_onnx writes/,
    ],
    [
      "a contract that is no JSON",
      () => stored(Buffer.concat([MODEL, entry(CONTRACT_KEY, "{")])),
      /metadata `ccpark\.contract`: got text that is not JSON/,
    ],
    [
      "a contract without a graph",
      () => stored(Buffer.concat([entry(CONTRACT_KEY, CONTRACT)])),
      /the runtime refuses it/,
    ],
    ["another version", () => spoilt((c) => (c.version = 2)), /contract field `version`: .*expected 1/],
    [
      "another environment",
      () => spoilt((c) => (c.envId = "ccpark/Other-v0")),
      /field `envId`: got "ccpark\/Other-v0"/,
    ],
    [
      "an unknown observation",
      () => spoilt((c) => (c.observation.name = "standart")),
      /field `observation\.name`: .*did you mean `standard`\?/,
    ],
    [
      "an observation of another width",
      () => spoilt((c) => c.observation.dimensions.pop()),
      /field `observation\.dimensions`: got "\d+ \(/,
    ],
    [
      "a dimension of another name",
      () => spoilt((c) => (c.observation.dimensions[3].name = "x")),
      /field `observation\.dimensions\.3\.name`: got "x", expected "/,
    ],
    [
      "another unit",
      () => spoilt((c) => (c.action.dimensions[0].unit = "packets")),
      /field `action\.dimensions\.0\.unit`: got "packets", expected "1"/,
    ],
    [
      "other bounds",
      () => spoilt((c) => (c.action.dimensions[0].high = 2)),
      /field `action\.dimensions\.0\.high`: got 2, expected 1/,
    ],
    [
      "another action",
      () => spoilt((c) => (c.action.name = "absolute")),
      /field `action\.dimensions`: got "1 \(/,
    ],
    [
      "an unknown reward",
      () => spoilt((c) => (c.reward = "scor")),
      /field `reward`: .*did you mean `score`\?/,
    ],
    ["a wrong step", () => spoilt((c) => (c.stepMs = 0)), /field `stepMs`: .*stepMs/],
    ["a wrong delay", () => spoilt((c) => (c.actionDelayUs = -1)), /field `actionDelayUs`: .*0/],
    [
      "normalisation outside of the graph",
      () => spoilt((c) => (c.normalisation.inGraph = false)),
      /field `normalisation\.inGraph`: .*expected true/,
    ],
    ["no field", () => spoilt((c) => delete c.reportLossAtOnce), /field `reportLossAtOnce`/],
    [
      "an unknown input",
      () => spoilt((c) => (c.input = "x")),
      /field `input`: got x, expected one of the graph's: obs/,
    ],
    [
      "an unknown output",
      () => spoilt((c) => (c.output = "y")),
      /field `output`: got y, expected one of the graph's/,
    ],
    [
      "spaces that this version has, but not this graph",
      () =>
        spoilt((c) => {
          const { name, space } = getObservation("park-14");
          c.observation = { name, dimensions: space.dimensions };
        }),
      /input `observation` of the graph: got float32 \[batch, \d+\], expected float32 \[batch, 14\]/,
    ],
  ];

  for (const [what, path, message] of mistakes) {
    it(`refuses ${what} in one sentence`, async () => {
      const error: Error = await loadOnnxPolicy(path()).then(
        () => new Error("was accepted"),
        (refusal) => refusal,
      );
      expect(error.message).toMatch(message);
      expect(error.message).toMatch(/^\[onnx\] `.*`: [^\n]*$/);
    });
  }
});
