import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CcpDatapath, type RegisterDump } from "../../ccp-bridge/datapath/datapath.ts";
import { makeInterpreter } from "../../ccp-bridge/datapath/interpreter.ts";
import { BLOCK, OwnArena } from "../../ccp-bridge/datapath/register-arena.ts";
import { makeWasmProgram, makeWholeWasmProgram } from "../../ccp-bridge/datapath/wasm-program.ts";
import { compileProgram } from "../../ccp-bridge/lang/compiler.ts";
import {
  CAPACITY,
  IMPLICIT,
  type Instruction,
  OPCODES,
  type ProgramEvent,
  REGISTER_TYPES,
} from "../../ccp-bridge/program.ts";
import { encodeChangeProg } from "../../ccp-bridge/wire/change-prog.ts";
import { MESSAGE_TYPES } from "../../ccp-bridge/wire/header.ts";
import { encodeInstall } from "../../ccp-bridge/wire/install.ts";
import { decodeMeasure } from "../../ccp-bridge/wire/measure.ts";
import { encodeUpdateField } from "../../ccp-bridge/wire/update-field.ts";

const { controlNonvolatile, immediate, implicit, local, primitive, reportVolatile, temporary } =
  REGISTER_TYPES;

/** u64 values where arithmetic turns: around 0, 2^32, 2^53, 2^63 and 2^64. */
const u64 = fc.oneof(
  fc.bigInt({ min: 0n, max: 20n }),
  ...[32n, 53n, 63n].map((bits) => fc.bigInt({ min: 2n ** bits - 3n, max: 2n ** bits + 3n })),
  fc.bigInt({ min: 2n ** 64n - 4n, max: 2n ** 64n - 1n }),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);
const f64 = fc.oneof(
  fc.integer({ min: 0, max: 5 }),
  u64.map(Number),
  fc.constantFrom(0.4, 1.6, -3, 2 ** 64, Number.NaN, Number.POSITIVE_INFINITY),
);
const readable = fc.oneof(
  fc.tuple(fc.constant(immediate), fc.constantFrom(0, 1, 7, 10, 0x3fffffff, 0x7fffffff, 0xffffffff)),
  fc.tuple(fc.constant(implicit), fc.nat(5)),
  fc.tuple(fc.constant(primitive), fc.nat(16)),
  fc.tuple(fc.constantFrom(controlNonvolatile, reportVolatile, local, temporary), fc.nat(2)),
);
const writable = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constantFrom(controlNonvolatile, reportVolatile), fc.nat(2)) },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom(local, temporary), fc.nat(2)) },
  { weight: 2, arbitrary: fc.tuple(fc.constant(implicit), fc.nat(5)) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom(temporary, reportVolatile), fc.constantFrom(8, 110)) },
);
const instruction: fc.Arbitrary<Instruction> = fc
  .tuple(fc.nat(14), writable, readable, readable)
  .map(([opcode, result, left, right]) => ({
    opcode,
    resultType: result[0],
    resultIndex: result[1],
    leftType: left[0],
    leftIndex: left[1],
    rightType: right[0],
    rightIndex: right[1],
  }));
const machineCode = fc
  .array(fc.tuple(fc.array(instruction, { maxLength: 3 }), fc.array(instruction, { maxLength: 6 })), {
    minLength: 1,
    maxLength: 4,
  })
  .map((blocks) => {
    const instructions: Instruction[] = [];
    const events: ProgramEvent[] = blocks.map(([flag, body]) => {
      const flagIndex = instructions.length;
      instructions.push(...flag, ...body);
      const bodyIndex = flagIndex + flag.length;
      return { flagIndex, flagCount: flag.length, bodyIndex, bodyCount: body.length };
    });
    return { instructions, events };
  });

/** What a run leaves behind but for the registers that are its own business. */
function withoutScratch(block: BigUint64Array): BigUint64Array {
  const scratch = [
    [BLOCK.implicit, IMPLICIT.micros],
    [BLOCK.temporary, CAPACITY.temporary],
    [BLOCK.local, CAPACITY.local],
  ] as const;
  for (const [word, size] of scratch) block.fill(0n, word, word + size);
  return block;
}

function dumpWithoutScratch({ implicit: flagsAndOthers, ...dump }: RegisterDump): Partial<RegisterDump> {
  return { ...dump, implicit: flagsAndOthers.slice(IMPLICIT.micros), temporary: [], local: [] };
}

describe("compiled to WebAssembly, a program does what the interpreter does", () => {
  it("for any machine code on any registers, bit for bit", () => {
    const arena = new OwnArena();
    const [a, b, c] = [arena.allocate(), arena.allocate(), arena.allocate()];
    fc.assert(
      fc.property(
        machineCode,
        fc.array(u64, { minLength: 8, maxLength: 24 }),
        fc.array(f64, { minLength: 17, maxLength: 17 }),
        fc.array(fc.tuple(f64, fc.nat(3)), { minLength: 1, maxLength: 3 }),
        ({ events, instructions }, registers, inputs, runs) => {
          for (const base of [a, b, c]) {
            const word = base / 8;
            arena.u64.fill(0n, word, word + BLOCK.words);
            arena.f64.set(inputs, word);
            for (let i = BLOCK.microsStart; i < BLOCK.control + 4; i++) {
              arena.u64[word + i] = registers[i % registers.length]!;
            }
          }
          const interpret = makeInterpreter(events, instructions, arena);
          const compiled = makeWasmProgram(events, instructions, arena);
          const compiledWhole = makeWholeWasmProgram(events, instructions, arena);
          const block = (base: number): BigUint64Array => arena.u64.slice(base / 8, base / 8 + BLOCK.words);
          for (const [nowUs, flags] of runs) {
            const outcome = interpret(a, nowUs, flags);
            expect(compiledWhole(c, nowUs, flags)).toBe(outcome);
            expect(block(c)).toEqual(block(a));
            expect(compiled(b, nowUs, flags)).toBe(outcome);
            expect(withoutScratch(block(b))).toEqual(withoutScratch(block(a)));
          }
        },
      ),
      { numRuns: 800 },
    );
  });

  it("for any program text, through install, updates and reports", () => {
    const number = fc.letrec<{ expression: string }>((tie) => ({
      expression: fc.oneof(
        { maxDepth: 2, withCrossShrink: true },
        fc.constantFrom("0", "1", "7", "2147483647", "+infinity"),
        fc.constantFrom("x", "y", "Report.a", "Report.b", "Cwnd", "Rate", "Micros", "Ack.now"),
        fc.constantFrom("Ack.bytes_acked", "Flow.rtt_sample_us", "Flow.rate_incoming"),
        fc
          .tuple(
            fc.constantFrom("+", "-", "*", "/", "max", "min", "wrapped_max"),
            tie("expression"),
            tie("expression"),
          )
          .map(([operator, left, right]) => `(${operator} ${left} ${right})`),
      ),
    })).expression;
    const condition = fc.oneof(
      fc.constant("true"),
      fc.tuple(fc.constantFrom(">", "<", "=="), number, number).map(([o, l, r]) => `(${o} ${l} ${r})`),
    );
    const action = fc.oneof(
      fc
        .tuple(fc.constantFrom("x", "y", "Report.a", "Report.b", "Cwnd", "Rate", "Micros"), number)
        .map(([variable, value]) => `(:= ${variable} ${value})`),
      fc
        .tuple(fc.constantFrom("x", "Report.b"), fc.constantFrom("if", "!if", "ewma"), number, number)
        .map(([variable, operator, left, right]) => `(:= ${variable} (${operator} ${left} ${right}))`),
      fc.constantFrom("(report)", "(fallthrough)"),
    );
    const source = fc
      .array(fc.tuple(condition, fc.array(action, { minLength: 1, maxLength: 4 })), {
        minLength: 1,
        maxLength: 3,
      })
      .map((events) => {
        const text = events.map(([when, body]) => `(when ${when} ${body.join(" ")})`).join("\n");
        return `(def (Report (volatile a 0) (b +infinity)) (x 5) (volatile y 1073741823))\n${text}`;
      });
    fc.assert(
      fc.property(
        source,
        fc.constantFrom("strict" as const, "libccp" as const),
        fc.array(fc.tuple(f64, f64, fc.option(u64), fc.nat(100_000)), { minLength: 1, maxLength: 5 }),
        (text, mode, steps) => {
          const program = compileProgram(text);
          const logs = (["interpreter", "wasm", makeWholeWasmProgram] as const).map((execution) => {
            const log: unknown[] = [];
            const dumps: RegisterDump[] = [];
            const datapath = new CcpDatapath({
              mode,
              execution,
              nowUs: 0,
              send: (message) => {
                log.push([...message]);
                return 0;
              },
              onSetCwnd: (_, cwndBytes) => log.push({ cwndBytes }),
              onSetRate: (_, rate) => log.push({ rate }),
            });
            const flow = datapath.openFlow({ initCwndBytes: 14_480, mssBytes: 1448 }, 0);
            datapath.receive(encodeInstall(1, program));
            datapath.receive(encodeChangeProg({ flowId: 1, programUid: 1, updates: [] }));
            let nowUs = 0;
            for (const [acked, rtt, update, advanceUs] of steps) {
              nowUs += advanceUs;
              datapath.setPrimitives(1, { "Ack.bytes_acked": acked, "Flow.rtt_sample_us": rtt });
              if (update !== null) {
                const cwnd = { registerType: implicit, index: 4, value: update };
                const x = { registerType: controlNonvolatile, index: 0, value: update };
                datapath.receive(encodeUpdateField({ flowId: 1, updates: [cwnd, x] }));
              }
              log.push(datapath.invoke(flow, nowUs));
              dumps.push(datapath.registers(1));
            }
            datapath.closeFlow(1, nowUs);
            return { log, dumps, seen: dumps.map(dumpWithoutScratch) };
          });
          const [interpreted, compiled, whole] = logs;
          expect(whole).toEqual(interpreted);
          // what libccp leaves in scratch is part of what it does
          if (mode === "libccp") expect(compiled).toEqual(interpreted);
          else expect(compiled).toMatchObject({ log: interpreted!.log, seen: interpreted!.seen });
        },
      ),
      { numRuns: 200 },
    );
  });

  it("also where a program reads a local that it has not written: what another program left there is seen in libccp's mode alone", () => {
    const writes = "(def (Report (a 0)))(when true (:= mine 7)(:= Report.a mine)(report))";
    const reads =
      "(def (Report (a 0)))(when (> Ack.bytes_acked 0)(:= mine 1)(fallthrough))(when true (:= Report.a mine)(report))";
    for (const [mode, left] of [
      ["strict", 0n],
      ["libccp", 7n],
    ] as const) {
      for (const execution of ["interpreter", "wasm", makeWholeWasmProgram] as const) {
        const reported: bigint[] = [];
        const send = (message: Uint8Array): number => {
          if (message[0] === MESSAGE_TYPES.measure) reported.push(decodeMeasure(message).fields[0]!);
          return 0;
        };
        const datapath = new CcpDatapath({ mode, execution, nowUs: 0, send });
        const flow = datapath.openFlow({ initCwndBytes: 14_480, mssBytes: 1448 }, 0);
        for (const [i, text] of [writes, reads].entries())
          datapath.receive(encodeInstall(i + 1, compileProgram(text)));
        for (const [programUid, acked] of [
          [1, 0],
          [2, 0],
          [2, 1],
          [2, 0],
        ] as const) {
          if (acked === 0 && reported.length < 2)
            datapath.receive(encodeChangeProg({ flowId: 1, programUid, updates: [] }));
          datapath.setPrimitives(1, { "Ack.bytes_acked": acked });
          datapath.invoke(flow, 0);
        }
        expect(reported).toEqual([7n, left, 1n, 1n]);
      }
    }
  });

  it("with the multiplication that lets some overflows pass, as libccp's test does", () => {
    const arena = new OwnArena();
    const base = arena.allocate();
    const square: Instruction = {
      opcode: OPCODES.mul,
      resultType: reportVolatile,
      resultIndex: 0,
      leftType: local,
      leftIndex: 0,
      rightType: local,
      rightIndex: 0,
    };
    const events = [{ flagIndex: 0, flagCount: 0, bodyIndex: 0, bodyCount: 1 }];
    const always = {
      ...square,
      opcode: OPCODES.bind,
      resultType: implicit,
      rightType: immediate,
      rightIndex: 1,
    };
    const program = [{ ...events[0]!, flagCount: 1, bodyIndex: 1 }];
    for (const make of [makeInterpreter, makeWasmProgram]) {
      arena.u64[base / 8 + BLOCK.local] = 2n ** 32n + 1n;
      expect(make(program, [always, square], arena)(base, 0, 0)).toBe(0);
      expect(arena.u64[base / 8 + BLOCK.report]).toBe(8_589_934_593n);
      arena.u64[base / 8 + BLOCK.local] = 2n ** 32n;
      expect(make(program, [always, square], arena)(base, 0, 0)).toBe(-93);
    }
  });

  it("even where the events of a hostile message share all instructions, 255 times 255", () => {
    const arena = new OwnArena();
    const [a, b] = [arena.allocate(), arena.allocate()];
    const count: Instruction = {
      opcode: OPCODES.add,
      resultType: reportVolatile,
      resultIndex: 0,
      leftType: reportVolatile,
      leftIndex: 0,
      rightType: immediate,
      rightIndex: 1,
    };
    const instructions = Array.from({ length: 255 }, () => count);
    const whole = { flagIndex: 0, flagCount: 255, bodyIndex: 0, bodyCount: 255 };
    const events = Array.from({ length: 255 }, () => whole);
    expect(makeWasmProgram(events, instructions, arena)(b, 0, 0)).toBe(0);
    expect(makeInterpreter(events, instructions, arena)(a, 0, 0)).toBe(0);
    expect(arena.u64[b / 8 + BLOCK.report]).toBe(255n * 255n);
    expect(arena.u64[a / 8 + BLOCK.report]).toBe(255n * 255n);
  });
});
