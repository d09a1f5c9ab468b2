/** A congestion control for a stack's window, by reference: any registered algorithm, and its parameters while it lives. */
import { makeAlgorithm, resolveAlgorithm } from "../../../algorithms/reference.ts";
import type { CcpAlgorithm, CcpFlow } from "../../../ccp-bridge/agent/algorithm.ts";
import type { CongestionControl, CongestionControlFactory } from "../../../ccp-bridge/congestion-control.ts";
import { type FlowAlgorithm, runCcpAlgorithm } from "../../../ccp-bridge/in-process-flow.ts";
import { CcparkError, showValue } from "../../../core/errors.ts";
import type { Bytes, Micros } from "../../../core/units.ts";
import type { Surroundings } from "../../chunnel.ts";

/** Windows that one datapath holds: as many connections as a process may have. */
const MAX_FLOWS = 65_535;

export interface StartedControl {
  readonly control: CongestionControl;
  /** @throws CcparkError (invalid-argument) if the algorithm has no such parameter that may change, or not that value */
  setParams(params: Readonly<Record<string, number>>, nowUs: Micros): void;
}

type StartControl = (surroundings: Surroundings, mssBytes: Bytes, initialCwndBytes: Bytes) => StartedControl;

/** @param algorithm a reference such as `dtl:priority=2`, or an algorithm itself: a policy, an environment's */
export function startControl(
  surroundings: Surroundings,
  algorithm: string | FlowAlgorithm,
  mssBytes: Bytes,
  initialCwndBytes: Bytes,
): StartedControl {
  const start =
    typeof algorithm === "string"
      ? surroundings.shared(`algorithm ${algorithm}`, () =>
          starter(makeAlgorithm(resolveAlgorithm(algorithm))),
        )
      : (STARTERS.get(algorithm) ?? remember(algorithm));
  return start(surroundings, mssBytes, initialCwndBytes);
}

const STARTERS: WeakMap<FlowAlgorithm, StartControl> = new WeakMap();

function remember(algorithm: FlowAlgorithm): StartControl {
  const made = starter(algorithm);
  STARTERS.set(algorithm, made);
  return made;
}

function starter(algorithm: FlowAlgorithm): StartControl {
  let started: CcpFlow | undefined;
  const factory: CongestionControlFactory =
    typeof algorithm === "function"
      ? algorithm
      : runCcpAlgorithm(
          noticing(algorithm, (flow) => (started = flow)),
          { maxFlows: MAX_FLOWS },
        );
  return (surroundings, mssBytes, initialCwndBytes) => {
    started = undefined;
    const control = factory({
      nowUs: surroundings.nowUs(),
      mssBytes,
      initialCwndBytes,
      hosting: {
        schedule: (atUs, run) => void surroundings.wakeAt(atUs, () => run(surroundings.nowUs())),
        rng: surroundings.rng.fork("congestion-control"),
      },
    });
    const flow = started as CcpFlow | undefined;
    return {
      control,
      setParams: (params, nowUs) => {
        if (typeof algorithm !== "function") checkParams(algorithm, params);
        if (flow?.onParams === undefined) throw noParams(control.name);
        flow.onParams(params, nowUs);
      },
    };
  };
}

/** The same algorithm, whose flows are told to `notice` when they start. */
function noticing(algorithm: CcpAlgorithm, notice: (flow: CcpFlow) => void): CcpAlgorithm {
  return Object.assign(Object.create(algorithm) as CcpAlgorithm, {
    newFlow: (...given: Parameters<CcpAlgorithm["newFlow"]>) => {
      const flow = algorithm.newFlow(...given);
      notice(flow);
      return flow;
    },
  });
}

function noParams(name: string): CcparkError {
  return new CcparkError(
    "invalid-argument",
    `[transport] ${name} has no parameters that may change while it lives`,
  );
}

/** @param reference of an algorithm that is not running yet @throws as `StartedControl.setParams` */
export function checkParamsOf(reference: string, params: Readonly<Record<string, number>>): void {
  const algorithm = makeAlgorithm(resolveAlgorithm(reference));
  if (typeof algorithm === "function") throw noParams(reference);
  checkParams(algorithm, params);
}

function checkParams(
  { name, liveParams = [] }: CcpAlgorithm,
  params: Readonly<Record<string, number>>,
): void {
  for (const [param, value] of Object.entries(params)) {
    const live = liveParams.find((each) => each.name === param);
    if (live === undefined) throw noParams(name);
    const isRight = value >= live.low && value <= live.high && (!live.whole || Number.isInteger(value));
    if (isRight) continue;
    const expected = `${live.whole ? "a whole number" : "a number"} from ${live.low} to ${live.high}`;
    throw new CcparkError(
      "invalid-argument",
      `[transport] ${param}: got ${showValue(value)}, expected ${expected}`,
    );
  }
}
