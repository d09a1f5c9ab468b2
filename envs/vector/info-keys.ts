/** The keys of info columns: what each says, for checks and descriptions. */
import { CcparkError, unknownName } from "../../core/errors.ts";
import type { StepInfo } from "../env.ts";

export interface InfoKeySpec {
  /** of the column where it leaves the rows; inside all are float64 */
  readonly type: "float64" | "bool" | "int64";
  readonly unit: string;
  readonly definition: string;
}

const float64 = (unit: string, definition: string): InfoKeySpec => ({ type: "float64", unit, definition });

/** Every fact of StepInfo, by its name; the type makes a forgotten one an error. */
const STEP_INFO: Readonly<Record<keyof StepInfo, InfoKeySpec>> = {
  report: {
    type: "bool",
    unit: "1",
    definition: "whether a CCP report ended the step (false: the time limit of a step did)",
  },
  timeUs: float64("us", "virtual time since the flow's start, at the end of the step"),
  stepUs: float64("us", "virtual time that the step took"),
  deliveredBytes: float64("B", "payload acknowledged in the step"),
  lostPackets: float64("packets", "found lost in the step"),
  rttUs: float64("us", "last round-trip time of the step; held where none was measured"),
  cwndBytes: float64("B", "congestion window that the flow was set to"),
  pacingRateBytesPerSec: float64("B/s", "pacing rate that the flow was set to; 0: ACK-clocked"),
  clippedActions: float64(
    "1",
    "1 when the action of the step lay outside the box, or led to a larger window than there may be, and was clipped",
  ),
  actionLateUs: float64("us", "from the end of the step before to the action of this one; 0 in virtual time"),
  missedReports: float64(
    "reports",
    "came while the agent was deciding on the action of the step, and are counted into it; 0 in virtual time",
  ),
};

const INFO_KEYS: ReadonlyMap<string, InfoKeySpec> = new Map<string, InfoKeySpec>([
  ...Object.entries(STEP_INFO),
  ["seed", { type: "int64", unit: "1", definition: "of the row's episode" }],
]);

/** Begins the keys of reward components. */
export const REWARD_KEY = "reward.";

/** The keys that make up a StepInfo. */
export const STEP_INFO_KEYS: readonly string[] = Object.keys(STEP_INFO);

/** Type of a column whose key is known. */
export function infoType(key: string): InfoKeySpec["type"] {
  return INFO_KEYS.get(key)?.type ?? "float64";
}

/** Every key of an environment. @param components of all its rewards, with their definitions */
export function allInfoKeys(components: ReadonlyMap<string, string>): [string, InfoKeySpec][] {
  const ofRewards = [...components].map(([name, definition]): [string, InfoKeySpec] => [
    REWARD_KEY + name,
    float64("1", definition),
  ]);
  return [...INFO_KEYS, ...ofRewards];
}

/** @throws CcparkError (invalid-argument) with the nearest known key */
export function checkInfoKeys(keys: readonly string[], rewardComponents: readonly string[]): void {
  const known = [...INFO_KEYS.keys(), ...rewardComponents.map((name) => REWARD_KEY + name)];
  for (const key of keys) {
    if (!known.includes(key)) {
      const { message } = unknownName("env", "info key", key, known);
      throw new CcparkError("invalid-argument", message, { field: "info_keys" });
    }
  }
}
