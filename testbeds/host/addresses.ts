/** `sockaddr_in` (ip(7)) as bytes, as `bind` and `connect` take it. */
import { AF_INET } from "./constants.ts";

/** The four bytes of a dotted address. */
export function ipv4Bytes(address: string): Uint8Array {
  return Uint8Array.from(address.split("."), Number);
}

/** @param address dotted, such as 10.0.0.1; @param port 0: any that is free */
export function sockaddrIn(address: string, port: number): Uint8Array {
  const bytes = new Uint8Array(16);
  new Uint16Array(bytes.buffer, 0, 1)[0] = AF_INET;
  new DataView(bytes.buffer).setUint16(2, port);
  bytes.set(ipv4Bytes(address), 4);
  return bytes;
}

/** The port of a `sockaddr_in`. */
export function portOf(sockaddr: Uint8Array): number {
  return (sockaddr[2]! << 8) | sockaddr[3]!;
}

/** Addresses that begin with the same bits. */
export interface Prefix {
  /** dotted, 0 behind its bits */
  readonly address: string;
  /** 0 to 32 */
  readonly bits: number;
}

/** As a number, first byte first. */
export function ipv4Number(address: string): number {
  return new DataView(ipv4Bytes(address).buffer).getUint32(0);
}

export function ipv4Text(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 0xff).join(".");
}

export function maskOf(bits: number): number {
  return bits === 0 ? 0 : (-1 << (32 - bits)) >>> 0;
}

/** `10.1.0.0/16`, or one address. @returns undefined: it is neither, or has bits behind its prefix */
export function parsePrefix(text: string): Prefix | undefined {
  const [, address = "", length = "32"] = /^(\d{1,3}(?:\.\d{1,3}){3})(?:\/(\d{1,2}))?$/.exec(text) ?? [];
  const bits = Number(length);
  if (address === "" || bits > 32 || address.split(".").some((byte) => Number(byte) > 255)) return undefined;
  return (ipv4Number(address) & ~maskOf(bits)) === 0 ? { address, bits } : undefined;
}
