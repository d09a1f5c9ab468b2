/** Where a block of rows lives: on this thread, or in a worker (`rows/workers.ts`), behind one interface. */
import type { MaybePromise } from "../grpc/env-host.ts";
import type {
  EpisodeSummary,
  GetStateResponse,
  RenderResponse,
} from "../grpc/generated/ccpark/v1/environment.ts";
import type { SlotEnv } from "../grpc/session-env.ts";
import type { RowBlock } from "./block.ts";

/** Calls are carried out in order; each throws or rejects with BrokenEnv, CcparkError or RpcError. */
export interface BlockPlace {
  /** environments from (inclusive) to (exclusive) */
  readonly from: number;
  readonly to: number;
  reset(seeded: boolean, scenario?: unknown): MaybePromise<void>;
  step(): MaybePromise<readonly EpisodeSummary[]>;
  state(env: number): MaybePromise<GetStateResponse>;
  render(env: number, mode: string): MaybePromise<RenderResponse>;
  /** Frees the environments. */
  close(): void;
}

export function stateOf(env: SlotEnv, seed: number): GetStateResponse {
  return { ...env.state(), seed: BigInt(seed) };
}

/** A block on the calling thread. */
export function placeHere(block: RowBlock, from: number, to: number, seeds: Float64Array): BlockPlace {
  return {
    from,
    to,
    reset: (seeded, scenario) => block.reset(seeded, scenario),
    step: () => block.step(),
    state: (env) => stateOf(block.envAt(env), seeds[env]!),
    render: (env, mode) => block.envAt(env).render(mode),
    close() {},
  };
}
