/** The environment with one flow under test in rows: one slot that is always live. */

import type { AlgorithmResolver } from "../../../algorithms/cross-traffic.ts";
import { NANOS_PER_SEC } from "../../../core/units.ts";
import { estimateMemoryBytes } from "../../../scenarios/memory.ts";
import { FIRST_FLOW } from "../../../scenarios/scenario.ts";
import { CongestionEnv, expectOneFlow } from "../../congestion-env.ts";
import type { StepInfo } from "../../env.ts";
import type { FlowRows } from "../../multi-flow-env.ts";
import type { EnvOptions } from "../../options.ts";
import { getAction } from "../../signals/actions.ts";
import { getReward } from "../../signals/rewards.ts";
import type { Box } from "../../spaces.ts";
import type { SlotEnv } from "./slot-env.ts";
import { costUs, type SlotEnvParts, SlotEpisode } from "./slot-episode.ts";

const FLOW_IDS: readonly string[] = [FIRST_FLOW];

export class SingleFlowSlot implements SlotEnv {
  readonly observationSpace: Box;
  readonly actionSpace: Box;
  readonly refusesBelow: boolean;
  readonly flowIds: readonly string[] = FLOW_IDS;
  readonly severalFlows = false;
  /** a step ends with the first ACK after its time */
  readonly stepSeconds = 0;
  readonly stateSpace = undefined;
  readonly rewardComponents: readonly string[];
  /** of the observation */
  readonly #width: number;
  readonly #env: CongestionEnv;
  readonly #episode: SlotEpisode;

  /** @param algorithms finds those of cross traffic; absent: those that need no agent */
  constructor(options: EnvOptions, parts: SlotEnvParts, algorithms?: AlgorithmResolver) {
    this.#env = new CongestionEnv(parts.scenarios, options, { algorithms });
    this.#episode = new SlotEpisode(parts);
    this.observationSpace = this.#env.observationSpace;
    this.#width = this.observationSpace.shape[0];
    this.actionSpace = this.#env.actionSpace;
    this.refusesBelow = getAction(options.action).refusesBelow;
    this.rewardComponents = getReward(options.reward).components.map(({ name }) => name);
  }

  get costUs(): { readonly step: number; readonly reset: number } {
    const { stepMs } = this.#env.options;
    return costUs(this.#episode.draw(0, undefined), stepMs === "rtt" ? undefined : stepMs / 1000);
  }

  get memoryBytes(): number {
    return estimateMemoryBytes(this.#episode.draw(0, undefined));
  }

  checkScenario(scenario: unknown, seed: number): void {
    expectOneFlow(this.#episode.draw(seed, scenario));
  }

  reset(seed: number, scenario?: unknown): void {
    const drawn = this.#episode.draw(seed, scenario);
    this.#env.begin(seed, drawn);
    this.#episode.begin(seed, drawn, this.#env.run);
  }

  step(actions: Float32Array): void {
    this.#env.advance(actions);
    if (this.#episode.isRecording) this.#episode.record(this.#env.run);
  }

  get ended(): boolean {
    return this.#env.terminated || this.#env.truncated;
  }

  writeView(into: FlowRows, row: number): void {
    const env = this.#env;
    env.writeObservation(into.observations, row * this.#width);
    into.present[row] = 1;
    into.live[row] = env.terminated || env.truncated ? 0 : 1;
  }

  writeOutcome(into: FlowRows, row: number): void {
    const env = this.#env;
    into.rewards[row] = env.reward;
    into.terminated[row] = env.terminated ? 1 : 0;
    into.truncated[row] = env.truncated ? 1 : 0;
  }

  info(): StepInfo {
    return this.#env.info();
  }

  writeRewardComponents(_slot: number, into: Float64Array): void {
    this.#env.writeRewardComponents(into);
  }

  simSeconds(): number {
    const { nowNs, startNs } = this.#env.run;
    return (nowNs - startNs) / NANOS_PER_SEC;
  }

  episodeMetrics(): Readonly<Record<string, number>> {
    return { ...this.#env.metrics() };
  }

  state: SlotEnv["state"] = () => this.#episode.state(this.#env.run);

  render: SlotEnv["render"] = (mode) => this.#episode.render(mode, this.#env.run);
}
