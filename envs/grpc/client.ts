/**
 * Environments in another process, over proto/ccpark/v1/environment.proto: an `Env`, its vector form, and the form with
 * several flows. Errors are those of a local environment. A lost connection is resumed within the session's lease and
 * nobody notices but by the time it takes; a server that is gone, or silent for too long, gives "unavailable".
 *
 * Close what was connected, or the process will not end.
 */
import type { Env } from "../env.ts";
import type { Autoreset } from "../vector/block.ts";
import { STEP_INFO_KEYS } from "../vector/info-keys.ts";
import { RemoteEnv } from "./client/env.ts";
import { FlowsClient } from "./client/flows.ts";
import { RemoteMultiFlowEnv } from "./client/multi-flow.ts";
import { ClientSession, type SessionOptions } from "./client/session.ts";
import { RemoteVectorEnv } from "./client/vector.ts";

export type { Autoreset } from "../vector/block.ts";
export type { FlowList, ListOptions, WatchedItem, WatchOptions } from "./client/flows.ts";
export type { InfoValues } from "./client/rows.ts";
export type { ServiceOptions, TlsOptions } from "./client/service.ts";
export type { SessionOptions } from "./client/session.ts";
export type { RemoteMultiFlowEnv, RemoteVectorEnv };
export { FlowsClient };

export interface VectorOptions extends SessionOptions {
  readonly numEnvs: number;
  /** default "same-step", as the local vector form */
  readonly autoreset?: Autoreset;
  /** info columns wanted; default none */
  readonly infoKeys?: readonly string[];
  /** whether answers carry the critic's state; only where environments have one */
  readonly withState?: boolean;
}

/**
 * One environment.
 * @throws CcparkError: unavailable if nobody serves the address; what the environment says of scenario and kwargs
 */
export async function connectEnv(options: SessionOptions): Promise<Env> {
  return new RemoteEnv(
    await ClientSession.open(options, {
      numEnvs: 1,
      autoreset: "disabled",
      infoKeys: STEP_INFO_KEYS,
      withState: false,
    }),
  );
}

/** Many environments, stepped together. @throws CcparkError as `connectEnv` */
export async function connectVectorEnv(options: VectorOptions): Promise<RemoteVectorEnv> {
  const { numEnvs, autoreset = "same-step", infoKeys = [], withState = false } = options;
  const session = await ClientSession.open(options, { numEnvs, autoreset, infoKeys, withState });
  return new RemoteVectorEnv(session, autoreset);
}

/** One environment with several flows that join and leave. @throws CcparkError as `connectEnv` */
export async function connectMultiFlowEnv(options: SessionOptions): Promise<RemoteMultiFlowEnv> {
  return new RemoteMultiFlowEnv(
    await ClientSession.open(
      { ...options, envId: options.envId ?? "ccpark/MultiFlow-v0" },
      { numEnvs: 1, autoreset: "disabled", infoKeys: STEP_INFO_KEYS, withState: true },
    ),
  );
}
