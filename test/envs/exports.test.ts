/** Exports of a run against what the run measured: each carries its scenario and seed. */
import { describe, expect, it } from "vitest";
import { cubic } from "../../algorithms/native/cubic.ts";
import { runAlgorithm } from "../../envs/measured-run.ts";
import { makeLink } from "../../scenarios/links.ts";
import { seriesCsv, seriesJsonLines } from "../../testbeds/exports/series-rows.ts";
import type { RunResult } from "../../testbeds/results.ts";

const SCENARIO = makeLink({ mbps: 12, rttMs: 40, bufferBdp: 1, durationSec: 6, lossRate: 0.001 });
const RUN = { scenario: SCENARIO, seed: 3, rewardName: "score", algorithm: cubic };
const TWO_FLOWS = { ...SCENARIO, flows: [{ algorithm: "native-reno", startSec: 1 }] };
const TITLE = "link-12, native-cubic, seed 3";

function recorded(): RunResult {
  return runAlgorithm({ ...RUN, recording: { formats: ["qlog", "mahimahi"], title: TITLE } });
}

interface QlogRecord {
  readonly time: number;
  readonly name: string;
  readonly data: Record<string, unknown>;
}

function qlogRecords(text: string): [{ title: string; qlog_format: string }, ...QlogRecord[]] {
  const records = text.split("\u001e").slice(1);
  return records.map((each) => JSON.parse(each)) as ReturnType<typeof qlogRecords>;
}

describe("a recorded run", () => {
  it("has the results of one that is not recorded", () => {
    const { recordings, ...result } = recorded();
    expect(Object.keys(recordings ?? {})).toEqual(["qlog", "mahimahi"]);
    expect(result).toEqual(runAlgorithm(RUN));
  });

  it("qlog: JSON-SEQ in time order with every packet sent and lost, and metrics only where they changed", () => {
    const { recordings, metrics } = recorded();
    const [head, ...events] = qlogRecords(recordings!.qlog!);
    expect(head).toMatchObject({ qlog_format: "JSON-SEQ", title: TITLE });
    const named = (name: string): QlogRecord[] => events.filter((event) => event.name === name);
    expect(named("transport:packet_sent")).toHaveLength(metrics.sentPackets);
    const lost = named("recovery:packet_lost");
    expect(lost.length).toBeGreaterThan(0);
    expect(lost.length).toBeLessThanOrEqual(metrics.droppedPackets);
    expect(events.map(({ time }) => time)).toEqual(events.map(({ time }) => time).sort((a, b) => a - b));
    const updates = named("recovery:metrics_updated");
    for (let i = 1; i < updates.length; i++) expect(updates[i]!.data).not.toEqual(updates[i - 1]!.data);
    expect(named("recovery:congestion_state_updated")[0]!.data).toMatchObject({
      old: "slow_start",
      new: "recovery",
    });
  });

  it("qlog: all flows of a scenario are in one trace, in time order, told apart by group_id", () => {
    const { flows } = runAlgorithm({ ...RUN, scenario: TWO_FLOWS });
    const { recordings } = runAlgorithm({
      ...RUN,
      scenario: TWO_FLOWS,
      recording: { formats: ["qlog"], title: TITLE },
    });
    const [, ...events] = qlogRecords(recordings!.qlog!) as unknown as [
      object,
      ...(QlogRecord & { group_id: string })[],
    ];
    expect(events.map(({ time }) => time)).toEqual(events.map(({ time }) => time).sort((a, b) => a - b));
    for (const { id, sentPackets } of flows!) {
      const sent = events.filter(({ group_id, name }) => group_id === id && name === "transport:packet_sent");
      expect(sent, id).toHaveLength(sentPackets);
    }
  });

  it("mm-link's log: arrivals = departures + drops + what still waits, delays as measured, opportunities as the rate", () => {
    const { recordings, metrics } = recorded();
    const lines = recordings!.mahimahi!.trimEnd().split("\n");
    expect(lines.filter((line) => line.startsWith("#"))).toContain(`# ${TITLE}`);
    const rows = lines.filter((line) => !line.startsWith("#")).map((line) => line.split(" "));
    const of = (mark: string): string[][] => rows.filter((row) => row[1] === mark);
    const waiting = of("+").length - of("-").length - of("d").length;
    expect(of("+")).toHaveLength(metrics.sentPackets);
    expect(of("d")).toHaveLength(metrics.droppedPackets);
    expect(waiting).toBeGreaterThanOrEqual(0);
    expect(waiting).toBeLessThanOrEqual(45);
    const delays = of("-").map((row) => Number(row[3]));
    const meanMs = delays.reduce((sum, each) => sum + each, 0) / delays.length;
    // mm-link's delay has the packet's own transmission (1 ms), and is rounded
    expect(Math.abs(meanMs - (metrics.meanQueueDelayMs + 1))).toBeLessThan(0.6);
    const seconds = Number(rows.at(-1)![0]) / 1000;
    expect(of("#").length).toBeGreaterThan((seconds * 1_500_000) / 1504 - 3);
    expect(of("#").length).toBeLessThan((seconds * 1_500_000) / 1504 + 1);
    const times = rows.map((row) => Number(row[0]));
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  it("of a link that goes out counts the delays of what departed, as its log has them, and of nothing that was planned after", () => {
    const { forward } = SCENARIO;
    const scenario = {
      ...SCENARIO,
      durationSec: 12,
      forward: { ...forward, queue: { packets: 300 }, lossRate: 0, outages: [{ fromSec: 5, toSec: 20 }] },
    };
    const run = { ...RUN, scenario };
    const { recordings, metrics } = runAlgorithm({
      ...run,
      recording: { formats: ["mahimahi"], title: TITLE },
    });
    const delays = [...recordings!.mahimahi!.matchAll(/^\d+ - \d+ (\d+)$/gm)].map(([, delay]) =>
      Number(delay),
    );
    const meanMs = delays.reduce((sum, each) => sum + each, 0) / delays.length;
    // 300 packets still wait, some for 7 s: none of them has a delay yet
    expect(metrics.sentPackets - delays.length).toBeGreaterThan(250);
    expect(metrics.p95QueueDelayMs).toBeLessThan(320);
    expect(Math.abs(metrics.meanOneWayDelayMs - (meanMs + scenario.propagationDelayMs))).toBeLessThan(0.6);
    expect(Math.abs(metrics.meanOneWayDelayMs - metrics.meanQueueDelayMs - 21)).toBeLessThan(0.6);
    // the other network says the same
    expect(runAlgorithm(run).metrics).toEqual(metrics);
  });

  it("CSV and JSON Lines have one row per bin, with what the run was", () => {
    const { series } = recorded();
    const csv = seriesCsv(series, [TITLE]).trimEnd().split("\n");
    expect(csv[0]).toBe(`# ${TITLE}`);
    expect(csv[1]).toBe("timeSec,throughputMbps,capacityMbps,queueDelayMs,cwndPackets");
    expect(csv).toHaveLength(2 + series.timeSec.length);
    const rows = seriesJsonLines(series, { scenario: SCENARIO.name, seed: 3 }).trimEnd().split("\n");
    expect(rows).toHaveLength(series.timeSec.length);
    expect(JSON.parse(rows[0]!)).toMatchObject({ scenario: SCENARIO.name, seed: 3, timeSec: 0.5 });
  });
});
