/**
 * The requests of one session over the stream. Answers come in the order of the requests; more than `max_in_flight` wait
 * here. A stream that is lost is attached again with the number of the last answer: answers that were on their way are
 * replayed by the server, requests that did not arrive are sent again under their numbers, and nothing is stepped twice.
 *
 *   opening -> attached -> lost -> opening ... ; broken (for good) from any of them
 */
import type { ClientDuplexStream, StatusObject } from "@grpc/grpc-js";
import { CcparkError } from "../../../core/errors.ts";
import type {
  ConnectRequest,
  ConnectResponse,
  CreateSessionResponse,
} from "../generated/ccpark/v1/environment.ts";
import type { SessionRequest } from "../session/env-host.ts";
import { kindOfCode } from "../status-codes.ts";
import { backoffMs, LostConnection, type Service } from "./service.ts";
import type { Answer, Transport } from "./transport.ts";

interface Pending {
  readonly message: ConnectRequest;
  readonly seq: bigint;
  resolve(answer: Answer): void;
  reject(error: CcparkError): void;
}

/** Looks per timeout at whether the oldest request is still the same: one timer instead of one per request. */
const LOOKS = 4;

export class StreamTransport implements Transport {
  readonly #service: Service;
  readonly #session: CreateSessionResponse;
  readonly #resumeMs: number;
  readonly #watchdog: NodeJS.Timeout;
  /** unanswered, oldest first; the first `#sent` of them were written to this stream, or need not be */
  readonly #pending: Pending[] = [];
  #sent = 0;
  #seq = 0n;
  #lastAnswered = 0n;
  #stream: ClientDuplexStream<ConnectRequest, ConnectResponse> | undefined;
  #attached = false;
  #firstAttach: { resolve(): void; reject(error: CcparkError): void } | undefined;
  #broken: CcparkError | undefined;
  /** since when nothing has come through; undefined: all is well */
  #lostAtMs: number | undefined;
  #attempts = 0;
  #retryTimer: NodeJS.Timeout | undefined;
  #watched: unknown;
  #looks = 0;

  /** @param resumeMs how long a loss is tried to be made good */
  constructor(service: Service, session: CreateSessionResponse, resumeMs: number) {
    this.#service = service;
    this.#session = session;
    this.#resumeMs = resumeMs;
    this.#watchdog = setInterval(() => this.#look(), Math.max(service.timeoutMs / LOOKS, 1)).unref();
  }

  attach(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#firstAttach = { resolve, reject };
      this.#open();
    });
  }

  ask(request: SessionRequest): Promise<Answer> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    return new Promise((resolve, reject) => {
      this.#seq += 1n;
      request.value.seq = this.#seq;
      this.#pending.push({ message: { payload: request }, seq: this.#seq, resolve, reject });
      this.#pump();
    });
  }

  /** Nothing can be asked any more; whoever waits is told why. */
  break(error: CcparkError): void {
    if (this.#broken !== undefined) return;
    this.#broken = error;
    clearInterval(this.#watchdog);
    clearTimeout(this.#retryTimer);
    this.#drop();
    for (const { reject } of this.#pending.splice(0)) reject(error);
    this.#firstAttach?.reject(error);
  }

  get isBroken(): boolean {
    return this.#broken !== undefined;
  }

  #open(): void {
    const stream = this.#service.client.connect(this.#service.metadata);
    this.#stream = stream;
    stream.on("data", (answer: ConnectResponse) => {
      if (stream === this.#stream) this.#onAnswer(answer);
    });
    stream.on("error", () => undefined); // its status follows
    stream.on("status", ({ code, details }: StatusObject) => {
      if (stream !== this.#stream) return;
      const ended = code === 0;
      this.#onEnd(
        ended
          ? new LostConnection(`[grpc] ${this.#service.address}: the stream ended`)
          : this.#service.errorOf(code, details),
      );
    });
    const { sessionId, sessionToken } = this.#session;
    const isFirst = this.#firstAttach !== undefined;
    stream.write({
      payload: {
        $case: "attach",
        // the server may not have noticed yet that the stream before is gone
        value: { sessionId, sessionToken, lastSeqReceived: this.#lastAnswered, takeOver: !isFirst },
      },
    });
  }

  #drop(): void {
    const stream = this.#stream;
    this.#stream = undefined;
    this.#attached = false;
    stream?.cancel();
  }

  #pump(): void {
    if (!this.#attached) return;
    while (this.#sent < this.#pending.length && this.#sent < this.#session.maxInFlight) {
      this.#stream!.write(this.#pending[this.#sent]!.message);
      this.#sent += 1;
    }
  }

  #onAttached(lastSeqApplied: bigint): void {
    this.#attached = true;
    this.#looks = 0;
    this.#firstAttach?.resolve();
    this.#firstAttach = undefined;
    this.#sent = this.#pending.filter(({ seq }) => seq <= lastSeqApplied).length; // their answers are replayed
    if (this.#pending.length === 0) this.#lostAtMs = undefined;
    this.#pump();
  }

  #onAnswer({ seq, payload }: ConnectResponse): void {
    if (payload?.$case === "attach") {
      this.#onAttached(payload.value.lastSeqApplied);
      return;
    }
    if (seq !== 0n && seq <= this.#lastAnswered) return; // replayed, and answered again
    const first = this.#pending[0];
    if (first === undefined || first.seq !== seq || payload === undefined || payload.$case === "detach") {
      this.break(
        new CcparkError(
          "internal",
          `[grpc] ${this.#service.address}: got the answer ${payload?.$case} to ${seq}, expected one to ${first?.seq}`,
        ),
      );
      return;
    }
    this.#pending.shift();
    this.#sent -= 1;
    this.#lastAnswered = seq;
    if (this.#lostAtMs !== undefined) this.#lostAtMs = undefined;
    if (payload.$case === "error") {
      first.reject(new CcparkError(kindOfCode(payload.value.code), payload.value.message));
    } else first.resolve(payload);
    if (this.#sent < this.#pending.length) this.#pump();
  }

  #onEnd(error: CcparkError): void {
    if (!(error instanceof LostConnection)) {
      this.break(error);
      return;
    }
    this.#drop();
    const nowMs = performance.now();
    if (this.#lostAtMs === undefined) {
      this.#lostAtMs = nowMs;
      this.#attempts = 0;
    }
    const pauseMs = backoffMs(this.#attempts);
    this.#attempts += 1;
    if (nowMs + pauseMs - this.#lostAtMs > this.#resumeMs) {
      this.break(
        new CcparkError("unavailable", `${error.message}; not resumed within ${this.#resumeMs} ms`, {
          cause: error,
        }),
      );
      return;
    }
    this.#retryTimer = setTimeout(() => this.#open(), pauseMs);
  }

  #look(): void {
    const watched = this.#attached ? this.#pending[0] : this.#stream;
    if (watched === undefined || watched !== this.#watched) {
      this.#watched = watched;
      this.#looks = 0;
      return;
    }
    this.#looks += 1;
    if (this.#looks < LOOKS) return;
    const late = this.#service.lateError();
    if (this.#attached || this.#firstAttach !== undefined) this.break(late);
    else this.#onEnd(new LostConnection(late.message));
  }
}
