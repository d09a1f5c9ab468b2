/** What a server allows its clients. */

export interface ServerLimits {
  /** at one time, over all clients; worlds of dm_env_rpc count too */
  readonly maxSessions: number;
  /** of these, by one client: a bearer token, a certificate, or without both a connection */
  readonly maxSessionsPerClient: number;
  readonly maxEnvsPerSession: number;
  /** flows of all sessions together: each slot of each environment is one */
  readonly maxFlows: number;
  /** of these, by one client */
  readonly maxFlowsPerClient: number;
  /** of one request or answer */
  readonly maxMessageBytes: number;
  /** requests that a stream may have unanswered, and answers kept for replay */
  readonly maxInFlight: number;
  /** environment steps per second of one session, resets included; more waits. 0: unlimited */
  readonly maxStepsPerSec: number;
  /** life of a session without stream and calls, if the client asks for none */
  readonly leaseMs: number;
  /** the longest lease that a client can ask for */
  readonly maxLeaseMs: number;
  /** how long a stream may stay silent before its `attach` */
  readonly attachTimeoutMs: number;
  /** how long `close` waits for requests that run */
  readonly drainGraceMs: number;
  /** how long `close` then waits for connections to end by themselves */
  readonly shutdownGraceMs: number;
}

export const DEFAULT_LIMITS: ServerLimits = {
  maxSessions: 64,
  maxSessionsPerClient: 48, // nobody can take all
  maxEnvsPerSession: 1024,
  maxFlows: 65_536,
  maxFlowsPerClient: 32_768, // nobody can take all; 32 sessions of 1024 environments with a flow each
  maxMessageBytes: 16 * 1024 * 1024, // 1024 environments with 256 numbers each and room for info
  maxInFlight: 16, // throughput does not grow beyond this depth on loopback
  maxStepsPerSec: 0,
  leaseMs: 60_000,
  maxLeaseMs: 600_000,
  attachTimeoutMs: 10_000,
  drainGraceMs: 10_000,
  shutdownGraceMs: 1_000,
};

/** A client that was idle may catch up with so much of its rate at once. */
const BURST_MS = 1_000;

/** The environment steps that a session may take: a bucket of one second that fills at a constant rate. */
export class StepBudget {
  readonly #msPerStep: number;
  /** when everything that was taken is paid for, ms */
  #paidAtMs = 0;

  constructor(stepsPerSec: number) {
    this.#msPerStep = 1e3 / stepsPerSec;
  }

  /** Takes `steps`. @returns how long they have to wait, ms; 0: not at all */
  take(steps: number, nowMs: number): number {
    const waitMs = Math.max(0, this.#paidAtMs - BURST_MS - nowMs);
    this.#paidAtMs = Math.max(this.#paidAtMs, nowMs) + steps * this.#msPerStep;
    return waitMs;
  }
}
