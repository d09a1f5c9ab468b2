/** Random variables from a seeded generator, by log and sqrt only: the same bits on every machine. */
import { log } from "./math.ts";
import type { Rng } from "./random.ts";

/** Standard normal: Marsaglia's polar method. */
export function drawNormal(rng: Rng): number {
  for (;;) {
    const u = rng.uniform(-1, 1);
    const v = rng.uniform(-1, 1);
    const square = u * u + v * v;
    if (square > 0 && square < 1) return u * Math.sqrt((-2 * log(square)) / square);
  }
}

/** Exponential with mean 1, by inversion. */
export function drawExponential(rng: Rng): number {
  return -log(1 - rng.next());
}
