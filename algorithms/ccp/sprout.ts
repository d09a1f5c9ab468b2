/**
 * Sprout (Winstein, Sivaraman and Balakrishnan, "Stochastic forecasts achieve high throughput and low delay over cellular
 * networks", NSDI 2013): the link delivers as a Poisson process whose rate wanders as a Brownian motion. Every 20 ms a Bayesian
 * filter learns from what was delivered, and the window is what the link will deliver with 95 % probability in time.
 *
 * Published, the receiver forecasts; here it is the sender, who hears by ACKs. Ours: the grid of rates doubles and halves with the
 * link (theirs ends at 1000 packets/s), and a tick in which nothing queued says that the rate is at least what came.
 */
import type { CcpFlow, FlowControl, FlowInfo, Report } from "../../ccp-bridge/agent/algorithm.ts";
import { exp, log } from "../../core/math.ts";
import { type Bytes, MICROS_PER_MILLI, MICROS_PER_SEC, type Micros } from "../../core/units.ts";
import type { AlgorithmSpec, ParamValues } from "../spec.ts";

/** Section 3.1: a tick, the number of rates on the grid, the largest at first (packets/s), and the wander per root second of it. */
const TICK_US: Micros = 20_000;
const RATES = 128;
const FIRST_MAX_RATE = 1000;
const LEAST_MAX_RATE = 50;
const SIGMA_OF_MAX = 0.2;
/** Section 3.1: probability per second of leaving an outage. */
const OUTAGE_ESCAPE = 1;
/** The grid is moved where the mean rate lies above this share of it, or below. */
const HIGH = 0.7;
const LOW = 0.15;
const MIN_WINDOW_PACKETS = 2;
/** What the filter never rules out: a link may change otherwise than by wandering. */
const FLOOR = 1e-9;
/** An RTT above the least by less is no queue. */
const NO_QUEUE_US: Micros = 3_000;
const NO_RTT_US = 0xffff_ffff;

const PROGRAM = `
(def
  (Report (volatile delivered 0) (volatile lowRtt +infinity) (volatile span 0) (minRtt +infinity))
  (tick ${TICK_US})
)
(when true
  (:= Report.delivered (+ Report.delivered (+ Ack.packets_acked Ack.packets_misordered)))
  (:= Report.lowRtt (min Report.lowRtt Flow.rtt_sample_us))
  (:= Report.minRtt (min Report.minRtt Flow.rtt_sample_us))
  (fallthrough)
)
(when (> Micros tick)
  (:= Report.span Micros)
  (:= Micros 0)
  (report)
)`;

/** Upper tail of the standard normal at `z`, by a logistic curve: within 0.01, enough for a 5 % quantile of a forecast. */
function isAbove(z: number): number {
  return 1 / (1 + exp(Math.max(-50, Math.min(50, 1.702 * z))));
}

/** The rate's distribution, and what follows from it. */
class LinkModel {
  #maxRate = FIRST_MAX_RATE;
  #weights: Float64Array = new Float64Array(RATES).fill(1 / RATES);

  #rateOf(bin: number): number {
    return ((bin + 0.5) * this.#maxRate) / RATES;
  }

  get meanRate(): number {
    return this.#weights.reduce((sum, weight, bin) => sum + weight * this.#rateOf(bin), 0);
  }

  /** Brownian motion for `sec`; the lowest bin is an outage, which holds on. */
  #wander(weights: Float64Array, sec: number): Float64Array {
    const sigmaBins = Math.max(0.3, SIGMA_OF_MAX * RATES * Math.sqrt(sec));
    const reach = Math.min(RATES, Math.ceil(3 * sigmaBins));
    const kernel = Float64Array.from({ length: reach + 1 }, (_, d) =>
      exp(-(d * d) / (2 * sigmaBins * sigmaBins)),
    );
    const norm = kernel.reduce((sum, value, d) => sum + (d === 0 ? value : 2 * value), 0);
    const moved = new Float64Array(RATES);
    const stays = exp(-OUTAGE_ESCAPE * sec);
    for (let bin = 0; bin < RATES; bin++) {
      let weight = weights[bin]! / norm;
      if (bin === 0) {
        moved[0]! += stays * weights[0]!;
        weight *= 1 - stays;
      }
      for (let d = -reach; d <= reach; d++) {
        const to = Math.min(RATES - 1, Math.max(0, bin + d));
        moved[to]! += weight * kernel[Math.abs(d)]!;
      }
    }
    return moved;
  }

  /** @param isAtLeast the link could have delivered more */
  observe(packets: number, sec: number, isAtLeast: boolean): void {
    const weights = this.#wander(this.#weights, sec);
    const logs = weights.map((_, bin) => {
      const expected = Math.max(1e-3, this.#rateOf(bin) * sec);
      if (isAtLeast && expected >= packets) return 0;
      const likeliest = isAtLeast || packets === 0 ? packets : 0;
      const ofPacket = packets * log(expected) - expected;
      return likeliest > 0 ? ofPacket - (packets * log(packets) - packets) : ofPacket;
    });
    const best = Math.max(...logs);
    let sum = 0;
    for (let bin = 0; bin < RATES; bin++) {
      weights[bin] = weights[bin]! * exp(Math.max(-700, logs[bin]! - best)) + FLOOR;
      sum += weights[bin]!;
    }
    this.#weights = weights.map((weight) => weight / sum);
    this.#fit();
  }

  #fit(): void {
    const share = this.meanRate / this.#maxRate;
    const isHigh = share > HIGH;
    if (!isHigh && (share > LOW || this.#maxRate <= LEAST_MAX_RATE)) return;
    const scaled = new Float64Array(RATES);
    for (let bin = 0; bin < RATES; bin++) {
      const to = isHigh ? bin >> 1 : Math.min(RATES - 1, 2 * bin);
      scaled[to]! += this.#weights[bin]!;
    }
    this.#weights = scaled;
    this.#maxRate *= isHigh ? 2 : 0.5;
  }

  /** Packets that the link delivers within `sec` but for a probability of `risk`. */
  forecast(sec: number, risk: number): number {
    const weights = this.#wander(this.#weights, sec / 2);
    const expected = weights.map((_, bin) => Math.max(1e-3, this.#rateOf(bin) * sec));
    const deviation = expected.map(Math.sqrt);
    let low = 0;
    let high = this.#maxRate * sec * 2 + 10;
    for (let i = 0; i < 24; i++) {
      const packets = (low + high) / 2;
      let fewer = 0;
      // the lowest rates come first: where they alone make it too many, the others need not be looked at
      for (let bin = 0; bin < RATES && fewer <= risk; bin++) {
        fewer += weights[bin]! * isAbove((expected[bin]! - packets) / deviation[bin]!);
      }
      if (fewer > risk) high = packets;
      else low = packets;
    }
    return low;
  }
}

class SproutFlow implements CcpFlow {
  readonly #control: FlowControl;
  readonly #mssBytes: Bytes;
  readonly #params: ParamValues;
  readonly #model = new LinkModel();
  #lastUs: Micros;

  constructor(control: FlowControl, info: FlowInfo, params: ParamValues) {
    this.#control = control;
    this.#mssBytes = info.mssBytes;
    this.#params = params;
    this.#lastUs = info.nowUs;
    control.setProgram("ticks", { Cwnd: info.initCwndBytes });
  }

  onReport(report: Report): void {
    const minRttUs = report.get("minRtt");
    const lowRttUs = report.get("lowRtt");
    const sec = Math.min(1, Math.max(1e-3, (report.nowUs - this.#lastUs) / MICROS_PER_SEC));
    this.#lastUs = report.nowUs;
    if (minRttUs === NO_RTT_US) return;
    const isQueueless = lowRttUs < minRttUs + NO_QUEUE_US;
    this.#model.observe(Math.min(report.get("delivered"), 1e9), sec, isQueueless);
    const { targetMs, risk } = this.#params as Record<"targetMs" | "risk", number>;
    const ahead = Math.min(60, (minRttUs + targetMs * MICROS_PER_MILLI) / MICROS_PER_SEC);
    const packets = Math.max(MIN_WINDOW_PACKETS, this.#model.forecast(ahead, risk));
    this.#control.updateFields({
      Cwnd: Math.floor(Math.min(packets * this.#mssBytes, Number.MAX_SAFE_INTEGER)),
    });
  }
}

export const sprout: AlgorithmSpec = {
  name: "sprout",
  summary:
    "forecasts by a Bayesian filter what the link will surely deliver, and has no more than that in flight",
  source: "Winstein, Sivaraman and Balakrishnan, NSDI 2013",
  reads: ["delivery-rate", "rtt"],
  recovery:
    "a tick of 20 ms sees one or two packets of a slow link, of which no forecast can be sure: at 1 Mbit/s it uses a fifth of it",
  params: [
    {
      name: "targetMs",
      unit: "ms",
      low: 5,
      high: 1000,
      default: 100,
      why: "queueing delay within which packets are to be delivered: 100 ms (section 3.2)",
    },
    {
      name: "risk",
      unit: "1",
      low: 0.001,
      high: 0.5,
      default: 0.05,
      why: "probability that they are not: 5 % (section 3.2)",
    },
  ],
  ccp: (params) => ({
    name: "sprout",
    programs: { ticks: PROGRAM },
    newFlow: (control, info) => new SproutFlow(control, info, params),
  }),
};
