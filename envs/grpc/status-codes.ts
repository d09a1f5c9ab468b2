/** The one table between kinds of CcparkError and gRPC status codes, in both directions. */
import { status } from "@grpc/grpc-js";
import { CcparkError, type ErrorKind } from "../../core/errors.ts";
import type { Status } from "./generated/google/rpc/status.ts";

const CODE_OF_KIND: Readonly<Record<ErrorKind, status>> = {
  "invalid-argument": status.INVALID_ARGUMENT,
  "failed-precondition": status.FAILED_PRECONDITION,
  "not-found": status.NOT_FOUND,
  "already-exists": status.ALREADY_EXISTS,
  "permission-denied": status.PERMISSION_DENIED,
  unavailable: status.UNAVAILABLE,
  "resource-exhausted": status.RESOURCE_EXHAUSTED,
  internal: status.INTERNAL,
};

const KIND_OF_CODE: ReadonlyMap<number, ErrorKind> = new Map<number, ErrorKind>([
  ...Object.entries(CODE_OF_KIND).map(([kind, code]): [number, ErrorKind] => [code, kind as ErrorKind]),
  // codes of the protocol itself, which no local environment knows
  [status.ABORTED, "failed-precondition"],
  [status.OUT_OF_RANGE, "invalid-argument"],
  [status.UNIMPLEMENTED, "invalid-argument"],
  [status.UNAUTHENTICATED, "permission-denied"],
  [status.DEADLINE_EXCEEDED, "unavailable"],
  [status.CANCELLED, "unavailable"],
]);

/** The kind that a client reports for a status; a code outside the table is "internal". */
export function kindOfCode(code: number): ErrorKind {
  return KIND_OF_CODE.get(code) ?? "internal";
}

/** A failure with its status code; a fatal one ends the stream. */
export class RpcError extends Error {
  readonly code: status;
  readonly fatal: boolean;
  /** path of the request's field that is to blame */
  readonly field: string | undefined;
  constructor(code: status, message: string, options: { fatal: boolean; cause?: unknown; field?: string }) {
    super(message, { cause: options.cause });
    this.name = "RpcError";
    this.code = code;
    this.fatal = options.fatal;
    this.field = options.field;
  }
}

/** A CcparkError is recoverable; anything else that was thrown is INTERNAL and fatal. */
export function toRpcError(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  if (error instanceof CcparkError) {
    return new RpcError(CODE_OF_KIND[error.kind], error.message, {
      fatal: false,
      cause: error,
      field: error.field,
    });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new RpcError(status.INTERNAL, `[grpc] unexpected: ${message}`, { fatal: true, cause: error });
}

/** A recoverable failure as it travels inside a stream. */
export function toStatus(error: RpcError): Status {
  return { code: error.code, message: error.message, details: [] };
}
