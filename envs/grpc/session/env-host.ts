/**
 * What a server needs of environments, without any transport: the host knows them by id and opens sessions, a session
 * answers the requests of one client. `cli/` wires the real host (`served-env.ts`), tests have a toy.
 */
import type { MoveTarget } from "../../../scenarios/traffic/named-flows.ts";
import type { Box, Space } from "../../spaces.ts";
import type { EnvBooks, MaybePromise } from "../../vector/place.ts";
import type {
  ActionPolicy,
  AutoresetMode,
  ConnectResponse,
  DescribeEnvResponse,
  EnvInfo,
  EpisodeSummary,
  GetStateResponse,
  NumberEncoding,
  RenderResponse,
  ResetRequest,
  StepRequest,
} from "../generated/ccpark/v1/environment.ts";

export interface SessionConfig {
  readonly envId: string;
  readonly numEnvs: number;
  /** as the client gave them, without `seed`; not checked yet */
  readonly kwargs: Readonly<Record<string, unknown>>;
  /** of environment 0 until a Reset gives one; environment i has seed + i */
  readonly seed: number;
  /** 0: only the environment ends episodes */
  readonly maxEpisodeSteps: number;
  /** never UNSPECIFIED, as the next two */
  readonly autoresetMode: AutoresetMode;
  readonly actionPolicy: ActionPolicy;
  readonly numberEncoding: NumberEncoding;
  readonly withState: boolean;
  /** not checked yet */
  readonly infoKeys: readonly string[];
  /** answers kept for replay */
  readonly keptAnswers: number;
}

/** What CreateSession announces. */
export interface SessionDescription {
  /** of one row */
  readonly observationSpace: Box;
  /** of one row */
  readonly actionSpace: Space;
  readonly slotsPerEnv: number;
  /** slotsPerEnv names */
  readonly flowIds: readonly string[];
  /** virtual time of a step, s; 0: it varies */
  readonly stepSeconds: number;
  /** of a scenario that the client wrote: what it may not have meant, a sentence each */
  readonly notes: readonly string[];
  /** name and version of the generator */
  readonly rng: string;
  /** of one environment; undefined without `withState` */
  readonly stateSpace: Box | undefined;
}

export type SessionRequest =
  | { readonly $case: "reset"; readonly value: ResetRequest }
  | { readonly $case: "step"; readonly value: StepRequest };

/**
 * The environments of one client. Requests are handled strictly one after the other: those that come before the last is
 * answered wait inside, so a caller may pipeline and gets the answers in order.
 */
export interface Session {
  readonly config: SessionConfig;
  /** SHA-256 (hex) of what determines the bytes, besides seed and actions */
  readonly digest: string;
  readonly description: SessionDescription;
  /** the number of the last answer; the next new request carries this + 1 */
  readonly lastSeq: bigint;
  /**
   * The one answer to a request: a result, or a recoverable error as its payload. Both use the number up.
   * @throws RpcError (fatal; as a rejection where the session answers later): a gap, an answer that is no longer kept, a
   *   session that broke
   */
  handle(request: SessionRequest): MaybePromise<ConnectResponse>;
  /**
   * The kept answers after `seq`, oldest first.
   * @throws RpcError (fatal) if some are gone or `seq` lies in the future
   */
  answersAfter(seq: bigint): ConnectResponse[];
  /** @throws CcparkError: invalid-argument for an index beyond num_envs, failed-precondition before its first reset */
  state(envIndex: number): MaybePromise<GetStateResponse>;
  /** @throws as `state`; RpcError UNIMPLEMENTED for an unknown mode */
  render(envIndex: number, mode: string): MaybePromise<RenderResponse>;
  /**
   * What `state` says, without the scenario: for who reads after every step.
   * @throws as `state`
   */
  books(envIndex: number): MaybePromise<EnvBooks>;
  /** A flow takes other links from the next step on, as of `SlotEnv.move`. @throws CcparkError as `state`, and as `Run.move` */
  move(envIndex: number, slot: number, to: MoveTarget): MaybePromise<void>;
  /** Lets the next step truncate the episode of an environment. @throws CcparkError as `state` */
  cut(envIndex: number): void;
  /** No episode has begun since `cut`. */
  isCut(envIndex: number): boolean;
  /** Called after each reset and step, before the next is carried out. @returns what ends the subscription */
  onAnswer(listener: () => void): () => void;
  /** @returns what ends the subscription */
  onEpisode(listener: (episode: EpisodeSummary) => void): () => void;
  /** Frees the environments, after the request that runs. May be called twice. */
  close(): void;
}

export interface EnvHost {
  listEnvs(): EnvInfo[];
  /** @throws CcparkError (not-found) */
  describeEnv(envId: string): DescribeEnvResponse;
  /**
   * Makes the environments of a session.
   * @throws CcparkError: not-found for an unknown id or name, invalid-argument for a bad option, resource-exhausted for a
   *   scenario too large for memory
   */
  open(config: SessionConfig): Promise<Session>;
  /** Ends the worker threads, after the requests that run. May be called twice. */
  close(): Promise<void>;
}
