/**
 * Stand-ins for published traces that are a Poisson process of a stated rate but whose files are not at hand, such as
 * Pantheon's `2.64mbps-poisson`: the same process with our seed, and their slow first seconds of each lap.
 */
import { drawExponential } from "../core/distributions.ts";
import { CcparkError } from "../core/errors.ts";
import { Rng } from "../core/random.ts";
import type { Mbps } from "../core/units.ts";
import { PACKET_BYTES } from "../core/units.ts";
import type { MahimahiTrace } from "./mahimahi.ts";

/** Pantheon's files begin their laps with seconds of 10 packets each. */
const SLOW_START_GAP_MS = 100;

export interface PoissonTraceOptions {
  /** rate outside the slow start, Mbit/s of 1500-byte packets as the files' names count, 0.01 to 1000 */
  readonly mbps: Mbps;
  /** so many seconds at the beginning have one opportunity every 100 ms; whole, 0 or more, less than the period */
  readonly slowStartSec: number;
  /** one lap, whole seconds, 1 to 3600 */
  readonly periodSec: number;
  /** whole number, 0 to 2^53 - 1 */
  readonly seed: number;
}

function checkRange(name: string, value: number, low: number, high: number, whole: boolean): void {
  if (value >= low && value <= high && (!whole || Number.isInteger(value))) return;
  throw new CcparkError(
    "invalid-argument",
    `[trace] option of a Poisson trace out of range, ${name}: got ${value}, expected ${whole ? "a whole number, " : ""}${low} to ${high}`,
  );
}

/**
 * One lap: named by its rate, such as `2.64mbps-poisson`; its last line is the period. The same options give the same
 * trace, on every machine.
 * @throws CcparkError invalid-argument for an option out of range
 */
export function regeneratePoisson({
  mbps,
  slowStartSec,
  periodSec,
  seed,
}: PoissonTraceOptions): MahimahiTrace {
  checkRange("mbps", mbps, 0.01, 1000, false);
  checkRange("periodSec", periodSec, 1, 3600, true);
  checkRange("slowStartSec", slowStartSec, 0, periodSec - 1, true);
  checkRange("seed", seed, 0, Number.MAX_SAFE_INTEGER, true);
  const rng = Rng.fromSeed(seed).fork("trace.poisson");
  const slowEndMs = slowStartSec * 1000;
  const periodMs = periodSec * 1000;
  const meanGapMs = (PACKET_BYTES * 8) / (mbps * 1000);
  const opportunitiesMs: number[] = [];
  for (let ms = SLOW_START_GAP_MS; ms <= slowEndMs; ms += SLOW_START_GAP_MS) opportunitiesMs.push(ms);
  let atMs = slowEndMs + drawExponential(rng) * meanGapMs;
  while (atMs < periodMs) {
    opportunitiesMs.push(Math.ceil(atMs));
    atMs += drawExponential(rng) * meanGapMs;
  }
  // The last line is the period, so one opportunity must lie there.
  if (opportunitiesMs.at(-1) !== periodMs) opportunitiesMs.push(periodMs);
  return { name: `${mbps}mbps-poisson`, opportunitiesMs };
}
