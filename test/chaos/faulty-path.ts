/** What datagrams meet in the chaos of transports. */
import type { Rng } from "../../core/random.ts";
import type { MemoryPath } from "../../transport/index.ts";

/** Loses, doubles, delays and damages, as much as is drawn. */
export function drawFaultyPath(draw: Rng): MemoryPath {
  return {
    delayUs: draw.integer(20_000),
    jitterUs: draw.integer(15_000),
    lossRate: draw.uniform(0, 0.2),
    duplicateRate: draw.uniform(0, 0.2),
    corruptRate: draw.uniform(0, 0.05),
    rateBytesPerSec: 300_000,
  };
}
