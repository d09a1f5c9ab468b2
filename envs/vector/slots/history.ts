/**
 * The course of an episode for pictures, sampled at the ends of steps from the simulator's books. Kept only from the first
 * picture on (or with the option `render`), at most MAX_POINTS long: then every second point goes.
 */
import { NANOS_PER_SEC, toMbps } from "../../../core/units.ts";
import { UNDER_TEST } from "../../../scenarios/flows.ts";
import { expectTruth, type Run, type RunFlow } from "../../../testbeds/testbed.ts";
import { rateNow } from "./ground-truth.ts";

/** Twice what a picture has pixels for. */
const MAX_POINTS = 1024;

interface Point {
  readonly timeNs: number;
  readonly queuePackets: number;
  /** by flow under test, in the scenario's order */
  readonly deliveredPackets: readonly number[];
  readonly srttUs: readonly number[];
  readonly cwndPackets: readonly number[];
}

/** One flow under test: one number per span between two samples. NaN: the flow was not there. */
export interface FlowCourse {
  readonly id: string;
  readonly throughputMbps: readonly number[];
  readonly rttMs: readonly number[];
  readonly cwndPackets: readonly number[];
}

/** What a picture shows. */
export interface EpisodeCourse {
  readonly title: string;
  readonly seed: number;
  /** since the start of the first flow under test */
  readonly nowSec: number;
  readonly durationSec: number;
  /** ends of the spans */
  readonly timeSec: readonly number[];
  /** payload that the measured link could have carried */
  readonly capacityMbps: readonly number[];
  /** waiting at the measured link, at the end of the span */
  readonly queuePackets: readonly number[];
  readonly flows: readonly FlowCourse[];
  /** at this moment, whether or not there are spans */
  readonly now: {
    readonly rateMbps: number;
    readonly queuePackets: number;
    readonly flows: readonly {
      readonly id: string;
      readonly cwndPackets: number;
      readonly srttMs: number;
      readonly deliveredMB: number;
      readonly lostPackets: number;
    }[];
  };
}

export class EpisodeHistory {
  #points: Point[] = [];
  #stride = 1;
  #skipped = 0;

  clear(): void {
    this.#points = [];
    this.#stride = 1;
    this.#skipped = 0;
  }

  record(run: Run): void {
    this.#skipped += 1;
    if (this.#points.length > 0 && this.#skipped < this.#stride) return;
    this.#skipped = 0;
    const { nowNs } = run;
    const { forward } = expectTruth(run);
    forward.servedBytes(nowNs); // the link's books, up to now
    const tested = run.flows.filter(isUnderTest);
    this.#points.push({
      timeNs: nowNs,
      queuePackets: forward.queuedPackets,
      deliveredPackets: tested.map((flow) => flow.deliveredPackets),
      srttUs: tested.map((flow) => flow.srttUs || Number.NaN),
      cwndPackets: tested.map((flow) => (flow.hasStarted ? flow.cwndPackets : Number.NaN)),
    });
    if (this.#points.length < MAX_POINTS) return;
    this.#points = this.#points.filter((_, i) => i % 2 === 0);
    this.#stride *= 2;
  }

  course(run: Run, about: { readonly title: string; readonly seed: number }): EpisodeCourse {
    const { nowNs, startNs, endNs } = run;
    const { forward, payloadRatio } = expectTruth(run);
    const points = this.#points;
    const spans = points.slice(1).map((point, i) => ({ point, before: points[i]! }));
    const tested = run.flows.filter(isUnderTest);
    const secondsOf = (ns: number): number => ns / NANOS_PER_SEC;
    forward.servedBytes(nowNs);
    return {
      ...about,
      nowSec: secondsOf(nowNs - startNs),
      durationSec: secondsOf(endNs - startNs),
      timeSec: spans.map(({ point }) => secondsOf(point.timeNs - startNs)),
      capacityMbps: spans.map(({ point, before }) =>
        toMbps(
          (forward.capacityBytes(before.timeNs, point.timeNs) * payloadRatio) /
            secondsOf(point.timeNs - before.timeNs),
        ),
      ),
      queuePackets: spans.map(({ point }) => point.queuePackets),
      flows: tested.map(({ id, mssBytes }, f) => ({
        id,
        throughputMbps: spans.map(({ point, before }) =>
          toMbps(
            ((point.deliveredPackets[f]! - before.deliveredPackets[f]!) * mssBytes) /
              secondsOf(point.timeNs - before.timeNs),
          ),
        ),
        rttMs: spans.map(({ point }) => point.srttUs[f]! / 1000),
        cwndPackets: spans.map(({ point }) => point.cwndPackets[f]!),
      })),
      now: {
        rateMbps: toMbps(rateNow(forward, nowNs)),
        queuePackets: forward.queuedPackets,
        flows: tested
          .filter(({ hasStarted }) => hasStarted)
          .map(({ id, mssBytes, cwndPackets, srttUs, deliveredPackets, lostPackets }) => ({
            id,
            cwndPackets,
            srttMs: srttUs / 1000,
            deliveredMB: (deliveredPackets * mssBytes) / 1e6,
            lostPackets,
          })),
      },
    };
  }
}

function isUnderTest({ algorithm }: RunFlow): boolean {
  return algorithm === UNDER_TEST;
}
