/** Runs programs as WebAssembly: one module per program. Same results as the interpreter, some hundred times faster. */
import { encodeProgram, type Instruction, type ProgramEvent } from "../program.ts";
import { makeInterpreter } from "./interpreter.ts";
import type { MakeRunner, RunProgram } from "./program-runner.ts";
import type { RegisterArena } from "./register-arena.ts";
import { wasm } from "./wasm-api.ts";
import { F64, I32, makeModule } from "./wasm-emitter.ts";
import { programBody } from "./wasm-generator.ts";

/** Modules by program, and what runs them in one arena. Programs are few; a host that makes thousands starts over. */
const MAX_CACHED = 1000;
const modules: Map<string, object> = new Map();
const caches: WeakMap<RegisterArena, Map<string, RunProgram>> = new WeakMap();

/**
 * Events of a hostile message may share instructions: 255 times 255 of them would make a module of megabytes. Programs
 * of the compiler run each instruction at most once, so they have at most 255.
 */
const MAX_UNROLLED = 1000;

/** Of programs that come again as the same lists. */
const keys: WeakMap<
  readonly Instruction[],
  { readonly events: readonly ProgramEvent[]; readonly key: string }
> = new WeakMap();

function keyOf(events: readonly ProgramEvent[], instructions: readonly Instruction[]): string {
  const known = keys.get(instructions);
  if (known?.events === events) return known.key;
  const bytes = Buffer.from(encodeProgram(events, instructions).buffer);
  const key = `${events.length} ${bytes.toString("latin1")}`;
  keys.set(instructions, { events, key });
  return key;
}

const compiled: WeakSet<RunProgram> = new WeakSet();

/** Whether it is a function of a WebAssembly module, so that another module may call it. */
export function isCompiled(run: RunProgram): boolean {
  return compiled.has(run);
}

function make(
  events: readonly ProgramEvent[],
  instructions: readonly Instruction[],
  arena: RegisterArena,
  keepsScratch: boolean,
): RunProgram {
  let cache = caches.get(arena);
  if (cache === undefined || cache.size >= MAX_CACHED) {
    cache = new Map();
    caches.set(arena, cache);
  }
  const key = keepsScratch ? `whole ${keyOf(events, instructions)}` : keyOf(events, instructions);
  const known = cache.get(key);
  if (known !== undefined) return known;
  const unrolled = events.reduce((sum, event) => sum + event.flagCount + event.bodyCount, 0);
  if (unrolled > MAX_UNROLLED) return makeInterpreter(events, instructions, arena);
  let module = modules.get(key);
  if (module === undefined) {
    if (modules.size >= MAX_CACHED) modules.clear();
    const body = programBody(events, instructions, keepsScratch);
    module = new wasm.Module(makeModule([I32, F64, I32], [I32], body));
    modules.set(key, module);
  }
  const instance = new wasm.Instance(module, { env: { memory: arena.memory } });
  const run = instance.exports["run"] as RunProgram;
  compiled.add(run);
  cache.set(key, run);
  return run;
}

/**
 * What a run leaves in scratch is undefined, but for what the program may read before it has written it: that is what the
 * program's last run left there. So another program must find scratch cleared.
 */
export const makeWasmProgram: MakeRunner = (events, instructions, arena) =>
  make(events, instructions, arena, false);

/** As the interpreter in all registers, scratch too: libccp's programs may even read what another program left there. */
export const makeWholeWasmProgram: MakeRunner = (events, instructions, arena) =>
  make(events, instructions, arena, true);
