/**
 * TensorBoard's event files: records of length, CRC and payload (TensorFlow's TFRecord), whose payload is an `Event` message
 * (tensorflow/core/util/event.proto). CRCs are CRC-32C, masked. Only scalars are written.
 *
 *   uint64 length | uint32 masked CRC of the length | payload | uint32 masked CRC of the payload      all little-endian
 */
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { crc32c } from "./crc32c.ts";

/** > masked_crc = ((crc >> 15) | (crc << 17)) + 0xa282ead8ul    (TFRecords and tf.train.Example) */
const MASK_DELTA = 0xa282ead8;

function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0;
}

/** One record around a payload. */
export function recordOf(payload: Uint8Array): Uint8Array {
  const record = new Uint8Array(8 + 4 + payload.length + 4);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(payload.length), true);
  view.setUint32(8, maskedCrc(record.subarray(0, 8)), true);
  record.set(payload, 12);
  view.setUint32(12 + payload.length, maskedCrc(payload), true);
  return record;
}

/** Field numbers of `Event`, `Summary`, `Summary.Value` and `SessionLog`. */
const EVENT = { wallTime: 1, step: 2, fileVersion: 3, summary: 5, sessionLog: 7 } as const;
const SUMMARY = { value: 1 } as const;
const VALUE = { tag: 1, simpleValue: 2 } as const;
const SESSION_LOG = { status: 1 } as const;
const SESSION_START = 1;

const LENGTH_DELIMITED = 2;
const FIXED32 = 5;
const FIXED64 = 1;
const VARINT = 0;

function event(wallTimeSec: number, step: number): BinaryWriter {
  const writer = new BinaryWriter().tag(EVENT.wallTime, FIXED64).double(wallTimeSec);
  return step === 0 ? writer : writer.tag(EVENT.step, VARINT).int64(step);
}

/** What every file begins with. */
export function versionEvent(wallTimeSec: number): Uint8Array {
  return event(wallTimeSec, 0).tag(EVENT.fileVersion, LENGTH_DELIMITED).string("brain.Event:2").finish();
}

/** A run goes on from this step: what earlier files of the folder have from there on counts no more. */
export function restartEvent(wallTimeSec: number, step: number): Uint8Array {
  const writer = event(wallTimeSec, step).tag(EVENT.sessionLog, LENGTH_DELIMITED).fork();
  return writer.tag(SESSION_LOG.status, VARINT).int32(SESSION_START).join().finish();
}

/** @param scalars by tag, such as `validation/score`; what is not finite is left out */
export function scalarsEvent(
  wallTimeSec: number,
  step: number,
  scalars: Readonly<Record<string, number>>,
): Uint8Array {
  const writer = event(wallTimeSec, step).tag(EVENT.summary, LENGTH_DELIMITED).fork();
  for (const [tag, value] of Object.entries(scalars)) {
    if (!Number.isFinite(value)) continue;
    writer.tag(SUMMARY.value, LENGTH_DELIMITED).fork();
    writer.tag(VALUE.tag, LENGTH_DELIMITED).string(tag);
    writer.tag(VALUE.simpleValue, FIXED32).float(value).join();
  }
  return writer.join().finish();
}
