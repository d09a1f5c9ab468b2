/**
 * What a policy would do in the states that a tree (or the policy itself, at first) leads to: an algorithm over CCP with the
 * environment's own program, whose decisions are the tree's, while the policy looks on and is asked at each of them.
 */
import type { CcpAlgorithm } from "../../ccp-bridge/agent/algorithm.ts";
import { log2 } from "../../core/math.ts";
import { type Bytes, type BytesPerSec, MICROS_PER_SEC, type Micros } from "../../core/units.ts";
import type { Policy } from "../../envs/measured-run.ts";
import type { EnvOptions } from "../../envs/options.ts";
import { admitAction, getAction, type Setting } from "../../envs/signals/actions.ts";
import type { Envelope } from "../../envs/signals/envelope.ts";
import { clearCounters } from "../../envs/signals/interval.ts";
import { getObservation } from "../../envs/signals/observations.ts";
import { envPrograms, INTERVAL_PROGRAM, RTT_PROGRAM, readReport } from "../../envs/steps/env-program.ts";
import { FlowObserver } from "../../envs/steps/flow-observer.ts";
import { decide, freshState, ONE, observe } from "./features.ts";
import { gainOf, type Samples, type TreeNode } from "./tree.ts";

/** A decision may halve or double the window: more is two decisions. */
const MAX_LOG2 = 1;
const MIN_CWND_PACKETS = 2;

/** The policy that is distilled, and the environment of its steps. */
export interface Teacher {
  readonly policy: Policy;
  readonly env: EnvOptions;
  readonly envelope: Envelope;
}

/** Largest window of a tree, bytes: that of the policy's envelope. */
export function mostBytes({ envelope }: Teacher, mssBytes: number): number {
  return envelope.maxCwndPackets * mssBytes;
}

export function leastBytes(mssBytes: number): number {
  return MIN_CWND_PACKETS * mssBytes;
}

/** What a policy was asked and said, and whether it paces. */
export interface Collected extends Samples {
  readonly features: Float64Array[];
  readonly targets: number[];
  isPaced: boolean;
}

/** @param tree undefined: the policy decides itself; @param samples what it is asked is added here */
export function collectingAlgorithm(
  teacher: Teacher,
  tree: TreeNode | undefined,
  samples: Collected,
): CcpAlgorithm {
  const { policy, env, envelope } = teacher;
  const observation = getObservation(env.observation, envelope);
  const action = getAction(env.action, envelope.maxCwndPackets);
  const programName = env.stepMs === "rtt" ? RTT_PROGRAM : INTERVAL_PROGRAM;
  let rows = 0;
  return {
    name: "collecting",
    programs: { [programName]: envPrograms(false)[programName]! },
    newFlow(control, { mssBytes, initCwndBytes, nowUs }) {
      const observer = new FlowObserver(observation, action, { mssBytes, cwndBytes: initCwndBytes });
      const state = freshState(initCwndBytes);
      const admitted = new Float64Array(action.space.shape[0]);
      const [least, most] = [leastBytes(mssBytes), mostBytes(teacher, mssBytes)];
      const row = rows++;
      let lastUs = nowUs;
      policy.begin?.(row);
      const fields: Record<string, number> = { Cwnd: initCwndBytes };
      if (env.stepMs !== "rtt") fields["intervalUs"] = Math.round(env.stepMs * 1000) - 1;
      control.setProgram(programName, fields);
      return {
        onReport(report) {
          clearCounters(observer.interval);
          readReport(report, observer.interval);
          const elapsedUs = report.nowUs - lastUs;
          lastUs = report.nowUs;
          observer.endStep(report.nowUs, elapsedUs);
          const { interval, setting } = observer;
          if (interval.rttUs === 0) return; // as the tree's program, which waits for a sample
          admitAction(action, policy.act(observer.observation, "greedy", row), env.actionPolicy, admitted);
          const cwndBefore = setting.cwndBytes;
          observer.decide(admitted);
          const wantedBytes = Math.max(least, inFlightBytes(setting, interval.meanRttUs));
          const target = Math.max(-MAX_LOG2, Math.min(MAX_LOG2, log2(wantedBytes / cwndBefore)));
          const features = observe(
            {
              delivered: interval.ackedPackets + interval.misorderedPackets,
              lost: interval.lostPackets,
              rttSum: report.get("rttSum"),
              rttUs: interval.rttUs,
              minRttUs: interval.minRttUs,
              rateInBytesPerSec: interval.deliveryRateBytesPerSec,
              elapsedUs: Math.round(elapsedUs),
            },
            state,
          );
          samples.features.push(features);
          samples.targets.push(target);
          const gain = tree === undefined ? Math.round(ONE * 2 ** target) : gainOf(tree, features);
          decide(state, gain, least, most);
          samples.isPaced ||= setting.rateBytesPerSec > 0;
          observer.overrule(state.windowBytes, cwndBefore);
          control.setWindow(
            state.windowBytes,
            samples.isPaced ? paceOf(state.windowBytes, interval.meanRttUs) : 0,
          );
        },
      };
    },
  };
}

/** What a window and a pacing rate let into the path: of a flow that is paced, what it sends in a round trip. */
function inFlightBytes({ cwndBytes, rateBytesPerSec }: Setting, rttUs: number): number {
  return rateBytesPerSec === 0 ? cwndBytes : Math.min(cwndBytes, (rateBytesPerSec * rttUs) / MICROS_PER_SEC);
}

/** At which a window lasts a round trip, B/s: as the program has it. */
function paceOf(windowBytes: Bytes, rttUs: Micros): BytesPerSec {
  return Math.floor((windowBytes * MICROS_PER_SEC) / Math.max(1, Math.floor(rttUs)));
}

export function noSamples(): Collected {
  return { features: [], targets: [], isPaced: false };
}
