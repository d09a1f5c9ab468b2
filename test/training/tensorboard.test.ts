/** TensorBoard's event files, read back by their documented format. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { afterAll, describe, expect, it } from "vitest";
import { recordOf } from "../../training/tensorboard/event-file.ts";
import { openTensorBoard } from "../../training/tensorboard/event-files.ts";

const folder = mkdtempSync(join(tmpdir(), "ccpark-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** CRC-32C bit by bit (Castagnoli, reflected 0x82f63b78), masked as TFRecords have it. */
function maskedCrc(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let i = 0; i < 8; i++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  crc = ~crc >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

interface Event {
  wallTime: number;
  step: number;
  version?: string;
  restart?: boolean;
  scalars: Record<string, number>;
}

function readValue(reader: BinaryReader, end: number): [string, number] {
  let tag = "";
  let value = Number.NaN;
  while (reader.pos < end) {
    const [field, type] = reader.tag();
    if (field === 1) tag = reader.string();
    else if (field === 2) value = reader.float();
    else reader.skip(type);
  }
  return [tag, value];
}

function readEvent(payload: Uint8Array): Event {
  const reader = new BinaryReader(payload);
  const event: Event = { wallTime: 0, step: 0, scalars: {} };
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === 1) event.wallTime = reader.double();
    else if (field === 2) event.step = Number(reader.int64());
    else if (field === 3) event.version = reader.string();
    else if (field === 5) {
      const end = reader.uint32() + reader.pos;
      while (reader.pos < end) {
        reader.tag();
        const length = reader.uint32();
        const [tag, value] = readValue(reader, reader.pos + length);
        event.scalars[tag] = value;
      }
    } else if (field === 7) {
      reader.skip(type);
      event.restart = true;
    } else reader.skip(type);
  }
  return event;
}

function readEvents(bytes: Uint8Array): Event[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const events: Event[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(view.getBigUint64(at, true));
    const payload = bytes.subarray(at + 12, at + 12 + length);
    expect(view.getUint32(at + 8, true)).toBe(maskedCrc(bytes.subarray(at, at + 8)));
    expect(view.getUint32(at + 12 + length, true)).toBe(maskedCrc(payload));
    events.push(readEvent(payload));
    at += length + 16;
  }
  return events;
}

const LINE = {
  ...{ update: 1, steps: 2048, totalSteps: 4096, episodes: 3, meanEpisodeReturn: 7.5, meanScore: 12.5 },
  ...{ meanUtilisation: 0.5, meanQueueDelayMs: Number.NaN, losses: { policyLoss: -0.25 } },
};
const EVALUATION = {
  ...{ update: 1, steps: 2048, best: true, links: [], score: 13, utilisation: 0.75, meanQueueDelayMs: 2 },
  ...{ lossRate: 0.125, baselines: { cubic: 12, bbr: 14 } },
};

describe("an event file of a training", () => {
  it("holds scalars of progress and evaluations at their steps, and nothing that is no number", () => {
    const board = openTensorBoard(join(folder, "new"), 0, () => 1_700_000_000.5);
    board.progress(LINE);
    board.evaluation(EVALUATION);
    const [name, ...others] = readdirSync(join(folder, "new/tensorboard"));
    expect(others).toEqual([]);
    expect(name).toBe("events.out.tfevents.1700000000.0.ccpark");
    const events = readEvents(readFileSync(join(folder, "new/tensorboard", name!)));
    expect(events).toEqual([
      { wallTime: 1_700_000_000.5, step: 0, version: "brain.Event:2", scalars: {} },
      {
        wallTime: 1_700_000_000.5,
        step: 2048,
        scalars: {
          "training/episodes": 3,
          "training/meanEpisodeReturn": 7.5,
          "training/meanScore": 12.5,
          "training/meanUtilisation": 0.5,
          "loss/policyLoss": -0.25,
        },
      },
      {
        wallTime: 1_700_000_000.5,
        step: 2048,
        scalars: {
          "validation/score": 13,
          "validation/utilisation": 0.75,
          "validation/meanQueueDelayMs": 2,
          "validation/lossRate": 0.125,
          "validation/score-cubic": 12,
          "validation/score-bbr": 14,
        },
      },
    ]);
  });

  it("of a run that goes on says from where", () => {
    const board = openTensorBoard(join(folder, "on"), 4096, () => 1_700_000_001);
    board.progress({ ...LINE, steps: 6144 });
    const [name] = readdirSync(join(folder, "on/tensorboard"));
    const events = readEvents(readFileSync(join(folder, "on/tensorboard", name!)));
    expect(events[1]).toEqual({ wallTime: 1_700_000_001, step: 4097, restart: true, scalars: {} });
    expect(events[2]!.step).toBe(6144);
  });

  it("has the CRC of the published example: 32 bytes of 0 have CRC-32C 8a9136aa", () => {
    const record = recordOf(new Uint8Array(32));
    const crc = 0x8a9136aa;
    const masked = (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
    expect(new DataView(record.buffer).getUint32(12 + 32, true)).toBe(masked);
  });
});
