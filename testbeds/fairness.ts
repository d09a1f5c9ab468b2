/** How flows shared a link, beyond one index of the whole run: definitions as `ccpark explain metrics` prints them. */
import { NANOS_PER_SEC, type Nanos } from "../core/units.ts";
import type { Run, RunFlow } from "./testbed.ts";

export interface Fairness {
  /** the smallest goodput of a flow / its max-min fair share, 1 and more: nobody has less than that */
  readonly maxMinShare: number;
  /** goodput of the slowest flow / of the fastest, 0 to 1 */
  readonly starvationRatio: number;
  /** from when all flows are there until they share fairly for a while; NaN: never */
  readonly convergenceSec: number;
}

/** Fraction of what arrived in a bin that was this flow's; NaN: nothing arrived. */
export interface FlowShare {
  readonly id: string;
  readonly share: readonly number[];
}

/** Jain's index of the shares of a bin that counts as fair. */
export const CONVERGED_JAIN = 0.9;
/** Bins in a row that have to. */
export const CONVERGED_BINS = 5;

/** Jain's fairness index, 1/n to 1 (Jain, Chiu and Hawe 1984); NaN where nobody got anything. */
export function jainIndex(values: readonly number[]): number {
  const sum = values.reduce((total, value) => total + value, 0);
  const squares = values.reduce((total, value) => total + value * value, 0);
  return squares === 0 ? Number.NaN : (sum * sum) / (values.length * squares);
}

/**
 * Harm by another flow (Ware et al., HotNets 2019) to what is better large, such as goodput: the part of what it is alone that
 * is gone beside the other, 0 (none) to 1 (all).
 */
export function harmOfMore(alone: number, together: number): number {
  return Math.max(0, (alone - together) / alone);
}

/** The same of what is better small, such as a delay. */
export function harmOfLess(alone: number, together: number): number {
  return together <= 0 ? 0 : Math.max(0, (together - alone) / together);
}

/** The max-min fair allocation of a link: nobody gets more than it asks for, and nobody else's less would give it more. */
export function maxMinAllocation(demands: readonly number[], capacity: number): number[] {
  const given = demands.map(() => 0);
  const order = demands.map((_, i) => i).sort((a, b) => demands[a]! - demands[b]!);
  let left = capacity;
  order.forEach((i, place) => {
    given[i] = Math.min(demands[i]!, left / (order.length - place));
    left -= given[i]!;
  });
  return given;
}

/** Bins from when all were there until `CONVERGED_BINS` in a row are fair; NaN: never. @param jain of each bin */
export function convergenceBins(jain: readonly number[]): number {
  let fair = 0;
  for (const [bin, index] of jain.entries()) {
    fair = index >= CONVERGED_JAIN ? fair + 1 : 0;
    if (fair === CONVERGED_BINS) return bin + 1 - CONVERGED_BINS;
  }
  return Number.NaN;
}

/** Payloads that had arrived at a time, by the flow's bins; within a bin they come evenly. */
function arrivedPackets({ path, startNs }: RunFlow, binNs: Nanos, atNs: Nanos): number {
  const bins = path!.statistics.binDelivered;
  const at = Math.max(0, (atNs - startNs) / binNs);
  const whole = Math.floor(at);
  let sum = 0;
  for (let bin = 0; bin < Math.min(whole, bins.length); bin++) sum += bins[bin]!;
  return sum + (at - whole) * (bins[whole] ?? 0);
}

function endNsOf({ stopNs, life }: RunFlow): Nanos {
  return Math.min(stopNs, life?.completed?.atNs ?? Number.POSITIVE_INFINITY);
}

/**
 * Of the forward flows while all of them are there.
 * @returns undefined: fewer than two of them, no time series, no bin in which all were there, or nothing arrived
 */
export function shareLink(
  run: Run,
): { readonly fairness: Fairness; readonly shares: readonly FlowShare[] } | undefined {
  const { flows, nowNs, seriesBinNs: binNs, truth } = run;
  const forward = flows.filter(({ isBackward, path }) => !isBackward && path !== undefined);
  if (forward.length < 2 || truth === undefined || binNs === Number.POSITIVE_INFINITY) return undefined;
  const fromNs = Math.max(...forward.map(({ startNs }) => startNs));
  const untilNs = Math.min(nowNs, ...forward.map(endNsOf));
  const bins = Math.floor((untilNs - fromNs) / binNs + 1e-9);
  if (bins < 1) return undefined;
  const got = forward.map((flow) => {
    const sums = Array.from({ length: bins + 1 }, (_, bin) =>
      arrivedPackets(flow, binNs, fromNs + bin * binNs),
    );
    return sums.slice(1).map((sum, bin) => (sum - sums[bin]!) * flow.mssBytes);
  });
  const totals = got.map((bytes) => bytes.reduce((sum, each) => sum + each, 0));
  if (totals.every((total) => total === 0)) return undefined;
  const capacityBytes = truth.forward.capacityBytes(fromNs, fromNs + bins * binNs) * truth.payloadRatio;
  const fair = maxMinAllocation(
    forward.map(() => Number.POSITIVE_INFINITY),
    capacityBytes,
  );
  const inBin = (bin: number): number[] => got.map((bytes) => bytes[bin]!);
  const jain = Array.from({ length: bins }, (_, bin) => jainIndex(inBin(bin)));
  return {
    fairness: {
      maxMinShare: Math.min(...totals.map((total, i) => total / fair[i]!)),
      starvationRatio: Math.min(...totals) / Math.max(...totals),
      convergenceSec: (convergenceBins(jain) * binNs) / NANOS_PER_SEC,
    },
    shares: forward.map(({ id }, i) => ({
      id,
      share: got[i]!.map((bytes, bin) => bytes / inBin(bin).reduce((sum, each) => sum + each, 0)),
    })),
  };
}
