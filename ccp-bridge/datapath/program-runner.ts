/** How a datapath runs a program on a flow's register block: interpreted or compiled to WebAssembly. */
import type { Instruction, ProgramEvent } from "../program.ts";
import type { RegisterArena } from "./register-arena.ts";

/** Do not load `Cwnd` and `Rate` from what the host applies: staged updates have just been written to them. */
export const KEEP_CWND_AND_RATE = 1;
/** What the host is given is cut to 32 bits, as libccp does. */
export const CUT_TO_32_BITS = 2;

/** What a run says besides libccp's negative errors. */
export const RUN_NOTHING = 0;
export const RUN_REPORT = 1;

/**
 * One invocation: loads the implicit registers, runs the events, and, without an error, hands `Cwnd` and `Rate` to the
 * host's words of the block where they are not 0. Times are microseconds, cut to whole ones.
 * @param base first byte of the flow's block
 * @returns RUN_NOTHING, RUN_REPORT or a negative error
 */
export type RunProgram = (base: number, nowUs: number, flags: number) => number;

export type MakeRunner = (
  events: readonly ProgramEvent[],
  instructions: readonly Instruction[],
  arena: RegisterArena,
) => RunProgram;
