import { describe, expect, it } from "vitest";
import { Rng } from "../../core/random.ts";
import {
  ConnectRequest,
  ConnectResponse,
  DataType,
  StepRequest,
  StepResponse,
} from "../../envs/grpc/generated/ccpark/v1/environment.ts";
import {
  decodeConnectRequest,
  decodeConnectResponse,
  decodeStepRequest,
  decodeStepResponse,
  encodeConnectRequest,
  encodeConnectResponse,
  encodeStepResponse,
  StepAnswer,
} from "../../envs/grpc/step-codec.ts";

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i % 251);

/** Lengths around those where a varint grows, and none. */
const LENGTHS = [0, 1, 127, 128, 16_383, 16_384, 70_000];
const SEQS = [0n, 1n, 127n, 128n, 2n ** 31n, 2n ** 32n + 5n, 2n ** 53n - 1n];

function answer(length: number, seq: bigint): StepResponse {
  return StepResponse.fromPartial({
    seq,
    observations: [bytes(length)],
    rewards: bytes(length),
    terminated: bytes(length),
    truncated: bytes(length),
    resetRows: bytes(length),
    infos: [
      { key: "timeUs", dtype: DataType.DATA_TYPE_FLOAT64, mask: bytes(length), values: bytes(length) },
      { key: "", dtype: DataType.DATA_TYPE_UNSPECIFIED },
      { key: "größe", dtype: DataType.DATA_TYPE_BOOL, values: bytes(3) },
    ],
    present: bytes(length),
    live: bytes(length),
    ended: bytes(length),
    states: bytes(length),
  });
}

describe("the encoders of the hot path write the bytes of the generated ones", () => {
  it.each(LENGTHS)("for answers with fields of %i bytes", (length) => {
    for (const seq of SEQS) {
      const step = answer(length, seq);
      expect(encodeStepResponse(step).equals(StepResponse.encode(step).finish())).toBe(true);
      const response: ConnectResponse = { seq, payload: { $case: "step", value: step } };
      expect(encodeConnectResponse(response).equals(ConnectResponse.encode(response).finish())).toBe(true);
    }
  });

  it.each(LENGTHS)("for requests with actions of %i bytes", (length) => {
    for (const seq of SEQS) {
      const value: StepRequest = StepRequest.fromPartial({ seq, actions: [bytes(length)] });
      const request: ConnectRequest = { payload: { $case: "step", value } };
      expect(encodeConnectRequest(request).equals(ConnectRequest.encode(request).finish())).toBe(true);
    }
  });

  it("for answers with ends, errors and numbers one by one, and for other requests", () => {
    const responses: ConnectResponse[] = [
      { seq: 3n, payload: { $case: "error", value: { code: 3, message: "no", details: [] } } },
      { seq: 0n, payload: { $case: "attach", value: { lastSeqApplied: 9n } } },
      {
        seq: 4n,
        payload: {
          $case: "step",
          value: StepResponse.fromPartial({
            seq: 4n,
            final: { rows: [1], observations: [bytes(8)] },
            episodes: [{ row: 1, episodeReturn: 2.5, metrics: new Map([["score", 0.5]]) }],
          }),
        },
      },
      {
        seq: 5n,
        payload: {
          $case: "step",
          value: StepResponse.fromPartial({ observationValues: [1.5], rewardValues: [2] }),
        },
      },
    ];
    for (const response of responses) {
      expect(encodeConnectResponse(response).equals(ConnectResponse.encode(response).finish())).toBe(true);
    }
    const requests: ConnectRequest[] = [
      { payload: { $case: "detach", value: {} } },
      { payload: { $case: "step", value: StepRequest.fromPartial({ seq: 1n, actionValues: [0.5] }) } },
      { payload: { $case: "step", value: StepRequest.fromPartial({ seq: 1n, sessionId: "given" }) } },
    ];
    for (const request of requests) {
      expect(encodeConnectRequest(request).equals(ConnectRequest.encode(request).finish())).toBe(true);
    }
  });
});

/** A message as text that tells any two apart. */
const hex = (message: unknown): string =>
  JSON.stringify(message, (_, value: unknown) => {
    if (typeof value === "bigint") return `${value}n`;
    if (value instanceof Map) return [...value];
    if (value !== null && typeof value === "object" && "type" in value && value.type === "Buffer") {
      return Buffer.from((value as unknown as { data: number[] }).data).toString("hex");
    }
    return value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value;
  });

const DECODED_LENGTHS = [0, 1, 127, 128, 16_384];

describe("the decoders of the hot path read what the generated ones read", () => {
  it.each(DECODED_LENGTHS)(
    "in answers with fields of %i bytes, which are encoded where they are made, too",
    (length) => {
      for (const seq of SEQS) {
        const step = answer(length, seq);
        const [inner, outer] = [encodeStepResponse(step), new StepAnswer(step)];
        const whole: ConnectResponse = { seq, payload: { $case: "step", value: step } };
        expect(outer.bytes.equals(ConnectResponse.encode(whole).finish())).toBe(true);
        expect(outer.stepBytes.equals(inner)).toBe(true);
        expect(hex(outer.payload)).toBe(hex(ConnectResponse.decode(outer.bytes).payload));
        expect(hex(decodeStepResponse(inner))).toBe(hex(StepResponse.decode(inner)));
        expect(hex(decodeConnectResponse(outer.bytes))).toBe(hex(ConnectResponse.decode(outer.bytes)));
      }
    },
  );

  it.each(DECODED_LENGTHS)("in requests with actions of %i bytes", (length) => {
    for (const seq of [...SEQS, 2n ** 53n, 2n ** 64n - 1n]) {
      const value: StepRequest = StepRequest.fromPartial({
        seq,
        sessionId: "größe",
        actions: [bytes(length), bytes(3)],
      });
      const step = Buffer.from(StepRequest.encode(value).finish());
      expect(hex(decodeStepRequest(step))).toBe(hex(StepRequest.decode(step)));
      const whole = Buffer.from(ConnectRequest.encode({ payload: { $case: "step", value } }).finish());
      expect(hex(decodeConnectRequest(whole))).toBe(hex(ConnectRequest.decode(whole)));
    }
  });

  it("in everything else, and refuse what they refuse: cut, changed and random bytes", () => {
    const rng = Rng.fromSeed(7);
    const random = (below: number): number => Math.floor(rng.next() * below);
    const outcome = (decode: () => unknown): string => {
      try {
        return hex(decode());
      } catch {
        return "refused";
      }
    };
    const whole: ConnectResponse = { seq: 300n, payload: { $case: "step", value: answer(9, 300n) } };
    const step: StepRequest = StepRequest.fromPartial({ seq: 300n, actions: [bytes(200)] });
    const seeds: Buffer[] = [
      Buffer.from(ConnectResponse.encode(whole).finish()),
      Buffer.from(ConnectRequest.encode({ payload: { $case: "step", value: step } }).finish()),
      Buffer.from(StepRequest.encode(step).finish()),
      Buffer.from(StepResponse.encode(answer(9, 300n)).finish()),
      Buffer.alloc(0),
    ];
    const pairs = [
      [decodeConnectRequest, (b: Buffer) => ConnectRequest.decode(b)],
      [decodeConnectResponse, (b: Buffer) => ConnectResponse.decode(b)],
      [decodeStepRequest, (b: Buffer) => StepRequest.decode(b)],
      [decodeStepResponse, (b: Buffer) => StepResponse.decode(b)],
    ] as const;
    for (let k = 0; k < 5_000; k++) {
      const seed = seeds[k % seeds.length]!;
      const changed = Buffer.from(seed.subarray(0, random(seed.length + 1)));
      if (changed.length > 0)
        for (let n = random(3); n > 0; n--) changed[random(changed.length)] = random(256);
      for (const [fast, generated] of pairs) {
        expect(
          outcome(() => fast(changed)),
          changed.toString("hex"),
        ).toBe(outcome(() => generated(changed)));
      }
    }
  });
});
