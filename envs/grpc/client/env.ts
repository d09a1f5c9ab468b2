/** `Env` over a session with one environment and no autoreset. */
import type { Env, ResetOptions, TimeStep } from "../../env.ts";
import type { Box, Space } from "../../spaces.ts";
import { oneLeaf, readInto, stepInfoOf } from "./rows.ts";
import type { ClientSession } from "./session.ts";

export class RemoteEnv implements Env {
  readonly observationSpace: Box;
  readonly actionSpace: Space;
  readonly #session: ClientSession;
  readonly #reward = new Float64Array(1);

  constructor(session: ClientSession) {
    this.#session = session;
    this.observationSpace = session.observationSpace;
    this.actionSpace = session.actionSpace;
  }

  async reset({ seed, scenario }: ResetOptions): Promise<TimeStep> {
    const { observations, infos } = await this.#session.reset(seed, { scenario });
    return {
      observation: this.#observationOf(observations),
      reward: 0,
      info: stepInfoOf(infos, 0),
      terminated: false,
      truncated: false,
    };
  }

  async step(action: Float32Array): Promise<TimeStep> {
    const { observations, rewards, terminated, truncated, infos } = await this.#session.step(action);
    readInto(this.#reward, rewards, "rewards");
    return {
      observation: this.#observationOf(observations),
      reward: this.#reward[0]!,
      info: stepInfoOf(infos, 0),
      terminated: terminated[0] === 1,
      truncated: truncated[0] === 1,
    };
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  #observationOf(leaves: readonly Uint8Array[]): Float32Array {
    const observation = new Float32Array(this.observationSpace.shape[0]);
    readInto(observation, oneLeaf(leaves, "observations"), "observations");
    return observation;
  }
}
