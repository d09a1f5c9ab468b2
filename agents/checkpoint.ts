/**
 * The checkpoint format: everything that a run needs to go on and everything that a policy needs to act, as bytes.
 *
 *   8 bytes   magic "ccparkck"
 *   u32 LE    length of the header in bytes, H
 *   u32 LE    CRC-32 of everything that follows
 *   H bytes   header, JSON in UTF-8, padded with spaces so that the arrays start at a multiple of 8
 *   arrays    little-endian, in the order of `arrays` in the header, each padded with zeros to a multiple of 8
 *
 * The header is the same for every learner but for `options` and `state`, which the learner that it names checks itself.
 * Version 1, of PPO alone, is upgraded on reading. Nothing in it tells when, where or by whom it was made: the same run
 * gives the same bytes.
 */
import * as z from "zod";
import { CcparkError } from "../core/errors.ts";
import { type Box, type Discrete, makeDiscrete, type Space } from "../envs/spaces.ts";

const MAGIC = "ccparkck";
const PREFIX_BYTES = 16;
export const CHECKPOINT_FORMAT = "ccpark-checkpoint" as const;
/** Rises when a reader of the old version would misread the new one. */
export const CHECKPOINT_VERSION = 2 as const;

/** What the policy was trained on: names as the user knows them; only strings, so that it prints as it is. */
export interface EnvDescription {
  /** name of the observation */
  readonly observation: string;
  /** name of the action */
  readonly action: string;
  /** name of the reward */
  readonly reward: string;
  /** scenario names, step length and whatever else matters */
  readonly description: string;
}

/** A box as stored; Infinity has no form in JSON. */
export interface StoredBox {
  readonly shape: readonly [number];
  /** of the dimensions */
  readonly names: readonly string[];
  readonly low: readonly (number | "Infinity" | "-Infinity")[];
  readonly high: readonly (number | "Infinity" | "-Infinity")[];
}

/** Choices as stored. */
export interface StoredDiscrete {
  readonly n: number;
  /** of the choices */
  readonly names: readonly string[];
}

export type StoredSpace = StoredBox | StoredDiscrete;

export const NO_DESCRIPTION: EnvDescription = { observation: "", action: "", reward: "", description: "" };

/** What an agent sees and does. */
export interface Spaces {
  readonly observationSpace: Box;
  readonly actionSpace: Space;
}

export interface CheckpointHeader {
  /** name of the learner in agents/registry.ts */
  readonly learner: string;
  readonly env: EnvDescription;
  readonly observationSpace: StoredBox;
  readonly actionSpace: StoredSpace;
  readonly options: Readonly<Record<string, number | string | boolean | readonly number[]>>;
  readonly seed: number;
  /** environment steps, over all environments */
  readonly steps: number;
  readonly updates: number;
  readonly episodes: number;
  /** the learner's own; its schema checks it, see `readState` */
  readonly state: Readonly<Record<string, unknown>>;
}

interface StoredArray {
  readonly name: string;
  readonly type: "f32" | "f64";
  readonly length: number;
}

type Header = CheckpointHeader & {
  readonly format: typeof CHECKPOINT_FORMAT;
  readonly version: typeof CHECKPOINT_VERSION;
  readonly arrays: readonly StoredArray[];
};

export interface Checkpoint {
  /** the file that it was read from, for messages; absent: it was made here */
  readonly where?: string;
  readonly header: CheckpointHeader;
  /** the learner's numbers by name, all finite */
  readonly arrays: Readonly<Record<string, Float32Array | Float64Array>>;
}

const wholeNumber = z.number().int().nonnegative();
const bound = z.union([z.number(), z.literal("Infinity"), z.literal("-Infinity")]);
const boxSchema: z.ZodType<StoredBox> = z
  .object({
    shape: z.tuple([z.number().int().positive()]),
    names: z.array(z.string()),
    low: z.array(bound),
    high: z.array(bound),
  })
  .refine(
    ({ shape: [size], names, low, high }) =>
      names.length === size && low.length === size && high.length === size,
    { error: "expected as many names and bounds as the shape says" },
  );
const discreteSchema: z.ZodType<StoredDiscrete> = z
  .object({ n: z.number().int().positive(), names: z.array(z.string()) })
  .refine(({ n, names }) => names.length === n, { error: "expected as many names as choices" });
/** Spaces as they are stored, in checkpoints and beside recorded runs. */
export const SPACES_SCHEMA: z.ZodObject<{
  observationSpace: typeof boxSchema;
  actionSpace: z.ZodType<StoredSpace>;
}> = z.object({
  observationSpace: boxSchema,
  actionSpace: z.union([boxSchema, discreteSchema], "expected a box or choices"),
});
const headerSchema: z.ZodType<Header> = z.object({
  format: z.literal(CHECKPOINT_FORMAT),
  version: z.literal(CHECKPOINT_VERSION),
  learner: z.string().min(1),
  env: z.object({ observation: z.string(), action: z.string(), reward: z.string(), description: z.string() }),
  ...SPACES_SCHEMA.shape,
  options: z.record(z.string(), z.union([z.number(), z.string(), z.boolean(), z.array(z.number())])),
  seed: wholeNumber,
  steps: wholeNumber,
  updates: wholeNumber,
  episodes: wholeNumber,
  state: z.record(z.string(), z.unknown()),
  arrays: z
    .array(z.object({ name: z.string().min(1), type: z.enum(["f32", "f64"]), length: wholeNumber }))
    .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, {
      error: "expected each name once",
    }),
});

/** The header of version 1: what is PPO's own lay beside what every learner has. */
function upgraded(json: unknown): unknown {
  if (typeof json !== "object" || json === null || !("version" in json) || json.version !== 1) return json;
  const { algorithm, adamSteps, returnStatistics, valueScale, observationCount, hidden, ...rest } =
    json as Record<string, unknown>;
  const options = { ...(rest["options"] as object | undefined), hidden };
  const state = { adamSteps, returnStatistics, valueScale, observationCount };
  return { ...rest, version: CHECKPOINT_VERSION, learner: algorithm, options, state };
}

const CRC_TABLE: Uint32Array = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

/** CRC-32 of ISO 3309, as in gzip. */
function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) c = CRC_TABLE[(c ^ bytes[i]!) & 0xff]! ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

const padded = (bytes: number): number => Math.ceil(bytes / 8) * 8;

function notFinite(name: string, value: number): CcparkError {
  return new CcparkError(
    "failed-precondition",
    `[checkpoint] not written: got ${value} in array \`${name}\`, expected finite numbers; the training has diverged`,
  );
}

/** @throws CcparkError (failed-precondition) for numbers that are not finite: nobody could read them */
export function encodeCheckpoint(checkpoint: Checkpoint): Uint8Array {
  const entries = Object.entries(checkpoint.arrays);
  const header: Header = {
    format: CHECKPOINT_FORMAT,
    version: CHECKPOINT_VERSION,
    ...checkpoint.header,
    arrays: entries.map(([name, array]) => ({
      name,
      type: array instanceof Float32Array ? "f32" : "f64",
      length: array.length,
    })),
  };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const headerBytes = padded(text.length);
  const total = entries.reduce(
    (sum, [, array]) => sum + padded(array.byteLength),
    PREFIX_BYTES + headerBytes,
  );
  const bytes = new Uint8Array(total);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(MAGIC));
  view.setUint32(8, headerBytes, true);
  bytes.fill(0x20, PREFIX_BYTES, PREFIX_BYTES + headerBytes);
  bytes.set(text, PREFIX_BYTES);
  let at = PREFIX_BYTES + headerBytes;
  for (const [name, array] of entries) {
    const width = array.BYTES_PER_ELEMENT;
    for (let i = 0; i < array.length; i++) {
      if (!Number.isFinite(array[i])) throw notFinite(name, array[i]!);
      if (width === 4) view.setFloat32(at + 4 * i, array[i]!, true);
      else view.setFloat64(at + 8 * i, array[i]!, true);
    }
    at += padded(array.byteLength);
  }
  view.setUint32(12, crc32(bytes.subarray(PREFIX_BYTES)), true);
  return bytes;
}

function broken(where: string, got: string, expected: string): CcparkError {
  return new CcparkError(
    "invalid-argument",
    `[checkpoint] not readable, ${where}: got ${got}, expected ${expected}`,
  );
}

function parseHeader(bytes: Uint8Array, where: string): Header {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes), (key, value: unknown) => {
      if (key === "__proto__") throw broken(where, "a header field `__proto__`", "fields of a checkpoint");
      return value;
    });
  } catch (cause) {
    if (cause instanceof CcparkError) throw cause;
    throw new CcparkError("invalid-argument", `[checkpoint] not readable, ${where}: the header is not JSON`, {
      cause,
    });
  }
  const version = (json as { version?: unknown } | null)?.version;
  if (typeof version === "number" && version !== 1 && version !== CHECKPOINT_VERSION) {
    throw broken(where, `format version ${version}`, `version 1 or ${CHECKPOINT_VERSION}`);
  }
  const parsed = headerSchema.safeParse(upgraded(json));
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new CcparkError(
      "invalid-argument",
      `[checkpoint] not readable, ${where}: header field \`${issue.path.join(".")}\`: ${issue.message}`,
    );
  }
  return parsed.data;
}

/**
 * @param where the file's name, for messages
 * @throws CcparkError (invalid-argument) for anything that is not a whole checkpoint of a known version, and for numbers
 *   that are not finite
 */
export function decodeCheckpoint(bytes: Uint8Array, where: string): Checkpoint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < PREFIX_BYTES || new TextDecoder().decode(bytes.subarray(0, 8)) !== MAGIC) {
    throw broken(where, "other bytes", `a ccpark checkpoint (starting with "${MAGIC}")`);
  }
  const headerBytes = view.getUint32(8, true);
  if (view.getUint32(12, true) !== crc32(bytes.subarray(PREFIX_BYTES))) {
    throw broken(where, "damaged or cut content", "the checksum in its first 16 bytes");
  }
  const stored = parseHeader(bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + headerBytes), where);
  const { format: _format, version: _version, arrays: list, ...header } = stored;
  const sizeOf = ({ type, length }: StoredArray): number => padded(length * (type === "f32" ? 4 : 8));
  const total = list.reduce((sum, array) => sum + sizeOf(array), PREFIX_BYTES + headerBytes);
  if (total !== bytes.length) {
    throw broken(where, `${bytes.length} bytes`, `${total}, as its header lists arrays`);
  }
  const arrays: [string, Float32Array | Float64Array][] = [];
  let at = PREFIX_BYTES + headerBytes;
  for (const entry of list) {
    const { name, type, length } = entry;
    const array = type === "f32" ? new Float32Array(length) : new Float64Array(length);
    for (let i = 0; i < length; i++) {
      const x = type === "f32" ? view.getFloat32(at + 4 * i, true) : view.getFloat64(at + 8 * i, true);
      if (!Number.isFinite(x)) throw broken(where, `${x} in array \`${name}\``, "finite numbers");
      array[i] = x;
    }
    arrays.push([name, array]);
    at += sizeOf(entry);
  }
  return { where, header, arrays: Object.fromEntries(arrays) };
}

/**
 * Looks into a checkpoint; what is wrong with it is told with the name of its file.
 * @throws CcparkError what `run` throws
 */
export function inCheckpoint<T>({ where }: Checkpoint, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    if (where === undefined || !(cause instanceof CcparkError)) throw cause;
    const message = `[checkpoint] ${where}: ${cause.message.replace(/^\[checkpoint\] /, "")}`;
    throw new CcparkError(cause.kind, message, { cause, field: cause.field });
  }
}

/**
 * The learner's own part of the header.
 * @throws CcparkError (invalid-argument) with the first field that does not fit
 */
export function readState<State>({ learner, state }: CheckpointHeader, schema: z.ZodType<State>): State {
  const parsed = schema.safeParse(state);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new CcparkError(
    "invalid-argument",
    `[checkpoint] state of \`${learner}\`, field \`${issue.path.join(".")}\`: ${issue.message}`,
  );
}

/** @throws CcparkError (invalid-argument) where there is none, or one of another length */
export function readArray({ arrays }: Checkpoint, name: string, length: number): Float32Array | Float64Array {
  const array = Object.hasOwn(arrays, name) ? arrays[name] : undefined;
  if (array?.length === length) return array;
  throw new CcparkError(
    "invalid-argument",
    `[checkpoint] array \`${name}\`: got ${array?.length ?? "no"} numbers, expected ${length}`,
  );
}

const storedBound = (x: number): number | "Infinity" | "-Infinity" =>
  Number.isFinite(x) ? x : x > 0 ? "Infinity" : "-Infinity";

export function storeBox(space: Box): StoredBox {
  return {
    shape: [space.shape[0]],
    names: space.dimensions.map((d) => d.name),
    low: Array.from(space.low, storedBound),
    high: Array.from(space.high, storedBound),
  };
}

export function storeSpace(space: Space): StoredSpace {
  if (space.kind === "box") return storeBox(space);
  return { n: space.n, names: space.choices.map(({ name }) => name) };
}

/** A box with the stored names and bounds; units and definitions are not stored. */
function restoreBox(stored: StoredBox): Box {
  return {
    kind: "box",
    shape: [stored.shape[0]],
    low: Float32Array.from(stored.low, Number),
    high: Float32Array.from(stored.high, Number),
    dimensions: stored.names.map((name, i) => ({
      name,
      unit: "1",
      low: Number(stored.low[i]),
      high: Number(stored.high[i]),
      definition: "",
    })),
  };
}

function restoreDiscrete({ names }: StoredDiscrete): Discrete {
  return makeDiscrete(names.map((name) => ({ name, definition: "" })));
}

/** The stored spaces, as far as they are stored. */
export function restoreSpaces(header: Pick<CheckpointHeader, "observationSpace" | "actionSpace">): Spaces {
  return {
    observationSpace: restoreBox(header.observationSpace),
    actionSpace:
      "n" in header.actionSpace ? restoreDiscrete(header.actionSpace) : restoreBox(header.actionSpace),
  };
}

/**
 * Refuses a checkpoint whose numbers mean something else than the environment's of the same shape.
 * @throws CcparkError (invalid-argument) with the first name that differs
 */
export function checkNames(header: CheckpointHeader, { observationSpace, actionSpace }: Spaces): void {
  const action = storeSpace(actionSpace);
  const pairs = [
    ["observation", header.observationSpace.names, observationSpace.dimensions.map(({ name }) => name)],
    ["action", header.actionSpace.names, action.names],
  ] as const;
  for (const [what, stored, expected] of pairs) {
    const at = expected.findIndex((name, i) => stored[i] !== name);
    if (at < 0) continue;
    throw new CcparkError(
      "invalid-argument",
      `[checkpoint] number ${at} of the ${what}: got \`${stored[at]}\` in the checkpoint, expected \`${expected[at]}\``,
    );
  }
}

/** What checkpoints and environments are compared by. */
interface Shapes {
  readonly observationSpace: { readonly shape: readonly [number] };
  readonly actionSpace: { readonly shape: readonly [number] } | { readonly n: number };
}

function shapesOf({ observationSpace, actionSpace }: Shapes): string {
  const action = "n" in actionSpace ? `${actionSpace.n} choices` : `action shape [${actionSpace.shape[0]}]`;
  return `observation shape [${observationSpace.shape[0]}] and ${action}`;
}

/**
 * Refuses a checkpoint that was trained on other spaces.
 * @throws CcparkError (invalid-argument) with both shapes
 */
export function checkSpaces(stored: Shapes, spaces: Shapes): void {
  const [had, has] = [shapesOf(stored), shapesOf(spaces)];
  if (had === has) return;
  throw new CcparkError(
    "invalid-argument",
    `[checkpoint] the checkpoint does not fit the environment: got ${had} in the checkpoint, expected ${has}`,
  );
}
