/**
 * The names of one program and the registers behind them: declared report and control variables, the primitives and
 * implicit registers that every program has, and locals, which come into being where an undeclared name is used.
 */
import { IMPLICIT, REGISTER_TYPES, type RegisterType } from "../program.ts";
import type { Declaration, ProgramSyntax } from "./syntax-tree.ts";

/** `untyped`: a local before its first bind, or a variable whose initial value is a name. */
export type ValueType = "number" | "boolean" | "untyped";

export interface Register {
  readonly name: string;
  readonly file: "control" | "report" | "local" | "implicit" | "primitive";
  readonly index: number;
  readonly volatile: boolean;
  type: ValueType;
  /** initial value of a declared variable that has one (then there is a `def`); of a local, what it is first bound to */
  initial?: bigint;
  /** where it was declared, in the program text */
  readonly offset?: number;
}

/** Primitives by wire index: measurements that the datapath loads before each run. */
export const PRIMITIVE_NAMES = [
  "Ack.bytes_acked",
  "Ack.bytes_misordered",
  "Ack.ecn_bytes",
  "Ack.ecn_packets",
  "Ack.lost_pkts_sample",
  "Ack.now",
  "Ack.packets_acked",
  "Ack.packets_misordered",
  "Flow.bytes_in_flight",
  "Flow.bytes_pending",
  "Flow.packets_in_flight",
  "Flow.rate_incoming",
  "Flow.rate_outgoing",
  "Flow.rtt_sample_us",
  "Flow.was_timeout",
] as const;

/** Wire index of each primitive. */
export const PRIMITIVE = {
  bytesAcked: 0,
  bytesMisordered: 1,
  ecnBytes: 2,
  ecnPackets: 3,
  lostPackets: 4,
  now: 5,
  packetsAcked: 6,
  packetsMisordered: 7,
  bytesInFlight: 8,
  bytesPending: 9,
  packetsInFlight: 10,
  rateIncoming: 11,
  rateOutgoing: 12,
  rttSampleUs: 13,
  wasTimeout: 14,
} as const;

/** The type byte that names a register on the wire. */
export function wireType(register: Register): RegisterType {
  switch (register.file) {
    case "control":
      return register.volatile ? REGISTER_TYPES.controlVolatile : REGISTER_TYPES.controlNonvolatile;
    case "report":
      return register.volatile ? REGISTER_TYPES.reportVolatile : REGISTER_TYPES.reportNonvolatile;
    case "local":
      return REGISTER_TYPES.local;
    case "implicit":
      return REGISTER_TYPES.implicit;
    case "primitive":
      return REGISTER_TYPES.primitive;
  }
}

function builtins(): Map<string, Register> {
  const registers = new Map<string, Register>();
  PRIMITIVE_NAMES.forEach((name, index) => {
    const type = name === "Flow.was_timeout" ? "boolean" : "number";
    registers.set(name, { name, file: "primitive", index, volatile: false, type });
  });
  const implicit = { Micros: IMPLICIT.micros, Cwnd: IMPLICIT.cwnd, Rate: IMPLICIT.rate };
  for (const [name, index] of Object.entries(implicit)) {
    registers.set(name, { name, file: "implicit", index, volatile: false, type: "number" });
  }
  return registers;
}

export class Scope {
  /** what each name means; of a name declared twice, the later one */
  readonly registers: Map<string, Register> = builtins();
  /** every declared variable, in order of its register within its file; names may repeat */
  readonly declared: Register[] = [];
  /** undeclared names, in order of first use: locals, or mistakes */
  readonly locals: Register[] = [];
  #controls = 0;
  #reports = 0;

  constructor(program?: Pick<ProgramSyntax, "reports" | "before" | "after">) {
    if (program === undefined) return;
    const isReport = (one: Declaration) => one.name.startsWith("Report.");
    const others = [...program.before, ...program.after];
    for (const one of [...program.reports, ...others.filter(isReport)]) this.#declare(one, "report");
    for (const one of others.filter((other) => !isReport(other))) this.#declare(one, "control");
  }

  #declare(declaration: Declaration, file: "control" | "report"): void {
    const { name, volatile, initial, offset } = declaration;
    const index = file === "report" ? this.#reports++ : this.#controls++;
    const register: Register = { name, file, index, volatile, type: "untyped", offset };
    if (initial.kind === "number") {
      register.type = "number";
      register.initial = initial.value;
    } else if (initial.kind === "boolean") {
      register.type = "boolean";
      register.initial = initial.value ? 1n : 0n;
    }
    this.declared.push(register);
    // Report variables of the list come first, so that a later spelling of the same name wins.
    this.registers.set(name, register);
  }

  /** The register behind a name; an undeclared name becomes a local. */
  resolve(name: string, offset?: number): Register {
    const known = this.registers.get(name);
    if (known !== undefined) return known;
    const index = this.locals.length;
    const local: Register = { name, file: "local", index, volatile: false, type: "untyped", offset };
    this.locals.push(local);
    this.registers.set(name, local);
    return local;
  }
}
