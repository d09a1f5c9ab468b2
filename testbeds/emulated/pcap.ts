/** Packets as a capture file with nanoseconds (libpcap's format, LINKTYPE_RAW), which tcpdump and Wireshark read. */
import { closeSync, openSync, writeSync } from "node:fs";
import { fileError } from "../../core/whole-files.ts";

const MAGIC_NANOSECONDS = 0xa1b23c4d;
const LINKTYPE_RAW = 101;
const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
/** heads are enough to see what happened, and writing them holds nobody up */
const KEPT_BYTES = 128;
const BUFFER_BYTES = 1 << 20;
const NANOS_PER_SEC = 1_000_000_000n;

export class PcapFile {
  readonly #path: string;
  readonly #fd: number;
  readonly #buffer: Buffer = Buffer.alloc(BUFFER_BYTES);
  #filled = 0;
  /** of the wall clock, ahead of the monotonic one */
  readonly #epochNs: bigint = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();

  constructor(path: string) {
    this.#path = path;
    this.#fd = openSync(path, "w");
    const header = this.#buffer;
    header.writeUInt32LE(MAGIC_NANOSECONDS, 0);
    header.writeUInt16LE(2, 4);
    header.writeUInt16LE(4, 6);
    header.writeUInt32LE(KEPT_BYTES, 16);
    header.writeUInt32LE(LINKTYPE_RAW, 20);
    this.#filled = FILE_HEADER_BYTES;
  }

  /** @param atNs on the monotonic clock @throws CcparkError */
  add(packet: Uint8Array, length: number, atNs: number): void {
    const kept = Math.min(length, KEPT_BYTES);
    if (this.#filled + RECORD_HEADER_BYTES + kept > BUFFER_BYTES) this.#flush();
    const buffer = this.#buffer;
    const at = this.#filled;
    const wallNs = this.#epochNs + BigInt(Math.round(atNs));
    buffer.writeUInt32LE(Number(wallNs / NANOS_PER_SEC), at);
    buffer.writeUInt32LE(Number(wallNs % NANOS_PER_SEC), at + 4);
    buffer.writeUInt32LE(kept, at + 8);
    buffer.writeUInt32LE(length, at + 12);
    buffer.set(packet.subarray(0, kept), at + RECORD_HEADER_BYTES);
    this.#filled = at + RECORD_HEADER_BYTES + kept;
  }

  #flush(): void {
    try {
      for (let at = 0; at < this.#filled; ) {
        at += writeSync(this.#fd, this.#buffer, at, this.#filled - at);
      }
    } catch (cause) {
      throw fileError("[output] cannot write file", this.#path, cause);
    }
    this.#filled = 0;
  }

  /** @throws CcparkError */
  close(): void {
    try {
      this.#flush();
    } finally {
      closeSync(this.#fd);
    }
  }
}
