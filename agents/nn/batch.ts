/** What a rollout leaves behind for learners on policy, its values, and the minibatches that gradient steps look at. */
import type { Rng } from "../../core/random.ts";
import type { EndedEpisode } from "../../envs/env.ts";
import type { Spaces } from "../checkpoint.ts";
import type { TrainingFacts } from "../learner.ts";
import type { NetworkPolicy } from "./network-policy.ts";
import type { ValueScale } from "./on-policy/value-scale.ts";
import { EPSILON, meanOf, variance } from "./statistics.ts";

/** What one gradient step looks at. */
export interface Minibatch {
  readonly rows: number;
  /** [rows x observation], as the network wants them */
  readonly observations: Float32Array;
  /** of a central value network: the observations with the states, [rows x (observation + state)] */
  readonly valueInputs?: Float32Array;
  /** [rows x action], as the policy's density has them */
  readonly actions: Float32Array;
  /** [rows] each */
  readonly logProbs: Float32Array;
  readonly advantages: Float32Array;
  readonly targets: Float32Array;
}

/** What the rows of a batch fill, in memory that threads share; a row is step x numEnvs + environment. */
export interface RolloutArrays {
  /** [rows x observation] */
  readonly observations: Float32Array;
  /** [rows x action], as the policy's density has them */
  readonly actions: Float32Array;
  /** [rows] each */
  readonly logProbs: Float32Array;
  readonly rewards: Float64Array;
  readonly terminated: Uint8Array;
  readonly truncated: Uint8Array;
  /** observations after the last step, [numEnvs x observation] */
  readonly last: Float32Array;
  /** [rows x memory]: what the policy remembered before the row's step, where it remembers anything */
  readonly memories?: Float32Array;
  /** [rows x state], where the environments have some */
  readonly states?: Float32Array;
  /** for a central value network: states after the last step, [numEnvs x state] */
  readonly lastStates?: Float32Array;
}

/** Everything one rollout leaves behind. */
export interface Batch extends RolloutArrays {
  readonly rows: number;
  /** rows that were truncated, and the observation that each led to */
  readonly truncatedRows: readonly number[];
  readonly truncatedObservations: readonly Float32Array[];
  /** of a policy with memory: what it remembered then, and after the last step of each environment, [numEnvs x memory] */
  readonly truncatedMemories?: readonly Float32Array[];
  readonly lastMemories?: Float32Array;
  /** for a central value network: the states that truncated rows had one step before */
  readonly truncatedStates?: readonly Float32Array[];
  /** in the order of their ends */
  readonly episodes: readonly EndedEpisode[];
}

export function makeRolloutArrays(
  rows: number,
  numEnvs: number,
  { observationSpace, actionSpace }: Spaces,
  {
    state = 0,
    memory = 0,
    central = 0,
  }: { readonly state?: number; readonly memory?: number; readonly central?: number } = {},
): RolloutArrays {
  const [width] = observationSpace.shape;
  const float32 = (length: number): Float32Array => new Float32Array(new SharedArrayBuffer(4 * length));
  return {
    observations: float32(rows * width),
    actions: float32(rows * actionSpace.shape[0]),
    logProbs: float32(rows),
    rewards: new Float64Array(new SharedArrayBuffer(8 * rows)),
    terminated: new Uint8Array(new SharedArrayBuffer(rows)),
    truncated: new Uint8Array(new SharedArrayBuffer(rows)),
    last: float32(numEnvs * width),
    ...(memory > 0 && { memories: float32(rows * memory) }),
    ...(state > 0 && { states: float32(rows * state) }),
    ...(central > 0 && { lastStates: float32(numEnvs * central) }),
  };
}

/** Replaces all observations of a batch by what the policy's network is to see. */
export function normaliseBatch(batch: Batch, policy: NetworkPolicy): void {
  for (const each of [batch.observations, batch.last, ...batch.truncatedObservations]) {
    policy.normalise(each, each);
  }
}

/** What a line of progress says of the episodes that ended in a batch; NaN where none did. */
export function episodeMeans({ episodes }: Batch): Omit<TrainingFacts, "steps" | "totalSteps" | "episodes"> {
  // an episode in which no packet left the queue has no delay
  const over = (values: readonly number[]): number => meanOf(values.filter((each) => !Number.isNaN(each)));
  return {
    meanEpisodeReturn: meanOf(episodes.map((e) => e.episodeReturn)),
    meanScore: meanOf(episodes.map((e) => e.score)),
    meanUtilisation: over(episodes.map((e) => e.utilisation)),
    meanQueueDelayMs: over(episodes.map((e) => e.meanQueueDelayMs)),
  };
}

/** Observations with what was remembered, or a state, beside each, [rows x (observation + memory)]; as they are where nothing was. */
export function withMemories(
  observations: Float32Array,
  memories: Float32Array | undefined,
  rows: number,
): Float32Array {
  if (memories === undefined) return observations;
  const [width, units] = [observations.length / rows, memories.length / rows];
  const both = new Float32Array(observations.length + memories.length);
  for (let row = 0; row < rows; row++) {
    both.set(observations.subarray(row * width, (row + 1) * width), row * (width + units));
    both.set(memories.subarray(row * units, (row + 1) * units), row * (width + units) + width);
  }
  return both;
}

/**
 * V of every observation of the batch and of every observation that a step led to, in one pass.
 * @param valuesBy what the value network says to rows of observations, [rows]
 */
export function valuesOf(
  valuesBy: (observations: Float32Array, rows: number) => Float32Array,
  scale: ValueScale,
  batch: Batch,
  numEnvs: number,
): { values: Float32Array; nextValues: Float32Array } {
  const extra = batch.truncatedRows.length;
  const rows = batch.rows + numEnvs + extra;
  const { lastStates } = batch;
  const beside = lastStates === undefined ? batch.memories : batch.states;
  const inputs = withMemories(batch.observations, beside, batch.rows);
  const width = inputs.length / batch.rows;
  const all = new Float32Array(rows * width);
  all.set(inputs);
  all.set(withMemories(batch.last, lastStates ?? batch.lastMemories, numEnvs), batch.rows * width);
  batch.truncatedObservations.forEach((final, i) => {
    all.set(
      withMemories(final, (batch.truncatedStates ?? batch.truncatedMemories)?.[i], 1),
      (batch.rows + numEnvs + i) * width,
    );
  });
  const out = valuesBy(all, rows);
  const { mean, std } = scale;
  for (let i = 0; i < out.length; i++) out[i] = mean + std * out[i]!;
  const nextValues = out.slice(numEnvs, batch.rows + numEnvs);
  batch.truncatedRows.forEach((row, i) => {
    nextValues[row] = out[batch.rows + numEnvs + i]!;
  });
  return { values: out.slice(0, batch.rows), nextValues };
}

/** The chosen rows as contiguous arrays; advantages with mean 0 and standard deviation 1 over the minibatch. */
export function gather(
  batch: Batch,
  advantages: Float32Array,
  targets: Float32Array,
  chosen: Uint32Array,
): Minibatch {
  const rows = chosen.length;
  const width = batch.observations.length / batch.rows;
  const count = batch.actions.length / batch.rows;
  const states = batch.lastStates === undefined ? undefined : batch.states;
  const stateWidth = states === undefined ? 0 : states.length / batch.rows;
  const valueInputs = states && new Float32Array(rows * (width + stateWidth));
  const minibatch: Minibatch = {
    rows,
    ...(valueInputs && { valueInputs }),
    observations: new Float32Array(rows * width),
    actions: new Float32Array(rows * count),
    logProbs: new Float32Array(rows),
    advantages: new Float32Array(rows),
    targets: new Float32Array(rows),
  };
  let mean = 0;
  for (let r = 0; r < rows; r++) {
    const from = chosen[r]!;
    for (let i = 0; i < width; i++)
      minibatch.observations[r * width + i] = batch.observations[from * width + i]!;
    valueInputs?.set(batch.observations.subarray(from * width, (from + 1) * width), r * (width + stateWidth));
    valueInputs?.set(
      states!.subarray(from * stateWidth, (from + 1) * stateWidth),
      r * (width + stateWidth) + width,
    );
    for (let a = 0; a < count; a++) minibatch.actions[r * count + a] = batch.actions[from * count + a]!;
    minibatch.logProbs[r] = batch.logProbs[from]!;
    minibatch.advantages[r] = advantages[from]!;
    minibatch.targets[r] = targets[from]!;
    mean += advantages[from]! / rows;
  }
  const std = Math.sqrt(variance(minibatch.advantages));
  for (let r = 0; r < rows; r++)
    minibatch.advantages[r] = (minibatch.advantages[r]! - mean) / (std + EPSILON);
  return minibatch;
}

/**
 * Cuts a batch into minibatches of about the same size, in a new order for each epoch.
 * @param size wanted, rows
 */
export function* shuffled(
  rows: number,
  { size, epochs }: { readonly size: number; readonly epochs: number },
  rng: Rng,
): Generator<Uint32Array, void, undefined> {
  const order = Uint32Array.from({ length: rows }, (_, i) => i);
  const parts = Math.max(1, Math.round(rows / size));
  for (let epoch = 0; epoch < epochs; epoch++) {
    shuffle(order, rng);
    for (let part = 0; part < parts; part++) {
      yield order.subarray(Math.floor((part * rows) / parts), Math.floor(((part + 1) * rows) / parts));
    }
  }
}

/** Fisher and Yates, in place. */
function shuffle(order: Uint32Array, rng: Rng): void {
  for (let i = order.length - 1; i > 0; i--) {
    const j = rng.integer(i + 1);
    const kept = order[i]!;
    order[i] = order[j]!;
    order[j] = kept;
  }
}
