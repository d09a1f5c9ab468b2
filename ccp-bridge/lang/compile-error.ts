/** What the compiler says of a program that it refuses, or accepts with a warning. */
import { CcparkError } from "../../core/errors.ts";

/** A place in a program text, counted from 1 as editors do; columns count UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Accepted, but probably not meant. */
export interface CompileWarning extends Position {
  readonly message: string;
  /** a name that stands for something else on purpose only: not a local variable that is bound somewhere */
  readonly isMistake: boolean;
}

export function positionOf(source: string, offset: number): Position {
  const before = source.slice(0, offset);
  return { line: before.split("\n").length, column: offset - (before.lastIndexOf("\n") + 1) + 1 };
}

/** A datapath program was refused. */
export class CompileError extends CcparkError {
  readonly line: number;
  readonly column: number;
  /** the reason without the place */
  readonly reason: string;
  /** the whole program text */
  readonly source: string;
  readonly #offset: number;

  /** @param program its name, where it has one: the lines are those of its text, wherever that stands in a file */
  constructor(what: string, source: string, offset: number, program?: string) {
    const { line, column } = positionOf(source, offset);
    const where = program === undefined ? "" : `program ${program}, `;
    super("invalid-argument", `[ccp-lang] ${where}line ${line}, column ${column}: ${what}`);
    this.name = "CompileError";
    this.#offset = offset;
    this.line = line;
    this.column = column;
    this.reason = what;
    this.source = source;
  }

  /** The same of a program with a name. */
  of(program: string): CompileError {
    return new CompileError(this.reason, this.source, this.#offset, program);
  }
}

/** The line of a place and, below it, a caret under its column. */
export function excerpt(source: string, { line, column }: Position): string {
  const text = (source.split("\n")[line - 1] ?? "").replace(/\r$/, "");
  // Tabs stay tabs, so that the caret stands below its column whatever their width.
  const indent = text
    .slice(0, column - 1)
    .replace(/[^\t]/g, " ")
    .padEnd(column - 1);
  const number = String(line);
  return `${number} | ${text}\n${" ".repeat(number.length)} | ${indent}^`;
}
