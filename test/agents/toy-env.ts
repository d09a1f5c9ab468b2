/**
 * A toy for learners: a bounded double integrator that should come to rest at 0, with as many observations as the real
 * environments (the rest are constants and noise-free copies). Reward -(x^2 + 0.1 v^2 + 0.01 a^2) + offset of the env.
 */
import type { RecordedData } from "../../agents/nn/offline/recorded.ts";
import { Rng } from "../../core/random.ts";
import type { EndedEpisode, VectorEnv } from "../../envs/env.ts";
import { type Box, makeBox, makeDiscrete, type Space } from "../../envs/spaces.ts";

export interface ToyOptions {
  /** the force is one of three choices: full to the left, none, full to the right */
  readonly choices?: boolean;
  readonly numEnvs?: number;
  readonly observations?: number;
  readonly episodeSteps?: number;
  /** env i gets i times this on every reward */
  readonly rewardOffset?: number;
  /** multiplies every reward */
  readonly rewardScale?: number;
  /** rewards become NaN after this many steps */
  readonly nanAfter?: number;
  /** states are what the controller that was tuned by hand would do */
  readonly teacher?: boolean;
  /** rows have states of so many numbers: position and velocity of all rows in turn, as far as they reach */
  readonly central?: number;
}

/** A controller that was tuned by hand. */
export function toyTeacher(position: number, velocity: number, choices: boolean): number {
  if (!choices) return clip(-(2.5 * position + 3 * velocity));
  const force = -(position + 1.2 * velocity);
  return force > 0.1 ? 2 : force < -0.1 ? 0 : 1;
}

function box(size: number, name: string): Box {
  return makeBox(
    Array.from({ length: size }, (_, i) => ({
      name: `${name}${i}`,
      unit: "1",
      low: -1,
      high: 1,
      definition: "a toy",
    })),
  );
}

const CHOICES: Space = makeDiscrete(
  ["left", "none", "right"].map((name) => ({ name, definition: "a force of the toy" })),
);

const clip = (x: number): number => Math.min(1, Math.max(-1, x));

export function makeToyEnv(options: ToyOptions = {}): VectorEnv {
  const {
    numEnvs = 8,
    observations: width = 32,
    episodeSteps = 64,
    rewardOffset = 0,
    rewardScale = 1,
  } = options;
  const { nanAfter = Infinity } = options;
  const observationSpace = box(width, "o");
  const actionSpace = options.choices === true ? CHOICES : box(1, "a");
  const observations = new Float32Array(numEnvs * width);
  const finalObservations = new Float32Array(numEnvs * width);
  const rewards = new Float64Array(numEnvs);
  const terminated = new Uint8Array(numEnvs);
  const truncated = new Uint8Array(numEnvs);
  const position = new Float64Array(numEnvs);
  const velocity = new Float64Array(numEnvs);
  const returns = new Float64Array(numEnvs);
  const age = new Uint32Array(numEnvs);
  const { central = 0 } = options;
  const states =
    options.teacher === true || central > 0 ? new Float32Array(numEnvs * Math.max(1, central)) : undefined;
  let rngs: Rng[] = [];
  let endedEpisodes: EndedEpisode[] = [];
  let total = 0;

  const observe = (env: number, into: Float32Array): void => {
    const at = env * width;
    for (let i = 0; i < width; i++)
      into[at + i] = i % 2 === 0 ? position[env]! * (i % 4 === 0 ? 1 : -1) : velocity[env]!;
    into[at + width - 1] = env / numEnvs;
    if (states !== undefined && central > 0) {
      for (let row = 0; row < numEnvs; row++) {
        states[row * central + ((2 * env) % central)] = position[env]!;
        states[row * central + ((2 * env + 1) % central)] = velocity[env]!;
      }
    } else if (states !== undefined && into === observations) {
      states[env] = toyTeacher(position[env]!, velocity[env]!, options.choices === true);
    }
  };
  const begin = (env: number): void => {
    position[env] = rngs[env]!.uniform(-1, 1);
    velocity[env] = 0;
    returns[env] = 0;
    age[env] = 0;
    observe(env, observations);
  };
  return {
    numEnvs,
    observationSpace,
    actionSpace,
    observations,
    finalObservations,
    ...(states !== undefined && { states }),
    rewards,
    terminated,
    truncated,
    get endedEpisodes() {
      return endedEpisodes;
    },
    reset(seed) {
      rngs = Array.from({ length: numEnvs }, (_, env) => Rng.fromSeed(seed + env));
      for (let env = 0; env < numEnvs; env++) begin(env);
    },
    step(actions) {
      endedEpisodes = [];
      total += 1;
      for (let env = 0; env < numEnvs; env++) {
        const action = options.choices === true ? actions[env]! - 1 : clip(actions[env]!);
        velocity[env] = clip(velocity[env]! + 0.2 * action);
        position[env] = clip(position[env]! + 0.2 * velocity[env]!);
        const cost = position[env]! ** 2 + 0.1 * velocity[env]! ** 2 + 0.01 * action ** 2;
        rewards[env] = total > nanAfter ? Number.NaN : rewardScale * (env * rewardOffset - cost);
        returns[env]! += -cost;
        age[env]! += 1;
        truncated[env] = age[env]! >= episodeSteps ? 1 : 0;
        if (truncated[env]) {
          observe(env, finalObservations);
          endedEpisodes.push({
            env,
            seed: 0,
            episodeReturn: returns[env]!,
            steps: age[env]!,
            goodputMbps: 0,
            utilisation: 0,
            meanQueueDelayMs: 0,
            lossRate: 0,
            score: returns[env]!,
          });
          begin(env);
        } else observe(env, observations);
      }
    },
  };
}

/** What the toy's teacher did, now and then something else, so that there is better and worse. */
export function toyDataset(choices: boolean, steps = 640): RecordedData {
  const env = makeToyEnv({ choices, teacher: true });
  const { numEnvs, observations, observationSpace, actionSpace } = env;
  const rng = Rng.fromSeed(77);
  const rows: { o: Float32Array; a: Float32Array; r: Float64Array; next: Float32Array }[] = [];
  env.reset(5);
  for (let step = 0; step < steps; step++) {
    const o = observations.slice();
    const a = env.states!.map((wanted) => {
      if (choices) return rng.next() < 0.2 ? rng.integer(3) : wanted;
      return clip(wanted + rng.uniform(-0.4, 0.4));
    });
    env.step(a);
    const next = observations.slice();
    const width = observationSpace.shape[0];
    for (let i = 0; i < numEnvs; i++) {
      if (env.truncated[i]) {
        next.set(env.finalObservations.subarray(i * width, (i + 1) * width), i * width);
      }
    }
    rows.push({ o, a, r: env.rewards.slice(), next });
  }
  return {
    observationSpace,
    actionSpace,
    sha256: choices ? "c".repeat(64) : "b".repeat(64),
    transitions: {
      rows: steps * numEnvs,
      observations: Float32Array.from(rows.flatMap(({ o }) => [...o])),
      actions: Float32Array.from(rows.flatMap(({ a }) => [...a])),
      rewards: Float64Array.from(rows.flatMap(({ r }) => [...r])),
      nextObservations: Float32Array.from(rows.flatMap(({ next }) => [...next])),
      terminated: new Float32Array(steps * numEnvs),
    },
  };
}

/** Mean return of the greedy policy over fresh episodes. */
export function greedyReturn(
  act: (obs: Float32Array) => Float32Array,
  {
    episodes = 32,
    choices = false,
    begin,
  }: {
    readonly episodes?: number;
    readonly choices?: boolean;
    /** an episode begins */
    readonly begin?: () => void;
  } = {},
): number {
  const env = makeToyEnv({ numEnvs: 1, choices });
  env.reset(12345);
  const returns: number[] = [];
  begin?.();
  while (returns.length < episodes) {
    env.step(act(env.observations));
    for (const ended of env.endedEpisodes) {
      returns.push(ended.episodeReturn);
      begin?.();
    }
  }
  return returns.reduce((sum, x) => sum + x, 0) / returns.length;
}
