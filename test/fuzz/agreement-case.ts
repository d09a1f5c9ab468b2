/** A random valid program, interpreted and compiled: registers, messages and error codes must be the same. */
import { CompileError } from "../../ccp-bridge/lang/compile-error.ts";
import { type CompiledProgram, compileProgram } from "../../ccp-bridge/lang/compiler.ts";
import { encodeChangeProg } from "../../ccp-bridge/wire/change-prog.ts";
import { encodeInstall } from "../../ccp-bridge/wire/install.ts";
import { encodeUpdateField } from "../../ccp-bridge/wire/update-field.ts";
import type { Dice } from "./dice.ts";
import { generateProgram } from "./program-generator.ts";
import { demand, type Tally } from "./tally.ts";
import { TwinDatapaths } from "./twin-datapaths.ts";

const ACKS = 8;

/** A program that compiles; the few that need too many temporaries are drawn again. */
function validProgram(dice: Dice, tally: Tally): { source: string; program: CompiledProgram } {
  for (;;) {
    const source = generateProgram(dice);
    try {
      return { source, program: compileProgram(source) };
    } catch (error) {
      if (!(error instanceof CompileError)) throw error;
      tally.add("agreement: drawn again");
      demand(/intermediate results/.test(error.reason), () => `generated badly: ${error.message}\n${source}`);
    }
  }
}

export function agreementCase(dice: Dice, tally: Tally): void {
  const { source, program } = validProgram(dice, tally);
  try {
    const twins = new TwinDatapaths(dice.pick(["strict", "libccp"]), 1);
    demand(twins.receive(encodeInstall(1, program)) === 0, () => "not installed");
    demand(
      twins.receive(encodeChangeProg({ flowId: 1, programUid: 1, updates: [] })) === 0,
      () => "not chosen",
    );
    let nowUs = 0;
    for (let ack = 0; ack < ACKS; ack++) {
      nowUs += dice.pick([0, 1, 0.5, 10_000, 2 ** 33]);
      if (dice.chance(0.2)) {
        const registerType = dice.pick([0, 2]);
        const index = registerType === 0 ? dice.below(4) : 4 + dice.below(2);
        twins.receive(
          encodeUpdateField({ flowId: 1, updates: [{ registerType, index, value: dice.u64() }] }),
        );
      }
      twins.invoke(nowUs, dice);
      twins.compareRegisters();
    }
    twins.close(nowUs);
    tally.add("agreement: programs");
    tally.add("agreement: messages compared", twins.messages);
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${source}`, { cause: error });
  }
}
