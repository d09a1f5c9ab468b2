/**
 * LEDBAT++ (draft-irtf-iccrg-ledbat-plus-plus-01): LEDBAT whose growth is slower than Reno's by the path's RTT, whose
 * decrease is multiplicative, and which empties the queue now and then, so that a latecomer learns the path's own delay.
 *
 *   slow start ── delay above 3/4 of the target, or loss ──▶ steady ── two RTTs later; then 9 times as long as one took ──▶ slowdown:
 *        ▲                                                                                    two packets for two RTTs
 *        └─────────────────────────────────── up to the window from before ──────────────────────┘
 */
import { MICROS_PER_MILLI, MICROS_PER_SEC, type Micros } from "../../../core/units.ts";
import type { AlgorithmSpec, ParamValues } from "../../spec.ts";
import { type Decision, type Interval, intervalAlgorithm, type Rules } from "../parts/interval-flow.ts";
import { WindowedMin } from "../parts/windowed-min.ts";

/** Section 4.4: a slowdown's window, for so many RTTs. */
const SLOWDOWN_PACKETS = 2;
const SLOWDOWN_RTTS = 2;
/** Section 4.4: so many times the length of the last slowdown lie between two. */
const SLOWDOWN_SPACING = 9;
/** Section 4.3: slow start ends at three quarters of the target. */
const SLOW_START_EXIT = 0.75;
/** Section 4.2: never more than half of the window in one RTT. */
const MAX_DECREASE = 0.5;
/** Section 4.1: growth is Reno's by at most so much. */
const MAX_GAIN_DIVISOR = 16;
/** RFC 6817: the least RTT of ten minutes is the path's own. */
const HISTORY_US = 10 * 60 * MICROS_PER_SEC;
/** Section 4: the least of the last four samples is the present RTT. */
const FILTER = 4;

type State =
  | { readonly kind: "slow-start"; readonly upTo: number; readonly sinceUs: Micros | undefined }
  | { readonly kind: "steady"; readonly untilUs: Micros }
  | {
      readonly kind: "slowdown";
      readonly before: number;
      readonly sinceUs: Micros;
      readonly untilUs: Micros;
    };

class LedbatPlusPlusRules implements Rules {
  readonly #targetUs: Micros;
  readonly #constant: number;
  readonly #base = new WindowedMin(HISTORY_US, 10);
  readonly #recent: Micros[] = [];
  #state: State = { kind: "slow-start", upTo: Number.POSITIVE_INFINITY, sinceUs: undefined };

  constructor(params: ParamValues) {
    this.#targetUs = params["targetMs"]! * MICROS_PER_MILLI;
    this.#constant = params["constant"]!;
  }

  onInterval(interval: Interval): Decision | undefined {
    const { nowUs, samples, lowRttUs, cwndPackets, deliveredPackets, growing } = interval;
    if (samples === 0) return undefined;
    this.#base.add(nowUs, lowRttUs);
    this.#recent.push(lowRttUs);
    if (this.#recent.length > FILTER) this.#recent.shift();
    const baseUs = this.#base.value;
    const rttUs = Math.min(...this.#recent);
    const delayUs = rttUs - baseUs;
    // GAIN = 1 / min(16, ceil(2 TARGET / base))                                                       section 4.1
    const gain = 1 / Math.min(MAX_GAIN_DIVISOR, Math.ceil((2 * this.#targetUs) / baseUs));
    const state = this.#state;
    switch (state.kind) {
      case "slow-start": {
        const isOver = cwndPackets >= state.upTo || delayUs > SLOW_START_EXIT * this.#targetUs;
        if (isOver) return this.#endSlowStart(nowUs, rttUs, state.sinceUs);
        if (!growing) return undefined;
        return { cwndPackets: Math.min(state.upTo, cwndPackets + gain * deliveredPackets) };
      }
      case "slowdown": {
        if (nowUs < state.untilUs) return { cwndPackets: SLOWDOWN_PACKETS };
        this.#state = { kind: "slow-start", upTo: state.before, sinceUs: state.sinceUs };
        return undefined;
      }
      case "steady": {
        if (nowUs >= state.untilUs) {
          const untilUs = nowUs + SLOWDOWN_RTTS * rttUs;
          this.#state = { kind: "slowdown", before: cwndPackets, sinceUs: nowUs, untilUs };
          return { cwndPackets: SLOWDOWN_PACKETS };
        }
        const perRtt = this.#change(cwndPackets, gain, delayUs / this.#targetUs);
        if (perRtt > 0 && !growing) return undefined;
        return { cwndPackets: cwndPackets + (perRtt * deliveredPackets) / cwndPackets };
      }
    }
  }

  /** @param share delay / TARGET @returns packets per RTT; section 4.2 */
  #change(cwnd: number, gain: number, share: number): number {
    if (share < 1) return gain;
    return Math.max(gain - this.#constant * cwnd * (share - 1), -MAX_DECREASE * cwnd);
  }

  /** @param slowdownUs when the slowdown began that slow start ends; undefined: the first */
  #endSlowStart(nowUs: Micros, rttUs: Micros, slowdownUs: Micros | undefined): undefined {
    const waitUs = slowdownUs === undefined ? SLOWDOWN_RTTS * rttUs : SLOWDOWN_SPACING * (nowUs - slowdownUs);
    this.#state = { kind: "steady", untilUs: nowUs + waitUs };
  }

  onLoss({ cwndPackets, nowUs, minRttUs }: Interval): number {
    if (this.#state.kind === "slow-start") this.#endSlowStart(nowUs, minRttUs, this.#state.sinceUs);
    return cwndPackets / 2;
  }
}

export const ledbatPlusPlus: AlgorithmSpec = {
  name: "ledbat-plus-plus",
  summary: "LEDBAT with slower growth, multiplicative decrease and slowdowns that empty the queue",
  source: "draft-irtf-iccrg-ledbat-plus-plus-01",
  reads: ["rtt", "loss", "timeout"],
  params: [
    {
      name: "targetMs",
      unit: "ms",
      low: 1,
      high: 1000,
      default: 60,
      why: "queueing delay that it holds: 60 ms (section 4.5)",
    },
    {
      name: "constant",
      unit: "1",
      low: 0.1,
      high: 10,
      default: 1,
      why: "how strongly it decreases beyond the target: 1 (section 4.2)",
    },
  ],
  ccp: (params) =>
    intervalAlgorithm("ledbat-plus-plus", "quarter", () => ({
      rules: new LedbatPlusPlusRules(params),
      slowStart: false,
    })),
};
