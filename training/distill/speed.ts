/** How often a second a datapath can run a program: one flow, an ACK every 100 us, 200 of them per round trip. */
import { CcpDatapath } from "../../ccp-bridge/datapath/datapath.ts";
import { compileProgram } from "../../ccp-bridge/lang/compiler.ts";
import { PRIMITIVE } from "../../ccp-bridge/lang/scope.ts";
import { encodeChangeProg } from "../../ccp-bridge/wire/change-prog.ts";
import { encodeInstall } from "../../ccp-bridge/wire/install.ts";

const MSS_BYTES = 1448;
const ACK_EVERY_US = 100;
const RTT_US = 20_000;
const RATE_BYTES_PER_SEC = 14_480_000;
const UID = 1;

/** @param nowSec a clock */
export function executionsPerSec(source: string, executions: number, nowSec: () => number): number {
  const datapath = new CcpDatapath({ nowUs: 0, send: () => 0 });
  const flow = datapath.openFlow({ initCwndBytes: 10 * MSS_BYTES, mssBytes: MSS_BYTES }, 0);
  datapath.receive(encodeInstall(UID, compileProgram(source)));
  datapath.receive(encodeChangeProg({ flowId: flow.flowId, programUid: UID, updates: [] }));
  const word = flow.base / 8;
  let nowUs = 0;
  const run = (count: number): void => {
    const { f64 } = datapath.arena;
    f64[word + PRIMITIVE.packetsAcked] = 1;
    f64[word + PRIMITIVE.rateIncoming] = RATE_BYTES_PER_SEC;
    f64[word + PRIMITIVE.rateOutgoing] = RATE_BYTES_PER_SEC;
    for (let i = 0; i < count; i++) {
      nowUs += ACK_EVERY_US;
      f64[word + PRIMITIVE.bytesAcked] = MSS_BYTES;
      f64[word + PRIMITIVE.rttSampleUs] = RTT_US + (i & 1023);
      const code = datapath.invoke(flow, nowUs);
      if (code < 0) throw new Error(`the program failed on an ACK: code ${code}`);
    }
  };
  run(executions / 10);
  const startSec = nowSec();
  run(executions);
  return executions / (nowSec() - startSec);
}
