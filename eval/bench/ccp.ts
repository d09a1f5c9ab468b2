/**
 * `npm run bench:ccp [-- --json]`: executions of datapath programs per second on one core, reports included, reports that
 * an agent handles in process, and what the agent adds to a unix datagram socket.
 */
import { ccpAlgorithm } from "../../algorithms/reference.ts";
import { CcpAgent } from "../../ccp-bridge/agent/agent.ts";
import type { CcpAlgorithm } from "../../ccp-bridge/agent/algorithm.ts";
import { CcpDatapath } from "../../ccp-bridge/datapath/datapath.ts";
import { compileProgram } from "../../ccp-bridge/lang/compiler.ts";
import { PRIMITIVE } from "../../ccp-bridge/lang/scope.ts";
import { encodeChangeProg } from "../../ccp-bridge/wire/change-prog.ts";
import { encodeCreate } from "../../ccp-bridge/wire/create.ts";
import { encodeInstall } from "../../ccp-bridge/wire/install.ts";
import { encodeMeasure } from "../../ccp-bridge/wire/measure.ts";
import { encodeReady } from "../../ccp-bridge/wire/ready.ts";
import { scriptOptions } from "../../envs/grpc/bench/options.ts";
import { benchSockets } from "./ccp-sockets.ts";
import { medianSeconds, printRow } from "./console.ts";
import { ONCE_PER_RTT } from "./once-per-rtt.ts";

const REPEATS = 5;
const EXECUTIONS = 4_000_000;
const REPORTS = 2_000_000;
const MSS_BYTES = 1448;
/** One ACK of a 117 Mbit/s flow every 100 µs, 200 per round trip. */
const ACK_EVERY_US = 100;
const RTT_US = 20_000;

/** Runs a program on `EXECUTIONS` ACKs of one flow. */
function benchProgram(name: string, source: string): void {
  let reports = 0;
  const datapath = new CcpDatapath({
    nowUs: 0,
    send: () => {
      reports += 1;
      return 0;
    },
  });
  const flow = datapath.openFlow({ initCwndBytes: 10 * MSS_BYTES, mssBytes: MSS_BYTES }, 0);
  const program = compileProgram(source);
  datapath.receive(encodeInstall(1, program));
  datapath.receive(encodeChangeProg({ flowId: flow.flowId, programUid: 1, updates: [] }));
  const word = flow.base / 8;
  let nowUs = 0;
  let failed = 0;
  const seconds = medianSeconds(REPEATS, () => {
    const { f64 } = datapath.arena;
    reports = 0;
    f64[word + PRIMITIVE.packetsAcked] = 1;
    f64[word + PRIMITIVE.bytesInFlight] = 200 * MSS_BYTES;
    f64[word + PRIMITIVE.rateIncoming] = 14_480_000;
    f64[word + PRIMITIVE.rateOutgoing] = 14_480_000;
    for (let i = 0; i < EXECUTIONS; i++) {
      nowUs += ACK_EVERY_US;
      f64[word + PRIMITIVE.bytesAcked] = MSS_BYTES;
      f64[word + PRIMITIVE.rttSampleUs] = RTT_US;
      if (datapath.invoke(flow, nowUs) < 0) failed += 1;
    }
  });
  if (failed > 0) throw new Error(`${name}: ${failed} runs failed`);
  printRow({
    what: "program",
    name,
    instructions: program.instructions.length,
    executionsPerSec: Math.round(EXECUTIONS / seconds),
    executions: EXECUTIONS,
    reports,
    seconds,
  });
}

/** Reads both fields of every report and answers every hundredth with a window. */
const answering: CcpAlgorithm = {
  name: "answering",
  programs: { w02: ONCE_PER_RTT },
  newFlow(control) {
    let count = 0;
    control.setProgram("w02");
    return {
      onReport(report) {
        count += 1;
        const acked = report.get("acked");
        if (count % 100 === 0) control.updateFields({ Cwnd: acked + report.get("rtt") });
      },
    };
  },
};

function benchAgent(): void {
  let answers = 0;
  const agent = new CcpAgent({
    algorithms: [answering],
    send: () => {
      answers += 1;
    },
  });
  agent.receive(encodeReady({ datapathId: 1 }), "datapath", 0);
  const flowIds = [1, 2, 3, 4];
  for (const flowId of flowIds) {
    const addresses = { srcIp: 1, srcPort: flowId, dstIp: 2, dstPort: 3 };
    const create = { flowId, initCwndBytes: 14_480, mssBytes: MSS_BYTES, ...addresses, algorithmName: "" };
    agent.receive(encodeCreate(create), "datapath", 0);
  }
  const reports = flowIds.map((flowId) =>
    encodeMeasure({ flowId, programUid: 1, fields: [289_600n, 20_000n] }),
  );
  const seconds = medianSeconds(REPEATS, () => {
    answers = 0;
    for (let i = 0; i < REPORTS; i++) agent.receive(reports[i & 3]!, "datapath", i);
  });
  printRow({
    what: "agent in process",
    reportsPerSec: Math.round(REPORTS / seconds),
    reports: REPORTS,
    answers,
    seconds,
  });
}

scriptOptions("bench:ccp", { json: { type: "boolean", what: "a row of JSON each" } });
const bbr = ccpAlgorithm("bbr");
benchProgram("w02, once per RTT", ONCE_PER_RTT);
for (const [name, source] of Object.entries(bbr.programs)) benchProgram(`bbr, ${name}`, source);
benchAgent();
await benchSockets(answering);
