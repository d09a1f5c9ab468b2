/** Whole runs of one contender on one scenario and seed in one world, measured in the same way for all. */

import type { AlgorithmResolver } from "../algorithms/cross-traffic.ts";
import type { FlowAlgorithm } from "../ccp-bridge/in-process-flow.ts";
import type { AckObserver } from "../ccp-bridge/observed-control.ts";
import { mssOf, NANOS_PER_MICRO, NANOS_PER_MILLI } from "../core/units.ts";
import { FIRST_FLOW, mtuOf, type Scenario } from "../scenarios/scenario.ts";
import { type RecordedFormat, RunRecorder } from "../testbeds/exports/recorder.ts";
import { jainIndex, shareLink } from "../testbeds/fairness.ts";
import { measure, summariseFlows, summariseTransfers, timeSeries } from "../testbeds/measure.ts";
import type { DecisionTiming, RunResult } from "../testbeds/results.ts";
import { SIMULATED } from "../testbeds/simulated/simulated.ts";
import type { OpenOptions, Run, Testbed, VirtualRun, VirtualTestbed } from "../testbeds/testbed.ts";
import type { EnvOptions } from "./options.ts";
import { StepRecorder } from "./recorded/step-recorder.ts";
import { DEFAULT_ENVELOPE, envelopeOf, type Spans } from "./signals/envelope.ts";
import { fairShareBytesPerSec } from "./signals/global-state.ts";
import { Meter } from "./signals/meter.ts";
import { ObservationNoise } from "./signals/observation-noise.ts";
import { getReward } from "./signals/rewards.ts";
import { type EnvFlow, EnvFlows } from "./steps/env-flow.ts";
import { reportEveryUs } from "./steps/report-step.ts";
import { driveLater, driveVirtual, Turns } from "./steps/turns.ts";

/** The reward of a whole run is the mean over steps of this length, whatever the contender's own steps are. */
export const REWARD_STEP_MS = 100;

/** What of an agent a run needs (agents/learner.ts has the whole). Each flow is a row of its own, from 0. */
export interface Policy {
  /** The episode of a row begins; absent: it has no memory. */
  begin?(row: number): void;
  act(observation: Float32Array, mode: "explore" | "greedy", row: number): Float32Array;
}

/** A policy that answers later, such as a network in a runtime whose calls are asynchronous. */
export interface AsyncPolicy {
  begin?(row: number): void;
  act(observation: Float32Array, mode: "explore" | "greedy", row: number): Promise<Float32Array>;
}

export interface RunOptions {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly rewardName: string;
  /** default 0.5 s */
  readonly seriesBinSec?: number;
  /** finds the algorithms of cross traffic; default: those that need no agent */
  readonly algorithms?: AlgorithmResolver;
  /** what else to write down of the run, where the testbed can; `RunResult.recordings` has the texts */
  readonly recording?: { readonly formats: readonly RecordedFormat[]; readonly title: string };
  /** what to write down of the first flow: the steps of this environment; `RunResult.steps` has them */
  readonly recordSteps?: EnvOptions;
}

/** In a world in virtual time; absent: the simulator. */
export interface OnVirtual {
  readonly testbed?: VirtualTestbed;
}

/** In any world; absent: the simulator. */
export interface OnAny {
  readonly testbed?: Testbed;
}

const DEFAULT_SERIES_BIN_SEC = 0.5;

/** Closes the meter's interval every REWARD_STEP_MS of the run's time from the flow's start on, to the step in which it ends. */
class RewardClock {
  readonly #reward: (stepUs: number, run: Run) => number;
  #sum = 0;
  #steps = 0;

  constructor(meter: Meter, rewardName: string) {
    const spec = getReward(rewardName);
    this.#reward = (stepUs, run) => {
      if (spec.readsFairShare) {
        const fromNs = run.nowNs - stepUs * NANOS_PER_MICRO;
        meter.interval.fairShareBytesPerSec = fairShareBytesPerSec(run, fromNs, run.nowNs);
      }
      return meter.close(stepUs, run.flows[0]!, (interval) => spec.of(interval));
    };
  }

  start(run: Run): void {
    const { startNs, endNs, flows } = run;
    const stepNs = REWARD_STEP_MS * NANOS_PER_MILLI;
    let atNs = startNs;
    const next = (): void => {
      atNs += stepNs;
      if (atNs <= endNs && !flows[0]!.isComplete) run.schedule(atNs, tick);
    };
    const tick = (): void => {
      this.#sum += this.#reward(stepNs / NANOS_PER_MICRO, run);
      this.#steps++;
      next();
    };
    next();
  }

  get mean(): number {
    return this.#steps === 0 ? Number.NaN : this.#sum / this.#steps;
  }
}

/** One after the other. */
function both(first: AckObserver, second: AckObserver): AckObserver {
  return {
    record(ack) {
      first.record(ack);
      second.record(ack);
    },
  };
}

/** What is added to a run so that it can be measured. */
class Measurement {
  /** what to open a run with, besides the control */
  readonly extras: Omit<OpenOptions, "control">;
  readonly #options: RunOptions;
  readonly #meter: Meter;
  readonly #clock: RewardClock;
  readonly #recorder: RunRecorder | undefined;
  readonly #steps: StepRecorder | undefined;

  constructor(options: RunOptions) {
    const { algorithms, recording, recordSteps, seriesBinSec = DEFAULT_SERIES_BIN_SEC } = options;
    this.#options = options;
    const mssBytes = mssOf(mtuOf(options.scenario));
    this.#meter = new Meter(mssBytes);
    this.#steps = recordSteps && new StepRecorder(recordSteps, mssBytes);
    const observer = this.#steps === undefined ? this.#meter : both(this.#meter, this.#steps);
    this.#clock = new RewardClock(this.#meter, options.rewardName);
    this.#recorder = recording && new RunRecorder(recording.formats);
    this.extras = {
      algorithms,
      seriesBinSec,
      // the first flow's ACKs are metered for the reward
      observer: (id) => (id === FIRST_FLOW ? observer : undefined),
      ...(this.#recorder && { recorder: this.#recorder }),
    };
  }

  /** What to open a run of one congestion control with. */
  of(algorithm: FlowAlgorithm): OpenOptions {
    return { ...this.extras, control: () => algorithm };
  }

  /** Before the run's time goes on. */
  attach<R extends Run>(run: R): R {
    this.#clock.start(run);
    this.#steps?.attach(run);
    return run;
  }

  /** With what was recorded; in real time when the run has been closed. */
  recorded(result: RunResult, run: Run): RunResult {
    if (this.#recorder === undefined) return result;
    return { ...result, recordings: this.#recorder.texts(run, this.#options.recording!.title) };
  }

  result(run: Run, testbed: string, decisions?: DecisionTiming): RunResult {
    const metrics = measure(run);
    // one that was to start after the end has nothing to tell
    const flows = summariseFlows(run).filter(({ durationSec }) => durationSec > 0);
    const forward = flows.filter(({ direction }) => direction === "forward");
    const shared = shareLink(run);
    return {
      testbed,
      metrics,
      reward: this.#clock.mean,
      rewardName: this.#options.rewardName,
      series: { ...timeSeries(run), ...(shared && { shares: shared.shares }) },
      ...(flows.length > 1 && { flows }),
      ...fairnessOf(run.shares === undefined ? forward.map((flow) => flow.goodputMbps) : run.shares()),
      ...(shared && { fairness: shared.fairness }),
      ...(run.transfers.started > 0 && { transfers: summariseTransfers(run) }),
      ...(this.#steps && { steps: this.#steps.steps() }),
      ...("timing" in run && { timing: run.timing }),
      ...("commandLine" in run && run.commandLine && { commandLine: run.commandLine.join(" ") }),
      ...(decisions && { decisions }),
    };
  }
}

/** Nothing where there are fewer than two flows, or where they got nothing. */
function fairnessOf(got: readonly number[] | undefined): Pick<RunResult, "jainIndex"> {
  return got === undefined || got.length < 2 || got.every((each) => each === 0)
    ? {}
    : { jainIndex: jainIndex(got) };
}

/** A run that has been opened: whoever drives it to its end may then ask for the result. */
export interface MeasuredRun {
  readonly run: VirtualRun;
  result(): RunResult;
}

/** A CCP algorithm (its programs in the world's datapath, its agent in this process) or an in-datapath control. */
type AlgorithmRunOptions = RunOptions & { readonly algorithm: FlowAlgorithm };

/** Everything about a run in virtual time but who controls it. */
export type MeasuredRunOptions = RunOptions & OnVirtual;

/** Opens a run of one algorithm, to be driven by the caller. */
export function beginRun(options: AlgorithmRunOptions & OnVirtual): MeasuredRun {
  const { testbed = SIMULATED, algorithm, scenario, seed } = options;
  const measurement = new Measurement(options);
  const run = measurement.attach(testbed.open(scenario, seed, measurement.of(algorithm)));
  return { run, result: () => measurement.recorded(measurement.result(run, testbed.name), run) };
}

export function runAlgorithm(options: AlgorithmRunOptions & OnVirtual): RunResult {
  const { run, result } = beginRun(options);
  run.runUntil(run.endNs);
  const measured = result();
  run.release?.();
  return measured;
}

/** The same in a world whose time may have to be waited for. */
export async function runAlgorithmLater(options: AlgorithmRunOptions & OnAny): Promise<RunResult> {
  const { testbed = SIMULATED, scenario, seed } = options;
  if (testbed.clock === "virtual") return runAlgorithm({ ...options, testbed });
  const measurement = new Measurement(options);
  const run = await testbed.open(scenario, seed, measurement.of(options.algorithm));
  let result: RunResult;
  try {
    measurement.attach(run);
    while (run.nowNs < run.endNs) await run.runUntil(run.endNs);
    result = measurement.result(run, testbed.name);
  } finally {
    await run.close();
  }
  return measurement.recorded(result, run);
}

type AgentRunOptions<P> = RunOptions & {
  /** one policy for all flows under test, or the policy of each by the flow's id */
  readonly agent: P | ((flow: string) => P);
  readonly env: EnvOptions;
  /** of the observations that the policy was made for; absent: the default's */
  readonly spans?: Spans;
  /** each number of an observation is off by up to this share of itself; absent: none is */
  readonly observationNoise?: number;
};

/** A run of an agent before it is opened. */
class AgentRun<P extends Policy | AsyncPolicy> {
  readonly #measurement: Measurement;
  readonly #flows: EnvFlows;
  readonly #env: EnvOptions;
  readonly #policyOf: (flow: string) => P;
  readonly #noise: ObservationNoise | undefined;
  /** of the flows that have acted: each is a row, in the order of their first actions */
  readonly #policies: Map<EnvFlow, { readonly policy: P; readonly row: number }> = new Map();

  constructor(options: AgentRunOptions<P>) {
    const { agent, env, spans = DEFAULT_ENVELOPE, scenario, seed, observationNoise = 0 } = options;
    this.#env = env;
    this.#measurement = new Measurement(options);
    this.#flows = new EnvFlows(env, reportEveryUs(env), {
      ...spans,
      maxCwndPackets: envelopeOf(scenario).maxCwndPackets,
    });
    this.#noise = observationNoise > 0 ? new ObservationNoise(observationNoise, seed) : undefined;
    this.#policyOf = typeof agent === "function" ? agent : () => agent;
  }

  /** @param stop asks the run for a stop */
  open(stop: () => void): OpenOptions {
    return this.#flows.prepare({ ...this.#measurement.extras, onReport: stop });
  }

  attach(run: Run): Turns {
    this.#flows.attach(run);
    this.#measurement.attach(run);
    return new Turns(run, this.#flows, this.#env, false);
  }

  act(flow: EnvFlow): ReturnType<P["act"]> {
    let acting = this.#policies.get(flow);
    if (acting === undefined) {
      acting = { policy: this.#policyOf(flow.id), row: this.#policies.size };
      this.#policies.set(flow, acting);
      acting.policy.begin?.(acting.row);
    }
    const { policy, row } = acting;
    const { observation } = flow.observer;
    return policy.act(this.#noise?.of(observation) ?? observation, "greedy", row) as ReturnType<P["act"]>;
  }

  result(run: Run, testbed: Testbed): RunResult {
    const isLate = testbed.clock === "real";
    return this.#measurement.result(run, testbed.name, isLate ? this.#decisions() : undefined);
  }

  recorded(result: RunResult, run: Run): RunResult {
    return this.#measurement.recorded(result, run);
  }

  #decisions(): DecisionTiming {
    const all = this.#flows.started.map(({ decisions }) => decisions);
    const sum = (of: (each: EnvFlow["decisions"]) => number): number =>
      all.reduce((total, each) => total + of(each), 0);
    const count = sum((each) => each.count);
    return {
      count,
      late: sum((each) => each.late),
      missedReports: sum((each) => each.missedReports),
      meanLatenessUs: count === 0 ? Number.NaN : sum((each) => each.latenessSumUs) / count,
      maxLatenessUs: Math.max(0, ...all.map((each) => each.maxLatenessUs)),
    };
  }
}

/**
 * Runs a policy greedily with the steps of the environment it was made for. In a scenario with several flows under test
 * each takes its own steps and has its own observations.
 */
export function runAgent(options: AgentRunOptions<Policy> & OnVirtual): RunResult {
  const { testbed = SIMULATED, scenario, seed } = options;
  const agent = new AgentRun(options);
  const run = testbed.open(
    scenario,
    seed,
    agent.open(() => run.requestStop()),
  );
  driveVirtual(agent.attach(run), run, (flow) => flow.admit(agent.act(flow)));
  const result = agent.recorded(agent.result(run, testbed), run);
  run.release?.();
  return result;
}

/** The same of a policy that answers later, or in a world whose time has to be waited for. Virtual time stands still meanwhile. */
export async function runAgentLater(
  options: AgentRunOptions<Policy | AsyncPolicy> & OnAny,
): Promise<RunResult> {
  const { testbed = SIMULATED, scenario, seed } = options;
  const agent = new AgentRun(options);
  const run: Run = await testbed.open(
    scenario,
    seed,
    agent.open(() => run.requestStop()),
  );
  let result: RunResult;
  try {
    await driveLater(agent.attach(run), run, async (flow) => flow.admit(await agent.act(flow)));
    result = agent.result(run, testbed);
  } finally {
    await run.close();
  }
  const recorded = agent.recorded(result, run);
  if ("release" in run) run.release?.();
  return recorded;
}
