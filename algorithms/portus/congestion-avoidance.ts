/**
 * The window machine that the published CCP Reno and Cubic share (generic-cong-avoid), with its behaviour on the wire:
 * slow start, loss and timeout are the agent's, and it speaks once per report. Its habits are kept, also the odd ones:
 * no window is sent before the first report, and after a cut losses are counted into a deficit in packets that is
 * compared with bytes acknowledged. Our own `reno` follows the RFCs instead.
 */
import type { CcpFlow, FlowControl, FlowInfo, Report } from "../../ccp-bridge/agent/algorithm.ts";
import type { Bytes, Micros } from "../../core/units.ts";

export interface CongestionAvoidanceOptions {
  /** 0: the datapath's */
  readonly initCwndBytes?: Bytes;
  readonly ssthreshBytes?: Bytes;
  /** slow start in the datapath until the first loss or timeout */
  readonly slowStartInFold?: boolean;
  /** when the datapath reports: once per RTT (the default), on every ACK, or every so many microseconds */
  readonly report?: "rtt" | "ack" | { readonly everyUs: Micros };
  /** slow start counts acked / ln 2 */
  readonly compensateUpdate?: boolean;
  /** round trips after a cut after which its deficit is forgotten; 0: never. As published: milliseconds for microseconds */
  readonly deficitTimeoutRtts?: number;
}

/** How a window grows and is cut: the part that differs between Reno and Cubic. */
export interface WindowRule {
  readonly cwndBytes: Bytes;
  setCwnd(cwndBytes: Bytes): void;
  increase(ackedBytes: Bytes): void;
  reduce(): void;
  reset(): void;
}

const COLLECT = `
  (:= Report.acked (+ Report.acked Ack.bytes_acked))
  (:= Report.sacked (+ Report.sacked Ack.packets_misordered))
  (:= Report.loss Ack.lost_pkts_sample)
  (:= Report.timeout Flow.was_timeout)
  (:= Report.rtt Flow.rtt_sample_us)
  (:= Report.inflight Flow.packets_in_flight)`;

const define = (controls: string): string => `
(def
  (Report
    (volatile acked 0)
    (volatile sacked 0)
    (volatile loss 0)
    (volatile timeout 0)
    (volatile rtt 0)
    (volatile inflight 0)
  )
  ${controls}
)`;

const everyUs = (span: string, controls: string): string => `${define(controls)}
(when true ${COLLECT}
  (fallthrough)
)
(when (|| Flow.was_timeout (> Report.loss 0))
  (report)
  (:= Micros 0)
)
(when (> Micros ${span})
  (report)
  (:= Micros 0)
)`;

export const CONGESTION_AVOIDANCE_PROGRAMS: Readonly<Record<string, string>> = {
  perRtt: everyUs("Flow.rtt_sample_us", ""),
  perInterval: everyUs("reportTime", "(reportTime 0)"),
  perAck: `${define("")}
(when true ${COLLECT}
  (report)
)`,
  slowStart: `${define("")}
(when true ${COLLECT}
  (:= Cwnd (+ Cwnd Ack.bytes_acked))
  (fallthrough)
)
(when (|| Flow.was_timeout (> Report.loss 0))
  (report)
)`,
};

const MAX_U32 = 0xffff_ffff;
const DEFAULT_SSTHRESH_BYTES = 0x7fff_ffff;

/** As Rust's `as u32`. */
function toU32(value: number): number {
  return Math.min(Math.max(Math.floor(value), 0), MAX_U32);
}

export class CongestionAvoidanceFlow implements CcpFlow {
  readonly #control: FlowControl;
  readonly #options: CongestionAvoidanceOptions;
  readonly #rule: WindowRule;
  readonly #mssBytes: Bytes;
  readonly #initCwndBytes: Bytes;
  #ssthreshBytes: Bytes;
  #inStartup: boolean;
  #deficitPackets = 0;
  #cutAtUs: Micros;

  constructor(
    control: FlowControl,
    info: FlowInfo,
    options: CongestionAvoidanceOptions,
    makeRule: (initCwndBytes: Bytes, mssBytes: Bytes) => WindowRule,
  ) {
    this.#control = control;
    this.#options = options;
    this.#mssBytes = info.mssBytes;
    this.#initCwndBytes = options.initCwndBytes || info.initCwndBytes;
    this.#ssthreshBytes = options.ssthreshBytes ?? DEFAULT_SSTHRESH_BYTES;
    this.#inStartup = options.slowStartInFold ?? false;
    this.#cutAtUs = info.nowUs;
    this.#rule = makeRule(this.#initCwndBytes, info.mssBytes);
    if (this.#inStartup) control.setProgram("slowStart");
    else this.#chooseProgram();
  }

  onReport(report: Report): void {
    const rule = this.#rule;
    if (this.#inStartup) {
      this.#chooseProgram();
      rule.setCwnd(report.get("inflight") * this.#mssBytes);
      this.#inStartup = false;
    }
    if (report.get("timeout") !== 0) {
      this.#ssthreshBytes = Math.max(Math.floor(this.#ssthreshBytes / 2), this.#initCwndBytes);
      rule.reset();
      rule.setCwnd(this.#initCwndBytes);
      this.#deficitPackets = 0;
      this.#sendCwnd();
      return;
    }
    const ackedBytes = this.#slowStart(report.get("acked"));
    rule.increase(ackedBytes);
    const lostPackets = report.get("loss");
    const sackedPackets = report.get("sacked");
    if (lostPackets > 0 || sackedPackets > 0) {
      this.#forgetOldDeficit(report);
      const fresh = lostPackets > 0 && this.#deficitPackets === 0;
      if (fresh || (ackedBytes > 0 && toU32(rule.cwndBytes) === this.#ssthreshBytes)) {
        rule.reduce();
        this.#cutAtUs = report.nowUs;
        this.#ssthreshBytes = toU32(rule.cwndBytes);
        this.#sendCwnd();
      }
      this.#deficitPackets += sackedPackets + lostPackets;
      return;
    }
    if (ackedBytes < this.#deficitPackets) this.#deficitPackets -= Math.floor(ackedBytes / this.#mssBytes);
    else this.#deficitPackets = 0;
    if (this.#deficitPackets === 0) this.#sendCwnd();
  }

  /** Spends acknowledged bytes on slow start; returns what is left for congestion avoidance. */
  #slowStart(ackedBytes: Bytes): Bytes {
    const cwndBytes = toU32(this.#rule.cwndBytes);
    if (cwndBytes >= this.#ssthreshBytes) return ackedBytes;
    if (cwndBytes + ackedBytes > this.#ssthreshBytes) {
      this.#rule.setCwnd(this.#ssthreshBytes);
      return ackedBytes - (this.#ssthreshBytes - cwndBytes);
    }
    const grown = this.#options.compensateUpdate === true ? toU32(ackedBytes / Math.LN2) : ackedBytes;
    this.#rule.setCwnd(this.#rule.cwndBytes + grown);
    return 0;
  }

  #forgetOldDeficit(report: Report): void {
    const rtts = this.#options.deficitTimeoutRtts ?? 0;
    if (rtts <= 0) return;
    const sinceMs = (report.nowUs - this.#cutAtUs) / 1000;
    if (sinceMs > report.get("rtt") * rtts) this.#deficitPackets = 0;
  }

  #chooseProgram(): void {
    const report = this.#options.report ?? "rtt";
    if (report === "rtt") this.#control.setProgram("perRtt");
    else if (report === "ack") this.#control.setProgram("perAck");
    else this.#control.setProgram("perInterval", { reportTime: report.everyUs });
  }

  #sendCwnd(): void {
    this.#control.updateFields({ Cwnd: toU32(this.#rule.cwndBytes) });
  }
}
