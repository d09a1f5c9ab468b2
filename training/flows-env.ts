/**
 * Environments whose rows are flows: each network has a row for each flow under test, and each row has the network's state. A flow that is
 * not there (yet, or any more) has a row of zeros whose steps are episodes of their own, worth nothing.
 */
import { crossTrafficAlgorithm } from "../algorithms/cross-traffic.ts";
import { CcparkError } from "../core/errors.ts";
import { Rng } from "../core/random.ts";
import type { EndedEpisode, VectorEnv } from "../envs/env.ts";
import { MultiFlowEnv } from "../envs/multi-flow-env.ts";
import { type EnvOptions, parseMultiFlowOptions } from "../envs/options.ts";
import type { Box, Space } from "../envs/spaces.ts";
import { EpisodeSeeds, writeFirstSeeds } from "../envs/vector/episode-seeds.ts";
import { flowsUnderTest } from "../scenarios/flows.ts";
import type { Scenario } from "../scenarios/scenario.ts";
import { measure } from "../testbeds/measure.ts";

/** One network, its books, and where its rows begin. */
interface Network {
  readonly env: MultiFlowEnv;
  readonly from: number;
  seeds: EpisodeSeeds;
  seed: number;
  episodeReturn: number;
  steps: number;
}

export class FlowsVectorEnv implements VectorEnv {
  readonly numEnvs: number;
  readonly observationSpace: Box;
  readonly actionSpace: Space;
  readonly observations: Float32Array;
  readonly finalObservations: Float32Array;
  readonly states: Float32Array;
  readonly rewards: Float64Array;
  readonly terminated: Uint8Array;
  readonly truncated: Uint8Array;
  endedEpisodes: readonly EndedEpisode[] = [];
  readonly #flows: number;
  readonly #networks: readonly Network[];

  /**
   * @param draw the scenario of an episode
   * @param wantedRows flows of all networks together, about; one network at least
   * @throws CcparkError (invalid-argument) for steps of "rtt", and a scenario with fewer than two flows under test
   */
  constructor(options: EnvOptions, draw: (rng: Rng) => Scenario, wantedRows: number) {
    const sample = draw(Rng.fromSeed(0));
    const possibleFlows = flowsUnderTest(sample);
    if (possibleFlows.length < 2) {
      throw new CcparkError(
        "invalid-argument",
        `[train] scenario ${sample.name}: got one flow under test, expected several (\`flows: [{ algorithm: test }]\`), or a learner of one flow`,
      );
    }
    const { actionPolicy, observation, action, reward, stepMs } = options;
    const parsed = parseMultiFlowOptions({ actionPolicy, observation, action, reward, stepMs });
    const extras = { possibleFlows, algorithms: crossTrafficAlgorithm };
    const count = (this.#flows = possibleFlows.length);
    const networks = Math.max(1, Math.round(wantedRows / count));
    this.#networks = Array.from({ length: networks }, (_, i) => ({
      env: new MultiFlowEnv(draw, parsed, extras),
      from: i * count,
      seeds: new EpisodeSeeds(0),
      seed: 0,
      episodeReturn: 0,
      steps: 0,
    }));
    const [{ env }] = this.#networks as [Network];
    this.observationSpace = env.observationSpace;
    this.actionSpace = env.actionSpace;
    const rows = (this.numEnvs = networks * count);
    this.observations = new Float32Array(rows * this.observationSpace.shape[0]);
    this.finalObservations = new Float32Array(this.observations.length);
    this.states = new Float32Array(rows * env.stateSpace.shape[0]);
    this.rewards = new Float64Array(rows);
    this.terminated = new Uint8Array(rows);
    this.truncated = new Uint8Array(rows);
  }

  reset(seed: number): void {
    const first = new Float64Array(this.#networks.length);
    writeFirstSeeds(seed, first);
    this.endedEpisodes = [];
    for (const [i, network] of this.#networks.entries()) {
      network.seeds = new EpisodeSeeds(first[i]!);
      this.#begin(network);
    }
  }

  #begin(network: Network): void {
    network.seed = network.seeds.upcoming;
    network.episodeReturn = network.steps = 0;
    network.env.resetRows(network.seed);
    network.seeds.advance();
    this.#show(network);
  }

  #show({ env, from }: Network): void {
    const [width] = this.observationSpace.shape;
    this.observations.set(env.rows.observations, from * width);
    for (let i = 0; i < this.#flows; i++) this.states.set(env.state, (from + i) * env.state.length);
  }

  step(actions: Float32Array): void {
    const [width] = this.observationSpace.shape;
    const perFlow = this.actionSpace.shape[0];
    const ended: EndedEpisode[] = [];
    for (const network of this.#networks) {
      const { env, from } = network;
      const wasLive = env.rows.live.slice();
      env.stepRows(actions.subarray(from * perFlow, (from + this.#flows) * perFlow));
      const { rewards, truncated, observations } = env.rows;
      for (let i = 0; i < this.#flows; i++) {
        const isOver = wasLive[i] === 0 || env.rows.terminated[i] === 1;
        this.rewards[from + i] = rewards[i]!;
        this.terminated[from + i] = isOver ? 1 : 0;
        this.truncated[from + i] = isOver ? 0 : truncated[i]!;
        network.episodeReturn += rewards[i]! / this.#flows;
      }
      network.steps++;
      this.finalObservations.set(observations, from * width);
      if (env.ended) {
        ended.push(episodeOf(network));
        this.#begin(network);
      } else this.#show(network);
    }
    this.endedEpisodes = ended;
  }
}

/** The link's books, and the mean return of the flows. */
function episodeOf({ env, from, seed, episodeReturn, steps }: Network): EndedEpisode {
  const { goodputMbps, utilisation, meanQueueDelayMs, lossRate, score } = measure(env.run);
  return {
    env: from,
    seed,
    episodeReturn,
    steps,
    goodputMbps,
    utilisation,
    meanQueueDelayMs,
    lossRate,
    score,
  };
}
