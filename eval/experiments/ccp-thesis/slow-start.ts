/**
 * Slow start over CCP three ways (A. Narayan, thesis on CCP, 4.4.4), doubled by the agent once per round trip, by the datapath
 * program with every ACK, and by the program as a rate; beside it the native one, in the datapath alone. 48 Mbit/s, 100 ms.
 */
import Table from "cli-table3";
import { makeAlgorithm, resolveAlgorithm } from "../../../algorithms/reference.ts";
import { SLOW_START_PLACES, SLOW_STARTS } from "../../../algorithms/slow-start/registry.ts";
import { runAlgorithm } from "../../../envs/measured-run.ts";
import { bdpPackets, makeLink } from "../../../scenarios/links.ts";
import { type Claim, type Experiment, experiment, type Figure, judge } from "../experiment.ts";
import { axis, lines, type Panel, page } from "../figures.ts";
import { choice, positive, type Settings } from "../options.ts";
import { PLAIN_TABLE } from "../plain-table.ts";

const LINK = { mbps: 48, rttMs: 100 } as const;
const BIN_SEC = 0.02;
const SEED = 1;
const BDP_PACKETS = bdpPackets(LINK.mbps, LINK.rttMs);

const OPTIONS = {
  algorithm: choice("reno", ["reno", "cubic"], { help: "whose window it is" }),
  slowStart: choice(
    "standard",
    SLOW_STARTS.map(({ name }) => name),
    { help: "what ends it" },
  ),
  bufferBdp: positive(1, { placeholder: "x", help: "drop-tail buffer in bandwidth-delay products" }),
  durationSec: positive(4, { placeholder: "s", help: "seconds per run" }),
};

/** `native`: in the datapath, without an agent, and by the window */
const WAYS = ["native", ...SLOW_START_PLACES] as const;
type Way = (typeof WAYS)[number];

interface Point {
  readonly atSec: number;
  readonly cwndPackets: number;
  readonly throughputMbps: number;
  readonly queueDelayMs: number;
}

interface SlowStartRow {
  readonly way: Way;
  /** until the window is one bandwidth-delay product; NaN: never */
  readonly fullSec: number;
  readonly peakPackets: number;
  readonly droppedPackets: number;
  readonly goodputMbps: number;
  readonly series: readonly Point[];
}

function measure(
  way: Way,
  { algorithm, slowStart, bufferBdp, durationSec }: Settings<typeof OPTIONS>,
): SlowStartRow {
  const reference =
    way === "native"
      ? `native-${algorithm}:slowStart=${slowStart},slowStartIn=datapath`
      : `${algorithm}:slowStart=${slowStart},slowStartIn=${way}`;
  const { metrics, series } = runAlgorithm({
    scenario: makeLink({ ...LINK, bufferBdp, durationSec }),
    seed: SEED,
    rewardName: "score",
    seriesBinSec: BIN_SEC,
    algorithm: makeAlgorithm(resolveAlgorithm(reference)),
  });
  const points = series.timeSec.map((atSec, i) => ({
    atSec,
    cwndPackets: series.cwndPackets[i]!,
    throughputMbps: series.throughputMbps[i]!,
    queueDelayMs: series.queueDelayMs[i]!,
  }));
  return {
    way,
    fullSec: points.find(({ cwndPackets }) => cwndPackets >= BDP_PACKETS)?.atSec ?? Number.NaN,
    peakPackets: Math.max(...series.cwndPackets),
    droppedPackets: metrics.droppedPackets,
    goodputMbps: metrics.goodputMbps,
    series: points,
  };
}

function tableOf(rows: readonly SlowStartRow[], bufferBdp: number): string {
  const table = new Table({
    ...PLAIN_TABLE,
    head: ["slow start in", "window of 1 BDP after s", "largest window", "packets lost", "goodput Mbit/s"],
    colAligns: ["left", "right", "right", "right", "right"],
  });
  for (const { way, fullSec, peakPackets, droppedPackets, goodputMbps } of rows) {
    const full = Number.isNaN(fullSec) ? "never" : fullSec.toFixed(2);
    table.push([way, full, Math.round(peakPackets), droppedPackets, goodputMbps.toFixed(1)]);
  }
  return `${table.toString()}\n${LINK.mbps} Mbit/s, ${LINK.rttMs} ms, drop-tail buffer of ${bufferBdp} BDP, seed ${SEED}.\n`;
}

function claimsOf(rows: readonly SlowStartRow[]): Claim[] {
  const fullSec = (way: Way): number => rows.find((row) => row.way === way)?.fullSec ?? Number.NaN;
  const ratio = (way: Way): number => fullSec(way) / fullSec("native");
  return [
    judge({
      claim: "in the program by cwnd: time to a window of 1 BDP over that of the native one",
      measured: ratio("datapath"),
      unit: "1",
      threshold: { low: 0.95, high: 1.05 },
    }),
    judge({
      claim: "in the program by rate: the same",
      measured: ratio("datapath-rate"),
      unit: "1",
      threshold: { low: 0.8, high: 1.25 },
    }),
    judge({
      claim: "in the agent, once per round trip: the same",
      measured: ratio("agent"),
      unit: "1",
      threshold: { low: 0.95, high: 2 },
    }),
  ];
}

function figureOf(rows: readonly SlowStartRow[], { algorithm, slowStart }: Settings<typeof OPTIONS>): Figure {
  const values = rows.flatMap(({ way, series }) => series.map((point) => ({ ...point, name: way })));
  const x = axis({ field: "atSec", title: "Time, s" });
  const panel = (title: string, field: keyof Point): Panel =>
    lines(WAYS, { title, values, x, y: axis({ field, title }) });
  const title = `Slow start over CCP three ways, and native: ${algorithm}, ${slowStart}`;
  return page({ title, subtitle: [`${LINK.mbps} Mbit/s, ${LINK.rttMs} ms`], legend: "in" }, WAYS, [
    panel("Window, packets", "cwndPackets"),
    panel("Throughput, Mbit/s", "throughputMbps"),
    panel("Queueing delay, ms", "queueDelayMs"),
  ]);
}

export const slowStart: Experiment = experiment({
  name: "slow-start",
  summary: "slow start in the agent, in the datapath program by cwnd and by rate, and natively",
  source: "A. Narayan, thesis on CCP (MIT), 4.4.4",
  options: OPTIONS,
  count: () => WAYS.length,
  *run(settings): Generator<SlowStartRow> {
    for (const way of WAYS) yield measure(way, settings);
  },
  describe: ({ way }) => way,
  report: (rows, settings) => ({
    text: tableOf(rows, settings.bufferBdp),
    claims: claimsOf(rows),
    summary: rows.map(({ series: _, ...row }) => row),
    figure: figureOf(rows, settings),
  }),
});
