/** The score of a run and of a step: throughput against queueing delay, on a logarithmic scale. */
import { log2 } from "../core/math.ts";

/** One packet per second: what an idle or silent step counts as, so that the logarithm stays finite. */
const THROUGHPUT_FLOOR_BYTES_PER_SEC = 1448;
/** Below 1 ms of queue the link's own serialisation and a host's jitter dominate; less delay earns nothing. */
const DELAY_FLOOR_US = 1_000;

/** @param bytesPerSec floored at one packet per second */
export const throughputTerm = (bytesPerSec: number): number =>
  log2(Math.max(bytesPerSec, THROUGHPUT_FLOOR_BYTES_PER_SEC));
/** @param delayUs floored at 1 ms */
export const delayTerm = (delayUs: number): number => -0.5 * log2(Math.max(delayUs, DELAY_FLOOR_US));

/** log2(throughput) - 0.5 log2(delay) of the benchmark's score; throughput in B/s, delay in us, floored as documented. */
export function powerScore(bytesPerSec: number, delayUs: number): number {
  return throughputTerm(bytesPerSec) + delayTerm(delayUs);
}
