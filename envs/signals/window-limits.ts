/** Within what a form of action keeps the window. */
import type { Bytes } from "../../core/units.ts";
import type { ActionSpec, Setting } from "./actions.ts";
import { DEFAULT_ENVELOPE } from "./envelope.ts";

/** cwnd never falls below it, so that a flow never stops. */
export const MIN_CWND_PACKETS = 2;
export const MAX_CWND_PACKETS: number = DEFAULT_ENVELOPE.maxCwndPackets;

/** Sets a window within its limits. @returns whether it was held at the most */
export function holdCwnd(setting: Setting, cwndBytes: Bytes, mssBytes: Bytes, maxPackets: number): boolean {
  const most = maxPackets * mssBytes;
  setting.cwndBytes = Math.min(Math.max(cwndBytes, MIN_CWND_PACKETS * mssBytes), most);
  return cwndBytes > most;
}

/** Of a form whose window has a limit: itself with each. */
export function limited(about: (maxPackets: number) => Omit<ActionSpec, "within">): ActionSpec {
  const within = (maxPackets: number): ActionSpec => ({ ...about(maxPackets), within });
  return within(MAX_CWND_PACKETS);
}

/** Said of each form that has one. */
export const LIMIT =
  "4800 packets, or four bandwidth-delay products of a scenario that has more than 2400 packets of one; a window held there counts as a clipped action";
