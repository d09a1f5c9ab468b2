/**
 * A queue in front of a server: what is dropped, marked and served next. It owns no clock and no server: the link tells it
 * the time, offers packets when they arrive and takes one when its server starts the next. Packets are rows of a
 * `PacketStore`; a queue reads `bytes`, `flow`, `ecn`, `priority` and `enqueuedNs` there (the link has set them) and writes
 * `ecn` to mark.
 */
import type { Bytes, Nanos } from "../../../core/units.ts";

/** Told of each packet that the queue gives up, whether on arrival or later; the packet is no longer the queue's. */
export type OnDrop = (packet: number) => void;

export interface Queue {
  /** waiting packets and bytes (the one in service is not among them) */
  readonly packets: number;
  readonly bytes: Bytes;
  /** packets marked CE so far */
  readonly marked: number;
  /** A packet arrives. It, or others in its place, may be dropped: `onDrop` is called for each before this returns. */
  enqueue(nowNs: Nanos, packet: number): void;
  /**
   * The server can start the next packet.
   * @returns the packet, no longer in the queue; -1: none is left (all may have been dropped here)
   */
  dequeue(nowNs: Nanos): number;
}
