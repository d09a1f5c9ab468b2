/** One environment with several flows under test, each told by its id: `MultiFlowEnv` in another process. */
import { CcparkError, unknownName } from "../../../core/errors.ts";
import type { ResetOptions, TimeStep } from "../../env.ts";
import type { MultiFlowStep } from "../../multi-flow-env.ts";
import type { Box, Space } from "../../spaces.ts";
import type { GetStateResponse, ResetResponse, StepResponse } from "../generated/ccpark/v1/environment.ts";
import { boxFromWire } from "../wire.ts";
import { oneLeaf, readFlags, readInto, stepInfoOf } from "./rows.ts";
import type { ClientSession } from "./session.ts";

export class RemoteMultiFlowEnv {
  /** of each flow */
  readonly observationSpace: Box;
  readonly actionSpace: Space;
  readonly stateSpace: Box;
  /** ids of all flows that may ever be there, in the order of the rows */
  readonly possibleFlows: readonly string[];
  readonly #session: ClientSession;
  readonly #rewards: Float64Array;
  readonly #terminated: Uint8Array;
  readonly #truncated: Uint8Array;
  readonly #present: Uint8Array;
  readonly #live: Uint8Array;
  readonly #ended = new Uint8Array(1);

  constructor(session: ClientSession) {
    this.#session = session;
    this.observationSpace = session.observationSpace;
    this.actionSpace = session.actionSpace;
    this.stateSpace = boxFromWire(session.description.stateSpace, "state space");
    this.possibleFlows = session.description.flowIds;
    const rows = this.possibleFlows.length;
    this.#rewards = new Float64Array(rows);
    this.#terminated = new Uint8Array(rows);
    this.#truncated = new Uint8Array(rows);
    this.#present = new Uint8Array(rows);
    this.#live = new Uint8Array(rows);
  }

  /** Ids of the flows that are to act in the next step, in the order of `possibleFlows`. */
  get liveFlows(): string[] {
    return this.possibleFlows.filter((_, row) => this.#live[row] === 1);
  }

  async reset({ seed, scenario }: ResetOptions): Promise<MultiFlowStep> {
    const answer = await this.#session.reset(seed, { scenario });
    this.#rewards.fill(0);
    this.#terminated.fill(0);
    this.#truncated.fill(0);
    this.#ended.fill(0);
    return this.#stepOf(answer);
  }

  /**
   * @param actions one for each live flow, by its id
   * @throws CcparkError as `MultiFlowEnv.step`; nothing has happened then
   */
  async step(actions: ReadonlyMap<string, Float32Array>): Promise<MultiFlowStep> {
    const answer = await this.#session.step(this.#packed(actions));
    readInto(this.#rewards, answer.rewards, "rewards");
    readInto(this.#terminated, answer.terminated, "terminated");
    readInto(this.#truncated, answer.truncated, "truncated");
    readInto(this.#ended, answer.ended, "ended");
    return this.#stepOf(answer);
  }

  /** Ground truth of the simulation: not to be learned from. */
  groundTruth(): Promise<GetStateResponse> {
    return this.#session.state(0);
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  #packed(actions: ReadonlyMap<string, Float32Array>): Float32Array {
    const width = this.actionSpace.shape[0];
    const packed = new Float32Array(this.possibleFlows.length * width);
    for (const id of actions.keys()) {
      if (!this.possibleFlows.includes(id)) throw unknownName("env", "flow", id, this.possibleFlows);
    }
    this.possibleFlows.forEach((id, row) => {
      const action = actions.get(id);
      const isLive = this.#live[row] === 1;
      if ((action !== undefined) !== isLive) {
        const problem = isLive ? `no action for ${id}` : `action for ${id}, which is not live`;
        throw new CcparkError(
          "invalid-argument",
          `[env] ${problem}: expected actions for ${this.liveFlows.join(", ") || "none"}`,
        );
      }
      if (action === undefined) return;
      if (action.length !== width) {
        throw new CcparkError(
          "invalid-argument",
          `[env] action of ${id} has the wrong length: got ${action.length}, expected ${width}`,
        );
      }
      packed.set(action, row * width);
    });
    return packed;
  }

  #stepOf({ observations, infos, present, live, states }: ResetResponse | StepResponse): MultiFlowStep {
    readFlags(this.#present, present, 1, "present");
    readFlags(this.#live, live, 1, "live");
    const width = this.observationSpace.shape[0];
    const all = new Float32Array(this.possibleFlows.length * width);
    readInto(all, oneLeaf(observations, "observations"), "observations");
    const state = new Float32Array(this.stateSpace.shape[0]);
    readInto(state, states, "states");
    const flows = new Map<string, TimeStep>();
    this.possibleFlows.forEach((id, row) => {
      if (this.#present[row] === 0) return;
      flows.set(id, {
        observation: all.slice(row * width, (row + 1) * width),
        reward: this.#rewards[row]!,
        info: stepInfoOf(infos, row),
        terminated: this.#terminated[row] === 1,
        truncated: this.#truncated[row] === 1,
      });
    });
    return { flows, liveFlows: this.liveFlows, state, ended: this.#ended[0] === 1 };
  }
}
