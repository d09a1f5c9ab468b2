/** Action forms by name: what a vector of numbers, or a choice, means to cwnd and rate. */
import { CcparkError, namedEntry } from "../../core/errors.ts";
import { exp, log2 } from "../../core/math.ts";
import { type Bytes, type BytesPerSec, MICROS_PER_SEC, type Micros } from "../../core/units.ts";
import {
  type Choice,
  checkFinite,
  type Dimension,
  isChoice,
  makeBox,
  makeDiscrete,
  noChoice,
  type Space,
} from "../spaces.ts";
import { BUNDLE_RATE } from "./bundle.ts";
import { CHOOSE, CONFINED, ORCA, STEERED } from "./inner/forms.ts";
import type { FlowView } from "./observations.ts";
import { ASTRAEA, AURORA } from "./published/actions.ts";
import { holdCwnd, LIMIT, limited, MAX_CWND_PACKETS, MIN_CWND_PACKETS } from "./window-limits.ts";

/** What a flow holds at present; a form changes it. */
export interface Setting {
  cwndBytes: Bytes;
  /** 0: ACK-clocked */
  rateBytesPerSec: BytesPerSec;
  /** in an overlay: place among a flow's paths or parents, or its share of a stream, 0 to 1; absent: left to the policy */
  choice?: number;
}

/** What a flow does with its actions. */
export interface FlowAction {
  /**
   * Applies an action that lies inside the box or is one of the choices.
   * @param view what is known of the flow
   * @returns whether the window was held at the most that it may be
   */
  apply(action: ArrayLike<number>, setting: Setting, mssBytes: Bytes, view: FlowView): boolean;
  /** A step is over, with or without a report. For forms below which an algorithm goes on by itself. */
  observe?(view: FlowView, nowUs: Micros): void;
}

export interface ActionSpec extends FlowAction {
  readonly name: string;
  readonly definition: string;
  /** paper or system that it follows */
  readonly source: string;
  readonly space: Space;
  /** refuses values below the box in every mode; what is none of the choices of a discrete space always is */
  readonly refusesBelow: boolean;
  /** as in `ObservationSpec` */
  readonly ignoresPath?: true;
  /**
   * The action that comes nearest to what another control made of window and rate, inside the box or one of the choices; absent: the
   * form says nothing of that.
   */
  nearest?(before: Setting, after: Setting, mssBytes: Bytes): number[];
  /** Of a form with memory: what one flow has of it. Absent: the form itself acts for all flows. */
  forFlow?(mssBytes: Bytes, cwndBytes: Bytes): FlowAction;
  /** The same form with another largest window, packets; absent: it has none. */
  within?(maxCwndPackets: number): ActionSpec;
}

/** A set rate never falls below 1 packet/s, so that a flow never stops. */
const MIN_RATE_PACKETS_PER_SEC = 1;
/** Of the absolute form: Park's own. */
const MAX_RATE_BYTES_PER_SEC: BytesPerSec = 2e9;

const LN2 = Math.LN2;

const absolute: ActionSpec = limited((maxPackets) => ({
  name: "absolute",
  definition: `Sets cwnd and pacing rate as in Park; 0 leaves a field alone. cwnd is held at 2 packets or more, a rate at 1 packet/s or more. Negative values are always refused. The largest window is ${LIMIT}`,
  source: "Park (Mao et al. 2019)",
  refusesBelow: true,
  ignoresPath: true,
  space: makeBox([
    {
      name: "cwndPackets",
      unit: "packets",
      low: 0,
      high: maxPackets,
      definition: "congestion window; 0: as it is",
    },
    {
      name: "rateBytesPerSec",
      unit: "B/s",
      low: 0,
      high: MAX_RATE_BYTES_PER_SEC,
      definition: "pacing rate of payload; 0: as it is",
    },
  ]),
  apply(action, setting, mssBytes) {
    const cwndPackets = action[0]!;
    const rate = action[1]!;
    if (cwndPackets > 0) setting.cwndBytes = Math.max(MIN_CWND_PACKETS, cwndPackets) * mssBytes;
    if (rate > 0) setting.rateBytesPerSec = Math.max(MIN_RATE_PACKETS_PER_SEC * mssBytes, rate);
    return false;
  },
  nearest: (_before, { cwndBytes, rateBytesPerSec }, mssBytes) => [
    Math.min(maxPackets, Math.max(MIN_CWND_PACKETS, cwndBytes / mssBytes)),
    Math.min(MAX_RATE_BYTES_PER_SEC, rateBytesPerSec),
  ],
}));

const multiplicative: ActionSpec = limited((maxPackets) => ({
  name: "multiplicative",
  definition: `cwnd *= 2^a; the window keeps its fraction between steps and stays within 2 packets and ${LIMIT}`,
  source: "ccpark; the form of Orca (Abbasloo et al. 2020) without its TCP below",
  refusesBelow: false,
  ignoresPath: true,
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
    return holdCwnd(setting, setting.cwndBytes * exp(LN2 * action[0]!), mssBytes, maxPackets);
  },
  nearest: (before, after) => [Math.min(1, Math.max(-1, log2(after.cwndBytes / before.cwndBytes)))],
}));

const overlay: ActionSpec = limited((maxPackets) => ({
  name: "overlay",
  definition: `cwnd *= 2^a, as in multiplicative, and a choice beside it, which takes effect at once: a path, a parent or a share of the scenario's overlay. Without an overlay the choice means nothing. The window stays within 2 packets and ${LIMIT}`,
  source: "ccpark",
  refusesBelow: false,
  space: makeBox([
    {
      name: "log2CwndChange",
      unit: "1",
      low: -1,
      high: 1,
      definition: "a in cwnd *= 2^a: -1 halves, 0 keeps, 1 doubles",
    },
    {
      name: "choice",
      unit: "1",
      low: 0,
      high: 1,
      definition:
        "place in the list of the flow's paths (the direct one first) or parents (its own first), or its weight in a split",
    },
  ]),
  apply(action, setting, mssBytes) {
    setting.choice = action[1]!;
    return holdCwnd(setting, setting.cwndBytes * exp(LN2 * action[0]!), mssBytes, maxPackets);
  },
}));

/** Packets that a window has beyond its product: delayed ACKs hold one back, and a small window must not stop. */
const SPARE_PACKETS = 3;

const windowAndRate: ActionSpec = limited((maxPackets) => ({
  name: "window-and-rate",
  definition: `Pacing rate = 2^a x rate of the path + 1 packet per min RTT, cwnd = 2^b x highest rate x min RTT + ${SPARE_PACKETS} packets; the rate of the path is the one at which packets left and arrived alike, smoothed over some two reports, the highest that of the last 8. Twice both as long as a slow start finds more: until the rate has grown by less than a quarter in 3 reports, or with it a queue or a loss. The packet per min RTT lets flows converge. The window stays within 2 packets and ${LIMIT}`,
  source: "ccpark; rate and full pipe as in BBR (Cardwell et al. 2016)",
  refusesBelow: false,
  space: makeBox([
    {
      name: "log2RateGain",
      unit: "1",
      low: -1,
      high: 1,
      definition:
        "a in pacing rate = 2^a x rate of the path: -1 half of it, 0 what it carries, 1 twice as much",
    },
    {
      name: "log2WindowGain",
      unit: "1",
      low: -1,
      high: 4,
      definition: "b in cwnd = 2^b x highest rate x min RTT: -1 half a product, 4 sixteen",
    },
  ]),
  apply(action, setting, mssBytes, { interval, path }) {
    const { rateBytesPerSec, maxRateBytesPerSec, isStartup } = path;
    const { minRttUs } = interval;
    if (rateBytesPerSec === 0 || minRttUs === 0) return false;
    const boost = isStartup ? 1 : 0;
    const roundTripsPerSec = MICROS_PER_SEC / minRttUs;
    setting.rateBytesPerSec = rateBytesPerSec * exp(LN2 * (action[0]! + boost)) + mssBytes * roundTripsPerSec;
    const product = maxRateBytesPerSec / roundTripsPerSec;
    const cwndBytes = product * exp(LN2 * (action[1]! + boost)) + SPARE_PACKETS * mssBytes;
    return holdCwnd(setting, cwndBytes, mssBytes, maxPackets);
  },
}));

/** Packets by which the additive choices of `indigo` change the window. */
const INDIGO_STEP_PACKETS = 10;

/** What each choice makes of cwnd, in the order of Indigo's own list: /2, -10, +0, +10, x2. */
const INDIGO_CHOICES: readonly (Choice & {
  of(cwndBytes: Bytes, mssBytes: Bytes): Bytes;
})[] = [
  { name: "halve", definition: "cwnd /= 2", of: (cwnd) => cwnd / 2 },
  {
    name: "less",
    definition: "cwnd -= 10 packets",
    of: (cwnd, mss) => cwnd - INDIGO_STEP_PACKETS * mss,
  },
  { name: "keep", definition: "cwnd stays as it is", of: (cwnd) => cwnd },
  {
    name: "more",
    definition: "cwnd += 10 packets",
    of: (cwnd, mss) => cwnd + INDIGO_STEP_PACKETS * mss,
  },
  { name: "double", definition: "cwnd *= 2", of: (cwnd) => cwnd * 2 },
];

const indigo: ActionSpec = limited((maxPackets) => ({
  name: "indigo",
  definition: `One of five steps of cwnd: half, 10 packets less, the same, 10 packets more, twice; the window stays within 2 packets and ${LIMIT}`,
  source: "Indigo (Yan et al. 2018, Pantheon), section 5.2",
  refusesBelow: true,
  space: makeDiscrete(INDIGO_CHOICES.map(({ name, definition }) => ({ name, definition }))),
  apply(action, setting, mssBytes) {
    const { of } = INDIGO_CHOICES[action[0]!]!;
    return holdCwnd(setting, of(setting.cwndBytes, mssBytes), mssBytes, maxPackets);
  },
  nearest(before, after, mssBytes) {
    // by ratios: a window that is too small by half is as wrong as one that is too large by its double
    const miss = INDIGO_CHOICES.map(({ of }) =>
      Math.abs(log2(Math.max(of(before.cwndBytes, mssBytes), MIN_CWND_PACKETS * mssBytes) / after.cwndBytes)),
    );
    return [miss.indexOf(Math.min(...miss))];
  },
}));

const TABLE: Map<string, ActionSpec> = new Map(
  [
    multiplicative,
    absolute,
    windowAndRate,
    overlay,
    BUNDLE_RATE,
    STEERED,
    ORCA,
    CONFINED,
    CHOOSE,
    indigo,
    AURORA,
    ASTRAEA,
  ].map((spec) => [spec.name, spec]),
);
export const ACTIONS: ReadonlyMap<string, ActionSpec> = TABLE;
export const DEFAULT_ACTION = "multiplicative";

/**
 * @param maxCwndPackets of a form that has a limit
 * @throws CcparkError (not-found) with the nearest name
 */
export function getAction(name: string, maxCwndPackets: number = MAX_CWND_PACKETS): ActionSpec {
  const spec = namedEntry("env", "action", ACTIONS, name);
  return maxCwndPackets === MAX_CWND_PACKETS ? spec : (spec.within?.(maxCwndPackets) ?? spec);
}

/**
 * Makes an action form known to this process, and no other.
 * @throws CcparkError (already-exists)
 */
export function registerAction(spec: ActionSpec): void {
  if (TABLE.has(spec.name)) {
    throw new CcparkError("already-exists", `[env] action \`${spec.name}\` is known already`);
  }
  TABLE.set(spec.name, spec);
}

/** What an action form of one's own is made of: dimensions or choices, and what they do. */
export interface ActionParts {
  readonly name: string;
  readonly definition: string;
  readonly source: string;
  /** of a box, whose bounds are finite; absent where there are choices */
  readonly dimensions?: readonly Dimension[];
  /** of a discrete space; an action is the number of one, from 0 */
  readonly choices?: readonly Choice[];
  /** Changes window and rate; what it leaves is held at 2 packets or more, and at finite numbers. */
  apply(action: ArrayLike<number>, setting: Setting, mssBytes: Bytes, view: FlowView): void;
}

/** A window below the least one is lifted; a rate below 0 means nothing. */
const LEAST_SETTING = [
  ["cwndBytes", Number.NEGATIVE_INFINITY],
  ["rateBytesPerSec", 0],
] as const;

/** @throws CcparkError (invalid-argument) from `apply`, where it sets what is no window or rate */
export function makeAction({ dimensions, choices, apply, ...about }: ActionParts): ActionSpec {
  const space = dimensions === undefined ? makeDiscrete(choices ?? []) : makeBox(dimensions);
  return {
    ...about,
    space,
    refusesBelow: space.kind === "discrete",
    apply(action, setting, mssBytes, view) {
      apply(action, setting, mssBytes, view);
      for (const [field, low] of LEAST_SETTING) {
        const value: unknown = setting[field];
        if (typeof value === "number" && value >= low && Number.isFinite(value)) continue;
        const message = `[env] action ${about.name}: ${field}: got ${value}, expected a finite number`;
        throw new CcparkError("invalid-argument", low === 0 ? `${message} from 0` : message);
      }
      setting.cwndBytes = Math.max(setting.cwndBytes, MIN_CWND_PACKETS * mssBytes);
      return false;
    },
  };
}

/**
 * Makes an action legal: copies it into `into`, clipped to the box where the policy allows that.
 * @param what what to call it in an error
 * @returns whether something was clipped
 * @throws CcparkError (invalid-argument): wrong length, not finite; outside the box if `policy` is reject; negative in the
 *   absolute form; none of the choices of a discrete form, since no other is its neighbour. Nothing was changed then.
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
  if (space.kind === "discrete") {
    const choice = action[0]!;
    if (!isChoice(space, choice)) throw noChoice(space, choice, what);
    into[0] = choice;
    return false;
  }
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
