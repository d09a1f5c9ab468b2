import { describe, expect, it } from "vitest";
import { ALU, BpfCode, JUMP, R0, R1, R2, R3, R6 } from "../../ccp-bridge/datapath/bpf-emitter.ts";
import {
  bpfCongControl,
  bpfTestProgram,
  KERNEL_FLOW,
  kernelWord,
} from "../../ccp-bridge/datapath/bpf-program.ts";
import { compileProgram } from "../../ccp-bridge/lang/compiler.ts";
import { CAPACITY, type Instruction, OPCODES, REGISTER_TYPES } from "../../ccp-bridge/program.ts";
import { toHex } from "./vectors.ts";

const emitted = (emit: (code: BpfCode) => void): string => {
  const code = new BpfCode();
  emit(code);
  return toHex(code.bytes());
};

describe("eBPF instructions", () => {
  it("are encoded as RFC 9669 has them", () => {
    expect(emitted((code) => code.alu(ALU.add, R3, R1))).toBe("0f13000000000000");
    expect(emitted((code) => code.aluImmediate(ALU.div, R3, 10))).toBe("370300000a000000");
    expect(emitted((code) => code.aluImmediate(ALU.mov, R3, -91))).toBe("b7030000a5ffffff");
    expect(emitted((code) => code.load(R1, R6, 8))).toBe("7961080000000000");
    expect(emitted((code) => code.store(R6, 16, R2))).toBe("7b26100000000000");
    expect(emitted((code) => code.storeImmediate(R6, 16, 7))).toBe("7a06100007000000");
    expect(emitted((code) => code.loadMap(R1, 5))).toBe("18110000050000000000000000000000");
    expect(emitted((code) => code.loadMapValue(R6, 5))).toBe("18260000050000000000000000000000");
    expect(emitted((code) => code.call(12))).toBe("850000000c000000");
    expect(emitted((code) => code.exit())).toBe("9500000000000000");
  });

  it("move unsigned 32-bit immediates by the 32-bit form, which extends with zeros", () => {
    expect(emitted((code) => code.moveU32(R2, 0xffff_ffff))).toBe("b4020000ffffffff");
  });

  it("jump to labels before and behind them, by a distance from the next instruction", () => {
    const text = emitted((code) => {
      const [back, on] = [code.label(), code.label()];
      code.place(back);
      code.jumpIf(JUMP.less, R3, R1, on);
      code.jumpIfImmediate(JUMP.equal, R1, 0, back);
      code.place(on);
      code.jump(back);
    });
    expect(text).toBe(["ad13010000000000", "1501feff00000000", "0500fdff00000000"].join(""));
  });

  it("do not jump farther than a jump can reach", () => {
    const code = new BpfCode();
    const far = code.label();
    code.jump(far);
    for (let i = 0; i < 2 ** 15; i++) code.moveU32(R0, 0);
    code.place(far);
    expect(() => code.bytes()).toThrow("jump over 32768 instructions");
  });
});

describe("a program as eBPF", () => {
  it("has every register of every file in a word of its own", () => {
    const { controlNonvolatile, implicit, local, primitive, reportVolatile, temporary } = REGISTER_TYPES;
    const files: [number, number][] = [
      [controlNonvolatile, CAPACITY.control],
      [implicit, CAPACITY.implicit],
      [local, CAPACITY.local],
      [primitive, CAPACITY.primitive],
      [reportVolatile, CAPACITY.report],
      [temporary, CAPACITY.temporary],
    ];
    const words = files.flatMap(([type, size]) =>
      Array.from({ length: size }, (_, i) => kernelWord(type, i)!),
    );
    const { microsStart, nowUs, code, stamp, header, words: total } = KERNEL_FLOW;
    words.push(microsStart, nowUs, code, stamp, header, header + 1);
    expect(new Set(words).size).toBe(words.length);
    expect(Math.max(...words)).toBeLessThan(total);
    for (const [type, size] of files) expect(kernelWord(type, size)).toBeUndefined();
  });

  it("lays the report right behind its header, and the controls right below, whatever their number", () => {
    expect(kernelWord(REGISTER_TYPES.reportVolatile, 0)).toBe(KERNEL_FLOW.header + 2);
    expect(kernelWord(REGISTER_TYPES.controlVolatile, 0)).toBe(KERNEL_FLOW.stamp - 1);
  });

  it("has the same body in both frames", () => {
    const { events, instructions } = compileProgram(
      "(def (Report (volatile acked 0)))(when true (:= Report.acked (+ Report.acked Ack.bytes_acked)) (report))",
    );
    const inKernel = toHex(bpfCongControl(events, instructions, { flows: 3, jumps: 4 }, 0));
    const inTest = toHex(bpfTestProgram(events, instructions, 3));
    const body = inTest.slice(2 * 16, -3 * 16);
    expect(body.length).toBeGreaterThan(10 * 16);
    expect(inKernel).toContain(body);
  });

  it("stays within the reach of jumps for the longest program", () => {
    const worst: Instruction = {
      opcode: OPCODES.maxwrap,
      resultType: REGISTER_TYPES.implicit,
      resultIndex: 3,
      leftType: REGISTER_TYPES.primitive,
      leftIndex: 13,
      rightType: REGISTER_TYPES.primitive,
      rightIndex: 13,
    };
    const instructions = Array.from({ length: 255 }, () => worst);
    const events = [{ flagIndex: 0, flagCount: 1, bodyIndex: 1, bodyCount: 254 }];
    expect(bpfTestProgram(events, instructions, 3).length / 8).toBeLessThan(8000);
  });
});
