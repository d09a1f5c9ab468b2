/**
 * Recorded runs as a folder of plain files, which learners from recorded runs read here and the Python package turns into Minari's
 * format. Nothing in it tells when, where or by whom it was made: the same command gives the same bytes.
 *
 *   dataset.json      what was recorded: options of the environment, spaces, one entry per episode, see DatasetHeader
 *   observations.npy  float32 [steps + episodes, observation]: of an episode of n steps n + 1, the last what its last step led to
 *   actions.npy       float32 [steps, action]: what comes nearest to what was done, in the unit of the action space
 *   rewards.npy       float64 [steps]
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import * as z from "zod";
import {
  restoreSpaces,
  SPACES_SCHEMA,
  type Spaces,
  type StoredBox,
  type StoredSpace,
  storeBox,
  storeSpace,
} from "../../agents/checkpoint.ts";
import type { Transitions } from "../../agents/nn/off-policy/replay.ts";
import type { RecordedData } from "../../agents/nn/offline/recorded.ts";
import { CcparkError } from "../../core/errors.ts";
import { readRegular } from "../../core/text-files.ts";
import { claimFolder, fileError, writeFilesWhole } from "../../core/whole-files.ts";
import { type EnvOptions, parseEnvOptions } from "../../envs/options.ts";
import type { RecordedSteps } from "../../testbeds/results.ts";
import { decodeNpy, encodeNpy, type NpyArray } from "./npy.ts";

export const DATASET_FORMAT = "ccpark-dataset" as const;
/** Rises when a reader of the old version would misread the new one. */
export const DATASET_VERSION = 1 as const;

/** What is known of an episode beside its steps; numbers as in results of benchmarks. */
export interface EpisodeFacts {
  /** who controlled the flow */
  readonly algorithm: string;
  readonly scenario: string;
  readonly link: string;
  readonly seed: number;
  readonly score: number;
  readonly utilisation: number;
  readonly meanQueueDelayMs: number;
  readonly lossRate: number;
}

/** In `dataset.json`; a number that does not exist is null. */
export interface DatasetHeader {
  readonly format: typeof DATASET_FORMAT;
  readonly version: typeof DATASET_VERSION;
  /** command line that gives these files */
  readonly command: string;
  readonly env: EnvOptions;
  readonly observationSpace: StoredBox;
  readonly actionSpace: StoredSpace;
  readonly episodes: readonly (EpisodeFacts & {
    readonly steps: number;
    /** sum of rewards */
    readonly episodeReturn: number;
  })[];
}

export interface RecordedEpisode {
  readonly facts: EpisodeFacts;
  readonly steps: RecordedSteps;
}

const HEADER_FILE = "dataset.json";
const ARRAYS = ["observations", "actions", "rewards"] as const;

const orNaN = z
  .number()
  .nullable()
  .transform((x) => x ?? Number.NaN);
const headerSchema = SPACES_SCHEMA.extend({
  format: z.literal(DATASET_FORMAT),
  version: z.literal(DATASET_VERSION),
  command: z.string(),
  env: z.looseObject({}),
  episodes: z.array(
    z.object({
      algorithm: z.string(),
      scenario: z.string(),
      link: z.string(),
      seed: z.number().int().nonnegative(),
      steps: z.number().int().nonnegative(),
      episodeReturn: orNaN,
      score: orNaN,
      utilisation: orNaN,
      meanQueueDelayMs: orNaN,
      lossRate: orNaN,
    }),
  ),
});

function joined<T extends Float32Array | Float64Array>(parts: readonly T[], into: (length: number) => T): T {
  const whole = into(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function joinedSteps(episodes: readonly RecordedSteps[]): RecordedSteps {
  const float32 = (length: number): Float32Array => new Float32Array(length);
  return {
    observations: joined(
      episodes.map((steps) => steps.observations),
      float32,
    ),
    actions: joined(
      episodes.map((steps) => steps.actions),
      float32,
    ),
    rewards: joined(
      episodes.map((steps) => steps.rewards),
      (length) => new Float64Array(length),
    ),
  };
}

/**
 * @param about.command the command line that gives these files, with files by their base names
 * @throws CcparkError that names the path
 */
export function saveDataset(
  folder: string,
  about: { readonly command: string; readonly env: EnvOptions; readonly spaces: Spaces },
  episodes: readonly RecordedEpisode[],
): DatasetHeader {
  const { command, env, spaces } = about;
  const { observationSpace, actionSpace } = spaces;
  const sum = (rewards: Float64Array): number => rewards.reduce((total, reward) => total + reward, 0);
  const header: DatasetHeader = {
    format: DATASET_FORMAT,
    version: DATASET_VERSION,
    command,
    env,
    observationSpace: storeBox(observationSpace),
    actionSpace: storeSpace(actionSpace),
    episodes: episodes.map(({ facts, steps: { rewards } }) => ({
      ...facts,
      steps: rewards.length,
      episodeReturn: sum(rewards),
    })),
  };
  const { observations, actions, rewards } = joinedSteps(episodes.map(({ steps }) => steps));
  const [width, actionWidth] = [observationSpace.shape[0], actionSpace.shape[0]];
  claimFolder(folder);
  writeFilesWhole({
    [join(folder, "observations.npy")]: encodeNpy({
      data: observations,
      shape: [observations.length / width, width],
    }),
    [join(folder, "actions.npy")]: encodeNpy({ data: actions, shape: [rewards.length, actionWidth] }),
    [join(folder, "rewards.npy")]: encodeNpy({ data: rewards, shape: [rewards.length] }),
    [join(folder, HEADER_FILE)]: `${JSON.stringify(header, null, 2)}\n`,
  });
  return header;
}

function read(path: string): Uint8Array {
  try {
    return readRegular(path);
  } catch (cause) {
    if (cause instanceof CcparkError) {
      throw new CcparkError(cause.kind, `[dataset] cannot read ${cause.message}`, { cause });
    }
    throw fileError("[dataset] cannot read", path, cause);
  }
}

export interface Dataset extends RecordedData {
  readonly header: DatasetHeader;
}

/**
 * Reads a folder that `saveDataset` wrote.
 * @throws CcparkError that names the file: not-found, or invalid-argument for what is damaged, cut or foreign
 */
export function loadDataset(folder: string): Dataset {
  const path = join(folder, HEADER_FILE);
  const text = read(path);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(text));
  } catch (cause) {
    throw new CcparkError("invalid-argument", `[dataset] not readable, ${path}: the text is not JSON`, {
      cause,
    });
  }
  const parsed = headerSchema.safeParse(json);
  if (!parsed.success) {
    const { path: at, message } = parsed.error.issues[0]!;
    throw new CcparkError(
      "invalid-argument",
      `[dataset] not readable, ${path}: \`${at.join(".")}\`: ${message}`,
    );
  }
  const header: DatasetHeader = { ...parsed.data, env: parseEnvOptions(parsed.data.env) };
  const spaces = restoreSpaces(header);
  const steps = header.episodes.reduce((sum, episode) => sum + episode.steps, 0);
  const [width, actionWidth] = [spaces.observationSpace.shape[0], spaces.actionSpace.shape[0]];
  const shapes = {
    observations: [steps + header.episodes.length, width],
    actions: [steps, actionWidth],
    rewards: [steps],
  };
  const digest = createHash("sha256").update(text);
  const arrays = Object.fromEntries(
    ARRAYS.map((name): [string, NpyArray] => {
      const file = join(folder, `${name}.npy`);
      const bytes = read(file);
      digest.update(bytes);
      const { data, shape } = decodeNpy(bytes, file);
      if (shape.join() !== shapes[name].join() || (name === "rewards") !== data instanceof Float64Array) {
        throw new CcparkError(
          "invalid-argument",
          `[dataset] not readable, ${file}: got an array [${shape}], expected [${shapes[name]}], as ${HEADER_FILE} says`,
        );
      }
      const wrong = data.find((x) => !Number.isFinite(x));
      if (wrong !== undefined) {
        throw new CcparkError(
          "invalid-argument",
          `[dataset] not readable, ${file}: got ${wrong}, expected finite numbers`,
        );
      }
      return [name, data];
    }),
  );
  return {
    ...spaces,
    header,
    sha256: digest.digest("hex"),
    transitions: transitionsOf(
      header.episodes.map((episode) => episode.steps),
      {
        observations: arrays["observations"] as Float32Array,
        actions: arrays["actions"] as Float32Array,
        rewards: arrays["rewards"] as Float64Array,
      },
    ),
  };
}

/** Of episodes behind each other. @param lengths steps of each */
function transitionsOf(lengths: readonly number[], recorded: RecordedSteps): Transitions {
  const { observations: all, actions, rewards } = recorded;
  const rows = rewards.length;
  const width = all.length / (rows + lengths.length);
  const observations = new Float32Array(rows * width);
  const nextObservations = new Float32Array(rows * width);
  let row = 0;
  let from = 0;
  for (const steps of lengths) {
    observations.set(all.subarray(from * width, (from + steps) * width), row * width);
    nextObservations.set(all.subarray((from + 1) * width, (from + 1 + steps) * width), row * width);
    row += steps;
    from += steps + 1;
  }
  // time runs out, the task never ends
  const terminated = new Float32Array(rows);
  return { rows, observations, nextObservations, actions, rewards, terminated };
}

/** Recorded runs without a folder. */
export function recordedData(spaces: Spaces, episodes: readonly RecordedSteps[]): RecordedData {
  const whole = joinedSteps(episodes);
  const digest = createHash("sha256");
  for (const name of ARRAYS) digest.update(new Uint8Array(whole[name].buffer));
  const lengths = episodes.map(({ rewards }) => rewards.length);
  return { ...spaces, sha256: digest.digest("hex"), transitions: transitionsOf(lengths, whole) };
}
