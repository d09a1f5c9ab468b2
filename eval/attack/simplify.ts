/** Makes a found environment short: what can go without losing most of the gap goes, and numbers become round. */
import { type AttackEnvironment, complexityOf } from "./environment.ts";

/** Of the gap that was found. */
export const KEPT_SHARE = 0.9;

const toDigits = (value: number, digits: number): number => Number(value.toPrecision(digits));

/** Half of the pieces, where their number allows it: pieces are of equal length. */
function coarser(values: readonly number[]): number[][] {
  const { length } = values;
  const found: number[][] = [];
  for (const parts of [1, 2, 3]) {
    if (parts >= length || length % parts !== 0) continue;
    const size = length / parts;
    const means = Array.from({ length: parts }, (_, part) => {
      const own = values.slice(part * size, (part + 1) * size);
      return toDigits(own.reduce((sum, value) => sum + value, 0) / size, 3);
    });
    found.push(means);
    if (parts === 1) found.push([Math.max(...values)], [Math.min(...values)]);
  }
  return found;
}

/** Environments that say less, the boldest first. */
function* simpler(environment: AttackEnvironment): Generator<AttackEnvironment> {
  const { cross, delaysMs, ratesMbps, lossRate, queuePackets, durationSec } = environment;
  if (cross !== undefined) yield { ...environment, cross: undefined };
  if (lossRate > 0) yield { ...environment, lossRate: 0 };
  for (const fewer of coarser(delaysMs)) yield { ...environment, delaysMs: fewer };
  for (const fewer of coarser(ratesMbps)) yield { ...environment, ratesMbps: fewer };
  if (cross !== undefined) {
    if (cross.flows > 1) yield { ...environment, cross: { ...cross, flows: 1 } };
    if (cross.startSec > 0) yield { ...environment, cross: { ...cross, startSec: 0 } };
    if (cross.stopSec < durationSec) yield { ...environment, cross: { ...cross, stopSec: durationSec } };
    for (const field of ["load", "startSec", "stopSec"] as const)
      yield { ...environment, cross: { ...cross, [field]: toDigits(cross[field], 1) } };
  }
  for (const digits of [1, 2]) {
    yield { ...environment, queuePackets: Math.max(1, toDigits(queuePackets, digits)) };
    yield { ...environment, lossRate: toDigits(lossRate, digits) };
    yield { ...environment, ratesMbps: ratesMbps.map((each) => toDigits(each, digits)) };
    yield { ...environment, delaysMs: delaysMs.map((each) => toDigits(each, digits)) };
    for (let i = 0; i < ratesMbps.length; i++)
      yield { ...environment, ratesMbps: ratesMbps.with(i, toDigits(ratesMbps[i]!, digits)) };
    for (let i = 0; i < delaysMs.length; i++)
      yield { ...environment, delaysMs: delaysMs.with(i, toDigits(delaysMs[i]!, digits)) };
  }
  // equal neighbours are one piece
  for (let i = 0; i + 1 < ratesMbps.length; i++) {
    const same = toDigits((ratesMbps[i]! + ratesMbps[i + 1]!) / 2, 2);
    yield { ...environment, ratesMbps: ratesMbps.with(i, same).with(i + 1, same) };
  }
}

/**
 * @param gapsOf evaluates environments
 * @param atOnce how many it evaluates at the same time; of them the first that will do counts, as if they had come in turn
 * @returns the simplest that was found whose gap is at least `KEPT_SHARE` of the given one's, its gap, and how many had their turn
 */
export async function simplify(
  found: AttackEnvironment,
  gap: number,
  gapsOf: (environments: readonly AttackEnvironment[]) => Promise<readonly number[]>,
  atOnce: number,
): Promise<{ readonly environment: AttackEnvironment; readonly gap: number; readonly evaluated: number }> {
  const least = KEPT_SHARE * gap;
  let best = { environment: found, gap };
  let evaluated = 0;
  for (let improved = true; improved; ) {
    improved = false;
    const complexity = complexityOf(best.environment);
    const candidates = [...simpler(best.environment)].filter((each) => complexityOf(each) < complexity);
    for (let at = 0; at < candidates.length && !improved; at += atOnce) {
      const batch = candidates.slice(at, at + atOnce);
      const gaps = await gapsOf(batch);
      const first = gaps.findIndex((its) => its >= least);
      improved = first !== -1;
      evaluated += improved ? first + 1 : batch.length;
      if (improved) best = { environment: batch[first]!, gap: gaps[first]! };
    }
  }
  return { ...best, evaluated };
}
