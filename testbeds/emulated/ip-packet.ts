/** What the emulator reads of a packet and changes in it: IPv4 (RFC 791), ports of TCP and UDP, the ECN field (RFC 3168). */
import { CE, NOT_ECT } from "../../sim/general/packet-store.ts";

const TCP = 6;
const UDP = 17;
const IPV4_HEADER_BYTES = 20;
const UDP_HEADER_BYTES = 8;
const ADDRESSES_AT = 12;
/** flags of a TCP header: FIN, SYN, RST and ACK */
const FIN_SYN_RST = 0x07;
const ACK_FLAG = 0x10;

/** One object, overwritten by the next packet: thousands are read per second. */
export interface PacketHead {
  /** false: nothing else holds */
  isIpv4: boolean;
  /** as the header has it */
  protocol: number;
  /** 0: none */
  sourcePort: number;
  destinationPort: number;
  /** the field itself: NOT_ECT, ECT_1, ECT_0 or CE */
  ecn: number;
  /** TCP without payload, SYN, FIN and RST */
  isAck: boolean;
  /** TCP with payload */
  isData: boolean;
  /** where the payload of UDP begins; 0: it is none, or has none */
  udpPayloadAt: number;
}

export function emptyHead(): PacketHead {
  return {
    isIpv4: false,
    protocol: 0,
    sourcePort: 0,
    destinationPort: 0,
    ecn: NOT_ECT,
    isAck: false,
    isData: false,
    udpPayloadAt: 0,
  };
}

export function readHead(packet: Uint8Array, length: number, head: PacketHead): void {
  head.isIpv4 = packet[0]! >> 4 === 4 && length >= IPV4_HEADER_BYTES;
  if (!head.isIpv4) return;
  head.isAck = false;
  head.isData = false;
  head.udpPayloadAt = 0;
  head.sourcePort = head.destinationPort = 0;
  head.protocol = packet[9]!;
  head.ecn = packet[1]! & 3;
  const at = (packet[0]! & 0xf) * 4;
  const isFirstFragment = (((packet[6]! & 0x1f) << 8) | packet[7]!) === 0;
  const { protocol } = head;
  if (!isFirstFragment || length < at + UDP_HEADER_BYTES) return;
  if (protocol !== TCP && protocol !== UDP) return;
  head.sourcePort = (packet[at]! << 8) | packet[at + 1]!;
  head.destinationPort = (packet[at + 2]! << 8) | packet[at + 3]!;
  if (protocol === UDP) {
    if (length > at + UDP_HEADER_BYTES) head.udpPayloadAt = at + UDP_HEADER_BYTES;
  } else if (length > at + 13) {
    const flags = packet[at + 13]!;
    const headerBytes = (packet[at + 12]! >> 4) * 4;
    head.isAck = (flags & (FIN_SYN_RST | ACK_FLAG)) === ACK_FLAG && length === at + headerBytes;
    head.isData = length > at + headerBytes;
  }
}

/** A number for addresses, protocol and ports: packets of one flow in one direction have the same. */
export function flowHash(packet: Uint8Array, { protocol, sourcePort, destinationPort }: PacketHead): number {
  // FNV-1a
  let hash = 0x811c9dc5;
  for (let i = ADDRESSES_AT; i < IPV4_HEADER_BYTES; i++) hash = Math.imul(hash ^ packet[i]!, 0x01000193);
  hash = Math.imul(hash ^ protocol, 0x01000193);
  hash = Math.imul(hash ^ sourcePort, 0x01000193);
  hash = Math.imul(hash ^ destinationPort, 0x01000193);
  return hash >>> 0;
}

/** Sets CE, and the header checksum after it (RFC 1624, equation 3). */
export function markPacket(packet: Uint8Array): void {
  const before = (packet[0]! << 8) | packet[1]!;
  packet[1] = packet[1]! | CE;
  const after = (packet[0]! << 8) | packet[1]!;
  const checksum = (packet[10]! << 8) | packet[11]!;
  let sum = (~checksum & 0xffff) + (~before & 0xffff) + after;
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  const updated = ~sum & 0xffff;
  packet[10] = updated >> 8;
  packet[11] = updated & 0xff;
}

/** Turns the last byte over, so that the checksum of what it carries is wrong. */
export function damagePacket(packet: Uint8Array, length: number): void {
  packet[length - 1] = packet[length - 1]! ^ 0xff;
}
