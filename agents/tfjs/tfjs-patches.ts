/**
 * Two replacements for slow parts of the wasm backend of TensorFlow.js 4.22, and the self-test that admits them.
 *
 * The wasm backend runs a product without transposed operands on XNNPACK and any other on a scalar kernel, five times
 * slower; every gradient of a dense layer is of the second sort. Its tanh is scalar too, its sigmoid is not. So:
 * gradients of products transpose explicitly first, and tanh(x) = 2 sigmoid(2x) - 1.
 *
 * A patch stays only if forward values and gradients agree with references computed here in float64; otherwise it is
 * taken back. Global state of TensorFlow.js is changed: products and tanh of other users of the same module, too.
 */
import type { GradConfig, KernelConfig, NamedAttrMap, Tensor, TensorInfo } from "@tensorflow/tfjs-core";
import { tanh } from "../../core/math.ts";

export type Tf = typeof import("@tensorflow/tfjs-core");

export interface Patch {
  readonly name: string;
  /** replaces the stock part */
  apply(tf: Tf): void;
  /** puts the stock part back */
  revert(tf: Tf): void;
}

/** Last two axes swapped. */
function transposed(tf: Tf, x: Tensor): Tensor {
  const axes = Array.from({ length: x.rank }, (_, i) => i);
  [axes[x.rank - 2], axes[x.rank - 1]] = [axes[x.rank - 1]!, axes[x.rank - 2]!];
  return tf.transpose(x, axes);
}

/** A patch of one gradient. The stock configuration is found at the first `apply`. */
export function makeGradientPatch(name: string, make: (tf: Tf) => GradConfig): Patch {
  let stock: GradConfig | undefined;
  return {
    name,
    apply(tf) {
      const config = make(tf);
      stock ??= tf.getGradient(config.kernelName);
      if (stock !== undefined) tf.unregisterGradient(config.kernelName);
      tf.registerGradient(config);
    },
    revert(tf) {
      if (stock === undefined) return;
      tf.unregisterGradient(stock.kernelName);
      tf.registerGradient(stock);
    },
  };
}

/** A patch of one wasm kernel. The stock configuration is found at the first `apply`. */
export function makeKernelPatch(name: string, make: (tf: Tf) => KernelConfig): Patch {
  let stock: KernelConfig | undefined;
  return {
    name,
    apply(tf) {
      const config = make(tf);
      stock ??= tf.getKernel(config.kernelName, config.backendName);
      if (stock !== undefined) tf.unregisterKernel(config.kernelName, config.backendName);
      tf.registerKernel(config);
    },
    revert(tf) {
      if (stock === undefined) return;
      tf.unregisterKernel(stock.kernelName, stock.backendName);
      tf.registerKernel(stock);
    },
  };
}

export const matMulGradientPatch: Patch = makeGradientPatch("matMul gradient", (tf) => ({
  kernelName: "BatchMatMul",
  inputsToSave: ["a", "b"],
  gradFunc: (dy: Tensor | Tensor[], saved: Tensor[], attrs: NamedAttrMap) => {
    const [a, b] = saved as [Tensor, Tensor];
    const out = dy as Tensor;
    const { transposeA, transposeB } = attrs as { transposeA?: boolean; transposeB?: boolean };
    const t = (x: Tensor): Tensor => transposed(tf, x);
    // With A' and B' the operands as multiplied: dA' = dY B'^T, dB' = A'^T dY; then back to the stored orientation.
    return {
      a: () => {
        const bT = transposeB ? b : t(b);
        return transposeA ? tf.matMul(t(bT), t(out)) : tf.matMul(out, bT);
      },
      b: () => {
        const aT = transposeA ? a : t(a);
        return transposeB ? tf.matMul(t(out), t(aT)) : tf.matMul(aT, out);
      },
    };
  },
}));

export const tanhKernelPatch: Patch = makeKernelPatch("tanh kernel", (tf) => ({
  kernelName: "Tanh",
  backendName: "wasm",
  kernelFunc: ({ inputs }): TensorInfo =>
    tf.tidy(() => {
      const x = inputs["x"] as Tensor;
      return tf.sub(tf.mul(tf.sigmoid(tf.add(x, x)), 2), 1);
    }),
}));

/** What the wasm backend gets. */
export const WASM_PATCHES: readonly Patch[] = [matMulGradientPatch, tanhKernelPatch];

/** Reproducible values in about [-1, 1] that repeat nowhere in a small test. */
function pattern(size: number, salt: number): Float32Array {
  return Float32Array.from({ length: size }, (_, i) => {
    const x = (i + 1) * 0.754877666 + salt * 0.569840291;
    return 2 * (x - Math.floor(x)) - 1;
  });
}

function largestError(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  let worst = got.length === expected.length ? 0 : Infinity;
  for (let i = 0; i < got.length; i++) {
    const error = Math.abs(got[i]! - expected[i]!);
    if (!(error <= worst)) worst = error; // NaN is the worst of all and stays
  }
  return worst;
}

/** tanh over its whole range against the owned one; returns the largest absolute error. */
function tanhError(tf: Tf): number {
  const xs = Float32Array.from({ length: 403 }, (_, i) => (i - 201) / 10);
  const got = tf.tidy(() => tf.tanh(tf.tensor1d(xs)).dataSync());
  return largestError(got, Float64Array.from(xs, tanh));
}

const PRODUCT = { m: 7, k: 51, n: 5 };

/** Gradients of sum(C * op(A) op(B)) for the four transpose flags against loops; largest absolute error. */
function productGradientError(tf: Tf): number {
  const { m, k, n } = PRODUCT;
  const left = pattern(m * k, 1); // [m x k]
  const right = pattern(k * n, 2); // [k x n]
  const weight = pattern(m * n, 3); // [m x n]
  const flip = (x: Float32Array, rows: number, columns: number): Float32Array =>
    Float32Array.from(x, (_, i) => x[(i % rows) * columns + Math.floor(i / rows)]!);
  const gradLeft = new Float32Array(m * k);
  const gradRight = new Float32Array(k * n);
  for (let i = 0; i < m; i++) {
    for (let p = 0; p < k; p++) {
      for (let j = 0; j < n; j++) {
        gradLeft[i * k + p]! += weight[i * n + j]! * right[p * n + j]!;
        gradRight[p * n + j]! += weight[i * n + j]! * left[i * k + p]!;
      }
    }
  }
  let worst = 0;
  for (const transposeA of [false, true]) {
    for (const transposeB of [false, true]) {
      const [gotA, gotB] = tf.tidy(() => {
        const a = transposeA ? tf.tensor2d(flip(left, m, k), [k, m]) : tf.tensor2d(left, [m, k]);
        const b = transposeB ? tf.tensor2d(flip(right, k, n), [n, k]) : tf.tensor2d(right, [k, n]);
        const c = tf.tensor2d(weight, [m, n]);
        const loss = (x: Tensor, y: Tensor): Tensor =>
          tf.sum(tf.mul(tf.matMul(x, y, transposeA, transposeB), c));
        return tf
          .grads(loss as (...args: Tensor[]) => Tensor)([a, b])
          .map((g) => g.dataSync());
      }) as [Float32Array, Float32Array];
      worst = Math.max(
        worst,
        largestError(gotA, transposeA ? flip(gradLeft, m, k) : gradLeft),
        largestError(gotB, transposeB ? flip(gradRight, k, n) : gradRight),
      );
    }
  }
  return worst;
}

const NETWORK = { rows: 7, inputs: 37, hidden: 51 };

/** Gradients of mean((tanh(X W) v)^2) against central differences in float64; largest absolute error. */
function networkGradientError(tf: Tf): number {
  const { rows, inputs, hidden } = NETWORK;
  const x = pattern(rows * inputs, 4);
  const w = Float64Array.from(pattern(inputs * hidden, 5));
  const v = Float64Array.from(pattern(hidden, 6));
  const loss = (): number => {
    let sum = 0;
    for (let r = 0; r < rows; r++) {
      let out = 0;
      for (let j = 0; j < hidden; j++) {
        let acc = 0;
        for (let i = 0; i < inputs; i++) acc += x[r * inputs + i]! * w[i * hidden + j]!;
        out += tanh(acc) * v[j]!;
      }
      sum += out * out;
    }
    return sum / rows;
  };
  const [gotW, gotV] = tf.tidy(() => {
    const xT = tf.tensor2d(x, [rows, inputs]);
    const f = (a: Tensor, b: Tensor): Tensor => tf.mean(tf.square(tf.matMul(tf.tanh(tf.matMul(xT, a)), b)));
    const at = [
      tf.tensor2d(Float32Array.from(w), [inputs, hidden]),
      tf.tensor2d(Float32Array.from(v), [hidden, 1]),
    ];
    return tf
      .grads(f as (...args: Tensor[]) => Tensor)(at)
      .map((g) => g.dataSync());
  }) as [Float32Array, Float32Array];
  const step = 1e-5;
  let worst = 0;
  const compare = (parameters: Float64Array, got: Float32Array, stride: number): void => {
    for (let i = 0; i < parameters.length; i += stride) {
      const kept = parameters[i]!;
      parameters[i] = kept + step;
      const above = loss();
      parameters[i] = kept - step;
      const below = loss();
      parameters[i] = kept;
      const error = Math.abs(got[i]! - (above - below) / (2 * step));
      if (!(error <= worst)) worst = error;
    }
  };
  compare(w, gotW, 61);
  compare(v, gotV, 5);
  return worst;
}

/** float32 sums of 51 terms of size 1 are good to about 1e-5; a wrong formula is off by far more. */
const TOLERANCE = 1e-4;
const TANH_TOLERANCE = 2e-6;

/** Compares tanh, gradients of products and of a small network with references; returns what is wrong, or undefined. */
export function selfTest(tf: Tf): string | undefined {
  const checks: readonly [string, () => number, number][] = [
    ["tanh", () => tanhError(tf), TANH_TOLERANCE],
    ["gradient of a product", () => productGradientError(tf), TOLERANCE],
    ["gradient of a network", () => networkGradientError(tf), TOLERANCE],
  ];
  for (const [what, error, tolerance] of checks) {
    try {
      const found = error();
      if (!(found <= tolerance)) return `${what} is off by ${found.toExponential(1)}`;
    } catch (cause) {
      return `${what} failed: ${cause instanceof Error ? cause.message : String(cause)}`;
    }
  }
  return undefined;
}

/** Applies each patch, keeps it only if the self-test passes, and says in one phrase per patch what came of it. */
export function applyChecked(tf: Tf, patches: readonly Patch[]): string[] {
  return patches.map((patch) => {
    patch.apply(tf);
    const wrong = selfTest(tf);
    if (wrong === undefined) return `${patch.name} patched`;
    patch.revert(tf);
    return `${patch.name} left as it is (self-test: ${wrong})`;
  });
}
