/** Benchmarks: contenders, scenarios and seeds. */
export { type BenchmarkPlan, type BenchmarkRecord, type BenchmarkRun, runBenchmark } from "./benchmark.ts";
export { algorithmContender } from "./contenders/algorithm-contender.ts";
export { constantContender, constantRateContender } from "./contenders/constant-contender.ts";
export type { Contender } from "./contenders/contender.ts";
export { oracleContender } from "./contenders/oracle-contender.ts";
export { agentContender, asyncAgentContender } from "./contenders/policy-contender.ts";
