/** Our presets against the table of published parameters, id by id and number by number. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Rng } from "../../core/random.ts";
import { bdpPackets } from "../../scenarios/links.ts";
import { SUITES } from "../../scenarios/presets/suites.ts";
import { expandPreset, presetMembers, SCENARIOS } from "../../scenarios/presets.ts";
import type { RateSpec } from "../../scenarios/rates/registry.ts";
import { peakMbps } from "../../scenarios/rates/registry.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { resolveScenario, resolveScenarios } from "../../scenarios/scenario-files.ts";
import { LINUX_SENDER } from "../../scenarios/sender-options.ts";
import type { FlowPlan } from "../../scenarios/traffic/flow-plan.ts";
import { sharedData } from "../shared-data.ts";

interface Row {
  readonly id: string;
  readonly rate?: {
    readonly const_mbps?: number;
    readonly trace?: string;
    readonly measured_mean_mbps?: number;
    readonly steps_mbps?: readonly (readonly [number, number])[];
    readonly period_s?: number;
  };
  readonly rate_down?: { readonly trace_ms?: number[]; readonly steps_mbps?: [number, number][] };
  readonly rates_mbps?: number[];
  readonly owd_ms?: unknown;
  readonly rtt_ms?: number | number[];
  readonly loss_up?: number;
  readonly queue?: string;
  readonly queue_pkts?: unknown;
  readonly queue_pkts_down?: number;
  readonly queue_bytes?: number;
  readonly queue_bdp?: number | number[] | object;
  readonly queue_ms?: number;
  readonly duration_s?: number;
  readonly steps?: number;
  readonly step_ms?: number;
}

const path = sharedData("design/presets.json");
const rows: Row[] =
  path === undefined ? [] : (JSON.parse(readFileSync(path, "utf8")) as { presets: Row[] }).presets;
const rowOf = (id: string): Row => rows.find((row) => row.id === id)!;

const TRACE = { tracePath: "umts-driving" };
const scenarioOf = (name: string): Scenario =>
  resolveScenario(name, { seed: 1, ...(SCENARIOS.get(name)?.trace === "any" ? TRACE : {}) });

/** Seconds that flows start before the flow under test: the table's durations count from the first. */
const leadSec = (flows: readonly FlowPlan[] = []): number =>
  Math.max(0, ...flows.map((plan) => -(plan.startSec ?? 0)));

const stepsOf = (rate: RateSpec): readonly (readonly [number, number])[] =>
  rate.kind === "steps" ? rate.points.map((point) => [point.atSec, point.mbps] as const) : [];

describe.skipIf(path === undefined)("the table of published presets", () => {
  it("has 55 ids, and each is a preset with source and status", () => {
    expect(rows.length).toBe(55);
    for (const { id } of rows) {
      const preset = SCENARIOS.get(id);
      expect(preset, id).toBeDefined();
      expect(preset!.source.length, id).toBeGreaterThan(10);
      expect(["runnable", "substituted", "not-runnable"]).toContain(preset!.status.kind);
      expect(expandPreset(id).length, id).toBeGreaterThan(0);
    }
  });

  const single = rows.filter((row) => SCENARIOS.get(row.id)?.template !== undefined);

  it.each(single)("$id: rate, delay, queue, loss and duration", (row) => {
    const scenario = scenarioOf(row.id);
    const { forward, reverse } = scenario;
    const unit = row.id.startsWith("rmcat") ? 2 ** 20 / 1e6 : 1; // their Mbps is 2^20 bit/s
    let compared = 0;
    const same = (got: unknown, wanted: unknown, what: string): void => {
      expect(got, what).toEqual(wanted);
      compared++;
    };
    if (row.rate?.const_mbps !== undefined)
      same(forward.rate, { kind: "constant", mbps: row.rate.const_mbps * unit }, "rate");
    if (row.rate?.steps_mbps !== undefined) {
      same(
        stepsOf(forward.rate),
        row.rate.steps_mbps.map(([atSec, mbps]) => [atSec, mbps * unit]),
        "steps",
      );
      if (row.rate.period_s !== undefined)
        same((forward.rate as { periodSec?: number }).periodSec, row.rate.period_s, "period");
    }
    if (row.rate?.measured_mean_mbps !== undefined) {
      // a regenerated trace: the mean of the recorded one, up to Poisson noise of five standard deviations
      const mean = row.rate.measured_mean_mbps;
      const noise = (5 * mean) / Math.sqrt((mean * 60) / 0.012);
      expect(Math.abs(peakMbps(forward.rate)! - mean), "mean rate").toBeLessThan(noise + 0.01);
      compared++;
    }
    if (row.rate_down?.trace_ms !== undefined)
      same(
        (reverse.rate as { opportunitiesMs?: unknown }).opportunitiesMs,
        row.rate_down.trace_ms,
        "ACK trace",
      );
    if (row.rate_down?.steps_mbps !== undefined)
      same(
        stepsOf(reverse.rate),
        row.rate_down.steps_mbps.map(([atSec, mbps]) => [atSec, mbps * unit]),
        "ACK steps",
      );
    if (typeof row.owd_ms === "number") same(scenario.propagationDelayMs, row.owd_ms, "one-way delay");
    if (typeof row.rtt_ms === "number") same(2 * scenario.propagationDelayMs, row.rtt_ms, "round trip");
    if (typeof row.queue_pkts === "number") same(forward.queue.packets, row.queue_pkts, "queue, packets");
    if (row.queue_pkts_down !== undefined) same(reverse.queue.packets, row.queue_pkts_down, "ACK queue");
    if (row.queue_bytes !== undefined) same(forward.queue.bytes, row.queue_bytes, "queue, bytes");
    if (row.queue === "infinite") same(forward.queue, {}, "queue");
    if (typeof row.queue_bdp === "number") {
      const bdp = bdpPackets(peakMbps(forward.rate)!, 2 * scenario.propagationDelayMs);
      same(forward.queue.packets, Math.round(row.queue_bdp * bdp), "queue, BDP");
    }
    if (row.queue_ms !== undefined) {
      // where the rate changes, the source counts at its capacity of 4 Mbit/s
      const mbps = row.rate?.const_mbps ?? 4;
      same(forward.queue.bytes, Math.floor((mbps * 2 ** 20 * row.queue_ms) / 8000), "queue, ms");
    }
    if (row.loss_up !== undefined) same(forward.lossRate, row.loss_up, "loss");
    const durationSec =
      row.duration_s ??
      (row.steps !== undefined && row.step_ms !== undefined ? (row.steps * row.step_ms) / 1000 : 30);
    same(scenario.durationSec + leadSec(scenario.flows), durationSec, "duration");
    expect(compared).toBeGreaterThanOrEqual(row.id === "aurora-train" || row.id === "genet-udr3" ? 1 : 2);
  });

  it("grids have every combination of their rates, delays and buffers, and no other", () => {
    const sizes = {
      "ccbench1-grid": 690,
      "ccbench2-grid": 125,
      "indigo-train": 30,
      "cctestbed-table": 12,
      "raynet-orca": 2,
    };
    for (const [id, size] of Object.entries(sizes))
      expect(presetMembers(SCENARIOS.get(id)!).size, id).toBe(size);

    const solo = rowOf("ccbench1-grid");
    const seen = { mbps: new Set<number>(), delayMs: new Set<number>(), bdp: new Set<number>() };
    for (const { name, of } of resolveScenarios(["ccbench1-grid"])) {
      const [, mbps, shape, delayMs, bdp] =
        /^ccbench1-grid\/(\d+)-(flat|[24]x-[ud])-(\d+)ms-([\d.]+)bdp$/.exec(name)!;
      const scenario = of(1);
      const base = Number(mbps);
      const factor = shape === "flat" ? 1 : Number(shape![0]) ** (shape!.endsWith("u") ? 1 : -1);
      seen.mbps.add(base);
      seen.delayMs.add(Number(delayMs));
      seen.bdp.add(Number(bdp));
      expect(scenario.propagationDelayMs).toBe(Number(delayMs));
      expect(scenario.durationSec).toBe(30);
      const packets = Math.floor(Number(bdp) * bdpPackets(base, 2 * Number(delayMs)));
      expect(scenario.forward.queue, name).toEqual({ packets });
      if (shape === "flat") expect(scenario.forward.rate).toEqual({ kind: "constant", mbps: base });
      else
        expect(stepsOf(scenario.forward.rate)).toEqual([
          [0, base],
          [7, base * factor],
        ]);
    }
    expect([...seen.mbps]).toEqual(solo.rates_mbps);
    expect([...seen.delayMs]).toEqual(solo.owd_ms);
    expect([...seen.bdp]).toEqual(solo.queue_bdp);

    const table = rowOf("cctestbed-table");
    const packets = table.queue_pkts as Record<string, number[]>;
    for (const { name, of } of resolveScenarios(["cctestbed-table"])) {
      const [, mbps, rttMs] = /\/(\d+)mbps-(\d+)ms$/.exec(name)!;
      expect(of(1), name).toMatchObject({
        propagationDelayMs: Number(rttMs) / 2,
        forward: {
          rate: { mbps: Number(mbps) },
          queue: { packets: packets[rttMs!]![table.rates_mbps!.indexOf(Number(mbps))] },
        },
      });
    }
    for (const { of } of resolveScenarios(["ccbench2-grid"])) {
      expect(of(1)).toMatchObject({ durationSec: 120, flows: [{ algorithm: "cubic", startSec: -5 }] });
    }
  });

  it("Pantheon's second flow plan is three flows, 10 s apart", () => {
    for (let number = 1; number <= 18; number++) {
      const one = scenarioOf(`pantheon-${number}`);
      const three = scenarioOf(`pantheon-${number}/3-flows`);
      expect(one.flows).toBeUndefined();
      expect(three.flows).toEqual([{ algorithm: "test", count: 2, startSec: 10, startEverySec: 10 }]);
      expect(three.forward).toEqual(one.forward);
    }
  });

  it("Pantheon's regenerated traces have their slow seconds, and 30 s from their beginning carry less", () => {
    const { rate } = scenarioOf("pantheon-2").forward;
    if (rate.kind !== "trace") throw new Error(rate.kind);
    expect(rate.opportunitiesMs.filter((ms) => ms <= 5000)).toHaveLength(50);
    const mbps = (rate.opportunitiesMs.filter((ms) => ms <= 30_000).length * 0.012) / 30;
    expect(Math.abs(mbps - 2.2)).toBeLessThan(0.15);
    expect(scenarioOf("pantheon-2").fixed?.traceOffsetMs).toBe(0);
  });

  it("the distributions of aurora-train and genet-udr3 stay in their ranges and fill them", () => {
    const draw = (name: string): Scenario[] => {
      const [entry] = resolveScenarios([name]);
      return Array.from({ length: 2000 }, (_, seed) => entry!.draw(Rng.fromSeed(seed)));
    };
    const aurora = draw("aurora-train");
    const rates = aurora.map((scenario) => (peakMbps(scenario.forward.rate)! * 1e6) / 12_000);
    expect([Math.round(Math.min(...rates) / 10), Math.round(Math.max(...rates) / 10)]).toEqual([10, 50]);
    const queues = aurora.map((scenario) => scenario.forward.queue.packets!);
    expect(Math.min(...queues)).toBe(2);
    expect(Math.max(...queues)).toBeLessThanOrEqual(2981);
    // 1 + int(e^U(0, 8)) is 2 where U(0, 8) < ln 2
    const share = queues.filter((packets) => packets === 2).length / queues.length;
    expect(Math.abs(share - Math.log(2) / 8)).toBeLessThan(0.032); // five standard deviations
    const genet = draw("genet-udr3");
    const lossless = genet.filter((scenario) => scenario.forward.lossRate === 0).length / genet.length;
    expect(Math.abs(lossless - 1 / 3.69897)).toBeLessThan(0.05); // likewise
    for (const { forward, propagationDelayMs } of genet) {
      const bdp = forward.queue.packets! / bdpPackets(peakMbps(forward.rate)!, 2 * propagationDelayMs);
      if (forward.queue.packets! > 10) expect(bdp > 0.18 && bdp < 3.2).toBe(true);
    }
  });

  it("suites name presets that exist", () => {
    for (const suite of SUITES.values()) {
      for (const name of [...suite.scenarios, ...Object.values(suite.withoutTrace ?? {})]) {
        expect(expandPreset(name).length, `${suite.name}: ${name}`).toBeGreaterThan(0);
      }
    }
  });
});

describe("the sender", () => {
  const senderOf = (name: string) => resolveScenario(name, { seed: 1 }).sender;

  it("is Linux's where the source ran Linux, in variants and members too", () => {
    const names = [
      "park-paper",
      "park-code/12mbps",
      "ccp-fixed",
      "ccp-fct",
      "pantheon-1",
      "pantheon-13/3-flows",
    ];
    names.push("orca-sample", "sage-sample-24-flat", "ccbench1-grid/12-flat-5ms-1bdp", "cell-lte-driving");
    names.push("prudentia-8/cubic", "cctestbed-table/5mbps-35ms", "transperf-4bbr2", "coco-default");
    for (const name of names) expect(senderOf(name), name).toEqual(LINUX_SENDER);
  });

  it("is the default where the source ran another stack or a simulator", () => {
    for (const name of ["aurora-train", "genet-udr3", "ns3gym-rltcp", "rmcat-5.1", "quic-interop-goodput"]) {
      expect(senderOf(name), name).toBeUndefined();
    }
    for (const { name } of expandPreset("indigo-train")) expect(senderOf(name), name).toBeUndefined();
  });
});
