/**
 * Response functions: what an algorithm sends per round trip at a given loss rate, on a path that never limits it, beside
 * the published closed forms. Reno meets independent loss: Mathis et al., "The macroscopic behavior of the TCP congestion
 * avoidance algorithm", CCR 27(3), 1997, with the constant 1.31 of random loss, and RFC 5348's throughput equation.
 * Cubic meets periodic loss: RFC 9438 section 5.1.
 *
 * As in the models a packet counts when it is sent, and the loss rate is the share of sent packets that was lost.
 */
import Table from "cli-table3";
import { pow } from "../../../core/math.ts";
import { Rng } from "../../../core/random.ts";
import { MICROS_PER_SEC, type Micros, NANOS_PER_MICRO, NANOS_PER_MILLI } from "../../../core/units.ts";
import { makeNetwork } from "../../../sim/make-network.ts";
import { type Claim, type Experiment, experiment, type Figure, judge } from "../experiment.ts";
import { axis, marksAndLaw, type Panel, page } from "../figures.ts";
import { flowOf, NATIVE, type NativeName, OPEN_LINK } from "../path.ts";
import { PLAIN_TABLE } from "../plain-table.ts";

/** Mathis et al.: constant for random loss and an ACK for every packet. */
const MATHIS_RANDOM_LOSS = 1.31;
/** RFC 9438 4.6 and 5: C and beta_cubic. */
const CUBIC_C = 0.4;
const CUBIC_BETA = 0.7;
/** The floor of the senders' retransmission timer above the smoothed RTT: Linux TCP_RTO_MIN. */
const MIN_RTO_US = 200_000;
/** Loss intervals before the measurement: the window forgets its start after a few. */
const WARM_UP_LOSSES = 20;

/** Packets per round trip: 1.31 / sqrt(p). */
export function mathisPackets(lossRate: number): number {
  return MATHIS_RANDOM_LOSS / Math.sqrt(lossRate);
}

/** Packets per round trip by RFC 5348 section 3.1 with b = 1 (no delayed ACKs). */
export function rfc5348Packets(lossRate: number, rttUs: Micros, rtoUs: Micros): number {
  const p = lossRate;
  const timeoutShare = (rtoUs / rttUs) * 3 * Math.sqrt((3 * p) / 8) * p * (1 + 32 * p * p);
  return 1 / (Math.sqrt((2 * p) / 3) + timeoutShare);
}

/**
 * Packets per round trip by RFC 9438: the larger of AVG_W_cubic (equation 6) and of Reno's average window under periodic
 * loss, sqrt(3 / (2 p)), which the Reno-friendly region grants (section 4.3).
 */
export function rfc9438Packets(lossRate: number, rttUs: Micros): number {
  return Math.max(cubicOwnPackets(lossRate, rttUs), Math.sqrt(1.5 / lossRate));
}

/** AVG_W_cubic of RFC 9438, equation 6. */
export function cubicOwnPackets(lossRate: number, rttUs: Micros): number {
  const factor = (CUBIC_C * (3 + CUBIC_BETA)) / (4 * (1 - CUBIC_BETA));
  return pow(factor, 0.25) * pow(rttUs / MICROS_PER_SEC / lossRate, 0.75);
}

export interface ResponsePlan {
  readonly algorithm: NativeName;
  /** independent: each packet alike; periodic: every n-th, n = 1 / lossRate rounded */
  readonly loss: "independent" | "periodic";
  readonly lossRate: number;
  readonly rttMs: number;
  /** losses to measure over, at least */
  readonly losses: number;
  readonly seed: number;
}

export interface ResponsePoint extends ResponsePlan {
  /** of the sent packets, 0-1 */
  readonly measuredLossRate: number;
  readonly measuredLosses: number;
  readonly packetsPerRtt: number;
  readonly timeouts: number;
  /** sent packets per round trip by the closed forms, at the measured loss rate */
  readonly models: Readonly<Record<"mathis" | "rfc5348" | "rfc9438", number>>;
}

/** Runs until the losses are counted. */
export function measureResponse(plan: ResponsePlan): ResponsePoint {
  const { algorithm, loss, lossRate, rttMs, losses, seed } = plan;
  const rttNs = rttMs * NANOS_PER_MILLI;
  const rttUs = rttNs / NANOS_PER_MICRO;
  const forward =
    loss === "independent"
      ? { ...OPEN_LINK, lossRate }
      : { ...OPEN_LINK, impairments: { periodicLoss: { everyPackets: Math.round(1 / lossRate) } } };
  const network = makeNetwork(
    { forward, reverse: OPEN_LINK, flows: [flowOf(NATIVE[algorithm], rttNs, 0)] },
    Rng.fromSeed(seed),
  );
  const flow = network.flows[0]!;
  const runToLosses = (count: number): void => {
    while (flow.droppedPackets < count) network.runUntil(network.nowNs + 10 * rttNs);
  };
  runToLosses(WARM_UP_LOSSES);
  const sender = flow.sender!;
  const from = {
    nowNs: network.nowNs,
    sentPackets: sender.sentPackets,
    droppedPackets: flow.droppedPackets,
    timeouts: sender.timeouts,
  };
  runToLosses(from.droppedPackets + losses);
  const sentPackets = sender.sentPackets - from.sentPackets;
  const measuredLosses = flow.droppedPackets - from.droppedPackets;
  const measuredLossRate = measuredLosses / sentPackets;
  return {
    ...plan,
    measuredLossRate,
    measuredLosses,
    packetsPerRtt: (sentPackets * rttNs) / (network.nowNs - from.nowNs),
    timeouts: sender.timeouts - from.timeouts,
    models: {
      mathis: mathisPackets(measuredLossRate),
      rfc5348: rfc5348Packets(measuredLossRate, rttUs, rttUs + MIN_RTO_US),
      rfc9438: rfc9438Packets(measuredLossRate, rttUs),
    },
  };
}

const RENO = { algorithm: "reno", loss: "independent", rttMs: 100, seed: 1 } as const;
const CUBIC = { algorithm: "cubic", loss: "periodic", losses: 40, seed: 1 } as const;

/**
 * The points of the published laws. Reno: at least 1,000 losses, 10,000 where they cost little. Cubic: its own growth leads
 * at 100 ms and low loss, the Reno-friendly region elsewhere (RFC 9438 table 2); the window is 20 packets or more.
 */
export const RESPONSE_PLANS: readonly ResponsePlan[] = [
  ...[0.0001, 0.0003].map((lossRate) => ({ ...RENO, lossRate, losses: 1000 })),
  ...[0.001, 0.002].map((lossRate) => ({ ...RENO, lossRate, losses: 2000 })),
  ...[0.005, 0.01, 0.02, 0.05].map((lossRate) => ({ ...RENO, lossRate, losses: 10_000 })),
  ...[0.00003, 0.0001, 0.0003, 0.001, 0.003].map((lossRate) => ({ ...CUBIC, rttMs: 100, lossRate })),
  ...[0.0003, 0.001].map((lossRate) => ({ ...CUBIC, rttMs: 20, lossRate })),
];

/** Measured packets per round trip, and what share of each closed form that is. */
function tableOf(points: readonly ResponsePoint[]): string {
  const table = new Table({
    ...PLAIN_TABLE,
    head: [
      "",
      "loss",
      "RTT\nms",
      "loss rate\nmeasured",
      "losses",
      "packets\nper RTT",
      "1.31/√p",
      "RFC 5348",
      "RFC 9438",
    ],
    colAligns: ["left", "left", ...Array.from({ length: 7 }, () => "right" as const)],
  });
  for (const point of points) {
    const { algorithm, loss, rttMs, measuredLossRate, measuredLosses, packetsPerRtt, models } = point;
    const share = (model: number): string => `${(packetsPerRtt / model).toFixed(3)} x`;
    const reno = algorithm === "reno";
    table.push([
      algorithm,
      loss,
      rttMs,
      measuredLossRate.toPrecision(3),
      measuredLosses,
      packetsPerRtt.toFixed(2),
      reno ? share(models.mathis) : "",
      reno ? share(models.rfc5348) : "",
      reno ? "" : share(models.rfc9438),
    ]);
  }
  return `${table.toString()}\n\nSent packets per round trip, and as a multiple of each closed form at the measured loss rate.\n`;
}

/** Which law a point is held against, and within what of it. */
function lawOf({ algorithm, lossRate }: ResponsePlan): {
  readonly model: keyof ResponsePoint["models"];
  readonly name: string;
  readonly within: number;
} {
  if (algorithm === "cubic") return { model: "rfc9438", name: "RFC 9438", within: 0.15 };
  // the fluid model knows no rounds of recovery, which take up more of the time as losses come closer
  if (lossRate <= 0.005) return { model: "mathis", name: "1.31/√p", within: 0.1 };
  return { model: "rfc5348", name: "RFC 5348", within: 0.2 };
}

function claimOf(point: ResponsePoint): Claim {
  const { algorithm, loss, lossRate, rttMs, packetsPerRtt, models } = point;
  const { model, name, within } = lawOf(point);
  return judge({
    claim: `${algorithm}, ${loss} loss of ${lossRate}, ${rttMs} ms: packets per RTT over the law's`,
    published: `${name} = ${models[model].toFixed(2)}`,
    measured: packetsPerRtt / models[model],
    unit: "1",
    threshold: { low: 1 - within, high: 1 + within },
  });
}

/** Packets per round trip over the loss rate, both logarithmic; lines are the laws, marks what was measured. */
function figureOf(points: readonly ResponsePoint[]): Figure {
  const names = ["reno", "cubic"];
  const panel = (rttMs: number, name: NativeName, title: string): Panel => {
    const values = points
      .filter((point) => point.rttMs === rttMs && point.algorithm === name)
      .map((point) => ({
        name,
        lossRate: point.measuredLossRate,
        measured: point.packetsPerRtt,
        law: point.models[lawOf(point).model],
      }));
    const x = axis({ field: "lossRate", title: "Loss rate", log: true, format: "~e" });
    const y = axis({ field: "measured", title: "Packets per RTT", log: true });
    return marksAndLaw(names, { title, values, x, y }, "law");
  };
  const title = "Response functions";
  const subtitle = ["marks: measured; dashed: the published law at the measured loss rate"];
  return page({ title, subtitle }, names, [
    panel(100, "reno", "Reno, 100 ms, independent loss"),
    panel(100, "cubic", "Cubic, 100 ms, periodic loss"),
    panel(20, "cubic", "Cubic, 20 ms, periodic loss"),
  ]);
}

export const response: Experiment = experiment({
  name: "response",
  summary: "packets per round trip by loss rate, beside Mathis et al., RFC 5348 and RFC 9438",
  source: "Mathis et al., CCR 27(3), 1997; RFC 5348 section 3.1; RFC 9438 section 5.1",
  options: {},
  count: () => RESPONSE_PLANS.length,
  *run() {
    for (const plan of RESPONSE_PLANS) yield measureResponse(plan);
  },
  describe: ({ algorithm, lossRate }) => `${algorithm}, loss ${lossRate}`,
  report: (points) => ({
    text: tableOf(points),
    claims: points.map(claimOf),
    figure: figureOf(points),
  }),
});
