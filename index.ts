/**
 * ccpark, what most need of it: scenarios, algorithms, environments on any testbed, and measured runs. Each floor has an
 * entry of its own with all of its public parts: `ccpark/scenarios`, `ccpark/algorithms`, `ccpark/testbeds`, `ccpark/transport`, `ccpark/envs`,
 * `ccpark/grpc`, `ccpark/agents`, `ccpark/training`, `ccpark/eval`, `ccpark/ccp-bridge`, `ccpark/traces`, `ccpark/core`.
 */
export type { AlgorithmParam, AlgorithmSpec, ParamValues, Signal } from "./algorithms/index.ts";
export { ALGORITHMS, ccpAlgorithm, makeAlgorithm, resolveAlgorithm } from "./algorithms/index.ts";
export type { CcpAlgorithm, CcpFlow, FlowControl, FlowInfo, Report } from "./ccp-bridge/index.ts";
export { CcparkError } from "./core/index.ts";
export type { Env, EnvOptions, RunOptions, StepInfo, TimeStep, VectorEnv } from "./envs/index.ts";
export {
  CongestionEnv,
  DEFAULT_ENV_OPTIONS,
  MultiFlowEnv,
  makeEnv,
  makeVectorEnv,
  parseEnvOptions,
  runAgent,
  runAgentLater,
  runAlgorithm,
  runAlgorithmLater,
} from "./envs/index.ts";
export type { Scenario } from "./scenarios/index.ts";
export { getScenario } from "./scenarios/index.ts";
export type { FlowMetrics, RunResult, Testbed } from "./testbeds/index.ts";
export { findTestbed, SIMULATED, TESTBEDS, UDP } from "./testbeds/index.ts";
