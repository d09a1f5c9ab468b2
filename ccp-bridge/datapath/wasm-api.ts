/** The part of the WebAssembly API that we use; the compiler's library does not describe it outside browsers. */

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** Of functions. */
export interface WasmTable {
  readonly length: number;
  grow(entries: number): number;
  set(index: number, value: unknown): void;
}

interface WasmApi {
  readonly Memory: new (limits: { initial: number }) => WasmMemory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: Record<string, Record<string, unknown>>,
  ) => { readonly exports: Record<string, unknown> };
}

export const wasm: WasmApi = (globalThis as unknown as { WebAssembly: WasmApi }).WebAssembly;
export const WASM_PAGE_BYTES = 65_536;

// A memory that grows takes its buffer from who holds it. The first time that any buffer is taken, V8 throws away all that it has
// compiled of typed arrays, which it had taken for lasting: it happens here, before there is much of it.
new wasm.Memory({ initial: 0 }).grow(0);
