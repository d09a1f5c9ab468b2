/**
 * How large requests with free data in them may be, found out on the wire: making objects of a message takes the thread that
 * all clients share a hundred times as long as looking over its lengths. A request that is too large is not decoded; who
 * handles it asks `checkExtent`.
 */
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { status } from "@grpc/grpc-js";
import type { EnvServiceService } from "../generated/ccpark/v1/environment.ts";
import { ConnectRequest, CreateSessionRequest, ResetRequest } from "../generated/ccpark/v1/environment.ts";
import { EnvironmentRequest, type EnvironmentService } from "../generated/dm_env_rpc/v1/dm_env_rpc.ts";
import { RpcError } from "../status-codes.ts";

/** A trace of 300,000 opportunities, at 12 bytes each. */
const MAX_STRUCT_BYTES = 4 * 2 ** 20;
/** Fields of objects, 5 us each until they are in another thread: a tenth of a second. */
const MAX_STRUCT_FIELDS = 20_000;
/** Deeper than any scenario; the generated decoder ends at 100. */
const MAX_STRUCT_DEPTH = 64;
/** Names, ids and tokens, and columns of info. */
const MAX_PLAIN_BYTES = 64 * 2 ** 10;
/** Seeds and flags of a reset, of each environment; as varints of 64 bits. */
const BYTES_PER_ENV = 12;
/** Settings of a world, actions of one environment. */
const MAX_DM_ENV_RPC_BYTES = 256 * 2 ** 10;

interface Refusal {
  readonly code: status;
  readonly message: string;
  readonly field: string;
}

/** Why a request was not decoded. */
const refusals = new WeakMap<object, Refusal>();

/** @throws RpcError for a request that was too large to be decoded */
export function checkExtent(request: object, isFatal = false): void {
  const refusal = refusals.get(request);
  if (refusal === undefined) return;
  const { code, message, field } = refusal;
  throw new RpcError(code, `[grpc] ${field}: ${message}`, { fatal: isFatal, field });
}

const LENGTH_DELIMITED = 2;

/** Calls `see` with each field of a message that has a length, and its bytes. */
function eachField(bytes: Uint8Array, see: (field: number, value: Uint8Array) => void): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (wireType === LENGTH_DELIMITED) see(field, reader.bytes());
    else reader.skip(wireType, field);
  }
}

class TooLarge extends Error {
  readonly code: status;
  constructor(message: string, code: status = status.RESOURCE_EXHAUSTED) {
    super(message);
    this.code = code;
  }
}

/** Looks over a google.protobuf.Struct. @throws TooLarge */
class StructScan {
  #fields = 0;

  struct(bytes: Uint8Array, depth: number): void {
    if (depth > MAX_STRUCT_DEPTH) throw new TooLarge(`got more, expected at most ${MAX_STRUCT_DEPTH} levels`);
    eachField(bytes, (field, entry) => {
      if (field !== 1) return;
      if (++this.#fields > MAX_STRUCT_FIELDS) {
        throw new TooLarge(`got more, expected at most ${MAX_STRUCT_FIELDS} fields of objects`);
      }
      eachField(entry, (part, value) => {
        if (part === 1 && isProto(value)) {
          throw new TooLarge("unknown key `__proto__`", status.INVALID_ARGUMENT);
        }
        if (part === 2) this.#value(value, depth);
      });
    });
  }

  #value(bytes: Uint8Array, depth: number): void {
    // a number takes 9 bytes: the values of long lists are passed by at a glance
    if (bytes.length < 2 || bytes[0] === 17) return;
    eachField(bytes, (kind, value) => {
      if (kind === 5) this.struct(value, depth + 1);
      if (kind !== 6) return;
      if (depth > MAX_STRUCT_DEPTH)
        throw new TooLarge(`got more, expected at most ${MAX_STRUCT_DEPTH} levels`);
      eachField(value, (_, entry) => this.#value(entry, depth + 1));
    });
  }
}

const PROTO = new TextEncoder().encode("__proto__");

function isProto(key: Uint8Array): boolean {
  return key.length === PROTO.length && key.every((byte, i) => byte === PROTO[i]);
}

/** @param free number of the field with the Struct, @param plainBytes for everything else */
function refusalOf(
  bytes: Uint8Array,
  { free, field, plainBytes }: { readonly free: number; readonly field: string; readonly plainBytes: number },
): Refusal | undefined {
  let structBytes = 0;
  try {
    const scan = new StructScan();
    eachField(bytes, (number, value) => {
      if (number !== free) return;
      structBytes += value.length;
      if (structBytes > MAX_STRUCT_BYTES) {
        throw new TooLarge(`got ${structBytes} bytes, expected at most ${MAX_STRUCT_BYTES}`);
      }
      scan.struct(value, 0);
    });
  } catch (error) {
    if (error instanceof TooLarge) return { code: error.code, message: error.message, field };
    return undefined; // garbage: the decoder says so
  }
  const plain = bytes.length - structBytes;
  if (plain <= plainBytes) return undefined;
  const message = `got ${plain} bytes beside its data, expected at most ${plainBytes}`;
  return { code: status.RESOURCE_EXHAUSTED, message, field: "request" };
}

function limited<T extends object>(
  decode: (bytes: Buffer) => T,
  refusal: (bytes: Buffer) => Refusal | undefined,
  empty: () => T,
): (bytes: Buffer) => T {
  return (bytes) => {
    if (bytes.length < MAX_UNSEEN_BYTES) return decode(bytes);
    const why = refusal(bytes);
    if (why === undefined) return decode(bytes);
    const request = empty();
    refusals.set(request, why);
    return request;
  };
}

/** Shorter requests cannot be large, and steps are short. */
const MAX_UNSEEN_BYTES = 12;
/** Of ConnectRequest: the field with the reset. */
const RESET = 2;

/** The service with these limits. @param maxEnvs of a session */
export function withExtentLimits(service: EnvServiceService, maxEnvs: number): EnvServiceService {
  const plainBytes = MAX_PLAIN_BYTES + BYTES_PER_ENV * maxEnvs;
  const kwargs = { free: 3, field: "kwargs", plainBytes: MAX_PLAIN_BYTES };
  const options = { free: 7, field: "options", plainBytes };
  const { createSession, reset, connect } = service;
  return {
    ...service,
    createSession: {
      ...createSession,
      requestDeserialize: limited(
        createSession.requestDeserialize,
        (bytes) => refusalOf(bytes, kwargs),
        () => CreateSessionRequest.fromPartial({}),
      ),
    },
    reset: {
      ...reset,
      requestDeserialize: limited(
        reset.requestDeserialize,
        (bytes) => refusalOf(bytes, options),
        () => ResetRequest.fromPartial({}),
      ),
    },
    connect: {
      ...connect,
      requestDeserialize: limited(
        connect.requestDeserialize,
        (bytes) => {
          if (bytes[0] !== RESET * 8 + LENGTH_DELIMITED) return undefined;
          let refusal: Refusal | undefined;
          eachField(bytes, (_, value) => {
            refusal ??= refusalOf(value, options);
          });
          return refusal;
        },
        () => ConnectRequest.fromPartial({}),
      ),
    },
  };
}

/** The same for dm_env_rpc, whose requests are small. */
export function withDmEnvRpcLimits(service: EnvironmentService): EnvironmentService {
  const { process } = service;
  return {
    ...service,
    process: {
      ...process,
      requestDeserialize: limited(
        process.requestDeserialize,
        ({ length }) =>
          length <= MAX_DM_ENV_RPC_BYTES
            ? undefined
            : {
                code: status.RESOURCE_EXHAUSTED,
                message: `got ${length} bytes, expected at most ${MAX_DM_ENV_RPC_BYTES}`,
                field: "request",
              },
        () => EnvironmentRequest.fromPartial({}),
      ),
    },
  };
}
