/** Forms of action of published systems; each says what differs. */
import type { Bytes } from "../../../core/units.ts";
import { makeBox } from "../../spaces.ts";
import type { ActionSpec } from "../actions.ts";

/** Aurora's and Astraea's: an action of 1 is a fortieth. */
const STEP = 0.025;

/** The factor of an action: what is added for one sign is divided by for the other, so that a and -a cancel. */
function factorOf(action: number): number {
  return action >= 0 ? 1 + STEP * action : 1 / (1 - STEP * action);
}

/** A rate before the first delivery is known: 10 windows a second, as if the round trip were 100 ms. */
const FIRST_WINDOWS_PER_SEC = 10;
/** PCC-RL: 40 packets a second are the least. */
const MIN_RATE_PACKETS_PER_SEC = 40;
/** Of a flow that its rate alone holds back. */
const OPEN_WINDOW_PACKETS = 4800;

export const AURORA: ActionSpec = {
  name: "aurora",
  definition:
    "Pacing rate x (1 + 0.025 a), or / (1 - 0.025 a) for a below 0; at least 40 packets/s. It begins with 10 windows a second, and the window stays open at 4800 packets: the rate alone holds the flow back",
  source: "Aurora (Jay et al. 2019), PCC-RL; theirs is not bounded, and held at 1000 packets/s at most",
  refusesBelow: false,
  space: makeBox([
    {
      name: "rateChange",
      unit: "1",
      low: -10,
      high: 10,
      definition: "a: 10 a quarter more, -10 a fifth less",
    },
  ]),
  apply(action, setting, mssBytes: Bytes) {
    const rate =
      setting.rateBytesPerSec === 0 ? FIRST_WINDOWS_PER_SEC * setting.cwndBytes : setting.rateBytesPerSec;
    setting.rateBytesPerSec = Math.max(MIN_RATE_PACKETS_PER_SEC * mssBytes, rate * factorOf(action[0]!));
    setting.cwndBytes = OPEN_WINDOW_PACKETS * mssBytes;
    return false;
  },
};

const MIN_CWND_PACKETS = 2;

export const ASTRAEA: ActionSpec = {
  name: "astraea",
  definition:
    "cwnd x (1 + 0.025 a), or / (1 - 0.025 a) for a below 0, within 2 and 4800 packets; a window held there counts as a clipped action",
  source: "Astraea (Liao et al. 2024)",
  refusesBelow: false,
  space: makeBox([
    { name: "cwndChange", unit: "1", low: -1, high: 1, definition: "a: 1 a fortieth more, -1 as much less" },
  ]),
  apply(action, setting, mssBytes: Bytes) {
    const cwndBytes = setting.cwndBytes * factorOf(action[0]!);
    const most = OPEN_WINDOW_PACKETS * mssBytes;
    setting.cwndBytes = Math.min(Math.max(cwndBytes, MIN_CWND_PACKETS * mssBytes), most);
    return cwndBytes > most;
  },
};
