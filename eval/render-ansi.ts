/** An episode as a short panel of plain text: what holds now, and the course of the first flow as sparklines. */
import type { EpisodeCourse } from "../envs/vector/slots/history.ts";

const BARS = "▁▂▃▄▅▆▇█";
const SPARK_WIDTH = 48;
/** Flows that a panel has lines for. */
const MAX_FLOWS = 12;

/** The newest values that fit, each the mean of its share, from 0 to the highest. */
function sparkline(values: readonly number[]): string {
  const perBar = Math.max(1, Math.ceil(values.length / SPARK_WIDTH));
  const bars: number[] = [];
  for (let i = 0; i < values.length; i += perBar) {
    const there = values.slice(i, i + perBar).filter((value) => !Number.isNaN(value));
    bars.push(there.length === 0 ? 0 : there.reduce((sum, each) => sum + each, 0) / there.length);
  }
  const top = Math.max(...bars);
  return bars
    .map((bar) => BARS[top > 0 ? Math.min(BARS.length - 1, Math.floor((bar / top) * BARS.length)) : 0])
    .join("");
}

const last = (values: readonly number[]): number => values.at(-1) ?? 0;

export function ansiPanel(course: EpisodeCourse): string {
  const { title, seed, nowSec, durationSec, now, flows } = course;
  const lines = [
    `${title}  seed ${seed}  ${nowSec.toFixed(2)} of ${durationSec.toFixed(0)} s`,
    `link     ${now.rateMbps.toFixed(1)} Mbit/s  queue ${now.queuePackets} packets`,
  ];
  for (const flow of now.flows.slice(0, MAX_FLOWS)) {
    const mbps = last(flows.find(({ id }) => id === flow.id)?.throughputMbps ?? []);
    lines.push(
      `${flow.id.padEnd(8)} ${mbps.toFixed(1)} Mbit/s  cwnd ${flow.cwndPackets} packets  rtt ${flow.srttMs.toFixed(1)} ms  ` +
        `delivered ${flow.deliveredMB.toFixed(2)} MB  lost ${flow.lostPackets} packets`,
    );
  }
  if (now.flows.length > MAX_FLOWS) lines.push(`... and ${now.flows.length - MAX_FLOWS} more flows`);
  const [first] = flows;
  if (first !== undefined && course.timeSec.length > 0) {
    const rows: readonly (readonly [string, readonly number[], string])[] = [
      ["Mbit/s", first.throughputMbps, first.id],
      ["RTT ms", first.rttMs, first.id],
      ["cwnd", first.cwndPackets, first.id],
      ["queue", course.queuePackets, "link"],
    ];
    for (const [name, values, of] of rows) {
      const top = Math.max(0, ...values.filter((value) => !Number.isNaN(value)));
      lines.push(`${name.padEnd(8)} ${sparkline(values)}  max ${top.toFixed(1)} (${of})`);
    }
  }
  return `${lines.join("\n")}\n`;
}
