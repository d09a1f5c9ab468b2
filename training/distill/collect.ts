/**
 * What a policy would do in the states that a tree (or the policy itself, at first) leads to: an algorithm over CCP with the
 * environment's own program, whose decisions are the tree's, while the policy looks on and is asked at each of them.
 */
import type { CcpAlgorithm } from "../../ccp-bridge/agent/algorithm.ts";
import { log2 } from "../../core/math.ts";
import { MICROS_PER_SEC } from "../../core/units.ts";
import type { Policy } from "../../envs/measured-run.ts";
import type { EnvOptions } from "../../envs/options.ts";
import { admitAction, getAction, type Setting } from "../../envs/signals/actions.ts";
import type { Envelope } from "../../envs/signals/envelope.ts";
import { clearCounters } from "../../envs/signals/interval.ts";
import { getObservation } from "../../envs/signals/observations.ts";
import { envPrograms, INTERVAL_PROGRAM, RTT_PROGRAM, readReport } from "../../envs/steps/env-program.ts";
import { FlowObserver } from "../../envs/steps/flow-observer.ts";
import { PATH_FORM, pathTarget, type TreeForm, TreeRun, WINDOW_FORM } from "./features.ts";
import { leafFor, type Samples, type TreeNode } from "./tree.ts";

/** A decision may halve or double the window: more is two decisions. */
const MAX_LOG2 = 1;
/** The same of what a policy that paces says by the rate of its path, down and up. */
const [MAX_DOWN, MAX_UP] = [4, 2.9];
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

/** What a policy was asked and said. */
export interface Collected extends Samples {
  readonly features: Float64Array[];
  readonly targets: (readonly number[])[];
  readonly weights: (readonly number[])[];
}

/** Forms of action that set a pacing rate beside the window, by the rate that comes through. */
const PACED: readonly string[] = ["steered", "window-and-rate", "choose"];

/** What its tree is to be like: a policy that paces says more than a window. */
export function formOf({ env: { action } }: Teacher): TreeForm {
  return PACED.includes(action) ? PATH_FORM : WINDOW_FORM;
}

/** Of two limits the one that binds counts; the other this much, as far as it is from binding. */
const SLACK_WEIGHT = 0.05;
/** Octaves between a window and what a pace lets into the path, within which both may bind. */
const BOTH_OCTAVES = 0.2;

/** @param tree undefined: the policy decides itself; @param samples what it is asked is added here */
export function collectingAlgorithm(
  teacher: Teacher,
  tree: TreeNode | undefined,
  samples: Collected,
): CcpAlgorithm {
  const { policy, env, envelope } = teacher;
  const observation = getObservation(env.observation, envelope);
  const action = getAction(env.action, envelope.maxCwndPackets);
  const form = formOf(teacher);
  const programName = env.stepMs === "rtt" ? RTT_PROGRAM : INTERVAL_PROGRAM;
  let rows = 0;
  return {
    name: "collecting",
    programs: { [programName]: envPrograms(false)[programName]! },
    newFlow(control, { mssBytes, initCwndBytes, nowUs }) {
      const observer = new FlowObserver(observation, action, { mssBytes, cwndBytes: initCwndBytes });
      const [least, most] = [leastBytes(mssBytes), mostBytes(teacher, mssBytes)];
      const run = new TreeRun(form, initCwndBytes, least, most);
      const admitted = new Float64Array(action.space.shape[0]);
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
          const features = run.observe({
            delivered: interval.ackedPackets + interval.misorderedPackets,
            lost: interval.lostPackets,
            rttSum: report.get("rttSum"),
            rttUs: interval.rttUs,
            minRttUs: interval.minRttUs,
            rateInBytesPerSec: interval.deliveryRateBytesPerSec,
            rateOutBytesPerSec: interval.sendRateBytesPerSec,
            elapsedUs: Math.round(elapsedUs),
          });
          // no pace: a window may go at once
          const unpaced = (2 * setting.cwndBytes * MICROS_PER_SEC) / interval.meanRttUs;
          setting.rateBytesPerSec ||= form.width === 1 ? 0 : unpaced;
          const wanted = targetOf(run, setting, { form, cwndBefore, least });
          if (wanted !== undefined) {
            samples.features.push(features);
            samples.targets.push(wanted);
            samples.weights.push(form.width === 1 ? [1] : bindings(setting, interval.meanRttUs));
          }
          const own = form.encode(wanted ?? [1, 1]);
          const set = run.decide(tree === undefined ? own : leafFor(tree, features));
          observer.overrule(set.cwndBytes, cwndBefore);
          setting.rateBytesPerSec = set.rateBytesPerSec;
          control.setWindow(set.cwndBytes, set.rateBytesPerSec);
        },
      };
    },
  };
}

/** What a leaf would have to say for the policy's window and rate. */
function targetOf(
  run: TreeRun,
  setting: Setting,
  {
    form,
    cwndBefore,
    least,
  }: { readonly form: TreeForm; readonly cwndBefore: number; readonly least: number },
): readonly number[] | undefined {
  if (form.name === "path")
    return pathTarget(run, setting)?.map((each) => Math.max(-MAX_DOWN, Math.min(MAX_UP, each)));
  const change = log2(Math.max(least, setting.cwndBytes) / cwndBefore);
  return [Math.max(-MAX_LOG2, Math.min(MAX_LOG2, change))];
}

/** How much pace and window count: by which of them holds the flow. */
function bindings({ cwndBytes, rateBytesPerSec }: Setting, rttUs: number): readonly [number, number] {
  const octaves = log2((rateBytesPerSec * rttUs) / MICROS_PER_SEC / cwndBytes);
  return [octaves < BOTH_OCTAVES ? 1 : SLACK_WEIGHT, octaves > -BOTH_OCTAVES ? 1 : SLACK_WEIGHT];
}

export function noSamples(): Collected {
  return { features: [], targets: [], weights: [] };
}
