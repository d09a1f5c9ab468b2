/**
 * A dense network with tanh between the layers: values and gradients. What the host gives and gets is packed as in its flat
 * arrays (`agents/nn/mlp.ts`); in here rows are padded to whole vectors of four, with zeros that stay zeros.
 */
import { floats, padded } from "./memory";
import { addOuterProducts, addRows, product } from "./product";
import { tanhBackward, tanhInPlace } from "./tanh";

/** Rows that go through all layers together: what they need fits into the nearest cache. */
const TILE_ROWS: i32 = 64;

@unmanaged
export class Layer {
  /** the layer before, the layer after; 0: none */
  previous: Layer | null;
  next: Layer | null;
  inputs: i32;
  outputs: i32;
  inputWidth: i32;
  outputWidth: i32;
  /** padded [inputs x outputWidth], [outputs x inputWidth] and [outputWidth] */
  weights: usize;
  transposed: usize;
  biases: usize;
  /** padded gradients [inputWidth x outputWidth] and [outputWidth] */
  ofWeights: usize;
  ofBiases: usize;
  /** [capacity x inputWidth]: what goes in, kept for the way back */
  x: usize;

  static make(inputs: i32, outputs: i32): Layer {
    const layer = changetype<Layer>(floats(offsetof<Layer>() >> 2));
    layer.inputs = inputs;
    layer.outputs = outputs;
    const inputWidth = padded(inputs);
    const outputWidth = padded(outputs);
    layer.inputWidth = inputWidth;
    layer.outputWidth = outputWidth;
    layer.weights = floats(inputs * outputWidth);
    layer.transposed = floats(outputs * inputWidth);
    layer.biases = floats(outputWidth);
    layer.ofWeights = floats(inputWidth * outputWidth);
    layer.ofBiases = floats(outputWidth);
    return layer;
  }

  /** @param flat weights [inputs x outputs], then biases; @returns what comes after them */
  load(flat: usize): usize {
    const bytes: usize = (<usize>this.outputs) << 2;
    for (let i = 0; i < this.inputs; i++) {
      memory.copy(this.weights + ((<usize>(i * this.outputWidth)) << 2), flat, bytes);
      let to = this.transposed + ((<usize>i) << 2);
      for (let j = 0; j < this.outputs; j++) {
        store<f32>(to, load<f32>(flat + ((<usize>j) << 2)));
        to += (<usize>this.inputWidth) << 2;
      }
      flat += bytes;
    }
    memory.copy(this.biases, flat, bytes);
    return flat + bytes;
  }

  /** @param flat as `load` has it; @returns what comes after */
  unloadGradients(flat: usize): usize {
    const bytes: usize = (<usize>this.outputs) << 2;
    for (let i = 0; i < this.inputs; i++) {
      memory.copy(flat, this.ofWeights + ((<usize>(i * this.outputWidth)) << 2), bytes);
      flat += bytes;
    }
    memory.copy(flat, this.ofBiases, bytes);
    return flat + bytes;
  }

  clearGradients(): void {
    memory.fill(this.ofWeights, 0, (<usize>(this.inputWidth * this.outputWidth)) << 2);
    memory.fill(this.ofBiases, 0, (<usize>this.outputWidth) << 2);
  }
}

@unmanaged
export class Network {
  first: Layer | null;
  last: Layer | null;
  /** rows that there is room for */
  capacity: i32;
  /** weights and gradients as the host has them */
  flat: usize;
  flatGradients: usize;
  /** [capacity x inputs], [capacity x outputs]: packed, for the host */
  inputs: usize;
  outputs: usize;
  /** [capacity x outputs] and, on demand, [capacity x inputs]: gradients of a loss */
  ofOutputs: usize;
  ofInputs: usize;
  /** padded outputs of the last layer, [TILE_ROWS x its width] */
  tail: usize;
  /** gradients by what lies between two layers, [TILE_ROWS x widest] each */
  here: usize;
  there: usize;

  static make(): Network {
    return changetype<Network>(floats(offsetof<Network>() >> 2));
  }

  addLayer(inputs: i32, outputs: i32): void {
    const layer = Layer.make(inputs, outputs);
    const before = this.last;
    if (before === null) this.first = layer;
    else before.next = layer;
    layer.previous = before;
    this.last = layer;
  }

  finish(): void {
    let size = 0;
    let widest = 0;
    for (let layer = this.first; layer !== null; layer = layer!.next) {
      size += (layer.inputs + 1) * layer.outputs;
      widest = max(widest, max(layer.inputWidth, layer.outputWidth));
    }
    this.flat = floats(size);
    this.flatGradients = floats(size);
    this.tail = floats(TILE_ROWS * this.last!.outputWidth);
    this.here = floats(TILE_ROWS * widest);
    this.there = floats(TILE_ROWS * widest);
  }

  reserve(rows: i32): void {
    if (rows <= this.capacity) return;
    this.capacity = rows;
    for (let layer = this.first; layer !== null; layer = layer!.next) {
      layer.x = floats(rows * layer.inputWidth);
    }
    this.inputs = floats(rows * this.first!.inputs);
    this.outputs = floats(rows * this.last!.outputs);
    this.ofOutputs = floats(rows * this.last!.outputs);
    this.ofInputs = floats(rows * this.first!.inputs);
  }

  load(): void {
    let flat = this.flat;
    for (let layer = this.first; layer !== null; layer = layer!.next) flat = layer.load(flat);
  }

  @inline
  private xOf(layer: Layer, row: i32): usize {
    return layer.x + ((<usize>(row * layer.inputWidth)) << 2);
  }

  run(rows: i32): void {
    for (let row = 0; row < rows; row += TILE_ROWS) this.runTile(row, min(TILE_ROWS, rows - row));
  }

  private runTile(row: i32, rows: i32): void {
    let layer = this.first!;
    copyRows(
      this.inputs + ((<usize>(row * layer.inputs)) << 2),
      layer.inputs,
      this.xOf(layer, row),
      layer.inputWidth,
      layer.inputs,
      rows,
    );
    for (;;) {
      const next = layer.next;
      const y = next === null ? this.tail : this.xOf(next, row);
      product(
        this.xOf(layer, row),
        layer.inputWidth,
        rows,
        layer.inputs,
        layer.weights,
        layer.biases,
        y,
        layer.outputWidth,
      );
      if (next === null) break;
      tanhInPlace(y, rows * layer.outputWidth);
      layer = next;
    }
    copyRows(
      this.tail,
      layer.outputWidth,
      this.outputs + ((<usize>(row * layer.outputs)) << 2),
      layer.outputs,
      layer.outputs,
      rows,
    );
  }

  /** Of the rows that were run last. */
  goBack(rows: i32, wantsWeights: bool, wantsInputs: bool): void {
    if (wantsWeights) {
      for (let layer = this.first; layer !== null; layer = layer!.next) layer.clearGradients();
    }
    for (let row = 0; row < rows; row += TILE_ROWS) {
      this.goBackTile(row, min(TILE_ROWS, rows - row), wantsWeights, wantsInputs);
    }
    if (!wantsWeights) return;
    let flat = this.flatGradients;
    for (let layer = this.first; layer !== null; layer = layer!.next) {
      flat = layer.unloadGradients(flat);
    }
  }

  private goBackTile(row: i32, rows: i32, wantsWeights: bool, wantsInputs: bool): void {
    let layer = this.last!;
    let y = this.here;
    let x = this.there;
    // what lies beyond the outputs may be of another layer
    if (layer.outputs < layer.outputWidth) memory.fill(y, 0, (<usize>(rows * layer.outputWidth)) << 2);
    copyRows(
      this.ofOutputs + ((<usize>(row * layer.outputs)) << 2),
      layer.outputs,
      y,
      layer.outputWidth,
      layer.outputs,
      rows,
    );
    for (;;) {
      const inputs = this.xOf(layer, row);
      if (wantsWeights) {
        addOuterProducts(inputs, layer.inputWidth, y, layer.outputWidth, rows, layer.ofWeights);
        addRows(y, layer.outputWidth, rows, layer.ofBiases);
      }
      const previous = layer.previous;
      if (previous === null && !wantsInputs) return;
      product(y, layer.outputWidth, rows, layer.outputs, layer.transposed, 0, x, layer.inputWidth);
      if (previous === null) break;
      tanhBackward(inputs, x, rows * layer.inputWidth);
      const kept = y;
      y = x;
      x = kept;
      layer = previous;
    }
    copyRows(
      x,
      layer.inputWidth,
      this.ofInputs + ((<usize>(row * layer.inputs)) << 2),
      layer.inputs,
      layer.inputs,
      rows,
    );
  }
}

/** @param width numbers of each row; strides in numbers */
function copyRows(from: usize, fromStride: i32, to: usize, toStride: i32, width: i32, rows: i32): void {
  if (fromStride === toStride) {
    memory.copy(to, from, (<usize>(rows * width)) << 2);
    return;
  }
  const bytes: usize = (<usize>width) << 2;
  for (let r = 0; r < rows; r++) {
    for (let at: usize = 0; at < bytes; at += 4) store<f32>(to + at, load<f32>(from + at));
    from += (<usize>fromStride) << 2;
    to += (<usize>toStride) << 2;
  }
}
