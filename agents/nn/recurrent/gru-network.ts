/**
 * The network of a policy with memory over whole sequences, in vectors: what it says step by step, and gradients back through
 * time. Its matrices are those of gru.ts, the three gates of the input side by side as one layer, and those of the memory as
 * another: a layer for all steps at once where it can be, and for one after the other where it has to be.
 *
 * TensorFlow.js says the same of the same weights (`gruTensor`); tests hold the two together.
 */
import { tanh } from "../../../core/math.ts";
import { FusedMlp } from "../../fused/fused-mlp.ts";
import { denseLayout, type LayerSlice, type MlpLayout, mlpLayout } from "../mlp.ts";
import { GRU_LAYERS, sigmoid } from "./gru.ts";

/** r, z, n */
const GATES = 3;

export class GruNetwork {
  readonly #layout: MlpLayout;
  readonly #units: number;
  /** of the input and of the memory, [rows x (r, z, n)] */
  readonly #ofInput: FusedMlp;
  readonly #ofMemory: FusedMlp;
  readonly #behind: FusedMlp;
  /** where in the weights the network behind begins */
  readonly #behindAt: number;
  /** of the rows that `forward` had last */
  #pass: Pass = { steps: 0, each: 0, goesOn: new Float32Array(0), ...emptyPass(0) };

  constructor(layout: MlpLayout) {
    const [first] = layout.layers as [LayerSlice];
    const units = first.outputs;
    this.#layout = layout;
    this.#units = units;
    this.#ofInput = new FusedMlp(mlpLayout([first.inputs, GATES * units]));
    this.#ofMemory = new FusedMlp(mlpLayout([units, GATES * units]));
    const behind = layout.layers.slice(GRU_LAYERS);
    this.#behindAt = behind[0]!.weightsAt;
    this.#behind = new FusedMlp(denseLayout(behind.map(({ inputs, outputs }) => [inputs, outputs])));
  }

  /** Copies weights, which hold until the next call. @param weights [layout.size] */
  load(weights: Float32Array): void {
    const { layers, size } = this.#layout;
    this.#ofInput.load(sideBySide(weights, layers.slice(0, GATES)));
    this.#ofMemory.load(sideBySide(weights, layers.slice(GATES, GRU_LAYERS)));
    this.#behind.load(weights.subarray(this.#behindAt, size));
  }

  /**
   * @param sequences in the order of time: the first steps of all, then their second ones
   * @returns [rows x outputs] and room to spare; overwritten by the next call
   */
  forward(inputs: Float32Array, { steps, each, started, goesOn }: SequenceRows): Float32Array {
    const units = this.#units;
    const [width, rows] = [GATES * units, steps * each];
    const pass = emptyPass(rows * units);
    this.#pass = { steps, each, goesOn, ...pass };
    const { before, after, r, z, n, ofMemory } = pass;
    const x = this.#ofInput.forward(inputs, rows).slice(0, rows * width);
    before.set(started);
    for (let step = 0; step < steps; step++) {
      const from = step * each * units;
      const to = from + each * units;
      const said = this.#ofMemory.forward(before.subarray(from, to), each);
      for (let row = 0; row < each; row++) {
        const [wide, own] = [(step * each + row) * width, row * width];
        for (let u = 0; u < units; u++) {
          const at = from + row * units + u;
          const m = said[own + 2 * units + u]!;
          r[at] = sigmoid(x[wide + u]! + said[own + u]!);
          z[at] = sigmoid(x[wide + units + u]! + said[own + units + u]!);
          n[at] = tanh(x[wide + 2 * units + u]! + r[at]! * m);
          ofMemory[at] = m;
          after[at] = n[at]! + z[at]! * (before[at]! - n[at]!);
          if (step + 1 < steps) before[to + row * units + u] = after[at]! * goesOn[step * each + row]!;
        }
      }
    }
    return this.#behind.forward(after, rows);
  }

  /**
   * Gradient by the weights, of what `forward` said last, float32 [layout.size].
   * @param slopes of a loss by the outputs, [rows x outputs]
   */
  backward(slopes: Float32Array): Float32Array {
    const units = this.#units;
    const { steps, each, goesOn, before, r, z, n, ofMemory } = this.#pass;
    const [width, rows] = [GATES * units, steps * each];
    const gradient = new Float32Array(this.#layout.size);
    gradient.set(this.#behind.backward(slopes, rows), this.#behindAt);
    const ofAfter = this.#behind.inputGradient(slopes, rows).slice(0, rows * units);
    // by what the layers of the gates say
    const [byInput, byMemory] = [new Float32Array(rows * width), new Float32Array(rows * width)];
    for (let step = steps - 1; step >= 0; step--) {
      const from = step * each * units;
      for (let row = 0; row < each; row++) {
        const wide = (step * each + row) * width;
        for (let u = 0; u < units; u++) {
          const at = from + row * units + u;
          const slope = ofAfter[at]!;
          const ofN = slope * (1 - z[at]!) * (1 - n[at]! * n[at]!);
          const ofR = ofN * ofMemory[at]! * r[at]! * (1 - r[at]!);
          const ofZ = slope * (before[at]! - n[at]!) * z[at]! * (1 - z[at]!);
          byInput[wide + u] = byMemory[wide + u] = ofR;
          byInput[wide + units + u] = byMemory[wide + units + u] = ofZ;
          byInput[wide + 2 * units + u] = ofN;
          byMemory[wide + 2 * units + u] = ofN * r[at]!;
        }
      }
      if (step === 0) break;
      const through = this.#ofMemory.inputGradient(
        byMemory.subarray(step * each * width, (step + 1) * each * width),
        each,
      );
      const earlier = from - each * units;
      for (let row = 0; row < each; row++) {
        const passes = goesOn[(step - 1) * each + row]!;
        for (let u = 0; u < units; u++) {
          const [i, at] = [row * units + u, from + row * units + u];
          ofAfter[earlier + i]! += passes * (ofAfter[at]! * z[at]! + through[i]!);
        }
      }
    }
    const { layers } = this.#layout;
    apart(this.#ofInput.backward(byInput, rows), layers.slice(0, GATES), gradient);
    // the steps were asked one by one: once more, all of them
    this.#ofMemory.forward(before, rows);
    apart(this.#ofMemory.backward(byMemory, rows), layers.slice(GATES, GRU_LAYERS), gradient);
    return gradient;
  }
}

/** Sequences of one length, whose rows lie in the order of time: the first steps of all, then their second ones. */
export interface SequenceRows {
  /** of each sequence */
  readonly steps: number;
  /** sequences */
  readonly each: number;
  /** what is remembered before the first steps, [each x units] */
  readonly started: Float32Array;
  /** [rows]; 0: the episode ended with this step, and the next one begins without memory; else 1 */
  readonly goesOn: Float32Array;
}

/** What a pass over sequences leaves behind for the way back, [rows x units] each. */
interface PassArrays {
  /** what is remembered before and after a step */
  readonly before: Float32Array;
  readonly after: Float32Array;
  readonly r: Float32Array;
  readonly z: Float32Array;
  readonly n: Float32Array;
  /** W_hn h + b_hn */
  readonly ofMemory: Float32Array;
}
type Pass = PassArrays & Pick<SequenceRows, "steps" | "each" | "goesOn">;

function emptyPass(length: number): PassArrays {
  const empty = (): Float32Array => new Float32Array(length);
  return { before: empty(), after: empty(), r: empty(), z: empty(), n: empty(), ofMemory: empty() };
}

/** Calls `visit` with where a number of layers of one shape lies among them all, and where in a layer that has them side by side. */
function eachOf(layers: readonly LayerSlice[], visit: (at: number, wide: number) => void): void {
  const width = layers.reduce((sum, { outputs }) => sum + outputs, 0);
  layers.forEach(({ inputs, outputs, weightsAt }, place) => {
    // biases are the row behind the last
    for (let i = 0; i <= inputs; i++) {
      for (let j = 0; j < outputs; j++) visit(weightsAt + i * outputs + j, i * width + place * outputs + j);
    }
  });
}

/** The weights of one layer that says what these say, one behind the other. */
function sideBySide(weights: Float32Array, layers: readonly LayerSlice[]): Float32Array {
  const wide = new Float32Array(layers.reduce((sum, { inputs, outputs }) => sum + (inputs + 1) * outputs, 0));
  eachOf(layers, (at, to) => {
    wide[to] = weights[at]!;
  });
  return wide;
}

/** The other way round. @param into [layout.size], where these layers are written */
function apart(wide: Float32Array, layers: readonly LayerSlice[], into: Float32Array): void {
  eachOf(layers, (at, from) => {
    into[at] = wide[from]!;
  });
}
