/** What a session's arrays say after a reset or a step, as messages. Everything is copied: the arrays are written again. */
import { status } from "@grpc/grpc-js";
import type { RowArrays } from "../../vector/arrays.ts";
import type { RowEpisode } from "../../vector/block.ts";
import type { EnvTruth } from "../../vector/place.ts";
import type { Picture } from "../../vector/slots/slot-env.ts";
import {
  type ConnectResponse,
  type EpisodeSummary,
  type FinalBatch,
  type GetStateResponse,
  type RenderResponse,
  type ResetResponse,
  StepResponse,
} from "../generated/ccpark/v1/environment.ts";
import { RpcError } from "../status-codes.ts";
import { StepAnswer } from "../step-codec.ts";
import { asPacked, pack } from "../wire.ts";
import { packColumns } from "./info-columns.ts";

export interface AnswerForm {
  readonly rows: RowArrays;
  readonly slots: number;
  readonly severalFlows: boolean;
  readonly isRepeated: boolean;
  readonly withState: boolean;
  readonly infoKeys: readonly string[];
  readonly nextStep: boolean;
  /** from `liveAnswer` */
  readonly live: StepResponse | undefined;
}

const NO_BYTES = new Uint8Array(0);

type View = Pick<
  ResetResponse,
  "observations" | "observationValues" | "states" | "stateValues" | "present" | "live"
>;

function packed(values: Float32Array, isRepeated: boolean): { bytes: Uint8Array[]; values: number[] } {
  return isRepeated ? { bytes: [], values: Array.from(values) } : { bytes: [pack(values)], values: [] };
}

function view({ rows, isRepeated, withState, severalFlows }: AnswerForm): View {
  const observations = packed(rows.observations, isRepeated);
  return {
    observations: observations.bytes,
    observationValues: observations.values,
    states: withState && !isRepeated ? pack(rows.states) : NO_BYTES,
    stateValues: withState && isRepeated ? Array.from(rows.states) : [],
    present: severalFlows ? rows.present.slice() : NO_BYTES,
    live: severalFlows ? rows.live.slice() : NO_BYTES,
  };
}

export function resetAnswer(seq: bigint, form: AnswerForm): ResetResponse {
  const { rows, slots, infoKeys } = form;
  const wasReset = (row: number): boolean => rows.mask[Math.floor(row / slots)] === 1;
  const isThere = rows.present.map((flag, row) => (flag === 1 && wasReset(row) ? 1 : 0));
  const mask = isThere.includes(0) ? isThere : undefined;
  return { seq, ...view(form), infos: packColumns(infoKeys, rows.infos, mask) };
}

/**
 * The fields of an ordinary answer as views of the arrays: they always say what the arrays do.
 * @returns undefined where the arrays are not what travels
 */
export function liveAnswer(form: Omit<AnswerForm, "live">): StepResponse | undefined {
  const { rows, isRepeated, withState, severalFlows, nextStep } = form;
  const [observations, rewards, states] = [rows.observations, rows.rewards, rows.states].map(asPacked);
  if (isRepeated || observations === undefined) return undefined;
  return StepResponse.fromPartial({
    observations: [observations],
    rewards,
    terminated: rows.terminated,
    truncated: rows.truncated,
    resetRows: nextStep ? rows.resetRows : NO_BYTES,
    present: severalFlows ? rows.present : NO_BYTES,
    live: severalFlows ? rows.live : NO_BYTES,
    ended: severalFlows ? rows.ended : NO_BYTES,
    states: withState ? states : NO_BYTES,
  });
}

export function episodeSummary({ steps, seed, episode, metrics, ...same }: RowEpisode): EpisodeSummary {
  const measured = Object.entries(metrics).filter(([, value]) => !Number.isNaN(value));
  return {
    ...same,
    length: steps,
    seed: BigInt(seed),
    episodeIndex: BigInt(episode),
    metrics: new Map(measured),
  };
}

/** The simulator's books as a message. */
export function stateAnswer({ scenario, seed, ...same }: EnvTruth): GetStateResponse {
  return { ...same, scenarioJson: JSON.stringify(scenario), seed: BigInt(seed) };
}

/** @throws RpcError (UNIMPLEMENTED, fatal) where there is no such mode */
export function renderAnswer(picture: Picture | undefined, mode: string): RenderResponse {
  if (picture !== undefined) return { ...picture, shape: [...picture.shape] };
  const message = `[grpc] mode: got \`${mode}\`, expected ansi, svg or rgb_array`;
  throw new RpcError(status.UNIMPLEMENTED, message, { fatal: true, field: "mode" });
}

export function stepAnswer(seq: bigint, episodes: readonly RowEpisode[], form: AnswerForm): ConnectResponse {
  const { rows, severalFlows, isRepeated, infoKeys, live } = form;
  const hasFinal = rows.hasFinal.includes(1);
  const infos =
    infoKeys.length === 0
      ? []
      : packColumns(infoKeys, rows.infos, rows.present.includes(0) ? rows.present : undefined);
  if (live !== undefined && !hasFinal && episodes.length === 0) {
    live.seq = seq;
    live.infos = infos;
    return new StepAnswer(live);
  }
  const value: StepResponse = {
    seq,
    ...view(form),
    rewards: isRepeated ? NO_BYTES : pack(rows.rewards),
    rewardValues: isRepeated ? Array.from(rows.rewards) : [],
    terminated: rows.terminated.slice(),
    truncated: rows.truncated.slice(),
    resetRows: form.nextStep ? rows.resetRows.slice() : NO_BYTES,
    final: hasFinal ? finalBatch(form) : undefined,
    infos,
    episodes: episodes.map(episodeSummary),
    ended: severalFlows ? rows.ended.slice() : NO_BYTES,
  };
  return { seq, payload: { $case: "step", value } };
}

/** Those rows of a matrix, one after the other. */
function pick(from: Float32Array, count: number, picked: readonly number[]): Float32Array {
  const width = from.length / count;
  const into = new Float32Array(picked.length * width);
  picked.forEach((row, k) => {
    into.set(from.subarray(row * width, (row + 1) * width), k * width);
  });
  return into;
}

function finalBatch({ rows, isRepeated, withState, infoKeys }: AnswerForm): FinalBatch {
  const picked: number[] = [];
  rows.hasFinal.forEach((flag, row) => {
    if (flag === 1) picked.push(row);
  });
  const envs: number[] = [];
  rows.ended.forEach((flag, env) => {
    if (flag === 1) envs.push(env);
  });
  const observations = packed(pick(rows.finalObservations, rows.rewards.length, picked), isRepeated);
  const states = withState ? pick(rows.finalStates, rows.phase.length, envs) : new Float32Array(0);
  return {
    rows: picked,
    observations: observations.bytes,
    observationValues: observations.values,
    infos: packColumns(infoKeys, rows.finalInfos, undefined, picked),
    states: isRepeated ? NO_BYTES : pack(states),
    stateValues: isRepeated ? Array.from(states) : [],
  };
}
