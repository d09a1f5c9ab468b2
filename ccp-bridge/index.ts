/** CCP: the contract of algorithms, the contract of congestion controls, the language, and flows in this process. */
export { type AgentEvent, CcpAgent } from "./agent/agent.ts";
export type { CcpAlgorithm, CcpFlow, FlowControl, FlowInfo, Report } from "./agent/algorithm.ts";
export { compileAlgorithms, type ProgramSet } from "./agent/program-set.ts";
export type {
  AckEvent,
  CongestionControl,
  CongestionControlFactory,
  CongestionEvent,
  FlowStart,
  SentEvent,
} from "./congestion-control.ts";
export { type CcpAlgorithmFactory, runCcpAlgorithm } from "./in-process-flow.ts";
export { CompileError } from "./lang/compile-error.ts";
export { compileProgram } from "./lang/compiler.ts";
