/**
 * What a bundle does for those who wait (CCP thesis, Fig. 4.19): requests of heavy-tailed sizes take seven eighths of a link.
 * A request's slowdown is its completion time by that of one of its size alone.
 */
import Table from "cli-table3";
import { NANOS_PER_MILLI, NANOS_PER_SEC } from "../../../core/units.ts";
import { makeSizes } from "../../../testbeds/traffic/sizes.ts";
import { quantile } from "../../statistics.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { axis, lines, page } from "../figures.ts";
import { whole } from "../options.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import { type Control, HOSTS, openSite, SENDBOX_ALGORITHM, siteRoute, siteScenario } from "./site.ts";

const SITE = { mbps: 96, rttMs: 50 } as const;
const OFFERED_MBPS = 84;
const SIZES = { kind: "web" } as const;
/** After the last one has come. */
const REST_SEC = 60;
const CONTROLS = [
  "status-quo",
  "in-network-fq",
  "bundle-sfq",
  "bundle-fifo",
] as const satisfies readonly Control[];
/** Sizes that were measured alone, by powers of the square root of two. */
const SIZES_PER_DOUBLING = 2;
const ALONE_SEC = 600;
/** between two looks whether it is over */
const ALONE_STEP_NS = 10 * NANOS_PER_MILLI;

interface Row {
  readonly control: Control;
  readonly seed: number;
  readonly requests: number;
  readonly unfinished: number;
  /** quantiles in steps of a thousandth */
  readonly slowdown: readonly number[];
}

/** Completion of a request alone on the path, by its size. */
class Alone {
  readonly #measuredMs = new Map<number, number>();

  ms(bytes: number): number {
    const place = SIZES_PER_DOUBLING * Math.log2(Math.max(1, bytes));
    const below = Math.floor(place);
    const share = place - below;
    return (1 - share) * this.#measured(below) + share * this.#measured(below + 1);
  }

  #measured(place: number): number {
    const known = this.#measuredMs.get(place);
    if (known !== undefined) return known;
    const bytes = Math.max(1, Math.round(2 ** (place / SIZES_PER_DOUBLING)));
    const scenario = siteScenario({
      ...SITE,
      control: "status-quo",
      algorithm: HOSTS,
      durationSec: ALONE_SEC,
    });
    const one = { kind: "incast", algorithm: HOSTS, senders: 1, bytes } as const;
    const run = openSite({ ...scenario, traffic: [one] }, 1);
    while (run.transfers.completed.length === 0) run.runUntil(run.nowNs + ALONE_STEP_NS);
    const [{ startNs, completedNs }] = run.transfers.completed as [(typeof run.transfers.completed)[number]];
    run.close();
    const ms = (completedNs - startNs) / NANOS_PER_MILLI;
    this.#measuredMs.set(place, ms);
    return ms;
  }
}

function measure(control: Control, algorithm: string, requests: number, seed: number, alone: Alone): Row {
  const flowsPerSec = (OFFERED_MBPS * 1e6) / 8 / makeSizes(SIZES).meanBytes;
  const stopSec = requests / flowsPerSec;
  const scenario = siteScenario({ ...SITE, control, algorithm, durationSec: stopSec + REST_SEC });
  const traffic = { kind: "transfers", algorithm: HOSTS, sizes: SIZES, flowsPerSec, stopSec } as const;
  const run = openSite({ ...scenario, traffic: [{ ...traffic, ...siteRoute(control) }] }, seed);
  run.runUntil(run.startNs + stopSec * NANOS_PER_SEC);
  const { transfers } = run;
  while (transfers.completed.length < transfers.started && run.nowNs < run.endNs)
    run.runUntil(Math.min(run.endNs, run.nowNs + NANOS_PER_SEC));
  const slowdowns = Float64Array.from(transfers.completed, ({ bytes, startNs, completedNs }) => {
    return (completedNs - startNs) / NANOS_PER_MILLI / alone.ms(bytes);
  }).sort();
  run.close();
  return {
    control,
    seed,
    requests: slowdowns.length,
    unfinished: transfers.started - slowdowns.length,
    slowdown: Array.from({ length: 1001 }, (_, i) => quantile(slowdowns, i / 1000)),
  };
}

/** Of the thesis: median and 99 %. */
const THESIS: Readonly<Partial<Record<Control, readonly [number, number]>>> = {
  "status-quo": [1.76, 79],
  "in-network-fq": [1.07, 27],
  "bundle-sfq": [1.26, 41],
};

export const bundleSlowdown: Experiment = experiment({
  name: "bundle-slowdown",
  summary: "requests between two sites: slowdown without, with a fair queue in the network, and with bundles",
  source: "Narayan, MIT 2022 (CCP thesis), Fig. 4.19",
  options: {
    algorithm: SENDBOX_ALGORITHM,
    requests: whole(100_000, { low: 100, high: 1_000_000, help: "in each run" }),
    seeds: whole(1, { low: 1, high: 100, help: "runs of each; the thesis has 10" }),
  },
  count: ({ seeds }) => CONTROLS.length * seeds,
  *run({ algorithm, requests, seeds }): Generator<Row> {
    const alone = new Alone();
    for (let seed = 1; seed <= seeds; seed++) {
      for (const control of CONTROLS) yield measure(control, algorithm, requests, seed, alone);
    }
  },
  describe: ({ control, seed }) => `${control}, seed ${seed}`,
  report(rows, { requests }) {
    const of = (control: Control, share: number): number => {
      const all = rows.filter((row) => row.control === control).flatMap(({ slowdown }) => slowdown);
      return quantile(Float64Array.from(all).sort(), share);
    };
    const table = new Table({
      ...PLAIN_TABLE,
      head: ["", "requests", "unfinished", "p50", "p90", "p99", "thesis\np50", "thesis\np99"],
    });
    for (const control of CONTROLS) {
      const own = rows.filter((row) => row.control === control);
      const sum = (key: "requests" | "unfinished"): number => own.reduce((all, row) => all + row[key], 0);
      const [p50 = "", p99 = ""] = THESIS[control] ?? [];
      const figures = [0.5, 0.9, 0.99].map((share) => of(control, share).toFixed(2));
      table.push([control, sum("requests"), sum("unfinished"), ...figures, p50, p99]);
    }
    const values = CONTROLS.flatMap((name) =>
      Array.from({ length: 200 }, (_, i) => ({ name, slowdown: of(name, i / 200), share: i / 200 })),
    );
    const x = axis({ field: "slowdown", title: "Slowdown", log: true });
    const y = axis({ field: "share", title: "Share of requests", domain: [0, 1] });
    return {
      text: `${table.toString()}\n${SITE.mbps} Mbit/s, ${SITE.rttMs} ms, drop-tail of 2 BDP, ${OFFERED_MBPS} Mbit/s offered, ${requests} requests a run, hosts with Cubic.\n`,
      claims: [
        judge({
          claim: "median slowdown, bundle with SFQ by the status quo",
          published: "1.26 / 1.76 = 0.72",
          measured: of("bundle-sfq", 0.5) / of("status-quo", 0.5),
          unit: "1",
          threshold: { high: 0.9 },
        }),
        judge({
          claim: "slowdown at 99 %, bundle with SFQ by the status quo",
          published: "41 / 79 = 0.52",
          measured: of("bundle-sfq", 0.99) / of("status-quo", 0.99),
          unit: "1",
          threshold: { high: 0.9 },
        }),
        judge({
          claim: "median slowdown, bundle with FIFO by the status quo",
          published: "worse",
          measured: of("bundle-fifo", 0.5) / of("status-quo", 0.5),
          unit: "1",
          threshold: { low: 1 },
        }),
        judge({
          claim: "median slowdown, fair queueing in the network by the bundle's",
          published: "1.07 / 1.26 = 0.85",
          measured: of("in-network-fq", 0.5) / of("bundle-sfq", 0.5),
          unit: "1",
          threshold: { high: 1 },
        }),
      ],
      figure: page({ title: "Slowdown of requests" }, CONTROLS, [
        lines(CONTROLS, { title: "", values, x, y, width: 420 }, { interpolate: "step-after" }),
      ]),
    };
  },
});
