/**
 * Units of the whole project: bytes, microseconds and bytes per second inside; Mbit/s and milliseconds only at
 * the edges (scenario files, command line, reports). Conversion happens here and nowhere else.
 */

/** Microseconds, a span or a point in virtual or monotonic time. */
export type Micros = number;
/** Nanoseconds of simulator time; fractions are allowed, so the resolution is finer than 1 ns. */
export type Nanos = number;
export type Bytes = number;
export type BytesPerSec = number;
/** 10^6 bit/s. */
export type Mbps = number;

export const NANOS_PER_MICRO = 1_000;
export const NANOS_PER_MILLI = 1_000_000;
export const NANOS_PER_SEC = 1_000_000_000;
export const MICROS_PER_MILLI = 1_000;
export const MICROS_PER_SEC = 1_000_000;

/** Bytes of a full packet on the wire (payload, IPv4 and TCP header with timestamps) where a scenario names no MTU: Ethernet's. */
export const PACKET_BYTES = 1500;
/** Bytes of a pure ACK on the wire: 20 (IPv4) + 32 (TCP with timestamps). */
export const ACK_BYTES = 52;
/** Payload bytes of a full segment of such a packet: 1448. */
export const MSS_BYTES: Bytes = mssOf(PACKET_BYTES);
/** Bytes that a TUN device puts before each packet; mm-link counts them. */
export const TUN_HEADER_BYTES = 4;

/** Payload bytes of a full segment where packets have at most `mtuBytes`. */
export function mssOf(mtuBytes: Bytes): Bytes {
  return mtuBytes - ACK_BYTES;
}

export function fromMbps(mbps: Mbps): BytesPerSec {
  return mbps * 125_000;
}

export function toMbps(bytesPerSec: BytesPerSec): Mbps {
  return bytesPerSec / 125_000;
}
