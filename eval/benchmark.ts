/** Contenders x scenarios x seeds, in that fixed order of loops: scenario, contender, seed. */

import { crossTrafficAlgorithm } from "../algorithms/cross-traffic.ts";
import { CcparkError, type ErrorKind } from "../core/errors.ts";
import { thrownText } from "../core/module-files.ts";
import { roundTripMs, type Scenario } from "../scenarios/scenario.ts";
import type { RecordedFormat } from "../testbeds/exports/recorder.ts";
import type { Completion, RunResult, TimeSeries } from "../testbeds/results.ts";
import { SIMULATED } from "../testbeds/simulated/simulated.ts";
import { expectAccepts, NO_SERIES, type Testbed } from "../testbeds/testbed.ts";
import type { Contender, Prepared } from "./contenders/contender.ts";
import { type Harm, harmOf } from "./contenders/harm.ts";
import { linkLabel } from "./links.ts";
import type { MetricKey } from "./metrics.ts";

/** A scenario that each seed draws anew. */
export interface DrawnScenario {
  readonly name: string;
  readonly of: (seed: number) => Scenario;
}

export interface BenchmarkPlan {
  readonly scenarios: readonly (Scenario | DrawnScenario)[];
  readonly contenders: readonly Contender[];
  readonly seeds: readonly number[];
  readonly rewardName: string;
  /** the world that runs all of it; absent: the simulator */
  readonly testbed?: Testbed;
  /** absent: about 120 bins per run */
  readonly seriesBinSec?: number;
  /** false: nobody reads the time series, which are as coarse as what else is measured allows then */
  readonly readsSeries?: boolean;
  /** what else is written down of each run; absent: nothing */
  readonly recording?: readonly RecordedFormat[];
  /** policies see each number of an observation off by up to this share of itself, 0 to 1; absent: as it is */
  readonly observationNoise?: number;
}

/** One line of `results.jsonl` and of `bench --json`; NaN, which JSON has as null, is what had nothing to be measured on. */
export interface BenchmarkRecord extends Partial<Completion>, Partial<Harm> {
  readonly scenario: string;
  readonly algorithm: string;
  readonly link: string;
  readonly seed: number;
  /** the world that ran it */
  readonly testbed: string;
  /** of a scenario that each seed draws: its link; `link` is the same for all seeds then */
  readonly drawnLink?: string;
  /** what the contender chose for this link; only where it chose something */
  readonly detail?: string;
  /** false: a second run gives other bytes; only there where that is so */
  readonly reproducible?: false;
  readonly durationSec: number;
  readonly goodputMbps: number;
  readonly utilisation: number;
  readonly meanQueueDelayMs: number;
  readonly p95QueueDelayMs: number;
  readonly meanOneWayDelayMs: number;
  readonly p95OneWayDelayMs: number;
  readonly lossRate: number;
  readonly score: number;
  /** two-way propagation delay of the link, at its start */
  readonly baseRttMs: number;
  /** Kleinrock's, normalised to the range from 0 to 1: see `power` */
  readonly power: number;
  readonly rewardName: string;
  readonly reward: number;
  readonly sentPackets: number;
  readonly droppedPackets: number;
  readonly servedBytes: number;
  readonly wastedBytes: number;
  /** where there are several flows: each of them, and the fairness of those forward */
  readonly flows?: RunResult["flows"];
  readonly jainIndex?: number;
  /** of a call: how late its frames were, by stream */
  readonly frames?: RunResult["metrics"]["frames"];
  /** of the same flows, as `ccpark explain metrics` defines them */
  readonly maxMinShare?: number;
  readonly starvationRatio?: number;
  readonly convergenceSec?: number;
  /** where there are finite transfers: their completion times */
  readonly transfers?: RunResult["transfers"];
  /** of one's own; NaN: no finite value */
  readonly [metric: MetricKey]: number;
  /** in real time: how late packets and decisions came */
  readonly timing?: RunResult["timing"];
  /** of other programs that carried the packets */
  readonly commandLine?: RunResult["commandLine"];
  readonly decisions?: RunResult["decisions"];
}

export interface BenchmarkRun {
  readonly record: BenchmarkRecord;
  readonly series: TimeSeries;
  /** texts of what was recorded, by format */
  readonly recordings?: RunResult["recordings"];
}

/** A contender that could not do its run, by whatever mistake: the others know nothing of it. */
export interface BenchmarkFailure {
  readonly scenario: string;
  readonly algorithm: string;
  /** absent: none of its seeds could run */
  readonly seed?: number;
  readonly kind: ErrorKind;
  readonly message: string;
  /** for who looks for its cause; absent: what was thrown has none */
  readonly stack?: string | undefined;
}

type OnFailure = (failure: BenchmarkFailure) => void;

/** Bin widths that read well on an axis, seconds. */
const NICE_BINS_SEC = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10];
const BINS_PER_RUN = 120;

/** The nice width that gives about 120 bins: enough for a plot, small enough for a page. */
export function niceBinSec(durationSec: number): number {
  return NICE_BINS_SEC.find((width) => durationSec / width <= BINS_PER_RUN) ?? NICE_BINS_SEC.at(-1)!;
}

/** No bins where nobody reads the time series: only how several flows share their link over time is measured by it. */
function binSecOf({ seriesBinSec, readsSeries = true }: BenchmarkPlan, scenario: Scenario): number {
  const { durationSec, flows = [] } = scenario;
  if (!readsSeries && flows.length === 0) return NO_SERIES;
  return seriesBinSec ?? niceBinSec(durationSec);
}

/** The link of a scenario that each seed draws anew, as rows and records name it. */
export const DRAWN_LINK = "a link per seed";

/**
 * Power (Kleinrock, "On flow control in computer networks", ICC 1978), normalised: utilisation x (1 - loss) x base RTT / mean
 * RTT, where the mean RTT is the base RTT and the mean queueing delay at the bottleneck. 1: a full link without queue and loss.
 */
export function power(
  {
    utilisation,
    lossRate,
    meanQueueDelayMs,
  }: Pick<BenchmarkRecord, "utilisation" | "lossRate" | "meanQueueDelayMs">,
  baseRttMs: number,
): number {
  const rttMs = baseRttMs + meanQueueDelayMs;
  return utilisation * (1 - lossRate) * (rttMs === 0 ? 1 : baseRttMs / rttMs);
}

function toRecord(
  named: { readonly scenario: string; readonly link: string; readonly drawnLink?: string },
  baseRttMs: number,
  contender: Contender,
  seed: number,
  detail: string | undefined,
  result: RunResult,
  harm: Harm | undefined,
): BenchmarkRecord {
  const { metrics } = result;
  return {
    scenario: named.scenario,
    algorithm: contender.name,
    link: named.link,
    seed,
    ...(named.drawnLink === undefined ? {} : { drawnLink: named.drawnLink }),
    ...(detail === undefined ? {} : { detail }),
    ...(contender.reproducible === false || result.timing !== undefined ? { reproducible: false } : {}),
    testbed: result.testbed,
    durationSec: metrics.durationSec,
    goodputMbps: metrics.goodputMbps,
    utilisation: metrics.utilisation,
    meanQueueDelayMs: metrics.meanQueueDelayMs,
    p95QueueDelayMs: metrics.p95QueueDelayMs,
    meanOneWayDelayMs: metrics.meanOneWayDelayMs,
    p95OneWayDelayMs: metrics.p95OneWayDelayMs,
    lossRate: metrics.lossRate,
    score: metrics.score,
    baseRttMs,
    power: power(metrics, baseRttMs),
    rewardName: result.rewardName,
    reward: result.reward,
    sentPackets: metrics.sentPackets,
    droppedPackets: metrics.droppedPackets,
    servedBytes: metrics.servedBytes,
    wastedBytes: metrics.wastedBytes,
    ...(metrics.completionMs === undefined ? {} : { completionMs: metrics.completionMs }),
    ...(metrics.deadlineSec === undefined ? {} : { deadlineSec: metrics.deadlineSec }),
    ...(metrics.deadlineMet === undefined ? {} : { deadlineMet: metrics.deadlineMet }),
    ...(metrics.frames === undefined ? {} : { frames: metrics.frames }),
    ...(result.flows === undefined ? {} : { flows: result.flows }),
    ...(result.jainIndex === undefined ? {} : { jainIndex: result.jainIndex }),
    ...result.fairness,
    ...harm,
    ...(result.transfers === undefined ? {} : { transfers: result.transfers }),
    ...(result.timing === undefined ? {} : { timing: result.timing }),
    ...(result.commandLine === undefined ? {} : { commandLine: result.commandLine }),
    ...(result.decisions === undefined ? {} : { decisions: result.decisions }),
  };
}

/** Number of runs that the plan yields. */
export function countRuns(plan: BenchmarkPlan): number {
  return plan.scenarios.length * plan.contenders.length * plan.seeds.length;
}

/** A scenario as it is run, with a contender, and the seeds of these runs. */
interface Group {
  readonly scenario: Scenario;
  readonly named: Parameters<typeof toRecord>[0];
  readonly contender: Contender;
  readonly seeds: readonly number[];
}

function* groupsOf({ scenarios, contenders, seeds }: BenchmarkPlan): Generator<Group> {
  for (const planned of scenarios) {
    for (const contender of contenders) {
      if (!("of" in planned)) {
        const named = { scenario: planned.name, link: linkLabel(planned) };
        yield { scenario: planned, named, contender, seeds };
        continue;
      }
      for (const seed of seeds) {
        const scenario = planned.of(seed);
        const named = { scenario: planned.name, link: DRAWN_LINK, drawnLink: linkLabel(scenario) };
        yield { scenario, named, contender, seeds: [seed] };
      }
    }
  }
}

/**
 * A run is computed within the call of `next` that asks for it, as long as nothing of it has to be waited for: callers count on
 * that who have to end it. So this is one generator and delegates to none, which would answer a call and compute later.
 * @param onFailure is told of runs that fail, which are left out then; absent: the first one throws
 * @yields one run after the other; between two runs the caller may draw, pause or stop
 */
export async function* runBenchmark(
  plan: BenchmarkPlan,
  onFailure?: OnFailure,
): AsyncGenerator<BenchmarkRun> {
  const { rewardName, recording: formats = [], testbed = SIMULATED, observationNoise } = plan;
  for (const { scenario, named, contender, seeds } of groupsOf(plan)) {
    const fails = (error: unknown, seed?: number): void => {
      if (onFailure === undefined) throw error;
      const kind = error instanceof CcparkError ? error.kind : "internal";
      onFailure({
        scenario: named.scenario,
        algorithm: contender.name,
        ...(seed !== undefined && { seed }),
        kind,
        message: thrownText(error),
        stack: error instanceof Error ? error.stack : undefined,
      });
    };
    const seriesBinSec = binSecOf(plan, scenario);
    expectAccepts(testbed, scenario);
    const common = { rewardName, seriesBinSec, algorithms: crossTrafficAlgorithm, testbed, observationNoise };
    let prepared: Prepared | undefined;
    try {
      prepared = contender.prepare?.(scenario, { seeds, ...common });
    } catch (error) {
      fails(error);
      continue;
    }
    for (const seed of seeds) {
      const recording =
        formats.length === 0 ? undefined : { formats, title: runTitle(named.scenario, contender.name, seed) };
      let result: RunResult;
      let harm: Harm | undefined;
      try {
        const run = (prepared ?? contender).run({ scenario, seed, recording, ...common });
        result = run instanceof Promise ? await run : run;
        harm =
          testbed.clock === "virtual" ? harmOf({ scenario, seed, ...common, testbed }, result) : undefined;
      } catch (error) {
        fails(error, seed);
        continue;
      }
      yield {
        record: toRecord(named, roundTripMs(scenario), contender, seed, prepared?.detail, result, harm),
        series: result.series,
        ...(result.recordings && { recordings: result.recordings }),
      };
    }
  }
}

/** How exports name the run they come from. */
export function runTitle(scenario: string, algorithm: string, seed: number): string {
  return `scenario ${scenario}, algorithm ${algorithm}, seed ${seed}`;
}
