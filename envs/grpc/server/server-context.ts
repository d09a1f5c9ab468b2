/** What the handlers of all services share. */
import type { ServedFlows } from "../flows/served-flows.ts";
import type { EnvHost } from "../session/env-host.ts";
import type { RpcError } from "../status-codes.ts";
import type { ServerLimits } from "./limits.ts";
import type { ServerLog } from "./server-log.ts";
import type { SessionRegistry, SessionStream } from "./session-registry.ts";

export interface OpenStream extends SessionStream {
  /** Ends with the error once what it was asked is answered; asks nothing new. */
  drain(error: RpcError): void;
}

/** Counts for metrics; called on the hot path. */
export interface ServerCounts {
  /** requests received and not answered yet */
  waiting: number;
  step(environments: number, seconds: number): void;
  error(code: number): void;
}

export interface ServerContext {
  readonly host: EnvHost;
  readonly sessions: SessionRegistry;
  readonly flows: ServedFlows;
  readonly limits: ServerLimits;
  readonly log: ServerLog;
  readonly streams: Set<OpenStream>;
  readonly counts: ServerCounts;
}
