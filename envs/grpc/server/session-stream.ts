/**
 * The stream of a session: attach, then resets and steps, answered in their order, then detach. A session on this thread
 * answers at once, one in a worker later, and a session beyond its rate waits; in all cases at most max_in_flight
 * requests and answers are held.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type ServerDuplexStream, status } from "@grpc/grpc-js";
import type { MaybePromise } from "../../vector/place.ts";
import type { AttachRequest, ConnectRequest, ConnectResponse } from "../generated/ccpark/v1/environment.ts";
import type { SessionRequest } from "../session/env-host.ts";
import { fatal, type RpcError, toRpcError } from "../status-codes.ts";
import { kindOf } from "../step-codec.ts";
import { OrderlyStream } from "./orderly-stream.ts";
import { checkExtent } from "./request-extent.ts";
import type { ServerContext } from "./server-context.ts";
import { handOver, type SessionEntry } from "./session-registry.ts";

export class ConnectStream extends OrderlyStream<ConnectRequest, ConnectResponse> {
  readonly #attachTimer: NodeJS.Timeout;
  #entry: SessionEntry | undefined;
  /** as `unanswered`, and answers that the connection has not taken yet */
  #unsent = 0;
  /** the answers before the next one; undefined: all are written */
  #answers: Promise<void> | undefined;
  /** what is over its rate; undefined: nothing waits */
  #gate: Promise<void> | undefined;

  constructor(call: ServerDuplexStream<ConnectRequest, ConnectResponse>, context: ServerContext) {
    super(call, context);
    const { attachTimeoutMs } = context.limits;
    this.#attachTimer = setTimeout(() => {
      this.fail(fatal(status.DEADLINE_EXCEEDED, `no attach within ${attachTimeoutMs} ms`));
    }, attachTimeoutMs);
  }

  protected override take(request: ConnectRequest): void {
    try {
      checkExtent(request, true);
      if (this.#entry === undefined) this.#attach(request);
      else this.#take(this.#entry, request);
    } catch (error) {
      this.fail(toRpcError(error));
    }
  }

  override fail(error: RpcError): void {
    if (!this.isOpen) return;
    this.context.counts.error(error.code);
    if (error.code === status.INTERNAL) {
      this.context.log.error({ session: this.#entry?.id, code: error.code }, error.message);
    } else {
      this.context.log.debug({ session: this.#entry?.id, code: error.code }, error.message);
    }
    super.fail(error);
  }

  /** The session's lease starts. */
  protected override letGo(): void {
    clearTimeout(this.#attachTimer);
    if (this.#entry?.stream === this) {
      this.#entry.stream = undefined;
      this.context.sessions.touch(this.#entry);
    }
  }

  #attach({ payload }: ConnectRequest): void {
    if (payload?.$case !== "attach") {
      throw fatal(status.FAILED_PRECONDITION, "the first message of a stream must be attach");
    }
    const { sessionId, sessionToken, lastSeqReceived, takeOver }: AttachRequest = payload.value;
    const entry = this.context.sessions.find(sessionId, sessionToken);
    if (entry.stream !== undefined && !takeOver) {
      throw fatal(
        status.FAILED_PRECONDITION,
        "the session is attached to another stream; take_over ends that one",
      );
    }
    if (entry.stream !== undefined) {
      this.context.log.info({ session: entry.id }, "session taken over");
      entry.stream.fail(fatal(status.ABORTED, "another stream took the session over"));
    }
    clearTimeout(this.#attachTimer);
    this.#entry = entry;
    entry.stream = this;
    this.context.sessions.touch(entry);
    if (entry.running === undefined) this.#welcome(entry, lastSeqReceived);
    else {
      // what a lost stream asked is answered first, or the number of the next request would be unknown
      const welcomed = entry.running.then(() => {
        if (!this.isOpen) return;
        try {
          this.#welcome(entry, lastSeqReceived);
        } catch (error) {
          this.fail(toRpcError(error));
        }
      });
      this.#answers = welcomed;
      void welcomed.then(() => {
        if (this.#answers === welcomed) this.#answers = undefined;
      });
    }
  }

  /** @throws RpcError if answers to send again are gone */
  #welcome({ session }: SessionEntry, lastSeqReceived: bigint | undefined): void {
    const replay = lastSeqReceived === undefined ? [] : session.answersAfter(lastSeqReceived);
    this.call.write({
      seq: 0n,
      payload: { $case: "attach", value: { lastSeqApplied: session.lastSeq } },
    });
    for (const answer of replay) {
      this.#unsent += 1;
      this.call.write(answer, this.#sent);
    }
  }

  readonly #sent = (): void => {
    this.#unsent -= 1;
  };

  #take(entry: SessionEntry, { payload }: ConnectRequest): void {
    if (payload?.$case === "attach") {
      throw fatal(status.FAILED_PRECONDITION, "the stream is attached already");
    }
    if (payload === undefined) {
      throw fatal(status.UNIMPLEMENTED, "a request without a payload that this server knows");
    }
    if (payload.$case === "detach") {
      this.#goodbye();
      return;
    }
    const { maxInFlight } = this.context.limits;
    if (this.#unsent >= maxInFlight) {
      throw fatal(status.RESOURCE_EXHAUSTED, `more than ${maxInFlight} requests are unanswered`);
    }
    this.asked();
    this.#unsent += 1;
    const startedMs = performance.now();
    const answer = this.#start(entry, payload, startedMs);
    if (this.#answers === undefined && !(answer instanceof Promise)) {
      this.#write(entry, answer, startedMs);
      return;
    }
    const before = this.#answers;
    const chain = (async () => {
      // a failure must have a listener before its turn comes
      const settled = await Promise.all([
        Promise.resolve(answer).then(
          (value) => ({ value }),
          (error: unknown) => ({ error }),
        ),
        before,
      ]);
      if (!this.isOpen) return;
      const [outcome] = settled;
      if ("value" in outcome) this.#write(entry, outcome.value, startedMs);
      else this.fail(toRpcError(outcome.error));
    })();
    this.#answers = chain;
    void chain.then(() => {
      if (this.#answers === chain) this.#answers = undefined;
    });
  }

  /** Hands the request on, now or when the session's rate allows it. */
  #start(entry: SessionEntry, request: SessionRequest, nowMs: number): MaybePromise<ConnectResponse> {
    const waitMs = entry.budget?.take(entry.session.config.numEnvs, nowMs) ?? 0;
    if (waitMs === 0 && this.#gate === undefined) return handOver(entry, request);
    const before = this.#gate;
    const gate = (async () => {
      await before;
      await sleep(waitMs - (performance.now() - nowMs));
    })();
    this.#gate = gate;
    return gate.then(() => {
      if (this.#gate === gate) this.#gate = undefined;
      if (!this.isOpen) throw fatal(status.CANCELLED, "the stream ended before this request had its turn");
      return handOver(entry, request);
    });
  }

  #write(entry: SessionEntry, answer: ConnectResponse, startedMs: number): void {
    const { counts } = this.context;
    this.call.write(answer, this.#sent);
    if (kindOf(answer) === "step") {
      counts.step(entry.session.config.numEnvs, (performance.now() - startedMs) / 1e3);
    } else if (answer.payload?.$case === "error") counts.error(answer.payload.value.code);
    this.answered();
  }

  #goodbye(): void {
    const reply = (): void => {
      if (!this.isOpen) return;
      this.call.write({ seq: 0n, payload: { $case: "detach", value: {} } });
      this.finish();
    };
    if (this.#answers === undefined) reply();
    else void this.#answers.then(reply);
  }
}
