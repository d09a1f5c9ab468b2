/**
 * The steps of a run's flows under test, one generator for every world: it asks for time (a number: run to then) or for a
 * decision (the flow whose turn it is). Whoever drives it lets time pass, at once (`VirtualRun`) or later (`RealTimeRun`),
 * and gives a flow its action (`EnvFlow.admit`) before going on.
 */
import { NANOS_PER_MICRO, type Nanos } from "../../core/units.ts";
import { UNDER_TEST } from "../../scenarios/flows.ts";
import type { Run, VirtualRun } from "../../testbeds/testbed.ts";
import type { EnvOptions } from "../options.ts";
import type { EnvFlow, EnvFlows } from "./env-flow.ts";
import { ReportStep } from "./report-step.ts";

export type Turns = Generator<Nanos | EnvFlow, void, void>;

interface Acting {
  readonly flow: EnvFlow;
  readonly step: ReportStep;
}

/**
 * Runs to the end; whenever a flow starts or its step is over, it is its turn. The steps at hand end with the run, too.
 * @param flows already attached to the run; their `onReport` must ask the run for a stop
 * @param stays whether a flow that is over goes on taking (silent) turns until the run ends
 */
export function* takeTurns(run: Run, flows: EnvFlows, options: EnvOptions, stays: boolean): Turns {
  const { endNs } = run;
  const startsNs = run.flows
    .filter(({ algorithm }) => algorithm === UNDER_TEST)
    .map(({ startNs }) => startNs)
    .sort((a, b) => a - b);
  const { started } = flows;
  let acting: Acting[] = [];
  let seen = 0;
  for (;;) {
    let untilNs = seen < startsNs.length ? Math.min(endNs, startsNs[seen]!) : endNs;
    // by index: iterators would cost a step of the simulator 3 % of its time
    for (let i = 0; i < acting.length; i++) {
      const { deadlineNs } = acting[i]!.step;
      if (deadlineNs < untilNs) untilNs = deadlineNs;
    }
    yield untilNs;
    const { nowNs } = run;
    const isEnd = nowNs >= endNs;
    const taking = acting;
    for (let i = 0; i < taking.length; i++) {
      const { flow, step } = taking[i]!;
      if (!isEnd && !step.isOver(nowNs)) continue;
      flow.endStep(nowNs, (nowNs - step.beganNs) / NANOS_PER_MICRO);
      if (isEnd) continue;
      if (!stays && flow.isOver) {
        acting = acting.filter((each) => each.flow !== flow);
        continue;
      }
      yield flow;
      begin(flow, step, run.nowNs);
    }
    if (isEnd) return;
    for (; seen < started.length; seen++) {
      const flow = started[seen]!;
      const step = new ReportStep(flow, options);
      acting = [...acting, { flow, step }];
      yield flow;
      begin(flow, step, run.nowNs);
    }
  }
}

/** The action that the flow has been given takes effect. */
function begin(flow: EnvFlow, step: ReportStep, nowNs: Nanos): void {
  flow.act(nowNs);
  step.begin(nowNs);
}

/** Drives turns in virtual time, which stands still while `decide` thinks. */
export function driveVirtual(turns: Turns, run: VirtualRun, decide: (flow: EnvFlow) => void): void {
  for (const ask of turns) {
    if (typeof ask === "number") run.runUntil(ask);
    else decide(ask);
  }
}

/** The same for a world whose time has to be waited for, or a decision that has to be. */
export async function driveLater(
  turns: Turns,
  run: Run,
  decide: (flow: EnvFlow) => void | Promise<void>,
): Promise<void> {
  for (const ask of turns) {
    if (typeof ask === "number") await run.runUntil(ask);
    else await decide(ask);
  }
}
