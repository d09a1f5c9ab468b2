/** Whole runs of one contender on one scenario and seed, measured in the same way for all. */

import type { AlgorithmResolver } from "../algorithms/resolver.ts";
import type { CcpAlgorithm } from "../ccp-bridge/agent/algorithm.ts";
import type { CongestionControlFactory } from "../ccp-bridge/congestion-control.ts";
import { runCcpAlgorithm } from "../ccp-bridge/in-process-flow.ts";
import { NANOS_PER_MICRO, NANOS_PER_MILLI } from "../core/units.ts";
import { UNDER_TEST } from "../scenarios/flows.ts";
import { FIRST_FLOW, type Scenario } from "../scenarios/scenario.ts";
import { type RecordedFormat, RunRecorder } from "../testbeds/exports/recorder.ts";
import type { RunResult } from "../testbeds/results.ts";
import {
  measure,
  type Simulation,
  simulate,
  summariseFlows,
  summariseTransfers,
  timeSeries,
} from "../testbeds/simulated/simulation.ts";
import type { EnvOptions } from "./options.ts";
import { Meter } from "./signals/meter.ts";
import { getReward } from "./signals/rewards.ts";
import { type EnvFlow, EnvFlows } from "./steps/env-flow.ts";
import { ReportStep, reportEveryUs } from "./steps/report-step.ts";

/** The reward of a whole run is the mean over steps of this length, whatever the contender's own steps are. */
export const REWARD_STEP_MS = 100;

/** What of an agent a run needs (agents/agent.ts has the whole). */
export interface Policy {
  act(observation: Float32Array, mode: "explore" | "greedy"): Float32Array;
}

export interface RunOptions {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly rewardName: string;
  /** default 0.5 s */
  readonly seriesBinSec?: number;
  /** finds the algorithms of cross traffic; default: those that need no agent */
  readonly algorithms?: AlgorithmResolver;
  /** what else to write down of the run; `RunResult.recordings` has the texts */
  readonly recording?: { readonly formats: readonly RecordedFormat[]; readonly title: string };
}

const DEFAULT_SERIES_BIN_SEC = 0.5;

/** Closes the meter's interval every REWARD_STEP_MS of virtual time from the flow's start on. */
class RewardClock {
  readonly #reward: (stepUs: number) => number;
  #sum = 0;
  #steps = 0;

  constructor(meter: Meter, rewardName: string) {
    const spec = getReward(rewardName);
    this.#reward = (stepUs) => meter.close(stepUs, (interval) => spec.of(interval));
  }

  start({ network, startNs, endNs }: Simulation): void {
    const stepNs = REWARD_STEP_MS * NANOS_PER_MILLI;
    const tick = (atNs: number): void => {
      if (atNs > endNs) return;
      network.schedule(atNs, () => {
        this.#sum += this.#reward(stepNs / NANOS_PER_MICRO);
        this.#steps++;
        tick(atNs + stepNs);
      });
    };
    tick(startNs + stepNs);
  }

  get mean(): number {
    return this.#steps === 0 ? 0 : this.#sum / this.#steps;
  }
}

function metered(meter: Meter, factory: CongestionControlFactory): CongestionControlFactory {
  return (start) => meter.around(factory(start));
}

/** A run that has been set up: whoever drives the network to `simulation.endNs` may then ask for the result. */
export interface MeasuredRun {
  readonly simulation: Simulation;
  result(): RunResult;
}

/** Sets up a run of one congestion control, to be driven by the caller. */
export function beginRun(options: RunOptions & { readonly control: CongestionControlFactory }): MeasuredRun {
  const { scenario, seed } = options;
  const meter = new Meter();
  const clock = new RewardClock(meter, options.rewardName);
  const first = metered(meter, options.control);
  const recorder = options.recording && new RunRecorder(options.recording.formats);
  const simulation = simulate(scenario, seed, first, options.seriesBinSec ?? DEFAULT_SERIES_BIN_SEC, {
    algorithms: options.algorithms,
    controlOf: (id) => (id === FIRST_FLOW ? first : options.control),
    recorder,
  });
  clock.start(simulation);
  return {
    simulation,
    result: () => resultOf(simulation, clock.mean, options, recorder),
  };
}

function resultOf(
  simulation: Simulation,
  reward: number,
  { rewardName, recording }: RunOptions,
  recorder: RunRecorder | undefined,
): RunResult {
  const metrics = measure(simulation);
  // one that was to start after the end has nothing to tell
  const flows = summariseFlows(simulation).filter(({ durationSec }) => durationSec > 0);
  const forward = flows.filter(({ direction }) => direction === "forward");
  return {
    metrics,
    reward,
    rewardName,
    series: timeSeries(simulation),
    ...(flows.length > 1 && { flows }),
    ...(forward.length > 1 && { jainIndex: jainIndex(forward.map((flow) => flow.goodputMbps)) }),
    ...(simulation.transfers.started > 0 && { transfers: summariseTransfers(simulation) }),
    ...(recorder && { recordings: recorder.texts(simulation, recording!.title) }),
  };
}

/** Jain's fairness index, 1/n to 1 (Jain, Chiu and Hawe 1984); 1 where nothing was delivered. */
export function jainIndex(values: readonly number[]): number {
  const sum = values.reduce((total, value) => total + value, 0);
  const squares = values.reduce((total, value) => total + value * value, 0);
  return squares === 0 ? 1 : (sum * sum) / (values.length * squares);
}

/** Runs a CCP algorithm (its datapath programs in the simulator, agent in process) or an in-datapath control. */
export function runAlgorithm(
  options: RunOptions & { readonly algorithm: CcpAlgorithm | CongestionControlFactory },
): RunResult {
  const { algorithm } = options;
  const control = typeof algorithm === "function" ? algorithm : runCcpAlgorithm(algorithm);
  const run = beginRun({ ...options, control });
  run.simulation.network.runUntil(run.simulation.endNs);
  return run.result();
}

/** A policy that answers later, such as a network in a runtime whose calls are asynchronous. */
export interface AsyncPolicy {
  act(observation: Float32Array, mode: "explore" | "greedy"): Promise<Float32Array>;
}

type AgentRunOptions<P> = RunOptions & {
  /** one policy for all flows under test, or the policy of each by the flow's id */
  readonly agent: P | ((flow: string) => P);
  readonly env: EnvOptions;
};

/**
 * Runs a policy greedily with the steps of the environment it was made for. In a scenario with several flows under test
 * each takes its own steps and has its own observations.
 */
export function runAgent(options: AgentRunOptions<Policy>): RunResult {
  const run = agentRun(options);
  let turn = run.next();
  while (!turn.done) turn = run.next(turn.value.policy.act(turn.value.observation, "greedy"));
  return turn.value;
}

/** The same run of a policy that answers later; virtual time stands still meanwhile. */
export async function runAsyncAgent(options: AgentRunOptions<AsyncPolicy>): Promise<RunResult> {
  const run = agentRun(options);
  let turn = run.next();
  while (!turn.done) turn = run.next(await turn.value.policy.act(turn.value.observation, "greedy"));
  return turn.value;
}

/** A policy has to act on what its flow observes. */
interface Turn<P> {
  readonly policy: P;
  readonly observation: Float32Array;
}

/** A measured run that asks for one action after the other. */
function* agentRun<P extends Policy | AsyncPolicy>(
  options: AgentRunOptions<P>,
): Generator<Turn<P>, RunResult, Float32Array> {
  const { agent, env, scenario, seed, algorithms } = options;
  const meter = new Meter();
  const clock = new RewardClock(meter, options.rewardName);
  const recorder = options.recording && new RunRecorder(options.recording.formats);
  const flows = new EnvFlows(env, reportEveryUs(env));
  const simulation = flows.begin(scenario, seed, {
    seriesBinSec: options.seriesBinSec ?? DEFAULT_SERIES_BIN_SEC,
    algorithms,
    recorder,
    around: (id, factory) => (id === FIRST_FLOW ? metered(meter, factory) : factory),
    onReport: () => simulation.network.requestStop(),
  });
  clock.start(simulation);
  yield* takeTurns(simulation, flows, env, typeof agent === "function" ? agent : () => agent);
  return resultOf(simulation, clock.mean, options, recorder);
}

/** Runs to the end; whenever a flow starts or its step is over, its policy acts. */
function* takeTurns<P>(
  { network, endNs, flows: all }: Simulation,
  flows: EnvFlows,
  env: EnvOptions,
  policyOf: (flow: string) => P,
): Generator<Turn<P>, void, Float32Array> {
  const starting = all
    .filter(({ algorithm }) => algorithm === UNDER_TEST)
    .sort((a, b) => a.spec.startNs - b.spec.startNs);
  let acting: { readonly flow: EnvFlow; readonly step: ReportStep; readonly policy: P }[] = [];
  let started = 0;
  for (;;) {
    let untilNs = Math.min(endNs, starting[started]?.spec.startNs ?? endNs);
    for (const { step } of acting) untilNs = Math.min(untilNs, step.deadlineNs);
    network.runUntil(untilNs);
    if (network.nowNs >= endNs) return;
    if (acting.some(({ flow }) => flow.isOver)) acting = acting.filter(({ flow }) => !flow.isOver);
    for (const { flow, step, policy } of acting) {
      if (!step.isOver(network.nowNs)) continue;
      flow.endStep((network.nowNs - step.beganNs) / NANOS_PER_MICRO);
      yield* takeTurn(flow, step, policy);
    }
    for (; started < flows.started.length; started++) {
      const flow = flows.started[started]!;
      const starter = { flow, step: new ReportStep(flow, env), policy: policyOf(flow.id) };
      acting.push(starter);
      yield* takeTurn(flow, starter.step, starter.policy);
    }
  }

  function* takeTurn(flow: EnvFlow, step: ReportStep, policy: P): Generator<Turn<P>, void, Float32Array> {
    flow.admit(yield { policy, observation: flow.observer.observation });
    flow.act();
    step.begin(network.nowNs);
  }
}
