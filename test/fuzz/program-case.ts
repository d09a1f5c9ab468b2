/** One mutated program: refused with a reason, or compiled, installed and run for 100 ACKs. */
import { CcpDatapath } from "../../ccp-bridge/datapath/datapath.ts";
import { CompileError } from "../../ccp-bridge/lang/compile-error.ts";
import { type CompiledProgram, compileProgram } from "../../ccp-bridge/lang/compiler.ts";
import { disassemble } from "../../ccp-bridge/lang/disassemble.ts";
import { formatProgram } from "../../ccp-bridge/lang/format.ts";
import { toHex } from "../../ccp-bridge/lang/hex.ts";
import { PRIMITIVE } from "../../ccp-bridge/lang/scope.ts";
import { MAX_INSTRUCTIONS } from "../../ccp-bridge/program.ts";
import { encodeChangeProg } from "../../ccp-bridge/wire/change-prog.ts";
import { decodeInstall, encodeInstall } from "../../ccp-bridge/wire/install.ts";
import { decodeMeasure } from "../../ccp-bridge/wire/measure.ts";
import type { Corpus } from "./corpus.ts";
import type { Dice } from "./dice.ts";
import { mutateProgram } from "./program-mutations.ts";
import { demand, type Tally } from "./tally.ts";

export const ACKS = 100;
/** Every so many programs also go through formatter, disassembler and Portus' rules. */
const TOOLS_EVERY = 8;

/** The reason without what differs from text to text. */
function reasonOf(error: CompileError): string {
  return error.reason
    .replace(/^unknown operator .*$/s, "unknown operator")
    .replace(/; (did you mean|known:|write) .*$/s, "")
    .replace(/got `.*?`, expected .*$/s, "got something else than expected")
    .replace(/got the end of the program, expected .*$/s, "got the end of the program")
    .replace(/`[^`]*`/gs, "`…`")
    .replace(/\d+/g, "N")
    .slice(0, 90);
}

function checkTools(source: string, program: CompiledProgram): void {
  const formatted = formatProgram(source);
  demand(formatProgram(formatted) === formatted, () => "formatting twice is not formatting once");
  const again = compileProgram(formatted, {}, { mode: "libccp" });
  demand(toHex(again.bytes) === toHex(program.bytes), () => "formatting changed the bytes");
  disassemble(program.bytes);
  try {
    const portus = compileProgram(source, {}, { mode: "libccp", comments: "portus" });
    demand(toHex(portus.bytes) === toHex(program.bytes), () => "other bytes under Portus' rules");
  } catch (error) {
    if (!(error instanceof CompileError)) throw error;
    demand(source.includes("#"), () => `refused by Portus' rules only: ${error.message}`);
  }
}

function run(program: CompiledProgram, dice: Dice, tally: Tally): void {
  let reports = 0;
  const datapath = new CcpDatapath({
    nowUs: 0,
    send: (message) => {
      if (message[0] !== 1) return 0;
      reports += 1;
      const { fields } = decodeMeasure(message);
      const expected = closing ? 0 : program.reportFieldCount;
      demand(fields.length === expected, () => `a report of ${fields.length} fields, not ${expected}`);
      return 0;
    },
  });
  let closing = false;
  const flow = datapath.openFlow({ initCwndBytes: 14_480, mssBytes: 1448 }, 0);
  const install = encodeInstall(1, program);
  const { events, instructions } = decodeInstall(install);
  demand(events.length === program.events.length, () => "the install message has other events");
  demand(instructions.length <= MAX_INSTRUCTIONS, () => `${instructions.length} instructions`);
  const code = datapath.receive(install);
  demand(code === 0, () => `a compiled program is not installed: ${code}`);
  datapath.receive(encodeChangeProg({ flowId: 1, programUid: 1, updates: [] }));
  let nowUs = 0;
  const { arena } = datapath;
  for (let ack = 0; ack < ACKS; ack++) {
    nowUs += dice.below(20_000);
    const word = flow.base / 8;
    for (let k = 0; k < 3; k++) {
      const i = dice.below(15);
      if (i !== PRIMITIVE.now) arena.f64[word + i] = dice.primitive();
    }
    const result = datapath.invoke(flow, nowUs);
    demand(result === 0 || (result <= -91 && result >= -94), () => `invoke: ${result}`);
    tally.add(`run: ${result === 0 ? "fine" : result}`);
  }
  tally.add("run: reports", reports);
  closing = true;
  datapath.closeFlow(1, nowUs);
}

export function programCase(index: number, corpus: Corpus, dice: Dice, tally: Tally): void {
  const base = dice.pick(dice.chance(0.9) ? corpus.accepted : [...corpus.refused, ...corpus.accepted]);
  const source = mutateProgram(base, dice.pick(corpus.accepted), dice);
  let program: CompiledProgram;
  try {
    program = compileProgram(source);
  } catch (error) {
    if (!(error instanceof CompileError)) throw error;
    demand(error.line >= 1 && error.column >= 1, () => `a place outside: ${error.message}`);
    tally.add("programs: refused");
    tally.add(`refused: ${reasonOf(error)}`);
    return;
  }
  tally.add("programs: compiled and run");
  try {
    if (index % TOOLS_EVERY === 0) checkTools(source, program);
    run(program, dice, tally);
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${source}`, { cause: error });
  }
}
