/**
 * A learned policy as a CCP algorithm: the environment's datapath program, its observation and its actions, with the
 * policy acting greedily at each report; each flow is an episode in a row of its own. On a datapath that reports as the
 * simulator does, the decisions are those of the environment. In silence (an outage) it goes on deciding, as in the
 * environment. Only a step between a report and silence may take twice as long as there: the environment ends it early
 * where no ACK has come, of which an agent hears only by reports.
 */
import type { CcpAlgorithm } from "../ccp-bridge/agent/algorithm.ts";
import { CcparkError } from "../core/errors.ts";
import { type Micros, NANOS_PER_MICRO } from "../core/units.ts";
import type { AsyncPolicy, Policy } from "./measured-run.ts";
import type { EnvOptions } from "./options.ts";
import { admitAction, getAction } from "./signals/actions.ts";
import { clearCounters } from "./signals/interval.ts";
import { getObservation } from "./signals/observations.ts";
import { envPrograms, INTERVAL_PROGRAM, RTT_PROGRAM, readReport } from "./steps/env-program.ts";
import { FlowObserver } from "./steps/flow-observer.ts";
import { silentStepNs } from "./steps/report-step.ts";

/** A step in which ACKs come waits for its report at most twice as long as one in which none does. */
const BEFORE_SILENCE = 2;

/**
 * @param policy one that answers later is for datapaths in real time: what is reported until then counts in the next step, as with
 *   late actions of the environment; what it fails with is thrown when the flow is heard of next
 * @throws CcparkError for an environment with an action delay: that of a real datapath is its own
 */
export function policyAlgorithm(name: string, policy: Policy | AsyncPolicy, env: EnvOptions): CcpAlgorithm {
  if (env.actionDelayUs > 0) {
    const message = `policy trained with an action delay of ${env.actionDelayUs} us: expected none`;
    throw new CcparkError("invalid-argument", `[policy-algorithm] ${message}`);
  }
  const observation = getObservation(env.observation);
  const action = getAction(env.action);
  const { stepMs } = env;
  const programName = stepMs === "rtt" ? RTT_PROGRAM : INTERVAL_PROGRAM;
  /** rows of flows that are gone, to be used again */
  const freeRows: number[] = [];
  let rows = 0;
  return {
    name,
    programs: { [programName]: envPrograms(env.reportLossAtOnce)[programName]! },
    newFlow(control, { mssBytes, initCwndBytes, nowUs }) {
      const observer = new FlowObserver(observation, action, { mssBytes, cwndBytes: initCwndBytes });
      const admitted = new Float64Array(action.space.shape[0]);
      let lastReportUs = nowUs;
      let beganUs = nowUs;
      const row = freeRows.pop() ?? rows++;
      policy.begin?.(row);
      /** an answer is being waited for */
      let isDeciding = false;
      /** the interval holds the counters of a step that is over */
      let isCounted = true;
      let isClosed = false;
      /** of a silence that ended while an answer was being waited for */
      let missedWakeUs: Micros | undefined;
      let failure: { readonly cause: unknown } | undefined;
      const apply = (chosen: ArrayLike<number>): void => {
        admitAction(action, chosen, env.actionPolicy, admitted);
        observer.decide(admitted);
        control.setWindow(observer.setting.cwndBytes, observer.setting.rateBytesPerSec);
      };
      const applyLater = async (answer: Promise<ArrayLike<number>>): Promise<void> => {
        isDeciding = true;
        try {
          const chosen = await answer;
          if (!isClosed) apply(chosen);
        } catch (cause) {
          failure = { cause };
        }
        isDeciding = false;
        if (isClosed) freeRows.push(row);
        else if (missedWakeUs !== undefined) control.wakeAt(missedWakeUs);
        missedWakeUs = undefined;
      };
      const decide = (atUs: Micros, silentSteps: number): void => {
        beganUs = atUs;
        control.wakeAt(atUs + (silentSteps * silentStepNs(stepMs, observer.srttUs)) / NANOS_PER_MICRO);
        const answer = policy.act(observer.observation, "greedy", row);
        if (answer instanceof Promise) void applyLater(answer);
        else apply(answer);
      };
      const beginStep = (): void => {
        if (failure !== undefined) throw failure.cause;
        if (isCounted) clearCounters(observer.interval);
        isCounted = false;
      };
      const endStep = (atUs: Micros, stepUs: Micros): void => {
        observer.endStep(atUs, stepUs);
        isCounted = true;
      };
      const fields: Record<string, number> = { Cwnd: initCwndBytes };
      if (stepMs !== "rtt") fields["intervalUs"] = Math.round(stepMs * 1000) - 1;
      control.setProgram(programName, fields);
      decide(nowUs, BEFORE_SILENCE);
      return {
        onReport(report) {
          beginStep();
          readReport(report, observer.interval);
          if (isDeciding) return;
          endStep(report.nowUs, report.nowUs - lastReportUs);
          lastReportUs = report.nowUs;
          decide(report.nowUs, BEFORE_SILENCE);
        },
        onWake(atUs) {
          if (isDeciding) {
            missedWakeUs = atUs;
            return;
          }
          beginStep();
          endStep(atUs, atUs - beganUs);
          decide(atUs, 1);
        },
        onClose() {
          isClosed = true;
          if (!isDeciding) freeRows.push(row);
        },
      };
    },
  };
}
