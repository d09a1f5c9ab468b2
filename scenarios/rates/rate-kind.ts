/** What everyone who handles scenarios must know of a kind of rate; how links serve by it is the simulator's (`sim/servers`). */
import type { Bytes, BytesPerSec, Mbps } from "../../core/units.ts";
import type { Kind } from "../schema/shapes.ts";

export interface RateKind<Spec extends { readonly kind: string }> extends Kind<Spec> {
  /** What buffers in bandwidth-delay products are counted from: the highest rate, of opportunities the mean; undefined: no limit. */
  readonly peakMbps: (rate: Spec) => Mbps | undefined;
  /** The long-term rate on the wire, of a schedule the mean of its points; undefined: no limit. */
  readonly meanBytesPerSec: (rate: Spec) => BytesPerSec | undefined;
  /** A few words for a reader: `48 Mbit/s`. */
  readonly label: (rate: Spec) => string;
  /** Bytes that the link carries with each packet beside the packet's own (mm-link: a TUN header); absent: none. */
  readonly headerBytes?: Bytes;
  /** What a run of so many seconds keeps of it in memory beside a handful of numbers; absent: nothing. */
  readonly memoryBytes?: (rate: Spec, durationSec: number) => Bytes;
  /** How often it changes or draws, whether or not packets come; absent: never, or as often as packets go. */
  readonly changesPerSec?: (rate: Spec) => number;
}

/** Random rates are drawn in blocks, of which a run keeps the beginnings. */
export const BLOCK_START_BYTES: Bytes = 80;
/** Changes that one block of a random rate holds. */
export const CHANGES_PER_BLOCK = 64;

const LABEL_DIGITS = 4;
const LABEL_ENTRIES = 6;

/** For labels: the first rates with a few digits. */
export function shortList(mbps: readonly Mbps[], separator: string): string {
  const shown = mbps.slice(0, LABEL_ENTRIES).map((each) => String(+each.toPrecision(LABEL_DIGITS)));
  return shown.join(separator) + (mbps.length > shown.length ? "…" : "");
}
