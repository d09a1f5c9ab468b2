/**
 * Google congestion control for media (draft-ietf-rmcat-gcc-02): a delay that rises tells of overuse before a queue is there to
 * be lost from. The rate is the less of a delay-based and a loss-based one.
 *
 *   increase ── overuse ──▶ decrease ── normal ──▶ hold ── normal ──▶ increase
 *       └────── underuse ────────────────────────▶ hold ── overuse ──▶ decrease
 *
 * At first it probes as libwebrtc does: at twice what the last probe brought, as long as 70 % of it arrives.
 * RTTs stand for one-way delays, which CCP has none of, and a quarter of an RTT for a group of packets, at least 5 ms.
 */
import { pow } from "../../../core/math.ts";
import { type Bytes, MICROS_PER_MILLI, MICROS_PER_SEC, type Micros } from "../../../core/units.ts";
import type { AlgorithmSpec, ParamValues } from "../../spec.ts";
import { type Decision, type Interval, intervalAlgorithm, type Rules } from "../parts/interval-flow.ts";
import { Trendline, type Usage } from "../parts/trendline.ts";

/** Section 5.2: packets within 5 ms are one group. */
const GROUP_US: Micros = 5 * MICROS_PER_MILLI;
/** Section 5.5: half a packet per response time near the last decrease; at most 1.5 of what arrives. */
const RESPONSE_US: Micros = 100 * MICROS_PER_MILLI;
const RATE_LIMIT = 1.5;
/** Section 5.5: what arrives is taken over half a second. */
const RECEIVED_US: Micros = 500 * MICROS_PER_MILLI;
/** Section 5.5: the average rate at decreases, and how far from it is near: three deviations, of which libwebrtc's is 4 to 25 %. */
const AVERAGE_GAIN = 0.05;
const NEAR = 0.15;
/** Section 6: by reports of a second: more than 10 % lost cuts by half of it, less than 2 % grows by 5 %. */
const LOSS = { reportUs: MICROS_PER_SEC, high: 0.1, low: 0.02, growth: 1.05 };
/** libwebrtc's probe controller: further probes are of twice the estimate, and go on from 70 % of one, of five packets at least. */
const PROBE = { gain: 2, arrives: 0.7, packets: 5, rounds: 2 };
const MIN_PACKETS_PER_SEC = 4;
/** The window only stops a flow whose ACKs do not come. */
const WINDOW_ROUNDS = 2;
const BYTES_PER_KBIT = 125;

class GccRules implements Rules {
  readonly #params: ParamValues;
  readonly #trendline = new Trendline();
  /** what arrives of a probe: it begins with the next ACK, and shows a round later */
  readonly #probed = { rounds: 0, fromUs: 0, packets: 0 };
  #state: "probe" | "increase" | "decrease" | "hold";
  /** A, delay-based and loss-based, packets per second */
  #delayRate: number;
  #lossRate: number;
  /** of the rate that arrived when it had to decrease; undefined: not near any */
  #average: number | undefined;
  #firstRttUs: Micros | undefined;
  #groupUs: Micros = Number.NEGATIVE_INFINITY;
  #updateUs: Micros | undefined;
  readonly #arrived: { readonly atUs: Micros; readonly packets: number }[] = [];
  /** of `#arrived`, but for the first, which only says when the time begins */
  #arrivedPackets = 0;
  readonly #report = { atUs: Number.NEGATIVE_INFINITY, lost: 0, arrived: 0 };

  constructor(params: ParamValues, mssBytes: Bytes) {
    this.#params = params;
    this.#state = params["probing"] === 1 ? "probe" : "increase";
    this.#delayRate = this.#lossRate = (params["startKbps"]! * BYTES_PER_KBIT) / mssBytes;
  }

  onInterval(interval: Interval): Decision | undefined {
    const { nowUs, samples, meanRttUs } = interval;
    this.#count(interval);
    if (samples === 0) return undefined;
    this.#firstRttUs ??= meanRttUs;
    if (this.#state === "probe") this.#probe(interval);
    if (nowUs - this.#groupUs >= GROUP_US) {
      this.#groupUs = nowUs;
      this.#turn(this.#trendline.add(nowUs, meanRttUs - this.#firstRttUs));
      this.#control(nowUs, meanRttUs);
    }
    return this.#decision(meanRttUs);
  }

  #count({ nowUs, deliveredPackets, lostPackets }: Interval): void {
    const arrived = this.#arrived;
    if (arrived.length > 0) this.#arrivedPackets += deliveredPackets;
    arrived.push({ atUs: nowUs, packets: deliveredPackets });
    while (nowUs - arrived[0]!.atUs > RECEIVED_US) {
      arrived.shift();
      this.#arrivedPackets -= arrived[0]!.packets;
    }
    const report = this.#report;
    if (report.atUs === Number.NEGATIVE_INFINITY) report.atUs = nowUs;
    report.lost += lostPackets;
    report.arrived += deliveredPackets;
    if (nowUs - report.atUs < LOSS.reportUs) return;
    const share = report.lost / Math.max(1, report.lost + report.arrived);
    if (share > LOSS.high) this.#lossRate *= 1 - 0.5 * share;
    else if (share < LOSS.low) this.#lossRate *= LOSS.growth;
    Object.assign(report, { atUs: nowUs, lost: 0, arrived: 0 });
  }

  #probe({ nowUs, endsRound, deliveredPackets }: Interval): void {
    const probed = this.#probed;
    if (probed.rounds < PROBE.rounds) {
      if (endsRound) Object.assign(probed, { rounds: probed.rounds + 1, fromUs: nowUs, packets: 0 });
      return;
    }
    probed.packets += deliveredPackets;
    if (!endsRound || probed.packets < PROBE.packets) return;
    const rate = (probed.packets * MICROS_PER_SEC) / (nowUs - probed.fromUs);
    const goesOn = rate > PROBE.arrives * this.#delayRate;
    if (!goesOn) this.#state = "increase";
    this.#delayRate = this.#lossRate = (goesOn ? PROBE.gain : this.#params["beta"]!) * rate;
    probed.rounds = 0;
  }

  #turn(usage: Usage): void {
    if (usage === "overuse") this.#state = "decrease";
    else if (this.#state === "probe") return;
    else if (usage === "underuse" || this.#state === "decrease") this.#state = "hold";
    else this.#state = "increase";
  }

  /** R_hat, packets per second */
  #receivedRate(nowUs: Micros): number {
    return (this.#arrivedPackets * MICROS_PER_SEC) / Math.max(1, nowUs - this.#arrived[0]!.atUs);
  }

  #control(nowUs: Micros, rttUs: Micros): void {
    const stepUs = nowUs - (this.#updateUs ?? nowUs);
    this.#updateUs = nowUs;
    const received = this.#receivedRate(nowUs);
    if (this.#state === "decrease") {
      this.#delayRate = this.#params["beta"]! * received;
      this.#average = (this.#average ?? received) + AVERAGE_GAIN * (received - (this.#average ?? received));
      if (received < (1 - NEAR) * this.#average) this.#average = received;
    } else if (this.#state === "increase") {
      if (this.#average !== undefined && received > (1 + NEAR) * this.#average) this.#average = undefined;
      const isNear = this.#average !== undefined && received > (1 - NEAR) * this.#average;
      const grown = isNear
        ? this.#delayRate + 0.5 * Math.min(1, stepUs / (RESPONSE_US + rttUs))
        : this.#delayRate * pow(this.#params["eta"]!, Math.min(1, stepUs / MICROS_PER_SEC));
      this.#delayRate = Math.max(this.#delayRate, Math.min(grown, RATE_LIMIT * received));
    }
    this.#delayRate = Math.max(MIN_PACKETS_PER_SEC, this.#delayRate);
    // a loss-based rate beyond what the delay allows would take long to come down
    this.#lossRate = Math.max(MIN_PACKETS_PER_SEC, Math.min(this.#lossRate, RATE_LIMIT * this.#delayRate));
  }

  #decision(rttUs: Micros): Decision {
    const rate = Math.min(this.#delayRate, this.#lossRate);
    return { ratePacketsPerSec: rate, cwndPackets: (WINDOW_ROUNDS * rate * rttUs) / MICROS_PER_SEC };
  }

  /** A loss is no more than its part of a report. After a timeout the program sends one packet until ACKs come again. */
  onLoss(interval: Interval): number {
    this.#count(interval);
    return interval.cwndPackets;
  }
}

export const gcc: AlgorithmSpec = {
  name: "gcc",
  summary:
    "media: grows by 8 % a second until the delay rises, then paces at 85 % of what arrives; 2 to 10 % loss is borne",
  source: "draft-ietf-rmcat-gcc-02, with libwebrtc's trendline",
  reads: ["rtt", "loss", "timeout"],
  recovery: "from the little that arrived in an outage it grows by 8 % a second",
  params: [
    {
      name: "startKbps",
      unit: "kbit/s",
      low: 10,
      high: 100_000,
      default: 1500,
      why: "rate before anything is known: 1.5 Mbit/s (libwebrtc begins with 300 kbit/s)",
    },
    {
      name: "probing",
      unit: "1",
      low: 0,
      high: 1,
      default: 1,
      whole: true,
      why: "1: at first the rate doubles per round (libwebrtc's probes); 0: by eta from the start, as the draft has it",
    },
    {
      name: "eta",
      unit: "1",
      low: 1.001,
      high: 2,
      default: 1.08,
      why: "growth per second where no queue has been met yet (section 5.5)",
    },
    {
      name: "beta",
      unit: "1",
      low: 0.5,
      high: 0.99,
      default: 0.85,
      why: "part of what arrives that it sends on after overuse (section 5.5)",
    },
  ],
  ccp: (params) =>
    intervalAlgorithm("gcc", "quarter", ({ mssBytes }) => ({
      rules: new GccRules(params, mssBytes),
      slowStart: false,
    })),
};
