/**
 * Unix datagram sockets as Portus and libccp use them: each end binds a path and answers to the path a message came
 * from. The agent's is `/tmp/ccp/portus` by default. Two differences, both for the better: messages up to libccp's
 * 32678 bytes are read (Portus cuts at 1024), and a path where an agent already listens is refused instead of taken.
 */
import {
  chmodSync,
  closeSync,
  fchmodSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  type Stats,
  unlinkSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import { CcparkError } from "../../core/errors.ts";
import type { Address } from "../agent/agent.ts";
import {
  type DatagramTransport,
  MAX_MESSAGE_BYTES,
  noTraffic,
  type OnMessage,
  type SendOutcome,
  type TransportCounters,
} from "./datagram-transport.ts";
import {
  AF_UNIX,
  FAMILY_BYTES,
  LOCK_EX,
  loadUnixCalls,
  MAX_PATH_BYTES,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  POLLIN,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCKADDR_BYTES,
  toSockaddr,
  type UnixCalls,
} from "./unix-calls.ts";

const ROOT = 0;
/** of a folder's mode */
const OTHERS_WRITE = 0o002;
const STICKY = 0o1000;
/** where Portus and its datapaths keep their sockets */
export const SOCKET_FOLDER = "/tmp/ccp";
export const DEFAULT_AGENT_SOCKET = "/tmp/ccp/portus";

/** Datagrams read per turn of the event loop, so that a flood leaves room for timers and signals. */
const READS_PER_TURN = 64;
/** Addresses kept ready to send to; beyond it all are forgotten and made anew. */
const MAX_ADDRESSES = 4096;

export interface UnixDatagramOptions {
  /** a path, or a bare name: then in `/tmp/ccp/`, as in Portus */
  readonly path: string;
  readonly onMessage: OnMessage;
  /** longest message taken; default 32678. Portus reads 1024 and never sees a longer one whole */
  readonly maxMessageBytes?: number;
  /** keeps the process alive, the default */
  readonly ref?: boolean;
}

export interface UnixDatagramSocket extends DatagramTransport {
  /**
   * Waits for messages without the event loop and delivers those that are there: for hosts in lock-step.
   * Returns how many there were; 0 after `timeoutMs`.
   */
  receiveNow(timeoutMs: number): number;
}

/** `portus` is `/tmp/ccp/portus`; what has a slash is a path. */
export function toSocketPath(nameOrPath: string): string {
  return nameOrPath.includes("/") ? resolve(nameOrPath) : `${SOCKET_FOLDER}/${nameOrPath}`;
}

/**
 * Opens a socket and binds its path, in place of a stale file if need be; the path can be written to by its owner only.
 * @throws CcparkError if the path is taken by a live socket or by something else, is too long, or not permitted
 */
export async function openUnixDatagram(options: UnixDatagramOptions): Promise<UnixDatagramSocket> {
  const calls = await loadUnixCalls();
  const path = toSocketPath(options.path);
  const encoded = Buffer.from(path);
  if (encoded.length > MAX_PATH_BYTES) {
    const message = `socket path ${path}: ${encoded.length} bytes, expected at most ${MAX_PATH_BYTES}`;
    throw new CcparkError("invalid-argument", `[ccp-ipc] ${message}`);
  }
  const fd = calls.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw callError(calls, `cannot open a socket for ${path}`);
  try {
    bindPath(calls, fd, path, toSockaddr(encoded));
  } catch (error) {
    calls.close(fd);
    throw error;
  }
  return new UnixSocket(calls, fd, path, lstatSync(path), options);
}

function errorName(calls: UnixCalls): string {
  const number = calls.errno();
  return Object.entries(calls.errors).find(([, value]) => value === number)?.[0] ?? `error ${number}`;
}

function callError(calls: UnixCalls, what: string): CcparkError {
  const name = errorName(calls);
  const denied = name === "EACCES" || name === "EPERM" || name === "EROFS";
  return new CcparkError(denied ? "permission-denied" : "unavailable", `[ccp-ipc] ${what}: ${name}`);
}

function folderError(path: string, cause: unknown): CcparkError {
  const code = (cause as NodeJS.ErrnoException).code ?? "failed";
  const kind =
    code === "EACCES" || code === "EROFS" || code === "EPERM" ? "permission-denied" : "unavailable";
  return new CcparkError(kind, `[ccp-ipc] cannot use the folder of socket ${path}: ${code}`, { cause });
}

/** Looks for a listener, removes a stale file and binds, all under a lock on the folder. */
function bindPath(calls: UnixCalls, fd: number, path: string, address: Uint8Array): void {
  let folder: number;
  try {
    mkdirSync(dirname(path), { recursive: true });
    folder = openSync(dirname(path), "r");
  } catch (cause) {
    throw folderError(path, cause);
  }
  try {
    checkOwner(folder, path);
    calls.flock(folder, LOCK_EX);
    removeStale(calls, path, address);
    // Linux takes the mode of the file from the socket, so that it is never open to others
    if (process.platform === "linux") fchmodSync(fd, 0o600);
    if (calls.bind(fd, address, address.length) !== 0) throw callError(calls, `cannot bind socket ${path}`);
    chmodSync(path, 0o600);
  } finally {
    closeSync(folder);
  }
}

/**
 * Whoever owns the folder can put another socket in place of this one, and so can anybody where all may write (but in a
 * folder like /tmp, where each may remove only what is his).
 * @throws CcparkError (permission-denied)
 */
function checkOwner(folder: number, path: string): void {
  const uid = process.getuid?.();
  if (uid === undefined) return;
  const { uid: owner, mode } = fstatSync(folder);
  const isOpen = (mode & OTHERS_WRITE) !== 0 && (mode & STICKY) === 0;
  if ((owner === uid || owner === ROOT) && !isOpen) return;
  const whose = isOpen ? "one that everybody may write to" : `one of the user with the number ${owner}`;
  throw new CcparkError(
    "permission-denied",
    `[ccp-ipc] folder of socket ${path}: got ${whose}, expected one of your own`,
  );
}

function removeStale(calls: UnixCalls, path: string, address: Uint8Array): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new CcparkError("already-exists", `[ccp-ipc] ${path} is there and is no socket; it is left alone`);
  }
  const probe = calls.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  try {
    if (calls.connect(probe, address, address.length) === 0 || errorName(calls) === "EPROTOTYPE") {
      const message = `somebody already listens on ${path}; stop that agent or choose another socket`;
      throw new CcparkError("already-exists", `[ccp-ipc] ${message}`);
    }
    if (errorName(calls) !== "ECONNREFUSED") throw callError(calls, `cannot tell whether ${path} is in use`);
  } finally {
    calls.close(probe);
  }
  try {
    unlinkSync(path);
  } catch (cause) {
    throw folderError(path, cause);
  }
}

class UnixSocket implements UnixDatagramSocket {
  readonly address: Address;
  readonly counters: TransportCounters = noTraffic();
  readonly #calls: UnixCalls;
  readonly #bound: Stats;
  readonly #onMessage: OnMessage;
  readonly #poll: ReturnType<UnixCalls["onReadable"]>;
  readonly #maxBytes: number;
  /** one byte more than the largest message: so an oversize one is seen */
  readonly #buffer: Uint8Array;
  readonly #sender: Buffer = Buffer.alloc(SOCKADDR_BYTES);
  readonly #senderLength: Uint32Array = new Uint32Array(1);
  readonly #pollSet: Uint8Array;
  /** bytes of the last sender's path and its name: most messages come from the one before */
  #lastPath: Buffer = Buffer.alloc(0);
  #lastFrom: Address = "";
  /** as it came or was given -> bytes to send to */
  readonly #sockaddrs: Map<Address, Uint8Array> = new Map();
  readonly #again: number;
  readonly #noBuffers: number;
  readonly #interrupted: number;
  readonly #tooLong: number;
  #fd: number;

  constructor(calls: UnixCalls, fd: number, path: string, bound: Stats, options: UnixDatagramOptions) {
    this.#calls = calls;
    this.#fd = fd;
    this.address = path;
    this.#bound = bound;
    this.#onMessage = options.onMessage;
    this.#maxBytes = options.maxMessageBytes ?? MAX_MESSAGE_BYTES;
    this.#buffer = new Uint8Array(this.#maxBytes + 1);
    this.#pollSet = new Uint8Array(8);
    new DataView(this.#pollSet.buffer).setInt32(0, fd, true);
    new DataView(this.#pollSet.buffer).setInt16(4, POLLIN, true);
    this.#again = calls.errors["EAGAIN"] ?? -1;
    this.#noBuffers = calls.errors["ENOBUFS"] ?? -1;
    this.#interrupted = calls.errors["EINTR"] ?? -1;
    this.#tooLong = calls.errors["EMSGSIZE"] ?? -1;
    this.#poll = calls.onReadable(fd, () => this.#read(READS_PER_TURN));
    if (options.ref === false) this.#poll.unref();
  }

  send(bytes: Uint8Array, to: Address): SendOutcome {
    const address = this.#sockaddrs.get(to) ?? this.#remember(to);
    if (this.#fd < 0 || address === undefined) {
      this.counters.gone += 1;
      return "gone";
    }
    const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    const count = this.#calls.sendto(this.#fd, bytes, bytes.length, flags, address, address.length);
    if (count >= 0) {
      this.counters.sent += 1;
      return "sent";
    }
    const errno = this.#calls.errno();
    if (errno === this.#again || errno === this.#noBuffers || errno === this.#interrupted) {
      this.counters.full += 1;
      return "full";
    }
    if (errno === this.#tooLong) throw callError(this.#calls, `message of ${bytes.length} bytes to ${to}`);
    this.#sockaddrs.delete(to);
    this.counters.gone += 1;
    return "gone";
  }

  isThere(address: Address): boolean {
    const sockaddr = this.#sockaddrs.get(address) ?? this.#remember(address);
    if (sockaddr === undefined) return false;
    const probe = this.#calls.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const result = this.#calls.connect(probe, sockaddr, sockaddr.length);
    const name = result === 0 ? "" : errorName(this.#calls);
    this.#calls.close(probe);
    return name !== "ENOENT" && name !== "ECONNREFUSED" && name !== "ENOTDIR";
  }

  receiveNow(timeoutMs: number): number {
    const read = this.#read(READS_PER_TURN);
    if (read > 0 || this.#fd < 0 || timeoutMs <= 0) return read;
    this.#calls.poll(this.#pollSet, 1, timeoutMs);
    return this.#read(READS_PER_TURN);
  }

  close(): void {
    if (this.#fd < 0) return;
    this.#poll.stop();
    this.#poll.close();
    this.#calls.close(this.#fd);
    this.#fd = -1;
    // another agent may have taken the path over, as Portus does: its file is not ours to remove
    const found = lstatSync(this.address, { throwIfNoEntry: false });
    if (found?.ino !== this.#bound.ino || found.dev !== this.#bound.dev) return;
    try {
      unlinkSync(this.address);
    } catch {
      // the folder has become read-only or is gone; a stale file does no harm
    }
  }

  /** Delivers at most `limit` messages; returns how many datagrams there were. */
  #read(limit: number): number {
    const calls = this.#calls;
    const buffer = this.#buffer;
    for (let count = 0; count < limit; count++) {
      if (this.#fd < 0) return count;
      this.#senderLength[0] = SOCKADDR_BYTES;
      const length = calls.recvfrom(
        this.#fd,
        buffer,
        buffer.length,
        MSG_DONTWAIT,
        this.#sender,
        this.#senderLength,
      );
      if (length < 0) return count;
      this.counters.received += 1;
      if (length > this.#maxBytes) this.counters.oversize += 1;
      else this.#onMessage(buffer.subarray(0, length), this.#from());
    }
    return limit;
  }

  /** The path of the last sender; undefined for unnamed and abstract ones, which Portus ignores too. */
  #from(): Address | undefined {
    const length = Math.min(this.#senderLength[0]!, SOCKADDR_BYTES);
    const sender = this.#sender;
    let end = length;
    while (end > FAMILY_BYTES && sender[end - 1] === 0) end -= 1;
    if (end <= FAMILY_BYTES || sender[FAMILY_BYTES] === 0) {
      this.counters.unnamed += 1;
      return undefined;
    }
    const last = this.#lastPath;
    const pathBytes = end - FAMILY_BYTES;
    if (last.length === pathBytes && sender.compare(last, 0, pathBytes, FAMILY_BYTES, end) === 0) {
      return this.#lastFrom;
    }
    const path = Buffer.from(sender.subarray(FAMILY_BYTES, end));
    const from = path.toString();
    // the very bytes are kept: a path need not be UTF-8
    this.#keep(from, toSockaddr(path));
    this.#lastPath = path;
    this.#lastFrom = from;
    return from;
  }

  #remember(to: Address): Uint8Array | undefined {
    const path = Buffer.from(to);
    if (path.length === 0 || path.length > MAX_PATH_BYTES || path.includes(0)) return undefined;
    const address = toSockaddr(path);
    this.#keep(to, address);
    return address;
  }

  #keep(name: Address, address: Uint8Array): void {
    if (this.#sockaddrs.size >= MAX_ADDRESSES) this.#sockaddrs.clear();
    this.#sockaddrs.set(name, address);
  }
}
