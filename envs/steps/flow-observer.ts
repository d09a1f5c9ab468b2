/**
 * What an agent sees of a flow and does to it, step by step: interval, frames of the observation, window and rate. The
 * environment and a policy that runs as an algorithm share it, so that both see and do the same.
 *
 *   begin ──▶ (read `observation`, decide) ──▶ interval is filled ──▶ endStep ──▶ (read, decide) ──▶ ...
 */
import { log2 } from "../../core/math.ts";
import type { Bytes, Micros } from "../../core/units.ts";
import type { ActionSpec, FlowAction, Setting } from "../signals/actions.ts";
import { emptyInterval, type Interval } from "../signals/interval.ts";
import { type FlowView, firstView, type ObservationSpec } from "../signals/observations.ts";
import { WindowedMax } from "../signals/windowed-max.ts";

/** BBR's window for the highest delivery rate is 10 rounds; a step may be shorter, so a time is used. */
const MAX_RATE_WINDOW_US = 10_000_000;

export class FlowObserver {
  readonly setting: Setting;
  readonly interval: Interval;
  /** float32 [observationSpace.shape[0]], the newest frame last */
  readonly observation: Float32Array;
  /** 0 before the first report with an RTT */
  srttUs: Micros = 0;
  readonly #observationSpec: ObservationSpec;
  readonly #action: FlowAction;
  readonly #keepsPath: boolean;
  readonly #maxRate = new WindowedMax(MAX_RATE_WINDOW_US);
  /** one object for all frames */
  readonly #view: { -readonly [key in keyof FlowView]: FlowView[key] };

  /** The first observation is that of a flow of which nothing is known yet. */
  constructor(
    observationSpec: ObservationSpec,
    actionSpec: ActionSpec,
    start: { readonly mssBytes: Bytes; readonly cwndBytes: Bytes },
  ) {
    this.#observationSpec = observationSpec;
    this.#action = actionSpec.forFlow?.(start.mssBytes, start.cwndBytes) ?? actionSpec;
    this.#keepsPath = !(observationSpec.ignoresPath && actionSpec.ignoresPath);
    this.setting = { cwndBytes: start.cwndBytes, rateBytesPerSec: 0 };
    this.interval = emptyInterval(start.mssBytes);
    this.#view = firstView(this.interval, start.cwndBytes);
    this.observation = new Float32Array(observationSpec.space.shape[0]);
    this.#pushFrame();
  }

  /**
   * Applies an action that lies inside the box: what is to be set is in `setting` then.
   * @returns whether the window was held at the most that it may be
   */
  decide(action: ArrayLike<number>): boolean {
    const { setting } = this;
    const cwndBefore = setting.cwndBytes;
    const isHeld = this.#action.apply(action, setting, this.interval.mssBytes, this.#view);
    this.#view.log2CwndChange = setting.cwndBytes === cwndBefore ? 0 : log2(setting.cwndBytes / cwndBefore);
    return isHeld;
  }

  /**
   * Another has decided after this one was asked: the window is that, whatever the last action said.
   * @param cwndBefore when the step began
   */
  overrule(cwndBytes: Bytes, cwndBefore: Bytes): void {
    this.setting.cwndBytes = cwndBytes;
    this.#view.log2CwndChange = cwndBytes === cwndBefore ? 0 : log2(cwndBytes / cwndBefore);
  }

  /** A step is over; the interval holds its counters (of a report, or none). @param stepUs what the counters span */
  endStep(nowUs: Micros, stepUs: Micros): void {
    const { interval } = this;
    interval.stepUs = stepUs;
    if (interval.report) {
      if (interval.rttUs > 0) {
        this.srttUs =
          this.srttUs === 0 ? interval.rttUs : this.srttUs + (interval.meanRttUs - this.srttUs) / 8;
      }
      this.#maxRate.push(nowUs, interval.deliveryRateBytesPerSec);
      if (this.#keepsPath) this.#view.path.push(interval);
      this.#view.srttUs = this.srttUs;
    }
    this.#action.observe?.(this.#view, nowUs);
    this.#pushFrame();
  }

  #pushFrame(): void {
    const width = this.#observationSpec.features.length;
    const { observation } = this;
    const newestAt = observation.length - width;
    for (let i = 0; i < newestAt; i++) observation[i] = observation[i + width]!;
    this.#view.cwndBytes = this.setting.cwndBytes;
    this.#view.rateBytesPerSec = this.setting.rateBytesPerSec;
    this.#view.maxDeliveryRateBytesPerSec = this.#maxRate.max;
    this.#observationSpec.writeFrame(this.#view, observation, newestAt);
  }
}
