/** Datapaths that interpret programs and compile them, with all registers in memory and without scratch, and must do the same. */
import { CcpDatapath, type DatapathFlow } from "../../ccp-bridge/datapath/datapath.ts";
import { BLOCK } from "../../ccp-bridge/datapath/register-arena.ts";
import { makeWholeWasmProgram } from "../../ccp-bridge/datapath/wasm-program.ts";
import { PRIMITIVE } from "../../ccp-bridge/lang/scope.ts";
import { CAPACITY, IMPLICIT } from "../../ccp-bridge/program.ts";
import type { Dice } from "./dice.ts";
import { demand } from "./tally.ts";

/** What `invoke` may say. */
const INVOKE_CODES = new Set([0, -91, -92, -93, -94, -96, -101]);
/** What `receive` may say. */
const RECEIVE_CODES = new Set([
  ...[0, 8, -22, -23, -32, -33, -34, -35, -36, -37, -41, -42, -43, -44, -52, -53, -62, -71, -81],
]);
const MSS_BYTES = 1448;

/** Registers that are each run's own: of whom does not keep them, nobody asks for them. */
const SCRATCH = [
  [BLOCK.implicit, IMPLICIT.micros],
  [BLOCK.temporary, CAPACITY.temporary],
  [BLOCK.local, CAPACITY.local],
] as const;

const EXECUTIONS = [
  { name: "interpreter", execution: "interpreter" },
  { name: "wasm", execution: "wasm" },
  { name: "whole wasm", execution: makeWholeWasmProgram },
] as const;

interface Twin {
  readonly name: string;
  readonly keepsScratch: boolean;
  readonly datapath: CcpDatapath;
  readonly flows: DatapathFlow[];
  readonly sent: string[];
}

export class TwinDatapaths {
  readonly #twins: readonly Twin[];
  /** what `send` answers */
  sendResult = 0;
  messages = 0;

  constructor(mode: "strict" | "libccp", flowCount: number) {
    this.#twins = EXECUTIONS.map(({ name, execution }): Twin => {
      const sent: string[] = [];
      const datapath = new CcpDatapath({
        mode,
        execution,
        nowUs: 0,
        fallbackTimeoutUs: 100_000,
        send: (message, nowUs) => {
          sent.push(`${nowUs} ${message.join(" ")}`);
          return this.sendResult;
        },
      });
      const flows = Array.from({ length: flowCount }, () =>
        datapath.openFlow({ initCwndBytes: 10 * MSS_BYTES, mssBytes: MSS_BYTES }, 0),
      );
      return { name, keepsScratch: execution !== "wasm" || mode === "libccp", datapath, flows, sent };
    });
  }

  receive(message: Uint8Array): number {
    const code = this.#same("receive", ({ datapath }) => datapath.receive(message.slice()));
    demand(RECEIVE_CODES.has(code), () => `receive: unknown code ${code}`);
    return code;
  }

  /** One ACK for every flow, with the same random measurements everywhere. */
  invoke(nowUs: number, dice: Dice): void {
    for (const i of this.#twins[0]!.flows.keys()) {
      if (dice.chance(0.7)) this.#measure(i, dice);
      const code = this.#same("invoke", ({ datapath, flows }) => datapath.invoke(flows[i]!, nowUs));
      demand(INVOKE_CODES.has(code), () => `invoke: unknown code ${code}`);
    }
    this.#compareMessages();
  }

  compareRegisters(): void {
    const [first, ...others] = this.#twins as [Twin, ...Twin[]];
    for (const i of first.flows.keys()) {
      for (const other of others) {
        const left = this.#words(first, i, other.keepsScratch);
        const right = this.#words(other, i, other.keepsScratch);
        const at = left.findIndex((word, k) => word !== right[k]);
        demand(
          at < 0,
          () => `word ${at} of the registers: ${first.name} ${left[at]}, ${other.name} ${right[at]}`,
        );
      }
    }
  }

  close(nowUs: number): void {
    for (const { datapath, flows } of this.#twins)
      for (const { flowId } of flows) datapath.closeFlow(flowId, nowUs);
    this.#compareMessages();
  }

  /** What all twins say to it, which is the same. */
  #same(what: string, ask: (twin: Twin) => number): number {
    const codes = this.#twins.map(ask);
    demand(
      codes.every((code) => code === codes[0]),
      () => `${what}: ${this.#twins.map(({ name }, i) => `${name} ${codes[i]}`).join(", ")}`,
    );
    return codes[0]!;
  }

  #words({ datapath, flows }: Twin, flow: number, withScratch: boolean): BigUint64Array {
    const first = flows[flow]!.base / 8;
    const words = datapath.arena.u64.slice(first, first + BLOCK.words);
    if (!withScratch) for (const [word, size] of SCRATCH) words.fill(0n, word, word + size);
    return words;
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
    const [first, ...others] = this.#twins as [Twin, ...Twin[]];
    for (const { name, sent } of others) {
      const same = first.sent.length === sent.length && first.sent.every((message, i) => message === sent[i]);
      demand(same, () => `messages: ${first.name} ${first.sent.join(" / ")}, ${name} ${sent.join(" / ")}`);
    }
    this.messages += first.sent.length;
    for (const { sent } of this.#twins) sent.length = 0;
  }
}
