/** An algorithm of the registry or of a module. */
import { makeAlgorithm, type ResolvedAlgorithm } from "../../algorithms/reference.ts";
import { runAlgorithmLater } from "../../envs/measured-run.ts";
import type { Contender } from "./contender.ts";

/** Each run has a fresh algorithm, so no state passes from one seed to the next. */
export function algorithmContender(resolved: ResolvedAlgorithm): Contender {
  const { label, spec, isNative } = resolved;
  return {
    name: label,
    description:
      isNative && spec.ccp !== undefined ? `${spec.summary}; in the datapath, without agent` : spec.summary,
    run: (options) => runAlgorithmLater({ ...options, algorithm: makeAlgorithm(resolved) }),
  };
}
