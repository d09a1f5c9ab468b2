/** The published CCP const: a window, or a rate under a window, set once. Its packets have 1500 bytes. */
import type { CcpAlgorithm } from "../../ccp-bridge/agent/algorithm.ts";
import { fromMbps, type Mbps } from "../../core/units.ts";

export type PortusConstOptions =
  | { readonly cwndPackets: number }
  | { readonly rateMbps: Mbps; readonly cwndCapPackets: number };

const PROGRAM = `
(def (Report (volatile rtt 0) (volatile rin 0) (volatile rout 0) (volatile loss 0)))
(when true
  (:= Report.rtt Flow.rtt_sample_us)
  (:= Report.rin Flow.rate_outgoing)
  (:= Report.rout Flow.rate_incoming)
  (:= Report.loss (+ Report.loss Ack.lost_pkts_sample))
  (fallthrough)
)
(when (> Micros Flow.rtt_sample_us)
  (report)
  (:= Micros 0)
)`;

const PACKET_BYTES = 1500;
/** The published one has no default; this is what a benchmark by name runs. */
export const DEFAULT_CWND_PACKETS = 20;

export function portusConst(options: PortusConstOptions): CcpAlgorithm {
  return {
    name: "portus-const",
    programs: { perRtt: PROGRAM },
    newFlow(control) {
      if ("rateMbps" in options) {
        const Cwnd = Math.round(options.cwndCapPackets * PACKET_BYTES);
        control.setProgram("perRtt", { Cwnd, Rate: Math.floor(fromMbps(options.rateMbps)) });
      } else {
        control.setProgram("perRtt", { Cwnd: Math.round(options.cwndPackets * PACKET_BYTES) });
      }
      return { onReport() {} };
    },
  };
}
