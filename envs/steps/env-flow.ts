/**
 * The flows of an environment: a CCP algorithm whose decisions come from outside. A flow's reports fill the interval of
 * the step at hand and a decision becomes an update of `Cwnd` and `Rate`, so agent and datapath meet in CCP messages only. All flows of an
 * episode share one datapath and one agent, as on one host. When a step ends is the business of those who use this.
 */
import type { CcpAlgorithm, FlowControl, FlowInfo, Report } from "../../ccp-bridge/agent/algorithm.ts";
import { type Micros, NANOS_PER_MICRO, type Nanos } from "../../core/units.ts";
import type { OpenOptions, Run, RunFlow } from "../../testbeds/testbed.ts";
import type { StepInfo } from "../env.ts";
import type { EnvOptions } from "../options.ts";
import { type ActionSpec, admitAction, getAction } from "../signals/actions.ts";
import type { Envelope } from "../signals/envelope.ts";
import { clearCounters, deliveredBytes, Silence } from "../signals/interval.ts";
import { getObservation, type ObservationSpec } from "../signals/observations.ts";
import { envPrograms, INTERVAL_PROGRAM, RTT_PROGRAM, readReport } from "./env-program.ts";
import { FlowObserver } from "./flow-observer.ts";

/** What the flows of one environment have in common. */
interface FlowSpecs {
  readonly observation: ObservationSpec;
  readonly action: ActionSpec;
  readonly options: EnvOptions;
}

/** Actions of a flow, and how long after the end of the step before they came. */
export interface Decisions {
  count: number;
  /** those that came so late that a report had come meanwhile */
  late: number;
  missedReports: number;
  latenessSumUs: Micros;
  maxLatenessUs: Micros;
}

/** One flow, from its start on. */
export class EnvFlow {
  readonly id: string;
  readonly facts: RunFlow;
  readonly observer: FlowObserver;
  /** whether the action of the step at hand lay outside the box, or led to a larger window than there may be, and was clipped */
  clipped = false;
  /** of the step that ended last; 0 before */
  stepUs: Micros = 0;
  /** how the actions came, so far */
  readonly decisions: Decisions = { count: 0, late: 0, missedReports: 0, latenessSumUs: 0, maxLatenessUs: 0 };
  /** a report has come since the action of the step at hand */
  hasReported = false;
  readonly #specs: FlowSpecs;
  readonly #run: Run;
  #control: FlowControl;
  readonly #admitted: Float64Array;
  readonly #silence = new Silence();
  #closed = false;
  /** up to where the counters of earlier steps reach, and those of the step at hand */
  #countedNs: Nanos = 0;
  #lastReportNs: Nanos = 0;
  /** the interval holds the counters of a step that is over: the next report or action begins anew */
  #isCounted = false;
  /** between the end of a step (or the start) and the next action: no time at all, unless a real clock runs */
  #awaitsAction = true;
  /** when that began */
  #endedNs: Nanos = 0;
  /** reports in it */
  #earlyReports = 0;
  /** of the action of the step at hand */
  #actionLateUs: Micros = 0;
  #missedReports = 0;

  constructor(
    specs: FlowSpecs,
    flow: {
      readonly facts: RunFlow;
      readonly run: Run;
      readonly control: FlowControl;
      readonly info: FlowInfo;
    },
  ) {
    const { mssBytes, initCwndBytes } = flow.info;
    this.#specs = specs;
    this.id = flow.facts.id;
    this.facts = flow.facts;
    this.#run = flow.run;
    this.#control = flow.control;
    this.observer = new FlowObserver(specs.observation, specs.action, { mssBytes, cwndBytes: initCwndBytes });
    this.#admitted = new Float64Array(specs.action.space.shape[0]);
    this.#countedNs = this.#lastReportNs = this.#endedNs = flow.run.nowNs;
  }

  /** The flow has been closed, or all that it will ever send has been acknowledged. */
  get isOver(): boolean {
    return this.#closed || this.facts.isComplete;
  }

  close(): void {
    this.#closed = true;
  }

  /** A new agent of the environment has the flow: it goes on where it was. */
  goOn(control: FlowControl): void {
    this.#control = control;
  }

  receive(report: Report): void {
    if (this.#isCounted) this.#beginCounting();
    if (this.#awaitsAction) this.#earlyReports++;
    readReport(report, this.observer.interval);
    this.hasReported = true;
    this.#lastReportNs = this.#run.nowNs;
  }

  #beginCounting(): void {
    clearCounters(this.observer.interval);
    this.#isCounted = false;
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

  /** Begins a step now: the admitted action goes to the datapath, at once or after the action delay. */
  act(nowNs: Nanos): void {
    if (this.observer.decide(this.#admitted)) this.clipped = true;
    const { cwndBytes, rateBytesPerSec, choice } = this.observer.setting;
    if (choice !== undefined) this.#run.overlay?.choose(this.id, choice);
    const { actionDelayUs } = this.#specs.options;
    if (actionDelayUs === 0) {
      this.#control.setWindow(cwndBytes, rateBytesPerSec);
    } else {
      const atNs = nowNs + actionDelayUs * NANOS_PER_MICRO;
      this.#run.schedule(atNs, () => this.#control.setWindow(cwndBytes, rateBytesPerSec));
    }
    if (this.#isCounted) this.#beginCounting();
    this.hasReported = false;
    this.#awaitsAction = false;
    this.#actionLateUs = (nowNs - this.#endedNs) / NANOS_PER_MICRO;
    this.#missedReports = this.#earlyReports;
    const { decisions } = this;
    decisions.count++;
    if (this.#actionLateUs > 0) {
      decisions.latenessSumUs += this.#actionLateUs;
      if (this.#actionLateUs > decisions.maxLatenessUs) decisions.maxLatenessUs = this.#actionLateUs;
      if (this.#missedReports > 0) {
        decisions.late++;
        decisions.missedReports += this.#missedReports;
      }
    }
  }

  /** Ends a step now that took `stepUs`. The counters of its reports reach back to the last report before them. */
  endStep(nowNs: Nanos, stepUs: Micros): void {
    this.stepUs = stepUs;
    let countedUs = stepUs;
    if (this.observer.interval.report) {
      countedUs = (this.#lastReportNs - this.#countedNs) / NANOS_PER_MICRO;
      this.#countedNs = this.#lastReportNs;
    }
    this.#silence.endStep(this.observer.interval, stepUs, this.facts);
    this.observer.endStep(nowNs / NANOS_PER_MICRO, countedUs);
    this.#isCounted = this.#awaitsAction = true;
    this.#endedNs = nowNs;
    this.#earlyReports = 0;
  }

  /** Facts about the step that ended last; to be asked for before time goes on. */
  info(stepUs: Micros): StepInfo {
    const { interval, setting } = this.observer;
    return {
      report: interval.report,
      timeUs: (this.#run.nowNs - this.facts.startNs) / NANOS_PER_MICRO,
      stepUs,
      deliveredBytes: deliveredBytes(interval),
      lostPackets: interval.lostPackets,
      rttUs: interval.rttUs,
      cwndBytes: setting.cwndBytes,
      pacingRateBytesPerSec: setting.rateBytesPerSec,
      clippedActions: this.clipped ? 1 : 0,
      actionLateUs: this.#actionLateUs,
      missedReports: this.#missedReports,
    };
  }
}

export interface EpisodeExtras extends Omit<OpenOptions, "control"> {
  /** a report of this flow has come, or it has started later than was planned */
  readonly onReport?: (flow: EnvFlow) => void;
}

/** The flows of one environment, episode by episode. */
export class EnvFlows {
  readonly observation: ObservationSpec;
  readonly action: ActionSpec;
  readonly #specs: FlowSpecs;
  readonly #algorithm: CcpAlgorithm;
  readonly #reportEveryUs: Micros | "rtt";
  #run: Run | undefined;
  #onReport: ((flow: EnvFlow) => void) | undefined;
  #started: EnvFlow[] = [];

  /** @param reportEveryUs the datapath reports with the first ACK so long after the last report */
  constructor(options: EnvOptions, reportEveryUs: Micros | "rtt", envelope: Envelope) {
    this.observation = getObservation(options.observation, envelope);
    this.action = getAction(options.action, envelope.maxCwndPackets);
    this.#specs = { observation: this.observation, action: this.action, options };
    this.#reportEveryUs = reportEveryUs;
    this.#algorithm = {
      name: "environment",
      programs: envPrograms(options.reportLossAtOnce),
      newFlow: (control, info) => this.#newFlow(control, info),
    };
  }

  /** Flows under test that have started in this episode, in the order of their starts. */
  get started(): readonly EnvFlow[] {
    return this.#started;
  }

  /** What to open the run of an episode with, which is then to be given to `attach`. */
  prepare({ onReport, ...extras }: EpisodeExtras = {}): OpenOptions {
    this.#onReport = onReport;
    return { ...extras, control: () => this.#algorithm };
  }

  /** Before the run's time goes on. */
  attach(run: Run): void {
    this.#run = run;
    this.#started = [];
  }

  #newFlow(control: FlowControl, info: FlowInfo): ReturnType<CcpAlgorithm["newFlow"]> {
    const run = this.#run!;
    const facts = run.flows.find(({ id }) => id === info.name)!;
    const known = this.#started.find(({ id, isOver }) => id === info.name && !isOver);
    const flow = known ?? new EnvFlow(this.#specs, { facts, run, control, info });
    known?.goOn(control);
    const fields: Record<string, number> = { Cwnd: Math.round(flow.observer.setting.cwndBytes) };
    const every = this.#reportEveryUs;
    // a control variable is a whole number, and the program reports when more than that has passed
    if (every !== "rtt") fields["intervalUs"] = Math.round(every) - 1;
    control.setProgram(every === "rtt" ? RTT_PROGRAM : INTERVAL_PROGRAM, fields);
    if (known === undefined) this.#started.push(flow);
    // nobody waits for its start any more
    if (known === undefined && run.nowNs > facts.startNs) this.#onReport?.(flow);
    return {
      onReport: (report) => {
        flow.receive(report);
        this.#onReport?.(flow);
      },
      onClose: () => flow.close(),
    };
  }
}
