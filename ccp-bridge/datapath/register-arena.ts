/**
 * Where flows keep their registers: fixed-size blocks in a WebAssembly.Memory. Datapaths of a thread share one (a memory
 * reserves much address space); those of a simulated network lie in the network's own, where its engine runs their programs.
 * Compiled programs and the interpreter work on the same blocks.
 *
 * A block, in words of 8 bytes: primitives (f64), what the host applies (f64), start of `Micros` (i64), the register files
 * (i64), then what an engine must know to run the program by itself.
 */
import type { RunProgram } from "./program-runner.ts";
import { WASM_PAGE_BYTES, type WasmMemory, wasm } from "./wasm-api.ts";

/** Word offsets within a block; the files have libccp's capacities. */
export const BLOCK = {
  /** 15 primitives by wire index, f64; slot 5 (`Ack.now`) holds the datapath's time zero, microseconds */
  primitives: 0,
  /** f64: the congestion window that the host applies, bytes; `Cwnd` is loaded from here before each run */
  hostCwnd: 15,
  /** f64: the pacing rate that the host applies, bytes/s; 0: none */
  hostRate: 16,
  /** i64: the time at which `Micros` was 0 */
  microsStart: 17,
  implicit: 18,
  temporary: 24,
  local: 32,
  report: 40,
  control: 150,
  /**
   * u32: by this number an engine may run the flow's program without asking the datapath; 0: it must ask. The upper half: what
   * of the two staged values it has to take before it does so (1: `stagedCwnd`, 2: `stagedRate`)
   */
  runnable: 264,
  /** f64: when the program ran last, microseconds */
  lastUs: 265,
  /** f64: the host applies no smaller window and no smaller rate (but none) */
  minCwnd: 266,
  minRate: 267,
  /** f64: what the agent has set `Cwnd` and `Rate` to, bytes and bytes/s, whole; 0 sets the register and not the host's value */
  stagedCwnd: 268,
  stagedRate: 269,
  words: 270,
} as const;

export const BLOCK_BYTES: number = BLOCK.words * 8;

export interface RegisterArena {
  readonly memory: WasmMemory;
  /** views of the whole memory; they change when it grows, so read them afresh */
  readonly f64: Float64Array;
  readonly u32: Uint32Array;
  readonly u64: BigUint64Array;
  /** First byte of a zeroed block. */
  allocate(): number;
  release(base: number): void;
  /** The number by which the memory's owner calls a program of its own; 0: it does not. */
  numberOf(program: RunProgram): number;
}

/** An arena with a memory of its own. */
export class OwnArena implements RegisterArena {
  readonly memory: WasmMemory = new wasm.Memory({ initial: 64 });
  /** views of the whole memory; they change when it grows, so read them afresh */
  f64: Float64Array;
  u32: Uint32Array;
  u64: BigUint64Array;
  #free: number[] = [];
  #used = 0;

  constructor() {
    const { buffer } = this.memory;
    this.f64 = new Float64Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.u64 = new BigUint64Array(buffer);
  }

  /** First byte of a zeroed block. */
  allocate(): number {
    const base = this.#free.pop() ?? this.#append();
    this.f64.fill(0, base / 8, base / 8 + BLOCK.words);
    return base;
  }

  release(base: number): void {
    this.#free.push(base);
  }

  numberOf(): number {
    return 0;
  }

  #append(): number {
    const base = this.#used;
    this.#used += BLOCK_BYTES;
    const missing = this.#used - this.memory.buffer.byteLength;
    if (missing > 0) {
      // Doubling keeps the number of detached views low.
      this.memory.grow(Math.max(Math.ceil(missing / WASM_PAGE_BYTES), this.memory.buffer.byteLength >>> 16));
      const { buffer } = this.memory;
      this.f64 = new Float64Array(buffer);
      this.u32 = new Uint32Array(buffer);
      this.u64 = new BigUint64Array(buffer);
    }
    return base;
  }
}

let shared: OwnArena | undefined;

/** The arena of this thread. Sharing it is invisible: blocks are zeroed and nobody reads another's. */
export function sharedArena(): RegisterArena {
  shared ??= new OwnArena();
  return shared;
}
