import { describe, expect, it } from "vitest";
import type { CcpAlgorithm, Report } from "../../ccp-bridge/agent/algorithm.ts";
import type { AckEvent, CongestionControl, FlowStart } from "../../ccp-bridge/congestion-control.ts";
import type { CcpFlowEvent } from "../../ccp-bridge/datapath/ccp-flow.ts";
import { runCcpAlgorithm } from "../../ccp-bridge/in-process-flow.ts";
import { makeAck } from "./ack-event.ts";

const MSS_BYTES = 1448;
const START: FlowStart = { nowUs: 0, mssBytes: MSS_BYTES, initialCwndBytes: 10 * MSS_BYTES };

/** Adds one segment at each report and says what it saw. */
function makeAdder(seen: { acked: number; rtt: number; nowUs: number }[] = []): CcpAlgorithm {
  return {
    name: "adder",
    programs: {
      perAck: `
        (def (Report (volatile acked 0) (rtt 0)))
        (when true
          (:= Report.acked (+ Report.acked Ack.bytes_acked))
          (:= Report.rtt Flow.rtt_sample_us)
          (report))`,
    },
    newFlow(control, info) {
      let cwndBytes = info.initCwndBytes;
      control.setProgram("perAck");
      return {
        onReport(report: Report) {
          seen.push({ acked: report.get("acked"), rtt: report.get("Report.rtt"), nowUs: report.nowUs });
          cwndBytes += info.mssBytes;
          control.updateFields({ Cwnd: cwndBytes });
        },
      };
    },
  };
}

/** A native control that holds its window and counts its ACKs. */
class Holder implements CongestionControl {
  readonly name = "holder";
  readonly pacingRateBytesPerSec = undefined;
  readonly cwndBytes: number;
  acks = 0;
  constructor(start: FlowStart) {
    this.cwndBytes = start.initialCwndBytes;
  }
  onAck(_: AckEvent): void {
    this.acks += 1;
  }
  onCongestion(): void {}
}

describe("an algorithm run in process", () => {
  it("gets a report per ACK and its window applies from the next ACK", () => {
    const seen: { acked: number; rtt: number; nowUs: number }[] = [];
    const flow = runCcpAlgorithm(makeAdder(seen))(START);
    expect(flow.cwndBytes).toBe(10 * MSS_BYTES);
    flow.onAck(makeAck({ nowUs: 100, rttUs: 20_000.4 }));
    expect(flow.cwndBytes).toBe(10 * MSS_BYTES);
    flow.onAck(makeAck({ nowUs: 200, ackedBytes: 2 * MSS_BYTES, rttUs: 0 }));
    expect(flow.cwndBytes).toBe(11 * MSS_BYTES);
    expect(flow.reports).toBe(2);
    expect(seen).toEqual([
      { acked: MSS_BYTES, rtt: 20_000, nowUs: 100 },
      { acked: 2 * MSS_BYTES, rtt: 4_294_967_295, nowUs: 200 },
    ]);
  });

  it("keeps many flows of one agent apart", () => {
    const makeFlow = runCcpAlgorithm(makeAdder());
    const flows = [makeFlow(START), makeFlow(START), makeFlow(START)];
    flows.forEach((flow, i) => {
      for (let ack = 0; ack <= i; ack++) flow.onAck(makeAck({ nowUs: ack }));
      flow.onAck(makeAck({ nowUs: 10 }));
    });
    expect(flows.map((flow) => flow.cwndBytes / MSS_BYTES)).toEqual([11, 12, 13]);
    flows[0]!.onClose();
    const again = makeFlow(START);
    expect(again.flowId).toBe(flows[0]!.flowId);
    expect(again.cwndBytes).toBe(10 * MSS_BYTES);
  });

  it("paces where the agent sets a rate, and never below the floors of window and rate", () => {
    const algorithm: CcpAlgorithm = {
      ...makeAdder(),
      newFlow: (control) => {
        control.setProgram("perAck", { Cwnd: 10, Rate: 10 });
        return { onReport() {} };
      },
    };
    const flow = runCcpAlgorithm(algorithm, { minRateBytesPerSec: 1000 })(START);
    expect(flow.pacingRateBytesPerSec).toBeUndefined();
    flow.onAck(makeAck());
    expect(flow.cwndBytes).toBe(2 * MSS_BYTES);
    expect(flow.pacingRateBytesPerSec).toBe(1000);
  });

  it("delivers reports and answers late where the channel has a delay", () => {
    const later: { atUs: number; deliver: () => void }[] = [];
    const runUntil = (nowUs: number) => {
      while (later.length > 0 && later[0]!.atUs <= nowUs) later.shift()!.deliver();
    };
    const seen: { acked: number; rtt: number; nowUs: number }[] = [];
    const schedule = (atUs: number, deliver: () => void) => {
      later.push({ atUs, deliver });
      later.sort((a, b) => a.atUs - b.atUs);
    };
    const flow = runCcpAlgorithm(makeAdder(seen), { delayUs: 500, schedule })(START);
    runUntil(1000);
    flow.onAck(makeAck({ nowUs: 1000 }));
    expect(seen).toEqual([]);
    runUntil(1500);
    expect(seen.map((one) => one.nowUs)).toEqual([1500]);
    flow.onAck(makeAck({ nowUs: 1900 }));
    expect(flow.cwndBytes).toBe(10 * MSS_BYTES);
    runUntil(2000);
    flow.onAck(makeAck({ nowUs: 2000 }));
    expect(flow.cwndBytes).toBe(11 * MSS_BYTES);
  });

  it("falls back to the native control when the agent is gone, and is adopted by a new agent", () => {
    const events: CcpFlowEvent[] = [];
    const natives: Holder[] = [];
    const makeFlow = runCcpAlgorithm(makeAdder(), {
      fallbackTimeoutUs: 1000,
      onEvent: (event) => events.push(event),
      fallback: (start) => {
        const native = new Holder(start);
        natives.push(native);
        return native;
      },
    });
    const flow = makeFlow(START);
    flow.onAck(makeAck({ nowUs: 0 }));
    flow.onAck(makeAck({ nowUs: 1 }));
    makeFlow.loseAgent();
    flow.onAck(makeAck({ nowUs: 100 })); // the first send that fails
    flow.onAck(makeAck({ nowUs: 1100 })); // just within the time
    expect(events).toEqual([]);
    flow.onAck(makeAck({ nowUs: 1101 }));
    expect(events).toEqual([{ kind: "fallback", nowUs: 1101 }]);
    expect(flow.inFallback).toBe(true);
    expect(natives[0]!.cwndBytes).toBe(12 * MSS_BYTES);
    flow.onAck(makeAck({ nowUs: 2000 }));
    expect(natives[0]!.acks).toBe(2);

    const reports = flow.reports;
    makeFlow.restartAgent(3000);
    flow.onAck(makeAck({ nowUs: 3001 })); // announces the flow anew; the native control goes on
    expect(natives[0]!.acks).toBe(3);
    flow.onAck(makeAck({ nowUs: 3002 }));
    expect(events[1]).toEqual({ kind: "adopted", nowUs: 3002 });
    expect(flow.reports).toBe(reports + 1);
    expect(flow.cwndBytes).toBe(12 * MSS_BYTES);
    flow.onAck(makeAck({ nowUs: 3003 }));
    expect(flow.inFallback).toBe(false);
  });

  it("starts afresh when the clock has gone back", () => {
    const seen: { acked: number; rtt: number; nowUs: number }[] = [];
    const makeFlow = runCcpAlgorithm(makeAdder(seen));
    for (let episode = 0; episode < 3; episode++) {
      const flow = makeFlow({ ...START, nowUs: episode === 0 ? 5_000_000 : 10 - episode });
      expect(flow.flowId).toBe(1);
      flow.onAck(makeAck({ nowUs: 5_000_001 }));
    }
    expect(seen.length).toBe(3);
  });
});
