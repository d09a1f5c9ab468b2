/**
 * What the test cases of draft-ietf-ccwg-bbr verify (appendix "BBR Example Test Cases"), each as quantities with thresholds; their
 * links are the members of the preset `bbr-draft`. A count or a state is an exact number. Where the appendix says "close" it
 * names 2 %; where it says "correctly", "successfully" or "fully", the threshold here says what we take that for.
 */
import { fromMbps, MSS_BYTES, PACKET_BYTES } from "../../../core/units.ts";
import type { RunResult } from "../../../testbeds/results.ts";
import type { Threshold } from "../../experiments/experiment.ts";
import type { Check } from "../thresholds.ts";
import type { Bbr3Trace, Snapshot, StateChange } from "./trace.ts";

export interface Measured {
  readonly trace: Bbr3Trace;
  readonly metrics: RunResult["metrics"];
}

export interface Quantity extends Check {
  readonly of: (measured: Measured) => number;
}

const PAYLOAD_SHARE = MSS_BYTES / PACKET_BYTES;
/** BBR.MinPipeCwnd */
const MIN_PIPE_BYTES = 4 * MSS_BYTES;
const NONE = Number.NaN;

/** Payload bytes per second of a link. */
function payloadRate(mbps: number): number {
  return fromMbps(mbps) * PAYLOAD_SHARE;
}

function quantity(
  name: string,
  threshold: Threshold,
  of: (trace: Bbr3Trace, metrics: Measured["metrics"]) => number,
  unit = "1",
): Quantity {
  return { name, unit, threshold, of: ({ trace, metrics }) => of(trace, metrics) };
}

const exactly = (value: number): Threshold => ({ low: value, high: value });
const YES = exactly(1);
const CLOSE: Threshold = { low: 0.98, high: 1.02 };

function flag(value: boolean | undefined): number {
  return value === undefined ? NONE : Number(value);
}

const leavesStartup = (trace: Bbr3Trace): StateChange | undefined => trace.change("startup", "drain");
const endsUp = (trace: Bbr3Trace): StateChange | undefined => trace.change("probe-bw-up");
const entersDown = (trace: Bbr3Trace): StateChange | undefined =>
  trace.change("probe-bw-up", "probe-bw-down");

/** The change out of a state that was entered by another change. */
function exitAfter(trace: Bbr3Trace, entry: StateChange | undefined): StateChange | undefined {
  return entry && trace.changes[trace.changes.indexOf(entry) + 1];
}

function greatest(snapshots: readonly Snapshot[], of: (at: Snapshot) => number): number {
  return snapshots.reduce(
    (max, at) => Math.max(max, of(at)),
    snapshots.length === 0 ? NONE : Number.NEGATIVE_INFINITY,
  );
}

function least(snapshots: readonly Snapshot[], of: (at: Snapshot) => number): number {
  return -greatest(snapshots, (at) => -of(at));
}

function shareOf(snapshots: readonly Snapshot[], is: (at: Snapshot) => boolean): number {
  return snapshots.length === 0 ? NONE : snapshots.filter(is).length / snapshots.length;
}

/** Delivered per second between the first and the last of them. */
function goodput(snapshots: readonly Snapshot[]): number {
  const [first, last] = [snapshots[0], snapshots.at(-1)];
  if (first === undefined || last === undefined || last.atSec === first.atSec) return NONE;
  return (last.delivered - first.delivered) / (last.atSec - first.atSec);
}

const inState = (trace: Bbr3Trace, state: Snapshot["state"]): Snapshot[] =>
  trace.acks.filter((at) => at.state === state);

/** The first PROBE_RTT: its beginning and its end. */
function probeRtt(trace: Bbr3Trace): { from: StateChange; to: StateChange } | undefined {
  const from = trace.changes.find(({ to }) => to === "probe-rtt");
  const to = exitAfter(trace, from);
  return from && to && { from, to };
}

/** Undos that restored less than what had been saved. */
function unrestored({ undone }: Bbr3Trace): number {
  return undone.filter(
    ({ at, saved }) =>
      at.bwShortterm < saved.bwShortterm ||
      at.inflightShortterm < saved.inflightShortterm ||
      at.inflightLongterm < saved.inflightLongterm,
  ).length;
}

/** Undos that did not lead back to the probe that the losses had ended. */
function unreturned({ undone }: Bbr3Trace): number {
  return undone.filter(
    ({ undoState, at, to }) =>
      undoState !== undefined &&
      at.state !== undoState &&
      at.state !== "probe-rtt" &&
      to !== (undoState === "startup" ? "startup" : "probe-bw-refill"),
  ).length;
}

const UNDO: readonly Quantity[] = [
  quantity("states saved upon loss", { low: 1 }, ({ saves }) => saves.length, "saves"),
  quantity("spurious recoveries undone", { low: 1 }, ({ undone }) => undone.length, "undos"),
  quantity("undos that restored less than was saved", exactly(0), unrestored, "undos"),
  quantity("undos that did not return to the probe", exactly(0), unreturned, "undos"),
];

/** The exit of the first PROBE_DOWN that only time ended. */
const timedDown = (trace: Bbr3Trace): StateChange | undefined =>
  trace.change("probe-bw-down", "probe-bw-refill", 1);

/** UP that ended by loss, in a flow whose inflight_longterm was set before. */
function lossyUp(trace: Bbr3Trace): { before: number; exit: StateChange } | undefined {
  const exit = trace
    .changesOf("probe-bw-up", "probe-bw-down")
    .find(({ at }) => at.undoState === "probe-bw-up");
  const before = exit && trace.acks.findLast(({ atSec }) => atSec < exit.at.atSec);
  return exit && before && { before: before.inflightLongterm, exit };
}

const STARTUP_EXITS: readonly Quantity[] = [
  quantity("full_bw_now on leaving STARTUP", YES, (t) => flag(leavesStartup(t)?.at.fullBwNow)),
  quantity("full_bw_reached on leaving STARTUP", YES, (t) => flag(leavesStartup(t)?.at.fullBwReached)),
];

const appLimitedChanges = (trace: Bbr3Trace): number =>
  trace.changesOf("startup").filter(({ to }) => to !== "probe-rtt").length;

/** By the scenarios' names, without the suite's. */
export const BBR_DRAFT_CASES: Readonly<Record<string, readonly Quantity[]>> = {
  "01-startup-plateau": [
    quantity("max_bw / link rate", CLOSE, (t) => (leavesStartup(t)?.at.maxBw ?? NONE) / payloadRate(10)),
    quantity(
      "full_bw_count on leaving STARTUP",
      exactly(3),
      (t) => leavesStartup(t)?.at.fullBwCount ?? NONE,
      "rounds",
    ),
    ...STARTUP_EXITS,
  ],
  "02-startup-loss-app-limited": [
    quantity("high loss seen in STARTUP", { low: 1 }, (t) => t.highLosses.length, "times"),
    quantity("rate sample application-limited on leaving STARTUP", YES, (t) =>
      flag(leavesStartup(t)?.at.appLimited),
    ),
    ...STARTUP_EXITS,
  ],
  "03-drain-inflight": [
    quantity("pacing_gain in DRAIN", exactly(0.5), (t) => leavesStartup(t)?.at.pacingGain ?? NONE),
    quantity("inflight / Inflight(1.0) on leaving DRAIN", { high: 1 }, (t) => {
      const at = lastInDrain(t);
      return at === undefined ? NONE : at.inflight / at.inflightOfBdp;
    }),
    quantity(
      "rounds in DRAIN",
      { high: 3 },
      (t) => t.change("drain", "probe-bw-down")?.at.roundsInDrain ?? NONE,
      "rounds",
    ),
  ],
  "04-drain-time": [
    quantity(
      "rounds in DRAIN",
      exactly(4),
      (t) => t.change("drain", "probe-bw-down")?.at.roundsInDrain ?? NONE,
      "rounds",
    ),
    quantity("inflight / Inflight(1.0), least of DRAIN", { low: 1.001 }, (t) => {
      const exit = t.change("drain", "probe-bw-down");
      const drain = inState(t, "drain");
      return exit === undefined ? NONE : least([...drain, exit.at], (at) => at.inflight / at.inflightOfBdp);
    }),
  ],
  "05-up-plateau": [
    quantity("full_bw_now on leaving PROBE_UP", YES, (t) => flag(endsUp(t)?.at.fullBwNow)),
    quantity(
      "full_bw_count on leaving PROBE_UP",
      exactly(3),
      (t) => endsUp(t)?.at.fullBwCount ?? NONE,
      "rounds",
    ),
    quantity("next state is PROBE_DOWN", YES, (t) => flag(endsUp(t) && endsUp(t)!.to === "probe-bw-down")),
    quantity("packets lost", exactly(0), (_, metrics) => metrics.droppedPackets, "packets"),
  ],
  "06-up-loss-app-limited": [
    quantity(
      "PROBE_UP ended by loss while application-limited",
      { low: 1 },
      (t) =>
        t
          .changesOf("probe-bw-up", "probe-bw-down")
          .filter(({ at }) => at.undoState === "probe-bw-up" && at.appLimited).length,
      "times",
    ),
    quantity(
      "PROBE_UP ended by a plateau while application-limited",
      exactly(0),
      (t) =>
        t.changesOf("probe-bw-up", "probe-bw-down").filter(({ at }) => at.fullBwNow && at.appLimited).length,
      "times",
    ),
    // HandleInflightTooHigh: an application-limited packet says nothing of how much would be too much
    quantity(
      "inflight_longterm set by application-limited losses",
      exactly(0),
      (t) =>
        t
          .changesOf("probe-bw-up", "probe-bw-down")
          .filter(({ at }) => at.appLimited && at.inflightLongterm !== Infinity).length,
      "times",
    ),
  ],
  "07-app-limited-stays": [
    quantity("exits of STARTUP, PROBE_RTT apart", exactly(0), appLimitedChanges, "times"),
    quantity("full_bw_reached", exactly(0), (t) => flag(t.acks.at(-1)?.fullBwReached)),
    quantity("samples application-limited after the first second", { low: 0.99 }, (t) =>
      shareOf(t.between(1), ({ appLimited }) => appLimited),
    ),
  ],
  "08-down-inflight": [
    quantity("pacing_gain in PROBE_DOWN", exactly(0.9), (t) => entersDown(t)?.at.pacingGain ?? NONE),
    quantity("next state is PROBE_CRUISE", YES, (t) =>
      flag(exitAfter(t, entersDown(t)) && exitAfter(t, entersDown(t))!.to === "probe-bw-cruise"),
    ),
    quantity(
      "inflight / min(InflightWithHeadroom(), Inflight(1.0)) on leaving PROBE_DOWN",
      { high: 1 },
      (t) => {
        const at = exitAfter(t, entersDown(t))?.at;
        return at === undefined ? NONE : at.inflight / Math.min(at.inflightWithHeadroom, at.inflightOfBdp);
      },
    ),
  ],
  "09-down-time": [
    quantity(
      "PROBE_DOWN went to PROBE_REFILL",
      { low: 1 },
      (t) => t.changesOf("probe-bw-down", "probe-bw-refill").length,
      "times",
    ),
    quantity(
      "time in PROBE_DOWN",
      { low: 2, high: 3.2 },
      (t) => {
        const exit = timedDown(t);
        const entry = exit && t.changes[t.changes.indexOf(exit) - 1];
        return exit === undefined || entry === undefined ? NONE : exit.at.atSec - entry.at.atSec;
      },
      "s",
    ),
    quantity("inflight / Inflight(1.0) on leaving PROBE_DOWN", { low: 1.001 }, (t) => {
      const at = timedDown(t)?.at;
      return at === undefined ? NONE : at.inflight / at.inflightOfBdp;
    }),
  ],
  "10-probe-rtt": [
    quantity("cwnd_gain in PROBE_RTT", exactly(0.5), (t) => probeRtt(t)?.from.at.cwndGain ?? NONE),
    quantity("begins after the start", { low: 5, high: 8 }, (t) => probeRtt(t)?.from.at.atSec ?? NONE, "s"),
    quantity(
      "lasts",
      { low: 0.2, high: 0.4 },
      (t) => {
        const both = probeRtt(t);
        return both === undefined ? NONE : both.to.at.atSec - both.from.at.atSec;
      },
      "s",
    ),
    quantity(
      "rounds in PROBE_RTT",
      { low: 1 },
      (t) => {
        const both = probeRtt(t);
        return both === undefined ? NONE : both.to.at.rounds - both.from.at.rounds;
      },
      "rounds",
    ),
    quantity("returns to PROBE_BW", YES, (t) =>
      flag(probeRtt(t) && probeRtt(t)!.to.to.startsWith("probe-bw")),
    ),
    quantity("delivery rate a second later / link rate", { low: 0.9 }, (t) => {
      const end = probeRtt(t)?.to.at.atSec;
      return end === undefined ? NONE : goodput(t.between(end + 0.5, end + 1.5)) / payloadRate(10);
    }),
  ],
  "11-probe-rtt-skipped": [
    quantity(
      "idle_restart set on sending again",
      { low: 1 },
      (t) => t.idleRestarts.filter(({ atSec, idleRestart }) => atSec >= 10 && idleRestart).length,
      "times",
    ),
    quantity(
      "PROBE_RTT within a second of it",
      exactly(0),
      (t) => t.changes.filter(({ to, at }) => to === "probe-rtt" && at.atSec >= 10 && at.atSec <= 11).length,
      "times",
    ),
    quantity("state is PROBE_BW when it sends again", YES, (t) =>
      flag(t.idleRestarts.at(-1)?.state.startsWith("probe-bw")),
    ),
  ],
  "12-aggregation-startup": [
    quantity("extra_acked in STARTUP / BDP", { low: 0.1 }, (t) =>
      greatest(inState(t, "startup"), (at) => at.extraAcked / (at.bw * at.minRttSec)),
    ),
    quantity("cwnd / BDP on leaving STARTUP", { low: 2.0001 }, (t) => {
      const at = leavesStartup(t)?.at;
      return at === undefined ? NONE : at.cwnd / (at.bw * at.minRttSec);
    }),
    // ACKs of two slots over one slot and a round trip: no sample is above 1.5 times the rate
    quantity(
      "max_bw / link rate on leaving STARTUP",
      { low: 0.95, high: 1.5 },
      (t) => (leavesStartup(t)?.at.maxBw ?? NONE) / payloadRate(50),
    ),
  ],
  "13-aggregation-cruise": [
    quantity("extra_acked in PROBE_CRUISE / BDP, least", { low: 0.1 }, (t) =>
      least(inState(t, "probe-bw-cruise"), (at) => at.extraAcked / (at.bw * at.minRttSec)),
    ),
    quantity("cwnd / 2 BDP in PROBE_CRUISE, least", { low: 1.0001 }, (t) =>
      least(
        inState(t, "probe-bw-cruise").filter(({ atSec }) => atSec > 2),
        (at) => at.cwnd / (2 * at.bw * at.minRttSec),
      ),
    ),
    quantity(
      "delivery rate / link rate after 2 s",
      { low: 0.95 },
      (t) => goodput(t.between(2)) / payloadRate(50),
    ),
  ],
  "14-sub-packet-bdp": [
    quantity("reaches PROBE_BW", { low: 1 }, (t) => t.changesOf("drain", "probe-bw-down").length, "times"),
    quantity("cwnd, least", exactly(MIN_PIPE_BYTES), (t) => least(t.between(5), ({ cwnd }) => cwnd), "bytes"),
    quantity(
      "pacing rate in PROBE_CRUISE / link rate",
      { low: 0.96, high: 1.01 },
      (t) => (inState(t, "probe-bw-cruise").at(-1)?.pacingRate ?? NONE) / payloadRate(0.5),
    ),
    quantity(
      "delivery rate / link rate after 5 s",
      { low: 0.95 },
      (t) => goodput(t.between(5)) / payloadRate(0.5),
    ),
  ],
  "15-bandwidth-up-10x": [
    quantity("inflight_longterm set before", YES, (t) =>
      flag(t.between(0, 6).some((at) => at.inflightLongterm !== Infinity)),
    ),
    quantity(
      "steps of inflight_longterm doubled in a PROBE_UP",
      { low: 3 },
      (t) => greatest(t.between(6), ({ upRounds }) => upRounds),
      "times",
    ),
    quantity(
      "rounds until max_bw is 90 % of the new rate",
      { high: 160 },
      (t) => {
        const before = t.between(0, 6).at(-1);
        const there = t.between(6).find(({ maxBw }) => maxBw >= 0.9 * payloadRate(100));
        return before === undefined || there === undefined ? NONE : there.rounds - before.rounds;
      },
      "rounds",
    ),
  ],
  "16-bandwidth-down-10x": [
    quantity("bw_shortterm / max_bw within 3 s, least", { high: 0.5 }, (t) =>
      least(t.between(5, 8), (at) => at.bwShortterm / at.maxBw),
    ),
    quantity("max_bw / new rate at the end", CLOSE, (t) => (t.acks.at(-1)?.maxBw ?? NONE) / payloadRate(10)),
    quantity(
      "cycles until max_bw is the new rate",
      { high: 3 },
      (t) => {
        const there = t.between(5).find(({ maxBw }) => maxBw <= 1.02 * payloadRate(10));
        return there === undefined
          ? NONE
          : t.changesOf("probe-bw-up").filter(({ at }) => at.atSec > 5 && at.atSec <= there.atSec).length;
      },
      "cycles",
    ),
  ],
  "17-policer": [
    quantity("bw_shortterm set by losses", YES, (t) =>
      flag(t.acks.some((at) => at.bwShortterm !== Infinity)),
    ),
    quantity("inflight_shortterm set by losses", YES, (t) =>
      flag(t.acks.some((at) => at.inflightShortterm !== Infinity)),
    ),
    quantity(
      "delivery rate / token rate in the last 10 s",
      { low: 0.85, high: 1.02 },
      (t) => goodput(t.between(20)) / payloadRate(10),
    ),
    quantity("loss rate", { high: 0.1 }, (_, metrics) => metrics.lossRate),
  ],
  "18-spurious-recovery": [
    ...UNDO,
    quantity(
      "delivery rate / link rate after 5 s",
      { low: 0.8 },
      (t) => goodput(t.between(5)) / payloadRate(20),
    ),
  ],
  "19-spurious-timeout": [
    ...UNDO,
    quantity("inflight a second after the first undo / before it", { low: 0.5 }, (t) => {
      const first = t.undone[0]?.at;
      if (first === undefined) return NONE;
      return (
        greatest(t.between(first.atSec, first.atSec + 1), ({ inflight }) => inflight) /
        greatest(t.between(first.atSec - 2, first.atSec), ({ inflight }) => inflight)
      );
    }),
  ],
  "20-probe-rtt-in-startup": [
    quantity(
      "PROBE_RTT entered from STARTUP",
      { low: 1 },
      (t) => t.changesOf("startup", "probe-rtt").length,
      "times",
    ),
    quantity("full_bw_reached then", exactly(0), (t) => flag(probeRtt(t)?.from.at.fullBwReached)),
    quantity("returns to STARTUP", YES, (t) => flag(probeRtt(t) && probeRtt(t)!.to.to === "startup")),
    quantity("pacing_gain after it", exactly(2.77), (t) => probeRtt(t)?.to.at.pacingGain ?? NONE),
  ],
  "21-up-loss": [
    quantity(
      "PROBE_UP ended by loss with inflight_longterm set",
      { low: 1 },
      (t) => flag(lossyUp(t) && lossyUp(t)!.before !== Infinity),
      "times",
    ),
    quantity("full_bw_now then", exactly(0), (t) => flag(lossyUp(t)?.exit.at.fullBwNow)),
    quantity("inflight_longterm after / before", { low: 0.7, high: 0.9999 }, (t) => {
      const up = lossyUp(t);
      return up === undefined ? NONE : up.exit.at.inflightLongterm / up.before;
    }),
  ],
  "22-refill-app-limited": [
    quantity("samples of PROBE_REFILL application-limited", { low: 0.99 }, (t) =>
      shareOf(
        t.between(2.2, 10).filter(({ state }) => state === "probe-bw-refill"),
        ({ appLimited }) => appLimited,
      ),
    ),
    quantity("delivery rate / max_bw in PROBE_REFILL, greatest", { high: 1 }, (t) =>
      greatest(
        t.between(2.2, 10).filter(({ state }) => state === "probe-bw-refill"),
        (at) => at.deliveryRate / at.maxBw,
      ),
    ),
    quantity("max_bw at the end / link rate", CLOSE, (t) => (t.acks.at(-1)?.maxBw ?? NONE) / payloadRate(10)),
    quantity(
      "PROBE_REFILL went to PROBE_UP",
      { low: 1 },
      (t) =>
        t.changesOf("probe-bw-refill", "probe-bw-up").filter(({ at }) => at.atSec > 2.2 && at.atSec < 10)
          .length,
      "times",
    ),
    quantity(
      "PROBE_UP ended once there was enough to send",
      { low: 1 },
      (t) => t.changesOf("probe-bw-up", "probe-bw-down").filter(({ at }) => at.atSec > 10).length,
      "times",
    ),
  ],
};

function lastInDrain(trace: Bbr3Trace): Snapshot | undefined {
  return trace.change("drain", "probe-bw-down")?.at;
}
