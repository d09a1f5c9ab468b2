/** The environment with one flow under test in rows: one slot that is always live. */

import type { AlgorithmResolver } from "../../../algorithms/cross-traffic.ts";
import { NANOS_PER_SEC } from "../../../core/units.ts";
import { estimateMemoryBytes } from "../../../scenarios/estimates/memory.ts";
import { FIRST_FLOW } from "../../../scenarios/scenario.ts";
import type { MoveTarget } from "../../../scenarios/traffic/named-flows.ts";
import { toNanosecond } from "../../../testbeds/measure.ts";
import { SIMULATED } from "../../../testbeds/simulated/simulated.ts";
import { expectAccepts, moveFlow, type Testbed } from "../../../testbeds/testbed.ts";
import { CongestionEnv, expectOneFlow, RealTimeCongestionEnv } from "../../congestion-env.ts";
import type { StepInfo } from "../../env.ts";
import type { FlowRows } from "../../multi-flow-env.ts";
import type { EnvOptions } from "../../options.ts";
import type { OracleTeacher } from "../../recorded/teacher.ts";
import { getAction } from "../../signals/actions.ts";
import { getReward } from "../../signals/rewards.ts";
import type { Box, Space } from "../../spaces.ts";
import type { MaybePromise } from "../place.ts";
import { asNumbers } from "./episode-metrics.ts";
import type { SlotEnv } from "./slot-env.ts";
import { costUs, type SlotEnvParts, SlotEpisode } from "./slot-episode.ts";

/** Above any budget of the thread that others share. */
const REAL_STEP_US = 10_000;

const FLOW_IDS: readonly string[] = [FIRST_FLOW];

export class SingleFlowSlot implements SlotEnv {
  readonly observationSpace: Box;
  readonly actionSpace: Space;
  readonly refusesBelow: boolean;
  readonly flowIds: readonly string[] = FLOW_IDS;
  readonly severalFlows = false;
  /** a step ends with the first ACK after its time */
  readonly stepSeconds = 0;
  /** what a teacher would do, where there is one */
  readonly stateSpace: Box | undefined;
  readonly rewardComponents: readonly string[];
  readonly notes: readonly string[];
  /** of the observation */
  readonly #width: number;
  readonly #env: CongestionEnv | RealTimeCongestionEnv;
  readonly #testbed: Testbed;
  readonly #episode: SlotEpisode;
  readonly #teacher: OracleTeacher | undefined;

  /**
   * @param algorithms finds those of cross traffic; absent: those that need no agent
   * @param teacher whose actions are the state, in virtual time; absent: there is no state
   */
  constructor(
    options: EnvOptions,
    parts: SlotEnvParts,
    algorithms?: AlgorithmResolver,
    testbed: Testbed = SIMULATED,
    teacher?: OracleTeacher,
  ) {
    this.#testbed = testbed;
    this.#teacher = teacher;
    this.stateSpace = teacher?.space;
    this.#env =
      testbed.clock === "virtual"
        ? new CongestionEnv(parts.scenarios, options, { algorithms, testbed })
        : new RealTimeCongestionEnv(parts.scenarios, options, { algorithms, testbed });
    this.#episode = new SlotEpisode(parts);
    this.notes = parts.notes ?? [];
    this.observationSpace = this.#env.observationSpace;
    this.#width = this.observationSpace.shape[0];
    this.actionSpace = this.#env.actionSpace;
    this.refusesBelow = getAction(options.action).refusesBelow;
    this.rewardComponents = getReward(options.reward).components.map(({ name }) => name);
  }

  get costUs(): { readonly step: number; readonly reset: number } {
    const { stepMs } = this.#env.options;
    // it waits for most of that time, but a thread of its own does so more exactly
    if (this.#testbed.clock === "real") return { step: REAL_STEP_US, reset: REAL_STEP_US };
    return costUs(this.#episode.draw(0, undefined), stepMs === "rtt" ? undefined : stepMs / 1000);
  }

  get memoryBytes(): number {
    return estimateMemoryBytes(this.#episode.draw(0, undefined));
  }

  checkScenario(scenario: unknown, seed: number): number {
    const drawn = this.#episode.draw(seed, scenario);
    expectOneFlow(drawn);
    expectAccepts(this.#testbed, drawn);
    return estimateMemoryBytes(drawn);
  }

  reset(seed: number, scenario?: unknown): MaybePromise<void> {
    const drawn = this.#episode.draw(seed, scenario);
    const later = this.#env.begin(seed, drawn);
    const begin = (): void => {
      this.#episode.begin(seed, drawn, this.#env.run);
      this.#teacher?.begin(drawn, seed);
    };
    return later === undefined ? begin() : later.then(begin);
  }

  step(actions: Float32Array): MaybePromise<void> {
    const later = this.#env.advance(actions);
    if (later !== undefined) return later.then(() => this.#record());
    if (this.#episode.isRecording) this.#record();
    return undefined;
  }

  #record(): void {
    if (this.#episode.isRecording) this.#episode.record(this.#env.run);
  }

  close(): void {
    if (this.#env instanceof RealTimeCongestionEnv) void this.#env.close();
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

  writeState(into: Float32Array, offset: number): void {
    const { cwndBytes, pacingRateBytesPerSec: rateBytesPerSec } = this.#env.info();
    into.set(this.#teacher!.action(this.#env.run, { cwndBytes, rateBytesPerSec }), offset);
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
    return toNanosecond((nowNs - startNs) / NANOS_PER_SEC);
  }

  episodeMetrics(): Readonly<Record<string, number>> {
    return asNumbers(this.#env.metrics());
  }

  move(slot: number, to: MoveTarget): void {
    moveFlow(this.#env.run, this.flowIds[slot]!, to);
  }

  state: SlotEnv["state"] = () => this.#episode.state(this.#env.run);

  render: SlotEnv["render"] = (mode) => this.#episode.render(mode, this.#env.run);
}
