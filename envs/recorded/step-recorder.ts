/**
 * Writes down what an environment would have shown of a run, step by step, whoever controls the flow: observation, the action
 * that comes nearest to what was done, reward. What is learnt from it (behaviour cloning, offline reinforcement learning) sees
 * the same features as the environment gives, from the same ACKs that the control saw.
 *
 * A step lasts a round trip as the sender has smoothed it, or `stepMs`; one in which nothing comes back goes on as long as the
 * environment's would. The window of a step is what the flow had in use: its congestion window, or where its pacing or the
 * application keeps it below that, what is in flight and one packet more.
 */
import type { AckEvent } from "../../ccp-bridge/congestion-control.ts";
import type { AckObserver } from "../../ccp-bridge/observed-control.ts";
import { CcparkError } from "../../core/errors.ts";
import { type Bytes, NANOS_PER_MICRO, NANOS_PER_MILLI, type Nanos } from "../../core/units.ts";
import type { RecordedSteps } from "../../testbeds/results.ts";
import type { Run, RunFlow } from "../../testbeds/testbed.ts";
import type { EnvOptions } from "../options.ts";
import { type ActionSpec, getAction } from "../signals/actions.ts";
import { fairShareBytesPerSec } from "../signals/global-state.ts";
import { Meter } from "../signals/meter.ts";
import { getObservation } from "../signals/observations.ts";
import { getReward, type RewardSpec } from "../signals/rewards.ts";
import { FlowObserver } from "../steps/flow-observer.ts";
import { silentStepNs } from "../steps/report-step.ts";

/** Numbers in a row, more of them than were asked for at first. */
class Column {
  #values = new Float32Array(1024);
  #length = 0;

  push(values: ArrayLike<number>): void {
    if (this.#length + values.length > this.#values.length) {
      const grown = new Float32Array(2 * (this.#length + values.length));
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values.set(values, this.#length);
    this.#length += values.length;
  }

  get values(): Float32Array {
    return this.#values.slice(0, this.#length);
  }
}

/** What the flow has in use of its window. */
function windowInUse(flow: RunFlow): Bytes {
  return Math.max(1, Math.min(flow.cwndPackets, flow.inflightPackets + 1)) * flow.mssBytes;
}

export class StepRecorder implements AckObserver {
  readonly #action: ActionSpec;
  readonly #reward: RewardSpec;
  readonly #options: EnvOptions;
  readonly #meter: Meter;
  readonly #observations = new Column();
  readonly #actions = new Column();
  readonly #rewards: number[] = [];
  #observer: FlowObserver | undefined;
  #run: Run | undefined;
  #beganNs: Nanos = 0;
  #acksBefore = 0;

  /** @throws CcparkError: not-found for an unknown name; invalid-argument for a form of action that nothing can be compared with */
  constructor(options: EnvOptions, mssBytes: Bytes) {
    this.#options = options;
    this.#action = getAction(options.action);
    this.#reward = getReward(options.reward);
    this.#meter = new Meter(mssBytes);
    if (this.#action.nearest === undefined) {
      const message = `[dataset] action \`${options.action}\`: got a form that says nothing of what another control did, expected one with \`nearest\`, such as multiplicative or indigo`;
      throw new CcparkError("invalid-argument", message);
    }
  }

  record(ack: AckEvent): void {
    this.#meter.record(ack);
  }

  /** Before the run's time goes on. */
  attach(run: Run): void {
    this.#run = run;
    run.schedule(run.startNs, () => this.#begin());
  }

  /** After the run: all steps that have ended. */
  steps(): RecordedSteps {
    return {
      observations: this.#observations.values,
      actions: this.#actions.values,
      rewards: Float64Array.from(this.#rewards),
    };
  }

  #begin(): void {
    const flow = this.#run!.flows[0]!;
    this.#observer = new FlowObserver(getObservation(this.#options.observation), this.#action, {
      mssBytes: flow.mssBytes,
      cwndBytes: flow.cwndPackets * flow.mssBytes,
    });
    this.#observations.push(this.#observer.observation);
    this.#next();
  }

  /** Begins a step. */
  #next(): void {
    const run = this.#run!;
    this.#beganNs = run.nowNs;
    this.#acksBefore = run.flows[0]!.acks;
    this.#wait(this.#stepNs());
  }

  #stepNs(): Nanos {
    const { stepMs } = this.#options;
    if (stepMs !== "rtt") return stepMs * NANOS_PER_MILLI;
    const { srttUs, propagationNs, reversePropagationNs } = this.#run!.flows[0]!;
    return srttUs > 0 ? srttUs * NANOS_PER_MICRO : propagationNs + reversePropagationNs;
  }

  #wait(spanNs: Nanos): void {
    const run = this.#run!;
    const atNs = run.nowNs + Math.max(1, spanNs);
    if (atNs > run.endNs || run.flows[0]!.isComplete) return;
    run.schedule(atNs, () => this.#look());
  }

  /** Ends the step unless nothing was heard and the environment would still wait. */
  #look(): void {
    const { nowNs, flows } = this.#run!;
    const flow = flows[0]!;
    const silentNs = silentStepNs(this.#options.stepMs, flow.srttUs);
    const isHeard = flow.acks !== this.#acksBefore;
    if (!isHeard && nowNs - this.#beganNs < silentNs) {
      this.#wait(Math.min(this.#stepNs(), silentNs - (nowNs - this.#beganNs)));
      return;
    }
    this.#end(flow);
    this.#next();
  }

  #end(flow: RunFlow): void {
    const { nowNs } = this.#run!;
    const observer = this.#observer!;
    const before = { ...observer.setting };
    const after = { cwndBytes: windowInUse(flow), rateBytesPerSec: flow.pacingRateBytesPerSec ?? 0 };
    this.#actions.push(this.#action.nearest!(before, after, flow.mssBytes));
    observer.overrule(after.cwndBytes, before.cwndBytes);
    observer.setting.rateBytesPerSec = after.rateBytesPerSec;
    const stepUs = (nowNs - this.#beganNs) / NANOS_PER_MICRO;
    const reward = this.#meter.close(stepUs, flow, (interval) => {
      Object.assign(observer.interval, interval);
      if (this.#reward.readsFairShare) {
        observer.interval.fairShareBytesPerSec = fairShareBytesPerSec(this.#run!, this.#beganNs, nowNs);
      }
      observer.endStep(nowNs / NANOS_PER_MICRO, stepUs);
      return this.#reward.of(observer.interval);
    });
    this.#rewards.push(reward);
    this.#observations.push(observer.observation);
  }
}
