/**
 * Who computes a learner's gradients: the learner itself, in vectors (`fused/`), or TensorFlow.js, which says what is right and
 * serves learners that have no other way. Results differ in low bits.
 */
import { CcparkError } from "../core/errors.ts";
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
 * @param wanted auto: in vectors where the learner can, else what TensorFlow.js runs best on
 * @param learner.isFused whether it can do without TensorFlow.js
 * @throws CcparkError (unavailable) where what is named does not work here, or not for the learner
 */
export async function chooseGradients(
  wanted: GradientsRequest,
  { name, isFused }: { readonly name: string; readonly isFused: boolean },
): Promise<Gradients> {
  if (isFused && (wanted === "auto" || wanted === "simd")) {
    return { detail: "simd: WebAssembly, four numbers at once", tf: undefined };
  }
  if (wanted === "simd") {
    throw new CcparkError(
      "unavailable",
      `[${name}] backend: got \`simd\`, which \`${name}\` does not have, expected ${["auto", ...BACKEND_NAMES].map((each) => `\`${each}\``).join(", ")}`,
    );
  }
  const backend = await chooseBackend(wanted);
  return { detail: `TensorFlow.js ${backend.name}: ${backend.detail}`, tf: backend.tf };
}
