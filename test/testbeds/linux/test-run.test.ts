import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { overCcp } from "../../../algorithms/reference.ts";
import { ALGORITHMS } from "../../../algorithms/registry.ts";
import { defaultParams } from "../../../algorithms/spec.ts";
import { DATAPATH_ERRORS } from "../../../ccp-bridge/datapath/datapath-errors.ts";
import { checkProgram } from "../../../ccp-bridge/datapath/installed-program.ts";
import { makeInterpreter } from "../../../ccp-bridge/datapath/interpreter.ts";
import { BLOCK, OwnArena } from "../../../ccp-bridge/datapath/register-arena.ts";
import { compileProgram } from "../../../ccp-bridge/lang/compiler.ts";
import {
  CAPACITY,
  type Instruction,
  MAX_INSTRUCTIONS,
  type ProgramEvent,
  REGISTER_TYPES,
} from "../../../ccp-bridge/program.ts";
import { decodeInstall } from "../../../ccp-bridge/wire/install.ts";
import { Rng } from "../../../core/random.ts";
import { loadLibc } from "../../../testbeds/host/libc.ts";
import { Bpf } from "../../../testbeds/linux/bpf/bpf.ts";
import { TestRunner } from "../../../testbeds/linux/bpf/test-runner.ts";
import { fromHex, loadVectors } from "../../ccp-bridge/vectors.ts";
import { playVector } from "../../ccp-bridge/vm-player.ts";
import { kernelRefuses } from "./kernel-access.ts";

const RANDOM_PROGRAMS = 400;
const STATES = 60;
const SEED = 15;

interface Program {
  readonly name: string;
  readonly events: readonly ProgramEvent[];
  readonly instructions: readonly Instruction[];
}

const pick = <T>(rng: Rng, from: readonly T[]): T => from[Math.floor(rng.next() * from.length)]!;
const upTo = (rng: Rng, most: number): number => Math.floor(rng.next() * (most + 1));

/** u64 values where arithmetic turns. */
function drawU64(rng: Rng): bigint {
  const kind = upTo(rng, 6);
  if (kind < 2) return BigInt(upTo(rng, 20));
  if (kind === 2) return BigInt(upTo(rng, 2 ** 31)) * BigInt(upTo(rng, 2 ** 20));
  if (kind === 3) return 2n ** pick(rng, [31n, 32n, 53n, 63n]) + BigInt(upTo(rng, 6)) - 3n;
  if (kind === 4) return 2n ** 64n - 1n - BigInt(upTo(rng, 4));
  return (BigInt(upTo(rng, 2 ** 32 - 1)) << 32n) | BigInt(upTo(rng, 2 ** 32 - 1));
}

function randomProgram(rng: Rng, number: number): Program {
  const { controlNonvolatile, controlVolatile, immediate, implicit, local, primitive } = REGISTER_TYPES;
  const { reportNonvolatile, reportVolatile, temporary } = REGISTER_TYPES;
  const files = [controlNonvolatile, controlVolatile, reportNonvolatile, reportVolatile];
  const readable = (): [number, number] => {
    const kind = upTo(rng, 9);
    if (kind < 2)
      return [immediate, pick(rng, [0, 1, 7, 10, 0x3fffffff, 0x7fffffff, 0x80000000, 0xffffffff])];
    if (kind < 4) return [primitive, upTo(rng, CAPACITY.primitive)];
    if (kind === 4) return [implicit, upTo(rng, 5)];
    if (kind === 5) return [pick(rng, [local, temporary]), upTo(rng, 7)];
    return [pick(rng, files), pick(rng, [0, 1, 2, 3, 109])];
  };
  const writable = (): [number, number] => {
    const kind = upTo(rng, 9);
    if (kind < 2) return [implicit, upTo(rng, 5)];
    if (kind < 4) return [pick(rng, [local, temporary]), pick(rng, [0, 1, 7, 8])];
    return [pick(rng, files), pick(rng, [0, 1, 2, 3, 109, 110])];
  };
  const draw = (): Instruction => {
    const [[resultType, resultIndex], [leftType, leftIndex], [rightType, rightIndex]] = [
      writable(),
      readable(),
      readable(),
    ];
    return { opcode: upTo(rng, 14), resultType, resultIndex, leftType, leftIndex, rightType, rightIndex };
  };
  const count = 1 + upTo(rng, 19);
  const instructions: Instruction[] = [];
  const events: ProgramEvent[] = [];
  for (let i = 0; i < count; i++) {
    const left = MAX_INSTRUCTIONS - instructions.length;
    const flagCount = Math.min(left, upTo(rng, 4));
    const bodyCount = Math.min(left - flagCount, upTo(rng, Math.floor((2 * MAX_INSTRUCTIONS) / count)));
    const flagIndex = instructions.length;
    for (let k = 0; k < flagCount + bodyCount; k++) instructions.push(draw());
    events.push({ flagIndex, flagCount, bodyIndex: flagIndex + flagCount, bodyCount });
  }
  return { name: `random ${number}`, events, instructions };
}

function allPrograms(): Program[] {
  const programs: Program[] = [];
  const vectors = loadVectors();
  for (const { name, source, updates, result } of vectors?.compile ?? []) {
    if (result !== "ok") continue;
    const compiled = compileProgram(source, Object.fromEntries(updates ?? []), { mode: "libccp" });
    programs.push({ name: `compile ${name}`, ...compiled });
  }
  for (const { name, steps } of vectors?.vm ?? []) {
    for (const { op, hex } of steps) {
      if (op !== "deliver" || !hex?.startsWith("0200")) continue;
      try {
        programs.push({ name: `install ${name}`, ...decodeInstall(fromHex(hex)) });
      } catch {} // a message that is torn on purpose
    }
  }
  for (const spec of ALGORITHMS.values()) {
    if (spec.ccp === undefined) continue;
    const algorithm = overCcp({ label: spec.name, spec, params: defaultParams(spec) });
    for (const [name, source] of Object.entries(algorithm.programs)) {
      programs.push({ name: `${spec.name} ${name}`, ...compileProgram(source) });
    }
  }
  const rng = Rng.fromSeed(SEED);
  for (let i = 0; i < RANDOM_PROGRAMS; i++) programs.push(randomProgram(rng, i));
  return programs.filter(({ events, instructions }) => checkProgram(events, instructions, false) === 0);
}

function randomState(rng: Rng, arena: OwnArena, base: number): void {
  const word = base / 8;
  for (let i = 0; i < BLOCK.microsStart; i++) arena.f64[word + i] = Number(drawU64(rng));
  if (upTo(rng, 3) === 0) arena.f64[word + 13] = 0;
  for (let i = BLOCK.microsStart; i < BLOCK.runnable; i++) arena.u64[word + i] = drawU64(rng);
}

const refusal = kernelRefuses();

describe.skipIf(refusal !== undefined)("eBPF in the kernel", () => {
  let bpf: Bpf;

  beforeAll(async () => {
    bpf = new Bpf(await loadLibc());
  });

  it("does what the interpreter does, register for register, code for code", { timeout: 300_000 }, () => {
    const programs = allPrograms();
    const arena = new OwnArena();
    const [a, b] = [arena.allocate(), arena.allocate()];
    const rng = Rng.fromSeed(SEED + 1);
    const codes = new Map<number, number>();
    const differences: string[] = [];
    for (const { name, events, instructions } of programs) {
      const runner = new TestRunner(bpf);
      try {
        const inKernel = runner.makeRunner(events, instructions, arena);
        const interpret = makeInterpreter(events, instructions, arena);
        for (let state = 0; state < STATES; state++) {
          randomState(rng, arena, a);
          arena.u64.copyWithin(b / 8, a / 8, a / 8 + BLOCK.words);
          const nowUs = Number(drawU64(rng));
          const flags = upTo(rng, 3);
          const expected = interpret(a, nowUs, flags);
          const got = inKernel(b, nowUs, flags);
          codes.set(expected, (codes.get(expected) ?? 0) + 1);
          if (got !== expected)
            differences.push(`${name}, state ${state}: code ${got}, expected ${expected}`);
          for (let i = 0; i < BLOCK.words; i++) {
            const [is, should] = [arena.u64[b / 8 + i]!, arena.u64[a / 8 + i]!];
            if (is !== should) differences.push(`${name}, state ${state}: word ${i} is ${is}, not ${should}`);
          }
        }
      } finally {
        runner.close();
      }
    }
    console.log(
      `${programs.length} programs x ${STATES} states, seed ${SEED}; codes`,
      Object.fromEntries(codes),
    );
    expect(differences.slice(0, 10)).toEqual([]);
    expect(programs.length).toBeGreaterThanOrEqual(400);
    for (const name of ["addOverflow", "divisionByZero", "mulOverflow", "subUnderflow"] as const) {
      expect(codes.get(DATAPATH_ERRORS[name]), name).toBeGreaterThan(0);
    }
  });

  describe("as what runs the programs of a datapath", () => {
    let runner: TestRunner;
    beforeAll(() => {
      runner = new TestRunner(bpf);
    });
    afterAll(() => runner.close());
    for (const vector of refusal === undefined ? (loadVectors()?.vm ?? []) : []) {
      it(`does what libccp did, step by step: ${vector.name}`, () => playVector(vector, runner.makeRunner));
    }
  });
});
