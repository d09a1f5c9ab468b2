/**
 * The environment with one flow under test, in the two forms that there are of time: `CongestionEnv`, synchronous, for worlds in
 * virtual time, and `RealTimeCongestionEnv` for those whose time has to be waited for. A CCP algorithm whose decisions come
 * from outside: its `onReport` ends a step (`steps/report-step.ts`), the next action is its decision; agent and datapath meet
 * in CCP messages only. A step without a report has zero counters, held RTTs and `info.report` false. Several flows under
 * test: `multi-flow-env.ts`.
 */

import type { AlgorithmResolver } from "../algorithms/cross-traffic.ts";
import { assert, CcparkError } from "../core/errors.ts";
import type { Nanos } from "../core/units.ts";
import { flowsUnderTest } from "../scenarios/flows.ts";
import type { Scenario } from "../scenarios/scenario.ts";
import { measure } from "../testbeds/measure.ts";
import type { FlowMetrics } from "../testbeds/results.ts";
import { SIMULATED } from "../testbeds/simulated/simulated.ts";
import type {
  OpenOptions,
  RealTimeRun,
  RealTimeTestbed,
  Run,
  VirtualRun,
  VirtualTestbed,
} from "../testbeds/testbed.ts";
import type { Env, ResetOptions, StepInfo, TimeStep } from "./env.ts";
import type { EnvOptions } from "./options.ts";
import { envelopeOfSource } from "./signals/envelope.ts";
import { fairShareBytesPerSec } from "./signals/global-state.ts";
import { getReward, type RewardSpec } from "./signals/rewards.ts";
import type { Box, Space } from "./spaces.ts";
import { type EnvFlow, EnvFlows } from "./steps/env-flow.ts";
import { type EpisodePhase, expectReset, expectRunning } from "./steps/episode-phase.ts";
import { reportEveryUs } from "./steps/report-step.ts";
import { drawScenario, type ScenarioSource } from "./steps/scenario-source.ts";
import { TIME, Turns } from "./steps/turns.ts";

/** What there is while an episode runs. */
interface Episode<R extends Run> {
  readonly run: R;
  readonly flow: EnvFlow;
  readonly turns: Turns;
}

export interface SingleFlowExtras {
  /** finds the algorithms of cross traffic; absent: those that need no agent */
  readonly algorithms?: AlgorithmResolver;
}

/** What both forms have in common: everything but letting time pass. */
abstract class SingleFlowEnv<R extends Run> {
  readonly observationSpace: Box;
  readonly actionSpace: Space;
  readonly options: EnvOptions;
  readonly #reward: RewardSpec;
  readonly #scenarios: ScenarioSource;
  readonly #algorithms: AlgorithmResolver | undefined;
  readonly #flows: EnvFlows;
  #phase: EpisodePhase = "before-reset";
  #episode: Episode<R> | undefined;
  #hasReward = false;
  /** when the step at hand began, for rewards that read the fair share */
  #shareFromNs: Nanos = 0;

  /** of the step that ended last */
  reward = 0;
  terminated = false;
  truncated = false;
  stepUs = 0;

  /** @param scenarios the default scenario, or how an episode draws one */
  constructor(scenarios: ScenarioSource, options: EnvOptions, extras: SingleFlowExtras) {
    this.options = options;
    this.#scenarios = scenarios;
    this.#algorithms = extras.algorithms;
    this.#flows = new EnvFlows(options, reportEveryUs(options), envelopeOfSource(scenarios));
    this.#reward = getReward(options.reward);
    this.observationSpace = this.#flows.observation.space;
    this.actionSpace = this.#flows.action.space;
    if (typeof scenarios !== "function") expectOneFlow(scenarios);
  }

  /** Draws the scenario of an episode, and what to open its run with. */
  protected prepare(
    seed: number,
    scenario: Scenario | undefined,
    onReport: () => void,
  ): [Scenario, OpenOptions] {
    const drawn = drawScenario(scenario ?? this.#scenarios, seed);
    expectOneFlow(drawn);
    return [drawn, this.#flows.prepare({ algorithms: this.#algorithms, onReport })];
  }

  /** @returns the turns of the run, to be driven to the first one */
  protected attach(run: R): Turns {
    this.#flows.attach(run);
    return new Turns(run, this.#flows, this.options, true);
  }

  /** The flow's first turn has come. @returns the run of the episode before; undefined: it is the first */
  protected begun(run: R, turns: Turns): R | undefined {
    const flow = this.#flows.started[0];
    assert(flow !== undefined, "the flow under test has started");
    const before = this.#episode?.run;
    this.#episode = { run, flow, turns };
    this.reward = 0;
    this.#hasReward = false;
    this.#shareFromNs = run.nowNs;
    this.terminated = this.truncated = false;
    this.stepUs = 0;
    this.#phase = "running";
    return before;
  }

  /**
   * Takes the action of a step.
   * @throws CcparkError failed-precondition before the first reset or after the end; invalid-argument for a bad action
   *   (the state is unchanged then)
   */
  protected admit(action: ArrayLike<number>): Episode<R> {
    expectRunning(this.#phase);
    const episode = this.#episode!;
    episode.flow.admit(action);
    return episode;
  }

  /** @returns whether the run must go on until `turns.untilNs`; false: the step is over, and everything about it is known */
  protected goOn({ turns, flow }: Episode<R>): boolean {
    const ask = turns.next();
    if (ask === TIME) return true;
    this.stepUs = flow.stepUs;
    if (this.#reward.readsFairShare) this.#readFairShare(flow);
    this.reward = this.#reward.of(flow.observer.interval);
    this.#hasReward = true;
    // not by `assert`: its message would write the number out in each step
    if (!Number.isFinite(this.reward)) throw new Error(`reward ${this.#reward.name} is ${this.reward}`);
    if (ask === undefined) {
      this.truncated = true;
      this.#phase = "ended";
    }
    return false;
  }

  #readFairShare({ observer: { interval } }: EnvFlow): void {
    const { nowNs } = this.run;
    interval.fairShareBytesPerSec = fairShareBytesPerSec(this.run, this.#shareFromNs, nowNs);
    this.#shareFromNs = nowNs;
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
    return measure(this.run);
  }

  /** The components of the last step's reward, in the order of its `RewardSpec`; 0 after a reset. */
  writeRewardComponents(into: Float64Array): void {
    const { interval } = expectReset(this.#episode).flow.observer;
    this.#reward.components.forEach((component, i) => {
      into[i] = this.#hasReward ? component.of(interval) : 0;
    });
  }

  /** of the episode at hand; in virtual time nothing may be asked of it when the next has begun */
  get run(): R {
    return expectReset(this.#episode).run;
  }

  info(): StepInfo {
    return expectReset(this.#episode).flow.info(this.stepUs);
  }

  protected timeStep(): TimeStep {
    const { flow } = expectReset(this.#episode);
    return {
      observation: new Float32Array(flow.observer.observation),
      reward: this.reward,
      info: this.info(),
      terminated: this.terminated,
      truncated: this.truncated,
    };
  }
}

export class CongestionEnv extends SingleFlowEnv<VirtualRun> {
  readonly #testbed: VirtualTestbed;

  /** @param extras testbed: absent: the simulator */
  constructor(
    scenarios: ScenarioSource,
    options: EnvOptions,
    { testbed = SIMULATED, ...extras }: SingleFlowExtras & { readonly testbed?: VirtualTestbed } = {},
  ) {
    super(scenarios, options, extras);
    this.#testbed = testbed;
  }

  /**
   * Begins an episode: runs up to the flow's start.
   * @param seed whole number, 0 to 2^53 - 1; the same seed gives the same bytes
   * @param scenario instead of the environment's own
   * @throws CcparkError (invalid-argument) for a scenario with further flows under test
   */
  begin(seed: number, scenario?: Scenario): void {
    const [drawn, options] = this.prepare(seed, scenario, () => run.requestStop());
    const run = this.#testbed.open(drawn, seed, options);
    const turns = this.attach(run);
    while (turns.next() === TIME) run.runUntil(turns.untilNs);
    // its memory serves the episode after this one: to make a simulator takes longer than 100 steps
    this.begun(run, turns)?.release?.();
  }

  /**
   * One step: applies the action, runs to the step's end, fills the interval, the observation and the reward.
   * @throws CcparkError failed-precondition before the first reset or after the end; invalid-argument for a bad action
   *   (the state is unchanged then)
   */
  advance(action: ArrayLike<number>): void {
    const episode = this.admit(action);
    while (this.goOn(episode)) episode.run.runUntil(episode.turns.untilNs);
  }

  reset(seed: number, scenario?: Scenario): TimeStep {
    this.begin(seed, scenario);
    return this.timeStep();
  }

  step(action: ArrayLike<number>): TimeStep {
    this.advance(action);
    return this.timeStep();
  }
}

/** The same in a world with a clock of its own: time also passes between the calls, which `StepInfo` tells. */
export class RealTimeCongestionEnv extends SingleFlowEnv<RealTimeRun> implements Env {
  readonly #testbed: RealTimeTestbed;
  /** opened last, perhaps not yet an episode */
  #open: RealTimeRun | undefined;

  constructor(
    scenarios: ScenarioSource,
    options: EnvOptions,
    { testbed, ...extras }: SingleFlowExtras & { readonly testbed: RealTimeTestbed },
  ) {
    super(scenarios, options, extras);
    this.#testbed = testbed;
  }

  /** As in virtual time. @throws CcparkError (failed-precondition) too, if the testbed refuses the scenario */
  async begin(seed: number, scenario?: Scenario): Promise<void> {
    // the run that is being closed may report once more, before there is a new one
    const [drawn, options] = this.prepare(seed, scenario, () => this.#open?.requestStop());
    await this.close();
    const run = await this.#testbed.open(drawn, seed, options);
    this.#open = run;
    const turns = this.attach(run);
    while (turns.next() === TIME) await run.runUntil(turns.untilNs);
    this.begun(run, turns);
  }

  async advance(action: ArrayLike<number>): Promise<void> {
    const episode = this.admit(action);
    while (this.goOn(episode)) await episode.run.runUntil(episode.turns.untilNs);
  }

  async reset({ seed, scenario }: ResetOptions): Promise<TimeStep> {
    await this.begin(seed, scenario);
    return this.timeStep();
  }

  async step(action: ArrayLike<number>): Promise<TimeStep> {
    await this.advance(action);
    return this.timeStep();
  }

  /** Ends the packets of the episode at hand. */
  async close(): Promise<void> {
    await this.#open?.close();
    this.#open = undefined;
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
