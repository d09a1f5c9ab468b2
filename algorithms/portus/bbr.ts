/**
 * The published CCP BBR, which is a sketch of BBR: no startup, no drain, and a bottleneck rate that never falls. A cycle
 * of three rates (5/4, 3/4, 1) runs in the datapath on its own; every `probeRttIntervalSec` without a new minimum the
 * window goes to four packets until the minimum RTT has been measured anew. Our own `bbr` follows the draft instead.
 *
 *   init ── first report ──▶ probe bandwidth ── interval over ──▶ probe RTT ──▶ probe bandwidth
 */
import type {
  CcpAlgorithm,
  CcpFlow,
  FlowControl,
  FlowInfo,
  Report,
} from "../../ccp-bridge/agent/algorithm.ts";
import { type BytesPerSec, MICROS_PER_SEC, type Micros } from "../../core/units.ts";

export interface PortusBbrOptions {
  readonly probeRttIntervalSec?: number;
}

const MEASURE_RATE = `
  (:= Report.loss (+ Report.loss Ack.lost_pkts_sample))
  (:= Report.minrtt (min Report.minrtt Flow.rtt_sample_us))
  (:= Report.rate (max Report.rate (min Flow.rate_outgoing Flow.rate_incoming)))`;

const INIT = `
(def (Report (volatile loss 0) (minrtt +infinity) (volatile rate 0) (pulseState 0)))
(when true ${MEASURE_RATE}
  (:= Report.pulseState 5)
  (fallthrough)
)
(when (> Micros Report.minrtt)
  (report)
)`;

const PROBE_BW = `
(def
  (Report (volatile loss 0) (volatile minrtt +infinity) (volatile rate 0) (pulseState 0))
  (pulseState 0)
  (cwndCap 0)
  (bottleRate 0)
  (threeFourthsRate 0)
  (fiveFourthsRate 0)
)
(when true ${MEASURE_RATE}
  (:= Report.pulseState pulseState)
  (fallthrough)
)
(when (&& (== pulseState 0) (> Micros Report.minrtt))
  (:= Rate threeFourthsRate)
  (:= pulseState 1)
  (report)
)
(when (&& (== pulseState 1) (> Micros (* 2 Report.minrtt)))
  (:= Rate bottleRate)
  (:= pulseState 2)
  (report)
)
(when (&& (== pulseState 2) (> Micros (* 8 Report.minrtt)))
  (:= pulseState 0)
  (:= Cwnd cwndCap)
  (:= Rate fiveFourthsRate)
  (:= Micros 0)
  (report)
)`;

const PROBE_RTT = `
(def (Report (volatile minrtt +infinity)) (volatile reached 0))
(when true
  (:= Report.minrtt (min Report.minrtt Flow.rtt_sample_us))
  (fallthrough)
)
(when (&& (== reached 0) (|| (< Flow.packets_in_flight 4) (== Flow.packets_in_flight 4)))
  (:= reached 1)
  (:= Micros 0)
)
(when (&& (== reached 1) (&& (> Micros Flow.rtt_sample_us) (> Micros 200000)))
  (:= Micros 0)
  (report)
)`;

const FIRST_RATE_BYTES_PER_SEC = 125_000;
const FIRST_MIN_RTT_US = 1_000_000;
const UNKNOWN_MIN_RTT_US = 0x3fff_ffff;
const PROBE_RTT_PACKETS = 4;
const MAX_U32 = 0xffff_ffff;

class PortusBbrFlow implements CcpFlow {
  readonly #control: FlowControl;
  readonly #info: FlowInfo;
  readonly #intervalUs: Micros;
  #bottleRate: BytesPerSec = FIRST_RATE_BYTES_PER_SEC;
  #minRttUs: Micros = FIRST_MIN_RTT_US;
  #probeRttAtUs: Micros;
  #phase: "init" | "probe-bw" | "probe-rtt" = "init";

  constructor(control: FlowControl, info: FlowInfo, intervalSec: number) {
    this.#control = control;
    this.#info = info;
    this.#intervalUs = intervalSec * MICROS_PER_SEC;
    this.#probeRttAtUs = info.nowUs + this.#intervalUs;
    control.setProgram("init", { Cwnd: info.initCwndBytes });
  }

  onReport(report: Report): void {
    const minRttUs = report.get("minrtt");
    if (this.#phase === "probe-rtt") {
      this.#minRttUs = minRttUs;
      this.#probeRttAtUs = report.nowUs + this.#intervalUs;
      this.#probeBandwidth();
      return;
    }
    const begun = this.#phase === "probe-bw";
    if (minRttUs < this.#minRttUs) {
      this.#minRttUs = minRttUs;
      this.#probeRttAtUs = report.nowUs + this.#intervalUs;
      if (begun) this.#control.updateFields({ cwndCap: this.#cwndCap() });
    }
    if (report.nowUs > this.#probeRttAtUs) {
      this.#phase = "probe-rtt";
      this.#minRttUs = UNKNOWN_MIN_RTT_US;
      this.#control.setProgram("probeRtt");
      this.#control.updateFields({ Cwnd: PROBE_RTT_PACKETS * this.#info.mssBytes });
      return;
    }
    const rate = report.get("rate");
    if (rate > this.#bottleRate) {
      this.#bottleRate = rate;
      if (begun) this.#control.updateFields({ ...this.#rates(), cwndCap: this.#cwndCap() });
    }
    if (!begun) {
      // as published: the datapath drops these two when the program changes
      this.#control.updateFields({ Cwnd: this.#cwndCap(), Rate: this.#rates().fiveFourthsRate });
      this.#probeBandwidth();
    }
  }

  #probeBandwidth(): void {
    this.#phase = "probe-bw";
    this.#control.setProgram("probeBw", { cwndCap: this.#cwndCap(), ...this.#rates() });
  }

  #cwndCap(): number {
    return Math.min(Math.floor((2 * this.#bottleRate * this.#minRttUs) / MICROS_PER_SEC), MAX_U32);
  }

  #rates(): { bottleRate: number; threeFourthsRate: number; fiveFourthsRate: number } {
    const share = (factor: number) => Math.min(Math.floor(this.#bottleRate * factor), MAX_U32);
    return { bottleRate: share(1), threeFourthsRate: share(0.75), fiveFourthsRate: share(1.25) };
  }
}

export function portusBbr({ probeRttIntervalSec = 10 }: PortusBbrOptions = {}): CcpAlgorithm {
  return {
    name: "portus-bbr",
    programs: { init: INIT, probeBw: PROBE_BW, probeRtt: PROBE_RTT },
    newFlow: (control, info) => new PortusBbrFlow(control, info, probeRttIntervalSec),
  };
}
