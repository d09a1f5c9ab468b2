/**
 * How two boxes at the ends of a bundle agree, without a word, on packets to measure by (CCP thesis 4.7.6; Bundler, Cardwell et al.,
 * EuroSys 2021, section 4.5): both hash the fields of each packet's header that no router changes, and take those whose hash the
 * epoch's size divides. Sizes are powers of two, so that the boundaries of a larger one are boundaries of each smaller one too, and
 * the boxes agree on some of them while only one of them knows of a change.
 */
import { mix } from "../../core/random.ts";
import { type Bytes, type BytesPerSec, MICROS_PER_SEC, type Micros } from "../../core/units.ts";

/** Until there is a measurement. */
export const FIRST_EPOCH_PACKETS = 16;
/** Feedback often enough, at little cost. */
export const EPOCHS_PER_RTT = 4;
/** Beyond it no bundle needs fewer messages. */
const MAX_EPOCH_PACKETS = 1 << 16;

/**
 * Of a packet, from what IPv4 says of it: its flow (destination and port) and its identification, which a retransmission has anew.
 * @returns 0 to 2^32 - 1
 */
export function headerHash(flow: number, identification: number): number {
  return mix(mix(flow + 0x9e3779b9) ^ identification) >>> 0;
}

/** @param epochPackets a power of two */
export function isBoundary(hash: number, epochPackets: number): boolean {
  return (hash & (epochPackets - 1)) === 0;
}

/** A quarter (or `1 / epochsPerRtt`) of the packets of the least RTT, rounded down to a power of two. */
export function epochPackets(
  minRttUs: Micros,
  rateBytesPerSec: BytesPerSec,
  packetBytes: Bytes,
  epochsPerRtt: number = EPOCHS_PER_RTT,
): number {
  const packets = (minRttUs * rateBytesPerSec) / (epochsPerRtt * MICROS_PER_SEC * packetBytes);
  if (!(packets >= 2)) return 1;
  return Math.min(2 ** Math.floor(Math.log2(packets)), MAX_EPOCH_PACKETS);
}
