import { describe, expect, it } from "vitest";
import {
  ConnectRequest,
  ConnectResponse,
  DataType,
  StepRequest,
  StepResponse,
} from "../../envs/grpc/generated/ccpark/v1/environment.ts";
import {
  encodeConnectRequest,
  encodeConnectResponse,
  encodeStepResponse,
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
