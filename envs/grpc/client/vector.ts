/**
 * The vector form over a session: many environments, one message per step. Every array has one row per environment (one
 * per environment and slot, where environments have several flows) and is overwritten by the next answer.
 */
import { CcparkError } from "../../../core/errors.ts";
import type { Scenario } from "../../../scenarios/scenario.ts";
import type { AsyncVectorEnv, EndedEpisode } from "../../env.ts";
import type { Box, Space } from "../../spaces.ts";
import type { Autoreset } from "../../vector/block.ts";
import type {
  EpisodeSummary,
  GetStateResponse,
  RenderResponse,
  ResetResponse,
  StepResponse,
} from "../generated/ccpark/v1/environment.ts";
import { boxFromWire } from "../wire.ts";
import { InfoTable, type InfoValues, oneLeaf, readFlags, readInto } from "./rows.ts";
import type { ClientSession, Seeds } from "./session.ts";

export interface VectorResetOptions {
  /** flags, one per environment, at least one set; absent: all */
  readonly mask?: Uint8Array;
  /** for the episodes that begin now */
  readonly scenario?: Scenario;
}

export class RemoteVectorEnv implements AsyncVectorEnv {
  readonly numEnvs: number;
  /** flows of an environment; rows = numEnvs x slotsPerEnv */
  readonly slotsPerEnv: number;
  readonly flowIds: readonly string[];
  readonly observationSpace: Box;
  readonly actionSpace: Space;
  /** of one environment, for a critic; undefined unless asked for */
  readonly stateSpace: Box | undefined;
  readonly autoreset: Autoreset;
  /** equal digest, seed and actions: equal bytes */
  readonly configDigest: string;
  /** steps that may be sent before the first is received */
  readonly maxInFlight: number;
  readonly observations: Float32Array;
  readonly rewards: Float64Array;
  readonly terminated: Uint8Array;
  readonly truncated: Uint8Array;
  /** "next-step": 1 where the action was ignored because the row was reset */
  readonly resetRows: Uint8Array;
  /** "same-step": only rows that ended in this step are meaningful */
  readonly finalObservations: Float32Array;
  /** 1: the row's observation says something */
  readonly present: Uint8Array;
  /** 1: the row is to act in the next step */
  readonly live: Uint8Array;
  /** [numEnvs], 1: the environment's episode is over */
  readonly ended: Uint8Array;
  /** [numEnvs x stateSpace.shape[0]]; empty unless asked for */
  readonly states: Float32Array;
  readonly finalStates: Float32Array;
  readonly #infos: InfoTable;
  readonly #finalInfos: InfoTable;
  #episodes: readonly EpisodeSummary[] = [];
  #endedEpisodes: readonly EndedEpisode[] | undefined;
  readonly #session: ClientSession;
  /** answers to sent steps, oldest first */
  readonly #underway: Promise<StepResponse>[] = [];

  constructor(session: ClientSession, autoreset: Autoreset) {
    const { description } = session;
    this.#session = session;
    this.autoreset = autoreset;
    this.numEnvs = description.numEnvs;
    this.slotsPerEnv = description.slotsPerEnv;
    this.flowIds = description.flowIds;
    this.observationSpace = session.observationSpace;
    this.actionSpace = session.actionSpace;
    this.stateSpace =
      description.stateSpace === undefined ? undefined : boxFromWire(description.stateSpace, "state space");
    this.configDigest = description.configDigest;
    this.maxInFlight = description.maxInFlight;
    const rows = this.numEnvs * this.slotsPerEnv;
    const width = this.observationSpace.shape[0];
    const stateWidth = this.stateSpace?.shape[0] ?? 0;
    this.observations = new Float32Array(rows * width);
    this.finalObservations = new Float32Array(rows * width);
    this.rewards = new Float64Array(rows);
    this.terminated = new Uint8Array(rows);
    this.truncated = new Uint8Array(rows);
    this.resetRows = new Uint8Array(rows);
    this.present = new Uint8Array(rows);
    this.live = new Uint8Array(rows);
    this.ended = new Uint8Array(this.numEnvs);
    this.states = new Float32Array(this.numEnvs * stateWidth);
    this.finalStates = new Float32Array(this.numEnvs * stateWidth);
    this.#infos = new InfoTable(rows);
    this.#finalInfos = new InfoTable(rows);
  }

  /** by key: the columns that were asked for, of the observations */
  get infos(): ReadonlyMap<string, InfoValues> {
    return this.#infos.columns;
  }

  /** "same-step": of the last step of the episodes that ended */
  get finalInfos(): ReadonlyMap<string, InfoValues> {
    return this.#finalInfos.columns;
  }

  /** episodes that ended in the last step */
  get episodes(): readonly EpisodeSummary[] {
    return this.#episodes;
  }

  /** the same in the local form; a measure that the environment does not take is NaN */
  get endedEpisodes(): readonly EndedEpisode[] {
    this.#endedEpisodes ??= this.#episodes.map((episode) => {
      const metric = (name: string): number => episode.metrics.get(name) ?? Number.NaN;
      return {
        env: Math.floor(episode.row / this.slotsPerEnv),
        seed: Number(episode.seed),
        episodeReturn: episode.episodeReturn,
        steps: episode.length,
        goodputMbps: metric("goodputMbps"),
        utilisation: metric("utilisation"),
        meanQueueDelayMs: metric("meanQueueDelayMs"),
        lossRate: metric("lossRate"),
        score: metric("score"),
      };
    });
    return this.#endedEpisodes;
  }

  /** @param seeds absent: each environment goes on with its own sequence */
  async reset(seeds?: Seeds, options: VectorResetOptions = {}): Promise<void> {
    this.#expectNothingUnderway("reset");
    const answer = await this.#session.reset(seeds, options);
    this.#read(answer);
    this.rewards.fill(0);
    this.terminated.fill(0);
    this.truncated.fill(0);
    this.resetRows.fill(0);
    this.ended.fill(0);
    this.#episodesAre([]);
  }

  /** @param actions [rows x actionSpace.shape[0]], row-major; those of rows that are not live are ignored */
  async step(actions: Float32Array): Promise<void> {
    this.#expectNothingUnderway("step");
    this.#take(await this.#session.step(actions));
  }

  /**
   * Sends a step and does not wait for it; `receive` takes the answers in the same order.
   * @param actions copied
   * @throws CcparkError (resource-exhausted) beyond `maxInFlight`
   */
  send(actions: Float32Array): void {
    if (this.#underway.length >= this.maxInFlight) {
      throw new CcparkError(
        "resource-exhausted",
        `[grpc] send: ${this.maxInFlight} steps are not received yet, as many as this server allows`,
      );
    }
    const answer = this.#session.step(actions);
    answer.catch(() => undefined); // `receive` tells it
    this.#underway.push(answer);
  }

  /**
   * Waits for the oldest step that was sent and fills the arrays.
   * @throws CcparkError: the step's own failure; failed-precondition if none was sent
   */
  async receive(): Promise<void> {
    const answer = this.#underway.shift();
    if (answer === undefined) {
      throw new CcparkError("failed-precondition", "[grpc] receive: no step was sent, expected send first");
    }
    this.#take(await answer);
  }

  /** Ground truth of one environment's simulation: not to be learned from. */
  state(envIndex: number): Promise<GetStateResponse> {
    return this.#session.state(envIndex);
  }

  /** @param mode "ansi", "svg" or "rgb_array" */
  render(envIndex: number, mode: string): Promise<RenderResponse> {
    return this.#session.render(envIndex, mode);
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  #expectNothingUnderway(what: string): void {
    if (this.#underway.length === 0) return;
    throw new CcparkError(
      "failed-precondition",
      `[grpc] ${what} while ${this.#underway.length} sent steps are not received: expected receive first`,
    );
  }

  #episodesAre(episodes: readonly EpisodeSummary[]): void {
    this.#episodes = episodes;
    this.#endedEpisodes = undefined;
  }

  /** What resets and steps have in common. */
  #read({ observations, infos, present, live, states }: ResetResponse | StepResponse): void {
    readInto(this.observations, oneLeaf(observations, "observations"), "observations");
    readFlags(this.present, present, 1, "present");
    readFlags(this.live, live, 1, "live");
    if (this.states.length > 0) readInto(this.states, states, "states");
    this.#infos.read(infos);
  }

  #take(answer: StepResponse): void {
    this.#read(answer);
    readInto(this.rewards, answer.rewards, "rewards");
    readInto(this.terminated, answer.terminated, "terminated");
    readInto(this.truncated, answer.truncated, "truncated");
    readFlags(this.resetRows, answer.resetRows, 0, "reset_rows");
    if (answer.ended.length > 0) readInto(this.ended, answer.ended, "ended");
    else for (let i = 0; i < this.numEnvs; i++) this.ended[i] = this.terminated[i]! | this.truncated[i]!;
    this.#episodesAre(answer.episodes);
    if (answer.final !== undefined) this.#readFinal(answer.final);
  }

  #readFinal({ rows, observations, infos, states }: NonNullable<StepResponse["final"]>): void {
    const width = this.observationSpace.shape[0];
    const given = new Float32Array(rows.length * width);
    readInto(given, oneLeaf(observations, "final observations"), "final observations");
    rows.forEach((row, k) => {
      this.finalObservations.set(given.subarray(k * width, (k + 1) * width), row * width);
    });
    this.#finalInfos.readRows(infos, rows);
    if (this.stateSpace === undefined) return;
    const stateWidth = this.stateSpace.shape[0];
    const envs = [...this.ended.keys()].filter((i) => this.ended[i] === 1);
    const givenStates = new Float32Array(envs.length * stateWidth);
    readInto(givenStates, states, "final states");
    envs.forEach((env, k) => {
      this.finalStates.set(givenStates.subarray(k * stateWidth, (k + 1) * stateWidth), env * stateWidth);
    });
  }
}
