/**
 * The messages of the hot path, encoded and decoded in one pass over one buffer: a step's request and its ordinary answer.
 * Everything else (resets, episodes that ended, errors, repeated numbers, fields that are not known here, garbage) is left
 * to the generated code, whose bytes and messages these equal.
 */
import {
  ConnectRequest,
  ConnectResponse,
  DataType,
  type EnvServiceService,
  type InfoColumn,
  StepRequest,
  StepResponse,
} from "./generated/ccpark/v1/environment.ts";

/** Field numbers of proto/ccpark/v1/environment.proto, as tags: number x 8 + 2 (bytes) or + 0 (varint). */
const REQUEST = { step: 26, sessionId: 10, sessionToken: 18, seq: 24, actions: 34 } as const;
const RESPONSE = { seq: 8, step: 34 } as const;
const STEP = {
  seq: 8,
  observations: 18,
  rewards: 26,
  terminated: 34,
  truncated: 42,
  resetRows: 50,
  infos: 66,
  present: 82,
  live: 90,
  ended: 98,
  states: 106,
} as const;
/** Of an enum's number: an int32, whose negative ones are long. */
const MAX_ENUM = 2 ** 31 - 1;
const INFO = { key: 10, dtype: 16, mask: 26, values: 34 } as const;

/** Bytes of a varint. */
function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size += 1;
  return size;
}

/** Of a field with a tag below 128. */
const fieldSize = (length: number): number => (length === 0 ? 0 : 1 + varintSize(length) + length);
const numberSize = (value: number): number => (value === 0 ? 0 : 1 + varintSize(value));

/** Writes to a buffer of the right size; fields that hold nothing are left out, as proto3 wants it. */
class Writer {
  readonly bytes: Buffer;
  #at = 0;

  constructor(size: number) {
    this.bytes = Buffer.allocUnsafe(size);
  }

  varint(value: number): void {
    let rest = value;
    while (rest >= 128) {
      this.bytes[this.#at++] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    this.bytes[this.#at++] = rest;
  }

  /** The head of a nested message, written even if it is empty. */
  head(tag: number, length: number): void {
    this.bytes[this.#at++] = tag;
    this.varint(length);
  }

  number(tag: number, value: number): void {
    if (value === 0) return;
    this.bytes[this.#at++] = tag;
    this.varint(value);
  }

  /** Also an empty one: an element of a repeated field. */
  element(tag: number, value: Uint8Array): void {
    this.head(tag, value.length);
    this.bytes.set(value, this.#at);
    this.#at += value.length;
  }

  field(tag: number, value: Uint8Array): void {
    if (value.length > 0) this.element(tag, value);
  }

  text(tag: number, value: string, length: number): void {
    if (length === 0) return;
    this.head(tag, length);
    this.#at += this.bytes.write(value, this.#at, "utf8");
  }
}

function elementsSize(elements: readonly Uint8Array[]): number {
  let size = 0;
  for (const { length } of elements) size += 1 + varintSize(length) + length;
  return size;
}

function infoSize({ key, dtype, mask, values }: InfoColumn): number {
  return (
    fieldSize(Buffer.byteLength(key)) + numberSize(dtype) + fieldSize(mask.length) + fieldSize(values.length)
  );
}

function isOrdinary(step: StepResponse): boolean {
  return (
    step.final === undefined &&
    step.episodes.length === 0 &&
    step.observationValues.length === 0 &&
    step.rewardValues.length === 0 &&
    step.stateValues.length === 0
  );
}

function stepSize(step: StepResponse): number {
  let size =
    numberSize(Number(step.seq)) +
    elementsSize(step.observations) +
    fieldSize(step.rewards.length) +
    fieldSize(step.terminated.length) +
    fieldSize(step.truncated.length) +
    fieldSize(step.resetRows.length) +
    fieldSize(step.present.length) +
    fieldSize(step.live.length) +
    fieldSize(step.ended.length) +
    fieldSize(step.states.length);
  for (const column of step.infos) {
    const length = infoSize(column);
    size += 1 + varintSize(length) + length;
  }
  return size;
}

function writeStep(writer: Writer, step: StepResponse): void {
  writer.number(STEP.seq, Number(step.seq));
  for (const leaf of step.observations) writer.element(STEP.observations, leaf);
  writer.field(STEP.rewards, step.rewards);
  writer.field(STEP.terminated, step.terminated);
  writer.field(STEP.truncated, step.truncated);
  writer.field(STEP.resetRows, step.resetRows);
  for (const column of step.infos) {
    writer.head(STEP.infos, infoSize(column));
    writer.text(INFO.key, column.key, Buffer.byteLength(column.key));
    writer.number(INFO.dtype, column.dtype);
    writer.field(INFO.mask, column.mask);
    writer.field(INFO.values, column.values);
  }
  writer.field(STEP.present, step.present);
  writer.field(STEP.live, step.live);
  writer.field(STEP.ended, step.ended);
  writer.field(STEP.states, step.states);
}

/**
 * An ordinary answer to a step, encoded where it was made: it is sent and kept as it is, and decoded for those who read its
 * fields.
 */
export class StepAnswer implements ConnectResponse {
  readonly seq: bigint;
  /** the ConnectResponse */
  readonly bytes: Buffer;
  readonly #stepLength: number;

  /** @param step ordinary; its arrays are copied */
  constructor(step: StepResponse) {
    const length = stepSize(step);
    const seq = Number(step.seq);
    const writer = new Writer(numberSize(seq) + 1 + varintSize(length) + length);
    writer.number(RESPONSE.seq, seq);
    writer.head(RESPONSE.step, length);
    writeStep(writer, step);
    this.seq = step.seq;
    this.bytes = writer.bytes;
    this.#stepLength = length;
  }

  /** the StepResponse in it */
  get stepBytes(): Buffer {
    return this.bytes.subarray(this.bytes.length - this.#stepLength);
  }

  get payload(): ConnectResponse["payload"] {
    return { $case: "step", value: decodeStepResponse(this.stepBytes) };
  }
}

/** What an answer is, without decoding it. */
export function kindOf(
  answer: ConnectResponse,
): NonNullable<ConnectResponse["payload"]>["$case"] | undefined {
  return answer instanceof StepAnswer ? "step" : answer.payload?.$case;
}

export function encodeStepResponse(step: StepResponse | StepAnswer): Buffer {
  if (step instanceof StepAnswer) return step.stepBytes;
  if (!isOrdinary(step)) return Buffer.from(StepResponse.encode(step).finish());
  const writer = new Writer(stepSize(step));
  writeStep(writer, step);
  return writer.bytes;
}

export function encodeConnectResponse(response: ConnectResponse): Buffer {
  if (response instanceof StepAnswer) return response.bytes;
  return Buffer.from(ConnectResponse.encode(response).finish());
}

export function encodeConnectRequest(request: ConnectRequest): Buffer {
  const { payload } = request;
  if (
    payload?.$case !== "step" ||
    payload.value.sessionId !== "" ||
    payload.value.sessionToken !== "" ||
    payload.value.actionValues.length > 0
  ) {
    return Buffer.from(ConnectRequest.encode(request).finish());
  }
  const seq = Number(payload.value.seq);
  const { actions } = payload.value;
  const length = numberSize(seq) + elementsSize(actions);
  const writer = new Writer(1 + varintSize(length) + length);
  writer.head(REQUEST.step, length);
  writer.number(REQUEST.seq, seq);
  for (const leaf of actions) writer.element(REQUEST.actions, leaf);
  return writer.bytes;
}

/** Reads a buffer; what it cannot read makes it `failed`. */
class Reader {
  readonly #bytes: Buffer;
  #at: number;
  readonly #end: number;
  failed = false;

  constructor(bytes: Buffer, from = 0) {
    this.#bytes = bytes;
    this.#at = from;
    this.#end = bytes.length;
  }

  get more(): boolean {
    return this.#at < this.#end && !this.failed;
  }

  get at(): number {
    return this.#at;
  }

  /** A whole number below 2^53. */
  varint(): number {
    let value = 0;
    for (let factor = 1; factor < 2 ** 53 && this.#at < this.#end; factor *= 128) {
      const byte = this.#bytes[this.#at++]!;
      value += (byte & 127) * factor;
      if (byte < 128) {
        this.failed ||= value > Number.MAX_SAFE_INTEGER;
        return value;
      }
    }
    this.failed = true;
    return 0;
  }

  /** Bytes with their length before them; not copied. */
  chunk(): Buffer {
    const length = this.varint();
    const from = this.#at;
    this.#at = from + length;
    this.failed ||= this.#at > this.#end;
    return this.#bytes.subarray(from, this.#at);
  }
}

/** @returns undefined for what is not ordinary */
function readStepRequest(bytes: Buffer, from: number): StepRequest | undefined {
  const reader = new Reader(bytes, from);
  const step: StepRequest = { sessionId: "", sessionToken: "", seq: 0n, actions: [], actionValues: [] };
  while (reader.more) {
    const tag = reader.varint();
    if (tag === REQUEST.actions) step.actions.push(reader.chunk());
    else if (tag === REQUEST.seq) step.seq = BigInt(reader.varint());
    else if (tag === REQUEST.sessionId) step.sessionId = reader.chunk().toString("utf8");
    else if (tag === REQUEST.sessionToken) step.sessionToken = reader.chunk().toString("utf8");
    else return undefined;
  }
  return reader.failed ? undefined : step;
}

const NO_BYTES = new Uint8Array(0);

/** Adds a column. @returns false: it is not ordinary, nothing was added */
function readInfo(bytes: Buffer, into: InfoColumn[]): boolean {
  const reader = new Reader(bytes);
  const column: InfoColumn = {
    key: "",
    dtype: DataType.DATA_TYPE_UNSPECIFIED,
    mask: NO_BYTES,
    values: NO_BYTES,
  };
  while (reader.more) {
    const tag = reader.varint();
    if (tag === INFO.values) column.values = reader.chunk();
    else if (tag === INFO.mask) column.mask = reader.chunk();
    else if (tag === INFO.key) column.key = reader.chunk().toString("utf8");
    else if (tag === INFO.dtype) column.dtype = reader.varint() as DataType;
    else return false;
  }
  if (reader.failed || column.dtype > MAX_ENUM) return false;
  into.push(column);
  return true;
}

/** @returns undefined for what is not ordinary */
function readStepResponse(bytes: Buffer, from: number): StepResponse | undefined {
  const reader = new Reader(bytes, from);
  const step: StepResponse = {
    seq: 0n,
    observations: [],
    rewards: NO_BYTES,
    terminated: NO_BYTES,
    truncated: NO_BYTES,
    resetRows: NO_BYTES,
    final: undefined,
    infos: [],
    episodes: [],
    present: NO_BYTES,
    live: NO_BYTES,
    ended: NO_BYTES,
    states: NO_BYTES,
    observationValues: [],
    rewardValues: [],
    stateValues: [],
  };
  while (reader.more) {
    switch (reader.varint()) {
      case STEP.seq:
        step.seq = BigInt(reader.varint());
        break;
      case STEP.observations:
        step.observations.push(reader.chunk());
        break;
      case STEP.rewards:
        step.rewards = reader.chunk();
        break;
      case STEP.terminated:
        step.terminated = reader.chunk();
        break;
      case STEP.truncated:
        step.truncated = reader.chunk();
        break;
      case STEP.resetRows:
        step.resetRows = reader.chunk();
        break;
      case STEP.infos:
        if (!readInfo(reader.chunk(), step.infos)) return undefined;
        break;
      case STEP.present:
        step.present = reader.chunk();
        break;
      case STEP.live:
        step.live = reader.chunk();
        break;
      case STEP.ended:
        step.ended = reader.chunk();
        break;
      case STEP.states:
        step.states = reader.chunk();
        break;
      default:
        return undefined;
    }
  }
  return reader.failed ? undefined : step;
}

/** Where the step lies that a message ends with; undefined: it has none, or something after it. */
function stepStart(reader: Reader, bytes: Buffer): number | undefined {
  const length = reader.varint();
  return reader.failed || reader.at + length !== bytes.length ? undefined : reader.at;
}

export function decodeStepRequest(bytes: Buffer): StepRequest {
  return readStepRequest(bytes, 0) ?? StepRequest.decode(bytes);
}

export function decodeStepResponse(bytes: Buffer): StepResponse {
  return readStepResponse(bytes, 0) ?? StepResponse.decode(bytes);
}

export function decodeConnectRequest(bytes: Buffer): ConnectRequest {
  const reader = new Reader(bytes);
  if (reader.varint() === REQUEST.step) {
    const start = stepStart(reader, bytes);
    const value = start === undefined ? undefined : readStepRequest(bytes, start);
    if (value !== undefined) return { payload: { $case: "step", value } };
  }
  return ConnectRequest.decode(bytes);
}

export function decodeConnectResponse(bytes: Buffer): ConnectResponse {
  const reader = new Reader(bytes);
  if (reader.varint() === RESPONSE.seq) {
    const seq = reader.varint();
    if (reader.varint() === RESPONSE.step) {
      const start = stepStart(reader, bytes);
      const value = start === undefined ? undefined : readStepResponse(bytes, start);
      if (value !== undefined) return { seq: BigInt(seq), payload: { $case: "step", value } };
    }
  }
  return ConnectResponse.decode(bytes);
}

/** The generated definition of the service with these in it. */
export function withStepCodec(service: EnvServiceService): EnvServiceService {
  return {
    ...service,
    step: {
      ...service.step,
      requestDeserialize: decodeStepRequest,
      responseSerialize: encodeStepResponse,
      responseDeserialize: decodeStepResponse,
    },
    connect: {
      ...service.connect,
      requestSerialize: encodeConnectRequest,
      requestDeserialize: decodeConnectRequest,
      responseSerialize: encodeConnectResponse,
      responseDeserialize: decodeConnectResponse,
    },
  };
}
