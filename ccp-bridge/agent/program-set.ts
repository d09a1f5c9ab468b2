/** The programs of algorithms, compiled and numbered: what an agent installs, and what the names in them mean on the wire. */
import { CcparkError } from "../../core/errors.ts";
import { CompileError } from "../lang/compile-error.ts";
import { type CompiledProgram, compileProgram } from "../lang/compiler.ts";
import { type Register, wireType } from "../lang/scope.ts";
import type { FieldUpdate } from "../wire/field-update.ts";
import { encodeInstall } from "../wire/install.ts";
import type { CcpAlgorithm } from "./algorithm.ts";

/** How the wire calls a field. */
export type SettableField = Omit<FieldUpdate, "value">;

/** A program as it is, whatever its name and number. */
interface KnownProgram {
  readonly compiled: CompiledProgram;
  /** report variable, with and without `Report.`, to its place in the report */
  readonly reportIndex: ReadonlyMap<string, number>;
  /** what an algorithm may set, as Portus has it: control variables, `Cwnd` and `Rate` */
  readonly settable: ReadonlyMap<string, SettableField>;
}

/** A program as the agent sends it. */
export interface AgentProgram extends KnownProgram {
  readonly uid: number;
  readonly name: string;
  readonly install: Uint8Array;
}

/** The compiled programs of some algorithms: made once, shared by any number of agents. */
export interface ProgramSet {
  readonly algorithms: readonly CcpAlgorithm[];
  /** in order of uid, from 1 */
  readonly programs: readonly AgentProgram[];
  /** algorithm -> program name -> program */
  readonly byAlgorithm: ReadonlyMap<CcpAlgorithm, ReadonlyMap<string, AgentProgram>>;
}

function isSettable(register: Register): boolean {
  if (register.file === "control") return true;
  return register.file === "implicit" && (register.name === "Cwnd" || register.name === "Rate");
}

function compile(source: string): KnownProgram {
  const compiled = compileProgram(source);
  const reportIndex = new Map<string, number>();
  const settable = new Map<string, SettableField>();
  for (const register of compiled.scope.registers.values()) {
    const { index } = register;
    if (isSettable(register)) settable.set(register.name, { registerType: wireType(register), index });
    if (register.file !== "report") continue;
    reportIndex.set(register.name, index);
    reportIndex.set(register.name.slice("Report.".length), index);
  }
  return { compiled, reportIndex, settable };
}

/** By source. Each run of a benchmark makes its algorithms anew, of the same few texts; who makes thousands starts over. */
const KNOWN: Map<string, KnownProgram> = new Map();
const MAX_KNOWN = 1000;

function compileOnce(source: string): KnownProgram {
  let known = KNOWN.get(source);
  if (known === undefined) {
    known = compile(source);
    if (KNOWN.size >= MAX_KNOWN) KNOWN.clear();
    KNOWN.set(source, known);
  }
  return known;
}

/** @throws CompileError with the program's name */
function compileNamed(name: string, source: string): KnownProgram {
  try {
    return compileOnce(source);
  } catch (error) {
    throw error instanceof CompileError ? error.of(name) : error;
  }
}

/**
 * Compiles all programs of some algorithms, of any number.
 * @throws CompileError of the first bad program, with its name, CcparkError if two algorithms share a name
 */
export function compileAlgorithms(algorithms: readonly CcpAlgorithm[]): ProgramSet {
  const programs: AgentProgram[] = [];
  const byAlgorithm = new Map<CcpAlgorithm, Map<string, AgentProgram>>();
  const names = new Set<string>();
  for (const algorithm of algorithms) {
    if (names.has(algorithm.name)) {
      throw new CcparkError("already-exists", `[ccp-agent] two algorithms are called \`${algorithm.name}\``);
    }
    names.add(algorithm.name);
    const ofAlgorithm = new Map<string, AgentProgram>();
    for (const [name, source] of Object.entries(algorithm.programs)) {
      const uid = programs.length + 1;
      const known = compileNamed(name, source);
      const program = { uid, name, install: encodeInstall(uid, known.compiled), ...known };
      programs.push(program);
      ofAlgorithm.set(name, program);
    }
    byAlgorithm.set(algorithm, ofAlgorithm);
  }
  return { algorithms, programs, byAlgorithm };
}
