/** An algorithm of the registry or of a module. */
import { KernelAlgorithm } from "../../algorithms/kernel-algorithm.ts";
import { makeAlgorithm, type ResolvedAlgorithm } from "../../algorithms/reference.ts";
import { compileAlgorithms } from "../../ccp-bridge/agent/program-set.ts";
import { runAlgorithmLater } from "../../envs/measured-run.ts";
import type { Contender } from "./contender.ts";

/** Of an algorithm whose datapath programs never report: nothing else of its results shows it. */
function silenceNote(resolved: ResolvedAlgorithm): string | undefined {
  const algorithm = makeAlgorithm(resolved);
  if (typeof algorithm === "function" || algorithm instanceof KernelAlgorithm) return undefined;
  if (compileAlgorithms([algorithm]).programs.some(({ compiled }) => compiled.reports)) return undefined;
  return `${resolved.label} never reports: none of its programs says (report), so onReport is never called (docs/ccp.md).`;
}

/** Each run has a fresh algorithm, so no state passes from one seed to the next. */
export function algorithmContender(resolved: ResolvedAlgorithm): Contender {
  const { label, spec, isNative } = resolved;
  return {
    name: label,
    description:
      isNative && spec.ccp !== undefined ? `${spec.summary}; in the datapath, without agent` : spec.summary,
    // asked for beside the results: a program that does not compile has been told by then
    get note() {
      return silenceNote(resolved);
    },
    run: (options) => runAlgorithmLater({ ...options, algorithm: makeAlgorithm(resolved) }),
  };
}
