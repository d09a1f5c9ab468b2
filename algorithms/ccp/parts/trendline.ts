/**
 * Whether a delay rises, and so what a path carries is more than it can: the overuse detector of draft-ietf-rmcat-gcc-02, fed by a
 * line through the latest delays (libwebrtc's trendline) in place of the draft's Kalman filter.
 */
import { MICROS_PER_MILLI, type Micros } from "../../../core/units.ts";

/** libwebrtc: a line through 20 smoothed delays; its slope times this stands for the draft's m(i), milliseconds. */
const TREND_GROUPS = 20;
const TREND_SMOOTHING = 0.9;
const TREND_GAIN = 4;
const MAX_GROUPS = 60;
/** Section 5.4: the threshold adapts within bounds, faster downwards (libwebrtc's gains per ms), and not to spikes. */
const THRESHOLD_MS = { first: 12.5, low: 6, high: 600, spike: 15, maxStep: 100 };
const THRESHOLD_GAIN = { up: 0.0087, down: 0.039 };
/** Section 5.4: overuse has to last 10 ms. */
const OVERUSE_US: Micros = 10 * MICROS_PER_MILLI;

export type Usage = "normal" | "overuse" | "underuse";

export class Trendline {
  /** the latest groups, in rings */
  readonly #atMs = new Float64Array(TREND_GROUPS);
  readonly #delayMs = new Float64Array(TREND_GROUPS);
  #smoothedMs = 0;
  #groups = 0;
  #thresholdMs = THRESHOLD_MS.first;
  #overSinceUs: Micros | undefined;
  #lastMs = 0;
  #lastUs: Micros = 0;

  /** The delay of the next group of packets; groups come in the order of their arrival. */
  add(nowUs: Micros, delayUs: Micros): Usage {
    const nowMs = nowUs / MICROS_PER_MILLI;
    this.#smoothedMs += (1 - TREND_SMOOTHING) * (delayUs / MICROS_PER_MILLI - this.#smoothedMs);
    this.#atMs[this.#groups % TREND_GROUPS] = nowMs;
    this.#delayMs[this.#groups % TREND_GROUPS] = this.#smoothedMs;
    this.#groups += 1;
    if (this.#groups < TREND_GROUPS) return "normal";
    const trendMs = Math.min(this.#groups, MAX_GROUPS) * this.#slope(nowMs) * TREND_GAIN;
    const usage = this.#detect(nowUs, trendMs);
    this.#adapt(nowUs, Math.abs(trendMs));
    this.#lastMs = trendMs;
    return usage;
  }

  /** Least squares, milliseconds of delay per millisecond. */
  #slope(nowMs: number): number {
    let [x, y, xx, xy] = [0, 0, 0, 0];
    for (let i = 0; i < TREND_GROUPS; i++) {
      const at = this.#atMs[i]! - nowMs;
      const delay = this.#delayMs[i]!;
      x += at;
      y += delay;
      xx += at * at;
      xy += at * delay;
    }
    const below = TREND_GROUPS * xx - x * x;
    return below === 0 ? 0 : (TREND_GROUPS * xy - x * y) / below;
  }

  #detect(nowUs: Micros, trendMs: number): Usage {
    if (trendMs <= this.#thresholdMs) {
      this.#overSinceUs = undefined;
      return trendMs < -this.#thresholdMs ? "underuse" : "normal";
    }
    this.#overSinceUs ??= nowUs;
    return nowUs - this.#overSinceUs >= OVERUSE_US && trendMs >= this.#lastMs ? "overuse" : "normal";
  }

  /** del_var_th += K dt (|m| - del_var_th)                                                            section 5.4 */
  #adapt(nowUs: Micros, sizeMs: number): void {
    const stepMs = Math.min(THRESHOLD_MS.maxStep, (nowUs - this.#lastUs) / MICROS_PER_MILLI);
    this.#lastUs = nowUs;
    const off = sizeMs - this.#thresholdMs;
    if (off > THRESHOLD_MS.spike) return;
    const gain = off < 0 ? THRESHOLD_GAIN.down : THRESHOLD_GAIN.up;
    const next = this.#thresholdMs + gain * stepMs * off;
    this.#thresholdMs = Math.min(THRESHOLD_MS.high, Math.max(THRESHOLD_MS.low, next));
  }
}
