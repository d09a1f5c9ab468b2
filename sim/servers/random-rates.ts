/** Random rates, constant in pieces: a Markov chain of states, or new uniform rates after uniform spans. */
import { drawExponential } from "../../core/distributions.ts";
import type { Rng } from "../../core/random.ts";
import type { Nanos } from "../../core/units.ts";
import { NANOS_PER_SEC } from "../../core/units.ts";
import { type BlockStart, DrawnBlocks } from "./drawn-blocks.ts";
import { type Piece, type Piecewise, upperBound } from "./piecewise.ts";
import type { LinkRate, RateState } from "./rate.ts";

const PIECES_PER_BLOCK = 64;
/** A piece is at least so long, so that time goes on. */
const MIN_PIECE_NS = 1;

interface Draw {
  readonly bytesPerNs: number;
  readonly spanNs: Nanos;
  /** what the next draw must know of this one */
  readonly state: number;
}

interface ChainStart extends BlockStart {
  readonly area: number;
  readonly state: number;
}

/** Before the first draw. */
const NO_STATE = -1;

class RandomSteps implements Piecewise {
  readonly #blocks: DrawnBlocks<ChainStart, { readonly pieces: readonly Piece[]; readonly end: ChainStart }>;

  constructor(rng: Rng, draw: (rng: Rng, state: number) => Draw) {
    this.#blocks = new DrawnBlocks(rng, { atNs: 0, area: 0, state: NO_STATE }, (blockRng, start) => {
      let { atNs, area, state } = start;
      const pieces = Array.from({ length: PIECES_PER_BLOCK }, (): Piece => {
        const drawn = draw(blockRng, state);
        const fromNs = atNs;
        const areaBefore = area;
        atNs += Math.max(MIN_PIECE_NS, drawn.spanNs);
        area += (atNs - fromNs) * drawn.bytesPerNs;
        state = drawn.state;
        return { fromNs, toNs: atNs, value: drawn.bytesPerNs, slope: 0, area: areaBefore };
      });
      return { pieces, end: { atNs, area, state } };
    });
  }

  pieceAt(ns: Nanos): Piece {
    const { pieces } = this.#blocks.block(this.#blocks.indexAt(ns));
    return pieces[upperBound(pieces.length, (i) => pieces[i]!.fromNs, ns) - 1]!;
  }
}

/** The first state is drawn as the chain stands at any time: in proportion to the mean dwell times. */
export function markovRate(states: readonly RateState[], rng: Rng): Piecewise {
  const totalNs = states.reduce((sum, state) => sum + state.meanNs, 0);
  const drawFirst = (blockRng: Rng): number => {
    let left = blockRng.next() * totalNs;
    const index = states.findIndex((state) => {
      left -= state.meanNs;
      return left < 0;
    });
    return index < 0 ? states.length - 1 : index;
  };
  const drawNext = (blockRng: Rng, state: number): number => {
    if (states.length === 1) return state;
    const other = blockRng.integer(states.length - 1);
    return other < state ? other : other + 1;
  };
  return new RandomSteps(rng, (blockRng, before) => {
    const state = before === NO_STATE ? drawFirst(blockRng) : drawNext(blockRng, before);
    const { rateBytesPerSec, meanNs } = states[state]!;
    return {
      bytesPerNs: rateBytesPerSec / NANOS_PER_SEC,
      spanNs: drawExponential(blockRng) * meanNs,
      state,
    };
  });
}

export function randomStepsRate(
  rate: Extract<LinkRate, { readonly kind: "random-steps" }>,
  rng: Rng,
): Piecewise {
  return new RandomSteps(rng, (blockRng) => ({
    bytesPerNs: blockRng.uniform(rate.minBytesPerSec, rate.maxBytesPerSec) / NANOS_PER_SEC,
    spanNs: blockRng.uniform(rate.minEveryNs, rate.maxEveryNs),
    state: 0,
  }));
}
