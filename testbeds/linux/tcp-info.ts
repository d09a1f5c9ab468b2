/** What Linux tells of a TCP socket: `struct tcp_info` of include/uapi/linux/tcp.h, as far as it is used. */
import type { Bytes, BytesPerSec, Micros } from "../../core/units.ts";
import { IPPROTO_TCP, TCP_INFO } from "../host/constants.ts";
import type { Libc } from "../host/libc.ts";

const INFO_BYTES = 256;
const ESTABLISHED = 1;
/** no rate: all bits are set */
const NO_RATE = 2n ** 64n - 1n;

export interface TcpInfo {
  readonly isEstablished: boolean;
  readonly mssBytes: Bytes;
  readonly unackedPackets: number;
  readonly sackedPackets: number;
  /** judged lost and not yet sent again */
  readonly lostPackets: number;
  readonly retransPackets: number;
  readonly srttUs: Micros;
  readonly minRttUs: Micros;
  readonly cwndPackets: number;
  /** over the connection's life */
  readonly totalRetransPackets: number;
  readonly pacingRateBytesPerSec: BytesPerSec | undefined;
  readonly ackedBytes: Bytes;
  readonly sentPackets: number;
  readonly receivedSegments: number;
  readonly notSentBytes: Bytes;
  readonly deliveryRateBytesPerSec: BytesPerSec;
  readonly deliveredPackets: number;
  readonly deliveredMarkedPackets: number;
  /** that the receiver had already: its DSACKs say so */
  readonly doubledPackets: number;
  readonly isAppLimited: boolean;
  /** since Linux 6.7 */
  readonly timeouts: number;
}

const bytes: Uint8Array = new Uint8Array(INFO_BYTES);
const view: DataView = new DataView(bytes.buffer);

export function tcpInfo(libc: Libc, fd: number): TcpInfo {
  bytes.fill(0);
  libc.getsockopt(fd, IPPROTO_TCP, TCP_INFO, bytes);
  const u32 = (at: number): number => view.getUint32(at, true);
  const u64 = (at: number): bigint => view.getBigUint64(at, true);
  const minRttUs = u32(148);
  const pacingRate = u64(104);
  return {
    isEstablished: bytes[0] === ESTABLISHED,
    mssBytes: u32(16),
    unackedPackets: u32(24),
    sackedPackets: u32(28),
    lostPackets: u32(32),
    retransPackets: u32(36),
    srttUs: u32(68),
    cwndPackets: u32(80),
    totalRetransPackets: u32(100),
    pacingRateBytesPerSec: pacingRate === NO_RATE ? undefined : Number(pacingRate),
    ackedBytes: Number(u64(120)),
    receivedSegments: u32(140),
    notSentBytes: u32(144),
    minRttUs: minRttUs === 0xffff_ffff ? 0 : minRttUs,
    sentPackets: u32(156),
    deliveryRateBytesPerSec: Number(u64(160)),
    isAppLimited: (bytes[7]! & 1) === 1,
    deliveredPackets: u32(192),
    deliveredMarkedPackets: u32(196),
    doubledPackets: u32(216),
    timeouts: view.getUint16(240, true),
  };
}
