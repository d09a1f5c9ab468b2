/** What both boxes read of a packet's header, the same before and behind the network between them. */
import { mix } from "../../core/random.ts";
import { headerHash } from "../bundles/epochs.ts";
import type { PacketHead } from "../emulated/ip-packet.ts";

const IDENTIFICATION_AT = 4;
const FRAGMENT_AT = 6;
const SOURCE_AT = 12;
const DESTINATION_AT = 16;
/** "more fragments", and the offset */
const FRAGMENT_BITS = 0x3fff;

function word(packet: Uint8Array, at: number): number {
  return ((packet[at]! << 24) | (packet[at + 1]! << 16) | (packet[at + 2]! << 8) | packet[at + 3]!) >>> 0;
}

/** As a number, first byte first. */
export function sourceOf(packet: Uint8Array): number {
  return word(packet, SOURCE_AT);
}

export function destinationOf(packet: Uint8Array): number {
  return word(packet, DESTINATION_AT);
}

/** Of destination, its port, and identification: nothing that routers or an address translation of the source change. */
export function packetHash(packet: Uint8Array, { destinationPort }: PacketHead): number {
  const identification = (packet[IDENTIFICATION_AT]! << 8) | packet[IDENTIFICATION_AT + 1]!;
  return headerHash(mix(destinationOf(packet) ^ mix(destinationPort)), identification);
}

/** Whether it has no identification that tells it from others of its flow, and may be given one: it is no fragment (RFC 6864). */
export function lacksIdentification(packet: Uint8Array): boolean {
  const fragment = (packet[FRAGMENT_AT]! << 8) | packet[FRAGMENT_AT + 1]!;
  return (
    packet[IDENTIFICATION_AT] === 0 && packet[IDENTIFICATION_AT + 1] === 0 && (fragment & FRAGMENT_BITS) === 0
  );
}

/** The header's checksum is wrong from then on: whoever sends it computes it anew. @param identification 1 to 65,535 */
export function giveIdentification(packet: Uint8Array, identification: number): void {
  packet[IDENTIFICATION_AT] = identification >> 8;
  packet[IDENTIFICATION_AT + 1] = identification & 0xff;
}
