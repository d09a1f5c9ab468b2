/** A small writer of WebAssembly binaries: one function, one imported memory. WebAssembly Core Specification, 5. */

/** Value types. */
export const I32 = 0x7f;
export const I64 = 0x7e;
export const F64 = 0x7c;

/** The instructions that we use. */
export const OP = {
  block: 0x02,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  return: 0x0f,
  select: 0x1b,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  i64Load: 0x29,
  f64Load: 0x2b,
  i64Store: 0x37,
  f64Store: 0x39,
  i32Const: 0x41,
  i64Const: 0x42,
  i32Eqz: 0x45,
  i64Eqz: 0x50,
  i64Eq: 0x51,
  i64LtU: 0x54,
  i64GtU: 0x56,
  i32And: 0x71,
  i64Add: 0x7c,
  i64Sub: 0x7d,
  i64Mul: 0x7e,
  i64DivU: 0x80,
  i64And: 0x83,
  i64ExtendI32U: 0xad,
  f64ConvertI64U: 0xba,
} as const;

/** Block type: no value. */
const EMPTY_BLOCK = 0x40;
/** 8-byte accesses are aligned: 2^3. */
const ALIGN_8 = 3;

function unsignedLeb(value: number, out: number[]): void {
  let rest = value >>> 0;
  do {
    const byte = rest & 0x7f;
    rest >>>= 7;
    out.push(rest === 0 ? byte : byte | 0x80);
  } while (rest !== 0);
}

function signedLeb(value: bigint, out: number[]): void {
  let rest = value;
  for (;;) {
    const byte = Number(rest & 0x7fn);
    rest >>= 7n;
    const done = (rest === 0n && (byte & 0x40) === 0) || (rest === -1n && (byte & 0x40) !== 0);
    out.push(done ? byte : byte | 0x80);
    if (done) return;
  }
}

/** The body of a function, instruction by instruction. */
export class FunctionBody {
  readonly #code: number[] = [];
  readonly #locals: number[] = [];
  readonly #parameterCount: number;

  constructor(parameterCount: number) {
    this.#parameterCount = parameterCount;
  }

  /** A new local variable; returns its index. */
  local(type: number): number {
    this.#locals.push(type);
    return this.#parameterCount + this.#locals.length - 1;
  }

  op(...opcodes: number[]): void {
    this.#code.push(...opcodes);
  }

  get(local: number): void {
    this.#indexed(OP.localGet, local);
  }

  set(local: number): void {
    this.#indexed(OP.localSet, local);
  }

  tee(local: number): void {
    this.#indexed(OP.localTee, local);
  }

  i32(value: number): void {
    this.#code.push(OP.i32Const);
    signedLeb(BigInt(value), this.#code);
  }

  /** An unsigned 64-bit constant. */
  u64(value: bigint): void {
    this.#code.push(OP.i64Const);
    signedLeb(BigInt.asIntN(64, value), this.#code);
  }

  /** Loads or stores 8 bytes at the address on the stack plus `offset`. */
  memory(opcode: number, offset: number): void {
    this.#code.push(opcode, ALIGN_8);
    unsignedLeb(offset, this.#code);
  }

  block(): void {
    this.#code.push(OP.block, EMPTY_BLOCK);
  }

  if(): void {
    this.#code.push(OP.if, EMPTY_BLOCK);
  }

  end(): void {
    this.#code.push(OP.end);
  }

  /** Branch out of `depth` blocks, and the one around them. */
  br(opcode: number, depth: number): void {
    this.#indexed(opcode, depth);
  }

  /** i64.trunc_sat_f64_u: below 0 and NaN give 0, too large gives 2^64 - 1. */
  truncateF64(): void {
    this.#code.push(0xfc, 0x07);
  }

  bytes(): number[] {
    const body: number[] = [];
    unsignedLeb(this.#locals.length, body);
    for (const type of this.#locals) body.push(1, type);
    // A long program has more bytes than a call may have arguments.
    const whole = body.concat(this.#code, OP.end);
    const out: number[] = [];
    unsignedLeb(whole.length, out);
    return out.concat(whole);
  }

  #indexed(opcode: number, index: number): void {
    this.#code.push(opcode);
    unsignedLeb(index, this.#code);
  }
}

/** A module with the memory `env.memory` imported and one function exported as `run`. */
export function makeModule(
  parameters: readonly number[],
  results: readonly number[],
  body: FunctionBody,
): Uint8Array {
  const name = (text: string): number[] => [text.length, ...Array.from(text, (c) => c.charCodeAt(0))];
  const section = (id: number, content: readonly number[]): number[] => {
    const out = [id];
    unsignedLeb(content.length, out);
    return out.concat(content);
  };
  return new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, [1, 0x60, parameters.length, ...parameters, results.length, ...results]),
    // a memory without maximum, at least one page
    ...section(2, [1, ...name("env"), ...name("memory"), 0x02, 0x00, 0x01]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...name("run"), 0x00, 0]),
    ...section(10, [1, ...body.bytes()]),
  ]);
}
