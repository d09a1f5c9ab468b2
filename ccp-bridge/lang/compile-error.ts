/** What the compiler says of a program that it refuses. */
import { CcparkError } from "../../core/errors.ts";

/** A datapath program was refused. Line and column count from 1. */
export class CompileError extends CcparkError {
  readonly line: number;
  readonly column: number;
  /** the whole program text */
  readonly source: string;
  constructor(what: string, source: string, offset: number) {
    const before = source.slice(0, offset);
    const line = before.split("\n").length;
    const column = offset - (before.lastIndexOf("\n") + 1) + 1;
    super("invalid-argument", `[ccp-lang] line ${line}, column ${column}: ${what}`);
    this.name = "CompileError";
    this.line = line;
    this.column = column;
    this.source = source;
  }
}
