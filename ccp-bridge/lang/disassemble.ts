/**
 * Compiled programs as text: one line per instruction, `result <- operation left, right`, registers by file. Reads the
 * payload of an install message, or the whole message.
 */
import { CcparkError } from "../../core/errors.ts";
import {
  decodeEvent,
  decodeInstruction,
  EVENT_BYTES,
  INFINITY_IMMEDIATE,
  INSTRUCTION_BYTES,
  type Instruction,
  OPCODES,
  type ProgramEvent,
  REGISTER_TYPES,
} from "../program.ts";
import { readU32 } from "../wire/bytes.ts";
import { MESSAGE_TYPES } from "../wire/header.ts";
import { decodeInstall, INSTALL_HEADER_BYTES } from "../wire/install.ts";
import { PRIMITIVE_NAMES } from "./scope.ts";

const MNEMONICS = Object.keys(OPCODES);
const IMPLICIT_NAMES = ["eventFlag", "fallthrough", "report", "Micros", "Cwnd", "Rate"];

/** The name of a declared variable, if it is known. */
export type NameOf = (file: "control" | "report" | "local", index: number) => string | undefined;

export interface MachineProgram {
  readonly events: readonly ProgramEvent[];
  readonly instructions: readonly Instruction[];
}

function operand(type: number, index: number, nameOf: NameOf): string {
  const variable = (file: "control" | "report" | "local") => nameOf(file, index) ?? `${file}[${index}]`;
  switch (type) {
    case REGISTER_TYPES.controlNonvolatile:
    case REGISTER_TYPES.controlVolatile:
      return variable("control");
    case REGISTER_TYPES.reportNonvolatile:
    case REGISTER_TYPES.reportVolatile:
      return variable("report");
    case REGISTER_TYPES.local:
      return variable("local");
    case REGISTER_TYPES.immediate:
      return index === INFINITY_IMMEDIATE ? "+infinity" : String(index);
    case REGISTER_TYPES.implicit:
      return IMPLICIT_NAMES[index] ?? `implicit[${index}]`;
    case REGISTER_TYPES.primitive:
      return PRIMITIVE_NAMES[index] ?? `primitive[${index}]`;
    case REGISTER_TYPES.temporary:
      return `temporary[${index}]`;
    default:
      return `unknown(${type})[${index}]`;
  }
}

function isVolatile(type: number): boolean {
  return type === REGISTER_TYPES.controlVolatile || type === REGISTER_TYPES.reportVolatile;
}

function instructionText(instruction: Instruction, nameOf: NameOf): string {
  const { opcode, resultType, resultIndex, leftType, leftIndex, rightType, rightIndex } = instruction;
  const result = operand(resultType, resultIndex, nameOf);
  const left = operand(leftType, leftIndex, nameOf);
  const right = operand(rightType, rightIndex, nameOf);
  if (opcode === OPCODES.def)
    return `${isVolatile(resultType) ? "volatile " : ""}${result} starts as ${right}`;
  if (opcode === OPCODES.bind) return `${result} <- ${right}`;
  return `${result} <- ${MNEMONICS[opcode] ?? `opcode(${opcode})`} ${left}, ${right}`;
}

/** One line per instruction, under the event that runs it. */
export function listProgram(program: MachineProgram, nameOf: NameOf = () => undefined): string {
  const { events, instructions } = program;
  const width = String(Math.max(0, instructions.length - 1)).length;
  const lines: string[] = [];
  const range = (from: number, count: number) => {
    for (let i = from; i < Math.min(from + count, instructions.length); i++) {
      lines.push(`  ${String(i).padStart(width)}  ${instructionText(instructions[i]!, nameOf)}`);
    }
  };
  const definitions = Math.min(
    instructions.length,
    ...events.flatMap((event) => [
      event.flagCount > 0 ? event.flagIndex : instructions.length,
      event.bodyCount > 0 ? event.bodyIndex : instructions.length,
    ]),
  );
  if (definitions > 0) lines.push("definitions");
  range(0, definitions);
  events.forEach((event, i) => {
    lines.push(`event ${i}, if`);
    range(event.flagIndex, event.flagCount);
    lines.push(`event ${i}, then`);
    range(event.bodyIndex, event.bodyCount);
  });
  return `${lines.join("\n")}\n`;
}

/** Where the events of a bare program end shows in them: each continues where the one before stopped. */
function splitProgram(bytes: Uint8Array): MachineProgram | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const units = bytes.length / EVENT_BYTES;
  if (!Number.isInteger(units)) return undefined;
  const events: ProgramEvent[] = [];
  let next: number | undefined;
  for (let i = 0; i < units; i++) {
    const event = decodeEvent(view, EVENT_BYTES * i);
    if (event.flagIndex !== (next ?? event.flagIndex)) return undefined;
    if (event.bodyIndex !== event.flagIndex + event.flagCount) return undefined;
    next = event.bodyIndex + event.bodyCount;
    events.push(event);
    if (next + i + 1 !== units) continue;
    const instructions = Array.from({ length: next }, (_, k) =>
      decodeInstruction(view, EVENT_BYTES * (i + 1) + INSTRUCTION_BYTES * k),
    );
    return { events, instructions };
  }
  return undefined;
}

/**
 * Text of a serialised program or of an install message.
 * @throws CcparkError if it is neither
 */
export function disassemble(bytes: Uint8Array): string {
  const isInstall =
    bytes.length >= INSTALL_HEADER_BYTES &&
    (readU32(bytes, 0) & 0xffff) === MESSAGE_TYPES.install &&
    readU32(bytes, 0) >>> 16 === bytes.length;
  if (isInstall) {
    const message = decodeInstall(bytes);
    const { events, instructions, programUid } = message;
    const head = `install of program ${programUid}: ${events.length} events, ${instructions.length} instructions`;
    return `${head}\n${listProgram(message)}`;
  }
  const program = splitProgram(bytes);
  if (program === undefined) {
    const what = `${bytes.length} bytes are neither a serialised program nor an install message`;
    throw new CcparkError("invalid-argument", `[ccp-lang] ${what}`);
  }
  const { events, instructions } = program;
  return `program: ${events.length} events, ${instructions.length} instructions\n${listProgram(program)}`;
}
