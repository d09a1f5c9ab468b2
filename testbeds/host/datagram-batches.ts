/**
 * Many UDP datagrams by one system call: the kernel cuts one buffer into datagrams of one size (GSO, UDP_SEGMENT), and hands up several
 * of one sender in one buffer (GRO). `struct msghdr`, `iovec` and `cmsghdr` as of Linux on 64-bit machines.
 */
import { sockaddrIn } from "./addresses.ts";
import {
  AF_INET,
  SO_RCVBUF,
  SO_SNDBUF,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOL_SOCKET,
  SOL_UDP,
  UDP_GRO,
  UDP_SEGMENT,
} from "./constants.ts";
import { type Libc, type PollHandle, SystemCallError } from "./libc.ts";

/** What one call takes: the kernel allows 64 segments, and what a UDP header can tell the length of. */
const MAX_SEGMENTS = 64;
const BATCH_BYTES = 65_000;
const SOCKADDR_BYTES = 16;
/** cmsghdr (16 bytes) and its value, padded */
const CONTROL_BYTES = 64;
/** Calls in one turn of the event loop, so that timers have theirs. */
const RECEIVES_PER_TURN = 16;

/** A message header with its buffers, all of which stay where they are. */
class MessageMemory {
  readonly header = new BigUint64Array(8);
  readonly address = new Uint8Array(64);
  readonly addressWord: BigUint64Array = new BigUint64Array(this.address.buffer, 0, 1);
  readonly bytes: Uint8Array = new Uint8Array(1 << 16);
  readonly control = new Uint8Array(CONTROL_BYTES);
  readonly controlView: DataView = new DataView(this.control.buffer);
  readonly #iovec = new BigUint64Array(8);

  constructor(libc: Libc) {
    this.#iovec[0] = libc.address(this.bytes);
    this.header[0] = libc.address(this.address);
    this.header[2] = libc.address(this.#iovec);
    this.header[3] = 1n;
    this.header[4] = libc.address(this.control);
  }

  /** @param bytes of the buffer, of the address and of the control part */
  lengths(bytes: number, address: number, control: number): void {
    this.#iovec[1] = BigInt(bytes);
    this.header[1] = BigInt(address);
    this.header[5] = BigInt(control);
    this.header[6] = 0n;
  }
}

/** Calls return before the next one begins: all sockets of a thread share it. */
const MEMORY: WeakMap<Libc, { readonly out: MessageMemory; readonly into: MessageMemory }> = new WeakMap();

function memoryOf(libc: Libc): { readonly out: MessageMemory; readonly into: MessageMemory } {
  let memory = MEMORY.get(libc);
  if (memory === undefined) {
    memory = { out: new MessageMemory(libc), into: new MessageMemory(libc) };
    const { controlView } = memory.out;
    // cmsg_len, cmsg_level, cmsg_type: a u16 follows
    controlView.setBigUint64(0, 18n, true);
    controlView.setInt32(8, SOL_UDP, true);
    controlView.setInt32(12, UDP_SEGMENT, true);
    MEMORY.set(libc, memory);
  }
  return memory;
}

export class DatagramBatches {
  readonly port: number;
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #out: MessageMemory;
  readonly #in: MessageMemory;
  readonly #poll: PollHandle;
  #onDatagram: (datagram: Uint8Array, from: string) => void;
  /** `host:port` by a socket address's first eight bytes */
  readonly #names = new Map<bigint, string>();
  readonly #onRefused: (() => void) | undefined;
  #isClosed = false;

  /**
   * @param host an IPv4 address
   * @throws SystemCallError, such as EADDRINUSE, or ENOPROTOOPT where the kernel knows neither
   */
  constructor(
    libc: Libc,
    bind: {
      readonly host: string;
      readonly port: number;
      readonly bufferBytes: number;
      /** the only one that it speaks with: the kernel drops what others send, and tells where nobody has that port */
      readonly peer?: { readonly sockaddr: Uint8Array; onRefused(): void } | undefined;
    },
    onDatagram: (datagram: Uint8Array, from: string) => void,
  ) {
    this.#libc = libc;
    this.#onDatagram = onDatagram;
    this.#onRefused = bind.peer?.onRefused;
    this.#fd = libc.socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC);
    try {
      libc.setsockopt(this.#fd, SOL_SOCKET, SO_RCVBUF, bind.bufferBytes);
      libc.setsockopt(this.#fd, SOL_SOCKET, SO_SNDBUF, bind.bufferBytes);
      libc.setsockopt(this.#fd, SOL_UDP, UDP_GRO, 1);
      // known to the kernel; each call says its own size
      libc.setsockopt(this.#fd, SOL_UDP, UDP_SEGMENT, 0);
      libc.bind(this.#fd, sockaddrIn(bind.host, bind.port));
      if (bind.peer !== undefined) libc.connect(this.#fd, bind.peer.sockaddr);
    } catch (error) {
      libc.close(this.#fd);
      throw error;
    }
    const own = libc.getsockname(this.#fd);
    this.port = own[2]! * 256 + own[3]!;
    ({ out: this.#out, into: this.#in } = memoryOf(libc));
    this.#poll = libc.onReadable(this.#fd, () => this.#receive());
  }

  /** How many datagrams of a size go by one call. */
  static most(datagramBytes: number): number {
    return Math.max(1, Math.min(MAX_SEGMENTS, Math.floor(BATCH_BYTES / datagramBytes)));
  }

  /**
   * @param datagrams of one size, but for the last, which may be shorter; at most `most`
   * @returns false: there is no room yet, and nothing was sent
   */
  send(datagrams: readonly Uint8Array[], sockaddr: Uint8Array): boolean {
    const { bytes, address, header, controlView } = this.#out;
    let at = 0;
    for (const datagram of datagrams) {
      bytes.set(datagram, at);
      at += datagram.length;
    }
    address.set(sockaddr);
    controlView.setUint16(16, datagrams[0]!.length, true);
    this.#out.lengths(at, SOCKADDR_BYTES, datagrams.length > 1 ? 24 : 0);
    try {
      return this.#libc.sendmsg(this.#fd, header) >= 0;
    } catch (error) {
      this.#heed(error);
      return true;
    }
  }

  /** What a datagram, this one or an earlier, has met, such as a closed port or no route: a loss, as any. */
  #heed(error: unknown): void {
    if (!(error instanceof SystemCallError)) throw error;
    if (error.errnoName === "ECONNREFUSED") this.#onRefused?.();
  }

  #receive(): void {
    const memory = this.#in;
    for (let i = 0; i < RECEIVES_PER_TURN && !this.#isClosed; i++) {
      memory.lengths(memory.bytes.length, SOCKADDR_BYTES, CONTROL_BYTES);
      let length: number;
      try {
        length = this.#libc.recvmsg(this.#fd, memory.header);
      } catch (error) {
        this.#heed(error);
        continue;
      }
      if (length < 0) return;
      const from = this.#sender();
      const size = this.#segmentBytes(memory) ?? length;
      // one copy for all of the batch: chunnels keep what they are given
      const batch = memory.bytes.slice(0, length);
      for (let at = 0; at < length && !this.#isClosed; at += size)
        this.#onDatagram(batch.subarray(at, Math.min(length, at + size)), from);
    }
  }

  /** Undefined: it is one datagram. */
  #segmentBytes({ header, controlView }: MessageMemory): number | undefined {
    if (header[5]! < 20n) return undefined;
    const isGro = controlView.getInt32(8, true) === SOL_UDP && controlView.getInt32(12, true) === UDP_GRO;
    return isGro ? controlView.getInt32(16, true) : undefined;
  }

  #sender(): string {
    const { address, addressWord } = this.#in;
    const key = addressWord[0]!;
    let name = this.#names.get(key);
    if (name === undefined) {
      name = `${address.subarray(4, 8).join(".")}:${address[2]! * 256 + address[3]!}`;
      if (this.#names.size > 10_000) this.#names.clear();
      this.#names.set(key, name);
    }
    return name;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // who keeps a closed socket keeps nothing of what used it
    this.#onDatagram = () => {};
    this.#poll.close();
    this.#libc.close(this.#fd);
  }
}
