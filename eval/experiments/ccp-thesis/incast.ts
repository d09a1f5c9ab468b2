/**
 * The incast experiment of the CCP thesis (Fig. 4.9): how late may an agent hear of its flows? The model is in
 * `incast-model.ts`; here its settings, its table beside the thesis's figures and its picture.
 */

import Table from "cli-table3";
import { seedsText } from "../../seeds.ts";
import type { Estimate } from "../../statistics.ts";
import { type Claim, type Experiment, experiment, type Figure, judge } from "../experiment.ts";
import { panelTitle } from "../figures.ts";
import { choice, positive, positives, type Settings, seeds, whole, wholes } from "../options.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import {
  countIncastRuns,
  INCAST_SETTING,
  type IncastAlgorithmName,
  type IncastPlan,
  type IncastRow,
  incastRuns,
  summariseIncast,
} from "./incast-model.ts";

const us = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

function withInterval({ mean, ci95 }: Estimate, format: (value: number) => string): string {
  const half = ci95 === null ? undefined : format(ci95);
  // what the digits cannot show is no certainty
  return half === undefined || Number(half) === 0 ? format(mean) : `${format(mean)} ± ${half}`;
}

/** One sentence: what stands beside every number of this experiment. */
function settingText({ setting, stalenessUs, algorithm, seeds }: IncastPlan): string {
  return (
    `${setting.senders} senders to one port of ${setting.bufferPackets} packets, ${setting.rttUs} us RTT, RTO floor ` +
    `${setting.minRtoMs} ms, starts in U(0, ${setting.startJitterUs} us), ${algorithm} at ${stalenessUs} us staleness ` +
    `against Reno in the datapath, ${seedsText(seeds.length)}`
  );
}

/** One table per rate. */
function tableOf(plan: IncastPlan, rows: readonly IncastRow[]): string {
  const parts = plan.ratesGbps.map((rateGbps) => {
    const table = new Table({
      ...PLAIN_TABLE,
      head: [
        "packets\nper flow",
        "report\nevery us",
        "in datapath\nus",
        "CCP\nus",
        "ratio\n",
        "drops\nin dp / CCP",
        "timeouts\nin dp / CCP",
      ],
      colAligns: Array.from({ length: 7 }, () => "right" as const),
    });
    for (const row of rows.filter((each) => each.rateGbps === rateGbps)) {
      table.push([
        row.packets,
        row.intervalUs,
        withInterval(row.nativeTailUs, us.format),
        withInterval(row.tailUs, us.format),
        withInterval(row.ratio, (value) => value.toFixed(3)),
        `${us.format(row.nativeDroppedPackets)} / ${us.format(row.droppedPackets)}`,
        `${row.nativeTimeouts.toFixed(1)} / ${row.timeouts.toFixed(1)}`,
      ]);
    }
    return `${rateGbps} Gbit/s: tail completion, the last byte of the last flow\n${table.toString()}`;
  });
  const note =
    "mean ± half width of the 95 % confidence interval (times: Student's t; ratio: bootstrap over pairs of runs); drops and timeouts: means per run.";
  return `${parts.join("\n\n")}\n\n${settingText(plan)}.\n${note}\n`;
}

/** Ratio over report interval, one panel per rate, one line per flow size. */
function figureOf(plan: IncastPlan, rows: readonly IncastRow[]): Figure {
  const names = plan.packets.map((packets) => `${packets} packets`);
  const values = rows.map(({ rateGbps, packets, intervalUs, ratio }) => ({
    rate: `${rateGbps} Gbit/s`,
    algorithm: `${packets} packets`,
    intervalUs,
    ratio: ratio.mean,
    low: ratio.low ?? ratio.mean,
    high: ratio.high ?? ratio.mean,
  }));
  const x = {
    field: "intervalUs",
    type: "quantitative",
    title: "Report interval (us, log scale)",
    scale: { type: "log", nice: false, padding: 14 },
    axis: { values: plan.intervalsUs, format: "d", labelOverlap: "greedy" },
  };
  const y = {
    type: "quantitative",
    title: "Tail completion, CCP / in datapath",
    scale: { zero: false, nice: false, padding: 14 },
    axis: { format: ".2f" },
  };
  const colour = {
    field: "algorithm",
    type: "nominal",
    scale: { domain: names },
    legend: { title: "Flow size", orient: "right", symbolType: "circle", symbolOpacity: 1 },
  };
  const panel = (rateGbps: number): object => ({
    title: panelTitle(`${rateGbps} Gbit/s`),
    width: 300,
    height: 240,
    transform: [{ filter: `datum.rate === '${rateGbps} Gbit/s'` }],
    layer: [
      {
        data: { values: [{}] },
        mark: { type: "rule", strokeDash: [4, 4], opacity: 0.7 },
        encoding: { y: { ...y, datum: 1 } },
      },
      { mark: { type: "line", strokeWidth: 2 }, encoding: { x, y: { ...y, field: "ratio" }, color: colour } },
      {
        mark: { type: "rule", strokeWidth: 1.5 },
        encoding: { x, y: { ...y, field: "low" }, y2: { field: "high" }, color: colour },
      },
      {
        mark: { type: "point", filled: true, size: 55, opacity: 1 },
        encoding: { x, y: { ...y, field: "ratio" }, color: colour },
      },
    ],
  });
  const { setting, stalenessUs, algorithm, seeds } = plan;
  const spec = {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    title: {
      text: `Incast of ${setting.senders} flows: an agent that hears late, against Reno in the datapath`,
      subtitle: [
        `${algorithm}, ${stalenessUs} us staleness, ${setting.rttUs} us RTT, ${setting.bufferPackets} packets of buffer, RTO floor ${setting.minRtoMs} ms`,
        `ratio of means over ${seedsText(seeds.length)} with its 95 % confidence interval; below the dashed line CCP is faster`,
      ],
      fontSize: 15,
      subtitleFontSize: 12,
      subtitlePadding: 5,
      offset: 18,
    },
    padding: 22,
    spacing: 40,
    data: { values },
    hconcat: plan.ratesGbps.map(panel),
    resolve: { scale: { x: "independent", y: "independent", color: "shared" } },
  };
  return { spec, names };
}

const ALGORITHM_NAMES: readonly IncastAlgorithmName[] = ["reno-in-agent", "reno", "portus-reno"];

const OPTIONS = {
  seeds: seeds(50),
  rates: positives([10, 40], { placeholder: "gbps", help: "Gbit/s of the port" }),
  packets: wholes([10, 100, 1000], { low: 1, high: 1_000_000, help: "data packets of each flow" }),
  intervalsUs: wholes([10, 20, 50, 100, 200, 500], {
    placeholder: "us",
    low: 1,
    high: 1_000_000,
    help: "report intervals",
  }),
  bufferPackets: whole(INCAST_SETTING.bufferPackets, {
    low: 1,
    high: 1_000_000,
    help: "buffer of the port, drop-tail",
  }),
  minRtoMs: positive(INCAST_SETTING.minRtoMs, {
    placeholder: "ms",
    help: "floor of the retransmission timer above the RTT",
  }),
  startJitterUs: positive(INCAST_SETTING.startJitterUs, {
    placeholder: "us",
    help: "each flow starts in U(0, this)",
  }),
  stalenessUs: positive(20, { placeholder: "us", help: "from a report to its answer's effect" }),
  algorithm: choice("reno-in-agent", ALGORITHM_NAMES, {
    help: "the agent's: `reno-in-agent` has the datapath's rules and grows in the agent, `reno` grows in the datapath, `portus-reno` has rules of its own",
  }),
};

function planOf(settings: Settings<typeof OPTIONS>): IncastPlan {
  const { rates, packets, intervalsUs, seeds, stalenessUs, algorithm } = settings;
  const { bufferPackets, minRtoMs, startJitterUs } = settings;
  const setting = { ...INCAST_SETTING, bufferPackets, minRtoMs, startJitterUs };
  return { ratesGbps: rates, packets, intervalsUs, seeds, stalenessUs, algorithm, setting };
}

/** What the thesis saw in its testbed. */
const THESIS: Readonly<Record<number, string>> = {
  10: "at most 1.15 to 1.2",
  40: "above 2 at long intervals",
};

/** The worst of each rate; the thesis's 10 Gbit/s figure is a bound that ours has to keep, its 40 Gbit/s one is not. */
function claimsOf(plan: IncastPlan, rows: readonly IncastRow[]): Claim[] {
  return plan.ratesGbps.map((rateGbps) => {
    const ratios = rows.filter((row) => row.rateGbps === rateGbps).map(({ ratio }) => ratio.mean);
    return judge({
      claim: `${rateGbps} Gbit/s: worst mean tail completion of the agent over that in the datapath`,
      published: THESIS[rateGbps],
      measured: Math.max(...ratios),
      unit: "1",
      threshold: rateGbps === 10 ? { high: 1.2 } : undefined,
    });
  });
}

export const incast: Experiment = experiment({
  name: "incast",
  summary: "50 senders to one switch port: how late may an agent hear of its flows?",
  source: "Narayan, MIT 2022 (CCP thesis), Fig. 4.9; Narayan et al., SIGCOMM 2018",
  options: OPTIONS,
  count: (settings) => countIncastRuns(planOf(settings)),
  run: (settings) => incastRuns(planOf(settings)),
  describe: ({ rateGbps, packets }) => `${rateGbps} Gbit/s, ${packets} packets`,
  report(records, settings) {
    const plan = planOf(settings);
    const rows = summariseIncast(records);
    return {
      text: tableOf(plan, rows),
      claims: claimsOf(plan, rows),
      summary: rows,
      figure: figureOf(plan, rows),
    };
  },
});
