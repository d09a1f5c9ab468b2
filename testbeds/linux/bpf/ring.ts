/** The consumer's end of a BPF ring buffer (Documentation/bpf/ringbuf.rst): reads records where the kernel has put them. */
import { MAP_SHARED, PROT_READ, PROT_WRITE } from "../../host/constants.ts";
import type { Libc } from "../../host/libc.ts";

const PAGE_BYTES = 4096;
const HEADER_BYTES = 8;
const BUSY = 0x8000_0000;
const DISCARDED = 0x4000_0000;

export class Ring {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #bytes: number;
  readonly #consumer: BigUint64Array;
  readonly #producer: BigUint64Array;
  readonly #data: Uint8Array;
  readonly #lengths: Int32Array;
  readonly #mappings: { readonly address: bigint; readonly length: number }[] = [];

  /** @param bytes of the map, a power of 2 */
  constructor(libc: Libc, fd: number, bytes: number) {
    this.#libc = libc;
    this.#fd = fd;
    this.#bytes = bytes;
    this.#consumer = new BigUint64Array(this.#map(PAGE_BYTES, PROT_READ | PROT_WRITE, 0), 0, 1);
    // the data twice, one behind the other: no record is torn at the end
    const produced = this.#map(PAGE_BYTES + 2 * bytes, PROT_READ, PAGE_BYTES);
    this.#producer = new BigUint64Array(produced, 0, 1);
    this.#data = new Uint8Array(produced, PAGE_BYTES);
    this.#lengths = new Int32Array(produced, PAGE_BYTES);
  }

  /** readable when a record is there */
  get fd(): number {
    return this.#fd;
  }

  #map(length: number, protection: number, offset: number): ArrayBuffer {
    const { address, bytes } = this.#libc.mmap(length, protection, MAP_SHARED, this.#fd, offset);
    this.#mappings.push({ address, length });
    return bytes;
  }

  /**
   * Hands on what is there, at most `most` records; each is valid during the call only.
   * @returns how many there were
   */
  drain(onRecord: (record: Uint8Array) => void, most: number): number {
    let position = Number(this.#consumer[0]);
    let count = 0;
    while (count < most && position < Number(Atomics.load(this.#producer, 0))) {
      const at = position % this.#bytes;
      const header = Atomics.load(this.#lengths, at / 4) >>> 0;
      if ((header & BUSY) !== 0) break;
      const length = (header & ~(BUSY | DISCARDED)) >>> 0;
      position += Math.ceil((length + HEADER_BYTES) / 8) * 8;
      try {
        if ((header & DISCARDED) === 0) {
          count += 1;
          onRecord(this.#data.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length));
        }
      } finally {
        // the kernel may write there from now on
        Atomics.store(this.#consumer, 0, BigInt(position));
      }
    }
    return count;
  }

  close(): void {
    for (const { address, length } of this.#mappings.splice(0)) this.#libc.munmap(address, length);
  }
}
