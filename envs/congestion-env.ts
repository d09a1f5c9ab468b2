/**
 * The environment, synchronous, one flow: a CCP algorithm whose decisions come from outside. Its `onReport` ends a step,
 * the next action is its decision; agent and datapath meet in CCP messages only.
 *
 * A step ends at a report: the first ACK `stepMs` or more after the last report (or one RTT, in "rtt" mode), or at once on
 * loss or timeout where that is asked for. A step in which no ACK came ends `stepMs` after it began (rtt mode: max(2 srtt,
 * 200 ms)) with zero counters, held RTTs and `info.report` false; one in which ACKs came waits for its report at most as
 * long again. So an outage never hangs a step.
 */
import { compileAlgorithms, type ProgramSet } from "../ccp-bridge/agent.ts";
import type { CcpAlgorithm, FlowControl, Report } from "../ccp-bridge/algorithm.ts";
import type { CongestionControlFactory } from "../ccp-bridge/congestion-control.ts";
import { runCcpAlgorithm } from "../ccp-bridge/in-process-flow.ts";
import { CcparkError } from "../core/errors.ts";
import { Rng } from "../core/random.ts";
import { MSS_BYTES, NANOS_PER_MICRO, NANOS_PER_MILLI, type Nanos } from "../core/units.ts";
import { type ActionSpec, admitAction, getAction, MIN_CWND_PACKETS } from "./actions.ts";
import type { StepInfo, TimeStep } from "./env.ts";
import { envPrograms, INTERVAL_PROGRAM, RTT_PROGRAM, readReport } from "./env-program.ts";
import { FlowObserver } from "./flow-observer.ts";
import { clearCounters, deliveredBytes } from "./interval.ts";
import type { AlgorithmResolver } from "./network-plan.ts";
import { getObservation, type ObservationSpec } from "./observations.ts";
import type { EnvOptions } from "./options.ts";
import type { FlowMetrics, TimeSeries } from "./results.ts";
import { getReward, type RewardSpec } from "./rewards.ts";
import type { Scenario } from "./scenario.ts";
import { initialCwndBytes } from "./sim/sender-options.ts";
import { measure, type Simulation, simulate, timeSeries } from "./simulation.ts";
import type { Box } from "./spaces.ts";

/** In rtt mode a silent step lasts max(2 srtt, 200 ms): twice the step, and not less than the floor of Linux's RTO. */
const SILENT_RTTS = 2;
const MIN_SILENT_STEP_NS = 200 * NANOS_PER_MILLI;

type Phase = "before-reset" | "running" | "ended";

/** Where the scenario of an episode comes from: one for all, or drawn anew by each episode's generator. */
export type ScenarioSource = Scenario | ((rng: Rng) => Scenario);

export class CongestionEnv {
  readonly observationSpace: Box;
  readonly actionSpace: Box;
  readonly options: EnvOptions;
  readonly #observation: ObservationSpec;
  readonly #action: ActionSpec;
  readonly #reward: RewardSpec;
  readonly #scenarios: ScenarioSource;
  readonly #seriesBinSec: number;
  readonly #algorithms: AlgorithmResolver | undefined;
  readonly #around: (factory: CongestionControlFactory) => CongestionControlFactory;
  readonly #algorithm: CcpAlgorithm;
  readonly #compiled: ProgramSet;

  #phase: Phase = "before-reset";
  #simulation: Simulation | undefined;
  #control: FlowControl | undefined;
  #observer: FlowObserver;
  readonly #admitted: Float64Array;
  #lastReportNs: Nanos = 0;
  #reported = false;

  /** of the step that ended last */
  reward = 0;
  terminated = false;
  truncated = false;
  clippedActions = 0;
  stepUs = 0;

  /**
   * @param scenarios the default scenario, or how an episode draws one
   * @param extras seriesBinSec: bins of the time series (Infinity: none); around: wraps the flow's congestion control;
   *   algorithms: finds those of cross traffic (absent: the native ones)
   */
  constructor(
    scenarios: ScenarioSource,
    options: EnvOptions,
    extras: {
      readonly seriesBinSec?: number;
      readonly algorithms?: AlgorithmResolver;
      readonly around?: (factory: CongestionControlFactory) => CongestionControlFactory;
    } = {},
  ) {
    this.options = options;
    this.#scenarios = scenarios;
    this.#observation = getObservation(options.observation);
    this.#action = getAction(options.action);
    this.#reward = getReward(options.reward);
    this.#seriesBinSec = extras.seriesBinSec ?? Number.POSITIVE_INFINITY;
    this.#around = extras.around ?? ((factory) => factory);
    this.#algorithms = extras.algorithms;
    this.#algorithm = this.#makeAlgorithm();
    this.#compiled = compileAlgorithms([this.#algorithm]);
    this.observationSpace = this.#observation.space;
    this.actionSpace = this.#action.space;
    this.#admitted = new Float64Array(this.actionSpace.shape[0]);
    this.#observer = this.#makeObserver();
  }

  #makeObserver(): FlowObserver {
    const start = { mssBytes: MSS_BYTES, cwndBytes: initialCwndBytes() };
    return new FlowObserver(this.#observation, this.#action, start);
  }

  /**
   * Begins an episode: the simulation runs up to the flow's start.
   * @param seed whole number, 0 to 2^53 - 1; the same seed gives the same bytes
   * @param scenario instead of the environment's own
   */
  begin(seed: number, scenario?: Scenario): void {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new CcparkError(
        "invalid-argument",
        `[env] wrong seed: got ${seed}, expected a whole number from 0 to 2^53 - 1`,
      );
    }
    const source = scenario ?? this.#scenarios;
    const drawn = typeof source === "function" ? source(Rng.fromSeed(seed).fork("scenario")) : source;
    this.#observer = this.#makeObserver();
    this.#control = undefined;
    const factory = runCcpAlgorithm(this.#algorithm, {
      compiled: this.#compiled,
      minCwndBytes: MIN_CWND_PACKETS * MSS_BYTES,
    });
    this.#simulation = simulate(drawn, seed, this.#around(factory), this.#seriesBinSec, {
      algorithms: this.#algorithms,
    });
    const { network, startNs } = this.#simulation;
    network.runUntil(startNs);
    this.#lastReportNs = startNs;
    this.#reported = false;
    this.reward = 0;
    this.terminated = this.truncated = false;
    this.clippedActions = 0;
    this.stepUs = 0;
    this.#phase = "running";
  }

  /** The decisions come from outside: the algorithm only keeps the control and stops the network at a report. */
  #makeAlgorithm(): CcpAlgorithm {
    const programName = this.options.stepMs === "rtt" ? RTT_PROGRAM : INTERVAL_PROGRAM;
    return {
      name: "environment",
      programs: envPrograms(this.options.reportLossAtOnce),
      newFlow: (control) => {
        this.#control = control;
        const fields: Record<string, number> = { Cwnd: this.#observer.setting.cwndBytes };
        if (this.options.stepMs !== "rtt") fields["intervalUs"] = Math.round(this.options.stepMs * 1000) - 1;
        control.setProgram(programName, fields);
        return { onReport: (report) => this.#onReport(report) };
      },
    };
  }

  #onReport(report: Report): void {
    readReport(report, this.#observer.interval);
    this.#reported = true;
    this.#simulation?.network.requestStop();
  }

  /**
   * One step: applies the action, runs to the step's end, fills the interval, the observation and the reward.
   * @throws CcparkError failed-precondition before the first reset or after the end; invalid-argument for a bad action
   *   (the state is unchanged then)
   */
  advance(action: ArrayLike<number>): void {
    if (this.#phase !== "running" || this.#simulation === undefined) {
      throw new CcparkError(
        "failed-precondition",
        this.#phase === "ended"
          ? "[env] step after the end of the episode: expected reset first"
          : "[env] step before the first reset: expected reset first",
      );
    }
    const clipped = admitAction(this.#action, action, this.options.actionPolicy, this.#admitted);
    this.clippedActions = clipped ? 1 : 0;
    this.#decide(this.#simulation);

    const { network, endNs } = this.#simulation;
    const beganNs = network.nowNs;
    clearCounters(this.#observer.interval);
    this.#reported = false;
    const limitNs = this.#silentStepNs();
    const acksBefore = this.#simulation.flow.sender?.acks ?? 0;
    network.runUntil(Math.min(beganNs + limitNs, endNs));
    const acked = (this.#simulation.flow.sender?.acks ?? 0) > acksBefore;
    if (!this.#reported && acked && network.nowNs < endNs) {
      network.runUntil(Math.min(beganNs + 2 * limitNs, endNs));
    }
    this.#endStep(this.#simulation, beganNs);
  }

  #decide(simulation: Simulation): void {
    const fields = this.#observer.decide(this.#admitted);
    const control = this.#control;
    if (control === undefined) return;
    if (this.options.actionDelayUs === 0) {
      control.updateFields(fields);
    } else {
      const { network } = simulation;
      network.schedule(network.nowNs + this.options.actionDelayUs * NANOS_PER_MICRO, () =>
        control.updateFields(fields),
      );
    }
  }

  /** How long a step may last in which nothing is heard. */
  #silentStepNs(): Nanos {
    if (this.options.stepMs !== "rtt") return this.options.stepMs * NANOS_PER_MILLI;
    return Math.max(SILENT_RTTS * this.#observer.srttUs * NANOS_PER_MICRO, MIN_SILENT_STEP_NS);
  }

  #endStep(simulation: Simulation, beganNs: Nanos): void {
    const { network, endNs } = simulation;
    const { nowNs } = network;
    this.stepUs = (nowNs - beganNs) / NANOS_PER_MICRO;
    let countedUs = this.stepUs;
    if (this.#reported) {
      // the counters of a report reach back to the report before it
      countedUs = (nowNs - this.#lastReportNs) / NANOS_PER_MICRO;
      this.#lastReportNs = nowNs;
    }
    this.#observer.endStep(nowNs / NANOS_PER_MICRO, countedUs);
    this.reward = this.#reward.of(this.#observer.interval);
    if (!Number.isFinite(this.reward))
      throw new Error(`reward ${this.#reward.name} is not finite: ${this.reward}`);
    if (nowNs >= endNs) {
      this.truncated = true;
      this.#phase = "ended";
    }
  }

  /** Copies the present observation, float32 [observationSpace.shape[0]]. */
  writeObservation(into: Float32Array, offset: number): void {
    into.set(this.#observer.observation, offset);
  }

  /** The measured quantities of the episode so far. */
  metrics(): FlowMetrics {
    return measure(this.#running());
  }

  series(): TimeSeries {
    return timeSeries(this.#running());
  }

  get simulation(): Simulation {
    return this.#running();
  }

  #running(): Simulation {
    if (this.#simulation === undefined) {
      throw new CcparkError(
        "failed-precondition",
        "[env] nothing to measure before the first reset: expected reset first",
      );
    }
    return this.#simulation;
  }

  info(): StepInfo {
    const simulation = this.#running();
    const { interval, setting } = this.#observer;
    return {
      report: interval.report,
      timeUs: (simulation.network.nowNs - simulation.startNs) / NANOS_PER_MICRO,
      stepUs: this.stepUs,
      deliveredBytes: deliveredBytes(interval),
      lostPackets: interval.lostPackets,
      rttUs: interval.rttUs,
      cwndBytes: setting.cwndBytes,
      pacingRateBytesPerSec: setting.rateBytesPerSec,
      clippedActions: this.clippedActions,
    };
  }

  #timeStep(): TimeStep {
    const observation = new Float32Array(this.#observer.observation);
    return {
      observation,
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
