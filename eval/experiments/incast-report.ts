/** The incast experiment as a table for a terminal, as result files and as a picture. */

import { join } from "node:path";
import Table from "cli-table3";
import { writeFilesWhole } from "../../core/whole-files.ts";
import { drawSvg } from "../report/picture.ts";
import { jsonLines, prettyJson } from "../result-files.ts";
import type { Estimate } from "../statistics.ts";
import { type IncastPlan, type IncastRecord, type IncastRow, summariseIncast } from "./incast.ts";
import { PLAIN_TABLE } from "./plain-table.ts";

const us = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

function withInterval({ mean, ci95 }: Estimate, format: (value: number) => string): string {
  const half = ci95 === null ? undefined : format(ci95);
  // what the digits cannot show is no certainty
  return half === undefined || Number(half) === 0 ? format(mean) : `${format(mean)} ± ${half}`;
}

/** One sentence: what stands beside every number of this experiment. */
export function incastSettingText({ setting, stalenessUs, algorithm, seeds }: IncastPlan): string {
  return (
    `${setting.senders} senders to one port of ${setting.bufferPackets} packets, ${setting.rttUs} us RTT, RTO floor ` +
    `${setting.minRtoMs} ms, starts in U(0, ${setting.startJitterUs} us), ${algorithm} at ${stalenessUs} us staleness ` +
    `against Reno in the datapath, ${seeds.length} seeds`
  );
}

/** One table per rate. */
export function incastTable(plan: IncastPlan, rows: readonly IncastRow[]): string {
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
  return `${parts.join("\n\n")}\n\n${incastSettingText(plan)}.\n${note}\n`;
}

export interface IncastProvenance {
  readonly command: string;
  readonly versions: Readonly<Record<string, string>>;
}

/** `results.jsonl`, one line per run, and `summary.json` with what reproduces them. */
export function writeIncastResults(
  folder: string,
  plan: IncastPlan,
  records: readonly IncastRecord[],
  provenance: IncastProvenance,
): void {
  const summary = { ...provenance, experiment: "incast", plan, summary: summariseIncast(records) };
  writeFilesWhole({
    [join(folder, "results.jsonl")]: jsonLines(records),
    [join(folder, "summary.json")]: prettyJson(summary),
  });
}

/** Ratio over report interval, one panel per rate, one line per flow size. */
export async function incastPicture(plan: IncastPlan, rows: readonly IncastRow[]): Promise<string> {
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
    title: { text: `${rateGbps} Gbit/s`, offset: 10 },
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
        `ratio of means over ${seeds.length} seeds with its 95 % confidence interval; below the dashed line CCP is faster`,
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
  return drawSvg(spec, names);
}
