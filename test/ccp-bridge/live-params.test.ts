/** Parameters that a flow's owner changes while it lives: by message to the agent, and by the plan of its host. */
import { describe, expect, it } from "vitest";
import { CcpAgent } from "../../ccp-bridge/agent/agent.ts";
import type { CcpAlgorithm } from "../../ccp-bridge/agent/algorithm.ts";
import type { FlowHosting } from "../../ccp-bridge/agent/flow-hosting.ts";
import { encodeCreate } from "../../ccp-bridge/wire/create.ts";

const SOURCE = "(def (Report (volatile acked 0)))(when true (:= Report.acked Ack.bytes_acked) (report))";

function makeAgent(hosting: FlowHosting = {}) {
  const heard: string[] = [];
  const tunable = (name: string, liveParams?: CcpAlgorithm["liveParams"]): CcpAlgorithm => ({
    name,
    programs: { one: SOURCE },
    ...(liveParams && { liveParams }),
    newFlow: (control) => {
      control.setProgram("one");
      return {
        onReport: () => {},
        onParams: (params, nowUs) =>
          heard.push(`${name} ${control.flowId} ${JSON.stringify(params)} ${nowUs}`),
      };
    },
  });
  const agent = new CcpAgent({
    algorithms: [tunable("tunable", [{ name: "priority", low: 0, high: 8, whole: true }]), tunable("fixed")],
    send: () => {},
    hosting: () => hosting,
  });
  const open = (flowId: number, algorithmName = "", from = "here"): void => {
    const ports = { srcIp: 1, srcPort: 2, dstIp: 3, dstPort: 4 };
    const create = { flowId, initCwndBytes: 14_480, mssBytes: 1448, ...ports, algorithmName };
    agent.receive(encodeCreate(create), from, 0);
  };
  return { agent, heard, open };
}

describe("parameters of live flows", () => {
  it("reach the flows that are meant and can take them, and no others", () => {
    const { agent, heard, open } = makeAgent();
    open(1);
    open(2);
    open(3, "fixed");
    open(1, "", "there");
    expect(agent.changeParams({ priority: 2 }, 5)).toBe(3);
    expect(agent.changeParams({ priority: 3 }, 6, { flowId: 1 })).toBe(2);
    expect(agent.changeParams({ priority: 4 }, 7, { flowId: 1, address: "there" })).toBe(1);
    expect(agent.changeParams({ priority: 4 }, 8, { flowId: 3 })).toBe(0);
    expect(agent.changeParams({ weight: 4 }, 9)).toBe(0);
    expect(heard).toEqual([
      'tunable 1 {"priority":2} 5',
      'tunable 2 {"priority":2} 5',
      'tunable 1 {"priority":2} 5',
      'tunable 1 {"priority":3} 6',
      'tunable 1 {"priority":3} 6',
      'tunable 1 {"priority":4} 7',
    ]);
  });

  it("that are out of range are refused in one sentence, and no flow hears of them", () => {
    const { agent, heard, open } = makeAgent();
    open(1);
    for (const priority of [-1, 9, 1.5, Number.NaN]) {
      expect(() => agent.changeParams({ priority }, 5)).toThrow(
        `[ccp-agent] tunable: priority: got ${priority}, expected a whole number from 0 to 8`,
      );
    }
    expect(heard).toEqual([]);
  });

  it("come by the plan of the flow's host, at their times, to flows that live then", () => {
    const wakes: { readonly atUs: number; readonly run: (nowUs: number) => void }[] = [];
    const changes = [
      { atUs: 10, params: { priority: 1 } },
      { atUs: 20, params: { priority: 2 } },
    ];
    const hosting: FlowHosting = { changes, schedule: (atUs, run) => wakes.push({ atUs, run }) };
    const { agent, heard, open } = makeAgent(hosting);
    open(1);
    expect(wakes.map(({ atUs }) => atUs)).toEqual([10, 20]);
    wakes[0]!.run(10);
    agent.forget("here", 15);
    wakes[1]!.run(20);
    expect(heard).toEqual(['tunable 1 {"priority":1} 10']);
  });

  it("of a plan need a host with a clock, and an algorithm that takes them", () => {
    const changes = [{ atUs: 10, params: { priority: 1 } }];
    expect(() => makeAgent({ changes }).open(1)).toThrow("its host has no clock to change parameters by");
    const schedule = (): void => {};
    expect(() => makeAgent({ changes, schedule }).open(1, "fixed")).toThrow(
      "`fixed` has no parameter of a live flow",
    );
  });
});
