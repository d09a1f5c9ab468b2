/**
 * Gradients of the operations that our losses use. The Node build of `@tensorflow/tfjs-core` registers none: they come
 * with the umbrella package, which is 140 MB of things we do not need. Same formulas as there; an operation that has a
 * gradient already keeps it. The self-test (tfjs-patches.ts) compares the result with finite differences.
 */
import type { GradConfig, NamedAttrMap, Tensor } from "@tensorflow/tfjs-core";
import type { Tf } from "./tfjs-patches.ts";

type Dy = Tensor | Tensor[];

function gradientConfigs(tf: Tf): GradConfig[] {
  /** Sums over the axes along which an input of this shape was repeated to give dy. */
  const shrink = (dy: Tensor, shape: number[]): Tensor => {
    const axes = tf.broadcast_util.getReductionAxes(shape, dy.shape);
    if (axes.length === 0) return dy;
    // Gradient of a bias: as a product, 17 times faster on wasm than a sum over the first axis.
    const rows = dy.shape[0]!;
    if (dy.rank === 2 && axes.length === 1 && axes[0] === 0 && rows > 1) {
      return tf.reshape(tf.matMul(tf.ones([1, rows]), dy), shape);
    }
    return tf.reshape(tf.sum(dy, axes), shape);
  };
  /** The inverse of a sum's loss of axes. */
  const spread = (dy: Tensor, x: Tensor, attrs: NamedAttrMap): { axes: number[]; spread: Tensor } => {
    const axes = tf.util.parseAxisParam((attrs["axis"] ?? null) as number[], x.shape);
    const shape = x.shape.map((n, i) => (axes.includes(i) ? 1 : n));
    return { axes, spread: tf.mul(tf.reshape(dy, shape), tf.ones(x.shape)) };
  };
  const binary = (
    kernelName: string,
    da: (dy: Tensor, a: Tensor, b: Tensor) => Tensor,
    db: (dy: Tensor, a: Tensor, b: Tensor) => Tensor,
  ): GradConfig => ({
    kernelName,
    inputsToSave: ["a", "b"],
    gradFunc: (dy: Dy, saved: Tensor[]) => {
      const [a, b] = saved as [Tensor, Tensor];
      return {
        a: () => shrink(da(dy as Tensor, a, b), a.shape),
        b: () => shrink(db(dy as Tensor, a, b), b.shape),
      };
    },
  });
  const ofInput = (
    kernelName: string,
    dx: (dy: Tensor, x: Tensor, attrs: NamedAttrMap) => Tensor,
  ): GradConfig => ({
    kernelName,
    inputsToSave: ["x"],
    gradFunc: (dy: Dy, saved: Tensor[], attrs: NamedAttrMap) => ({
      x: () => dx(dy as Tensor, saved[0]!, attrs),
    }),
  });
  const ofOutput = (kernelName: string, dx: (dy: Tensor, y: Tensor) => Tensor): GradConfig => ({
    kernelName,
    outputsToSave: [true],
    gradFunc: (dy: Dy, saved: Tensor[]) => ({ x: () => dx(dy as Tensor, saved[0]!) }),
  });
  const asFloat = (x: Tensor): Tensor => tf.cast(x, "float32");
  return [
    binary(
      "Add",
      (dy) => dy,
      (dy) => dy,
    ),
    binary(
      "Sub",
      (dy) => dy,
      (dy) => tf.neg(dy),
    ),
    binary(
      "Multiply",
      (dy, _a, b) => tf.mul(dy, b),
      (dy, a) => tf.mul(dy, a),
    ),
    binary(
      "Minimum",
      (dy, a, b) => tf.mul(dy, asFloat(tf.lessEqual(a, b))),
      (dy, a, b) => tf.mul(dy, asFloat(tf.greater(a, b))),
    ),
    ofInput("Neg", (dy) => tf.neg(dy)),
    ofInput("Log", (dy, x) => tf.div(dy, x)),
    ofInput("Square", (dy, x) => tf.mul(dy, tf.add(x, x))),
    ofInput("Reshape", (dy, x) => tf.reshape(dy, x.shape)),
    ofInput("Sum", (dy, x, attrs) => spread(dy, x, attrs).spread),
    ofInput("Mean", (dy, x, attrs) => {
      const { axes, spread: wide } = spread(dy, x, attrs);
      return tf.mul(wide, 1 / axes.reduce((product, axis) => product * x.shape[axis]!, 1));
    }),
    ofInput("ClipByValue", (dy, x, attrs) => {
      const { clipValueMin, clipValueMax } = attrs as { clipValueMin: number; clipValueMax: number };
      const inside = tf.logicalAnd(tf.greaterEqual(x, clipValueMin), tf.lessEqual(x, clipValueMax));
      return tf.mul(dy, asFloat(inside));
    }),
    ofOutput("Exp", (dy, y) => tf.mul(dy, y)),
    ofOutput("Tanh", (dy, y) => tf.mul(dy, tf.sub(1, tf.square(y)))),
    {
      kernelName: "BatchMatMul",
      inputsToSave: ["a", "b"],
      gradFunc: (dyOrList: Dy, saved: Tensor[], attrs: NamedAttrMap) => {
        const [a, b] = saved as [Tensor, Tensor];
        const dy = dyOrList as Tensor;
        const tA = attrs["transposeA"] === true;
        const tB = attrs["transposeB"] === true;
        return {
          a: () => (tA ? tf.matMul(b, dy, tB, true) : tf.matMul(dy, b, false, !tB)),
          b: () => (tB ? tf.matMul(dy, a, true, tA) : tf.matMul(a, dy, !tA, false)),
        };
      },
    },
  ];
}

/** Registers what is missing; calling it again changes nothing. */
export function registerGradients(tf: Tf): void {
  for (const config of gradientConfigs(tf)) {
    if (tf.getGradient(config.kernelName) === undefined) tf.registerGradient(config);
  }
}
