/** Algorithms as data: the registry, references such as `vegas:alpha=3`, and modules of one's own. */
export { type AlgorithmResolver, crossTrafficAlgorithm } from "./cross-traffic.ts";
export { loadModules, registerModules } from "./module-files.ts";
export {
  type AlgorithmModules,
  algorithmNames,
  ccpAlgorithm,
  makeAlgorithm,
  type ResolvedAlgorithm,
  registerAlgorithm,
  resolveAlgorithm,
  splitReferences,
} from "./reference.ts";
export { ALGORITHMS } from "./registry.ts";
export {
  type AlgorithmParam,
  type AlgorithmSpec,
  checkSpec,
  defaultParams,
  type ParamValues,
  type Signal,
} from "./spec.ts";
