import { describe, expect, it } from "vitest";
import type { Report } from "../../ccp-bridge/agent/algorithm.ts";
import { compileProgram } from "../../ccp-bridge/lang/compiler.ts";
import { clearCounters, emptyInterval } from "../../envs/signals/interval.ts";
import { envPrograms, INTERVAL_PROGRAM, readReport } from "../../envs/steps/env-program.ts";

const NOTHING = {
  acked: 0,
  packetsAcked: 0,
  packetsMisordered: 0,
  ecnBytes: 0,
  ecnPackets: 0,
  loss: 0,
  lost: 0,
  timeout: 0,
  rttSum: 0,
  inflight: 0,
  pending: 0,
  rtt: 0,
  minRtt: 4_294_967_295,
  rateOut: 0,
  rateIn: 0,
};

function reportOf(values: Partial<typeof NOTHING>): Report {
  const all: Record<string, number> = { ...NOTHING, ...values };
  const { declared } = compileProgram(envPrograms(false)[INTERVAL_PROGRAM]!).scope;
  const reported = declared.filter(({ file }) => file === "report").sort((a, b) => a.index - b.index);
  const inOrder = reported.map(({ name }) => all[name.slice("Report.".length)]!);
  return {
    programUid: 1,
    programName: INTERVAL_PROGRAM,
    nowUs: 0,
    get: (name) => all[name]!,
    first: (count) => inOrder.slice(0, count),
  };
}

describe("the reports of a step", () => {
  it("add up in counters, weigh the mean RTT by packets, and leave the rest to the newest", () => {
    const interval = emptyInterval(1448);
    const first = { acked: 5792, packetsAcked: 4, lost: 2, loss: 2, timeout: 1, rttSum: 4 * 50_000 };
    readReport(reportOf({ ...first, inflight: 9, rtt: 51_000, minRtt: 49_000, rateIn: 1e6 }), interval);
    expect(interval).toMatchObject({ ackedPackets: 4, meanRttUs: 50_000, lastLostPackets: 2 });
    const second = { acked: 1448, packetsAcked: 1, packetsMisordered: 1, lost: 1, rttSum: 2 * 62_000 };
    readReport(reportOf({ ...second, inflight: 7, rtt: 63_000, minRtt: 49_000, rateIn: 2e6 }), interval);
    expect(interval).toMatchObject({
      report: true,
      ackedBytes: 7240,
      ackedPackets: 5,
      misorderedPackets: 1,
      lostPackets: 3,
      lastLostPackets: 0,
      timeout: true,
      inflightPackets: 7,
      rttUs: 63_000,
      meanRttUs: 54_000,
      minRttUs: 49_000,
      deliveryRateBytesPerSec: 2e6,
    });
  });

  it("leave the mean RTT as it is where they deliver nothing, and begin anew in the next step", () => {
    const interval = emptyInterval(1448);
    readReport(reportOf({ packetsAcked: 2, rttSum: 100_000, rtt: 50_000, minRtt: 50_000 }), interval);
    clearCounters(interval);
    readReport(reportOf({ timeout: 1, rtt: 50_000 }), interval);
    expect(interval).toMatchObject({ ackedPackets: 0, timeout: true, meanRttUs: 50_000, minRttUs: 50_000 });
    clearCounters(interval);
    readReport(reportOf({ packetsAcked: 1, rttSum: 80_000, rtt: 80_000, minRtt: 50_000 }), interval);
    expect(interval).toMatchObject({ ackedPackets: 1, timeout: false, meanRttUs: 80_000 });
  });
});
