/** Mutated datagrams for an agent and for a pair of datapaths: counted or refused, never fatal, state bounded. */
import { CcpAgent } from "../../ccp-bridge/agent/agent.ts";
import type { CcpAlgorithm } from "../../ccp-bridge/agent/algorithm.ts";
import { compileAlgorithms, type ProgramSet } from "../../ccp-bridge/agent/program-set.ts";
import { CcparkError } from "../../core/errors.ts";
import { type Corpus, DIALOGUE_PROGRAM } from "./corpus.ts";
import type { Dice } from "./dice.ts";
import { demand, type Tally } from "./tally.ts";
import { TwinDatapaths } from "./twin-datapaths.ts";

const FLOWS = 3;
/** Receivers start over after so many messages, so that a case can be replayed from the start of its block. */
export const MESSAGES_PER_BLOCK = 200;
const LENGTHS = [0, 1, 7, 8, 11, 12, 15, 16, 20, 32, 33, 95, 96, 97, 255, 0x7fff, 0xffff];

export function mutateDatagram(source: Uint8Array, other: Uint8Array, dice: Dice): Uint8Array {
  let bytes = source.slice();
  for (let i = dice.below(4); i > 0; i--) {
    const at = dice.below(Math.max(1, bytes.length));
    switch (dice.below(9)) {
      case 0:
        bytes[at] = dice.below(256);
        break;
      case 1:
        if (bytes.length > 0) bytes[at]! ^= 1 << dice.below(8);
        break;
      case 2:
        bytes = bytes.slice(0, at);
        break;
      case 3:
        bytes = Uint8Array.from([...bytes, ...Array.from({ length: dice.below(40) }, () => dice.below(256))]);
        break;
      case 4:
        bytes = Uint8Array.from([...bytes, ...other]);
        break;
      case 5:
        bytes = Uint8Array.from([...bytes.subarray(0, at), ...other.subarray(at)]);
        break;
      case 6: // the length field
        if (bytes.length >= 4) {
          const length = dice.chance(0.5) ? bytes.length : dice.pick(LENGTHS);
          bytes[2] = length;
          bytes[3] = length >> 8;
        }
        break;
      case 7: // type and flow
        bytes[0] = dice.below(7);
        if (bytes.length >= 8) bytes.set([dice.below(FLOWS + 2), 0, 0, 0], 4);
        break;
      default: {
        // a count, index or value
        const word = 8 + 4 * dice.below(6);
        const value = dice.pick([0, 1, 2, 15, 16, 110, 127, 128, 222, 223, 255, 256, 2 ** 31, 2 ** 32 - 1]);
        if (bytes.length >= word + 4) new DataView(bytes.buffer).setUint32(word, value, true);
      }
    }
  }
  return bytes.subarray(0, 40_000);
}

/** Reads what is there and answers every report; a field that was not sent is an error of the report, not of ours. */
export const recorder: CcpAlgorithm = {
  name: "fuzz",
  programs: { one: DIALOGUE_PROGRAM, two: "(def (Report (x 0)) (c 1)) (when true (:= Report.x c) (report))" },
  newFlow(control) {
    control.setProgram("one", { Cwnd: 14_480 });
    let reports = 0;
    return {
      onReport(report) {
        reports += 1;
        try {
          const value = report.get(report.programName === "one" ? "a" : "x");
          control.updateFields({ Cwnd: Math.min(Math.floor(value), 2 ** 31), c: reports });
        } catch (error) {
          if (!(error instanceof CcparkError && error.kind === "failed-precondition")) throw error;
        }
        if (reports % 7 === 0) control.setProgram(reports % 2 === 0 ? "one" : "two", { Rate: reports });
      },
    };
  },
};

let programs: ProgramSet | undefined;

/** An agent of the recorder; programs are compiled once. */
export function makeFuzzAgent(dice: Dice, send: (message: Uint8Array) => void): CcpAgent {
  programs ??= compileAlgorithms([recorder]);
  const adoptsUnseen = dice.chance(0.5);
  return new CcpAgent({ set: programs, adoptsUnseen, send: (message) => send(message) });
}

/** A block of messages, each to the agent and to both datapaths. */
export function messageBlock(count: number, corpus: Corpus, dice: Dice, tally: Tally): void {
  const twins = new TwinDatapaths(dice.pick(["strict", "libccp"]), FLOWS);
  let answers = 0;
  const agent = makeFuzzAgent(dice, () => {
    answers += 1;
  });
  let nowUs = 0;
  for (let i = 0; i < count; i++) {
    nowUs += dice.below(5000);
    const message = mutateDatagram(dice.pick(corpus.datagrams), dice.pick(corpus.datagrams), dice);
    agent.receive(message.slice(), dice.pick(["a", "b"]), nowUs);
    twins.sendResult = dice.chance(0.02) ? -1 : 0;
    const code = twins.receive(message);
    if (code === 0 || dice.chance(0.1)) twins.invoke(nowUs, dice);
    tally.add(`receive: ${code === 0 ? "accepted" : code}`);
  }
  twins.compareRegisters();
  twins.close(nowUs);
  tally.add("messages", count);
  tally.add("agent: answers", answers);
  for (const [what, number] of Object.entries(agent.counters)) tally.add(`agent: ${what}`, number);
  demand(agent.flowCount <= 2 * count, () => `${agent.flowCount} flows after ${count} messages`);
}
