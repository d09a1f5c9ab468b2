import { describe, expect, it } from "vitest";
import { CcpAgent } from "../../ccp-bridge/agent/agent.ts";
import type { CcpAlgorithm, FlowControl } from "../../ccp-bridge/agent/algorithm.ts";
import { encodeCreate } from "../../ccp-bridge/wire/create.ts";
import { encodeMeasure } from "../../ccp-bridge/wire/measure.ts";
import { decodeUpdateField } from "../../ccp-bridge/wire/update-field.ts";

const SOURCE = "(def (Report (volatile acked 0)))(when true (:= Report.acked Ack.bytes_acked) (report))";

/** Shares a window among the flows to one host. */
function makeSharer({ withSubflows = true, aggregatesHosts = false } = {}) {
  const log: string[] = [];
  const algorithm: CcpAlgorithm = {
    name: "sharer",
    aggregatesHosts,
    programs: { perAck: SOURCE },
    aggregateBy: (info) => (info.dstIp === 0 ? undefined : info.dstIp),
    newFlow(first, info) {
      const members = new Map<number, FlowControl>();
      const join = (control: FlowControl) => {
        members.set(control.flowId, control);
        control.setProgram("perAck");
        return {
          onReport: () => {
            for (const member of members.values()) member.updateFields({ Cwnd: 60_000 / members.size });
          },
          onClose: () => {
            members.delete(control.flowId);
            log.push(`${control.flowId} left ${members.size}`);
          },
        };
      };
      log.push(`group of ${info.flowId}`);
      const flow = join(first);
      return withSubflows ? { ...flow, createSubflow: (control) => join(control) } : flow;
    },
  };
  return { algorithm, log };
}

function makeAgent(algorithm: CcpAlgorithm) {
  const windows: string[] = [];
  const agent = new CcpAgent({
    algorithms: [algorithm],
    send: (message, to) => {
      if (message[0] !== 3) return;
      const { flowId, updates } = decodeUpdateField(message);
      windows.push(`${to} ${flowId} ${updates[0]!.value}`);
    },
  });
  return {
    windows,
    open: (flowId: number, dstIp: number, from = "a") => {
      const rest = {
        initCwndBytes: 14_480,
        mssBytes: 1448,
        srcIp: 1,
        srcPort: 2,
        dstPort: 4,
        algorithmName: "",
      };
      agent.receive(encodeCreate({ flowId, dstIp, ...rest }), from, 0);
    },
    report: (flowId: number) => agent.receive(encodeMeasure({ flowId, programUid: 1, fields: [1n] }), "a", 0),
    close: (flowId: number) => agent.receive(encodeMeasure({ flowId, programUid: 0, fields: [] }), "a", 0),
  };
}

describe("flows of one key", () => {
  it("are controlled by the first one's handler, over datapaths too where hosts are aggregated", () => {
    const { algorithm, log } = makeSharer({ aggregatesHosts: true });
    const agent = makeAgent(algorithm);
    agent.open(1, 10);
    agent.open(2, 10);
    agent.open(3, 11);
    agent.open(7, 10, "b");
    agent.report(2);
    expect(log).toEqual(["group of 1", "group of 3"]);
    expect(agent.windows).toEqual(["a 1 20000", "a 2 20000", "b 7 20000"]);
  });

  it("are of different groups on different hosts", () => {
    const { algorithm, log } = makeSharer();
    const agent = makeAgent(algorithm);
    agent.open(1, 10);
    agent.open(7, 10, "b");
    agent.open(8, 10, "b");
    expect(log).toEqual(["group of 1", "group of 7"]);
  });

  it("stay one group when the first has ended, and end with the last", () => {
    const { algorithm, log } = makeSharer();
    const agent = makeAgent(algorithm);
    agent.open(1, 10);
    agent.open(2, 10);
    agent.close(1);
    agent.open(3, 10);
    agent.report(3);
    expect(agent.windows).toEqual(["a 2 30000", "a 3 30000"]);
    agent.close(2);
    agent.close(3);
    agent.open(4, 10);
    expect(log).toEqual(["group of 1", "1 left 1", "2 left 1", "3 left 0", "group of 4"]);
  });

  it("are on their own without a key", () => {
    const { algorithm, log } = makeSharer();
    const agent = makeAgent(algorithm);
    agent.open(1, 0);
    agent.open(2, 0);
    expect(log).toEqual(["group of 1", "group of 2"]);
  });

  it("need createSubflow", () => {
    const { algorithm } = makeSharer({ withSubflows: false });
    const agent = makeAgent(algorithm);
    agent.open(1, 10);
    expect(() => agent.open(2, 10)).toThrow("`sharer` has aggregateBy, but its flows have no createSubflow");
  });
});
