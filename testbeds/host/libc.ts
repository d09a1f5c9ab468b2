/**
 * The system calls that Node does not have, by way of koffi: the only place above the CCP sockets that knows it. Nothing of
 * it is loaded before a world with a real link is asked for. Each thread loads its own, and what a call changes of a thread
 * (its namespace, its timer slack) it changes of the thread that calls.
 *
 * A call that fails throws `SystemCallError`; one that would block returns -1.
 */
import { CcparkError, type ErrorKind } from "../../core/errors.ts";
import { O_CLOEXEC, O_NONBLOCK } from "./constants.ts";

/** Memory that a call reads or writes; it must not be on its way elsewhere when the call is made. */
export type Memory = Uint8Array | Uint16Array | Int32Array | Uint32Array | BigInt64Array | BigUint64Array;

const KINDS: Readonly<Record<string, ErrorKind>> = {
  EPERM: "permission-denied",
  EACCES: "permission-denied",
  ENOENT: "not-found",
  ENODEV: "not-found",
  EEXIST: "already-exists",
  EMFILE: "resource-exhausted",
  ENFILE: "resource-exhausted",
  ENOMEM: "resource-exhausted",
  ENOBUFS: "resource-exhausted",
  ENOSPC: "resource-exhausted",
};

/** A system call failed: `[host] setns /run/netns/a: EPERM`. */
export class SystemCallError extends CcparkError {
  /** such as `setns` */
  readonly call: string;
  readonly errno: number;
  /** such as `EPERM` */
  readonly errnoName: string;

  constructor(call: string, errno: number, errnoName: string, about: string) {
    super(
      KINDS[errnoName] ?? "unavailable",
      `[host] ${call}${about === "" ? "" : ` ${about}`}: ${errnoName}`,
    );
    this.name = "SystemCallError";
    this.call = call;
    this.errno = errno;
    this.errnoName = errnoName;
  }
}

type Argument = number | bigint | string | Memory | null;
type Raw = (...args: readonly Argument[]) => number;

/** What is used of koffi. */
interface Koffi {
  load(path: string | null): { func(prototype: string): unknown };
  errno(): number;
  view(pointer: bigint, length: number): ArrayBuffer;
  address(memory: Memory): bigint;
  readonly os: { readonly errno: Readonly<Record<string, number>> };
  readonly node: {
    poll(fd: number, events: { readonly readable: true }, callback: () => void): PollHandle;
  };
}

/** Watches a descriptor for the event loop. */
export interface PollHandle {
  close(): void;
  /** A loop with nothing else to wait for ends. */
  unref(): void;
}

const MAP_FAILED = 2n ** 64n - 1n;
const NANOS_PER_SEC = 1_000_000_000n;

/** The C library, and the kernel behind it. */
export class Libc {
  readonly #koffi: Koffi;
  readonly #names = new Map<number, string>();
  readonly #calls = new Map<string, Raw>();
  readonly #library: { func(prototype: string): unknown };
  readonly #wouldBlock: number;
  readonly #interrupted: number;
  readonly #timespec = new BigInt64Array(2);
  // called for every packet
  readonly #read: Raw;
  readonly #write: Raw;
  readonly #send: Raw;
  readonly #recv: Raw;
  readonly #sendto: Raw;
  readonly #ppoll: Raw;

  constructor(koffi: Koffi) {
    this.#koffi = koffi;
    this.#library = koffi.load(null);
    for (const [name, number] of Object.entries(koffi.os.errno)) {
      // EAGAIN is EWOULDBLOCK too
      if (!this.#names.has(number) || name === "EAGAIN") this.#names.set(number, name);
    }
    this.#wouldBlock = koffi.os.errno["EAGAIN"]!;
    this.#interrupted = koffi.os.errno["EINTR"]!;
    this.#read = this.#function("intptr_t read(int, void *, size_t)");
    this.#write = this.#function("intptr_t write(int, void *, size_t)");
    this.#send = this.#function("intptr_t send(int, void *, size_t, int)");
    this.#recv = this.#function("intptr_t recv(int, void *, size_t, int)");
    this.#sendto = this.#function("intptr_t sendto(int, void *, size_t, int, void *, uint32_t)");
    this.#ppoll = this.#function("int ppoll(void *, unsigned long, void *, void *)");
  }

  #function(prototype: string): Raw {
    const known = this.#calls.get(prototype);
    if (known !== undefined) return known;
    const made = this.#library.func(prototype) as Raw;
    this.#calls.set(prototype, made);
    return made;
  }

  /** A function of another library of the system, such as libbpf.so.1, as koffi's prototypes have it. */
  load(library: string): (prototype: string) => (...args: readonly Argument[]) => number | bigint {
    const loaded = this.#koffi.load(library);
    return (prototype) => loaded.func(prototype) as (...args: readonly Argument[]) => number | bigint;
  }

  /** Of the last call of this thread. */
  errno(): number {
    return this.#koffi.errno();
  }

  errnoName(errno: number): string {
    return this.#names.get(errno) ?? `error ${errno}`;
  }

  /** @throws SystemCallError if the result is negative: `errno` says why */
  check(call: string, result: number, about = ""): number {
    if (result >= 0) return result;
    throw this.failure(call, about);
  }

  /** The error of the last call. */
  failure(call: string, about = ""): SystemCallError {
    const errno = this.errno();
    return new SystemCallError(call, errno, this.errnoName(errno), about);
  }

  /** -1 where it would block or was interrupted before it did anything. */
  #unlessBlocked(call: string, result: number): number {
    if (result >= 0) return result;
    const errno = this.errno();
    if (errno === this.#wouldBlock || errno === this.#interrupted) return -1;
    throw this.failure(call);
  }

  /** Calls back on each turn of this thread's event loop that finds the descriptor readable. */
  onReadable(fd: number, callback: () => void): PollHandle {
    return this.#koffi.node.poll(fd, { readable: true }, callback);
  }

  /** Bytes of memory from an address; it must stay mapped as long as they are used. */
  view(address: bigint, length: number): ArrayBuffer {
    return this.#koffi.view(address, length);
  }

  /** Where the bytes lie, for structures that hold pointers; at least 64 of them, since smaller arrays are moved. */
  address(memory: Memory): bigint {
    return this.#koffi.address(memory);
  }

  open(path: string, flags: number, mode = 0): number {
    const open = this.#function("int open(str, int, unsigned int)");
    return this.check("open", open(path, flags, mode), path);
  }

  close(fd: number): void {
    this.check("close", this.#function("int close(int)")(fd));
  }

  /** @returns bytes read, 0 at the end, -1: nothing is there yet */
  read(fd: number, into: Memory, length: number = into.byteLength): number {
    return this.#unlessBlocked("read", this.#read(fd, into, length));
  }

  /** @returns bytes written, -1: there is no room yet */
  write(fd: number, from: Memory, length: number = from.byteLength): number {
    return this.#unlessBlocked("write", this.#write(fd, from, length));
  }

  /** @param argument of the request: memory, or a number */
  ioctl(fd: number, request: number, argument: Memory | number, about = ""): number {
    if (typeof argument === "number") {
      const ioctl = this.#function("int ioctl(int, unsigned long, unsigned long)");
      return this.check("ioctl", ioctl(fd, request, argument), about);
    }
    const ioctl = this.#function("int ioctl(int, unsigned long, void *)");
    return this.check("ioctl", ioctl(fd, request, argument), about);
  }

  /**
   * Waits until one of the descriptors is ready or the time is over.
   * @param fds rows of `struct pollfd`: i32 descriptor, i16 events, i16 what came of them
   * @param timeoutNs whole nanoseconds; 0: looks only; Infinity: as long as it takes
   * @returns how many are ready; 0 too where a signal came
   */
  ppoll(fds: Int32Array, timeoutNs: number): number {
    let timeout: BigInt64Array | null = null;
    if (timeoutNs !== Number.POSITIVE_INFINITY) {
      const ns = BigInt(Math.max(0, Math.ceil(timeoutNs)));
      timeout = this.#timespec;
      timeout[0] = ns / NANOS_PER_SEC;
      timeout[1] = ns % NANOS_PER_SEC;
    }
    return Math.max(0, this.#unlessBlocked("ppoll", this.#ppoll(fds, fds.length >> 1, timeout, null)));
  }

  /** @returns the mapping: `address` for `munmap` and structures, `bytes` a view of it */
  mmap(
    length: number,
    protection: number,
    flags: number,
    fd: number,
    offset: number,
  ): { readonly address: bigint; readonly bytes: ArrayBuffer } {
    const mmap = this.#function("void *mmap(void *, size_t, int, int, int, int64_t)") as unknown as (
      ...args: readonly Argument[]
    ) => bigint;
    const address = mmap(null, length, protection, flags, fd, offset);
    if (address === MAP_FAILED) throw this.failure("mmap", `${length} bytes`);
    return { address, bytes: this.view(address, length) };
  }

  munmap(address: bigint, length: number): void {
    this.check("munmap", this.#function("int munmap(void *, size_t)")(address, length));
  }

  /** The calling thread enters a namespace. */
  setns(fd: number, type: number): void {
    this.check("setns", this.#function("int setns(int, int)")(fd, type));
  }

  /** The calling thread enters new namespaces of the kinds in `flags`. */
  unshare(flags: number): void {
    this.check("unshare", this.#function("int unshare(int)")(flags));
  }

  mount(source: string, target: string, type: string, flags: number): void {
    const mount = this.#function("int mount(str, str, str, unsigned long, void *)");
    this.check("mount", mount(source, target, type, flags, null), target);
  }

  umount2(target: string, flags: number): void {
    this.check("umount2", this.#function("int umount2(str, int)")(target, flags), target);
  }

  prctl(option: number, value: number): number {
    const prctl = this.#function(
      "int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)",
    );
    return this.check("prctl", prctl(option, value, 0, 0, 0));
  }

  /** Of the calling thread alone. @param priority of real-time policies, 1 to 99 */
  schedSetscheduler(policy: number, priority: number): void {
    const set = this.#function("int sched_setscheduler(int, int, void *)");
    this.check("sched_setscheduler", set(0, policy, new Int32Array([priority])));
  }

  /**
   * A system call by its number, which differs between architectures.
   * @param name for the error; `bpf` says more than 321
   * @returns what it returned, never negative
   */
  syscall(name: string, number: number, ...args: readonly (number | bigint | Memory | null)[]): number {
    const syscall = this.#function(
      "int64_t syscall(int64_t, void *, void *, void *, void *, void *, void *)",
    );
    const six = [...args, 0, 0, 0, 0, 0, 0].slice(0, 6);
    return this.check(name, Number(syscall(number, ...six)));
  }

  /** A descriptor that is readable once 8 bytes of a number above 0 have been written to it; it does not block. */
  eventfd(): number {
    return this.check("eventfd", this.#function("int eventfd(unsigned int, int)")(0, O_NONBLOCK | O_CLOEXEC));
  }

  socket(domain: number, type: number, protocol = 0): number {
    return this.check("socket", this.#function("int socket(int, int, int)")(domain, type, protocol));
  }

  /** @param address `sockaddr`, as of `addresses.ts` */
  bind(fd: number, address: Uint8Array): void {
    const bind = this.#function("int bind(int, void *, uint32_t)");
    this.check("bind", bind(fd, address, address.length));
  }

  /** @returns false: under way (a socket that does not block); POLLOUT and SO_ERROR tell how it ended */
  connect(fd: number, address: Uint8Array): boolean {
    const connect = this.#function("int connect(int, void *, uint32_t)");
    const result = connect(fd, address, address.length);
    if (result < 0 && this.errno() === this.#koffi.os.errno["EINPROGRESS"]) return false;
    this.check("connect", result);
    return true;
  }

  listen(fd: number, backlog: number): void {
    this.check("listen", this.#function("int listen(int, int)")(fd, backlog));
  }

  /** @param flags SOCK_NONBLOCK, SOCK_CLOEXEC; @returns the connection, -1: there is none yet */
  accept(fd: number, flags = 0): number {
    const accept = this.#function("int accept4(int, void *, void *, int)");
    return this.#unlessBlocked("accept4", accept(fd, null, null, flags));
  }

  shutdown(fd: number, how: number): void {
    this.check("shutdown", this.#function("int shutdown(int, int)")(fd, how));
  }

  /** The address that a socket is bound to, as `sockaddr`. */
  getsockname(fd: number): Uint8Array {
    const address = new Uint8Array(128);
    const length = new Uint32Array([address.length]);
    const getsockname = this.#function("int getsockname(int, void *, void *)");
    this.check("getsockname", getsockname(fd, address, length));
    return address.subarray(0, length[0]);
  }

  setsockopt(fd: number, level: number, option: number, value: Memory | number, about = ""): void {
    const memory = typeof value === "number" ? new Int32Array([value]) : value;
    const setsockopt = this.#function("int setsockopt(int, int, int, void *, uint32_t)");
    this.check("setsockopt", setsockopt(fd, level, option, memory, memory.byteLength), about);
  }

  /** @returns how many bytes of `into` the system has filled */
  getsockopt(fd: number, level: number, option: number, into: Memory): number {
    const length = new Uint32Array([into.byteLength]);
    const getsockopt = this.#function("int getsockopt(int, int, int, void *, void *)");
    this.check("getsockopt", getsockopt(fd, level, option, into, length));
    return length[0]!;
  }

  /** An option that is one number. */
  getsockoptNumber(fd: number, level: number, option: number): number {
    const value = new Int32Array(1);
    this.getsockopt(fd, level, option, value);
    return value[0]!;
  }

  /** @returns bytes taken, -1: there is no room yet */
  send(fd: number, from: Memory, length: number = from.byteLength, flags = 0): number {
    return this.#unlessBlocked("send", this.#send(fd, from, length, flags));
  }

  /** @param address `sockaddr` of the receiver; @returns bytes taken, -1: there is no room yet */
  sendto(fd: number, from: Memory, length: number, address: Uint8Array): number {
    return this.#unlessBlocked("sendto", this.#sendto(fd, from, length, 0, address, address.length));
  }

  /** @param header `struct msghdr`, as of `datagram-batches.ts`; @returns bytes taken, -1: there is no room yet */
  sendmsg(fd: number, header: Memory): number {
    const sendmsg = this.#function("intptr_t sendmsg(int, void *, int)");
    return this.#unlessBlocked("sendmsg", sendmsg(fd, header, 0));
  }

  /** @param header `struct msghdr`, whose lengths it changes; @returns bytes of the message, -1: nothing is there yet */
  recvmsg(fd: number, header: Memory): number {
    const recvmsg = this.#function("intptr_t recvmsg(int, void *, int)");
    return this.#unlessBlocked("recvmsg", recvmsg(fd, header, 0));
  }

  /** @returns bytes of the message, 0 at the end of a stream, -1: nothing is there yet */
  recv(fd: number, into: Memory, length: number = into.byteLength, flags = 0): number {
    return this.#unlessBlocked("recv", this.#recv(fd, into, length, flags));
  }
}

let loaded: Promise<Libc> | undefined;

/** @throws CcparkError (unavailable) where this is not Linux, or koffi is missing or has no build for the platform */
export function loadLibc(): Promise<Libc> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<Libc> {
  if (process.platform !== "linux") {
    throw new CcparkError("unavailable", `[host] real links need Linux: got ${process.platform}`);
  }
  try {
    const { default: koffi } = await import("koffi");
    return new Libc(koffi as unknown as Koffi);
  } catch (cause) {
    throw new CcparkError(
      "unavailable",
      `[host] real links need the package koffi, which is missing or has no build for linux ${process.arch}: npm install koffi`,
      { cause },
    );
  }
}
