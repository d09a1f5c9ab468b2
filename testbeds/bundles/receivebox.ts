/** The far end of a bundle: counts what arrives, and says at each boundary of an epoch how much it was. No clock, no sockets. */
import type { Bytes } from "../../core/units.ts";
import { FIRST_EPOCH_PACKETS, isBoundary } from "./epochs.ts";

/** From the receivebox, at a boundary. */
export interface CongestionAck {
  readonly hash: number;
  /** of the whole bundle so far, the boundary's packet included */
  readonly receivedBytes: Bytes;
  /** changes where the receivebox has begun anew, and counts from 0; absent: it never does */
  readonly boxId?: number;
}

export class Receivebox {
  #epochPackets = FIRST_EPOCH_PACKETS;
  #receivedBytes: Bytes = 0;

  get receivedBytes(): Bytes {
    return this.#receivedBytes;
  }

  /** The sendbox says how long an epoch is from now on. */
  onEpochSize(packets: number): void {
    this.#epochPackets = packets;
  }

  /** @returns what to tell the sendbox; undefined: nothing */
  onPacket(hash: number, bytes: Bytes): CongestionAck | undefined {
    this.#receivedBytes += bytes;
    return isBoundary(hash, this.#epochPackets) ? { hash, receivedBytes: this.#receivedBytes } : undefined;
  }
}
