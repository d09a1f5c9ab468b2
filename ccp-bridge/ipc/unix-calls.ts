/**
 * The system calls of unix datagram sockets, which Node does not have, by way of koffi. Loaded when the first socket is
 * opened. Linux (x64, arm64 and others, glibc and musl) is tested; macOS and the BSDs have a layout of their own here.
 */
import { CcparkError } from "../../core/errors.ts";

type Call = (...args: readonly (number | Uint8Array | Uint32Array)[]) => number;

/** What is used of koffi. */
interface PollHandle {
  stop(): void;
  close(): void;
  ref(): void;
  unref(): void;
}

export interface UnixCalls {
  readonly socket: Call;
  readonly bind: Call;
  readonly connect: Call;
  readonly sendto: Call;
  readonly recvfrom: Call;
  readonly poll: Call;
  readonly flock: Call;
  readonly close: Call;
  errno(): number;
  /** number of an error by its name */
  readonly errors: Readonly<Record<string, number>>;
  /** Calls back on each turn of the event loop that finds the socket readable. */
  onReadable(fd: number, callback: () => void): PollHandle;
}

export const AF_UNIX = 1;
export const SOCK_DGRAM = 2;
export const POLLIN = 1;
export const LOCK_EX = 2;
/** bytes of a path, without the NUL at its end */
export const MAX_PATH_BYTES: number = process.platform === "linux" ? 107 : 103;
export const SOCK_CLOEXEC: number = process.platform === "linux" ? 0o2_000_000 : 0;
export const MSG_DONTWAIT: number = process.platform === "linux" ? 0x40 : 0x80;
export const MSG_NOSIGNAL: number = process.platform === "linux" ? 0x4000 : 0;
/** bytes of a socket address before the path */
export const FAMILY_BYTES = 2;
/** room for any unix socket address */
export const SOCKADDR_BYTES = 112;

/** The address of a path: `sockaddr_un` with the NUL. */
export function toSockaddr(path: Uint8Array): Uint8Array {
  const address = new Uint8Array(FAMILY_BYTES + path.length + 1);
  // Linux: 16 bits of family; elsewhere one byte of length, one of family
  if (process.platform === "linux") new Uint16Array(address.buffer, 0, 1)[0] = AF_UNIX;
  else address.set([address.length, AF_UNIX]);
  address.set(path, FAMILY_BYTES);
  return address;
}

let loaded: Promise<UnixCalls> | undefined;

/** @throws CcparkError where there is no build of koffi for the platform */
export function loadUnixCalls(): Promise<UnixCalls> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<UnixCalls> {
  const platform = `${process.platform} ${process.arch}`;
  try {
    const { default: koffi } = await import("koffi");
    const library = koffi.load(null);
    const call = (prototype: string): Call => library.func(prototype) as Call;
    return {
      socket: call("int socket(int, int, int)"),
      bind: call("int bind(int, void *, uint32_t)"),
      connect: call("int connect(int, void *, uint32_t)"),
      sendto: call("intptr_t sendto(int, void *, size_t, int, void *, uint32_t)"),
      recvfrom: call("intptr_t recvfrom(int, void *, size_t, int, void *, void *)"),
      poll: call("int poll(void *, uintptr_t, int)"),
      flock: call("int flock(int, int)"),
      close: call("int close(int)"),
      errno: () => koffi.errno(),
      errors: koffi.os.errno,
      onReadable: (fd, callback) => koffi.node.poll(fd, { readable: true }, callback),
    };
  } catch (cause) {
    const message = `[ccp-ipc] unix datagram sockets need the package koffi, which is missing or has no build for ${platform}`;
    throw new CcparkError("unavailable", `${message}; UDP on loopback needs none (--udp PORT)`, { cause });
  }
}
