/** Plays the scenarios of libccp's machine on our datapath, with whatever runs its programs. */
import { expect } from "vitest";
import {
  CcpDatapath,
  type CcpDatapathOptions,
  type DatapathFlow,
} from "../../ccp-bridge/datapath/datapath.ts";
import { fromHex, toHex, type VmStep, type VmVector } from "./vectors.ts";

/** libccp's field names of the primitives */
const PRIMITIVES: Record<string, string> = {
  bytes_acked: "Ack.bytes_acked",
  bytes_misordered: "Ack.bytes_misordered",
  ecn_bytes: "Ack.ecn_bytes",
  ecn_packets: "Ack.ecn_packets",
  lost_pkts_sample: "Ack.lost_pkts_sample",
  packets_acked: "Ack.packets_acked",
  packets_misordered: "Ack.packets_misordered",
  bytes_in_flight: "Flow.bytes_in_flight",
  bytes_pending: "Flow.bytes_pending",
  packets_in_flight: "Flow.packets_in_flight",
  rate_incoming: "Flow.rate_incoming",
  rate_outgoing: "Flow.rate_outgoing",
  rtt_sample_us: "Flow.rtt_sample_us",
  was_timeout: "Flow.was_timeout",
  snd_cwnd: "Cwnd",
  snd_rate: "Rate",
};

/** Plays the steps on our datapath and checks each against what libccp did. */
export function playVector(vector: VmVector, execution: CcpDatapathOptions["execution"]): void {
  let nowUs = 1_000_000;
  let sendResult = 0;
  let maxFlows = 1024;
  let maxPrograms = 10;
  let datapath: CcpDatapath | undefined;
  let happened: VmStep["events"] = [];
  const flows = new Map<number, DatapathFlow>();
  const expectEvents = (step: VmStep, index: number) => {
    const expected = step.events?.map(({ ev, rc, hex, cwnd, rate }) =>
      ev === "send" ? { ev, rc, hex } : ev === "set_cwnd" ? { ev, cwnd } : { ev, rate },
    );
    if (expected !== undefined) expect(happened, `step ${index} ${step.op}`).toEqual(expected);
    happened = [];
  };
  vector.steps.forEach((step, index) => {
    const at = `step ${index} ${step.op}`;
    switch (step.op) {
      case "max_flows":
        maxFlows = step.value!;
        return;
      case "max_programs":
        maxPrograms = step.value!;
        return;
      case "send_msg_returns":
        sendResult = step.value!;
        return;
      case "advance_us":
        nowUs += step.us!;
        return;
      case "set_clock_us":
        nowUs = step.us!;
        return;
      case "init":
        datapath = new CcpDatapath({
          mode: "libccp",
          execution,
          nowUs,
          maxFlows,
          maxPrograms,
          datapathId: Number(step.args!["id"]),
          fallbackTimeoutUs: Number(step.args!["fto_us"] ?? 100_000),
          send: (message) => {
            happened!.push({ ev: "send", rc: sendResult, hex: toHex(message) });
            return sendResult;
          },
          onSetCwnd: (_, cwnd) => happened!.push({ ev: "set_cwnd", cwnd }),
          onSetRate: (_, rate) => happened!.push({ ev: "set_rate", rate }),
        });
        expectEvents(step, index);
        return;
      case "start_flow": {
        const args = step.args!;
        const open = () =>
          datapath!.openFlow(
            {
              initCwndBytes: Number(args["init_cwnd"]),
              mssBytes: Number(args["mss"]),
              srcIp: Number(args["src_ip"]),
              srcPort: Number(args["src_port"]),
              dstIp: Number(args["dst_ip"]),
              dstPort: Number(args["dst_port"]),
              algorithmName: args["cong_alg"] ?? args["alg"] ?? "",
            },
            nowUs,
          );
        if (step.sid === 0) expect(open, at).toThrow(/in use/);
        else {
          const flow = open();
          expect(flow.flowId, at).toBe(step.sid);
          flows.set(flow.flowId, flow);
        }
        expectEvents(step, index);
        return;
      }
      case "deliver":
        expect(datapath!.receive(fromHex(step.hex!)), at).toBe(step.rc);
        expectEvents(step, index);
        return;
      case "prims": {
        const set = Object.entries(step.set!).map(([name, value]) => [PRIMITIVES[name]!, Number(value)]);
        datapath!.setPrimitives(step.sid!, Object.fromEntries(set));
        return;
      }
      case "invoke":
        expect(datapath!.invoke(flows.get(step.sid!)!, nowUs), at).toBe(step.rc);
        expectEvents(step, index);
        return;
      case "free_flow":
        datapath!.closeFlow(step.sid!, nowUs);
        expectEvents(step, index);
        return;
      case "registers": {
        const expected = step.expect as Record<string, string[]> & { sid: number; program_index: number };
        const dump = datapath!.registers(expected.sid);
        const text = (values: readonly bigint[], like: string[]) => values.slice(0, like.length).map(String);
        expect(dump.programSlot + 1, at).toBe(expected.program_index);
        expect(text(dump.report, expected["report"]!), at).toEqual(expected["report"]);
        expect(text(dump.control, expected["control"]!), at).toEqual(expected["control"]);
        expect(text(dump.implicit, expected["implicit"]!), at).toEqual(expected["implicit"]);
        expect(text(dump.temporary, expected["tmp"]!), at).toEqual(expected["tmp"]);
        expect(text(dump.local, expected["local"]!), at).toEqual(expected["local"]);
        return;
      }
      default:
        throw new Error(`unknown step ${JSON.stringify(step)}`);
    }
  });
}
