/**
 * One session: N environments, autoreset, sequence numbers and the answers kept for replay. Synchronous and without a
 * transport; the server hands it requests and sends what it answers.
 *
 *   row:  new --reset--> live --episode ends--> ended --reset or NEXT_STEP--> live        (SAME_STEP: live --> live)
 */
import { createHash } from "node:crypto";
import { status } from "@grpc/grpc-js";
import { CcparkError, unknownName } from "../../core/errors.ts";
import { RNG_NAME } from "../../core/random.ts";
import type { TimeStep } from "../env.ts";
import type { Scenario } from "../scenario.ts";
import { checkFinite } from "../spaces.ts";
import type { Session, SessionConfig, SessionDescription, SessionRequest } from "./env-host.ts";
import {
  ActionPolicy,
  AutoresetMode,
  type ConnectResponse,
  type EpisodeSummary,
  type FinalBatch,
  type GetStateResponse,
  type RenderResponse,
  type ResetRequest,
  type ResetResponse,
  type StepRequest,
  type StepResponse,
} from "./generated/ccpark/v1/environment.ts";
import { checkSeed, EpisodeSeeds, type MakeEnv, type SteppableEnv } from "./session-env.ts";
import { RpcError, toRpcError, toStatus } from "./status-codes.ts";
import { infoColumns, pack, type RowInfo, unpackLeaf } from "./wire.ts";

interface Row {
  readonly env: SteppableEnv;
  seeds: EpisodeSeeds;
  phase: "new" | "live" | "ended";
  seed: number;
  steps: number;
  episodeReturn: number;
  episodeIndex: bigint;
  info: RowInfo | undefined;
}

/** JSON with sorted keys, so that equal configurations have equal digests. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, v: unknown) =>
    v !== null && typeof v === "object" && !Array.isArray(v)
      ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1)))
      : v,
  );
}

export class EnvSession implements Session {
  readonly config: SessionConfig;
  /** SHA-256 (hex) of what determines the bytes, besides seed and actions */
  readonly digest: string;
  readonly description: SessionDescription;
  readonly #rows: Row[];
  readonly #observations: Float32Array;
  readonly #kept = new Map<bigint, ConnectResponse>();
  readonly #listeners = new Set<(episode: EpisodeSummary) => void>();
  #lastSeq = 0n;
  #poison: RpcError | undefined;

  /** @throws what `makeEnv` throws */
  constructor(config: SessionConfig, makeEnv: MakeEnv) {
    this.config = config;
    const { keptAnswers: _, infoKeys: __, ...determining } = config;
    this.digest = createHash("sha256").update(canonicalJson(determining)).digest("hex");
    const actionPolicy = config.actionPolicy === ActionPolicy.ACTION_POLICY_REJECT ? "reject" : "clip";
    this.#rows = Array.from({ length: config.numEnvs }, (_unused, i) => ({
      env: makeEnv({ ...config.kwargs, actionPolicy }),
      seeds: new EpisodeSeeds(checkSeed(config.seed + i, "kwargs.seed + num_envs - 1")),
      phase: "new",
      seed: 0,
      steps: 0,
      episodeReturn: 0,
      episodeIndex: -1n,
      info: undefined,
    }));
    const { observationSpace, actionSpace } = this.#rows[0]!.env;
    this.description = {
      observationSpace,
      actionSpace,
      slotsPerEnv: 1,
      flowIds: ["flow-0"],
      stepSeconds: 0,
      rng: RNG_NAME,
      stateSpace: undefined,
    };
    this.#observations = new Float32Array(config.numEnvs * observationSpace.shape[0]);
  }

  /** The number of the last answer; the next new request carries this + 1. */
  get lastSeq(): bigint {
    return this.#lastSeq;
  }

  /**
   * The one answer to a request: a result, or a recoverable error as its payload. Both use the number up.
   * @throws RpcError (fatal): a gap, an answer that is no longer kept, a session that broke
   */
  handle(request: SessionRequest): ConnectResponse {
    const seq = request.value.seq;
    if (this.#poison !== undefined) throw this.#poison;
    if (seq === 0n) this.#abort("sequence number 0: the first is 1");
    if (seq <= this.#lastSeq) {
      const kept = this.#kept.get(seq);
      if (kept === undefined)
        this.#abort(`the answer to ${seq} is no longer kept; the last was ${this.#lastSeq}`);
      return kept;
    }
    if (seq !== this.#lastSeq + 1n)
      this.#abort(`gap: got sequence number ${seq}, expected ${this.#lastSeq + 1n}`);
    const answer: ConnectResponse = { seq, payload: this.#answer(request) };
    this.#lastSeq = seq;
    this.#kept.set(seq, answer);
    this.#kept.delete(seq - BigInt(this.config.keptAnswers));
    return answer;
  }

  /**
   * The kept answers after `seq`, oldest first.
   * @throws RpcError (fatal) if some are gone or `seq` lies in the future
   */
  answersAfter(seq: bigint): ConnectResponse[] {
    if (seq > this.#lastSeq)
      this.#abort(`last_seq_received ${seq} lies ahead of the last answer, ${this.#lastSeq}`);
    const answers: ConnectResponse[] = [];
    for (let next = seq + 1n; next <= this.#lastSeq; next++) {
      const kept = this.#kept.get(next);
      if (kept === undefined)
        this.#abort(`the answer to ${next} is no longer kept; the last was ${this.#lastSeq}`);
      answers.push(kept);
    }
    return answers;
  }

  state(): GetStateResponse {
    throw new RpcError(status.UNIMPLEMENTED, "[grpc] GetState is not offered", { fatal: true });
  }

  render(): RenderResponse {
    throw new RpcError(status.UNIMPLEMENTED, "[grpc] Render is not offered", { fatal: true });
  }

  onEpisode(listener: (episode: EpisodeSummary) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#listeners.clear();
  }

  #abort(message: string): never {
    throw new RpcError(status.ABORTED, `[grpc] ${message}`, { fatal: true });
  }

  #answer(request: SessionRequest): ConnectResponse["payload"] {
    try {
      return request.$case === "reset"
        ? { $case: "reset", value: this.#reset(request.value) }
        : { $case: "step", value: this.#step(request.value) };
    } catch (error) {
      const failure = toRpcError(error);
      if (failure.fatal) {
        this.#poison = failure;
        throw failure;
      }
      return { $case: "error", value: toStatus(failure) };
    }
  }

  /** The environment threw halfway: what it holds is unknown, so the session ends with what reproduces it. */
  #broken(index: number, row: Row, doing: string, error: unknown): RpcError {
    const message = error instanceof Error ? error.message : String(error);
    return new RpcError(
      status.INTERNAL,
      `[grpc] environment ${index} threw in ${doing} (seed ${row.seed}, step ${row.steps}, config ${this.digest}): ${message}`,
      { fatal: true, cause: error },
    );
  }

  #start(index: number, scenario: Scenario | undefined): void {
    const row = this.#rows[index]!;
    const seed = row.seeds.upcoming;
    const first = row.env.reset(seed, scenario);
    row.seeds.advance();
    row.phase = "live";
    row.seed = seed;
    row.steps = 0;
    row.episodeReturn = 0;
    row.episodeIndex += 1n;
    row.info = { info: first.info, seed };
    this.#observe(index, first.observation);
  }

  #observe(index: number, observation: Float32Array): void {
    const width = this.description.observationSpace.shape[0];
    if (observation.length !== width) {
      throw new Error(`observation of length ${observation.length}, expected ${width}`);
    }
    this.#observations.set(observation, index * width);
  }

  #seedsOf(seeding: ResetRequest["seeding"]): readonly number[] | undefined {
    if (seeding === undefined) return undefined;
    const n = this.#rows.length;
    if (seeding.$case === "seed") {
      checkSeed(Number(seeding.value) + (n - 1), "seed + num_envs - 1");
      return Array.from({ length: n }, (_, i) => Number(seeding.value) + i);
    }
    const seeds = seeding.value.seeds;
    if (seeds.length !== n) {
      throw new CcparkError(
        "invalid-argument",
        `[grpc] seeds: got ${seeds.length}, expected ${n}, one per row`,
      );
    }
    return seeds.map((seed, i) => checkSeed(Number(seed), `seeds[${i}]`));
  }

  #maskOf(mask: Uint8Array): readonly boolean[] {
    const n = this.#rows.length;
    if (mask.length === 0) return new Array<boolean>(n).fill(true);
    if (mask.length !== n) {
      throw new CcparkError(
        "invalid-argument",
        `[grpc] reset_mask: got ${mask.length} bytes, expected 0 or ${n}`,
      );
    }
    if (mask.some((flag) => flag > 1)) {
      throw new CcparkError("invalid-argument", "[grpc] reset_mask: a flag is neither 0 nor 1");
    }
    if (!mask.includes(1)) throw new CcparkError("invalid-argument", "[grpc] reset_mask: no row is set");
    return Array.from(mask, (flag) => flag === 1);
  }

  #scenarioOf(options: ResetRequest["options"]): Scenario | undefined {
    for (const key of Object.keys(options ?? {})) {
      if (key !== "scenario") {
        throw new CcparkError(
          "invalid-argument",
          unknownName("grpc", "reset option", key, ["scenario"]).message,
        );
      }
    }
    const scenario: unknown = options?.["scenario"];
    if (scenario === undefined) return undefined;
    if (scenario === null || typeof scenario !== "object" || Array.isArray(scenario)) {
      throw new CcparkError(
        "invalid-argument",
        "[grpc] options.scenario: expected an object; a scenario by name is a kwarg of CreateSession",
      );
    }
    return scenario as Scenario; // its fields are the environment's to check
  }

  #reset(request: ResetRequest): ResetResponse {
    const mask = this.#maskOf(request.resetMask);
    const seeds = this.#seedsOf(request.seeding);
    const scenario = this.#scenarioOf(request.options);
    let untouched = true;
    for (let i = 0; i < this.#rows.length; i++) {
      if (!mask[i]) continue;
      const row = this.#rows[i]!;
      const before = row.seeds;
      try {
        if (seeds !== undefined) row.seeds = new EpisodeSeeds(seeds[i]!);
        this.#start(i, scenario);
      } catch (error) {
        row.seeds = before;
        if (untouched && error instanceof CcparkError) throw error;
        throw this.#broken(i, row, "reset", error);
      }
      untouched = false;
    }
    return {
      seq: request.seq,
      observations: [pack(this.#observations)],
      infos: infoColumns(
        this.config.infoKeys,
        this.#rows.map((row, i) => (mask[i] ? row.info : undefined)),
      ),
      present: new Uint8Array(0),
      live: new Uint8Array(0),
      states: new Uint8Array(0),
      observationValues: [],
      stateValues: [],
    };
  }

  /** @throws CcparkError if any row cannot take its action; nothing has happened then */
  #checkActions(actions: Float32Array): void {
    const { low, high, dimensions } = this.description.actionSpace;
    const width = this.description.actionSpace.shape[0];
    for (let i = 0; i < this.#rows.length; i++) {
      const { phase } = this.#rows[i]!;
      if (phase === "new") {
        throw new CcparkError("failed-precondition", `[grpc] row ${i}: step before the first reset`);
      }
      if (phase === "ended") {
        if (this.config.autoresetMode === AutoresetMode.AUTORESET_MODE_NEXT_STEP) continue; // its action is ignored
        throw new CcparkError(
          "failed-precondition",
          `[grpc] row ${i}: step after the episode's end; reset it first`,
        );
      }
      const action = actions.subarray(i * width, (i + 1) * width);
      checkFinite(this.description.actionSpace, action, `the action of row ${i}`);
      if (this.config.actionPolicy !== ActionPolicy.ACTION_POLICY_REJECT) continue;
      for (let j = 0; j < width; j++) {
        if (action[j]! < low[j]! || action[j]! > high[j]!) {
          throw new CcparkError(
            "invalid-argument",
            `[grpc] the action of row ${i} is outside the box at ${dimensions[j]!.name}: got ${action[j]}, expected ${low[j]} to ${high[j]}`,
          );
        }
      }
    }
  }

  #step(request: StepRequest): StepResponse {
    const n = this.#rows.length;
    const width = this.description.actionSpace.shape[0];
    const actions = unpackLeaf(request.actions, n, width, "actions");
    this.#checkActions(actions);

    const rewards = new Float64Array(n);
    const terminated = new Uint8Array(n);
    const truncated = new Uint8Array(n);
    const nextStep = this.config.autoresetMode === AutoresetMode.AUTORESET_MODE_NEXT_STEP;
    const sameStep = this.config.autoresetMode === AutoresetMode.AUTORESET_MODE_SAME_STEP;
    const resetRows = new Uint8Array(nextStep ? n : 0);
    const episodes: EpisodeSummary[] = [];
    const finals: { row: number; observation: Float32Array; info: RowInfo }[] = [];
    let untouched = true;
    for (let i = 0; i < n; i++) {
      const row = this.#rows[i]!;
      try {
        if (row.phase === "ended") {
          this.#start(i, undefined);
          resetRows[i] = 1;
        } else {
          const taken = row.env.step(actions.slice(i * width, (i + 1) * width));
          untouched = false;
          this.#observe(i, taken.observation);
          row.info = { info: taken.info, seed: row.seed };
          row.steps += 1;
          row.episodeReturn += taken.reward;
          const cut = taken.truncated || row.steps === this.config.maxEpisodeSteps;
          rewards[i] = taken.reward;
          terminated[i] = taken.terminated ? 1 : 0;
          truncated[i] = cut ? 1 : 0;
          if (taken.terminated || cut) {
            row.phase = "ended";
            episodes.push(this.#summarise(i, taken, cut));
            if (sameStep) {
              finals.push({ row: i, observation: taken.observation.slice(), info: row.info });
              this.#start(i, undefined);
            }
          }
        }
      } catch (error) {
        if (untouched && error instanceof CcparkError) throw error;
        throw this.#broken(i, row, "step", error);
      }
      untouched = false;
    }
    for (const listener of this.#listeners) for (const episode of episodes) listener(episode);
    return {
      seq: request.seq,
      observations: [pack(this.#observations)],
      rewards: pack(rewards),
      terminated,
      truncated,
      resetRows,
      final: finals.length === 0 ? undefined : this.#finalBatch(finals),
      infos: infoColumns(
        this.config.infoKeys,
        this.#rows.map((row) => row.info),
      ),
      episodes,
      present: new Uint8Array(0),
      live: new Uint8Array(0),
      ended: new Uint8Array(0),
      states: new Uint8Array(0),
      observationValues: [],
      rewardValues: [],
      stateValues: [],
    };
  }

  #finalBatch(finals: readonly { row: number; observation: Float32Array; info: RowInfo }[]): FinalBatch {
    const width = this.description.observationSpace.shape[0];
    const observations = new Float32Array(finals.length * width);
    finals.forEach((final, k) => {
      observations.set(final.observation, k * width);
    });
    return {
      rows: finals.map((final) => final.row),
      observations: [pack(observations)],
      infos: infoColumns(
        this.config.infoKeys,
        finals.map((final) => final.info),
      ),
      states: new Uint8Array(0),
      observationValues: [],
      stateValues: [],
    };
  }

  #summarise(index: number, last: TimeStep, truncated: boolean): EpisodeSummary {
    const row = this.#rows[index]!;
    return {
      row: index,
      episodeReturn: row.episodeReturn,
      length: row.steps,
      simSeconds: last.info.timeUs / 1e6,
      seed: BigInt(row.seed),
      episodeIndex: row.episodeIndex,
      terminated: last.terminated,
      truncated,
      metrics: new Map(Object.entries(row.env.episodeMetrics?.() ?? {})),
      flowId: "flow-0",
    };
  }
}
