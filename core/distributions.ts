/** Random variables from a seeded generator, by log and sqrt only: the same bits on every machine. */
import { exp, log } from "./math.ts";
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

/** Poisson, by multiplying uniforms (Knuth): for means below some hundreds, whose exponential is above 0. */
export function drawPoisson(mean: number, rng: Rng): number {
  const least = exp(-mean);
  let count = 0;
  for (let product = rng.next(); product > least; product *= rng.next()) count++;
  return count;
}

/** Exponential with mean 1, by inversion. */
export function drawExponential(rng: Rng): number {
  return -log(1 - rng.next());
}
