/**
 * Small networks and their optimiser in vectors of four float32: WebAssembly's SIMD without its relaxed part, so the same bits
 * everywhere. Objects are addresses; `agents/fused/fused-mlp.ts` and `agents/nn/adam.ts` are its only users; their types are
 * made of these signatures.
 */
import * as adam from "./adam";
import { floats } from "./memory";
import { Network } from "./network";

/** Without a layer yet. */
export function makeNetwork(): Network {
  return Network.make();
}

/** Behind the layers that it has. */
export function addLayer(network: Network, inputs: i32, outputs: i32): void {
  network.addLayer(inputs, outputs);
}

/** Called once, after the last layer. */
export function finishNetwork(network: Network): void {
  network.finish();
}

/** Where the host puts weights, and finds gradients by them: packed, layer by layer. */
export function weightsOf(network: Network): usize {
  return network.flat;
}

export function gradientsOf(network: Network): usize {
  return network.flatGradients;
}

/** Takes over the weights that the host has put there. */
export function loadWeights(network: Network): void {
  network.load();
}

/** Makes room for rows; where there was less, everything of rows is elsewhere then. */
export function reserveRows(network: Network, rows: i32): void {
  network.reserve(rows);
}

/** [rows x inputs] and so on, packed; of inputs and outputs, and of the gradients by them. */
export function inputsOf(network: Network): usize {
  return network.inputs;
}

export function outputsOf(network: Network): usize {
  return network.outputs;
}

export function outputGradientsOf(network: Network): usize {
  return network.ofOutputs;
}

export function inputGradientsOf(network: Network): usize {
  return network.ofInputs;
}

export function run(network: Network, rows: i32): void {
  network.run(rows);
}

/** Of the rows that were run last. */
export function goBack(network: Network, rows: i32, wantsWeights: bool, wantsInputs: bool): void {
  network.goBack(rows, wantsWeights, wantsInputs);
}

/** Zeroed memory for the host. */
export function allocateFloats(count: i32): usize {
  return floats(count);
}

/** As `adam.ts` has it. */
export function stepAdam(
  parameters: usize,
  gradient: usize,
  m: usize,
  v: usize,
  count: i32,
  shrink: f32,
  rate: f32,
  kept1: f32,
  new1: f32,
  kept2: f32,
  new2: f32,
  epsilon: f32,
): void {
  adam.step(parameters, gradient, m, v, count, shrink, rate, kept1, new1, kept2, new2, epsilon);
}
