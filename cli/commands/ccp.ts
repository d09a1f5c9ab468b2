/** `ccpark ccp`: compiles, disassembles, checks and formats programs of CCP's datapath language. */
import { type Command, InvalidArgumentError } from "commander";
import type { CompileOptions } from "../../ccp-bridge/lang/compiler.ts";
import { interruptible, printErr, printOut } from "../console.ts";
import { EXIT } from "../exit/exit-codes.ts";
import { inputName, readText } from "../text-input.ts";

const REFUSED_EXIT = `
Exit codes:
  0    it worked
  1    the program (or the hex text) was refused; unlike elsewhere, where wrong input is 2
  2    wrong usage, or a file that cannot be read`;

interface PortusOption {
  readonly portus?: true;
}

/** Portus' acceptance: reports without fields, and comments in two places only. */
function compileOptions(options: PortusOption): CompileOptions {
  return { mode: "libccp", comments: options.portus ? "portus" : "anywhere" };
}

/** Runs `work`; a refusal is one line and exit code 1. */
async function orRefused(file: string, work: () => Promise<void> | void): Promise<void> {
  const { CompileError } = await import("../../ccp-bridge/lang/compile-error.ts");
  try {
    await work();
  } catch (error) {
    if (!(error instanceof CompileError)) throw error;
    const { line, column, reason } = error;
    printErr(`error: ${inputName(file)}: line ${line}, column ${column}: ${reason}\n`);
    process.exitCode = EXIT.failure;
  }
}

interface CompileCommandOptions extends PortusOption {
  readonly json?: true;
  readonly update: Readonly<Record<string, bigint>>;
}

async function compile(file: string, options: CompileCommandOptions): Promise<void> {
  const { compileProgram } = await import("../../ccp-bridge/lang/compiler.ts");
  const { describeProgram } = await import("../../ccp-bridge/lang/describe.ts");
  const source = readText(file);
  await orRefused(file, async () => {
    const program = interruptible(() => compileProgram(source, options.update, compileOptions(options)));
    for (const { line, column, message } of program.warnings) {
      printErr(`warning: ${inputName(file)}: line ${line}, column ${column}: ${message}\n`);
    }
    const description = describeProgram(program);
    if (options.json) {
      printOut(`${JSON.stringify(description)}\n`);
      return;
    }
    const { summarise } = await import("../ccp-summary.ts");
    printOut(summarise(program, description.hex));
  });
}

async function disassemble(hex: string): Promise<void> {
  const { disassemble: toText } = await import("../../ccp-bridge/lang/disassemble.ts");
  const { fromHex } = await import("../../ccp-bridge/lang/hex.ts");
  const { CcparkError } = await import("../../core/errors.ts");
  const text = hex === "-" ? readText(hex) : hex;
  try {
    printOut(toText(fromHex(text)));
  } catch (error) {
    if (!(error instanceof CcparkError)) throw error;
    printErr(`error: ${error.message}\n`);
    process.exitCode = EXIT.failure;
  }
}

async function check(file: string, options: PortusOption): Promise<void> {
  const { compileProgram } = await import("../../ccp-bridge/lang/compiler.ts");
  const { CompileError, excerpt } = await import("../../ccp-bridge/lang/compile-error.ts");
  const source = readText(file);
  const show = (kind: string, place: { line: number; column: number }, message: string) =>
    printOut(
      `${inputName(file)}:${place.line}:${place.column}: ${kind}: ${message}\n${excerpt(source, place)}\n`,
    );
  try {
    const { comments } = compileOptions(options);
    const program = compileProgram(source, {}, { mode: options.portus ? "libccp" : "strict", comments });
    for (const warning of program.warnings) show("warning", warning, warning.message);
    if (program.warnings.length === 0) printOut(`${inputName(file)}: ok\n`);
  } catch (error) {
    if (!(error instanceof CompileError)) throw error;
    show("error", error, error.reason);
    process.exitCode = EXIT.failure;
  }
}

async function format(
  file: string,
  options: { readonly write?: true; readonly check?: true },
): Promise<void> {
  const { formatProgram } = await import("../../ccp-bridge/lang/format.ts");
  const { writeFilesWhole } = await import("../../core/whole-files.ts");
  const source = readText(file);
  await orRefused(file, () => {
    const formatted = formatProgram(source);
    if (options.check) {
      if (formatted === source) return;
      printErr(`${inputName(file)} is not formatted\n`);
      process.exitCode = EXIT.failure;
    } else if (options.write && file !== "-") {
      if (formatted !== source) writeFilesWhole({ [file]: formatted });
    } else printOut(formatted);
  });
}

function parseUpdate(text: string, before: Readonly<Record<string, bigint>>): Record<string, bigint> {
  const match = /^([^=]+)=([0-9]+)$/u.exec(text);
  if (match === null) throw new InvalidArgumentError("expected name=value with a whole number.");
  return { ...before, [match[1]!]: BigInt(match[2]!) };
}

export function addCcp(program: Command): void {
  const ccp = program
    .command("ccp")
    .description("compile, check and format programs of CCP's datapath language")
    .addHelpText("after", REFUSED_EXIT);
  ccp
    .command("compile")
    .description("events, instructions, registers and bytes of a program, as Portus 0.8 compiles it")
    .argument("<file>", "program text; - reads standard input")
    .option("--json", "one JSON object: events, instrs, hex, registers")
    .option("--update <name=value>", "another initial value for a variable (repeatable)", parseUpdate, {})
    .option("--portus", "refuse comments that Portus refuses")
    .addHelpText("after", REFUSED_EXIT)
    .action(compile);
  ccp
    .command("disassemble")
    .description("readable instructions of a serialised program or an install message")
    .argument("<hex>", "hexadecimal digits; - reads standard input")
    .addHelpText("after", REFUSED_EXIT)
    .action(disassemble);
  ccp
    .command("check")
    .description("errors and warnings of a program, each with its place")
    .argument("<file>", "program text; - reads standard input")
    .option("--portus", "accept exactly what Portus accepts")
    .addHelpText("after", REFUSED_EXIT)
    .action(check);
  ccp
    .command("fmt")
    .description("formats a program; comments stay, and the compiled bytes too")
    .argument("<file>", "program text; - reads standard input")
    .option("--write", "write the file instead of printing")
    .option("--check", "print nothing; exit with 1 if the file is not formatted")
    .addHelpText("after", REFUSED_EXIT)
    .action(format);
}
