/** A gradient of learners on policy without a tensor library: the loss by hand, the networks in WebAssembly. */
import type { ActorCritic } from "../actor-critic.ts";
import type { Step, StepGiven } from "./tensor-step.ts";

export function fusedStep(
  networks: ActorCritic,
  { minibatch, surrogate, valueCoef, entropyCoef }: StepGiven,
): Step {
  const { rows, observations, actions, targets } = minibatch;
  const { policy } = networks;
  const outputs = policy.outputs(observations, rows);
  const logProb = policy.logProbs(outputs, actions, rows);
  const slopes = new Float32Array(rows);
  const gained = surrogate.slopes(logProb, slopes);
  for (let r = 0; r < rows; r++) slopes[r] = -slopes[r]!;
  const ofPolicy = policy.densityGradient(outputs, actions, slopes, -entropyCoef);

  const values = networks.values(undefined, observations, rows);
  const ofValues = new Float32Array(rows);
  let squares = 0;
  for (let r = 0; r < rows; r++) {
    const error = values[r]! - targets[r]!;
    squares += error * error;
    ofValues[r] = (valueCoef / rows) * error;
  }
  const valueLoss = squares / (2 * rows);
  return {
    loss: valueCoef * valueLoss - gained - entropyCoef * ofPolicy.entropy,
    gradient: networks.fusedGradient(ofPolicy, ofValues),
    logProb,
    valueLoss,
  };
}
