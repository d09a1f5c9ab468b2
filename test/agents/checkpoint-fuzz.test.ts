/**
 * Checkpoints whose content is wrong under a checksum that is right: each loads and acts, or is refused in one sentence that
 * names its file. Nothing else, whatever the header says of lengths, names and options.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { decodeCheckpoint, encodeCheckpoint } from "../../agents/checkpoint.ts";
import { Dqn } from "../../agents/dqn.ts";
import { Ppo } from "../../agents/ppo.ts";
import { learnerFromCheckpoint, policyFromCheckpoint } from "../../agents/registry.ts";
import { checkpointContender } from "../../cli/policies.ts";
import { CcparkError } from "../../core/errors.ts";
import { Rng } from "../../core/random.ts";
import { DEFAULT_ENV_OPTIONS } from "../../envs/options.ts";
import { getAction } from "../../envs/signals/actions.ts";
import { getObservation } from "../../envs/signals/observations.ts";
import { describeEnv } from "../../training/described-env.ts";
import { makeToyEnv } from "./toy-env.ts";

const SEED = Number(process.env["CCPARK_FUZZ_SEED"] ?? 20_261_128);
const CASES = 1500;
const FILE = "run/mutated.ccpark";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A small one of the real environment, by its action. */
function fresh(action: string): Uint8Array {
  const env = { ...DEFAULT_ENV_OPTIONS, action };
  const ppo = new Ppo({
    observationSpace: getObservation(env.observation).space,
    actionSpace: getAction(action).space,
    seed: 1,
    env: describeEnv({ env, episodeSec: 1 }),
    options: { hidden: [4], normaliseObservations: true },
  });
  return encodeCheckpoint(ppo.checkpoint());
}

/** With a memory of the real environment's transitions, as far as numbers go. */
async function remembering(): Promise<Uint8Array> {
  const env = { ...DEFAULT_ENV_OPTIONS, action: "indigo" };
  const { space: observationSpace } = getObservation(env.observation);
  const toy = makeToyEnv({ numEnvs: 2, observations: observationSpace.shape[0] });
  const { space: actionSpace } = getAction(env.action);
  const dqn = new Dqn({
    observationSpace,
    actionSpace,
    seed: 1,
    env: describeEnv({ env, episodeSec: 1 }),
    options: { hidden: [4], learningStarts: 4, minibatchSize: 4, backend: "wasm" },
  });
  for await (const _ of dqn.learn({ ...toy, actionSpace }, 24));
  return encodeCheckpoint(dqn.checkpoint());
}

const V1 = fileURLToPath(new URL("../golden/checkpoints/ppo-v1.ccpark", import.meta.url));
const ORIGINALS = [
  fresh("multiplicative"),
  fresh("indigo"),
  new Uint8Array(readFileSync(V1)),
  await remembering(),
];

interface Parts {
  header: Json;
  body: Uint8Array;
}

function partsOf(bytes: Uint8Array): Parts {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(8, true);
  const text = new TextDecoder().decode(bytes.subarray(16, 16 + length));
  return { header: JSON.parse(text) as Json, body: bytes.slice(16 + length) };
}

/** @param text of the header */
function joined(text: string, body: Uint8Array): Uint8Array {
  const header = new TextEncoder().encode(text);
  const padded = Math.ceil(header.length / 8) * 8;
  const bytes = new Uint8Array(16 + padded + body.length);
  bytes.set(new TextEncoder().encode("ccparkck"));
  bytes.fill(0x20, 16, 16 + padded);
  bytes.set(header, 16);
  bytes.set(body, 16 + padded);
  const view = new DataView(bytes.buffer);
  view.setUint32(8, padded, true);
  view.setUint32(12, crc32(bytes.subarray(16)), true);
  return bytes;
}

const EXTREMES: readonly Json[] = [
  ...[null, true, "", "x", "Infinity", "constructor", "__proto__", [], {}, [[]], -1, 0, 0.5, 1e15, 2 ** 53],
  ...[-0, 1e308, 2 ** 32, 4294967295, "../../etc", "\u0000\u001b[31m", [1e9, 1e9], { constructor: 1 }],
];

/** Every place of a value, as a path. */
function placesOf(value: Json, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== "object" || value === null) return [path];
  const inner = Object.keys(value).flatMap((key) =>
    placesOf((value as Record<string, Json>)[key]!, [...path, Array.isArray(value) ? Number(key) : key]),
  );
  return [path, ...inner];
}

function mutatedHeader(header: Json, rng: Rng): Json {
  const pick = <T>(list: readonly T[]): T => list[rng.integer(list.length)]!;
  const copy = structuredClone(header) as Record<string, Json>;
  const places = placesOf(copy).filter((path) => path.length > 0);
  for (let n = 1 + rng.integer(2); n > 0; n--) {
    const path = pick(places);
    let at: Record<string, Json> | undefined = copy;
    for (const key of path.slice(0, -1)) at = at?.[key] as Record<string, Json> | undefined;
    if (typeof at !== "object" || at === null) continue;
    const key = String(path.at(-1));
    switch (rng.integer(4)) {
      case 0:
        delete at[key];
        break;
      case 1: {
        const name = pick(["constructor", "toString", "hasOwnProperty", "other", "n", "length"]);
        if (!Array.isArray(at)) at[name] = pick(EXTREMES);
        break;
      }
      default:
        at[key] = pick(EXTREMES);
    }
  }
  return copy;
}

/** Some numbers of the arrays become others, not all of them finite. */
function mutatedBody(body: Uint8Array, rng: Rng): Uint8Array {
  const copy = body.slice();
  const view = new DataView(copy.buffer);
  const wrong = [Number.NaN, Infinity, -Infinity, 3e38, -3e38, -1, 0];
  const value = wrong[rng.integer(wrong.length)]!;
  const at = 4 * rng.integer(Math.floor(copy.length / 4));
  view.setFloat32(at, value, true);
  if (rng.next() < 0.3) view.setFloat64(at - (at % 8), value, true);
  return rng.next() < 0.1 ? copy.slice(0, rng.integer(copy.length)) : copy;
}

function mutated(rng: Rng): Uint8Array {
  const { header, body } = partsOf(ORIGINALS[rng.integer(ORIGINALS.length)]!);
  const kind = rng.integer(10);
  if (kind < 6) return joined(JSON.stringify(mutatedHeader(header, rng)), body);
  if (kind < 9) return joined(JSON.stringify(header), mutatedBody(body, rng));
  // a key that JSON.stringify never writes, or text that is no JSON any more
  const text = JSON.stringify(header);
  const at = 1 + rng.integer(text.length - 2);
  if (rng.next() < 0.5) return joined(`{"__proto__":{"learner":"x"},${text.slice(1)}`, body);
  return joined(`${text.slice(0, at)}${text.slice(at + 1 + rng.integer(3))}`, body);
}

/** What `bench --checkpoint`, `agent --checkpoint` and `train --resume` do with one. */
function use(bytes: Uint8Array): void {
  const checkpoint = decodeCheckpoint(bytes, FILE);
  const { policy } = checkpointContender("agent", FILE, checkpoint);
  const action = policy.act(new Float32Array(checkpoint.header.observationSpace.shape[0]), "greedy", 0);
  expect(action.every(Number.isFinite), "a policy that was admitted acts").toBe(true);
  policyFromCheckpoint(checkpoint);
  const { learner } = learnerFromCheckpoint(checkpoint).checkpoint().header;
  expect(learner).toBe(checkpoint.header.learner);
}

describe(`a checkpoint with wrong content and a right checksum (seed ${SEED})`, () => {
  it("comes through the machinery of this test as it was", () => {
    for (const bytes of ORIGINALS) {
      const { header, body } = partsOf(bytes);
      expect(joined(JSON.stringify(header), body)).toEqual(bytes);
      use(bytes);
    }
  });

  it(`loads, or is refused in one sentence with its file, ${CASES} times`, { timeout: 120_000 }, () => {
    const root = Rng.fromSeed(SEED);
    const counts = { loaded: 0, refused: 0 };
    for (let i = 0; i < CASES; i++) {
      const bytes = mutated(root.fork(`case.${i}`));
      try {
        use(bytes);
        counts.loaded += 1;
      } catch (error) {
        if (!(error instanceof CcparkError)) throw new Error(`case ${i}`, { cause: error });
        expect(error.message, `case ${i}`).toContain(FILE);
        expect(error.message.length, `case ${i}`).toBeLessThan(1000);
        expect(error.message, `case ${i}`).not.toMatch(/\n|assertion/);
        counts.refused += 1;
      }
    }
    expect(counts.refused).toBeGreaterThan(CASES / 2);
    expect(counts.loaded).toBeGreaterThan(CASES / 20);
  });

  it.each([
    [
      "an array of 1e15 numbers",
      (h: string) => h.replace(/"length":\d+/, '"length":1e15'),
      "as its header lists",
    ],
    [
      "an option called constructor",
      (h: string) => h.replace('"options":{', '"options":{"constructor":1,'),
      "unknown option `constructor`",
    ],
    [
      "an option called __proto__",
      (h: string) => h.replace('"options":{', '"options":{"__proto__":1,'),
      "__proto__",
    ],
    [
      "an option out of its range",
      (h: string) => h.replace(/"gamma":[\d.]+/, '"gamma":7'),
      "option `gamma`: got 7",
    ],
    [
      "another learner",
      (h: string) => h.replace('"learner":"ppo"', '"learner":"pop"'),
      "did you mean `ppo`?",
    ],
    ["other hidden layers", (h: string) => h.replace('"hidden":[4]', '"hidden":[5]'), "array `policy`: got"],
    [
      "an unknown action",
      (h: string) => h.replace('"action":"multiplicative"', '"action":"y"'),
      "unknown action `y`",
    ],
    [
      "a broken description",
      (h: string) => h.replace(/"description":"/, '"description":"{'),
      "header field `env.description`",
    ],
  ])("is refused with its file: %s", (_what, change, message) => {
    const { header, body } = partsOf(ORIGINALS[0]!);
    const bytes = joined(change(JSON.stringify(header)), body);
    expect(() => use(bytes)).toThrow(CcparkError);
    expect(() => use(bytes)).toThrow(message);
    expect(() => use(bytes)).toThrow(FILE);
  });
});
