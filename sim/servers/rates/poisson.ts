import { drawExponential } from "../../../core/distributions.ts";
import type { Rng } from "../../../core/random.ts";
import { type BytesPerSec, NANOS_PER_SEC, type Nanos } from "../../../core/units.ts";
import { type BlockStart, DrawnBlocks } from "../drawn-blocks.ts";
import { OPPORTUNITY_BYTES, type Opportunities } from "../opportunities.ts";
import { upperBound } from "../piecewise.ts";
import { CLOSED, type Serve, serveOpportunities, servePieces } from "./link-servers.ts";

/** Opportunities of 1504 bytes as a Poisson process of this mean rate; used like a trace's. */
export interface PoissonLinkRate {
  readonly kind: "poisson";
  readonly rateBytesPerSec: BytesPerSec;
}

/** Random opportunities per block. */
const BLOCK = 1024;

class PoissonOpportunities implements Opportunities {
  readonly #blocks: DrawnBlocks<BlockStart, { readonly timesNs: Float64Array; readonly end: BlockStart }>;
  /** the block of the last question about a time, and the number of its first opportunity */
  #timesNs: Float64Array;
  #first = 0;

  /** @param rateBytesPerSec mean, > 0 */
  constructor(rateBytesPerSec: BytesPerSec, rng: Rng) {
    const meanNs = (OPPORTUNITY_BYTES * NANOS_PER_SEC) / rateBytesPerSec;
    this.#blocks = new DrawnBlocks(rng, { atNs: 0 }, (blockRng, { atNs }) => {
      const timesNs = new Float64Array(BLOCK);
      let timeNs = atNs;
      for (let i = 0; i < BLOCK; i++) timesNs[i] = timeNs += drawExponential(blockRng) * meanNs;
      return { timesNs, end: { atNs: timeNs } };
    });
    this.#timesNs = this.#blocks.block(0).timesNs;
  }

  atNs(index: number): Nanos {
    const within = index - this.#first;
    if (within >= 0 && within < BLOCK) return this.#timesNs[within]!;
    const block = Math.floor(index / BLOCK);
    this.#first = block * BLOCK;
    this.#timesNs = this.#blocks.block(block).timesNs;
    return this.#timesNs[index - this.#first]!;
  }

  countUntil(ns: Nanos): number {
    // A block starts at the time of the last opportunity before it.
    const block = this.#blocks.indexAt(ns);
    const { timesNs } = this.#blocks.block(block);
    return block * BLOCK + upperBound(BLOCK, (i) => timesNs[i]!, ns);
  }
}

export const servePoisson: Serve<PoissonLinkRate> = ({ rateBytesPerSec }, parts) =>
  rateBytesPerSec > 0
    ? serveOpportunities(new PoissonOpportunities(rateBytesPerSec, parts.rng), parts)
    : servePieces(CLOSED, parts);
