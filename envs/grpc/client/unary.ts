/**
 * The requests of one session as unary calls, one after the other. A call whose connection is lost is made again under the
 * same number, so that nothing is stepped twice.
 */
import { CcparkError } from "../../../core/errors.ts";
import type { CreateSessionResponse } from "../generated/ccpark/v1/environment.ts";
import type { SessionRequest } from "../session/env-host.ts";
import { backoffMs, LostConnection, type Service } from "./service.ts";
import type { Answer, Transport } from "./transport.ts";

export class UnaryTransport implements Transport {
  readonly #service: Service;
  readonly #session: CreateSessionResponse;
  readonly #resumeMs: number;
  #seq = 0n;
  #tail: Promise<unknown> = Promise.resolve();
  #broken: CcparkError | undefined;

  /** @param resumeMs how long a lost call is made again */
  constructor(service: Service, session: CreateSessionResponse, resumeMs: number) {
    this.#service = service;
    this.#session = session;
    this.#resumeMs = resumeMs;
  }

  async attach(): Promise<void> {}

  ask(request: SessionRequest): Promise<Answer> {
    this.#seq += 1n;
    const { value } = request;
    value.seq = this.#seq;
    value.sessionId = this.#session.sessionId;
    value.sessionToken = this.#session.sessionToken;
    const answer = this.#tail.then(() => this.#call(request));
    this.#tail = answer.catch(() => undefined);
    return answer;
  }

  break(error: CcparkError): void {
    this.#broken ??= error;
  }

  get isBroken(): boolean {
    return this.#broken !== undefined;
  }

  async #call(request: SessionRequest): Promise<Answer> {
    const { client } = this.#service;
    let lostAtMs: number | undefined;
    for (let attempt = 0; ; attempt++) {
      if (this.#broken !== undefined) throw this.#broken;
      try {
        return request.$case === "step"
          ? { $case: "step", value: await this.#service.call(client.step, request.value) }
          : { $case: "reset", value: await this.#service.call(client.reset, request.value) };
      } catch (error) {
        if (!(error instanceof LostConnection)) {
          // a request that was refused has used its number up; after anything else the numbers are out of step
          const { kind } = error as CcparkError;
          if (kind === "unavailable" || kind === "internal") this.break(error as CcparkError);
          throw error;
        }
        const nowMs = performance.now();
        lostAtMs ??= nowMs;
        const pauseMs = backoffMs(attempt);
        if (nowMs + pauseMs - lostAtMs > this.#resumeMs) {
          this.break(
            new CcparkError("unavailable", `${error.message}; not resumed within ${this.#resumeMs} ms`, {
              cause: error,
            }),
          );
          throw this.#broken;
        }
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
  }
}
