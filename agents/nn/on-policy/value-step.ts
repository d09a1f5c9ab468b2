/** A value network's part of a gradient, without a tensor library. */
import type { FusedMlp } from "../../fused/fused-mlp.ts";
import type { Minibatch } from "../batch.ts";

/** Of valueCoef/2 (V - target)^2. */
export interface ValueStep {
  /** half the mean squared error */
  readonly valueLoss: number;
  /** by the value network's weights; overwritten by the network's next step */
  readonly gradient: Float32Array;
}

export function valueStep(
  network: FusedMlp,
  weights: Float32Array,
  {
    rows,
    observations,
    valueInputs,
    targets,
  }: Pick<Minibatch, "rows" | "observations" | "valueInputs" | "targets">,
  valueCoef: number,
): ValueStep {
  network.load(weights);
  const values = network.forward(valueInputs ?? observations, rows);
  const slopes = new Float32Array(rows);
  let squares = 0;
  for (let r = 0; r < rows; r++) {
    const error = values[r]! - targets[r]!;
    squares += error * error;
    slopes[r] = (valueCoef / rows) * error;
  }
  return { valueLoss: squares / (2 * rows), gradient: network.backward(slopes, rows) };
}
