import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileProgram } from "../../ccp-bridge/lang/compiler.ts";
import { REGISTER_TYPES } from "../../ccp-bridge/program.ts";
import { decodeChangeProg, encodeChangeProg } from "../../ccp-bridge/wire/change-prog.ts";
import { decodeCreate, encodeCreate } from "../../ccp-bridge/wire/create.ts";
import type { FieldUpdate } from "../../ccp-bridge/wire/field-update.ts";
import { decodeInstall, encodeInstall } from "../../ccp-bridge/wire/install.ts";
import { decodeMeasure, encodeMeasure } from "../../ccp-bridge/wire/measure.ts";
import { decodeReady, encodeReady } from "../../ccp-bridge/wire/ready.ts";
import { decodeUpdateField, encodeUpdateField } from "../../ccp-bridge/wire/update-field.ts";
import { WireError } from "../../ccp-bridge/wire/wire-error.ts";
import { fromHex, loadVectors, type MessageVector, toHex } from "./vectors.ts";

const vectors = loadVectors();

/** `control:15:v=7`, `implicit:4=42` */
function parseUpdate(text: string): FieldUpdate {
  const [register, value] = text.split("=") as [string, string];
  const [file, index, volatile] = register.split(":");
  const registerType =
    file === "implicit"
      ? REGISTER_TYPES.implicit
      : volatile === "v"
        ? REGISTER_TYPES.controlVolatile
        : REGISTER_TYPES.controlNonvolatile;
  return { registerType, index: Number(index), value: BigInt(value) };
}

interface Fields {
  sid: number;
  id: number;
  init_cwnd: number;
  mss: number;
  src_ip: number;
  src_port: number;
  dst_ip: number;
  dst_port: number;
  cong_alg: string | null;
  program_uid: number;
  fields: string[];
  program: string;
}

function roundTrip(vector: MessageVector): { encoded: Uint8Array; decoded: unknown; expected: unknown } {
  const fields = vector.fields as unknown as Fields;
  const bytes = fromHex(vector.hex);
  switch (vector.kind) {
    case "ready": {
      const expected = { datapathId: fields.id };
      return { encoded: encodeReady(expected), decoded: decodeReady(bytes), expected };
    }
    case "create": {
      const expected = {
        flowId: fields.sid,
        initCwndBytes: fields.init_cwnd,
        mssBytes: fields.mss,
        srcIp: fields.src_ip,
        srcPort: fields.src_port,
        dstIp: fields.dst_ip,
        dstPort: fields.dst_port,
        algorithmName: fields.cong_alg ?? "",
      };
      return { encoded: encodeCreate(expected), decoded: decodeCreate(bytes), expected };
    }
    case "measure": {
      const values = BigUint64Array.from(fields.fields.map(BigInt));
      const expected = { flowId: fields.sid, programUid: fields.program_uid, fields: values };
      return { encoded: encodeMeasure(expected), decoded: decodeMeasure(bytes), expected };
    }
    case "install": {
      const source = vectors!.compile.find((one) => one.name === fields.program)!.source;
      const program = compileProgram(source);
      const { events, instructions } = program;
      const expected = { programUid: fields.program_uid, events, instructions };
      return { encoded: encodeInstall(fields.program_uid, program), decoded: decodeInstall(bytes), expected };
    }
    case "update_field": {
      const expected = { flowId: fields.sid, updates: fields.fields.map(parseUpdate) };
      return { encoded: encodeUpdateField(expected), decoded: decodeUpdateField(bytes), expected };
    }
    case "change_prog": {
      const updates = fields.fields.map(parseUpdate);
      const expected = { flowId: fields.sid, programUid: fields.program_uid, updates };
      return { encoded: encodeChangeProg(expected), decoded: decodeChangeProg(bytes), expected };
    }
    default:
      throw new Error(`unknown kind ${vector.kind}`);
  }
}

describe.skipIf(vectors === undefined)("messages written by Portus and libccp", () => {
  for (const vector of vectors?.messages ?? []) {
    if (vector.hex.startsWith("ERR")) {
      it(`${vector.name} cannot be asked for: the compiler admits no such register`, () => {
        const controls = Array.from({ length: 17 }, (_, i) => `(c${i} 0)`).join(" ");
        expect(() => compileProgram(`(def ${controls})(when true (:= c16 1))`)).toThrow(/too many/);
      });
      continue;
    }
    it(`reads and writes ${vector.name} byte for byte`, () => {
      const { encoded, decoded, expected } = roundTrip(vector);
      expect(toHex(encoded)).toBe(vector.hex);
      expect(decoded).toEqual(expected);
    });
  }
});

describe("decoders", () => {
  const decoders = [
    decodeReady,
    decodeCreate,
    decodeMeasure,
    decodeInstall,
    decodeUpdateField,
    decodeChangeProg,
  ];

  it("answer any bytes with a message or a WireError, never with another error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), fc.nat(5), fc.boolean(), (bytes, type, honest) => {
        if (bytes.length >= 4) {
          bytes[0] = type;
          bytes[3] = 0;
          if (honest) bytes[2] = bytes.length;
        }
        for (const decode of decoders) {
          try {
            decode(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(WireError);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it("say at which byte a message goes wrong", () => {
    const torn = encodeUpdateField({ flowId: 1, updates: [parseUpdate("implicit:4=42")] });
    torn[8] = 2;
    const decode = () => decodeUpdateField(torn);
    expect(decode).toThrow(WireError);
    expect(decode).toThrow(/byte 25: got 25 bytes, expected 38/);
  });
});

describe("field updates", () => {
  it("carry the same value as a number and as a bigint", () => {
    for (const value of [0, 1, 4_294_967_295, 4_294_967_296, 2 ** 53 - 1, 2 ** 63]) {
      const update = (v: number | bigint) =>
        encodeUpdateField({ flowId: 7, updates: [{ registerType: 0, index: 3, value: v }] });
      expect(update(value)).toEqual(update(BigInt(value)));
    }
  });
});
