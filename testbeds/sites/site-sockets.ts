/** The gateway's sockets towards the other site: messages of the boxes, packets as they are, and a look at those that arrive. */
import { existsSync, readFileSync } from "node:fs";
import { CcparkError } from "../../core/errors.ts";
import type { Bytes } from "../../core/units.ts";
import { ipv4Text, sockaddrIn } from "../host/addresses.ts";
import {
  AF_INET,
  AF_PACKET,
  IPPROTO_RAW,
  PACKET_IGNORE_OUTGOING,
  SO_BINDTODEVICE,
  SO_RCVBUFFORCE,
  SO_SNDBUFFORCE,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOL_PACKET,
  SOL_SOCKET,
} from "../host/constants.ts";
import { IFREQ_VALUE_AT, interfaceRequest } from "../host/interface-request.ts";
import { type Libc, SystemCallError } from "../host/libc.ts";
import type { BundlePolicy } from "./policy.ts";

// <linux/sockios.h>
const SIOCGIFADDR = 0x8915;
const SIOCGIFMTU = 0x8921;
const SIOCGIFINDEX = 0x8933;
/** <linux/if_ether.h>, ETH_P_IP in network order, as a number of this machine's (x64 and arm64 are little endian) */
const IPV4_FRAMES = 0x0008;
const SOCKADDR_LL_BYTES = 20;
/** bursts wait there while the thread is held up */
const BUFFER_BYTES = 8 << 20;
const STRICT = 1;

/** What the gateway's interface towards the other site is. */
export interface SiteDevice {
  readonly name: string;
  readonly index: number;
  readonly mtuBytes: Bytes;
  /** IPv4, dotted */
  readonly address: string;
}

/** @throws CcparkError (not-found) for a device that is not there or has no IPv4 address */
export function findDevice(libc: Libc, { device, address }: BundlePolicy): SiteDevice {
  const socket = libc.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC);
  const ask = (code: number, expected: string): DataView => {
    const { bytes, view } = interfaceRequest(device);
    try {
      libc.ioctl(socket, code, bytes, device);
    } catch (cause) {
      const message = `[bundle] device: got ${JSON.stringify(device)}, expected ${expected}`;
      throw new CcparkError("not-found", message, { cause, field: "device" });
    }
    return view;
  };
  try {
    return {
      name: device,
      index: ask(SIOCGIFINDEX, "a network device of this machine's").getInt32(IFREQ_VALUE_AT, true),
      mtuBytes: ask(SIOCGIFMTU, "a network device").getInt32(IFREQ_VALUE_AT, true),
      address:
        address ??
        ipv4Text(
          ask(SIOCGIFADDR, "a device with an IPv4 address, or `address` beside it").getUint32(
            IFREQ_VALUE_AT + 4,
          ),
        ),
    };
  } finally {
    libc.close(socket);
  }
}

/** Undefined: what comes back from the other site is taken; else one sentence why not. */
export function whyReturnsAreDropped({ name }: SiteDevice): string | undefined {
  const modes = ["all", name].map((each) => {
    const file = `/proc/sys/net/ipv4/conf/${each}/rp_filter`;
    return existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
  });
  if (Math.max(...modes) !== STRICT) return undefined;
  return `packets of the other site come by ${name} while those to it leave by the bundle, which a strict reverse path filter drops: sysctl -w net.ipv4.conf.all.rp_filter=2 net.ipv4.conf.${name}.rp_filter=2`;
}

/** Undefined: this machine forwards packets of others. */
export function whyNoForwarding(): string | undefined {
  return readFileSync("/proc/sys/net/ipv4/ip_forward", "utf8").trim() === "1"
    ? undefined
    : "packets of other hosts do not come through here: sysctl -w net.ipv4.ip_forward=1";
}

function bindToDevice(libc: Libc, fd: number, name: string): void {
  libc.setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, new TextEncoder().encode(`${name}\0`), name);
}

/** For messages between boxes: connected to the other site's, over the device whatever routes there are. */
export function openMessages(
  libc: Libc,
  device: SiteDevice,
  ports: { readonly own: number; readonly peer: number },
  peer: string,
): number {
  const fd = libc.socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC);
  try {
    bindToDevice(libc, fd, device.name);
    libc.bind(fd, sockaddrIn(device.address, ports.own));
    libc.connect(fd, sockaddrIn(peer, ports.peer));
    return fd;
  } catch (cause) {
    libc.close(fd);
    if (!(cause instanceof SystemCallError)) throw cause;
    const message = `[bundle] no socket from ${device.address}:${ports.own} to ${peer}:${ports.peer}: ${cause.errnoName}, expected an address of this machine and a port that is free`;
    throw new CcparkError(cause.kind, message, { cause, field: "port" });
  }
}

/** For IPv4 packets as they are, over the device whatever routes there are. */
export function openRaw(libc: Libc, device: SiteDevice): number {
  const fd = libc.socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_RAW);
  bindToDevice(libc, fd, device.name);
  libc.setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, BUFFER_BYTES);
  return fd;
}

/** Sees every IPv4 packet that comes in by the device, which goes its way all the same. */
export function openCapture(libc: Libc, device: SiteDevice): number {
  const fd = libc.socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC);
  libc.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES);
  libc.setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
  const address = new Uint8Array(SOCKADDR_LL_BYTES);
  const view = new DataView(address.buffer);
  view.setUint16(0, AF_PACKET, true);
  view.setUint16(2, IPV4_FRAMES, true);
  view.setInt32(4, device.index, true);
  libc.bind(fd, address);
  return fd;
}
