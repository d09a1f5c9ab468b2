import { drawExponential } from "../../../core/distributions.ts";
import type { Rng } from "../../../core/random.ts";
import { type BytesPerSec, NANOS_PER_SEC, type Nanos } from "../../../core/units.ts";
import type { Piecewise } from "../piecewise.ts";
import { NO_STATE, RandomPieces } from "../random-pieces.ts";
import { CLOSED, type Serve, servePieces } from "./link-servers.ts";

export interface RateState {
  readonly rateBytesPerSec: BytesPerSec;
  /** > 0 */
  readonly meanNs: Nanos;
}

/** Dwells in a state for an exponential time, then goes to one of the others with equal probability. */
export interface MarkovLinkRate {
  readonly kind: "markov";
  readonly states: readonly RateState[];
}

/** The first state is drawn as the chain stands at any time: in proportion to the mean dwell times. */
function markovPieces(states: readonly RateState[], rng: Rng): Piecewise {
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
  return new RandomPieces(rng, (blockRng, before) => {
    const state = before === NO_STATE ? drawFirst(blockRng) : drawNext(blockRng, before);
    const { rateBytesPerSec, meanNs } = states[state]!;
    return {
      bytesPerNs: rateBytesPerSec / NANOS_PER_SEC,
      spanNs: drawExponential(blockRng) * meanNs,
      state,
    };
  });
}

export const serveMarkov: Serve<MarkovLinkRate> = ({ states }, parts) => {
  const isClosed = states.every((state) => state.rateBytesPerSec === 0);
  return servePieces(isClosed ? CLOSED : markovPieces(states, parts.rng), parts);
};
