/** Environments (single, vector, several flows), measured runs, and a policy as an algorithm. */
export { CongestionEnv, RealTimeCongestionEnv } from "./congestion-env.ts";
export type { AsyncVectorEnv, EndedEpisode, Env, StepInfo, TimeStep, VectorEnv } from "./env.ts";
export { makeEnv } from "./local-env.ts";
export {
  type AsyncPolicy,
  type Policy,
  type RunOptions,
  runAgent,
  runAgentLater,
  runAlgorithm,
  runAlgorithmLater,
} from "./measured-run.ts";
export { MultiFlowEnv, type MultiFlowStep } from "./multi-flow-env.ts";
export {
  DEFAULT_ENV_OPTIONS,
  DEFAULT_MULTI_FLOW_OPTIONS,
  type EnvOptions,
  type MultiFlowOptions,
  parseEnvOptions,
  parseMultiFlowOptions,
} from "./options.ts";
export { policyAlgorithm } from "./policy-algorithm.ts";
export {
  ACTIONS,
  type ActionParts,
  type ActionSpec,
  getAction,
  makeAction,
  registerAction,
} from "./signals/actions.ts";
export { FACTS, type Fact, FLOW_FACTS, type FlowStep } from "./signals/facts.ts";
export {
  type Feature,
  type FlowView,
  getObservation,
  OBSERVATIONS,
  type ObservationParts,
  type ObservationSpec,
  registerObservation,
} from "./signals/observations.ts";
export { getReward, REWARDS, type RewardSpec, registerReward } from "./signals/rewards.ts";
export { loadSignals, type SignalNames } from "./signals/signal-files.ts";
export type { Box } from "./spaces.ts";
export { makeVectorEnv, openVectorEnv } from "./vector/local-vector-env.ts";
