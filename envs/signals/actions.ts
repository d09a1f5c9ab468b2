/** Action forms by name: what a vector of numbers means to cwnd and rate. */
import { CcparkError, namedEntry } from "../../core/errors.ts";
import { exp } from "../../core/math.ts";
import type { Bytes, BytesPerSec } from "../../core/units.ts";
import { type Box, checkFinite, makeBox } from "../spaces.ts";

/** What a flow holds at present; a form changes it. */
export interface Setting {
  cwndBytes: Bytes;
  /** 0: ACK-clocked */
  rateBytesPerSec: BytesPerSec;
}

export interface ActionSpec {
  readonly name: string;
  readonly definition: string;
  readonly space: Box;
  /** refuses values below the box in every mode */
  readonly refusesBelow: boolean;
  /** Applies an action that lies inside the box. */
  apply(action: ArrayLike<number>, setting: Setting, mssBytes: Bytes): void;
}

/** cwnd never falls below 2 packets and a set rate never below 1 packet/s, so that a flow never stops. */
export const MIN_CWND_PACKETS = 2;
const MIN_RATE_PACKETS_PER_SEC = 1;
/** Park's bound of the absolute form; 4800 packets are 6.9 MB in flight. */
const MAX_CWND_PACKETS = 4800;

const LN2 = Math.LN2;

const absolute: ActionSpec = {
  name: "absolute",
  definition:
    "Sets cwnd and pacing rate as in Park; 0 leaves a field alone. cwnd is held at 2 packets or more, a rate at 1 packet/s or more. Negative values are always refused",
  refusesBelow: true,
  space: makeBox([
    {
      name: "cwndPackets",
      unit: "packets",
      low: 0,
      high: MAX_CWND_PACKETS,
      definition: "congestion window; 0: as it is",
    },
    {
      name: "rateBytesPerSec",
      unit: "B/s",
      low: 0,
      high: 2e9,
      definition: "pacing rate of payload; 0: as it is",
    },
  ]),
  apply(action, setting, mssBytes) {
    const cwndPackets = action[0]!;
    const rate = action[1]!;
    if (cwndPackets > 0) setting.cwndBytes = Math.max(MIN_CWND_PACKETS, cwndPackets) * mssBytes;
    if (rate > 0) setting.rateBytesPerSec = Math.max(MIN_RATE_PACKETS_PER_SEC * mssBytes, rate);
  },
};

const multiplicative: ActionSpec = {
  name: "multiplicative",
  definition: "cwnd *= 2^a; the window keeps its fraction between steps and stays within 2 to 4800 packets",
  refusesBelow: false,
  space: makeBox([
    {
      name: "log2CwndChange",
      unit: "1",
      low: -1,
      high: 1,
      definition: "a in cwnd *= 2^a: -1 halves, 0 keeps, 1 doubles",
    },
  ]),
  apply(action, setting, mssBytes) {
    const cwndBytes = setting.cwndBytes * exp(LN2 * action[0]!);
    setting.cwndBytes = Math.min(
      Math.max(cwndBytes, MIN_CWND_PACKETS * mssBytes),
      MAX_CWND_PACKETS * mssBytes,
    );
  },
};

export const ACTIONS: ReadonlyMap<string, ActionSpec> = new Map(
  [multiplicative, absolute].map((spec) => [spec.name, spec]),
);
export const DEFAULT_ACTION = "multiplicative";

/** @throws CcparkError (not-found) with the nearest name */
export function getAction(name: string): ActionSpec {
  return namedEntry("env", "action", ACTIONS, name);
}

/**
 * Makes an action legal: copies it into `into`, clipped to the box where the policy allows that.
 * @param what what to call it in an error
 * @returns whether something was clipped
 * @throws CcparkError (invalid-argument): wrong length, not finite; outside the box if `policy` is reject; negative in the
 *   absolute form. Nothing was changed then.
 */
export function admitAction(
  spec: ActionSpec,
  action: ArrayLike<number>,
  policy: "clip" | "reject",
  into: Float64Array,
  what = "action",
): boolean {
  const { space } = spec;
  checkFinite(space, action, what);
  let clipped = false;
  for (let i = 0; i < action.length; i++) {
    const value = action[i]!;
    const low = space.low[i]!;
    const high = space.high[i]!;
    const below = value < low;
    if (below || value > high) {
      if (policy === "reject" || (below && spec.refusesBelow)) {
        const { name } = space.dimensions[i]!;
        throw new CcparkError(
          "invalid-argument",
          `[env] ${what} outside the box at ${name}: got ${value}, expected ${low} to ${high}`,
        );
      }
      clipped = true;
    }
    into[i] = Math.min(Math.max(value, low), high);
  }
  return clipped;
}
