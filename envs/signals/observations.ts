/** Observations by name: what of an interval an agent sees, each dimension with unit, range and definition. */
import { CcparkError, namedEntry } from "../../core/errors.ts";
import { log2 } from "../../core/math.ts";
import type { Bytes, BytesPerSec, Micros } from "../../core/units.ts";
import { type Box, type Dimension, makeBox } from "../spaces.ts";
import { BUNDLE_OBSERVATION } from "./bundle.ts";
import {
  DEFAULT_ENVELOPE,
  RATE_OCTAVES,
  REFERENCE_RATE_BYTES_PER_SEC,
  REFERENCE_RTT_US,
  RTT_OCTAVES,
  type Spans,
} from "./envelope.ts";
import { GENERAL } from "./general/observation.ts";
import { PathModel } from "./general/path-model.ts";
import { type Interval, queueDelayUs } from "./interval.ts";
import { PUBLISHED } from "./published/observations.ts";

/** What is known of the flow besides the interval. */
export interface FlowView {
  readonly interval: Interval;
  readonly cwndBytes: Bytes;
  /** log2 of cwnd now over cwnd when the step began */
  readonly log2CwndChange: number;
  /** highest delivery rate of the last 10 s; 0 before the first sample */
  readonly maxDeliveryRateBytesPerSec: BytesPerSec;
  /** as new where neither observation nor action reads it */
  readonly path: PathModel;
  /** 0 before the first sample */
  readonly srttUs: Micros;
  /** pacing rate that was set; 0: ACK-clocked */
  readonly rateBytesPerSec: BytesPerSec;
}

/** Of a flow of which nothing is known yet. */
export function firstView(
  interval: Interval,
  cwndBytes: Bytes,
): { -readonly [key in keyof FlowView]: FlowView[key] } {
  return {
    interval,
    cwndBytes,
    log2CwndChange: 0,
    maxDeliveryRateBytesPerSec: 0,
    path: new PathModel(),
    srttUs: 0,
    rateBytesPerSec: 0,
  };
}

/** A dimension of one frame, and what computes it. */
export interface Feature extends Dimension {
  of(view: FlowView): number;
}

/** What a module of one's own has as default export; also how those here are written. */
export interface ObservationParts
  extends Pick<ObservationSpec, "name" | "definition" | "source" | "history"> {
  /** of one frame */
  readonly features: readonly Feature[];
}

export interface ObservationSpec {
  readonly name: string;
  readonly definition: string;
  readonly source: string;
  /** frames in one observation, the newest last */
  readonly history: number;
  /** none of it reads `FlowView.path`, which is not kept then if the action does not read it either; absent: it may */
  readonly ignoresPath?: true;
  readonly features: readonly Dimension[];
  readonly space: Box;
  /** The newest frame, feature by feature. */
  values(view: FlowView): number[];
  /** Writes the same, float32 [features.length]. */
  writeFrame(view: FlowView, into: Float32Array, offset: number): void;
  /** The same with other limits of the features that have some; absent: none has. */
  within?(spans: Spans): ObservationSpec;
}

/** @param writeFrame the features called by their names, which is quicker; absent: through the table */
function makeSpec(
  about: Pick<ObservationSpec, "name" | "definition" | "source" | "history" | "ignoresPath">,
  features: readonly Feature[],
  writeFrame?: ObservationSpec["writeFrame"],
): ObservationSpec {
  const frames = Array.from({ length: about.history }, (_, frame) => about.history - 1 - frame);
  const dimensions = frames.flatMap((age) =>
    features.map(({ name, unit, low, high, definition }) => ({
      name: about.history === 1 ? name : `${name}[${age === 0 ? "0" : `-${age}`}]`,
      unit,
      low,
      high,
      definition,
    })),
  );
  return {
    ...about,
    features: features.map(({ name, unit, low, high, definition }) => ({
      name,
      unit,
      low,
      high,
      definition,
    })),
    space: makeBox(dimensions),
    values: (view) => features.map((feature) => feature.of(view)),
    writeFrame:
      writeFrame ??
      ((view, into, offset) => {
        for (let i = 0; i < features.length; i++) into[offset + i] = features[i]!.of(view);
      }),
  };
}

function clip(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

/** Above any 32-bit counter: Park's own bounds (1.8e6 bytes, 1200 packets, 300 ms, 1e9 B/s, 0 bytes pending) are exceeded in practice. */
const WIDE = 2 ** 32;

const park14 = makeSpec(
  {
    name: "park-14",
    definition: "Park's fourteen numbers, as they are; bounds wide enough for every value",
    source: "Park (NeurIPS 2019), congestion control environment",
    history: 1,
    ignoresPath: true,
  },
  [
    {
      name: "bytesAcked",
      unit: "B",
      low: 0,
      high: WIDE,
      definition: "growth of the cumulative ACK in the step",
      of: (v) => v.interval.ackedBytes,
    },
    {
      name: "bytesMisordered",
      unit: "B",
      low: 0,
      high: WIDE,
      definition: "newly acknowledged out of order in the step",
      of: (v) => v.interval.misorderedPackets * v.interval.mssBytes,
    },
    {
      name: "ecnBytes",
      unit: "B",
      low: 0,
      high: WIDE,
      definition: "bytes in ECN-marked packets in the step",
      of: (v) => v.interval.ecnBytes,
    },
    {
      name: "packetsAcked",
      unit: "packets",
      low: 0,
      high: WIDE,
      definition: "newly delivered in order in the step",
      of: (v) => v.interval.ackedPackets,
    },
    {
      name: "packetsMisordered",
      unit: "packets",
      low: 0,
      high: WIDE,
      definition: "newly acknowledged out of order in the step",
      of: (v) => v.interval.misorderedPackets,
    },
    {
      name: "ecnPackets",
      unit: "packets",
      low: 0,
      high: WIDE,
      definition: "ECN-marked packets in the step",
      of: (v) => v.interval.ecnPackets,
    },
    {
      name: "loss",
      unit: "packets",
      low: 0,
      high: WIDE,
      definition: "packets that the last ACK of the step showed to be lost",
      of: (v) => v.interval.lastLostPackets,
    },
    {
      name: "timeout",
      unit: "1",
      low: 0,
      high: 1,
      definition: "1 if a retransmission timeout fell into the step",
      of: (v) => (v.interval.timeout ? 1 : 0),
    },
    {
      name: "bytesInFlight",
      unit: "B",
      low: 0,
      high: WIDE,
      definition: "sent, neither acknowledged nor declared lost, at the end of the step",
      of: (v) => v.interval.inflightPackets * v.interval.mssBytes,
    },
    {
      name: "packetsInFlight",
      unit: "packets",
      low: 0,
      high: WIDE,
      definition: "the same in packets",
      of: (v) => v.interval.inflightPackets,
    },
    {
      name: "bytesPending",
      unit: "B",
      low: 0,
      high: WIDE,
      definition: "written by the application and not yet acknowledged in order",
      of: (v) => v.interval.pendingBytes,
    },
    {
      name: "rtt",
      unit: "us",
      low: 0,
      high: WIDE,
      definition: "last RTT sample, held while there is none; 0 before the first",
      of: (v) => v.interval.rttUs,
    },
    {
      name: "rin",
      unit: "B/s",
      low: 0,
      high: 1e11,
      definition: "sending rate (Flow.rate_outgoing; Park's name suggests the opposite)",
      of: (v) => v.interval.sendRateBytesPerSec,
    },
    {
      name: "rout",
      unit: "B/s",
      low: 0,
      high: 1e11,
      definition: "delivery rate (Flow.rate_incoming)",
      of: (v) => v.interval.deliveryRateBytesPerSec,
    },
  ],
);

function queueDelayRatio({ interval }: FlowView): number {
  return interval.minRttUs === 0 ? 0 : clip(queueDelayUs(interval) / interval.minRttUs, 0, 2) / 2;
}

function queueDelayLog({ interval }: FlowView): number {
  return clip(log2(Math.max(queueDelayUs(interval), 1) / 1000) / 4, -1, 1);
}

function rttTrend({ interval }: FlowView): number {
  return interval.minRttUs === 0
    ? 0
    : clip((2 * (interval.rttUs - interval.meanRttUs)) / interval.minRttUs, -1, 1);
}

function deliveryRatio({ interval, maxDeliveryRateBytesPerSec: max }: FlowView): number {
  return max === 0 ? 0 : clip(interval.deliveryRateBytesPerSec / max, 0, 1);
}

function cwndBdpLog({ interval, cwndBytes, maxDeliveryRateBytesPerSec: max }: FlowView): number {
  return max === 0 || interval.minRttUs === 0
    ? -1
    : clip(log2((cwndBytes * 1e6) / (max * interval.minRttUs)) / 2, -1, 1);
}

function lossRate({ interval }: FlowView): number {
  return interval.lostPackets === 0
    ? 0
    : clip(
        (5 * interval.lostPackets) /
          (interval.lostPackets + interval.ackedPackets + interval.misorderedPackets),
        0,
        1,
      );
}

function report({ interval }: FlowView): number {
  return interval.report ? 1 : 0;
}

function log2CwndChange(v: FlowView): number {
  return clip(v.log2CwndChange, -1, 1);
}

function minRttLog({ interval }: FlowView, span: number): number {
  return interval.minRttUs === 0
    ? 0
    : clip(log2(interval.minRttUs / REFERENCE_RTT_US) / RTT_OCTAVES, -span, span);
}

/** Little is no matter of scale: the lower end stays. */
function maxRateLog({ maxDeliveryRateBytesPerSec: max }: FlowView, span: number): number {
  return max === 0 ? -1 : clip(log2(max / REFERENCE_RATE_BYTES_PER_SEC) / RATE_OCTAVES, -1, span);
}

const makeStandard = ({ rtt, rate }: Spans): ObservationSpec => ({
  ...standardSpec(rtt, rate),
  within: makeStandard,
});

const standardSpec = (rttSpan: number, rateSpan: number): ObservationSpec =>
  makeSpec(
    {
      name: "standard",
      definition:
        "Ten bounded features of the step, relative to the path's own minimum RTT and delivery rate; three frames",
      source: "ours; the ratios follow Orca, Astraea and Aurora",
      history: 3,
      ignoresPath: true,
    },
    [
      {
        name: "queueDelayRatio",
        unit: "1",
        low: 0,
        high: 1,
        definition: "(mean RTT - min RTT) / min RTT, capped at 2, halved",
        of: queueDelayRatio,
      },
      {
        name: "queueDelayLog",
        unit: "1",
        low: -1,
        high: 1,
        definition: "log2((mean RTT - min RTT) / 1 ms) / 4, within +-1 (62 us to 16 ms)",
        of: queueDelayLog,
      },
      {
        name: "rttTrend",
        unit: "1",
        low: -1,
        high: 1,
        definition: "(last RTT - mean RTT) / min RTT, doubled, within +-1",
        of: rttTrend,
      },
      {
        name: "deliveryRatio",
        unit: "1",
        low: 0,
        high: 1,
        definition: "delivery rate / highest of the last 10 s",
        of: deliveryRatio,
      },
      {
        name: "cwndBdpLog",
        unit: "1",
        low: -1,
        high: 1,
        definition: "log2(cwnd / (highest delivery rate of the last 10 s x min RTT)) / 2, within +-1",
        of: cwndBdpLog,
      },
      {
        name: "lossRate",
        unit: "1",
        low: 0,
        high: 1,
        definition: "lost / (lost + delivered) in the step, times 5, capped at 1",
        of: lossRate,
      },
      {
        name: "report",
        unit: "1",
        low: 0,
        high: 1,
        definition: "1 if a report ended the step, 0 if its time limit did",
        of: report,
      },
      {
        name: "log2CwndChange",
        unit: "1",
        low: -1,
        high: 1,
        definition: "log2(cwnd now / cwnd a step ago), within +-1",
        of: log2CwndChange,
      },
      {
        name: "minRttLog",
        unit: "1",
        low: -rttSpan,
        high: rttSpan,
        definition:
          "log2(min RTT / 40 ms) / 4, within +-1 (2.5 to 640 ms), and further where the scenario's round trip lies outside",
        of: (view) => minRttLog(view, rttSpan),
      },
      {
        name: "maxRateLog",
        unit: "1",
        low: -1,
        high: rateSpan,
        definition:
          "log2(highest delivery rate of the last 10 s / 40 Mbit/s) / 6, within +-1 (0.6 to 2,560 Mbit/s), and further where the scenario's rate is higher",
        of: (view) => maxRateLog(view, rateSpan),
      },
    ],
    (view, into, at) => {
      into[at] = queueDelayRatio(view);
      into[at + 1] = queueDelayLog(view);
      into[at + 2] = rttTrend(view);
      into[at + 3] = deliveryRatio(view);
      into[at + 4] = cwndBdpLog(view);
      into[at + 5] = lossRate(view);
      into[at + 6] = report(view);
      into[at + 7] = log2CwndChange(view);
      into[at + 8] = minRttLog(view, rttSpan);
      into[at + 9] = maxRateLog(view, rateSpan);
    },
  );

const TABLE: Map<string, ObservationSpec> = new Map(
  [
    makeStandard(DEFAULT_ENVELOPE),
    park14,
    ...[GENERAL, BUNDLE_OBSERVATION, ...PUBLISHED].map((parts) => makeSpec(parts, parts.features)),
  ].map((spec) => [spec.name, spec]),
);
export const OBSERVATIONS: ReadonlyMap<string, ObservationSpec> = TABLE;
export const DEFAULT_OBSERVATION = "standard";

/**
 * @param spans of an observation with features that have some
 * @throws CcparkError (not-found) with the nearest name
 */
export function getObservation(name: string, { rtt, rate }: Spans = DEFAULT_ENVELOPE): ObservationSpec {
  const spec = namedEntry("env", "observation", OBSERVATIONS, name);
  const isDefault = rtt === DEFAULT_ENVELOPE.rtt && rate === DEFAULT_ENVELOPE.rate;
  return isDefault ? spec : (spec.within?.({ rtt, rate }) ?? spec);
}

/**
 * Makes an observation known to this process, and no other.
 * @throws CcparkError (already-exists)
 */
export function registerObservation({ name, definition, source, history, features }: ObservationParts): void {
  if (TABLE.has(name)) {
    throw new CcparkError("already-exists", `[env] observation \`${name}\` is known already`);
  }
  TABLE.set(name, makeSpec({ name, definition, source, history }, features));
}
