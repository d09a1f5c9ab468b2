/** What `ccpark ccp compile` prints for people. */
import type { CompiledProgram } from "../ccp-bridge/lang/compiler.ts";
import { listProgram } from "../ccp-bridge/lang/disassemble.ts";

const HEX_PER_LINE = 64;

export function summarise(program: CompiledProgram, hex: string): string {
  const { events, instructions, scope, bytes } = program;
  const variables = [...scope.declared, ...scope.locals];
  const names = new Map(variables.map(({ file, index, name }) => [`${file} ${index}`, name]));
  const rows = variables.map(({ name, file, index, volatile, type, initial }) => {
    const start = file === "local" || initial === undefined ? "" : `, starts as ${initial}`;
    return `  ${name}: ${volatile ? "volatile " : ""}${file} ${index}, ${type}${start}\n`;
  });
  const lines = hex.match(new RegExp(`.{1,${HEX_PER_LINE}}`, "g")) ?? [];
  return [
    `${events.length} events, ${instructions.length} instructions, ${bytes.length} bytes\n`,
    listProgram(program, (file, index) => names.get(`${file} ${index}`)),
    "registers\n",
    ...rows,
    "bytes\n",
    ...lines.map((line) => `  ${line}\n`),
  ].join("");
}
