/**
 * Chooses and starts the TensorFlow.js backend. Everything is imported when asked for, so that a program that does not
 * learn does not pay for it (about 0.15 s). One process has one current backend: the last one chosen.
 */
import { CcparkError } from "../../core/errors.ts";
import { registerGradients } from "./tfjs-gradients.ts";
import { loadNativeTf } from "./tfjs-node-files.ts";
import { applyChecked, selfTest, type Tf, WASM_PATCHES } from "./tfjs-patches.ts";
import { withoutStrayHandlers } from "./tfjs-wasm-loader.ts";

export type BackendName = "node" | "wasm" | "cpu";
export type BackendRequest = BackendName | "auto";
/** the fastest first */
export const BACKEND_NAMES: readonly BackendName[] = ["node", "wasm", "cpu"];

export interface Backend {
  readonly name: BackendName;
  /** one line for people: version, patches, why not a faster one */
  readonly detail: string;
  readonly tf: Tf;
}

interface Attempt {
  readonly backend?: Backend;
  /** why there is none */
  readonly reason: string;
}

async function loadCore(): Promise<Tf> {
  const tf = await import("@tensorflow/tfjs-core");
  tf.enableProdMode(); // no banner on the console
  registerGradients(tf);
  return tf;
}

async function startNode(): Promise<Attempt> {
  const native = await loadNativeTf();
  if (!native.ok) return { reason: native.reason };
  registerGradients(native.tf);
  const wrong = selfTest(native.tf);
  if (wrong !== undefined) return { reason: `self-test: ${wrong}` };
  const backend: Backend = {
    name: "node",
    detail: `native TensorFlow, tfjs ${native.tf.version_core}`,
    tf: native.tf,
  };
  return { backend, reason: "" };
}

async function startWasm(): Promise<Attempt> {
  try {
    const tf = await loadCore();
    await import("@tensorflow/tfjs-backend-wasm");
    const ready = await withoutStrayHandlers(() => tf.setBackend("wasm"));
    if (!ready) return { reason: "the wasm backend does not start" };
    const patches = applyChecked(tf, WASM_PATCHES);
    const wrong = selfTest(tf);
    if (wrong !== undefined) return { reason: `self-test: ${wrong}` };
    const detail = `WebAssembly, tfjs ${tf.version_core}; ${patches.join(", ")}`;
    return { backend: { name: "wasm", detail, tf }, reason: "" };
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error) };
  }
}

async function startCpu(): Promise<Attempt> {
  const tf = await loadCore();
  await import("@tensorflow/tfjs-backend-cpu");
  if (!(await tf.setBackend("cpu"))) return { reason: "the cpu backend does not start" };
  const backend: Backend = { name: "cpu", detail: `plain JavaScript, tfjs ${tf.version_core}`, tf };
  return { backend, reason: "" };
}

const START: Readonly<Record<BackendName, () => Promise<Attempt>>> = {
  node: startNode,
  wasm: startWasm,
  cpu: startCpu,
};

/** The same backend is started once; asking for it again only makes it the current one. */
const started = new Map<BackendName, Promise<Attempt>>();

async function start(name: BackendName): Promise<Attempt> {
  let attempt = started.get(name);
  if (attempt === undefined) {
    attempt = START[name]();
    started.set(name, attempt);
  }
  const result = await attempt;
  await result.backend?.tf.setBackend(name === "node" ? "tensorflow" : name);
  return result;
}

/**
 * @param requested auto: native TensorFlow where the user has installed `@tensorflow/tfjs-node` and it passes a
 *   self-test, else wasm, else cpu. The results of two backends differ in low bits.
 * @throws CcparkError (unavailable) where the named backend does not work here
 */
export async function chooseBackend(requested: BackendRequest): Promise<Backend> {
  const order: readonly BackendName[] = requested === "auto" ? BACKEND_NAMES : [requested];
  let last: Attempt = { reason: "" };
  let wasmReason = "";
  for (const name of order) {
    last = await start(name);
    if (last.backend !== undefined) {
      if (wasmReason === "") return last.backend;
      return { ...last.backend, detail: `${last.backend.detail}; no wasm: ${wasmReason}` };
    }
    if (name === "wasm") wasmReason = last.reason;
  }
  const hint =
    requested === "node" ? "; `npm install @tensorflow/tfjs-node` or choose `auto`" : "; choose `auto`";
  throw new CcparkError(
    "unavailable",
    `[backend] \`${requested}\` does not work here: ${last.reason}${hint}`,
  );
}
