/** Two datapaths, one interpreting and one compiling programs, that must do the same. */
import { CcpDatapath, type DatapathFlow } from "../../ccp-bridge/datapath/datapath.ts";
import { BLOCK } from "../../ccp-bridge/datapath/register-arena.ts";
import { PRIMITIVE } from "../../ccp-bridge/lang/scope.ts";
import type { Dice } from "./dice.ts";
import { demand } from "./tally.ts";

/** What `invoke` may say. */
const INVOKE_CODES = new Set([0, -91, -92, -93, -94, -96, -101]);
/** What `receive` may say. */
const RECEIVE_CODES = new Set([
  ...[0, 8, -22, -23, -32, -33, -34, -35, -36, -37, -41, -42, -43, -44, -52, -53, -62, -71, -81],
]);
const MSS_BYTES = 1448;

interface Twin {
  readonly datapath: CcpDatapath;
  readonly flows: DatapathFlow[];
  sent: string[];
}

export class TwinDatapaths {
  readonly #twins: readonly Twin[];
  /** what `send` answers */
  sendResult = 0;
  messages = 0;

  constructor(mode: "strict" | "libccp", flowCount: number) {
    this.#twins = (["interpreter", "wasm"] as const).map((execution) => {
      const twin: { datapath?: CcpDatapath; flows: DatapathFlow[]; sent: string[] } = { flows: [], sent: [] };
      twin.datapath = new CcpDatapath({
        mode,
        execution,
        nowUs: 0,
        fallbackTimeoutUs: 100_000,
        send: (message, nowUs) => {
          twin.sent.push(`${nowUs} ${message.join(" ")}`);
          return this.sendResult;
        },
      });
      for (let i = 0; i < flowCount; i++) {
        twin.flows.push(twin.datapath.openFlow({ initCwndBytes: 10 * MSS_BYTES, mssBytes: MSS_BYTES }, 0));
      }
      return twin as Twin;
    });
  }

  receive(message: Uint8Array): number {
    const [a, b] = this.#twins.map(({ datapath }) => datapath.receive(message.slice())) as [number, number];
    demand(a === b, () => `receive: interpreter ${a}, wasm ${b}`);
    demand(RECEIVE_CODES.has(a), () => `receive: unknown code ${a}`);
    return a;
  }

  /** One ACK for every flow, with the same random measurements on both sides. */
  invoke(nowUs: number, dice: Dice): void {
    const [first] = this.#twins;
    first!.flows.forEach((_, i) => {
      if (dice.chance(0.7)) this.#measure(i, dice);
      const [a, b] = this.#twins.map(({ datapath, flows }) => datapath.invoke(flows[i]!, nowUs)) as [
        number,
        number,
      ];
      demand(a === b, () => `invoke: interpreter ${a}, wasm ${b}`);
      demand(INVOKE_CODES.has(a), () => `invoke: unknown code ${a}`);
    });
    this.#compareMessages();
  }

  compareRegisters(): void {
    const [a, b] = this.#twins as [Twin, Twin];
    a.flows.forEach((flow, i) => {
      const left = this.#words(a, flow);
      const right = this.#words(b, b.flows[i]!);
      const at = left.findIndex((word, k) => word !== right[k]);
      demand(at < 0, () => `word ${at} of the registers: interpreter ${left[at]}, wasm ${right[at]}`);
    });
  }

  close(nowUs: number): void {
    for (const { datapath, flows } of this.#twins)
      for (const { flowId } of flows) datapath.closeFlow(flowId, nowUs);
    this.#compareMessages();
  }

  #words({ datapath }: Twin, flow: DatapathFlow): BigUint64Array {
    return datapath.arena.u64.subarray(flow.base / 8, flow.base / 8 + BLOCK.words);
  }

  #measure(flowIndex: number, dice: Dice): void {
    const values = Array.from({ length: 15 }, () => dice.primitive());
    for (const { datapath, flows } of this.#twins) {
      const word = flows[flowIndex]!.base / 8;
      for (let i = 0; i < values.length; i++) {
        if (i !== PRIMITIVE.now) datapath.arena.f64[word + i] = values[i]!;
      }
    }
  }

  #compareMessages(): void {
    const [a, b] = this.#twins as [Twin, Twin];
    const same = a.sent.length === b.sent.length && a.sent.every((message, i) => message === b.sent[i]);
    demand(same, () => `messages: interpreter ${a.sent.join(" / ")}, wasm ${b.sent.join(" / ")}`);
    this.messages += a.sent.length;
    a.sent = [];
    b.sent = [];
  }
}
