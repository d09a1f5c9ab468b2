/**
 * One session: sequence numbers, answers kept for replay, strict order, and the end of a session that broke. What a request
 * means is read in `session-requests.ts` and done by the blocks of rows; the answer is made in `session-answers.ts`.
 */
import { createHash } from "node:crypto";
import { status } from "@grpc/grpc-js";
import { CcparkError } from "../../../core/errors.ts";
import { RNG_NAME } from "../../../core/random.ts";
import type { MoveTarget } from "../../../scenarios/traffic/named-flows.ts";
import { NEW, type RowArrays } from "../../vector/arrays.ts";
import { type Autoreset, BrokenEnv, type RowEpisode } from "../../vector/block.ts";
import type { OpenRows } from "../../vector/open-rows.ts";
import { type BlockPlace, type EnvBooks, LostWorker, type MaybePromise, onAll } from "../../vector/place.ts";
import type { SlotEnvShape } from "../../vector/slots/slot-env.ts";
import {
  ActionPolicy,
  AutoresetMode,
  type ConnectResponse,
  type EpisodeSummary,
  type GetStateResponse,
  NumberEncoding,
  type RenderResponse,
} from "../generated/ccpark/v1/environment.ts";
import { RpcError, toRpcError, toStatus } from "../status-codes.ts";
import type { Session, SessionConfig, SessionDescription, SessionRequest } from "./env-host.ts";
import {
  type AnswerForm,
  episodeSummary,
  liveAnswer,
  renderAnswer,
  resetAnswer,
  stateAnswer,
  stepAnswer,
} from "./session-answers.ts";
import { type RequestRules, readActions, readReset } from "./session-requests.ts";

/** JSON with sorted keys, so that equal configurations have equal digests. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, v: unknown) =>
    v !== null && typeof v === "object" && !Array.isArray(v)
      ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1)))
      : v,
  );
}

/** SHA-256 (hex) of what determines the bytes, besides seed and actions: what is told or drawn beside them does not. */
function digestOf({ keptAnswers: _, infoKeys: __, kwargs, ...determining }: SessionConfig): string {
  const { render: ___, ...options } = kwargs;
  return createHash("sha256")
    .update(canonicalJson({ ...determining, kwargs: options }))
    .digest("hex");
}

export const AUTORESET: ReadonlyMap<AutoresetMode, Autoreset> = new Map([
  [AutoresetMode.AUTORESET_MODE_NEXT_STEP, "next-step"],
  [AutoresetMode.AUTORESET_MODE_SAME_STEP, "same-step"],
  [AutoresetMode.AUTORESET_MODE_DISABLED, "disabled"],
]);

/** What the host has made for a session. */
export interface SessionParts extends OpenRows {
  readonly shape: SlotEnvShape;
  readonly strangers: Strangers;
  readonly onClose: () => void;
}

/** Where scenarios of a client's own are checked and run. */
export interface Strangers {
  /**
   * Checks the scenario for a reset of so many environments, and makes room for it.
   * @throws CcparkError for one that they would not take, or that does not fit; LostWorker
   */
  check(scenario: unknown, seed: number, environments: number): Promise<void>;
  /**
   * A block over all environments, empty, that may run them; undefined: those of the session may.
   * Called after the first `check`, and once.
   */
  open(): Promise<BlockPlace> | undefined;
}

export class EnvSession implements Session {
  readonly config: SessionConfig;
  readonly digest: string;
  readonly description: SessionDescription;
  readonly #rows: RowArrays;
  /** `#stranger` among them, as the last */
  readonly #blocks: BlockPlace[];
  readonly #strangers: Strangers;
  /** has the environments that a reset gave a scenario; undefined: there is none, or it is not needed */
  #stranger: BlockPlace | undefined;
  #isStrangerOpen = false;
  /** by environment: 1 where `#stranger` has it */
  readonly #moved: Uint8Array;
  readonly #onClose: () => void;
  readonly #rules: RequestRules;
  readonly #form: AnswerForm;
  /** the last answers, each at its number modulo their count */
  readonly #kept: (ConnectResponse | undefined)[];
  readonly #listeners = new Set<(episode: EpisodeSummary) => void>();
  readonly #answerListeners = new Set<() => void>();
  #lastSeq = 0n;
  /** the request that runs and those behind it; undefined: none does */
  #queue: Promise<unknown> | undefined;
  #poison: RpcError | undefined;
  #isClosed = false;

  constructor(config: SessionConfig, { shape, rows, blocks, strangers, onClose }: SessionParts) {
    this.config = config;
    this.digest = digestOf(config);
    this.#rows = rows;
    this.#blocks = [...blocks];
    this.#strangers = strangers;
    this.#moved = new Uint8Array(config.numEnvs);
    this.#onClose = onClose;
    this.#kept = new Array<undefined>(config.keptAnswers).fill(undefined);
    const { withState } = config;
    const isRepeated = config.numberEncoding === NumberEncoding.NUMBER_ENCODING_REPEATED;
    const autoreset = AUTORESET.get(config.autoresetMode)!;
    this.description = {
      observationSpace: shape.observationSpace,
      actionSpace: shape.actionSpace,
      slotsPerEnv: shape.flowIds.length,
      flowIds: shape.flowIds,
      stepSeconds: shape.stepSeconds,
      notes: shape.notes,
      rng: RNG_NAME,
      stateSpace: withState ? shape.stateSpace : undefined,
    };
    this.#rules = {
      shape,
      rows,
      autoreset,
      rejects: config.actionPolicy === ActionPolicy.ACTION_POLICY_REJECT,
      isRepeated,
    };
    const form = {
      rows,
      slots: shape.flowIds.length,
      severalFlows: shape.severalFlows,
      isRepeated,
      withState,
      infoKeys: config.infoKeys,
      nextStep: autoreset === "next-step",
    };
    this.#form = { ...form, live: liveAnswer(form) };
  }

  get lastSeq(): bigint {
    return this.#lastSeq;
  }

  handle(request: SessionRequest): MaybePromise<ConnectResponse> {
    if (this.#queue === undefined) {
      const answer = this.#handle(request);
      if (answer instanceof Promise) this.#enqueue(answer);
      return answer;
    }
    const answer = this.#queue.then(() => this.#handle(request));
    this.#enqueue(answer);
    return answer;
  }

  #enqueue(answer: Promise<unknown>): void {
    const done = (): void => {
      if (this.#queue === queue) this.#queue = undefined;
    };
    const queue = answer.then(done, done);
    this.#queue = queue;
  }

  #handle(request: SessionRequest): MaybePromise<ConnectResponse> {
    const { seq } = request.value;
    if (this.#poison !== undefined) throw this.#poison;
    if (seq === 0n) this.#abort("sequence number 0: the first is 1");
    if (seq <= this.#lastSeq) return this.#keptAnswer(seq);
    if (seq !== this.#lastSeq + 1n) {
      this.#abort(`gap: got sequence number ${seq}, expected ${this.#lastSeq + 1n}`);
    }
    let answer: MaybePromise<ConnectResponse>;
    try {
      answer = request.$case === "reset" ? this.#reset(request.value) : this.#step(request.value);
    } catch (error) {
      return this.#refuse(seq, error);
    }
    if (!(answer instanceof Promise)) return this.#keep(answer);
    return answer.then(
      (late) => this.#keep(late),
      (error) => this.#refuse(seq, error),
    );
  }

  answersAfter(seq: bigint): ConnectResponse[] {
    if (seq > this.#lastSeq)
      this.#abort(`last_seq_received ${seq} lies ahead of the last answer, ${this.#lastSeq}`);
    const answers: ConnectResponse[] = [];
    for (let next = seq + 1n; next <= this.#lastSeq; next++) answers.push(this.#keptAnswer(next));
    return answers;
  }

  #keptAnswer(seq: bigint): ConnectResponse {
    const kept = this.#kept[this.#keptAt(seq)];
    if (kept?.seq !== seq)
      this.#abort(`the answer to ${seq} is no longer kept; the last was ${this.#lastSeq}`);
    return kept;
  }

  #keep(answer: ConnectResponse): ConnectResponse {
    this.#lastSeq = answer.seq;
    this.#kept[this.#keptAt(answer.seq)] = answer;
    if (this.#answerListeners.size > 0) for (const listener of this.#answerListeners) listener();
    return answer;
  }

  #keptAt(seq: bigint): number {
    return Number(seq) % this.#kept.length;
  }

  #abort(message: string): never {
    throw new RpcError(status.ABORTED, `[grpc] ${message}`, { fatal: true });
  }

  /** A mistake is an answer; anything else ends the session. */
  #refuse(seq: bigint, error: unknown): ConnectResponse {
    if (this.#isClosed && error instanceof LostWorker) this.#abort("the session was closed");
    const failure = error instanceof BrokenEnv ? this.#broken(error) : toRpcError(error);
    if (!failure.fatal) return this.#keep({ seq, payload: { $case: "error", value: toStatus(failure) } });
    this.#poison = failure;
    this.close(); // it holds nothing of worth, and says why until its lease ends
    throw failure;
  }

  #broken(error: BrokenEnv): RpcError {
    const { env, seed, step, doing, message } = error.breakage;
    return new RpcError(
      status.INTERNAL,
      `[grpc] environment ${env} threw in ${doing} (seed ${seed}, step ${step}, config ${this.digest}): ${message}`,
      {
        fatal: true,
        cause: error,
        facts: { environment: `${env}`, seed: `${seed}`, step: `${step}`, doing, configDigest: this.digest },
      },
    );
  }

  #reset(request: Extract<SessionRequest, { $case: "reset" }>["value"]): MaybePromise<ConnectResponse> {
    const { seq } = request;
    const { seeded, scenario } = readReset(request, this.#rules);
    const answer = (): ConnectResponse => ({
      seq,
      payload: { $case: "reset", value: resetAnswer(seq, this.#form) },
    });
    const reset = (): MaybePromise<ConnectResponse> =>
      onAll(this.#blocks, (block) => block.reset(seeded, scenario), answer);
    return scenario === undefined ? reset() : this.#admit(scenario).then(reset);
  }

  /** A scenario of the client's own runs in a thread of the session's own: its environments move there first. */
  async #admit(scenario: unknown): Promise<void> {
    const { mask } = this.#rows;
    const envs = [...mask.keys()].filter((env) => mask[env] === 1);
    await this.#strangers.check(scenario, this.config.seed, envs.length);
    if (!this.#isStrangerOpen) {
      this.#stranger = await this.#strangers.open();
      this.#isStrangerOpen = true;
      if (this.#stranger !== undefined) this.#blocks.push(this.#stranger);
    }
    const stranger = this.#stranger;
    if (stranger === undefined) return;
    const toMove = envs.filter((env) => this.#moved[env] === 0);
    for (const block of this.#blocks) {
      if (block === stranger) continue;
      const own = toMove.filter((env) => block.from <= env && env < block.to);
      if (own.length > 0) await stranger.adopt(await block.release(own));
    }
    for (const env of toMove) this.#moved[env] = 1;
  }

  #step(request: Extract<SessionRequest, { $case: "step" }>["value"]): MaybePromise<ConnectResponse> {
    readActions(request, this.#rules);
    return onAll(
      this.#blocks,
      (block) => block.step(),
      (ended) => {
        const episodes = this.#inOrder(ended);
        if (this.#listeners.size > 0) this.#announce(episodes);
        return stepAnswer(request.seq, episodes, this.#form);
      },
    );
  }

  /** Episodes that ended, by row, wherever their environments are. */
  #inOrder(ended: readonly (readonly RowEpisode[])[]): readonly RowEpisode[] {
    if (ended.length === 1) return ended[0]!;
    const all = ended.flat();
    return this.#stranger === undefined ? all : all.sort((a, b) => a.row - b.row);
  }

  #announce(episodes: readonly RowEpisode[]): void {
    const summaries = episodes.map(episodeSummary);
    for (const listener of this.#listeners) for (const summary of summaries) listener(summary);
  }

  state(envIndex: number): MaybePromise<GetStateResponse> {
    const truth = this.#blockOf(envIndex).state(envIndex);
    return truth instanceof Promise ? truth.then(stateAnswer) : stateAnswer(truth);
  }

  books(envIndex: number): MaybePromise<EnvBooks> {
    return this.#blockOf(envIndex).books(envIndex);
  }

  move(envIndex: number, slot: number, to: MoveTarget): MaybePromise<void> {
    return this.#blockOf(envIndex).move(envIndex, slot, to);
  }

  cut(envIndex: number): void {
    this.#blockOf(envIndex);
    this.#rows.cut[envIndex] = 1;
  }

  isCut(envIndex: number): boolean {
    return this.#rows.cut[envIndex] === 1;
  }

  render(envIndex: number, mode: string): MaybePromise<RenderResponse> {
    const picture = this.#blockOf(envIndex).render(envIndex, mode);
    return picture instanceof Promise
      ? picture.then((late) => renderAnswer(late, mode))
      : renderAnswer(picture, mode);
  }

  #blockOf(env: number): BlockPlace {
    if (this.#poison !== undefined) throw this.#poison;
    const block =
      this.#moved[env] === 1 ? this.#stranger : this.#blocks.find(({ from, to }) => from <= env && env < to);
    if (block === undefined) {
      throw new CcparkError(
        "invalid-argument",
        `[grpc] env_index: got ${env}, expected 0 to ${this.config.numEnvs - 1}`,
        { field: "env_index" },
      );
    }
    if (this.#rows.phase[env] === NEW) {
      const message = `[grpc] environment ${env}: nothing to tell before its first reset`;
      throw new CcparkError("failed-precondition", message);
    }
    return block;
  }

  onAnswer(listener: () => void): () => void {
    this.#answerListeners.add(listener);
    return () => this.#answerListeners.delete(listener);
  }

  onEpisode(listener: (episode: EpisodeSummary) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#listeners.clear();
    this.#answerListeners.clear();
    for (const block of this.#blocks) block.close();
    this.#onClose();
  }
}
