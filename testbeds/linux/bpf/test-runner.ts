/**
 * Runs programs in the kernel by BPF_PROG_TEST_RUN, one system call per invocation: what proves that the compiled form does
 * what the interpreter does, and what its cost is measured with. Everything but the body is as of the interpreter.
 */
import { bpfTestProgram, KERNEL_FLOW } from "../../../ccp-bridge/datapath/bpf-program.ts";
import { beginRun, endRun, primitiveAt, toU64 } from "../../../ccp-bridge/datapath/interpreter.ts";
import type { MakeRunner, RunProgram } from "../../../ccp-bridge/datapath/program-runner.ts";
import { BLOCK, type RegisterArena } from "../../../ccp-bridge/datapath/register-arena.ts";
import { CAPACITY, type Instruction, type ProgramEvent } from "../../../ccp-bridge/program.ts";
import { type Bpf, type MappedMap, PROGRAM_TYPE } from "./bpf.ts";

/** Register files that lie in one piece in both layouts: word in the block, in the storage, size. */
const FILES = [
  [BLOCK.implicit, KERNEL_FLOW.implicit, CAPACITY.implicit],
  [BLOCK.temporary, KERNEL_FLOW.temporary, CAPACITY.temporary],
  [BLOCK.local, KERNEL_FLOW.local, CAPACITY.local],
  [BLOCK.report, KERNEL_FLOW.report, CAPACITY.report],
] as const;

export class TestRunner {
  readonly #bpf: Bpf;
  readonly #registers: MappedMap;
  readonly #words: BigUint64Array;
  readonly #programs: number[] = [];

  constructor(bpf: Bpf) {
    this.#bpf = bpf;
    this.#registers = bpf.createMappedArray("ccp_registers", 8 * KERNEL_FLOW.words, 1);
    this.#words = new BigUint64Array(this.#registers.bytes, 0, KERNEL_FLOW.words);
  }

  /** @returns a descriptor, closed with the runner */
  load(events: readonly ProgramEvent[], instructions: readonly Instruction[]): number {
    const fd = this.#bpf.loadProgram({
      type: PROGRAM_TYPE.schedCls,
      instructions: bpfTestProgram(events, instructions, this.#registers.fd),
      name: "ccp_test",
    });
    this.#programs.push(fd);
    return fd;
  }

  /** For a datapath: `execution`. */
  get makeRunner(): MakeRunner {
    return (events, instructions, arena) => {
      const fd = this.load(events, instructions);
      return this.#runIn(arena, fd);
    };
  }

  #runIn(arena: RegisterArena, fd: number): RunProgram {
    return (base, nowUs, flags) => {
      const word = base / 8;
      const now = toU64(nowUs);
      beginRun(arena, word, now, flags);
      this.#put(arena, word, now);
      this.#bpf.testRun(fd);
      this.#take(arena, word);
      const code = Number(BigInt.asIntN(64, this.#words[KERNEL_FLOW.code]!));
      if (code >= 0) endRun(arena, word, flags);
      return code;
    };
  }

  #put(arena: RegisterArena, word: number, now: bigint): void {
    const words = this.#words;
    const { u64 } = arena;
    for (let i = 0; i < CAPACITY.primitive; i++) {
      words[KERNEL_FLOW.primitives + i] = primitiveAt(arena, word, i, now);
    }
    words[KERNEL_FLOW.microsStart] = u64[word + BLOCK.microsStart]!;
    words[KERNEL_FLOW.nowUs] = now;
    for (const [from, to, size] of FILES) {
      words.set(u64.subarray(word + from, word + from + size), to);
    }
    for (let i = 0; i < CAPACITY.control; i++)
      words[KERNEL_FLOW.control - i] = u64[word + BLOCK.control + i]!;
  }

  #take({ u64 }: RegisterArena, word: number): void {
    const words = this.#words;
    u64[word + BLOCK.microsStart] = words[KERNEL_FLOW.microsStart]!;
    for (const [to, from, size] of FILES) u64.set(words.subarray(from, from + size), word + to);
    for (let i = 0; i < CAPACITY.control; i++)
      u64[word + BLOCK.control + i] = words[KERNEL_FLOW.control - i]!;
  }

  close(): void {
    for (const fd of this.#programs.splice(0)) this.#bpf.close(fd);
    this.#registers.close();
  }
}
