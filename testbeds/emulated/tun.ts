/**
 * TUN devices (Linux, Documentation/networking/tuntap.rst): what the system sends into one is read from its descriptor as
 * an IP packet, and the other way round. A device belongs to the namespace in which its descriptor was opened, and is gone
 * when that is closed.
 */
import { ipv4Bytes, maskOf, type Prefix } from "../host/addresses.ts";
import { AF_INET, O_CLOEXEC, O_NONBLOCK, O_RDWR, SOCK_CLOEXEC, SOCK_DGRAM } from "../host/constants.ts";
import { IFREQ_VALUE_AT, interfaceRequest } from "../host/interface-request.ts";
import { type Libc, SystemCallError } from "../host/libc.ts";
import type { Namespace } from "../host/namespaces.ts";

// <linux/if_tun.h>: packets without a header of the device's own
const TUNSETIFF = 0x400454ca;
const IFF_TUN = 0x0001;
const IFF_NO_PI = 0x1000;

// <linux/sockios.h>, <linux/if.h>
const SIOCGIFFLAGS = 0x8913;
const SIOCSIFFLAGS = 0x8914;
const SIOCSIFADDR = 0x8916;
const SIOCSIFDSTADDR = 0x8918;
const SIOCSIFNETMASK = 0x891c;
const SIOCSIFMTU = 0x8922;
const SIOCSIFTXQLEN = 0x8943;
const SIOCADDRT = 0x890b;
const IFF_UP = 0x1;
const RTF_UP = 0x1;

/** of `struct rtentry` on 64-bit systems: destination, gateway, mask, flags, device */
const RTENTRY_BYTES = 120;
const RT_DST_AT = 8;
const RT_GENMASK_AT = 40;
const RT_FLAGS_AT = 56;
const RT_DEV_AT = 88;

/** what the system may have waiting for us to read: we always read at once, so it fills only while we are held up */
const QUEUE_PACKETS = 5000;

const EVERYWHERE: Prefix = { address: "0.0.0.0", bits: 0 };

export interface TunOptions {
  readonly name: string;
  readonly address: string;
  /** of the other end */
  readonly peer: string;
  readonly mtuBytes: number;
}

function setFlags(libc: Libc, socket: number, name: string): void {
  const { bytes, view } = interfaceRequest(name);
  libc.ioctl(socket, SIOCGIFFLAGS, bytes, name);
  view.setInt16(IFREQ_VALUE_AT, view.getInt16(IFREQ_VALUE_AT, true) | IFF_UP, true);
  libc.ioctl(socket, SIOCSIFFLAGS, bytes, name);
}

function setAddress(libc: Libc, socket: number, code: number, name: string, address: string): void {
  const { bytes, view } = interfaceRequest(name);
  view.setUint16(IFREQ_VALUE_AT, AF_INET, true);
  bytes.set(ipv4Bytes(address), IFREQ_VALUE_AT + 4);
  libc.ioctl(socket, code, bytes, `${name} ${address}`);
}

function setNumber(libc: Libc, socket: number, code: number, name: string, value: number): void {
  const { bytes, view } = interfaceRequest(name);
  view.setInt32(IFREQ_VALUE_AT, value, true);
  libc.ioctl(socket, code, bytes, name);
}

/** Where the user may: inside a user namespace the system's 500 packets have to do. */
function lengthenQueue(libc: Libc, socket: number, name: string): void {
  try {
    setNumber(libc, socket, SIOCSIFTXQLEN, name, QUEUE_PACKETS);
  } catch (error) {
    if (!(error instanceof SystemCallError && error.errnoName === "EPERM")) throw error;
  }
}

/** What goes to addresses that begin so goes over the device; "0.0.0.0/0" is everything. @throws SystemCallError EEXIST */
export function addRoute(libc: Libc, socket: number, name: string, { address, bits }: Prefix): void {
  const entry = new Uint8Array(RTENTRY_BYTES);
  const view = new DataView(entry.buffer);
  view.setUint16(RT_DST_AT, AF_INET, true);
  entry.set(ipv4Bytes(address), RT_DST_AT + 4);
  view.setUint16(RT_GENMASK_AT, AF_INET, true);
  view.setUint32(RT_GENMASK_AT + 4, maskOf(bits));
  view.setUint16(RT_FLAGS_AT, RTF_UP, true);
  // 64 bytes at least, so that it does not move before the call
  const text = new Uint8Array(64);
  text.set(new TextEncoder().encode(name));
  view.setBigUint64(RT_DEV_AT, libc.address(text), true);
  libc.ioctl(socket, SIOCADDRT, entry, `route to ${address}/${bits} over ${name}`);
}

/** A device of this name in the thread's namespace, not up yet. @returns its descriptor, which does not block */
function makeTun(libc: Libc, name: string): number {
  const fd = libc.open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  try {
    const { bytes, view } = interfaceRequest(name);
    view.setInt16(IFREQ_VALUE_AT, IFF_TUN | IFF_NO_PI, true);
    libc.ioctl(fd, TUNSETIFF, bytes, name);
    return fd;
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}

/**
 * A device in the thread's own namespace, up, without an address: what is routed over it is its descriptor's to read.
 * @returns its descriptor, which does not block
 * @throws SystemCallError
 */
export function openRoutedTun(
  libc: Libc,
  {
    name,
    mtuBytes,
    routes,
  }: { readonly name: string; readonly mtuBytes: number; readonly routes: readonly Prefix[] },
): number {
  const fd = makeTun(libc, name);
  const socket = libc.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC);
  try {
    setNumber(libc, socket, SIOCSIFMTU, name, mtuBytes);
    lengthenQueue(libc, socket, name);
    setFlags(libc, socket, name);
    for (const prefix of routes) addRoute(libc, socket, name, prefix);
    return fd;
  } catch (error) {
    libc.close(fd);
    throw error;
  } finally {
    libc.close(socket);
  }
}

/**
 * A device in the namespace, up, with its address, the only way out.
 * @returns its descriptor, which does not block
 * @throws SystemCallError
 */
export function openTun(libc: Libc, space: Namespace, options: TunOptions): number {
  const { name, address, peer, mtuBytes } = options;
  return space.run(() => {
    const fd = makeTun(libc, name);
    const socket = libc.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC);
    try {
      setAddress(libc, socket, SIOCSIFADDR, name, address);
      setAddress(libc, socket, SIOCSIFDSTADDR, name, peer);
      setAddress(libc, socket, SIOCSIFNETMASK, name, "255.255.255.255");
      setNumber(libc, socket, SIOCSIFMTU, name, mtuBytes);
      lengthenQueue(libc, socket, name);
      setFlags(libc, socket, "lo");
      setFlags(libc, socket, name);
      addRoute(libc, socket, name, EVERYWHERE);
      return fd;
    } catch (error) {
      libc.close(fd);
      throw error;
    } finally {
      libc.close(socket);
    }
  });
}
