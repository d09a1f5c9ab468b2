/**
 * The environment, synchronous, one flow under test: a CCP algorithm whose decisions come from outside. Its `onReport` ends
 * a step (`report-step.ts`), the next action is its decision; agent and datapath meet in CCP messages only. A step without
 * a report has zero counters, held RTTs and `info.report` false. Several flows under test: `multi-flow-env.ts`.
 */

import type { AlgorithmResolver } from "../algorithms/resolver.ts";
import { assert, CcparkError } from "../core/errors.ts";
import { NANOS_PER_MICRO } from "../core/units.ts";
import { flowsUnderTest } from "../scenarios/flows.ts";
import type { Scenario } from "../scenarios/scenario.ts";
import type { FlowMetrics } from "../testbeds/results.ts";
import { measure, type Simulation } from "../testbeds/simulated/simulation.ts";
import type { StepInfo, TimeStep } from "./env.ts";
import type { EnvOptions } from "./options.ts";
import { getReward, type RewardSpec } from "./signals/rewards.ts";
import type { Box } from "./spaces.ts";
import { type EnvFlow, EnvFlows } from "./steps/env-flow.ts";
import { type EpisodePhase, expectReset, expectRunning } from "./steps/episode-phase.ts";
import { ReportStep, reportEveryUs } from "./steps/report-step.ts";
import { drawScenario, type ScenarioSource } from "./steps/scenario-source.ts";

/** What there is while an episode runs. */
interface Episode {
  readonly simulation: Simulation;
  readonly flow: EnvFlow;
  readonly step: ReportStep;
}

export class CongestionEnv {
  readonly observationSpace: Box;
  readonly actionSpace: Box;
  readonly options: EnvOptions;
  readonly #reward: RewardSpec;
  readonly #scenarios: ScenarioSource;
  readonly #algorithms: AlgorithmResolver | undefined;
  readonly #flows: EnvFlows;
  #phase: EpisodePhase = "before-reset";
  #episode: Episode | undefined;
  #hasReward = false;

  /** of the step that ended last */
  reward = 0;
  terminated = false;
  truncated = false;
  stepUs = 0;

  /**
   * @param scenarios the default scenario, or how an episode draws one
   * @param extras algorithms: finds those of cross traffic; absent: those that need no agent
   */
  constructor(
    scenarios: ScenarioSource,
    options: EnvOptions,
    extras: { readonly algorithms?: AlgorithmResolver } = {},
  ) {
    this.options = options;
    this.#scenarios = scenarios;
    this.#algorithms = extras.algorithms;
    this.#flows = new EnvFlows(options, reportEveryUs(options));
    this.#reward = getReward(options.reward);
    this.observationSpace = this.#flows.observation.space;
    this.actionSpace = this.#flows.action.space;
    if (typeof scenarios !== "function") expectOneFlow(scenarios);
  }

  /**
   * Begins an episode: the simulation runs up to the flow's start.
   * @param seed whole number, 0 to 2^53 - 1; the same seed gives the same bytes
   * @param scenario instead of the environment's own
   * @throws CcparkError (invalid-argument) for a scenario with further flows under test
   */
  begin(seed: number, scenario?: Scenario): void {
    const drawn = drawScenario(scenario ?? this.#scenarios, seed);
    expectOneFlow(drawn);
    const simulation = this.#flows.begin(drawn, seed, {
      algorithms: this.#algorithms,
      onReport: () => simulation.network.requestStop(),
    });
    simulation.network.runUntil(simulation.startNs);
    const flow = this.#flows.started[0];
    assert(flow !== undefined, "the flow under test has started");
    this.#episode = { simulation, flow, step: new ReportStep(flow, this.options) };
    this.reward = 0;
    this.#hasReward = false;
    this.terminated = this.truncated = false;
    this.stepUs = 0;
    this.#phase = "running";
  }

  /**
   * One step: applies the action, runs to the step's end, fills the interval, the observation and the reward.
   * @throws CcparkError failed-precondition before the first reset or after the end; invalid-argument for a bad action
   *   (the state is unchanged then)
   */
  advance(action: ArrayLike<number>): void {
    expectRunning(this.#phase);
    const { simulation, flow, step } = this.#episode!;
    const { network, endNs } = simulation;
    flow.admit(action);
    flow.act();
    step.begin(network.nowNs);
    do network.runUntil(Math.min(step.deadlineNs, endNs));
    while (!step.isOver(network.nowNs) && network.nowNs < endNs);
    this.stepUs = (network.nowNs - step.beganNs) / NANOS_PER_MICRO;
    flow.endStep(this.stepUs);
    this.reward = this.#reward.of(flow.observer.interval);
    this.#hasReward = true;
    // not by `assert`: its message would write the number out in each step
    if (!Number.isFinite(this.reward)) throw new Error(`reward ${this.#reward.name} is ${this.reward}`);
    if (network.nowNs >= endNs) {
      this.truncated = true;
      this.#phase = "ended";
    }
  }

  /** 1 when the action of the step that ended last lay outside the box and was clipped. */
  get clippedActions(): number {
    return this.#episode?.flow.clipped ? 1 : 0;
  }

  /** Copies the present observation, float32 [observationSpace.shape[0]]. */
  writeObservation(into: Float32Array, offset: number): void {
    into.set(expectReset(this.#episode).flow.observer.observation, offset);
  }

  /** The measured quantities of the episode so far. */
  metrics(): FlowMetrics {
    return measure(this.simulation);
  }

  /** The components of the last step's reward, in the order of its `RewardSpec`; 0 after a reset. */
  writeRewardComponents(into: Float64Array): void {
    const { interval } = expectReset(this.#episode).flow.observer;
    this.#reward.components.forEach((component, i) => {
      into[i] = this.#hasReward ? component.of(interval) : 0;
    });
  }

  get simulation(): Simulation {
    return expectReset(this.#episode).simulation;
  }

  info(): StepInfo {
    return expectReset(this.#episode).flow.info(this.stepUs);
  }

  #timeStep(): TimeStep {
    const { flow } = expectReset(this.#episode);
    return {
      observation: new Float32Array(flow.observer.observation),
      reward: this.reward,
      info: this.info(),
      terminated: this.terminated,
      truncated: this.truncated,
    };
  }

  reset(seed: number, scenario?: Scenario): TimeStep {
    this.begin(seed, scenario);
    return this.#timeStep();
  }

  step(action: ArrayLike<number>): TimeStep {
    this.advance(action);
    return this.#timeStep();
  }
}

/** @throws CcparkError (invalid-argument) for a scenario with further flows under test */
export function expectOneFlow(scenario: Scenario): void {
  const ids = flowsUnderTest(scenario);
  if (ids.length === 1) return;
  throw new CcparkError(
    "invalid-argument",
    `[env] scenario ${scenario.name} has ${ids.length} flows under test (${ids.slice(0, 4).join(", ")}${ids.length > 4 ? ", ..." : ""}): expected one; use MultiFlowEnv for several`,
    { field: "scenario" },
  );
}
