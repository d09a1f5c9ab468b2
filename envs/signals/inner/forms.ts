/** Forms of action below which an algorithm goes on: a policy corrects it, confines itself to it, or chooses among some. */
import { exp } from "../../../core/math.ts";
import { type Bytes, MICROS_PER_SEC } from "../../../core/units.ts";
import { makeBox, makeDiscrete } from "../../spaces.ts";
import type { ActionSpec, FlowAction } from "../actions.ts";
import { Steering } from "../general/steering.ts";
import { holdCwnd, LIMIT, limited } from "../window-limits.ts";
import { type Inner, InnerCubic, InnerRate, InnerVegas } from "./inner.ts";

const LN2 = Math.LN2;

/** A form with memory acts by what each flow has of it alone. */
function perFlow(
  about: Omit<ActionSpec, "apply" | "observe" | "forFlow" | "within">,
  make: (mssBytes: Bytes, cwndBytes: Bytes, maxPackets: number) => FlowAction,
): ActionSpec {
  return limited((maxPackets) => ({
    ...about,
    forFlow: (mssBytes, cwndBytes) => make(mssBytes, cwndBytes, maxPackets),
    // a flow that begins with this action
    apply: (action, setting, mssBytes, view) =>
      make(mssBytes, setting.cwndBytes, maxPackets).apply(action, setting, mssBytes, view),
  }));
}

export const ORCA: ActionSpec = perFlow(
  {
    name: "orca",
    definition: `cwnd = 2^a x what Cubic's has become since the last action; Cubic (RFC 9438) goes on from there, report by report. The window stays within 2 packets and ${LIMIT}`,
    source:
      "Orca (Abbasloo et al. 2020), section 4; its Cubic acts per ACK, ours with the packets of a report",
    refusesBelow: false,
    space: makeBox([
      {
        name: "log2CubicFactor",
        unit: "1",
        low: -2,
        high: 2,
        definition: "a in cwnd = 2^a x Cubic's window: 0 leaves it to Cubic",
      },
    ]),
  },
  (mss, cwndBytes, maxPackets) => {
    const cubic = new InnerCubic(mss, cwndBytes);
    return {
      observe: (view, nowUs) => cubic.observe(view, nowUs),
      apply(action, setting, mssBytes) {
        const isHeld = holdCwnd(setting, cubic.cwndBytes * exp(LN2 * action[0]!), mssBytes, maxPackets);
        cubic.take(setting.cwndBytes);
        return isHeld;
      },
    };
  },
);

/** Of Vegas's average window, thesis section 4.4.3. */
const CONFINED_LEAST = 0.2;
const CONFINED_MOST = 2;
/** The average is over about so many reports. */
const AVERAGE_REPORTS = 16;

export const CONFINED: ActionSpec = perFlow(
  {
    name: "confined",
    definition: `cwnd = f x the average window of Vegas, which goes on by itself on what is seen, report by report; f from ${CONFINED_LEAST} to ${CONFINED_MOST}. The window stays within 2 packets and ${LIMIT}`,
    source: "Narayan's thesis (2024), Figure 4.12: exploring within 0.2 to 2 times Vegas's average",
    refusesBelow: false,
    space: makeBox([
      {
        name: "vegasFactor",
        unit: "1",
        low: CONFINED_LEAST,
        high: CONFINED_MOST,
        definition: "f in cwnd = f x Vegas's average window",
      },
    ]),
  },
  (mss, cwndBytes, maxPackets) => {
    const vegas = new InnerVegas(mss, cwndBytes);
    let average = cwndBytes;
    let reports = 0;
    return {
      observe(view, nowUs) {
        if (!view.interval.report) return;
        vegas.observe(view, nowUs);
        reports++;
        average += (vegas.cwndBytes - average) / Math.min(reports, AVERAGE_REPORTS);
      },
      apply: (action, setting, mssBytes) => holdCwnd(setting, average * action[0]!, mssBytes, maxPackets),
    };
  },
);

const CHOICES: readonly {
  readonly name: string;
  readonly definition: string;
  readonly make: new (mssBytes: Bytes, cwndBytes: Bytes) => Inner;
}[] = [
  { name: "cubic", definition: "Cubic's window (RFC 9438)", make: InnerCubic },
  { name: "vegas", definition: "Vegas's window, two to four packets in the queue", make: InnerVegas },
  {
    name: "rate",
    definition:
      "BBR's pacing: the rate of the path with gains of 1.25, 0.75 and six times 1, two products in flight",
    make: InnerRate,
  },
];

export const CHOOSE: ActionSpec = perFlow(
  {
    name: "choose",
    definition: `Which of three algorithms goes on: one that is chosen anew takes over the window that it finds. The window stays within 2 packets and ${LIMIT}`,
    source: "after Mutant (Pappone et al. 2025) and bpftune, which choose among the algorithms of a kernel",
    refusesBelow: true,
    space: makeDiscrete(CHOICES.map(({ name, definition }) => ({ name, definition }))),
  },
  (mss, cwndBytes, maxPackets) => {
    const inners = CHOICES.map(({ make: Made }) => new Made(mss, cwndBytes));
    let chosen: Inner | undefined;
    return {
      observe: (view, nowUs) => chosen?.observe(view, nowUs),
      apply(action, setting, mssBytes) {
        const next = inners[action[0]!]!;
        if (next !== chosen) {
          next.take(setting.cwndBytes);
          chosen = next;
        }
        setting.rateBytesPerSec = next.rateBytesPerSec;
        return holdCwnd(setting, next.cwndBytes, mssBytes, maxPackets);
      },
    };
  },
);

/** Beyond what Steering does by itself. */
export const STEERED: ActionSpec = perFlow(
  {
    name: "steered",
    definition: `Pacing rate = 2^(a + g) x rate of the path + 1 packet per min RTT, cwnd = 2^b x window: g and window are what the flow does unless its policy says otherwise, g from -0.5 to 0.5 by the octaves of queueing delay above or below a target of about a millisecond, the window two bandwidth-delay products and what comes in a bunch of ACKs; a slow start while that finds more. Where the path's rate changes by itself the window holds the target and g is 1; where a queue stands although the flow gives way, others fill it, and the flow has a window that grows by 1.5 packets a report and is cut by loss. The packet per min RTT lets flows converge. The window stays within 2 packets and ${LIMIT}`,
    source: "ccpark; rate and full pipe as in BBR (Cardwell et al. 2016), a policy above a law as in Orca",
    refusesBelow: false,
    space: makeBox([
      {
        name: "log2RateFactor",
        unit: "1",
        low: -0.5,
        high: 0.5,
        definition: "a in pacing rate = 2^(a + g) x rate of the path: 0 leaves it to the law",
      },
      {
        name: "log2WindowFactor",
        unit: "1",
        low: -1,
        high: 1,
        definition: "b in cwnd = 2^b x window: 0 leaves it to the law",
      },
    ]),
  },
  (_mss, cwndBytes, maxPackets) => {
    const steering = new Steering(cwndBytes);
    return {
      observe: (view) => steering.observe(view),
      apply(action, setting, mssBytes, { interval }) {
        const { rateBytesPerSec, gain } = steering;
        if (rateBytesPerSec > 0) {
          const probeBytesPerSec = (mssBytes * MICROS_PER_SEC) / interval.minRttUs;
          setting.rateBytesPerSec = rateBytesPerSec * exp(LN2 * (action[0]! + gain)) + probeBytesPerSec;
        }
        return holdCwnd(setting, steering.cwndBytes * exp(LN2 * action[1]!), mssBytes, maxPackets);
      },
    };
  },
);
