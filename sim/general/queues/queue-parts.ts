/** What every discipline is built of: limits, packets, and who is told of drops. */
import type { Bytes } from "../../../core/units.ts";
import type { QueueLimit } from "../link.ts";
import { CE, NOT_ECT, type PacketStore } from "../packet-store.ts";
import type { OnDrop } from "./queue.ts";

export interface QueueParts {
  readonly limit: QueueLimit;
  /** of a full packet */
  readonly mtuBytes: Bytes;
  readonly store: PacketStore;
  readonly onDrop: OnDrop;
}

const ETHERNET_HEADER_BYTES = 14;

/** What one visit gives a queue where nothing else is said: a full packet and the header of its frame, so each visit sends one. */
export function quantumOf({ mtuBytes }: Pick<QueueParts, "mtuBytes">): Bytes {
  return mtuBytes + ETHERNET_HEADER_BYTES;
}

export function exceeds(limit: QueueLimit, packets: number, bytes: Bytes): boolean {
  return packets > limit.packets || bytes > limit.bytes;
}

/** Its sender understands marks (RFC 3168 section 5), so congestion needs no drop. */
export function isMarkable(store: PacketStore, packet: number): boolean {
  return store.ecn[packet] !== NOT_ECT;
}

/** Sets CE where the packet is ECN-capable; true if it was not set before. */
export function markCe(store: PacketStore, packet: number): boolean {
  const field = store.ecn[packet]!;
  if (field === NOT_ECT || field === CE) return false;
  store.ecn[packet] = CE;
  return true;
}
