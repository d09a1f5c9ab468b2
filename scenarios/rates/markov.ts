import { fromMbps, type Mbps } from "../../core/units.ts";
import { clockSec, list, mbpsOrZero } from "../schema/ranges.ts";
import { complain, fields } from "../schema/shapes.ts";
import { BLOCK_START_BYTES, CHANGES_PER_BLOCK, type RateKind, shortList } from "./rate-kind.ts";

export interface MarkovState {
  readonly mbps: Mbps;
  readonly meanSec: number;
}

/** Dwells in a state for an exponential time, then goes to one of the others with equal probability. */
export interface MarkovRate {
  readonly kind: "markov";
  readonly states: readonly MarkovState[];
}

const stateMbps = ({ states }: MarkovRate): readonly Mbps[] => states.map((state) => state.mbps);

/** Every state is visited as often as any other. */
function changesPerSec({ states }: MarkovRate): number {
  return states.length / states.reduce((sum, state) => sum + state.meanSec, 0);
}

export const MARKOV: RateKind<MarkovRate> = {
  fields: { states: list(fields<MarkovState>({ mbps: mbpsOrZero, meanSec: clockSec })).min(2) },
  check(rate, complaints) {
    if (stateMbps(rate).every((mbps) => mbps === 0)) {
      complain(complaints, ["states", 0, "mbps"], "a rate above 0 in at least one state");
    }
  },
  peakMbps: (rate) => stateMbps(rate).reduce((peak, mbps) => Math.max(peak, mbps), 0),
  meanBytesPerSec({ states }) {
    // from each state to any other: the share of a state is its dwelling time
    const totalSec = states.reduce((sum, state) => sum + state.meanSec, 0);
    return fromMbps(states.reduce((sum, state) => sum + (state.mbps * state.meanSec) / totalSec, 0));
  },
  changesPerSec,
  memoryBytes: (rate, durationSec) =>
    (changesPerSec(rate) * durationSec * BLOCK_START_BYTES) / CHANGES_PER_BLOCK,
  label: (rate) => `Markov ${shortList(stateMbps(rate), "/")} Mbit/s`,
};
