/**
 * What Nimbus sees of its path. Cross traffic goes through the link at z = mu S / R - S, S and R being the rates at which the packets
 * of one RTT were sent and arrived; mu is the largest R, which a startup in excess of the link makes out, or given.
 */
import type { Report } from "../../../ccp-bridge/agent/algorithm.ts";
import { type Bytes, MICROS_PER_MILLI, MICROS_PER_SEC, type Micros } from "../../../core/units.ts";
import type { Sample } from "./rules.ts";

/** Section 3.4: reports every 10 ms. */
const TICK_US: Micros = 10 * MICROS_PER_MILLI;
/** what a rate of arrival is taken over, in time and packets, so that an ACK more or less makes little of it */
const ARRIVAL = { us: 25 * MICROS_PER_MILLI, packets: 30 };
const NO_RTT_US = 0xffff_ffff;
const BYTES_PER_MBIT = 125_000;

export const SAMPLES_PROGRAM: string = `
(def
  (Report
    (volatile delivered 0) (volatile lost 0) (volatile timeout 0)
    (volatile sendSum 0) (volatile arriveSum 0) (volatile rates 0)
    (volatile rttSum 0) (volatile rtts 0) (minRtt +infinity)
  )
  (tick ${TICK_US})
)
(when true
  (:= Report.delivered (+ Report.delivered (+ Ack.packets_acked Ack.packets_misordered)))
  (:= Report.lost (+ Report.lost Ack.lost_pkts_sample))
  (:= Report.minRtt (min Report.minRtt Flow.rtt_sample_us))
  (fallthrough)
)
(when (&& (> Flow.rate_outgoing 0) (> Flow.rate_incoming 0))
  (:= Report.sendSum (+ Report.sendSum Flow.rate_outgoing))
  (:= Report.arriveSum (+ Report.arriveSum Flow.rate_incoming))
  (:= Report.rates (+ Report.rates 1))
  (fallthrough)
)
(when (< Flow.rtt_sample_us +infinity)
  (:= Report.rttSum (+ Report.rttSum Flow.rtt_sample_us))
  (:= Report.rtts (+ Report.rtts 1))
  (fallthrough)
)
(when (|| Flow.was_timeout (> Micros tick))
  (:= Report.timeout (if Flow.was_timeout 1))
  (:= Micros 0)
  (report)
)`;

/** Whether a report tells of any RTT. */
export function hasRtt(report: Report): boolean {
  return report.get("minRtt") !== NO_RTT_US;
}

/** Of one flow. */
export class PathSamples {
  readonly #mssBytes: Bytes;
  readonly #linkMbps: number;
  /** packets/s, as all rates here; the largest that arrived */
  largestRate = 0;
  /** of the latest report */
  rttUs: Micros = 0;
  readonly #arrival = { fromUs: 0, packets: 0 };

  /** @param linkMbps mu; 0: not given */
  constructor(mssBytes: Bytes, linkMbps: number) {
    this.#mssBytes = mssBytes;
    this.#linkMbps = linkMbps;
  }

  /** mu */
  get linkRate(): number {
    return this.#linkMbps > 0 ? (this.#linkMbps * BYTES_PER_MBIT) / this.#mssBytes : this.largestRate;
  }

  /** @returns undefined where the report says nothing of rates */
  take(report: Report): Sample | undefined {
    const [rates, rtts] = [report.get("rates"), report.get("rtts")];
    if (rates === 0 || rtts === 0) return undefined;
    const rttUs = Math.max(1, report.get("rttSum") / rtts);
    this.rttUs = rttUs;
    const sendRate = report.get("sendSum") / rates / this.#mssBytes;
    const arriveRate = report.get("arriveSum") / rates / this.#mssBytes;
    if (sendRate === 0 || arriveRate === 0) return undefined;
    const deliveredPackets = report.get("delivered");
    this.#learnLinkRate(report.nowUs, deliveredPackets, Math.min(sendRate, arriveRate));
    const { linkRate } = this;
    const crossRate = Math.min(linkRate, Math.max(0, (linkRate * sendRate) / arriveRate - sendRate));
    const minRttUs = report.get("minRtt");
    return { nowUs: report.nowUs, rttUs, minRttUs, deliveredPackets, sendRate, crossRate, linkRate };
  }

  #learnLinkRate(nowUs: Micros, packets: number, rate: number): void {
    const arrival = this.#arrival;
    arrival.packets += packets;
    const spanUs = nowUs - arrival.fromUs;
    this.largestRate = Math.max(this.largestRate, rate);
    if (spanUs < ARRIVAL.us || arrival.packets < ARRIVAL.packets) return;
    this.largestRate = Math.max(this.largestRate, (arrival.packets * MICROS_PER_SEC) / spanUs);
    Object.assign(arrival, { fromUs: nowUs, packets: 0 });
  }
}
