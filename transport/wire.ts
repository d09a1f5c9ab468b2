/** Bytes of the chunnels' headers: whole numbers of one to eight bytes as QUIC has them (RFC 9000 section 16), up to 2^53 - 1. */
import type { Bytes } from "../core/units.ts";

/** What came is not what a peer of ours sends: the datagram is dropped. */
export class WireFault extends Error {}

export function numberBytes(value: number): Bytes {
  return value < 64 ? 1 : value < 16_384 ? 2 : value < 1_073_741_824 ? 4 : 8;
}

/** @returns where the number ends */
export function writeNumber(into: Uint8Array, at: number, value: number): number {
  const count = numberBytes(value);
  let rest = value;
  for (let i = count - 1; i > 0; i--) {
    into[at + i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  into[at] = rest | (count === 1 ? 0 : count === 2 ? 0x40 : count === 4 ? 0x80 : 0xc0);
  return at + count;
}

/** Reads from the front; whatever is missing or too large is a `WireFault`. */
export class WireReader {
  readonly #bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): Bytes {
    return this.#bytes.length - this.at;
  }

  byte(): number {
    if (this.left < 1) throw new WireFault("a byte is missing");
    return this.#bytes[this.at++]!;
  }

  number(): number {
    const first = this.byte();
    const count = 1 << (first >> 6);
    if (this.left < count - 1) throw new WireFault("a number is cut off");
    let value = first & 0x3f;
    for (let i = 1; i < count; i++) value = value * 256 + this.#bytes[this.at++]!;
    if (value > Number.MAX_SAFE_INTEGER) throw new WireFault("a number is too large");
    return value;
  }

  take(count: Bytes): Uint8Array {
    if (this.left < count) throw new WireFault("bytes are missing");
    this.at += count;
    return this.#bytes.subarray(this.at - count, this.at);
  }

  rest(): Uint8Array {
    return this.take(this.left);
  }
}

/** What the headers of a usual stack and of its negotiation take: a message that is made with so much room in front is copied by none of its chunnels. */
const HEADROOM_BYTES: Bytes = 96;

/** Memory with room in front of what has been written. */
interface Roomy extends ArrayBuffer {
  /** the lowest byte that is somebody's; whoever writes in front of it claims that part, once */
  front?: number;
}

/** Zeros, with room for headers in front. */
export function roomyBytes(length: Bytes): Uint8Array {
  const buffer: Roomy = new ArrayBuffer(HEADROOM_BYTES + length);
  buffer.front = HEADROOM_BYTES;
  return new Uint8Array(buffer, HEADROOM_BYTES, length);
}

/**
 * `body` with `count` bytes in front, for the caller to write. In the same memory where there is room that nobody has claimed, else
 * a copy: `body`, and whatever was put in front of it before, stay as they are.
 */
export function prepended(count: Bytes, body: Uint8Array): Uint8Array {
  const buffer: Roomy = body.buffer as ArrayBuffer;
  const front = body.byteOffset - count;
  if (buffer.front === body.byteOffset && front >= 0) {
    buffer.front = front;
    return new Uint8Array(buffer, front, count + body.length);
  }
  const data = roomyBytes(count + body.length);
  data.set(body, count);
  return data;
}

/** `head` followed by numbers and `body`. */
export function withNumbers(head: number, numbers: readonly number[], body?: Uint8Array): Uint8Array {
  let length = 1;
  for (const value of numbers) length += numberBytes(value);
  const bytes = body === undefined ? new Uint8Array(length) : prepended(length, body);
  bytes[0] = head;
  let at = 1;
  for (const value of numbers) at = writeNumber(bytes, at, value);
  return bytes;
}

export function readUint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

export function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  for (let i = 0; i < 4; i++) bytes[at + i] = value >>> (24 - 8 * i);
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}
