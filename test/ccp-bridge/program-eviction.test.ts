/** More programs than a table holds: an agent with 17, datapaths of libccp's table of 10 and of our own. */
import { describe, expect, it } from "vitest";
import { CcpAgent } from "../../ccp-bridge/agent/agent.ts";
import type { CcpAlgorithm, FlowControl } from "../../ccp-bridge/agent/algorithm.ts";
import { CcpDatapath } from "../../ccp-bridge/datapath/datapath.ts";
import { Rng } from "../../core/random.ts";

const PROGRAMS = 17;
const FLOW = { initCwndBytes: 14_480, mssBytes: 1448 };

/** Program `pN` reports N, and what it has summed up. */
const programs = Object.fromEntries(
  Array.from({ length: PROGRAMS }, (_, i) => [
    `p${i}`,
    `(def (Report (id ${i}) (sum 0)))(when true (:= Report.id ${i}) (:= Report.sum (+ Report.sum 1)) (report))`,
  ]),
);

function makeLink(mode: "strict" | "libccp") {
  const controls = new Map<number, FlowControl>();
  const reports: { flowId: number; name: string; id: number; sum: number }[] = [];
  const closed: number[] = [];
  const refusals: number[] = [];
  const algorithm: CcpAlgorithm = {
    name: "many",
    programs,
    newFlow(control) {
      controls.set(control.flowId, control);
      control.setProgram("p0");
      return {
        onReport: (report) => {
          const { flowId } = control;
          reports.push({ flowId, name: report.programName, id: report.get("id"), sum: report.get("sum") });
        },
        onClose: () => closed.push(control.flowId),
      };
    },
  };
  let datapath: CcpDatapath | undefined;
  const agent = new CcpAgent({
    algorithms: [algorithm],
    send: (message) => {
      const code = datapath!.receive(message);
      if (code !== 0) refusals.push(code);
    },
  });
  datapath = new CcpDatapath({
    mode,
    nowUs: 0,
    send: (message, nowUs) => {
      if (datapath !== undefined) agent.receive(message, "datapath", nowUs);
      return 0;
    },
  });
  return { datapath, controls, reports, closed, refusals };
}

describe.each(["libccp", "strict"] as const)("a %s datapath with an agent of 17 programs", (mode) => {
  it("runs what live flows switch to, and a flow never runs another's", () => {
    const seed = 11;
    const rng = Rng.fromSeed(seed);
    const { datapath, controls, reports, closed, refusals } = makeLink(mode);
    const flows = [1, 2, 3, 4].map(() => datapath.openFlow(FLOW, 0));
    const wanted = new Map(flows.map(({ flowId }) => [flowId, "p0"]));
    const seen = new Set<string>();
    for (let turn = 1; turn <= 600; turn++) {
      const flow = flows[rng.integer(flows.length)]!;
      if (rng.next() < 0.3) {
        const name = `p${rng.integer(PROGRAMS)}`;
        controls.get(flow.flowId)!.setProgram(name);
        wanted.set(flow.flowId, name);
      }
      const before = reports.length;
      expect(datapath.invoke(flow, turn * 1000), `seed ${seed} turn ${turn}`).toBe(0);
      for (const { flowId, name, id } of reports.slice(before)) {
        expect([flowId, name, `p${id}`], `seed ${seed} turn ${turn}`).toEqual([
          flow.flowId,
          wanted.get(flow.flowId),
          wanted.get(flow.flowId),
        ]);
        seen.add(name);
      }
    }
    expect(seen.size).toBe(PROGRAMS);
    expect(refusals).toEqual([]);
    expect(closed).toEqual([]);
    expect(controls.size).toBe(4);
  });

  it("loses at most one report of a flow that goes on, and none of its registers", () => {
    const { datapath, controls, reports, closed } = makeLink(mode);
    const [stays, moves] = [datapath.openFlow(FLOW, 0), datapath.openFlow(FLOW, 0)];
    controls.get(1)!.setProgram("p5");
    datapath.invoke(stays, 1);
    for (let i = 6; i < PROGRAMS; i++) {
      controls.get(2)!.setProgram(`p${i}`);
      datapath.invoke(moves, i);
    }
    for (let i = 0; i < 3; i++) datapath.invoke(stays, 100 + i);
    const sums = reports.filter(({ flowId }) => flowId === 1).map(({ sum }) => sum);
    expect(sums).toEqual(mode === "strict" ? [1, 2, 3, 4] : [1, 3, 4]);
    expect(closed).toEqual([]);
  });

  it("says so when live flows run more programs than the table holds", () => {
    const { datapath, controls } = makeLink(mode);
    const flows = Array.from({ length: 10 }, () => datapath.openFlow(FLOW, 0));
    for (const { flowId } of flows.slice(0, 8)) controls.get(flowId)!.setProgram(`p${flowId}`);
    expect(() => controls.get(9)!.setProgram("p9")).toThrow(
      "program `p9`: flows of the datapath run 8 others",
    );
    datapath.closeFlow(3, 5);
    controls.get(9)!.setProgram("p9");
    expect(datapath.invoke(flows[8]!, 6)).toBe(0);
    expect(flows[8]!.programUid).toBe(10);
  });
});
