/** What rows have in common: links, flows beside the first, quantities of their results, pictures. */
import { resolveAlgorithm } from "../../algorithms/reference.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { LINUX_SENDER } from "../../scenarios/sender-options.ts";
import { fixedScenario, type ScenarioInput, type ScenarioTemplate } from "../../scenarios/template.ts";
import type { FlowPlan } from "../../scenarios/traffic/flow-plan.ts";
import type { FlowSummary, RunResult } from "../../testbeds/results.ts";
import type { Figure, Threshold } from "../experiments/experiment.ts";
import { axis, lines, marks, page } from "../experiments/figures.ts";
import type { Quantity, RowResults } from "./row.ts";

const SOURCE = "RFC 9743";

export const OURS = "ours";

/** What a seed draws beside the start: as suites have it, without the queue of others. */
const VARIATION = { sendJitterUs: 100, crossPhaseRtt: 1 } as const;

export interface LinkParts extends Omit<ScenarioInput, "forward"> {
  readonly mbps: number;
  readonly rttMs: number;
  /** drop-tail unless `forward` says another */
  readonly bufferBdp: number;
  readonly durationSec: number;
  readonly forward?: ScenarioInput["forward"];
}

/** One bottleneck, an ACK direction of the same rate; senders do what Linux's do. */
export function link(name: string, { mbps, bufferBdp, forward = {}, ...rest }: LinkParts): Scenario {
  const { queue = {}, ...direction } = forward;
  const template = {
    source: SOURCE,
    sender: LINUX_SENDER,
    variation: VARIATION,
    forward: {
      rate: { kind: "constant", mbps },
      queue: { ...(queue.packets === undefined && { bdp: bufferBdp }), ...queue },
      ...direction,
    },
    ...rest,
  } as ScenarioTemplate;
  return fixedScenario(template, { name: `ccwg/${name}` });
}

/** A flow beside the first from its start on, or from `startSec`. */
export function beside(algorithm: string, rest: Partial<FlowPlan> = {}): FlowPlan {
  return { algorithm, ...rest };
}

/** So many alike flows under test beside the first. */
export function moreTest(count: number, rest: Partial<FlowPlan> = {}): readonly FlowPlan[] {
  return count === 0 ? [] : [{ algorithm: "test", count, ...rest }];
}

/** As scenarios run it beside others: in the datapath where there is such a form. */
export function asBeside(reference: string): string {
  const { spec } = resolveAlgorithm(reference);
  return spec.native === undefined ? reference : `native-${reference}`;
}

/** The standards that much is compared with, by the references of their contenders. */
export const REFERENCE = { reno: "native-reno", cubic: "native-cubic" } as const;

/** All flows of a result; where the first is alone it is the only one. */
export function flowsOf(result: RunResult): readonly FlowSummary[] {
  return (
    result.flows ?? [
      {
        ...result.metrics,
        id: "flow-0",
        algorithm: "test",
        direction: "forward",
        startSec: 0,
      },
    ]
  );
}

/** The flow at a place: 0 is the first one. */
export function goodputOf(place: number): (result: RunResult) => number {
  return (result) => flowsOf(result)[place]?.goodputMbps ?? Number.NaN;
}

export function sumOfFlows(result: RunResult, of: "droppedPackets" | "sentPackets"): number {
  return flowsOf(result).reduce((total, flow) => total + flow[of], 0);
}

/** Dropped of all packets that all flows sent. */
export function lossOfAll(result: RunResult): number {
  return sumOfFlows(result, "droppedPackets") / sumOfFlows(result, "sentPackets");
}

/** The greatest goodput over the least. */
export function goodputRatio(result: RunResult): number {
  const rates = flowsOf(result).map(({ goodputMbps }) => goodputMbps);
  return Math.max(...rates) / Math.min(...rates);
}

/** The share of a flow's fair part of a link of `mbps` that the one with the least got; fair: equal parts. */
export function leastOfFair(result: RunResult): number {
  const rates = flowsOf(result).map(({ goodputMbps }) => goodputMbps);
  const total = rates.reduce((sum, rate) => sum + rate, 0);
  return (Math.min(...rates) * rates.length) / total;
}

/** Mean of delivered / possible payload of the first flow in the bins from one time to another. */
export function utilisationBetween(fromSec: number, toSec: number): (result: RunResult) => number {
  return ({ series: { timeSec, binSec, throughputMbps, capacityMbps } }) => {
    let got = 0;
    let could = 0;
    for (const [i, endSec] of timeSec.entries()) {
      if (endSec - binSec < fromSec - 1e-9 || endSec > toSec + 1e-9) continue;
      got += throughputMbps[i]!;
      could += capacityMbps[i]!;
    }
    return got / could;
  };
}

/** Seconds from `fromSec` until the first flow has a bin of at least this share of the link; NaN: never again. */
export function backAfter(fromSec: number, share: number): (result: RunResult) => number {
  return ({ series: { timeSec, binSec, throughputMbps, capacityMbps } }) => {
    const at = timeSec.findIndex(
      (endSec, i) => endSec - binSec >= fromSec - 1e-9 && throughputMbps[i]! >= share * capacityMbps[i]!,
    );
    return at < 0 ? Number.NaN : timeSec[at]! - fromSec;
  };
}

export function quantity(
  name: string,
  value: number,
  threshold: Threshold,
  source: string,
  unit = "1",
): Quantity {
  return { name, unit, value, threshold, source };
}

/** Goodput of the first flow over time, first seed, a line per run. */
export function courses(
  title: string,
  results: RowResults,
  ids: readonly string[] = [...results.keys()],
): Figure {
  const values = ids.flatMap((name) => {
    const series = results.get(name)?.[0]?.series;
    return series === undefined
      ? []
      : series.timeSec.map((timeSec, i) => ({
          name,
          timeSec,
          mbps: series.throughputMbps[i]!,
          delayMs: Number.isFinite(series.queueDelayMs[i]!) ? series.queueDelayMs[i]! : 0,
        }));
  });
  const x = axis({ field: "timeSec", title: "time (s)" });
  return page({ title }, ids, [
    lines(ids, { title: "goodput", values, x, y: axis({ field: "mbps", title: "Mbit/s" }) }),
    lines(ids, { title: "queueing delay", values, x, y: axis({ field: "delayMs", title: "ms" }) }),
  ]);
}

/** One mark per run and seed. */
export function points(
  title: string,
  names: readonly string[],
  values: readonly { readonly name: string; readonly x: number; readonly y: number }[],
  titles: {
    readonly x: string;
    readonly y: string;
    readonly logX?: true;
    readonly xValues?: readonly number[];
  },
): Figure {
  const kept = values.filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y));
  return page({ title }, names, [
    marks(names, {
      title: titles.y,
      values: kept,
      x: axis({
        field: "x",
        title: titles.x,
        ...(titles.logX && { log: true }),
        ...(titles.xValues && { values: titles.xValues }),
      }),
      y: axis({ field: "y", title: titles.y }),
      width: 560,
    }),
  ]);
}

/** Goodput of each flow of each run, all seeds; the flows of a run are numbered from 1. */
export function flowMarks(title: string, results: RowResults): Figure {
  const names = [...results.keys()];
  const values = names.flatMap((name) =>
    results
      .get(name)!
      .flatMap((result) => flowsOf(result).map(({ goodputMbps }, i) => ({ name, x: i + 1, y: goodputMbps }))),
  );
  const xValues = [...new Set(values.map(({ x }) => x))];
  return points(title, names, values, { x: "flow (1: the first)", y: "goodput (Mbit/s)", xValues });
}
