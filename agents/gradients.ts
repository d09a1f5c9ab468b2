/**
 * Who computes a learner's gradients: the learner itself, in vectors (`fused/`), or TensorFlow.js, which says what is right. Results
 * differ in low bits.
 */
import { BACKEND_NAMES, type BackendName, chooseBackend } from "./tfjs/tfjs-backend.ts";
import type { Tf } from "./tfjs/tfjs-patches.ts";

export type GradientsRequest = BackendName | "auto" | "simd";
export const GRADIENTS_REQUESTS: readonly GradientsRequest[] = ["auto", "simd", ...BACKEND_NAMES];

export interface Gradients {
  /** one line for people */
  readonly detail: string;
  /** undefined: without TensorFlow.js */
  readonly tf: Tf | undefined;
}

/**
 * @param wanted auto: in vectors, as every learner here can
 * @throws CcparkError (unavailable) where the backend of TensorFlow.js that is named does not work here
 */
export async function chooseGradients(wanted: GradientsRequest): Promise<Gradients> {
  if (wanted === "auto" || wanted === "simd") {
    return { detail: "simd: WebAssembly, four numbers at once", tf: undefined };
  }
  const backend = await chooseBackend(wanted);
  return { detail: `TensorFlow.js ${backend.name}: ${backend.detail}`, tf: backend.tf };
}
