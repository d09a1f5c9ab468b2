/**
 * The flows of an environment: a CCP algorithm whose decisions come from outside. A flow's reports fill the interval of
 * the step at hand and a decision becomes an update of `Cwnd` and `Rate`, so agent and datapath meet in CCP messages only. All flows of an
 * episode share one datapath and one agent, as on one host. When a step ends is the business of those who use this.
 */
import { compileAlgorithms, type ProgramSet } from "../../ccp-bridge/agent/agent.ts";
import type { CcpAlgorithm, FlowControl, FlowInfo, Report } from "../../ccp-bridge/agent/algorithm.ts";
import type { CongestionControlFactory } from "../../ccp-bridge/congestion-control.ts";
import { runCcpAlgorithm } from "../../ccp-bridge/in-process-flow.ts";
import { type Micros, MSS_BYTES, NANOS_PER_MICRO, type Nanos } from "../../core/units.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import type { Network } from "../../sim/network.ts";
import {
  type SimulatedFlow,
  type SimulateExtras,
  type Simulation,
  simulate,
} from "../../testbeds/simulated/simulation.ts";
import type { StepInfo } from "../env.ts";
import type { EnvOptions } from "../options.ts";
import { type ActionSpec, admitAction, getAction, MIN_CWND_PACKETS } from "../signals/actions.ts";
import { clearCounters, deliveredBytes } from "../signals/interval.ts";
import { getObservation, type ObservationSpec } from "../signals/observations.ts";
import { envPrograms, INTERVAL_PROGRAM, RTT_PROGRAM, readReport } from "./env-program.ts";
import { FlowObserver } from "./flow-observer.ts";

/** What the flows of one environment have in common. */
interface FlowSpecs {
  readonly observation: ObservationSpec;
  readonly action: ActionSpec;
  readonly options: EnvOptions;
}

/** One flow, from its start on. */
export class EnvFlow {
  readonly id: string;
  readonly simulated: SimulatedFlow;
  readonly observer: FlowObserver;
  /** whether the action of the step at hand lay outside the box and was clipped */
  clipped = false;
  readonly #specs: FlowSpecs;
  readonly #network: Network;
  readonly #control: FlowControl;
  readonly #admitted: Float64Array;
  #closed = false;
  /** up to where the counters of earlier steps reach, and those of the step at hand */
  #countedNs: Nanos = 0;
  #lastReportNs: Nanos = 0;

  constructor(
    specs: FlowSpecs,
    flow: {
      readonly simulated: SimulatedFlow;
      readonly network: Network;
      readonly control: FlowControl;
      readonly info: FlowInfo;
    },
  ) {
    const { mssBytes, initCwndBytes } = flow.info;
    this.#specs = specs;
    this.id = flow.simulated.id;
    this.simulated = flow.simulated;
    this.#network = flow.network;
    this.#control = flow.control;
    this.observer = new FlowObserver(specs.observation, specs.action, { mssBytes, cwndBytes: initCwndBytes });
    this.#admitted = new Float64Array(specs.action.space.shape[0]);
    this.#countedNs = this.#lastReportNs = flow.network.nowNs;
  }

  /** The flow has been closed, or all that it will ever send has been acknowledged. */
  get isOver(): boolean {
    return this.#closed || this.simulated.flow.sender?.complete === true;
  }

  close(): void {
    this.#closed = true;
  }

  receive(report: Report): void {
    readReport(report, this.observer.interval);
    this.#lastReportNs = this.#network.nowNs;
  }

  /**
   * Keeps a legal action for `act`.
   * @param what what to call it in an error
   * @throws CcparkError (invalid-argument); nothing has changed then
   */
  admit(action: ArrayLike<number>, what?: string): void {
    const { action: spec, options } = this.#specs;
    this.clipped = admitAction(spec, action, options.actionPolicy, this.#admitted, what);
  }

  /** Begins a step: the admitted action goes to the datapath, at once or after the action delay. */
  act(): void {
    this.observer.decide(this.#admitted);
    const { cwndBytes, rateBytesPerSec } = this.observer.setting;
    const { actionDelayUs } = this.#specs.options;
    if (actionDelayUs === 0) {
      this.#control.setWindow(cwndBytes, rateBytesPerSec);
    } else {
      const atNs = this.#network.nowNs + actionDelayUs * NANOS_PER_MICRO;
      this.#network.schedule(atNs, () => this.#control.setWindow(cwndBytes, rateBytesPerSec));
    }
    clearCounters(this.observer.interval);
  }

  /** Ends a step that took `stepUs`. The counters of its reports reach back to the last report before them. */
  endStep(stepUs: Micros): void {
    let countedUs = stepUs;
    if (this.observer.interval.report) {
      countedUs = (this.#lastReportNs - this.#countedNs) / NANOS_PER_MICRO;
      this.#countedNs = this.#lastReportNs;
    }
    this.observer.endStep(this.#network.nowNs / NANOS_PER_MICRO, countedUs);
  }

  /** Facts about the step that ended last. */
  info(stepUs: Micros): StepInfo {
    const { interval, setting } = this.observer;
    return {
      report: interval.report,
      timeUs: (this.#network.nowNs - this.simulated.spec.startNs) / NANOS_PER_MICRO,
      stepUs,
      deliveredBytes: deliveredBytes(interval),
      lostPackets: interval.lostPackets,
      rttUs: interval.rttUs,
      cwndBytes: setting.cwndBytes,
      pacingRateBytesPerSec: setting.rateBytesPerSec,
      clippedActions: this.clipped ? 1 : 0,
    };
  }
}

export interface EpisodeExtras extends Pick<SimulateExtras, "algorithms" | "recorder"> {
  /** bins of the time series; absent: none */
  readonly seriesBinSec?: number;
  /** wraps the congestion control of a flow under test */
  readonly around?: (id: string, factory: CongestionControlFactory) => CongestionControlFactory;
  /** a report of this flow has come */
  readonly onReport?: (flow: EnvFlow) => void;
}

/** The flows of one environment, episode by episode. */
export class EnvFlows {
  readonly observation: ObservationSpec;
  readonly action: ActionSpec;
  readonly #specs: FlowSpecs;
  readonly #algorithm: CcpAlgorithm;
  readonly #compiled: ProgramSet;
  readonly #reportEveryUs: Micros | "rtt";
  #simulation: Simulation | undefined;
  #onReport: ((flow: EnvFlow) => void) | undefined;
  /** the flow whose congestion control is being made */
  #opening = "";
  #started: EnvFlow[] = [];

  /** @param reportEveryUs the datapath reports with the first ACK so long after the last report */
  constructor(options: EnvOptions, reportEveryUs: Micros | "rtt") {
    this.observation = getObservation(options.observation);
    this.action = getAction(options.action);
    this.#specs = { observation: this.observation, action: this.action, options };
    this.#reportEveryUs = reportEveryUs;
    this.#algorithm = {
      name: "environment",
      programs: envPrograms(options.reportLossAtOnce),
      newFlow: (control, info) => this.#newFlow(control, info),
    };
    this.#compiled = compileAlgorithms([this.#algorithm]);
  }

  /** Flows under test that have started in this episode, in the order of their starts. */
  get started(): readonly EnvFlow[] {
    return this.#started;
  }

  /** Builds the simulation of an episode, to be run by the caller. */
  begin(scenario: Scenario, seed: number, extras: EpisodeExtras = {}): Simulation {
    const { algorithms, recorder, around } = extras;
    const factory = runCcpAlgorithm(this.#algorithm, {
      compiled: this.#compiled,
      minCwndBytes: MIN_CWND_PACKETS * MSS_BYTES,
    });
    const controlOf = (id: string): CongestionControlFactory => {
      const own: CongestionControlFactory = (start) => {
        this.#opening = id;
        return factory(start);
      };
      return around === undefined ? own : around(id, own);
    };
    const seriesBinSec = extras.seriesBinSec ?? Number.POSITIVE_INFINITY;
    this.#simulation = simulate(scenario, seed, factory, seriesBinSec, { algorithms, recorder, controlOf });
    this.#started = [];
    this.#onReport = extras.onReport;
    return this.#simulation;
  }

  #newFlow(control: FlowControl, info: FlowInfo): ReturnType<CcpAlgorithm["newFlow"]> {
    const { network, flows } = this.#simulation!;
    const simulated = flows.find(({ id }) => id === this.#opening)!;
    const flow = new EnvFlow(this.#specs, { simulated, network, control, info });
    const fields: Record<string, number> = { Cwnd: info.initCwndBytes };
    const every = this.#reportEveryUs;
    // a control variable is a whole number, and the program reports when more than that has passed
    if (every !== "rtt") fields["intervalUs"] = Math.round(every) - 1;
    control.setProgram(every === "rtt" ? RTT_PROGRAM : INTERVAL_PROGRAM, fields);
    this.#started.push(flow);
    return {
      onReport: (report) => {
        flow.receive(report);
        this.#onReport?.(flow);
      },
      onClose: () => flow.close(),
    };
  }
}
