/**
 * What a sendbox learns from epochs (CCP thesis, Fig. 4.17 and 4.18): its estimates of RTT and of the rate at which its packets arrive,
 * beside what the simulator knows of the same moments.
 */
import Table from "cli-table3";
import { fromMbps, NANOS_PER_MICRO, NANOS_PER_MILLI, NANOS_PER_SEC, toMbps } from "../../../core/units.ts";
import type { Scenario } from "../../../scenarios/scenario.ts";
import type { SimulatedRun } from "../../../testbeds/simulated/simulated.ts";
import { makeSizes } from "../../../testbeds/traffic/sizes.ts";
import { mean, quantile } from "../../statistics.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { axis, lines, type Panel, page } from "../figures.ts";
import { choices, whole } from "../options.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import { HOSTS, openSite, SENDBOX_ALGORITHM, siteRoute, siteScenario } from "./site.ts";

const MBPS = [24, 48, 96] as const;
const RTT_MS = [20, 50, 100] as const;
/** Four flows that never end, or requests of heavy-tailed sizes that come and go. */
const LOADS = ["full", "heavy", "light"] as const;
type Load = (typeof LOADS)[number];
const FLOWS = 4;
/** of the link, by requests in the mean; the former is that of Fig. 4.19, with which the link is full most of the time */
const OFFERED_SHARE = { heavy: 7 / 8, light: 1 / 2 } as const;
const DURATION_SEC = 30;
/** Until the senders' slow starts are over. */
const SETTLED_SEC = 5;
/** The truth is written down as often. */
const STEP_NS = NANOS_PER_MILLI;
const CONTROL = "bundle-sfq";
const SIZES = { kind: "web" } as const;

interface Link {
  readonly mbps: number;
  readonly rttMs: number;
}

interface Row {
  readonly load: Load;
  readonly mbps: number;
  readonly rttMs: number;
  readonly seed: number;
  /** estimate less truth, quantiles of its amount in steps of a percent */
  readonly rttErrorMs: readonly number[];
  readonly rateErrorMbps: readonly number[];
  readonly estimates: number;
}

const ERRORS = ["rttErrorMs", "rateErrorMbps"] as const satisfies readonly (keyof Row)[];
type ErrorKey = (typeof ERRORS)[number];

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

function trafficOf(load: Load, mbps: number): Pick<Scenario, "flows" | "traffic"> {
  const own = { algorithm: HOSTS, ...siteRoute(CONTROL) };
  if (load === "full") return { flows: [{ ...own, count: FLOWS, startEverySec: 0.1 }] };
  const flowsPerSec = (OFFERED_SHARE[load] * fromMbps(mbps)) / makeSizes(SIZES).meanBytes;
  return { traffic: [{ ...own, kind: "transfers", sizes: SIZES, flowsPerSec, stopSec: DURATION_SEC }] };
}

function measure(load: Load, { mbps, rttMs }: Link, algorithm: string, seed: number): Row {
  const scenario = siteScenario({ mbps, rttMs, control: CONTROL, algorithm, durationSec: DURATION_SEC });
  const run = openSite({ ...scenario, ...trafficOf(load, mbps) }, seed);
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
    // what an answer tells of was served as long before as the path is
    const path = Math.round((rttMs * NANOS_PER_MILLI) / STEP_NS);
    const [now, before] = [truth[at - path], truth[sent - path]];
    if (atUs * NANOS_PER_MICRO < run.startNs + SETTLED_SEC * NANOS_PER_SEC) continue;
    if (now === undefined || before === undefined) continue;
    rttErrorMs.push(Math.abs(rttUs / 1000 - (rttMs + mean(epoch.map(({ queuedMs }) => queuedMs)))));
    const rate = ((now.servedBytes - before.servedBytes) / (at - sent)) * 1000;
    rateErrorMbps.push(Math.abs(toMbps(receiveRateBytesPerSec - rate)));
  }
  run.close();
  return {
    load,
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
    loads: choices(LOADS, LOADS, { help: "of the bundle" }),
    seeds: whole(10, { low: 1, high: 1000, help: "runs of each link and load" }),
  },
  count: ({ loads, seeds }) => loads.length * MBPS.length * RTT_MS.length * seeds,
  *run({ algorithm, loads, seeds }): Generator<Row> {
    for (const load of loads) {
      for (const link of MBPS.flatMap((mbps) => RTT_MS.map((rttMs) => ({ mbps, rttMs })))) {
        for (let seed = 1; seed <= seeds; seed++) yield measure(load, link, algorithm, seed);
      }
    }
  },
  describe: ({ load, mbps, rttMs, seed }) => `${load}, ${mbps} Mbit/s, ${rttMs} ms, seed ${seed}`,
  report(rows, { loads }) {
    const percentile = (key: ErrorKey, percent: number, of: readonly Row[]): number =>
      quantile(Float64Array.from(of.flatMap((row) => row[key])).sort(), percent / 100);
    const table = new Table({
      ...PLAIN_TABLE,
      head: [
        "load",
        "link",
        "estimates",
        "RTT, p50\nms",
        "RTT, p80\nms",
        "rate, p50\nMbit/s",
        "rate, p80\nMbit/s",
      ],
    });
    for (const load of loads) {
      for (const { mbps, rttMs } of MBPS.flatMap((mbps) => RTT_MS.map((rttMs) => ({ mbps, rttMs })))) {
        const of = rows.filter((row) => row.load === load && row.mbps === mbps && row.rttMs === rttMs);
        const figures = ERRORS.flatMap((key) => [50, 80].map((percent) => percentile(key, percent, of)));
        const count = of.reduce((sum, { estimates }) => sum + estimates, 0);
        table.push([
          load,
          `${mbps} Mbit/s, ${rttMs} ms`,
          count,
          ...figures.map((figure) => figure.toFixed(2)),
        ]);
      }
    }
    const names = MBPS.map((mbps) => `${mbps} Mbit/s`);
    const panel = (key: ErrorKey, load: Load, title: string): Panel => {
      const values = MBPS.flatMap((mbps) => {
        const own = rows.filter((row) => row.load === load && row.mbps === mbps);
        return Array.from({ length: 100 }, (_, percent) => ({
          name: `${mbps} Mbit/s`,
          error: percentile(key, percent, own),
          share: percent / 100,
        }));
      });
      const x = axis({ field: "error", title });
      const y = axis({ field: "share", title: "Share of estimates", domain: [0, 1] });
      return lines(
        names,
        { title: `${title}: ${load}`, values, x, y, width: 260 },
        { interpolate: "step-after" },
      );
    };
    return {
      text: `${table.toString()}\nDifference to the truth, after ${SETTLED_SEC} s; the truth of an RTT is the path's with what all packets of the epoch found queued at the bottleneck, that of a rate what the bottleneck served over an RTT when it served those packets. Load: ${FLOWS} flows that never end, or requests that take seven eighths (heavy) or half (light) of the link in the mean.\n`,
      claims: loads.flatMap((load) => {
        const own = rows.filter((row) => row.load === load);
        return [
          judge({
            claim: `80 % of the estimates of RTT are this close, load ${load}`,
            published: "1.2 ms",
            measured: percentile("rttErrorMs", 80, own),
            unit: "ms",
            threshold: { high: 1.2 },
          }),
          judge({
            claim: `80 % of the estimates of the receive rate are this close, load ${load}`,
            published: "4 Mbit/s",
            measured: percentile("rateErrorMbps", 80, own),
            unit: "Mbit/s",
            threshold: { high: 4 },
          }),
        ];
      }),
      figure: page(
        { title: "What a sendbox learns from epochs", columns: 2 },
        names,
        loads.flatMap((load) => [
          panel("rttErrorMs", load, "RTT, off by ms"),
          panel("rateErrorMbps", load, "Receive rate, off by Mbit/s"),
        ]),
      ),
    };
  },
});
