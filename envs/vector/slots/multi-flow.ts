/** The environment with several flows under test in rows: a slot per possible flow, which joins and leaves. */

import type { AlgorithmResolver } from "../../../algorithms/cross-traffic.ts";
import { unknownName } from "../../../core/errors.ts";
import { estimateMemoryBytes } from "../../../scenarios/estimates/memory.ts";
import { flowsUnderTest } from "../../../scenarios/flows.ts";
import type { MoveTarget } from "../../../scenarios/traffic/named-flows.ts";
import { measure, summariseFlows } from "../../../testbeds/measure.ts";
import { moveFlow } from "../../../testbeds/testbed.ts";
import type { StepInfo } from "../../env.ts";
import { type FlowRows, MultiFlowEnv } from "../../multi-flow-env.ts";
import type { MultiFlowOptions } from "../../options.ts";
import { getAction } from "../../signals/actions.ts";
import { getFlowReward } from "../../signals/flow-rewards.ts";
import type { Box, Space } from "../../spaces.ts";
import { asNumbers } from "./episode-metrics.ts";
import type { SlotEnv } from "./slot-env.ts";
import { costUs, type SlotEnvParts, SlotEpisode } from "./slot-episode.ts";

export class MultiFlowSlots implements SlotEnv {
  readonly observationSpace: Box;
  readonly actionSpace: Space;
  readonly refusesBelow: boolean;
  readonly flowIds: readonly string[];
  readonly severalFlows = true;
  readonly stepSeconds: number;
  readonly stateSpace: Box;
  readonly rewardComponents: readonly string[];
  readonly notes: readonly string[];
  readonly #env: MultiFlowEnv;
  readonly #episode: SlotEpisode;

  /** @param possibleFlows ids of all flows under test that a scenario may have */
  constructor(
    options: MultiFlowOptions,
    parts: SlotEnvParts,
    extras: { readonly algorithms: AlgorithmResolver; readonly possibleFlows: readonly string[] },
  ) {
    this.#env = new MultiFlowEnv(parts.scenarios, options, extras);
    this.#episode = new SlotEpisode(parts);
    this.notes = parts.notes ?? [];
    this.observationSpace = this.#env.observationSpace;
    this.actionSpace = this.#env.actionSpace;
    this.refusesBelow = getAction(options.action).refusesBelow;
    this.flowIds = this.#env.possibleFlows;
    this.stepSeconds = options.stepMs / 1000;
    this.stateSpace = this.#env.stateSpace;
    this.rewardComponents = getFlowReward(options.reward).components.map(({ name }) => name);
  }

  get costUs(): { readonly step: number; readonly reset: number } {
    return costUs(this.#episode.draw(0, undefined), this.stepSeconds);
  }

  get memoryBytes(): number {
    return estimateMemoryBytes(this.#episode.draw(0, undefined));
  }

  checkScenario(scenario: unknown, seed: number): number {
    const drawn = this.#episode.draw(seed, scenario);
    for (const id of flowsUnderTest(drawn)) {
      if (!this.flowIds.includes(id))
        throw unknownName("env", "flow under test", id, this.flowIds, "scenario.flows");
    }
    return estimateMemoryBytes(drawn);
  }

  reset(seed: number, scenario?: unknown): void {
    const drawn = this.#episode.draw(seed, scenario);
    this.#env.resetRows(seed, drawn);
    this.#episode.begin(seed, drawn, this.#env.run);
  }

  step(actions: Float32Array): void {
    this.#env.stepRows(actions);
    if (this.#episode.isRecording) this.#episode.record(this.#env.run);
  }

  get ended(): boolean {
    return this.#env.ended;
  }

  writeView(into: FlowRows, row: number): void {
    const { observations, present, live } = this.#env.rows;
    into.observations.set(observations, row * this.observationSpace.shape[0]);
    into.present.set(present, row);
    into.live.set(live, row);
  }

  writeOutcome(into: FlowRows, row: number): void {
    const { rewards, terminated, truncated } = this.#env.rows;
    into.rewards.set(rewards, row);
    into.terminated.set(terminated, row);
    into.truncated.set(truncated, row);
  }

  writeState(into: Float32Array, offset: number): void {
    into.set(this.#env.state, offset);
  }

  info(slot: number): StepInfo {
    return this.#env.info(slot);
  }

  writeRewardComponents(slot: number, into: Float64Array): void {
    this.#env.writeRewardComponents(slot, into);
  }

  simSeconds(slot: number): number {
    return this.#env.info(slot).timeUs / 1e6;
  }

  /** Goodput, delay and loss of the flow over its own life. */
  episodeMetrics(slot: number): Readonly<Record<string, number>> {
    const { run } = this.#env;
    measure(run); // brings the books of the links up to now
    const summary = summariseFlows(run).find(({ id }) => id === this.flowIds[slot])!;
    const { id: _, algorithm: __, direction: ___, ...metrics } = summary;
    return asNumbers(metrics);
  }

  move(slot: number, to: MoveTarget): void {
    moveFlow(this.#env.run, this.flowIds[slot]!, to);
  }

  state: SlotEnv["state"] = () => this.#episode.state(this.#env.run);

  render: SlotEnv["render"] = (mode) => this.#episode.render(mode, this.#env.run);
}
