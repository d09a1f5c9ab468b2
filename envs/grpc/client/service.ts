/**
 * One server as its clients see it: address, TLS, bearer token, deadlines, keepalive, and what a gRPC status means to the
 * caller. Statuses that the transport made are told from those of the server by the house style of messages: the server's
 * begin with `[part]`.
 */
import {
  type ChannelCredentials,
  type ClientOptions,
  type ClientUnaryCall,
  credentials,
  Metadata,
  makeGenericClientConstructor,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { CcparkError } from "../../../core/errors.ts";
import { type EnvServiceClient, EnvServiceService } from "../generated/ccpark/v1/environment.ts";
import { isLoopback } from "../loopback.ts";
import { kindOfCode } from "../status-codes.ts";
import { withStepCodec } from "../step-codec.ts";

/** PEM texts; what is absent is the system's. */
export interface TlsOptions {
  /** authorities that may have signed the server's certificate */
  readonly ca?: string | Uint8Array;
  /** the client's own certificate and key, where the server wants them */
  readonly cert?: string | Uint8Array;
  readonly key?: string | Uint8Array;
  /** name in the server's certificate, if it is not that of the address */
  readonly serverName?: string;
}

export interface ServiceOptions {
  /** host:port */
  readonly address: string;
  /** absent: plain text; true: TLS with the system's authorities */
  readonly tls?: boolean | TlsOptions;
  /** bearer token; over plain text only to a loopback address */
  readonly token?: string;
  /** longest wait for one answer, default 30 s: the service's own limit for a step */
  readonly timeoutMs?: number;
  /** how long a lost connection is tried again; default: the session's lease; 0: not at all */
  readonly resumeMs?: number;
  /** a silent connection is probed after this time, and lost after as much again; default 10 s */
  readonly keepaliveMs?: number;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_KEEPALIVE_MS = 10_000;
/** Of the channel; whoever waits longer between two attempts (`backoffMs`) does not find it still pausing. */
const RECONNECT_MS = 20;
/** grpc-js's words where no connection came about; the reason in them is all that a user can act on */
const NEVER_CONNECTED = /No connection established\. Last error: (?:Error: )?(.*?)\.? Resolution note:/;
const FIRST_BACKOFF_MS = 20;
const LONGEST_BACKOFF_MS = 2_000;

/** Pause before attempt n (from 0): doubled each time, with jitter so that many clients do not come at once. */
export function backoffMs(attempt: number): number {
  return Math.min(FIRST_BACKOFF_MS * 2 ** attempt, LONGEST_BACKOFF_MS) * (1 + Math.random());
}

/** Nobody else can listen on the way. */
function isLocal(address: string): boolean {
  return address.startsWith("unix:") || isLoopback(address.replace(/:\d+$/, ""));
}

function channelCredentials(tls: ServiceOptions["tls"]): ChannelCredentials {
  if (!tls) return credentials.createInsecure();
  const pem = (text: string | Uint8Array | undefined): Buffer | null =>
    text === undefined ? null : Buffer.from(text as Uint8Array);
  const { ca, cert, key } = tls === true ? ({} as TlsOptions) : tls;
  try {
    return credentials.createSsl(pem(ca), pem(key), pem(cert));
  } catch (error) {
    throw new CcparkError("invalid-argument", `[grpc] wrong TLS options: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** The connection failed, not the request: the same may be asked again, under the same number. */
export class LostConnection extends CcparkError {
  constructor(message: string) {
    super("unavailable", message);
  }
}

const ServiceClient = makeGenericClientConstructor(
  withStepCodec(EnvServiceService),
  "ccpark.v1.EnvService",
) as unknown as new (
  address: string,
  credentials: ChannelCredentials,
  options: ClientOptions,
) => EnvServiceClient;

export class Service {
  readonly address: string;
  readonly timeoutMs: number;
  readonly resumeMs: number | undefined;
  readonly client: EnvServiceClient;
  /** for every call; grpc-js takes a copy */
  readonly metadata: Metadata = new Metadata();

  /** @throws CcparkError (invalid-argument) */
  constructor(options: ServiceOptions) {
    const { address, tls, token, timeoutMs = DEFAULT_TIMEOUT_MS, resumeMs } = options;
    const { keepaliveMs = DEFAULT_KEEPALIVE_MS } = options;
    if (token !== undefined) {
      if (!tls && !isLocal(address)) {
        throw new CcparkError(
          "invalid-argument",
          `[grpc] token for ${address} without TLS: anybody on the way could read it; set tls`,
        );
      }
      this.metadata.set("authorization", `Bearer ${token}`);
    }
    const serverName = typeof tls === "object" ? tls.serverName : undefined;
    this.address = address;
    this.timeoutMs = timeoutMs;
    this.resumeMs = resumeMs;
    this.client = new ServiceClient(address, channelCredentials(tls), {
      "grpc.max_receive_message_length": -1, // the server bounds its answers, and the session was granted
      "grpc.max_send_message_length": -1,
      "grpc.keepalive_time_ms": keepaliveMs,
      "grpc.keepalive_timeout_ms": keepaliveMs,
      "grpc.initial_reconnect_backoff_ms": RECONNECT_MS,
      "grpc.max_reconnect_backoff_ms": RECONNECT_MS,
      ...(serverName === undefined
        ? {}
        : { "grpc.ssl_target_name_override": serverName, "grpc.default_authority": serverName }),
    });
  }

  /** What the end of a call or stream with this status is to its caller; a loss is a `LostConnection`. */
  errorOf(code: number, details: string): CcparkError {
    if (details.startsWith("[")) return new CcparkError(kindOfCode(code), details);
    const refused = NEVER_CONNECTED.exec(details)?.[1];
    const what =
      refused === undefined ? details : `no service answers there (${refused}); \`ccpark serve\` starts one`;
    const message = `[grpc] ${this.address}: ${what}`;
    const isLoss =
      code === status.UNAVAILABLE ||
      code === status.CANCELLED ||
      (code === status.INTERNAL && details.includes("RST_STREAM"));
    return isLoss ? new LostConnection(message) : new CcparkError(kindOfCode(code), message);
  }

  /** The end of a wait that took too long. */
  lateError(timeoutMs: number = this.timeoutMs): CcparkError {
    return new CcparkError("unavailable", `[grpc] ${this.address}: no answer within ${timeoutMs} ms`);
  }

  /**
   * One unary call, within its deadline.
   * @throws CcparkError
   */
  call<Request, Response>(
    method: UnaryMethod<Request, Response>,
    request: Request,
    timeoutMs: number = this.timeoutMs,
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      const deadline = Date.now() + timeoutMs;
      method.call(this.client, request, this.metadata, { deadline }, (error, response) => {
        if (error === null) resolve(response);
        else if (error.code === status.DEADLINE_EXCEEDED) reject(this.lateError(timeoutMs));
        else reject(this.errorOf(error.code, error.details));
      });
    });
  }
}

type UnaryMethod<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: { deadline: number },
  done: (error: ServiceError | null, response: Response) => void,
) => ClientUnaryCall;
