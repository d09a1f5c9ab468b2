/** `agents/fused/wasm/` compiled to WebAssembly: an instance with a memory of its own for each network and each optimiser. */
import { wasm } from "../../ccp-bridge/datapath/wasm-api.ts";
import { CcparkError } from "../../core/errors.ts";
import type { FusedExports } from "./generated/fused-interface.ts";
import { FUSED_WASM } from "./generated/fused-wasm.ts";

let compiled: object | undefined;

function fusedModule(): object {
  if (compiled !== undefined) return compiled;
  try {
    compiled = new wasm.Module(Uint8Array.from(atob(FUSED_WASM), (character) => character.charCodeAt(0)));
  } catch (cause) {
    throw new CcparkError(
      "unavailable",
      "[agents] policies do not run here: got a WebAssembly without SIMD, expected a processor that Node.js has it for, such as x86-64 with SSE 4.1 or 64-bit ARM",
      { cause },
    );
  }
  return compiled;
}

/** Its memory goes with it. @throws CcparkError (unavailable) on a processor without SIMD */
export function fusedInstance(): FusedExports {
  return new wasm.Instance(fusedModule(), {}).exports as unknown as FusedExports;
}
