/**
 * The server of proto/ccpark/v1/environment.proto: sessions with tokens and leases, unary calls and the stream. What a
 * request means is the session's business (session.ts). Bound to loopback only; TLS, health and reflection are not
 * offered yet.
 */
import { randomUUID, timingSafeEqual } from "node:crypto";
import { createServer } from "node:net";
import {
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { CcparkError, unknownName } from "../../core/errors.ts";
import type { SessionRequest } from "./env-host.ts";
import {
  ActionPolicy,
  AutoresetMode,
  type CloseSessionRequest,
  type CloseSessionResponse,
  type ConnectRequest,
  type ConnectResponse,
  CreateSessionRequest,
  type CreateSessionResponse,
  type EnvServiceServer,
  EnvServiceService,
  type GetServerInfoResponse,
  NumberEncoding,
  type ResetResponse,
  type StepResponse,
} from "./generated/ccpark/v1/environment.ts";
import type { Duration } from "./generated/google/protobuf/duration.ts";
import { EnvSession } from "./session.ts";
import { checkSeed, type MakeEnv } from "./session-env.ts";
import { RpcError, toRpcError } from "./status-codes.ts";
import { checkInfoKeys, spaceToWire } from "./wire.ts";

/** The one environment id that is served. */
export const ENV_ID = "ccpark/CongestionControl-v0";
export const PROTOCOL_VERSION = "ccpark.v1";

export interface ServerLimits {
  /** at one time, over all clients */
  readonly maxSessions: number;
  readonly maxEnvsPerSession: number;
  /** of one request or answer */
  readonly maxMessageBytes: number;
  /** requests that a stream may have unanswered, and answers kept for replay */
  readonly maxInFlight: number;
  /** life of a session without stream and calls, if the client asks for none */
  readonly leaseMs: number;
  /** the longest lease that a client can ask for */
  readonly maxLeaseMs: number;
  /** how long a stream may stay silent before its `attach` */
  readonly attachTimeoutMs: number;
  /** how long `close` waits for connections to end by themselves */
  readonly shutdownGraceMs: number;
}

export const DEFAULT_LIMITS: ServerLimits = {
  maxSessions: 64,
  maxEnvsPerSession: 1024,
  maxMessageBytes: 16 * 1024 * 1024, // 1024 environments with 256 numbers each and room for info
  maxInFlight: 16, // throughput does not grow beyond this depth on loopback
  leaseMs: 60_000,
  maxLeaseMs: 600_000,
  attachTimeoutMs: 10_000,
  shutdownGraceMs: 1_000,
};

export interface ServerOptions {
  /** a loopback address; default 127.0.0.1 */
  readonly host?: string;
  /** 0: any free port */
  readonly port: number;
  readonly makeEnv: MakeEnv;
  readonly limits?: Partial<ServerLimits>;
  /** of ccpark, for GetServerInfo */
  readonly version?: string;
}

export interface RunningServer {
  readonly host: string;
  readonly port: number;
  /** sessions alive now */
  sessionCount(): number;
  /** Ends all streams with UNAVAILABLE and frees all sessions; may be called twice. */
  close(): Promise<void>;
}

/** A stream, as its session sees it. */
interface AttachedStream {
  fail(error: RpcError): void;
}

interface SessionEntry {
  readonly id: string;
  readonly token: string;
  readonly requestId: string;
  /** of the CreateSession that made it, to compare retries */
  readonly requestBytes: Uint8Array;
  readonly leaseMs: number;
  readonly session: EnvSession;
  stream: AttachedStream | undefined;
  leaseTimer: NodeJS.Timeout | undefined;
}

const invalid = (message: string): CcparkError => new CcparkError("invalid-argument", `[grpc] ${message}`);
const exhausted = (message: string): CcparkError =>
  new CcparkError("resource-exhausted", `[grpc] ${message}`);
const fatal = (code: status, message: string): RpcError =>
  new RpcError(code, `[grpc] ${message}`, { fatal: true });

function toMillis(duration: Duration): number {
  return Number(duration.seconds) * 1e3 + duration.nanos / 1e6;
}

function fromMillis(ms: number): Duration {
  const seconds = Math.floor(ms / 1e3);
  return { seconds: BigInt(seconds), nanos: Math.round((ms - seconds * 1e3) * 1e6) };
}

/** Largest answer of one step: SAME_STEP with every row ended. */
function largestAnswerBytes(rows: number, observationWidth: number, infoKeys: number): number {
  const perRow = 2 * (4 * observationWidth + 9 * infoKeys) + 11;
  const episodeSummary = 512; // ten metrics with their names
  return rows * (perRow + episodeSummary) + 256 * (infoKeys + 1);
}

/** The sessions of a server and their leases. */
class SessionRegistry {
  readonly #sessions = new Map<string, SessionEntry>();
  readonly #limits: ServerLimits;
  readonly #makeEnv: MakeEnv;
  draining = false;

  constructor(limits: ServerLimits, makeEnv: MakeEnv) {
    this.#limits = limits;
    this.#makeEnv = makeEnv;
  }

  get size(): number {
    return this.#sessions.size;
  }

  create(request: CreateSessionRequest): CreateSessionResponse {
    if (this.draining) throw fatal(status.UNAVAILABLE, "the server shuts down");
    const requestBytes = CreateSessionRequest.encode(request).finish();
    if (request.requestId !== "") {
      for (const entry of this.#sessions.values()) {
        if (entry.requestId !== request.requestId) continue;
        if (Buffer.compare(entry.requestBytes, requestBytes) !== 0) {
          throw new CcparkError("already-exists", "[grpc] this request_id made a session with other content");
        }
        this.touch(entry);
        return this.#describe(entry);
      }
    }
    const entry = this.#make(request, requestBytes);
    this.#sessions.set(entry.id, entry);
    this.touch(entry);
    return this.#describe(entry);
  }

  #make(request: CreateSessionRequest, requestBytes: Uint8Array): SessionEntry {
    const limits = this.#limits;
    if (request.envId !== ENV_ID) throw unknownName("grpc", "env id", request.envId, [ENV_ID]);
    if (request.numEnvs === 0) throw invalid("num_envs: got 0, expected at least 1");
    if (request.numEnvs > limits.maxEnvsPerSession) {
      throw exhausted(`num_envs: got ${request.numEnvs}, this server allows ${limits.maxEnvsPerSession}`);
    }
    if (this.#sessions.size >= limits.maxSessions) {
      throw exhausted(`${this.#sessions.size} sessions are open, this server allows ${limits.maxSessions}`);
    }
    checkInfoKeys(request.infoKeys);
    const leaseMs = request.leaseTtl === undefined ? limits.leaseMs : toMillis(request.leaseTtl);
    if (!(leaseMs > 0)) throw invalid(`lease_ttl: got ${leaseMs} ms, expected a positive duration`);
    const { seed = 0, ...kwargs }: Record<string, unknown> = request.kwargs ?? {};
    if ("actionPolicy" in kwargs) throw invalid("kwargs.actionPolicy: use the field action_policy");
    const session = new EnvSession(
      {
        envId: request.envId,
        numEnvs: request.numEnvs,
        kwargs,
        seed: checkSeed(seed, "kwargs.seed"),
        maxEpisodeSteps: request.maxEpisodeSteps ?? 0,
        autoresetMode: request.autoresetMode || AutoresetMode.AUTORESET_MODE_NEXT_STEP,
        actionPolicy: request.actionPolicy || ActionPolicy.ACTION_POLICY_CLIP,
        numberEncoding: NumberEncoding.NUMBER_ENCODING_PACKED,
        withState: false,
        infoKeys: request.infoKeys,
        keptAnswers: limits.maxInFlight,
      },
      this.#makeEnv,
    );
    const largest = largestAnswerBytes(
      request.numEnvs,
      session.description.observationSpace.shape[0],
      request.infoKeys.length,
    );
    if (largest > limits.maxMessageBytes) {
      throw exhausted(
        `num_envs: ${request.numEnvs} rows make answers of up to ${largest} bytes, this server allows ${limits.maxMessageBytes}`,
      );
    }
    return {
      id: randomUUID(),
      token: randomUUID(),
      requestId: request.requestId,
      requestBytes,
      leaseMs: Math.min(leaseMs, limits.maxLeaseMs),
      session,
      stream: undefined,
      leaseTimer: undefined,
    };
  }

  #describe({ id, token, session, leaseMs }: SessionEntry): CreateSessionResponse {
    return {
      sessionId: id,
      sessionToken: token,
      numEnvs: session.config.numEnvs,
      singleObservationSpace: spaceToWire(session.description.observationSpace),
      singleActionSpace: spaceToWire(session.description.actionSpace),
      autoresetMode: session.config.autoresetMode,
      actionPolicy: session.config.actionPolicy,
      leaseTtl: fromMillis(leaseMs),
      maxInFlight: this.#limits.maxInFlight,
      configDigest: session.digest,
      slotsPerEnv: 1,
      flowIds: ["flow-0"],
      stateSpace: undefined,
      numberEncoding: NumberEncoding.NUMBER_ENCODING_PACKED,
      stepSeconds: 0,
      rng: "xoroshiro128+",
    };
  }

  /** @throws RpcError or CcparkError: unknown session, missing or wrong token */
  find(id: string, token: string): SessionEntry {
    const entry = this.#sessions.get(id);
    if (entry === undefined) {
      throw new CcparkError(
        "not-found",
        `[grpc] no session \`${id}\`: it was closed, its lease ended, or the server restarted`,
      );
    }
    if (token === "") throw fatal(status.UNAUTHENTICATED, "session_token is missing");
    const given = Buffer.from(token);
    const expected = Buffer.from(entry.token);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
      throw new CcparkError("permission-denied", "[grpc] session_token is wrong");
    }
    return entry;
  }

  has(id: string): boolean {
    return this.#sessions.has(id);
  }

  /** Starts the lease anew; while a stream is attached there is none. */
  touch(entry: SessionEntry): void {
    clearTimeout(entry.leaseTimer);
    entry.leaseTimer = undefined;
    if (entry.stream === undefined && this.#sessions.has(entry.id)) {
      entry.leaseTimer = setTimeout(() => this.#sessions.delete(entry.id), entry.leaseMs).unref();
    }
  }

  remove(entry: SessionEntry, reason: RpcError): void {
    this.#sessions.delete(entry.id);
    clearTimeout(entry.leaseTimer);
    entry.stream?.fail(reason);
  }

  closeAll(reason: RpcError): void {
    for (const entry of [...this.#sessions.values()]) this.remove(entry, reason);
  }
}

function toServiceError(error: unknown): Partial<ServiceError> {
  const { code, message } = toRpcError(error);
  return { code, details: message };
}

function unary<Request, Response>(
  handle: (request: Request) => Response,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    let response: Response;
    try {
      response = handle(call.request);
    } catch (error) {
      callback(toServiceError(error));
      return;
    }
    callback(null, response);
  };
}

/** One reset or step as a unary call: an error payload becomes the status. */
function handleUnary(sessions: SessionRegistry, request: SessionRequest): ConnectResponse["payload"] {
  const entry = sessions.find(request.value.sessionId, request.value.sessionToken);
  if (entry.stream !== undefined) {
    throw fatal(status.FAILED_PRECONDITION, "the session is attached to a stream; detach it first");
  }
  sessions.touch(entry);
  const { payload } = entry.session.handle(request);
  if (payload?.$case === "error") {
    throw new RpcError(payload.value.code, payload.value.message, { fatal: false });
  }
  return payload;
}

const REQUEST_MIX_UP = "the sequence number was answered to another kind of request";

function connect(
  call: ServerDuplexStream<ConnectRequest, ConnectResponse>,
  sessions: SessionRegistry,
  limits: ServerLimits,
  streams: Set<AttachedStream>,
): void {
  let open = true;
  let entry: SessionEntry | undefined;
  let unsent = 0;
  const stream: AttachedStream = {
    fail(error) {
      if (!open) return;
      release();
      call.emit("error", toServiceError(error));
    },
  };
  const attachTimer = setTimeout(() => {
    stream.fail(fatal(status.DEADLINE_EXCEEDED, `no attach within ${limits.attachTimeoutMs} ms`));
  }, limits.attachTimeoutMs);
  streams.add(stream);

  /** Nothing more is read or written; the session's lease starts. */
  function release(): void {
    open = false;
    clearTimeout(attachTimer);
    streams.delete(stream);
    if (entry?.stream === stream) {
      entry.stream = undefined;
      sessions.touch(entry);
    }
  }

  function attach(request: ConnectRequest): void {
    if (request.payload?.$case !== "attach") {
      throw fatal(status.FAILED_PRECONDITION, "the first message of a stream must be attach");
    }
    const { sessionId, sessionToken, lastSeqReceived, takeOver } = request.payload.value;
    const found = sessions.find(sessionId, sessionToken);
    if (found.stream !== undefined && !takeOver) {
      throw fatal(
        status.FAILED_PRECONDITION,
        "the session is attached to another stream; take_over ends that one",
      );
    }
    const replay = lastSeqReceived === undefined ? [] : found.session.answersAfter(lastSeqReceived);
    found.stream?.fail(fatal(status.ABORTED, "another stream took the session over"));
    clearTimeout(attachTimer);
    entry = found;
    entry.stream = stream;
    sessions.touch(entry);
    call.write({
      seq: 0n,
      payload: { $case: "attach", value: { lastSeqApplied: entry.session.lastSeq } },
    });
    for (const answer of replay) call.write(answer);
  }

  function answer(session: EnvSession, { payload }: ConnectRequest): void {
    if (payload?.$case === "attach")
      throw fatal(status.FAILED_PRECONDITION, "the stream is attached already");
    if (payload === undefined)
      throw fatal(status.UNIMPLEMENTED, "a request without a payload that this server knows");
    if (payload.$case === "detach") {
      call.write({ seq: 0n, payload: { $case: "detach", value: {} } });
      release();
      call.end();
      return;
    }
    if (unsent >= limits.maxInFlight) {
      throw fatal(status.RESOURCE_EXHAUSTED, `more than ${limits.maxInFlight} requests are unanswered`);
    }
    const response = session.handle(payload);
    unsent += 1;
    call.write(response, () => {
      unsent -= 1;
    });
  }

  call.on("data", (request: ConnectRequest) => {
    if (!open) return;
    try {
      if (entry === undefined) attach(request);
      else answer(entry.session, request);
    } catch (error) {
      stream.fail(toRpcError(error));
    }
  });
  // Half-close, cancellation and a killed client all come here; only detach and CloseSession are goodbyes.
  call.on("end", () => {
    if (!open) return;
    release();
    call.end();
  });
  call.on("cancelled", () => {
    if (open) release();
  });
  call.on("error", () => {
    if (open) release();
  });
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/;

/**
 * Binds the address once before grpc-js does, which tells no reason and logs its own line.
 * @throws CcparkError (unavailable)
 */
function checkFree(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => {
      const why = error.code === "EADDRINUSE" ? "the port is in use" : error.message;
      const message = `[grpc] cannot listen on ${host}:${port}: ${why}`;
      reject(new CcparkError("unavailable", message, { cause: error }));
    });
    probe.listen({ host: host.replace(/[[\]]/g, ""), port, exclusive: true }, () =>
      probe.close(() => resolve()),
    );
  });
}

/**
 * Serves environments until `close`.
 * @throws CcparkError: invalid-argument for a host that is not loopback, unavailable if the port is in use
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const limits: ServerLimits = { ...DEFAULT_LIMITS, ...options.limits };
  const asked = options.host ?? "127.0.0.1";
  if (!LOOPBACK.test(asked)) {
    throw new CcparkError(
      "invalid-argument",
      `[grpc] host: got ${asked}, expected a loopback address; other addresses need TLS, which is not offered yet`,
    );
  }
  const host = asked === "localhost" ? "127.0.0.1" : asked === "::1" ? "[::1]" : asked;
  const sessions = new SessionRegistry(limits, options.makeEnv);
  const streams = new Set<AttachedStream>();
  const server = new Server({
    "grpc.max_receive_message_length": limits.maxMessageBytes,
    "grpc.max_send_message_length": limits.maxMessageBytes,
    "grpc.keepalive_time_ms": 20_000, // finds a peer that vanished without closing its socket
    "grpc.keepalive_timeout_ms": 10_000,
  });
  server.addService(EnvServiceService, {
    getServerInfo: unary(
      (): GetServerInfoResponse => ({
        serverVersion: options.version ?? "unknown",
        protocolVersion: PROTOCOL_VERSION,
        features: ["masked_reset", "replay", "take_over"],
        envIds: [ENV_ID],
        maxSessions: limits.maxSessions,
        maxEnvsPerSession: limits.maxEnvsPerSession,
        maxMessageBytes: BigInt(limits.maxMessageBytes),
        maxStepsPerSec: 0,
      }),
    ),
    createSession: unary((request: CreateSessionRequest) => sessions.create(request)),
    closeSession: unary((request: CloseSessionRequest): CloseSessionResponse => {
      if (sessions.has(request.sessionId)) {
        const entry = sessions.find(request.sessionId, request.sessionToken);
        sessions.remove(entry, fatal(status.ABORTED, "the session was closed"));
      }
      return {};
    }),
    reset: unary((value: (SessionRequest & { $case: "reset" })["value"]): ResetResponse => {
      const payload = handleUnary(sessions, { $case: "reset", value });
      if (payload?.$case !== "reset") throw fatal(status.ABORTED, REQUEST_MIX_UP);
      return payload.value;
    }),
    step: unary((value: (SessionRequest & { $case: "step" })["value"]): StepResponse => {
      const payload = handleUnary(sessions, { $case: "step", value });
      if (payload?.$case !== "step") throw fatal(status.ABORTED, REQUEST_MIX_UP);
      return payload.value;
    }),
    connect: (call: ServerDuplexStream<ConnectRequest, ConnectResponse>) =>
      connect(call, sessions, limits, streams),
  } as unknown as EnvServiceServer);
  await checkFree(host, options.port);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host}:${options.port}`, ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else {
        const message = `[grpc] cannot listen on ${host}:${options.port}: ${error.message}`;
        reject(new CcparkError("unavailable", message, { cause: error }));
      }
    });
  });

  let closing: Promise<void> | undefined;
  const close = (): Promise<void> =>
    (closing ??= new Promise((resolve) => {
      sessions.draining = true;
      const reason = fatal(status.UNAVAILABLE, "the server shuts down");
      sessions.closeAll(reason);
      for (const stream of [...streams]) stream.fail(reason);
      const force = setTimeout(() => server.forceShutdown(), limits.shutdownGraceMs);
      server.tryShutdown(() => {
        clearTimeout(force);
        resolve();
      });
    }));
  return { host, port, sessionCount: () => sessions.size, close };
}
