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
