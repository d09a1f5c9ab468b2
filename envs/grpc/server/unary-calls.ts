/** The calls of EnvService that are not its stream of steps. */
import { setTimeout as sleep } from "node:timers/promises";
import { type handleUnaryCall, type ServerUnaryCall, type ServerWritableStream, status } from "@grpc/grpc-js";
import { CcparkError } from "../../../core/errors.ts";
import type { MaybePromise } from "../../vector/place.ts";
import { killFlow, listFlows, moveFlow, watchFlow } from "../flows/flow-calls.ts";
import type {
  CloseSessionRequest,
  CloseSessionResponse,
  ConnectResponse,
  CreateSessionRequest,
  DescribeEnvRequest,
  DescribeEnvResponse,
  GetServerInfoResponse,
  GetStateRequest,
  GetStateResponse,
  KillFlowRequest,
  ListEnvsResponse,
  ListFlowsRequest,
  MoveFlowRequest,
  RenderRequest,
  RenderResponse,
  ResetRequest,
  ResetResponse,
  StepRequest,
  StepResponse,
  WatchEpisodesRequest,
  WatchEpisodesResponse,
  WatchFlowRequest,
  WatchFlowResponse,
} from "../generated/ccpark/v1/environment.ts";
import type { Status } from "../generated/google/rpc/status.ts";
import type { SessionRequest } from "../session/env-host.ts";
import { fatal, serviceErrorOf, toRpcError, toServiceError, toStatus } from "../status-codes.ts";
import { kindOf, StepAnswer } from "../step-codec.ts";
import { clientOf, ownerOf } from "./client-identity.ts";
import { checkExtent } from "./request-extent.ts";
import type { ServerContext } from "./server-context.ts";
import { handOver, type SessionEntry } from "./session-registry.ts";

export const PROTOCOL_VERSION = "ccpark.v1";

/** Episodes that a slow watcher may leave unread before some are left out. */
const MAX_UNREAD_EPISODES = 256;
/** One for each monitor and notebook beside the learner, with room to spare. */
const MAX_WATCHERS = 8;

/** A status that a session answered instead of a result. */
class AnsweredError extends Error {
  readonly status: Status;
  constructor(answered: Status) {
    super(answered.message);
    this.status = answered;
  }
}

type Call = Pick<
  ServerUnaryCall<unknown, unknown>,
  "cancelled" | "getDeadline" | "metadata" | "getPeer" | "getAuthContext"
>;

/** @throws RpcError if nobody waits for the answer any more */
function checkAwaited(call: Call): void {
  if (call.cancelled || Number(call.getDeadline()) <= Date.now()) {
    throw fatal(status.DEADLINE_EXCEEDED, "the deadline passed before the call began");
  }
}

function unary<Request, Response>(
  { counts, log }: ServerContext,
  handle: (request: Request, call: Call) => MaybePromise<Response>,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    const refuse = (thrown: unknown): void => {
      const failure = thrown instanceof AnsweredError ? thrown.status : toStatus(toRpcError(thrown));
      counts.error(failure.code);
      if (failure.code === status.INTERNAL) log.error({ path: call.getPath() }, failure.message);
      else log.debug({ path: call.getPath(), code: failure.code }, failure.message);
      callback(serviceErrorOf(failure));
    };
    try {
      checkAwaited(call);
      checkExtent(call.request as object);
      const answer = handle(call.request, call);
      if (answer instanceof Promise) answer.then((response) => callback(null, response), refuse);
      else callback(null, answer);
    } catch (error) {
      refuse(error);
    }
  };
}

/** Runs `work` on a session, whose lease stands still meanwhile and starts anew when it is done. */
function within<T>(
  { sessions, limits, counts }: ServerContext,
  entry: SessionEntry,
  work: () => MaybePromise<T>,
): MaybePromise<T> {
  if (entry.calls >= limits.maxInFlight) {
    throw fatal(
      status.RESOURCE_EXHAUSTED,
      `more than ${limits.maxInFlight} calls of one session are running`,
    );
  }
  const done = (): void => {
    entry.calls -= 1;
    counts.waiting -= 1;
    sessions.touch(entry);
  };
  entry.calls += 1;
  counts.waiting += 1;
  sessions.touch(entry);
  let answer: MaybePromise<T>;
  try {
    answer = work();
  } catch (error) {
    done();
    throw error;
  }
  if (answer instanceof Promise) return answer.finally(done);
  done();
  return answer;
}

/** One reset or step: an error payload becomes the status. */
function ask(context: ServerContext, request: SessionRequest, call: Call): MaybePromise<ConnectResponse> {
  const entry = context.sessions.find(request.value.sessionId, request.value.sessionToken);
  if (entry.stream !== undefined) {
    throw fatal(status.FAILED_PRECONDITION, "the session is attached to a stream; detach it first");
  }
  const { numEnvs } = entry.session.config;
  const startedMs = performance.now();
  const answered = within(context, entry, () => {
    const waitMs = entry.budget?.take(numEnvs, startedMs) ?? 0;
    if (waitMs === 0) return handOver(entry, request);
    return sleep(waitMs).then(() => {
      checkAwaited(call);
      return handOver(entry, request);
    });
  });
  return then(answered, (answer) => {
    if (kindOf(answer) === "step") context.counts.step(numEnvs, (performance.now() - startedMs) / 1e3);
    return answer;
  });
}

/** Why an answer is not the result that was asked for. */
function noResult({ payload }: ConnectResponse): Error {
  if (payload?.$case === "error") return new AnsweredError(payload.value);
  return fatal(status.ABORTED, "the sequence number was answered to another kind of request");
}

function then<A, B>(answer: MaybePromise<A>, map: (value: A) => B): MaybePromise<B> {
  return answer instanceof Promise ? answer.then(map) : map(answer);
}

function watchEpisodes(
  { sessions, counts }: ServerContext,
  call: ServerWritableStream<WatchEpisodesRequest, WatchEpisodesResponse>,
): void {
  try {
    const entry = sessions.find(call.request.sessionId, call.request.sessionToken);
    if (entry.watchers.size >= MAX_WATCHERS) {
      throw fatal(status.RESOURCE_EXHAUSTED, `${MAX_WATCHERS} watch this session, no more are allowed`);
    }
    let unread = 0;
    let dropped = 0n;
    const unsubscribe = entry.session.onEpisode((episode) => {
      if (unread >= MAX_UNREAD_EPISODES) {
        dropped += 1n;
        return;
      }
      unread += 1;
      call.write({ episode, dropped }, () => {
        unread -= 1;
      });
      dropped = 0n;
    });
    const stop = (): void => {
      unsubscribe();
      entry.watchers.delete(end);
    };
    const end = (): void => {
      stop();
      call.end();
    };
    entry.watchers.add(end);
    call.on("cancelled", stop);
  } catch (error) {
    counts.error(toRpcError(error).code);
    call.emit("error", toServiceError(error));
  }
}

/** The longest that a client waits for the answer that it cannot have more, and who is remembered of those who ask in loops. */
const EXHAUSTED = { firstMs: 100, mostMs: 1600, clients: 10_000 };

/**
 * The answer that a client cannot have more comes late, and twice as late each time that it asks again: one that asks in a loop
 * takes so little of the server's time that others' slowest steps are not its doing.
 */
class ExhaustedPauses {
  readonly #nextMs = new Map<string, number>();

  async after<T>(client: string, asked: Promise<T>): Promise<T> {
    const pauseMs = this.#nextMs.get(client) ?? EXHAUSTED.firstMs;
    try {
      const answer = await asked;
      this.#nextMs.delete(client);
      return answer;
    } catch (error) {
      if (!(error instanceof CcparkError && error.kind === "resource-exhausted")) throw error;
      if (this.#nextMs.size >= EXHAUSTED.clients) this.#nextMs.clear();
      this.#nextMs.set(client, Math.min(EXHAUSTED.mostMs, 2 * pauseMs));
      await sleep(pauseMs);
      throw error;
    }
  }
}

export interface ServerIdentity {
  /** of ccpark */
  readonly version: string;
  readonly features: readonly string[];
}

/** The handlers by the names of the generated service. */
export function unaryCalls(
  context: ServerContext,
  { version, features }: ServerIdentity,
): Record<string, unknown> {
  const { host, sessions, limits } = context;
  const pauses = new ExhaustedPauses();
  const infoOf = (): GetServerInfoResponse => ({
    serverVersion: version,
    protocolVersion: PROTOCOL_VERSION,
    features: [...features],
    envIds: host.listEnvs().map((env) => env.envId),
    maxSessions: limits.maxSessions,
    maxEnvsPerSession: limits.maxEnvsPerSession,
    maxMessageBytes: BigInt(limits.maxMessageBytes),
    maxStepsPerSec: limits.maxStepsPerSec,
  });
  return {
    getServerInfo: unary(context, infoOf),
    listEnvs: unary(context, (): ListEnvsResponse => ({ envs: host.listEnvs() })),
    describeEnv: unary(
      context,
      ({ envId }: DescribeEnvRequest): DescribeEnvResponse => host.describeEnv(envId),
    ),
    createSession: unary(context, (request: CreateSessionRequest, call) =>
      pauses.after(
        clientOf(call),
        sessions.create(request, { owner: ownerOf(call), client: clientOf(call) }),
      ),
    ),
    closeSession: unary(context, (request: CloseSessionRequest): CloseSessionResponse => {
      if (sessions.has(request.sessionId)) {
        const entry = sessions.find(request.sessionId, request.sessionToken);
        sessions.remove(entry, fatal(status.ABORTED, "the session was closed"));
      }
      return {};
    }),
    reset: unary(
      context,
      (value: ResetRequest, call): MaybePromise<ResetResponse> =>
        then(ask(context, { $case: "reset", value }, call), (answer) => {
          if (answer.payload?.$case !== "reset") throw noResult(answer);
          return answer.payload.value;
        }),
    ),
    step: unary(
      context,
      (value: StepRequest, call): MaybePromise<StepResponse | StepAnswer> =>
        then(ask(context, { $case: "step", value }, call), (answer) => {
          if (answer instanceof StepAnswer) return answer;
          if (answer.payload?.$case !== "step") throw noResult(answer);
          return answer.payload.value;
        }),
    ),
    getState: unary(context, (request: GetStateRequest): MaybePromise<GetStateResponse> => {
      const entry = sessions.find(request.sessionId, request.sessionToken);
      return within(context, entry, () => entry.session.state(request.envIndex));
    }),
    render: unary(context, (request: RenderRequest): MaybePromise<RenderResponse> => {
      const entry = sessions.find(request.sessionId, request.sessionToken);
      return within(context, entry, () => entry.session.render(request.envIndex, request.mode));
    }),
    listFlows: unary(context, (request: ListFlowsRequest, call) => listFlows(context, request, call)),
    moveFlow: unary(context, (request: MoveFlowRequest, call) => moveFlow(context, request, call)),
    killFlow: unary(context, (request: KillFlowRequest, call) => killFlow(context, request, call)),
    watchFlow: (call: ServerWritableStream<WatchFlowRequest, WatchFlowResponse>) => watchFlow(context, call),
    watchEpisodes: (call: ServerWritableStream<WatchEpisodesRequest, WatchEpisodesResponse>) =>
      watchEpisodes(context, call),
  };
}
