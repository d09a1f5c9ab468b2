/** The published CCP Vegas: one segment more or less per RTT, by the packets it has in the queue. No slow start, no loss. */
import type { CcpAlgorithm } from "../../ccp-bridge/agent/algorithm.ts";

export interface PortusVegasOptions {
  /** packets in the queue up to which the window grows */
  readonly alpha?: number;
  /** packets in the queue from which it shrinks */
  readonly beta?: number;
}

const PROGRAM = `
(def (Report (volatile acked 0) (volatile rtt 0)))
(when true
  (:= Report.acked (+ Report.acked Ack.bytes_acked))
  (:= Report.rtt Flow.rtt_sample_us)
  (fallthrough)
)
(when (> Micros Flow.rtt_sample_us)
  (report)
  (:= Micros 0)
)`;

const NO_RTT_US = 0x3fff_ffff;
/** It computes with 32-bit floats. */
const f32 = Math.fround;

export function portusVegas({ alpha = 2, beta = 4 }: PortusVegasOptions = {}): CcpAlgorithm {
  return {
    name: "portus-vegas",
    programs: { perRtt: PROGRAM },
    newFlow(control, { initCwndBytes, mssBytes }) {
      let cwndBytes = initCwndBytes;
      let minRttUs = f32(NO_RTT_US);
      control.setProgram("perRtt");
      return {
        onReport(report) {
          const rttUs = f32(report.get("rtt"));
          minRttUs = Math.min(minRttUs, rttUs);
          const excess = f32(f32(cwndBytes) * f32(rttUs - minRttUs));
          const inQueue = rttUs === 0 ? 0 : Math.floor(f32(excess / f32(rttUs * mssBytes)));
          if (inQueue <= alpha) cwndBytes = (cwndBytes + mssBytes) >>> 0;
          else if (inQueue >= beta) cwndBytes = (cwndBytes - mssBytes) >>> 0;
          control.updateFields({ Cwnd: cwndBytes });
        },
      };
    },
  };
}
