/**
 * The environment with several flows under test, synchronous. Contract:
 *
 * - Time. A step is `stepMs` of virtual time from the start of `flow-0` on, the same for all flows; the last one may be
 *   shorter. Live flows act at its beginning, all at once; at its end each has an observation, a reward and its ends.
 * - Flows are called as in the scenario. `possibleFlows` are all that may ever be there, in a fixed order; live are those
 *   that have started and are not over at the end of a step. A flow that has started in a step joins at its end: it has a
 *   first observation and reward 0, and acts from the next step on. One that is over by the end of a step (stopped, or all
 *   it had to send is acknowledged) is told once, `terminated`, and is gone; one that starts and is over in one step, or
 *   starts in the last, never appears. The end of the episode sets `truncated` for all that are live. An episode may have
 *   steps without any live flow: only `ended` says that it is over.
 * - Reports. The datapath reports REPORTS_PER_STEP times per step, at ACKs. A step takes the reports that came in it, merged:
 *   counters add up, everything else is the newest report's, and rates of the step are over the span that the reports
 *   cover (from the last report before it to the last in it). What ACKs say after the last report of a step belongs to the
 *   next. A step without a report has zero counters, holds RTTs and rates and says `info.report` false. A flow that joins
 *   has what its reports have said since its start, and without one the observation of a flow of which nothing is known.
 *   Nothing but reports reaches an observation.
 * - Actions come as a map by id, or packed: one row per possible flow, in which rows of flows that are not live are ignored.
 *   All are checked before any acts, so after an error nothing has happened. They take effect at the next ACK, as in CCP.
 * - `state` is the global state at the end of a step (`global-state.ts`), for a critic in training.
 */

import type { AlgorithmResolver } from "../algorithms/cross-traffic.ts";
import { assert, CcparkError, unknownName } from "../core/errors.ts";
import {
  type BytesPerSec,
  MICROS_PER_MILLI,
  type Micros,
  NANOS_PER_MICRO,
  NANOS_PER_MILLI,
  NANOS_PER_SEC,
  type Nanos,
} from "../core/units.ts";
import { flowsUnderTest } from "../scenarios/flows.ts";
import type { Scenario } from "../scenarios/scenario.ts";
import { SIMULATED } from "../testbeds/simulated/simulated.ts";
import { expectTruth, type VirtualRun, type VirtualTestbed } from "../testbeds/testbed.ts";
import type { StepInfo, TimeStep } from "./env.ts";
import { fixedStepMs, type MultiFlowOptions } from "./options.ts";
import { envelopeOfSource } from "./signals/envelope.ts";
import { type FlowRewardSpec, getFlowReward } from "./signals/flow-rewards.ts";
import { countLive, GLOBAL_STATE, GlobalStateMeter } from "./signals/global-state.ts";
import type { Box, Space } from "./spaces.ts";
import { type EnvFlow, EnvFlows } from "./steps/env-flow.ts";
import { type EpisodePhase, expectReset, expectRunning } from "./steps/episode-phase.ts";
import { drawScenario, type ScenarioSource } from "./steps/scenario-source.ts";

/** A step misses at most a quarter of its own ACKs, and a report per ACK would cost as much as the simulation itself. */
const REPORTS_PER_STEP = 4;

/** What a reset or a step yields. */
export interface MultiFlowStep {
  /** by id, in the order of `possibleFlows`: the flows that acted in the step and those that have joined at its end */
  readonly flows: ReadonlyMap<string, TimeStep>;
  /** the flows that are to act in the next step */
  readonly liveFlows: readonly string[];
  /** float32 [stateSpace.shape[0]] */
  readonly state: Float32Array;
  /** the episode is over: only a reset may follow */
  readonly ended: boolean;
}

/** The same packed: one row per possible flow, in their order, overwritten by the next reset or step. */
export interface FlowRows {
  /** [possibleFlows x observationSpace.shape[0]], row-major; 0 where nothing is present */
  readonly observations: Float32Array;
  readonly rewards: Float64Array;
  /** 0 or 1, as the rest */
  readonly terminated: Uint8Array;
  readonly truncated: Uint8Array;
  /** 1: the flow acted in the step or has joined at its end, so its row says something */
  readonly present: Uint8Array;
  /** 1: the flow is to act in the next step */
  readonly live: Uint8Array;
}

/** What there is while an episode runs. */
interface Episode {
  readonly run: VirtualRun;
  readonly stateMeter: GlobalStateMeter;
  /** by row: flows that have joined; undefined before, and where a flow never appears */
  readonly flows: (EnvFlow | undefined)[];
  /** by row: its place among the run's flows, -1 if the scenario has none of this id */
  readonly places: readonly number[];
  /** how many of the started flows have been looked at */
  seen: number;
  steps: number;
  /** of the step at hand; after a reset the beginning of the simulation */
  beganNs: Nanos;
  stepUs: Micros;
  /** flows that acted in the step, and the fair shares that they were rewarded by */
  acting: readonly ActingFlow[];
}

interface ActingFlow {
  readonly flow: EnvFlow;
  readonly row: number;
  fairShare: BytesPerSec;
}

export class MultiFlowEnv {
  /** of each flow */
  readonly observationSpace: Box;
  readonly actionSpace: Space;
  readonly stateSpace: Box = GLOBAL_STATE.space;
  readonly options: MultiFlowOptions;
  readonly possibleFlows: readonly string[];
  readonly rows: FlowRows;
  /** of the last reset or step, overwritten by the next */
  readonly state: Float32Array;
  readonly #reward: FlowRewardSpec;
  readonly #scenarios: ScenarioSource;
  readonly #extras: { readonly algorithms?: AlgorithmResolver; readonly seriesBinSec?: number };
  readonly #testbed: VirtualTestbed;
  readonly #flows: EnvFlows;
  readonly #rowOf: ReadonlyMap<string, number>;
  /** by row, for errors */
  readonly #actionNames: readonly string[];
  readonly #stepNs: Nanos;
  #phase: EpisodePhase = "before-reset";
  #episode: Episode | undefined;

  /**
   * @param scenarios the default scenario, or how an episode draws one
   * @param extras possibleFlows: ids of all flows that a drawn scenario may have under test, needed where `scenarios` draws;
   *   algorithms: finds those of cross traffic; seriesBinSec: bins of the flows' time series (absent: none); testbed: a world in virtual time (absent: the simulator)
   * @throws CcparkError for an unknown name, steps of "rtt", or ids that are missing or not unique
   */
  constructor(
    scenarios: ScenarioSource,
    options: MultiFlowOptions,
    extras: {
      readonly possibleFlows?: readonly string[];
      readonly algorithms?: AlgorithmResolver;
      readonly seriesBinSec?: number;
      readonly testbed?: VirtualTestbed;
    } = {},
  ) {
    const stepMs = fixedStepMs(options.stepMs);
    this.options = options;
    this.#scenarios = scenarios;
    const { algorithms, seriesBinSec, testbed = SIMULATED } = extras;
    this.#extras = { algorithms, seriesBinSec };
    this.#testbed = testbed;
    this.#stepNs = stepMs * NANOS_PER_MILLI;
    this.#flows = new EnvFlows(
      options,
      (stepMs * MICROS_PER_MILLI) / REPORTS_PER_STEP,
      envelopeOfSource(scenarios),
    );
    this.#reward = getFlowReward(options.reward);
    this.observationSpace = this.#flows.observation.space;
    this.actionSpace = this.#flows.action.space;
    this.possibleFlows = possibleFlows(scenarios, extras.possibleFlows);
    this.#rowOf = new Map(this.possibleFlows.map((id, row) => [id, row]));
    this.#actionNames = this.possibleFlows.map((id) => `action of ${id}`);
    this.rows = makeRows(this.possibleFlows.length, this.observationSpace.shape[0]);
    this.state = new Float32Array(this.stateSpace.shape[0]);
  }

  /** Whether the episode is over. */
  get ended(): boolean {
    return this.#phase === "ended";
  }

  /** Ids of the flows that are to act in the next step, in the order of `possibleFlows`. */
  get liveFlows(): string[] {
    return this.possibleFlows.filter((_, row) => this.rows.live[row] === 1);
  }

  /** of the episode at hand: nothing may be asked of it when the next has begun */
  get run(): VirtualRun {
    return expectReset(this.#episode).run;
  }

  /**
   * Begins an episode: the simulation runs up to the start of `flow-0`. Flows that start before it run with their initial
   * window until then.
   * @param seed whole number, 0 to 2^53 - 1; the same seed gives the same bytes
   * @param scenario instead of the environment's own; its flows under test must be among `possibleFlows`
   */
  reset(seed: number, scenario?: Scenario): MultiFlowStep {
    this.resetRows(seed, scenario);
    return this.#multiFlowStep();
  }

  /** The same without the map: see `rows` and `state`. */
  resetRows(seed: number, scenario?: Scenario): void {
    const drawn = drawScenario(scenario ?? this.#scenarios, seed);
    for (const id of flowsUnderTest(drawn)) {
      if (!this.#rowOf.has(id)) throw unknownName("env", "flow under test", id, this.possibleFlows);
    }
    const run = this.#testbed.open(drawn, seed, this.#flows.prepare(this.#extras));
    this.#flows.attach(run);
    const { startNs, flows } = run;
    run.runUntil(startNs);
    this.#episode?.run.release?.();
    this.#episode = {
      run,
      stateMeter: new GlobalStateMeter(run, this.#stepNs),
      flows: this.possibleFlows.map(() => undefined),
      places: this.possibleFlows.map((id) => flows.findIndex((flow) => flow.id === id)),
      seen: 0,
      steps: 0,
      beganNs: 0,
      stepUs: 0,
      acting: [],
    };
    this.#phase = "running";
    clearRows(this.rows);
    this.rows.live.fill(0);
    this.#join(this.#episode);
    this.#writeState(this.#episode);
  }

  /**
   * One step.
   * @param actions one for each live flow, by its id
   * @throws CcparkError failed-precondition before the first reset or after the end; not-found for an unknown id;
   *   invalid-argument for an action that is missing, bad, or of a flow that is not live. Nothing has happened then
   */
  step(actions: ReadonlyMap<string, ArrayLike<number>>): MultiFlowStep {
    expectRunning(this.#phase);
    for (const id of actions.keys()) {
      const row = this.#rowOf.get(id);
      if (row === undefined) throw unknownName("env", "flow", id, this.possibleFlows);
      if (this.rows.live[row] === 0) {
        throw new CcparkError(
          "invalid-argument",
          `[env] action for ${id}, which is not live: expected actions for ${this.liveFlows.join(", ") || "none"}`,
        );
      }
    }
    this.#admit((row) => actions.get(this.possibleFlows[row]!));
    this.#run();
    return this.#multiFlowStep();
  }

  /**
   * The same packed: see `rows` and `state` for what it yields.
   * @param actions [possibleFlows x actionSpace.shape[0]], row-major; rows of flows that are not live are ignored
   */
  stepRows(actions: Float32Array): void {
    expectRunning(this.#phase);
    const width = this.actionSpace.shape[0];
    if (actions.length !== this.possibleFlows.length * width) {
      throw new CcparkError(
        "invalid-argument",
        `[env] actions have the wrong length: got ${actions.length}, expected ${this.possibleFlows.length} x ${width}`,
      );
    }
    this.#admit((row) => actions.subarray(row * width, (row + 1) * width));
    this.#run();
  }

  #admit(actionOf: (row: number) => ArrayLike<number> | undefined): void {
    const { flows } = this.#episode!;
    this.rows.live.forEach((isLive, row) => {
      if (isLive === 0) return;
      const action = actionOf(row);
      if (action === undefined) {
        throw new CcparkError(
          "invalid-argument",
          `[env] no action for ${this.possibleFlows[row]}: expected one for each live flow (${this.liveFlows.join(", ")})`,
        );
      }
      flows[row]!.admit(action, this.#actionNames[row]);
    });
  }

  /** Runs a step whose actions are admitted. */
  #run(): void {
    const episode = this.#episode!;
    const { run, flows } = episode;
    const { startNs, endNs } = run;
    const { rows } = this;
    const acting = flows.flatMap((flow, row): ActingFlow[] =>
      rows.live[row] === 1 ? [{ flow: flow!, row, fairShare: 0 }] : [],
    );
    const liveThere = [countLive(run, false), countLive(run, true)] as const;
    for (const { flow } of acting) flow.act(run.nowNs);
    episode.beganNs = run.nowNs;
    episode.steps++;
    const toNs = startNs + episode.steps * this.#stepNs;
    // a nanosecond left over is rounding, not a step
    const isLast = toNs + 1 > endNs;
    run.runUntil(isLast ? endNs : toNs);
    const stepUs = (run.nowNs - episode.beganNs) / NANOS_PER_MICRO;
    episode.stepUs = stepUs;
    episode.acting = acting;

    clearRows(rows);
    const fairShare = [
      this.#capacity(episode, false) / liveThere[0],
      this.#capacity(episode, true) / liveThere[1],
    ] as const;
    for (const each of acting) {
      const { flow, row } = each;
      flow.endStep(run.nowNs, stepUs);
      each.fairShare = fairShare[flow.facts.isBackward ? 1 : 0];
      rows.rewards[row] = this.#reward.of(flow.observer.interval, each.fairShare);
      if (!Number.isFinite(rows.rewards[row])) {
        throw new Error(`reward of ${flow.id} is ${rows.rewards[row]}`);
      }
      rows.terminated[row] = flow.isOver ? 1 : 0;
      rows.truncated[row] = isLast && !flow.isOver ? 1 : 0;
      rows.live[row] = isLast || flow.isOver ? 0 : 1;
      this.#show(flow, row);
    }
    if (this.options.share === "mean") {
      const sum = acting.reduce((total, { row }) => total + rows.rewards[row]!, 0);
      for (const { row } of acting) rows.rewards[row] = sum / acting.length;
    }
    if (isLast) this.#phase = "ended";
    else this.#join(episode);
    this.#writeState(episode);
  }

  /** Payload per second that the measured link of a direction could have carried in the step. */
  #capacity({ run, beganNs }: Episode, isBackward: boolean): number {
    const { forward, reverse, payloadRatio } = expectTruth(run);
    const link = isBackward ? reverse : forward;
    const { nowNs } = run;
    return (link.capacityBytes(beganNs, nowNs) * payloadRatio * NANOS_PER_SEC) / (nowNs - beganNs);
  }

  /** Flows that have started since the last look are live from now on, unless they are over already. */
  #join(episode: Episode): void {
    const { started } = this.#flows;
    const { nowNs } = episode.run;
    for (; episode.seen < started.length; episode.seen++) {
      const flow = started[episode.seen]!;
      if (flow.isOver) continue;
      const row = this.#rowOf.get(flow.id)!;
      if (flow.observer.interval.report) {
        flow.endStep(nowNs, (nowNs - flow.facts.startNs) / NANOS_PER_MICRO);
      }
      episode.flows[row] = flow;
      this.rows.live[row] = 1;
      this.#show(flow, row);
    }
  }

  #show(flow: EnvFlow, row: number): void {
    this.rows.present[row] = 1;
    this.rows.observations.set(flow.observer.observation, row * this.observationSpace.shape[0]);
  }

  #writeState({ stateMeter, flows, places }: Episode): void {
    const there = flows.flatMap((flow, row) => (flow !== undefined && !flow.isOver ? [places[row]!] : []));
    stateMeter.endStep(new Set(there), this.state);
  }

  /** Facts about the last step of a flow that has joined. */
  info(row: number): StepInfo {
    const { flows, run, beganNs, stepUs } = expectReset(this.#episode);
    const flow = flows[row];
    assert(flow !== undefined, "the flow has joined");
    // a flow that has joined in the step was there for a part of it
    const { startNs } = flow.facts;
    return flow.info(startNs >= beganNs ? (run.nowNs - startNs) / NANOS_PER_MICRO : stepUs);
  }

  /** The components of a flow's last reward, in the order of its `FlowRewardSpec`; 0 for one that did not act. */
  writeRewardComponents(row: number, into: Float64Array): void {
    const { acting } = expectReset(this.#episode);
    const isMean = this.options.share === "mean";
    const counted = acting.some((each) => each.row === row)
      ? acting.filter((each) => isMean || each.row === row)
      : [];
    this.#reward.components.forEach((component, i) => {
      const sum = counted.reduce(
        (total, { flow, fairShare }) => total + component.of(flow.observer.interval, fairShare),
        0,
      );
      into[i] = counted.length === 0 ? 0 : sum / counted.length;
    });
  }

  #multiFlowStep(): MultiFlowStep {
    const { rows } = this;
    const width = this.observationSpace.shape[0];
    const flows = new Map<string, TimeStep>();
    this.possibleFlows.forEach((id, row) => {
      if (rows.present[row] === 0) return;
      flows.set(id, {
        observation: rows.observations.slice(row * width, (row + 1) * width),
        reward: rows.rewards[row]!,
        info: this.info(row),
        terminated: rows.terminated[row] === 1,
        truncated: rows.truncated[row] === 1,
      });
    });
    return { flows, liveFlows: this.liveFlows, state: this.state.slice(), ended: this.ended };
  }
}

function possibleFlows(scenarios: ScenarioSource, given: readonly string[] | undefined): readonly string[] {
  if (given === undefined && typeof scenarios === "function") {
    throw new CcparkError(
      "invalid-argument",
      "[env] no possibleFlows: expected the ids of all flows under test that a drawn scenario may have",
    );
  }
  const ids = given ?? (typeof scenarios === "function" ? [] : flowsUnderTest(scenarios));
  const twice = ids.find((id, i) => ids.indexOf(id) !== i);
  if (twice !== undefined) {
    throw new CcparkError(
      "invalid-argument",
      `[env] two flows under test are called ${twice}: expected unique ids`,
    );
  }
  return ids;
}

function makeRows(flows: number, width: number): FlowRows {
  return {
    observations: new Float32Array(flows * width),
    rewards: new Float64Array(flows),
    terminated: new Uint8Array(flows),
    truncated: new Uint8Array(flows),
    present: new Uint8Array(flows),
    live: new Uint8Array(flows),
  };
}

/** Forgets what the last step said; who is live stays. */
function clearRows({ observations, rewards, terminated, truncated, present }: FlowRows): void {
  for (const column of [observations, rewards, terminated, truncated, present]) column.fill(0);
}
