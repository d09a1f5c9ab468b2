/**
 * Observations of published systems, as far as a step of ours tells what theirs do; each says what differs. Values beyond a bound are
 * held there, since theirs are unbounded.
 */
import { MICROS_PER_MILLI, MICROS_PER_SEC, toMbps } from "../../../core/units.ts";
import { deliveredBytes, queueDelayUs, throughputBytesPerSec } from "../interval.ts";
import type { Feature, FlowView, ObservationParts } from "../observations.ts";

const feature = (
  name: string,
  [low, high]: readonly [number, number],
  definition: string,
  of: (view: FlowView) => number,
): Feature => ({
  name,
  unit: "1",
  low,
  high,
  definition,
  of: (view) => Math.min(Math.max(of(view), low), high),
});

/** A ratio, or what stands for it where there is nothing to divide by. */
const ratio = (a: number, b: number, otherwise: number): number => (b > 0 ? a / b : otherwise);

/** RTTs of the step over the least; 1 before the first. */
const latencyRatio = ({ interval }: FlowView): number => ratio(interval.meanRttUs, interval.minRttUs, 1);
const lostBytesPerSec = ({ interval }: FlowView): number =>
  ratio(interval.lostPackets * interval.mssBytes * MICROS_PER_SEC, interval.stepUs, 0);
const perMax = (view: FlowView, bytesPerSec: number, otherwise = 0): number =>
  ratio(bytesPerSec, view.maxDeliveryRateBytesPerSec, otherwise);

/** Aurora's cap of the ratio of rates. */
const MAX_SEND_RATIO = 1000;

export const AURORA: ObservationParts = {
  name: "aurora-30",
  definition:
    "Aurora's three features over ten steps. The gradient of latency is that from the step's mean RTT to its last sample, not between its halves; steps are ours, not monitor intervals of a rate",
  source: "Aurora (Jay et al. 2019), PCC-RL",
  history: 10,
  features: [
    feature("latencyInflation", [-1, 10], "(last RTT - mean RTT) x 2 / length of the step", ({ interval }) =>
      ratio(2 * (interval.rttUs - interval.meanRttUs), interval.stepUs, 0),
    ),
    feature("latencyRatio", [1, 10_000], "mean RTT / least RTT", latencyRatio),
    feature(
      "sendRatio",
      [0, MAX_SEND_RATIO],
      "sending rate / delivery rate; 1 where nothing is delivered",
      ({ interval }) => {
        const sent = ratio(interval.sendRateBytesPerSec, interval.deliveryRateBytesPerSec, 1);
        return sent >= MAX_SEND_RATIO ? 1 : sent;
      },
    ),
  ],
};

/** Indigo divides delays in ms and rates in Mbit/s by this, and windows in packets by 5000. */
const INDIGO_SCALE = 200;
const INDIGO_CWND_SCALE = 5000;
/** log2 of a window that was halved or doubled, but for rounding. */
const OCTAVE = 0.999;

const indigoAction = (name: string, is: (log2Change: number) => boolean): Feature =>
  feature(`was-${name}`, [0, 1], `1 where the last action was ${name}`, (view) =>
    is(view.log2CwndChange) ? 1 : 0,
  );

export const INDIGO: ObservationParts = {
  name: "indigo-9",
  definition:
    "Indigo's four features and its last action. Values of the step, where Indigo smooths them over ACKs (7/8 + 1/8)",
  source: "Indigo (Yan et al. 2018, Pantheon), section 5.2",
  history: 1,
  features: [
    feature(
      "queueDelay",
      [0, 10],
      "queueing delay (ms) / 200",
      ({ interval }) => queueDelayUs(interval) / MICROS_PER_MILLI / INDIGO_SCALE,
    ),
    feature(
      "deliveryRate",
      [0, 10],
      "delivery rate (Mbit/s) / 200",
      ({ interval }) => toMbps(interval.deliveryRateBytesPerSec) / INDIGO_SCALE,
    ),
    feature(
      "sendRate",
      [0, 10],
      "sending rate (Mbit/s) / 200",
      ({ interval }) => toMbps(interval.sendRateBytesPerSec) / INDIGO_SCALE,
    ),
    feature(
      "cwnd",
      [0, 10],
      "window (packets) / 5000",
      ({ interval, cwndBytes }) => cwndBytes / interval.mssBytes / INDIGO_CWND_SCALE,
    ),
    indigoAction("halve", (change) => change <= -OCTAVE),
    indigoAction("less", (change) => change > -OCTAVE && change < 0),
    indigoAction("keep", (change) => change === 0),
    indigoAction("more", (change) => change > 0 && change < OCTAVE),
    indigoAction("double", (change) => change >= OCTAVE),
  ],
};

/** Orca's margin: delays up to a quarter above the least are as good as none. */
const ORCA_MARGIN = 1.25;
const ORCA_LOSS_WEIGHT = 5;

export const ORCA: ObservationParts = {
  name: "orca-7",
  definition:
    "Orca's seven states over ten steps. Sending rate for the kernel's pacing rate, mean RTT of the step for srtt",
  source: "Orca (Abbasloo et al. 2020)",
  history: 10,
  features: [
    feature("throughput", [0, 10], "throughput / highest delivery rate", (view) =>
      perMax(view, throughputBytesPerSec(view.interval)),
    ),
    feature("pacing", [0, 10], "sending rate / highest delivery rate", (view) =>
      perMax(view, view.interval.sendRateBytesPerSec),
    ),
    feature("loss", [0, 10], "5 x rate of loss / highest delivery rate", (view) =>
      perMax(view, ORCA_LOSS_WEIGHT * lostBytesPerSec(view)),
    ),
    feature(
      "samples",
      [0, 10],
      "packets delivered / window",
      (view) => deliveredBytes(view.interval) / view.cwndBytes,
    ),
    feature("stepSec", [0, 10], "length of the step, s", ({ interval }) => interval.stepUs / MICROS_PER_SEC),
    feature("rttRatio", [0, 1], "least RTT / mean RTT", (view) => 1 / Math.max(latencyRatio(view), 1)),
    feature("delayMetric", [0, 1], "min(1, 1.25 least RTT / mean RTT)", (view) =>
      Math.min(1, ORCA_MARGIN / Math.max(latencyRatio(view), 1)),
    ),
  ],
};

/** Astraea's scales: 10 MB/s, and half a second. */
const ASTRAEA_RATE = 1e7;
const ASTRAEA_RTT_US = 500_000;

export const ASTRAEA: ObservationParts = {
  name: "astraea-10",
  definition:
    "Astraea's ten local states over five steps. Last RTT and mean RTT of the step for its RTT and srtt, sending rate for pacing rate, lost packets for retransmissions",
  source: "Astraea (Liao et al. 2024)",
  history: 5,
  features: [
    feature("throughput", [0, 2], "throughput / highest delivery rate; 0.5 before the first", (view) =>
      perMax(view, throughputBytesPerSec(view.interval), 0.5),
    ),
    feature("rttRatio", [0, 2], "last RTT / least RTT", ({ interval }) =>
      ratio(interval.rttUs, interval.minRttUs, 1),
    ),
    feature("srttRatio", [0, 2], "mean RTT / least RTT", latencyRatio),
    feature("cwndRatio", [0, 2], "window per least RTT / highest delivery rate / 10", (view) =>
      perMax(view, ratio(view.cwndBytes * MICROS_PER_SEC, view.interval.minRttUs, 0) / 10),
    ),
    feature(
      "maxRate",
      [0, 200],
      "highest delivery rate / 10 MB/s",
      ({ maxDeliveryRateBytesPerSec }) => maxDeliveryRateBytesPerSec / ASTRAEA_RATE,
    ),
    feature("minRtt", [0, 20], "least RTT / 0.5 s", ({ interval }) => interval.minRttUs / ASTRAEA_RTT_US),
    feature("loss", [0, 2], "rate of loss / highest delivery rate", (view) =>
      perMax(view, lostBytesPerSec(view)),
    ),
    feature(
      "inflight",
      [0, 2],
      "packets in flight / window",
      ({ interval, cwndBytes }) => (interval.inflightPackets * interval.mssBytes) / cwndBytes,
    ),
    feature("pacing", [0, 2], "sending rate / highest delivery rate", (view) =>
      perMax(view, view.interval.sendRateBytesPerSec),
    ),
    feature(
      "lost",
      [0, 2],
      "packets found lost / window",
      ({ interval, cwndBytes }) => (interval.lostPackets * interval.mssBytes) / cwndBytes,
    ),
  ],
};

export const PUBLISHED: readonly ObservationParts[] = [AURORA, INDIGO, ORCA, ASTRAEA];
