/**
 * Loads the optional native addon `@tensorflow/tfjs-node` from the user's installation, if it is there and works.
 * It fails in many ways (package missing, addon missing, libtensorflow missing, wrong Node version), mostly without an
 * error code, so any error counts as "not there".
 */
import nodeUtil from "node:util";
import type { Tf } from "./tfjs-patches.ts";

/** Not a literal, so that the compiler and bundlers do not look for an optional package. */
const NATIVE_PACKAGE: string = "@tensorflow/tfjs-node";

export type NativeLoad =
  | { readonly ok: true; readonly tf: Tf }
  | { readonly ok: false; readonly reason: string };

/** tfjs-node 4.22 calls `util.isNullOrUndefined`, which Node 23 removed (tfjs pull request 8425, never released). */
function restoreRemovedUtil(): void {
  const target = nodeUtil as { isNullOrUndefined?: (value: unknown) => boolean };
  target.isNullOrUndefined ??= (value) => value === null || value === undefined;
}

/** Imports the addon, runs one product on it and compares; never throws. */
export async function loadNativeTf(): Promise<NativeLoad> {
  try {
    restoreRemovedUtil();
    const module = (await import(NATIVE_PACKAGE)) as Tf & { default?: Tf };
    const tf = module.default ?? module;
    tf.enableProdMode();
    if (!(await tf.setBackend("tensorflow"))) return { ok: false, reason: "its backend does not start" };
    const product = tf.tidy(() =>
      tf.matMul(tf.tensor2d([1, 2, 3, 4], [2, 2]), tf.tensor2d([5, 6, 7, 8], [2, 2])).dataSync(),
    );
    if ([19, 22, 43, 50].some((expected, i) => product[i] !== expected)) {
      return { ok: false, reason: `a 2 x 2 product came out as [${Array.from(product).join(", ")}]` };
    }
    return { ok: true, tf };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { ok: false, reason: message.split("\n")[0]! };
  }
}
