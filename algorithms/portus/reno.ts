/** The published CCP Reno: half the window on loss, one segment per window acknowledged, never below the initial window. */
import type { CcpAlgorithm } from "../../ccp-bridge/agent/algorithm.ts";
import type { Bytes } from "../../core/units.ts";
import {
  CONGESTION_AVOIDANCE_PROGRAMS,
  CongestionAvoidanceFlow,
  type CongestionAvoidanceOptions,
  type WindowRule,
} from "./congestion-avoidance.ts";

class RenoRule implements WindowRule {
  cwndBytes: Bytes;
  readonly #initCwndBytes: Bytes;
  readonly #mssBytes: Bytes;

  constructor(initCwndBytes: Bytes, mssBytes: Bytes) {
    this.cwndBytes = initCwndBytes;
    this.#initCwndBytes = initCwndBytes;
    this.#mssBytes = mssBytes;
  }

  setCwnd(cwndBytes: Bytes): void {
    this.cwndBytes = cwndBytes;
  }

  increase(ackedBytes: Bytes): void {
    this.cwndBytes += (this.#mssBytes * ackedBytes) / this.cwndBytes;
  }

  reduce(): void {
    this.cwndBytes = Math.max(this.cwndBytes / 2, this.#initCwndBytes);
  }

  reset(): void {}
}

export function portusReno(options: CongestionAvoidanceOptions = {}): CcpAlgorithm {
  return {
    name: "portus-reno",
    programs: CONGESTION_AVOIDANCE_PROGRAMS,
    newFlow: (control, info) =>
      new CongestionAvoidanceFlow(
        control,
        info,
        options,
        (initCwndBytes, mssBytes) => new RenoRule(initCwndBytes, mssBytes),
      ),
  };
}
