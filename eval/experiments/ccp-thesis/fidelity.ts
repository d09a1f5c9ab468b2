/**
 * Fidelity (CCP thesis, Figs. 4.4 and 4.5): the same congestion control over CCP and in the datapath, on the thesis's three links.
 * Each round trip of the empty path is a sample: what was delivered in it, and the mean of its RTTs. The samples of the two
 * are compared as distributions, by their medians and by two distances.
 */

import Table from "cli-table3";
import { makeAlgorithm, resolveAlgorithm } from "../../../algorithms/reference.ts";
import type { AckObserver } from "../../../ccp-bridge/observed-control.ts";
import { MICROS_PER_MILLI, MSS_BYTES, NANOS_PER_MILLI, NANOS_PER_SEC, toMbps } from "../../../core/units.ts";
import type { DirectionSpec } from "../../../scenarios/direction.ts";
import type { RateSpec } from "../../../scenarios/rates/registry.ts";
import type { Scenario } from "../../../scenarios/scenario.ts";
import { SIMULATED } from "../../../testbeds/simulated/simulated.ts";
import { loadTrace } from "../../../traces/trace-files.ts";
import { kolmogorovSmirnov, wasserstein } from "../../comparison/distance.ts";
import { seedsText } from "../../seeds.ts";
import { quantile } from "../../statistics.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { axis, lines, page } from "../figures.ts";
import { positive, seeds, words } from "../options.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import { packetsIn } from "../shares.ts";

const RTT_MS = 20;
const ALGORITHMS = ["reno", "cubic", "bbr3"] as const;
type Algorithm = (typeof ALGORITHMS)[number];
const FORMS = ["native", "ccp"] as const;
type Form = (typeof FORMS)[number];
/** Slow start and its overshoot are over. */
const WARM_UP_SEC = 5;
/** Required of the medians. */
const WITHIN = 0.05;

interface Link {
  readonly name: string;
  readonly forward: DirectionSpec;
}

function linksOf(trace: string): readonly Link[] {
  const { name, opportunitiesMs } = loadTrace(trace);
  const fixed: RateSpec = { kind: "constant", mbps: 96 };
  return [
    { name: "fixed", forward: { rate: fixed, queue: { packets: packetsIn(96, RTT_MS) }, lossRate: 0 } },
    {
      name: "cellular",
      forward: { rate: { kind: "trace", name, opportunitiesMs }, queue: { packets: 100 }, lossRate: 0 },
    },
    { name: "lossy", forward: { rate: fixed, queue: {}, lossRate: 0.0001 } },
  ];
}

/** One run: a sample per round trip. */
interface Row {
  readonly link: string;
  readonly algorithm: Algorithm;
  readonly form: Form;
  readonly seed: number;
  readonly mbps: readonly number[];
  /** of the round trips in which an RTT was measured */
  readonly rttMs: readonly number[];
}

function measure(
  { name, forward }: Link,
  algorithm: Algorithm,
  form: Form,
  { seed, durationSec }: { readonly seed: number; readonly durationSec: number },
): Row {
  const scenario: Scenario = {
    name,
    source: "CCP thesis",
    description: name,
    forward,
    reverse: { rate: { kind: "unlimited" }, queue: {}, lossRate: 0 },
    propagationDelayMs: RTT_MS / 2,
    durationSec,
    ackPolicy: "delayed",
  };
  const seen = { rttUs: 0, samples: 0 };
  const observer: AckObserver = {
    record: ({ rttUs }) => {
      if (rttUs === 0) return;
      seen.rttUs += rttUs;
      seen.samples += 1;
    },
  };
  const reference = form === "native" ? `native-${algorithm}` : algorithm;
  const run = SIMULATED.open(scenario, seed, {
    control: () => makeAlgorithm(resolveAlgorithm(reference)),
    observer: () => observer,
  });
  const [mbps, rttMs]: [number[], number[]] = [[], []];
  const stepNs = RTT_MS * NANOS_PER_MILLI;
  const { path } = run.flows[0]!;
  let before = 0;
  for (let atNs = run.startNs; atNs + stepNs <= run.endNs; atNs += stepNs) {
    run.runUntil(atNs + stepNs);
    path.advance(run.nowNs);
    const isWarm = atNs - run.startNs >= WARM_UP_SEC * NANOS_PER_SEC;
    if (isWarm) {
      mbps.push(toMbps(((path.firstArrivedPackets - before) * MSS_BYTES * 1000) / RTT_MS));
      if (seen.samples > 0) rttMs.push(seen.rttUs / seen.samples / MICROS_PER_MILLI);
    }
    before = path.firstArrivedPackets;
    seen.rttUs = 0;
    seen.samples = 0;
  }
  run.close();
  return { link: name, algorithm, form, seed, mbps, rttMs };
}

const QUANTITIES = ["mbps", "rttMs"] as const;
type Quantity = (typeof QUANTITIES)[number];
const QUANTITY_NAMES: Readonly<Record<Quantity, string>> = { mbps: "throughput, Mbit/s", rttMs: "RTT, ms" };
const LINK_TITLES: Readonly<Record<string, string>> = {
  fixed: "fixed: 96 Mbit/s, 1 BDP",
  cellular: "cellular: 100 packets",
  lossy: "lossy: 96 Mbit/s, 0.01 % loss",
};

interface Comparison {
  readonly link: string;
  readonly algorithm: Algorithm;
  readonly quantity: Quantity;
  readonly nativeMedian: number;
  readonly ccpMedian: number;
  /** of the medians, over CCP less in the datapath, as a part of the latter */
  readonly difference: number;
  readonly kolmogorovSmirnov: number;
  /** in the quantity's unit */
  readonly wasserstein: number;
}

function compare(rows: readonly Row[], link: string, algorithm: Algorithm, quantity: Quantity): Comparison {
  const samples = FORMS.map((form) =>
    rows
      .filter((row) => row.link === link && row.algorithm === algorithm && row.form === form)
      .flatMap((row) => row[quantity]),
  );
  const [native, ccp] = samples as [number[], number[]];
  const [nativeMedian, ccpMedian] = samples.map((values) =>
    quantile(Float64Array.from(values).sort(), 0.5),
  ) as [number, number];
  return {
    link,
    algorithm,
    quantity,
    nativeMedian,
    ccpMedian,
    difference: ccpMedian / nativeMedian - 1,
    kolmogorovSmirnov: kolmogorovSmirnov(native, ccp),
    wasserstein: wasserstein(native, ccp),
  };
}

const LINK_NAMES = ["fixed", "cellular", "lossy"] as const;

export const fidelity: Experiment = experiment({
  name: "fidelity",
  summary:
    "Reno, Cubic and BBRv3 over CCP against the same in the datapath, round trip by round trip, on three links",
  source: "Narayan, MIT 2022 (CCP thesis), Figs. 4.4 and 4.5",
  options: {
    // BBRv3's probes fall where they may: one run's median differs from another's by a third
    seeds: seeds(20),
    durationSec: positive(30, { placeholder: "sec", help: "of each run" }),
    trace: words("lte-driving", {
      placeholder: "trace",
      help: "of the cellular link: a shipped trace or a file, such as the recorded Verizon-LTE-short.down",
    }),
  },
  count: ({ seeds: seedList }) => LINK_NAMES.length * ALGORITHMS.length * FORMS.length * seedList.length,
  *run({ seeds: seedList, durationSec, trace }): Generator<Row> {
    for (const link of linksOf(trace)) {
      for (const algorithm of ALGORITHMS) {
        for (const form of FORMS) {
          for (const seed of seedList) yield measure(link, algorithm, form, { seed, durationSec });
        }
      }
    }
  },
  describe: ({ link, algorithm, form }) => `${link}, ${algorithm} ${form}`,
  report(rows, { seeds: seedList, durationSec, trace }) {
    const comparisons = LINK_NAMES.flatMap((link) =>
      ALGORITHMS.flatMap((algorithm) =>
        QUANTITIES.map((quantity) => compare(rows, link, algorithm, quantity)),
      ),
    );
    const table = new Table({
      ...PLAIN_TABLE,
      head: ["link", "algorithm", "per RTT", "in datapath", "over CCP", "medians", "KS", "Wasserstein"],
    });
    for (const each of comparisons) {
      table.push([
        each.link,
        each.algorithm,
        QUANTITY_NAMES[each.quantity],
        each.nativeMedian.toFixed(2),
        each.ccpMedian.toFixed(2),
        `${each.difference < 0 ? "" : "+"}${(100 * each.difference).toFixed(2)} %`,
        each.kolmogorovSmirnov.toFixed(3),
        each.wasserstein.toFixed(3),
      ]);
    }
    const names = FORMS.flatMap((form) => ALGORITHMS.map((algorithm) => nameOf(algorithm, form)));
    const panels = QUANTITIES.flatMap((quantity) =>
      LINK_NAMES.map((link) => {
        const values = ALGORITHMS.flatMap((algorithm) =>
          FORMS.flatMap((form) => {
            const of = rows.filter(
              (row) => row.link === link && row.algorithm === algorithm && row.form === form,
            );
            const sorted = Float64Array.from(of.flatMap((row) => row[quantity])).sort();
            return Array.from({ length: 101 }, (_, i) => ({
              name: nameOf(algorithm, form),
              share: i / 100,
              value: quantile(sorted, i / 100),
            }));
          }),
        );
        return lines(
          names,
          {
            title: LINK_TITLES[link]!,
            values,
            // queues without a limit: round trips of 20 ms and of seconds
            x: axis({
              field: "value",
              title: QUANTITY_NAMES[quantity],
              ...(quantity === "rttMs" ? { log: true } : { zero: false }),
            }),
            y: axis({ field: "share", title: "Share of round trips", domain: [0, 1] }),
            width: 230,
          },
          { interpolate: "step-after" },
        );
      }),
    );
    return {
      text:
        `${table.toString()}\nfixed: 96 Mbit/s, 1 BDP of queue; cellular: ${loadTrace(trace).name}, 100 packets; lossy: 96 Mbit/s, 0.01 % loss, ` +
        `no limit of the queue; all ${RTT_MS} ms, ${seedsText(seedList.length)} of ${durationSec} s without the first ${WARM_UP_SEC}.\n` +
        "medians: over CCP against in the datapath; KS: largest difference of the distribution functions, 0 to 1.\n",
      claims: comparisons.map(({ link, algorithm, quantity, difference }) =>
        judge({
          claim: `${link}, ${algorithm}: median per RTT of ${QUANTITY_NAMES[quantity].split(",")[0]}, over CCP against in the datapath`,
          measured: 100 * difference,
          unit: "%",
          threshold: { low: -100 * WITHIN, high: 100 * WITHIN },
        }),
      ),
      summary: comparisons,
      figure: page(
        {
          title: "Per round trip: over CCP and in the datapath",
          subtitle: [`distribution functions; dashed: in the datapath; all ${RTT_MS} ms`],
          columns: 3,
        },
        names,
        panels,
      ),
    };
  },
});

function nameOf(algorithm: Algorithm, form: Form): string {
  return form === "native" ? `native-${algorithm}` : algorithm;
}
