/** A gradient of learners on policy without a tensor library: the loss by hand, the networks in WebAssembly. */
import type { ActorCritic } from "../actor-critic.ts";
import type { Step, StepGiven } from "./tensor-step.ts";
import type { ValueThread } from "./value-thread.ts";

/** @param thread that computes the value network's part meanwhile, once it has come; absent: none */
export function fusedStep(
  networks: ActorCritic,
  { minibatch, surrogate, valueCoef, entropyCoef }: StepGiven,
  thread?: ValueThread,
): Step {
  const { rows, observations, actions } = minibatch;
  const { policy } = networks;
  const isAsked = thread?.ask(networks.value, minibatch, valueCoef) ?? false;
  const outputs = policy.outputs(observations, rows);
  const logProb = policy.logProbs(outputs, actions, rows);
  const slopes = new Float32Array(rows);
  const gained = surrogate.slopes(logProb, slopes);
  for (let r = 0; r < rows; r++) slopes[r] = -slopes[r]!;
  const ofPolicy = policy.densityGradient(outputs, actions, slopes, -entropyCoef);
  const network = policy.backward(ofPolicy.outputs, rows);
  const { valueLoss, gradient } = networks.fusedGradient({ network, own: ofPolicy.own }, () =>
    isAsked ? thread!.answer() : networks.valueStep(minibatch, valueCoef),
  );
  return {
    loss: valueCoef * valueLoss - gained - entropyCoef * ofPolicy.entropy,
    gradient,
    logProb,
    valueLoss,
  };
}
