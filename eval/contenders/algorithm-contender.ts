/** An algorithm of the registry or of a module. */
import { KernelAlgorithm } from "../../algorithms/kernel-algorithm.ts";
import { makeAlgorithm, type ResolvedAlgorithm } from "../../algorithms/reference.ts";
import type { CcpAlgorithm, FlowControl, FlowInfo } from "../../ccp-bridge/agent/algorithm.ts";
import { compileAlgorithms } from "../../ccp-bridge/agent/program-set.ts";
import { Rng } from "../../core/random.ts";
import { runAlgorithmLater } from "../../envs/measured-run.ts";
import type { Contender } from "./contender.ts";

/** Any flow: only whether one begins is asked. */
const SOME_FLOW: Omit<FlowInfo, "rng"> = {
  flowId: 1,
  initCwndBytes: 10 * 1448,
  mssBytes: 1448,
  ...{ srcIp: 0, srcPort: 0, dstIp: 0, dstPort: 0 },
  nowUs: 0,
  host: "",
  name: "",
  weight: 1,
  aggregates: [],
};

/** Whether a new flow asks for anything by which it may ever be called: a program, or a wake. */
function begins(algorithm: CcpAlgorithm): boolean {
  let hasBegun = false;
  const begin = (): void => {
    hasBegun = true;
  };
  const control: FlowControl = {
    flowId: SOME_FLOW.flowId,
    setProgram: begin,
    updateFields: () => {},
    setWindow: () => {},
    wakeAt: begin,
  };
  algorithm.newFlow(control, { ...SOME_FLOW, rng: Rng.fromSeed(0) });
  return hasBegun;
}

/** Of an algorithm that its datapath never calls: nothing else of its results shows it. */
function silenceNote(resolved: ResolvedAlgorithm): string | undefined {
  const algorithm = makeAlgorithm(resolved);
  if (typeof algorithm === "function" || algorithm instanceof KernelAlgorithm) return undefined;
  const why = !compileAlgorithms([algorithm]).programs.some(({ compiled }) => compiled.reports)
    ? "none of its programs says (report)"
    : !begins(algorithm)
      ? "its newFlow calls neither setProgram nor wakeAt, and no program runs by itself"
      : undefined;
  return why && `${resolved.label} gets no reports: ${why}, so onReport is never called (docs/ccp.md).`;
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
