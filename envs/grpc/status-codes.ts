/**
 * The one table between kinds of CcparkError and gRPC status codes, in both directions, and errors as google.rpc.Status:
 * inside a stream as a message, of a unary call in its trailing metadata.
 */
import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { CcparkError, type ErrorKind } from "../../core/errors.ts";
import { thrownText } from "../../core/module-files.ts";
import { LostWorker } from "../vector/place.ts";
import type { Any } from "./generated/google/protobuf/any.ts";
import { BadRequest, ErrorInfo } from "./generated/google/rpc/error_details.ts";
import { Status } from "./generated/google/rpc/status.ts";

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

const CODE_OF_LOSS: Readonly<Record<LostWorker["why"], status>> = {
  ended: status.INTERNAL,
  "out-of-time": status.DEADLINE_EXCEEDED,
  "out-of-memory": status.RESOURCE_EXHAUSTED,
  "no-room": status.RESOURCE_EXHAUSTED,
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

export interface RpcErrorOptions {
  /** ends the stream */
  readonly fatal: boolean;
  readonly cause?: unknown;
  /** path of the request's field that is to blame; a google.rpc.BadRequest tells it */
  readonly field?: string;
  /** what reproduces the failure; a google.rpc.ErrorInfo tells it */
  readonly facts?: Readonly<Record<string, string>>;
}

/** A failure with its status code. */
export class RpcError extends Error {
  readonly code: status;
  readonly fatal: boolean;
  readonly field: string | undefined;
  readonly facts: Readonly<Record<string, string>> | undefined;
  constructor(code: status, message: string, options: RpcErrorOptions) {
    super(message, { cause: options.cause });
    this.name = "RpcError";
    this.code = code;
    this.fatal = options.fatal;
    this.field = options.field;
    this.facts = options.facts;
  }
}

/** A CcparkError is recoverable, but for that of a lost worker; anything else that was thrown is INTERNAL and fatal. */
export function toRpcError(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  if (error instanceof LostWorker) {
    const code = CODE_OF_LOSS[error.why];
    return new RpcError(code, error.message, { fatal: true, cause: error });
  }
  if (error instanceof CcparkError) {
    return new RpcError(CODE_OF_KIND[error.kind], error.message, {
      fatal: false,
      cause: error,
      field: error.field,
    });
  }
  return new RpcError(status.INTERNAL, `[grpc] unexpected: ${thrownText(error)}`, {
    fatal: true,
    cause: error,
  });
}

/** Longest text of an error: it travels in HTTP/2 headers, and may repeat what a client sent. */
const MAX_MESSAGE_LENGTH = 2_000;

function clip(message: string): string {
  if (message.length <= MAX_MESSAGE_LENGTH) return message;
  return `${message.slice(0, MAX_MESSAGE_LENGTH).replace(/[\ud800-\udbff]$/, "")} [...]`;
}

const any = (type: string, value: Uint8Array): Any => ({ typeUrl: `type.googleapis.com/${type}`, value });

/** A failure as it travels inside a stream. */
export function toStatus(error: RpcError): Status {
  const message = clip(error.message);
  const details: Any[] = [];
  if (error.field !== undefined) {
    const violation = { field: error.field, description: message, reason: "", localizedMessage: undefined };
    details.push(any("google.rpc.BadRequest", BadRequest.encode({ fieldViolations: [violation] }).finish()));
  }
  if (error.facts !== undefined) {
    const metadata = new Map(Object.entries(error.facts));
    const info = ErrorInfo.encode({ reason: "ENVIRONMENT_THREW", domain: "ccpark", metadata });
    details.push(any("google.rpc.ErrorInfo", info.finish()));
  }
  return { code: error.code, message, details };
}

/** The status of a call, with `grpc-status-details-bin` if there are details. */
export function serviceErrorOf(failure: Status): Partial<ServiceError> {
  const error: Partial<ServiceError> = { code: failure.code, details: clip(failure.message) };
  if (failure.details.length > 0) {
    error.metadata = new Metadata();
    error.metadata.set("grpc-status-details-bin", Buffer.from(Status.encode(failure).finish()));
  }
  return error;
}

/** As `serviceErrorOf`, for whatever was thrown. */
export function toServiceError(error: unknown): Partial<ServiceError> {
  return serviceErrorOf(toStatus(toRpcError(error)));
}

/** An error that ends its stream. */
export function fatal(code: status, message: string): RpcError {
  return new RpcError(code, `[grpc] ${message}`, { fatal: true });
}
