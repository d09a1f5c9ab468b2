/** The sessions of a server: who owns them, how long they live, how many there may be. */
import { randomUUID, timingSafeEqual } from "node:crypto";
import { status } from "@grpc/grpc-js";
import { CcparkError } from "../../../core/errors.ts";
import { checkSeed } from "../../vector/episode-seeds.ts";
import type { MaybePromise } from "../../vector/place.ts";
import type { ServedFlows } from "../flows/served-flows.ts";
import {
  ActionPolicy,
  AutoresetMode,
  type ConnectResponse,
  CreateSessionRequest,
  type CreateSessionResponse,
  NumberEncoding,
} from "../generated/ccpark/v1/environment.ts";
import type { Duration } from "../generated/google/protobuf/duration.ts";
import type { EnvHost, Session, SessionConfig, SessionRequest } from "../session/env-host.ts";
import { fatal, type RpcError } from "../status-codes.ts";
import { spaceToWire } from "../wire.ts";
import { type ServerLimits, StepBudget } from "./limits.ts";
import type { ServerLog } from "./server-log.ts";

/** A stream, as its session sees it. */
export interface SessionStream {
  fail(error: RpcError): void;
}

export interface SessionEntry {
  readonly id: string;
  readonly token: string;
  /** names the request that made it, and whose it was; undefined: it has no name */
  readonly madeBy: string | undefined;
  /** as of `clientOf` */
  readonly client: string;
  readonly leaseMs: number;
  readonly session: Session;
  /** undefined: as many steps as it can */
  readonly budget: StepBudget | undefined;
  /** unary calls that run */
  calls: number;
  /** settles when every request that was handed to the session is answered; undefined: all are */
  running: Promise<void> | undefined;
  stream: SessionStream | undefined;
  /** ended with the session */
  readonly watchers: Set<() => void>;
  leaseTimer: NodeJS.Timeout | undefined;
}

/** What makes a session, besides its configuration. */
export interface SessionTerms {
  readonly madeBy: string | undefined;
  readonly client: string;
  /** wanted, ms; undefined: the server's default */
  readonly leaseMs: number | undefined;
}

/** Several times as many as there are. */
const MAX_INFO_KEYS = 256;

/** Hands a request to the session, and notes it for a stream that attaches before it is answered. */
export function handOver(entry: SessionEntry, request: SessionRequest): MaybePromise<ConnectResponse> {
  const answer = entry.session.handle(request);
  if (answer instanceof Promise) {
    const settle = (): void => {
      if (entry.running === running) entry.running = undefined;
    };
    const running: Promise<void> = answer.then(settle, settle);
    entry.running = running;
  }
  return answer;
}

const invalid = (field: string, message: string): CcparkError =>
  new CcparkError("invalid-argument", `[grpc] ${field}${message}`, { field });
const exhausted = (message: string, field?: string): CcparkError =>
  new CcparkError("resource-exhausted", `[grpc] ${message}`, { field });

/** Proto3 takes any number for an enum: one that has no name is a mistake, or of a version to come. */
function checkEnum(field: string, value: number, names: Readonly<Record<string, number>>): void {
  if (Object.values(names).includes(value)) return;
  const known = Object.entries(names).map(([name, number]) => `${number} (${name})`);
  throw invalid(field, `: got ${value}, expected one of ${known.join(", ")}`);
}

function toMillis(duration: Duration): number {
  return Number(duration.seconds) * 1e3 + duration.nanos / 1e6;
}

function fromMillis(ms: number): Duration {
  const seconds = Math.floor(ms / 1e3);
  return { seconds: BigInt(seconds), nanos: Math.round((ms - seconds * 1e3) * 1e6) };
}

/** Largest answer of one step: SAME_STEP with every row ended. */
function largestAnswerBytes({ config, description }: Session): number {
  const rows = config.numEnvs * description.slotsPerEnv;
  const [observationWidth] = description.observationSpace.shape;
  const stateWidth = description.stateSpace?.shape[0] ?? 0;
  const infoKeys = config.infoKeys.length;
  const perRow = 2 * (4 * observationWidth + 9 * infoKeys) + 13;
  const episodeSummary = 512; // ten metrics with their names
  return rows * (perRow + episodeSummary) + config.numEnvs * 8 * stateWidth + 256 * (infoKeys + 1);
}

export class SessionRegistry {
  readonly #host: EnvHost;
  readonly #limits: ServerLimits;
  readonly #log: ServerLog;
  readonly #flows: ServedFlows;
  readonly #sessions = new Map<string, SessionEntry>();
  /** by owner and request_id, to answer retries */
  readonly #requests = new Map<string, { bytes: Uint8Array; entry: Promise<SessionEntry> }>();
  /** sessions whose environments are being made */
  #opening = 0;
  /** sessions by client, those that are being made too */
  readonly #held = new Map<string, number>();
  draining = false;

  constructor(host: EnvHost, limits: ServerLimits, log: ServerLog, flows: ServedFlows) {
    this.#host = host;
    this.#limits = limits;
    this.#log = log;
    this.#flows = flows;
  }

  get size(): number {
    return this.#sessions.size;
  }

  entries(): Iterable<SessionEntry> {
    return this.#sessions.values();
  }

  /** @param caller owner: as of `ownerOf`; only the same may fetch what its request made */
  async create(
    request: CreateSessionRequest,
    caller: { readonly owner: string; readonly client: string },
  ): Promise<CreateSessionResponse> {
    const { requestId } = request;
    const { client } = caller;
    if (requestId === "") return this.#describe(await this.#make(request, { madeBy: undefined, client }));
    const madeBy = `${caller.owner} ${requestId}`;
    const bytes = CreateSessionRequest.encode(request).finish();
    const made = this.#requests.get(madeBy);
    if (made !== undefined) {
      if (Buffer.compare(made.bytes, bytes) !== 0) {
        throw new CcparkError("already-exists", "[grpc] this request_id made a session with other content", {
          field: "request_id",
        });
      }
      const entry = await made.entry;
      this.touch(entry);
      return this.#describe(entry);
    }
    const entry = this.#make(request, { madeBy, client });
    this.#requests.set(madeBy, { bytes, entry });
    try {
      return this.#describe(await entry);
    } catch (error) {
      this.#requests.delete(madeBy);
      throw error;
    }
  }

  async #make(
    request: CreateSessionRequest,
    { madeBy, client }: Pick<SessionTerms, "madeBy" | "client">,
  ): Promise<SessionEntry> {
    checkEnum("autoreset_mode", request.autoresetMode, AutoresetMode);
    checkEnum("action_policy", request.actionPolicy, ActionPolicy);
    checkEnum("number_encoding", request.numberEncoding, NumberEncoding);
    const leaseMs = request.leaseTtl === undefined ? undefined : toMillis(request.leaseTtl);
    if (leaseMs !== undefined && !(leaseMs > 0)) {
      throw invalid("lease_ttl", `: got ${leaseMs} ms, expected a positive duration`);
    }
    const { seed = 0, ...kwargs }: Record<string, unknown> = request.kwargs ?? {};
    const config: SessionConfig = {
      envId: request.envId,
      numEnvs: request.numEnvs,
      kwargs,
      seed: checkSeed(seed, "kwargs.seed"),
      maxEpisodeSteps: request.maxEpisodeSteps ?? 0,
      autoresetMode: request.autoresetMode || AutoresetMode.AUTORESET_MODE_NEXT_STEP,
      actionPolicy: request.actionPolicy || ActionPolicy.ACTION_POLICY_CLIP,
      numberEncoding: request.numberEncoding || NumberEncoding.NUMBER_ENCODING_PACKED,
      withState: request.withState,
      infoKeys: request.infoKeys,
      keptAnswers: this.#limits.maxInFlight,
    };
    return await this.open(config, { madeBy, client, leaseMs });
  }

  /**
   * A session whose lease runs.
   * @throws CcparkError or RpcError: limits reached, the server shuts down, what the host throws
   */
  async open(config: SessionConfig, { madeBy, client, leaseMs }: SessionTerms): Promise<SessionEntry> {
    const limits = this.#limits;
    if (this.draining) throw fatal(status.UNAVAILABLE, "the server shuts down");
    if (config.infoKeys.length > MAX_INFO_KEYS) {
      throw exhausted(
        `info_keys: got ${config.infoKeys.length}, this server allows ${MAX_INFO_KEYS}`,
        "info_keys",
      );
    }
    if (config.numEnvs === 0) throw invalid("num_envs", ": got 0, expected at least 1");
    if (config.numEnvs > limits.maxEnvsPerSession) {
      throw exhausted(
        `num_envs: got ${config.numEnvs}, this server allows ${limits.maxEnvsPerSession}`,
        "num_envs",
      );
    }
    if (this.#sessions.size + this.#opening >= limits.maxSessions) {
      throw exhausted(`${limits.maxSessions} sessions are open, this server allows ${limits.maxSessions}`);
    }
    const held = this.#held.get(client) ?? 0;
    if (held >= limits.maxSessionsPerClient) {
      throw exhausted(
        `this client has ${held} sessions open, this server allows ${limits.maxSessionsPerClient} to each`,
      );
    }
    // each environment has at least one flow; how many there are is known when they are made
    this.#flows.directory.checkRoom(client, config.numEnvs);
    this.#opening += 1;
    this.#held.set(client, held + 1);
    let session: Session;
    try {
      session = await this.#host.open(config);
    } catch (error) {
      this.#letGo(client);
      throw error;
    } finally {
      this.#opening -= 1;
    }
    const largest = largestAnswerBytes(session);
    if (this.draining || largest > limits.maxMessageBytes) {
      session.close();
      this.#letGo(client);
      if (this.draining) throw fatal(status.UNAVAILABLE, "the server shuts down");
      throw exhausted(
        `num_envs: ${config.numEnvs} environments make answers of up to ${largest} bytes, this server allows ${limits.maxMessageBytes}`,
        "num_envs",
      );
    }
    const entry: SessionEntry = {
      id: randomUUID(),
      token: randomUUID(),
      madeBy,
      client,
      leaseMs: Math.min(leaseMs ?? limits.leaseMs, limits.maxLeaseMs),
      session,
      budget: limits.maxStepsPerSec > 0 ? new StepBudget(limits.maxStepsPerSec) : undefined,
      calls: 0,
      running: undefined,
      stream: undefined,
      watchers: new Set(),
      leaseTimer: undefined,
    };
    try {
      this.#flows.open(entry);
    } catch (error) {
      session.close();
      this.#letGo(client);
      throw error;
    }
    this.#sessions.set(entry.id, entry);
    this.touch(entry);
    this.#log.info(
      { session: entry.id, envId: config.envId, numEnvs: config.numEnvs, leaseMs: entry.leaseMs },
      "session created",
    );
    return entry;
  }

  /** One session of this client less. */
  #letGo(client: string): void {
    const left = (this.#held.get(client) ?? 1) - 1;
    if (left > 0) this.#held.set(client, left);
    else this.#held.delete(client);
  }

  #describe({ id, token, session, leaseMs }: SessionEntry): CreateSessionResponse {
    const { config, description } = session;
    return {
      sessionId: id,
      sessionToken: token,
      numEnvs: config.numEnvs,
      singleObservationSpace: spaceToWire(description.observationSpace),
      singleActionSpace: spaceToWire(description.actionSpace),
      autoresetMode: config.autoresetMode,
      actionPolicy: config.actionPolicy,
      leaseTtl: fromMillis(leaseMs),
      maxInFlight: this.#limits.maxInFlight,
      configDigest: session.digest,
      slotsPerEnv: description.slotsPerEnv,
      flowIds: [...description.flowIds],
      stateSpace: description.stateSpace === undefined ? undefined : spaceToWire(description.stateSpace),
      numberEncoding: config.numberEncoding,
      stepSeconds: description.stepSeconds,
      rng: description.rng,
      notes: [...description.notes],
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

  /** Starts the lease anew; while a stream is attached or a call runs there is none. */
  touch(entry: SessionEntry): void {
    clearTimeout(entry.leaseTimer);
    entry.leaseTimer = undefined;
    if (entry.stream !== undefined || entry.calls > 0 || !this.#sessions.has(entry.id)) return;
    entry.leaseTimer = setTimeout(() => {
      this.remove(entry, fatal(status.NOT_FOUND, "the session's lease ended"), "session reaped");
    }, entry.leaseMs).unref();
  }

  /** @param event what the log says */
  remove(entry: SessionEntry, reason: RpcError, event = "session closed"): void {
    if (!this.#sessions.delete(entry.id)) return;
    if (entry.madeBy !== undefined) this.#requests.delete(entry.madeBy);
    this.#letGo(entry.client);
    clearTimeout(entry.leaseTimer);
    entry.stream?.fail(reason);
    for (const end of entry.watchers) end();
    this.#flows.close(entry.id);
    entry.session.close();
    this.#log.info({ session: entry.id, answered: Number(entry.session.lastSeq) }, event);
  }

  closeAll(reason: RpcError): void {
    for (const entry of [...this.#sessions.values()]) this.remove(entry, reason);
  }
}
