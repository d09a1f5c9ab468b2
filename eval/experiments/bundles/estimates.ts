/**
 * What a sendbox learns from epochs (CCP thesis, Fig. 4.17 and 4.18): its estimates of RTT and of the rate at which its packets arrive,
 * beside what the simulator knows of the same moments.
 */
import Table from "cli-table3";
import { fromMbps, NANOS_PER_MICRO, NANOS_PER_MILLI, NANOS_PER_SEC, toMbps } from "../../../core/units.ts";
import type { SimulatedRun } from "../../../testbeds/simulated/simulated.ts";
import { mean, quantile } from "../../statistics.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { axis, lines, type Panel, page } from "../figures.ts";
import { whole } from "../options.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import { HOSTS, openSite, SENDBOX_ALGORITHM, siteRoute, siteScenario } from "./site.ts";

const MBPS = [24, 48, 96] as const;
const RTT_MS = [20, 50, 100] as const;
const FLOWS = 4;
const DURATION_SEC = 30;
/** Until the senders' slow starts are over. */
const SETTLED_SEC = 5;
/** The truth is written down as often. */
const STEP_NS = NANOS_PER_MILLI;

interface Row {
  readonly mbps: number;
  readonly rttMs: number;
  readonly seed: number;
  /** estimate less truth, quantiles of its amount in steps of a percent */
  readonly rttErrorMs: readonly number[];
  readonly rateErrorMbps: readonly number[];
  readonly estimates: number;
}

interface Truth {
  readonly queuedMs: number;
  readonly servedBytes: number;
}

/** The bottleneck, millisecond by millisecond. */
function record(run: SimulatedRun, mbps: number): Truth[] {
  const all: Truth[] = [];
  const { forward } = run.truth;
  while (run.nowNs < run.endNs) {
    run.runUntil(Math.min(run.nowNs + STEP_NS, run.endNs));
    const queuedMs = (forward.queuedBytes / fromMbps(mbps)) * 1000;
    all.push({ queuedMs, servedBytes: forward.servedBytes(run.nowNs) });
  }
  return all;
}

function percentiles(values: readonly number[]): number[] {
  const sorted = Float64Array.from(values).sort();
  return Array.from({ length: 101 }, (_, i) => quantile(sorted, i / 100));
}

function measure(mbps: number, rttMs: number, algorithm: string, seed: number): Row {
  const control = "bundle-sfq";
  const scenario = siteScenario({ mbps, rttMs, control, algorithm, durationSec: DURATION_SEC });
  const long = { algorithm: HOSTS, count: FLOWS, startEverySec: 0.1, ...siteRoute(control) };
  const run = openSite({ ...scenario, flows: [long] }, seed);
  const startNs = run.nowNs;
  const truth = record(run, mbps);
  const rttErrorMs: number[] = [];
  const rateErrorMbps: number[] = [];
  let fromStep = 0;
  for (const { atUs, rttUs, receiveRateBytesPerSec } of run.bundles[0]!.estimates) {
    const stepOf = (us: number): number => Math.floor((us * NANOS_PER_MICRO - startNs) / STEP_NS);
    const [sent, at] = [stepOf(atUs - rttUs), stepOf(atUs)];
    const epoch = truth.slice(Math.min(fromStep, sent), sent + 1);
    fromStep = sent;
    const [now, before] = [truth[at], truth[sent]];
    if (atUs * NANOS_PER_MICRO < run.startNs + SETTLED_SEC * NANOS_PER_SEC) continue;
    if (now === undefined || before === undefined) continue;
    rttErrorMs.push(Math.abs(rttUs / 1000 - (rttMs + mean(epoch.map(({ queuedMs }) => queuedMs)))));
    const rate = ((now.servedBytes - before.servedBytes) / (at - sent)) * 1000;
    rateErrorMbps.push(Math.abs(toMbps(receiveRateBytesPerSec - rate)));
  }
  run.close();
  return {
    mbps,
    rttMs,
    seed,
    rttErrorMs: percentiles(rttErrorMs),
    rateErrorMbps: percentiles(rateErrorMbps),
    estimates: rttErrorMs.length,
  };
}

export const bundleEstimates: Experiment = experiment({
  name: "bundle-estimates",
  summary: "a sendbox's estimates of RTT and receive rate beside the truth: nine links, ten seeds",
  source: "Narayan, MIT 2022 (CCP thesis), Fig. 4.17 and 4.18",
  options: {
    algorithm: SENDBOX_ALGORITHM,
    seeds: whole(10, { low: 1, high: 1000, help: "runs of each link" }),
  },
  count: ({ seeds }) => MBPS.length * RTT_MS.length * seeds,
  *run({ algorithm, seeds }): Generator<Row> {
    for (const mbps of MBPS) {
      for (const rttMs of RTT_MS) {
        for (let seed = 1; seed <= seeds; seed++) yield measure(mbps, rttMs, algorithm, seed);
      }
    }
  },
  describe: ({ mbps, rttMs, seed }) => `${mbps} Mbit/s, ${rttMs} ms, seed ${seed}`,
  report(rows) {
    const percentile = (key: "rttErrorMs" | "rateErrorMbps", percent: number, of = rows): number =>
      quantile(Float64Array.from(of.flatMap((row) => row[key])).sort(), percent / 100);
    const table = new Table({
      ...PLAIN_TABLE,
      head: ["link", "estimates", "RTT, p50\nms", "RTT, p80\nms", "rate, p50\nMbit/s", "rate, p80\nMbit/s"],
    });
    for (const mbps of MBPS) {
      for (const rttMs of RTT_MS) {
        const of = rows.filter((row) => row.mbps === mbps && row.rttMs === rttMs);
        const figures = [
          percentile("rttErrorMs", 50, of),
          percentile("rttErrorMs", 80, of),
          percentile("rateErrorMbps", 50, of),
          percentile("rateErrorMbps", 80, of),
        ];
        const count = of.reduce((sum, { estimates }) => sum + estimates, 0);
        table.push([`${mbps} Mbit/s, ${rttMs} ms`, count, ...figures.map((figure) => figure.toFixed(2))]);
      }
    }
    const names = MBPS.map((mbps) => `${mbps} Mbit/s`);
    const panel = (key: "rttErrorMs" | "rateErrorMbps", title: string): Panel => {
      const values = MBPS.flatMap((mbps) =>
        Array.from({ length: 100 }, (_, percent) => ({
          name: `${mbps} Mbit/s`,
          error: percentile(
            key,
            percent,
            rows.filter((row) => row.mbps === mbps),
          ),
          share: percent / 100,
        })),
      );
      const x = axis({ field: "error", title });
      const y = axis({ field: "share", title: "Share of estimates", domain: [0, 1] });
      return lines(names, { title, values, x, y, width: 260 }, { interpolate: "step-after" });
    };
    return {
      text: `${table.toString()}\nDifference to the truth, after ${SETTLED_SEC} s; the truth of an RTT is the path's with what all packets of the epoch found queued at the bottleneck, that of a rate what the bottleneck has served over the RTT before.\n`,
      claims: [
        judge({
          claim: "80 % of the estimates of RTT are this close",
          published: "1.2 ms",
          measured: percentile("rttErrorMs", 80),
          unit: "ms",
          threshold: { high: 1.2 },
        }),
        judge({
          claim: "80 % of the estimates of the receive rate are this close",
          published: "4 Mbit/s",
          measured: percentile("rateErrorMbps", 80),
          unit: "Mbit/s",
          threshold: { high: 4 },
        }),
      ],
      figure: page({ title: "What a sendbox learns from epochs" }, names, [
        panel("rttErrorMs", "RTT, off by ms"),
        panel("rateErrorMbps", "Receive rate, off by Mbit/s"),
      ]),
    };
  },
});
