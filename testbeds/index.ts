/** Worlds that run scenarios, behind one contract, and what a run yields. */
export { EMULATED } from "./emulated/emulated.ts";
export {
  EmulatedLink,
  type LinkCounts,
  type LinkEnd,
  type LinkOptions,
  openLink,
} from "./emulated/open-link.ts";
export {
  convergenceBins,
  type Fairness,
  type FlowShare,
  harmOfLess,
  harmOfMore,
  jainIndex,
  maxMinAllocation,
} from "./fairness.ts";
export { MAHIMAHI } from "./mahimahi/mahimahi.ts";
export { measure, summariseFlows, summariseTransfers, timeSeries } from "./measure.ts";
export { DEFAULT_TESTBED, findTestbed, TESTBEDS } from "./registry.ts";
export type { DecisionTiming, FlowMetrics, FlowSummary, RunResult, TimeSeries } from "./results.ts";
export { SIMULATED } from "./simulated/simulated.ts";
export {
  expectAccepts,
  type FlowPath,
  isLive,
  type Lateness,
  type LinkMeter,
  type LinkTruth,
  type OpenOptions,
  type RealTimeRun,
  type RealTimeTestbed,
  type Run,
  type RunFlow,
  type RunTiming,
  type Testbed,
  type VirtualRun,
  type VirtualTestbed,
} from "./testbed.ts";
export { UDP } from "./udp/udp.ts";
