/** Which algorithms a scenario may name for its other flows: the native ones, and the baselines through CCP. */
import { BASELINES } from "../agents/baselines/index.ts";
import { runCcpAlgorithm } from "../ccp-bridge/in-process-flow.ts";
import { unknownName } from "../core/errors.ts";
import { type AlgorithmResolver, NATIVE_ALGORITHMS } from "../envs/network-plan.ts";

/**
 * Native where there is a native one (as in every environment), else the baseline.
 * @throws CcparkError (not-found)
 */
export const crossTrafficAlgorithm: AlgorithmResolver = (name) => {
  const native = NATIVE_ALGORITHMS.get(name);
  if (native !== undefined) return native;
  const baseline = BASELINES.get(name);
  if (baseline === undefined) {
    const known = [...new Set([...NATIVE_ALGORITHMS.keys(), ...BASELINES.keys()])];
    throw unknownName("scenario", "algorithm", name, known);
  }
  return runCcpAlgorithm(baseline());
};
