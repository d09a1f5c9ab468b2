/** Random rates, constant in pieces: each draw gives the next rate, how long it holds, and what the draw after it must know. */
import type { Rng } from "../../core/random.ts";
import type { Nanos } from "../../core/units.ts";
import { type BlockStart, DrawnBlocks } from "./drawn-blocks.ts";
import { type Piece, type Piecewise, upperBound } from "./piecewise.ts";

const PIECES_PER_BLOCK = 64;
/** A piece is at least so long, so that time goes on. */
const MIN_PIECE_NS = 1;

export interface Draw {
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
export const NO_STATE = -1;

export class RandomPieces implements Piecewise {
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
