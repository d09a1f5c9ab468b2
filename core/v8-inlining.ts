/**
 * V8's budgets for programs that simulate much. Inlining: From an ACK to the packets that it lets out there are some
 * twenty small methods, and a read of a private field takes twice the bytecode of a public one, so V8's own budget (920
 * bytes of bytecode per compiled function) is spent half-way: the rest is called, its times boxed as arguments. With the
 * larger one the whole way is one compiled function. WebAssembly: V8 calls it by one wrapper for all signatures until a
 * function has been called often, which each new instance (a network, a program) begins anew; a wrapper of its own for each
 * signature, compiled once for all instances, takes a third of the time. Results are the same; compiling takes longer, once.
 */
import { setFlagsFromString } from "node:v8";

/** Of all that is inlined into one function: the way of an ACK has about 5,000, that of a packet over links of the general network twice as many. */
const CUMULATIVE_BYTES = 12_000;
/** The same with the function's own code (V8: 4600), whatever the other says. */
const ABSOLUTE_BYTES = 30_000;
/** Of one function that is inlined (V8: 460); the largest on that way has 710. */
const FUNCTION_BYTES = 800;

/**
 * For what takes millions of environment steps: call it before the first. A step is 4 % quicker then, but the compiler takes a second of
 * the processor, more than all runs of most benchmarks do. It holds for the whole process, its worker threads included.
 */
export function raiseInliningBudget(): void {
  setFlagsFromString(`--max-inlined-bytecode-size-cumulative=${CUMULATIVE_BYTES}`);
  setFlagsFromString(`--max-inlined-bytecode-size-absolute=${ABSOLUTE_BYTES}`);
  setFlagsFromString(`--max-inlined-bytecode-size=${FUNCTION_BYTES}`);
  setFlagsFromString("--no-wasm-generic-wrapper");
}
