/** What a link does to packets beside queueing and serving them, as plain data in the simulator's units. */
import type { Rng } from "../../../core/random.ts";
import type { Bytes, BytesPerSec, Nanos } from "../../../core/units.ts";
import type { StepsNs } from "./steps.ts";

/** From `fromNs` on, up to but not including `toNs`. */
export interface SpanNs {
  readonly fromNs: Nanos;
  readonly toNs: Nanos;
}

/** Transitions per packet; a packet is lost by the state before its transition. */
export interface GilbertElliottSpec {
  readonly goodToBad: number;
  readonly badToGood: number;
  /** absent: 0 */
  readonly lossInGood?: number;
  /** absent: 1 */
  readonly lossInBad?: number;
}

export type SteadyJitterSpecNs =
  | { readonly kind: "uniform"; readonly maxNs: Nanos }
  | { readonly kind: "exponential"; readonly meanNs: Nanos }
  | { readonly kind: "wifi"; readonly meanNs: Nanos };

export type JitterSpecNs = {
  /** packets may overtake each other; absent: a packet waits for the one before it */
  readonly reorder?: boolean;
} & (SteadyJitterSpecNs | { readonly kind: "steps"; readonly steps: StepsNs<SteadyJitterSpecNs> });

export interface Impairments {
  /** drops what exceeds a token bucket, which is full at the beginning */
  readonly policer?: { readonly rateBytesPerSec: BytesPerSec; readonly burstBytes: Bytes };
  /** what arrives in these spans is lost; in any order, they may overlap */
  readonly blackholes?: readonly SpanNs[];
  /** Bernoulli loss, a fraction 0-1 */
  readonly lossRate?: number;
  /** the same at a rate that changes */
  readonly lossOverTime?: StepsNs<number>;
  readonly gilbertElliott?: GilbertElliottSpec;
  /** every n-th packet is lost, the first after `offsetPackets` (absent: n - 1) */
  readonly periodicLoss?: { readonly everyPackets: number; readonly offsetPackets?: number };
  /** fraction of packets that arrive twice */
  readonly duplicationRate?: number;
  /** fraction of packets that arrive damaged */
  readonly corruptionRate?: number;
  readonly jitter?: JitterSpecNs;
  /** packets go on together at whole multiples of the period, at most `maxPackets` (absent: any number) at one */
  readonly slots?: { readonly everyNs: Nanos; readonly maxPackets?: number };
  /** of the ACKs that wait in the queue for one flow, only the newest stays */
  readonly ackThinning?: boolean;
}

/** Gives the generator of an effect by its name, such as `loss`. */
export type ForkEffect = (effect: string) => Rng;
