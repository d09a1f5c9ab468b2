/**
 * The messages of the hot path, encoded in one pass over one buffer: a step's request and its ordinary answer. Everything
 * else (resets, episodes that ended, errors, repeated numbers) is left to the generated encoder, whose bytes these equal.
 */
import {
  ConnectRequest,
  ConnectResponse,
  type EnvServiceService,
  type InfoColumn,
  StepResponse,
} from "./generated/ccpark/v1/environment.ts";

/** Field numbers of proto/ccpark/v1/environment.proto, as tags: number x 8 + 2 (bytes) or + 0 (varint). */
const REQUEST = { step: 26, seq: 24, actions: 34 } as const;
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

export function encodeStepResponse(step: StepResponse): Buffer {
  if (!isOrdinary(step)) return Buffer.from(StepResponse.encode(step).finish());
  const writer = new Writer(stepSize(step));
  writeStep(writer, step);
  return writer.bytes;
}

export function encodeConnectResponse(response: ConnectResponse): Buffer {
  const { payload } = response;
  if (payload?.$case !== "step" || !isOrdinary(payload.value)) {
    return Buffer.from(ConnectResponse.encode(response).finish());
  }
  const length = stepSize(payload.value);
  const seq = Number(response.seq);
  const writer = new Writer(numberSize(seq) + 1 + varintSize(length) + length);
  writer.number(RESPONSE.seq, seq);
  writer.head(RESPONSE.step, length);
  writeStep(writer, payload.value);
  return writer.bytes;
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

/** The generated definition of the service with these encoders in it. */
export function withStepCodec(service: EnvServiceService): EnvServiceService {
  return {
    ...service,
    step: { ...service.step, responseSerialize: encodeStepResponse },
    connect: {
      ...service.connect,
      requestSerialize: encodeConnectRequest,
      responseSerialize: encodeConnectResponse,
    },
  };
}
