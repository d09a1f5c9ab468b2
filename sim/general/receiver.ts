/**
 * A TCP receiver: in-order edge, out-of-order packets, delayed ACKs (RFC 5681 4.2: every second packet or after a delay;
 * at once when a packet is out of order, fills a gap or is a duplicate). One per flow; packets come in arrival order.
 * The general network's; the FIFO network has its own in the engine.
 */
import type { Nanos } from "../../core/units.ts";
import { NANOS_PER_MILLI } from "../../core/units.ts";
import type { AckPolicy } from "../../scenarios/sender-options.ts";

/** 40 ms: Linux TCP_DELACK_MIN. */
const ACK_POLICIES = {
  delayed: { packets: 2, delayMs: 40 },
  "per-packet": { packets: 1, delayMs: 40 },
} as const;

/** An ACK goes out after so many packets, or so long after one. */
export function ackRule(policy: AckPolicy): { readonly packets: number; readonly delayNs: Nanos } {
  const { packets, delayMs } = typeof policy === "object" ? policy : ACK_POLICIES[policy];
  return { packets, delayNs: delayMs * NANOS_PER_MILLI };
}

export class Receiver {
  readonly #packetsPerAck: number = 1;
  readonly #delayNs: Nanos = 0;
  /** ring of what has arrived beyond the expected sequence; starts small, as there may be thousands of flows */
  #mask = 63;
  #received = new Uint8Array(64);
  #expected = 0;
  #outOfOrder = 0;
  #unacknowledged = 0;
  /** payload packets seen for the first time */
  firstDelivered = 0;
  /** when the delayed ACK must go; Infinity: none pending */
  delayedAckAtNs: Nanos = Number.POSITIVE_INFINITY;

  constructor(ackPolicy: AckPolicy) {
    const { packets, delayNs } = ackRule(ackPolicy);
    this.#packetsPerAck = packets;
    this.#delayNs = delayNs;
  }

  /** payload packets that have come without a gap before them */
  get inOrder(): number {
    return this.#expected;
  }

  /** The pending delayed ACK goes out (its time has come). */
  flush(): void {
    this.#unacknowledged = 0;
    this.delayedAckAtNs = Number.POSITIVE_INFINITY;
  }

  /**
   * A packet arrives. Before a later packet, call `flush` if `delayedAckAtNs` lies before its arrival.
   * @returns whether an ACK goes out at once
   */
  onPacket(sequence: number, nowNs: Nanos): boolean {
    let atOnce = true;
    if (sequence === this.#expected) {
      this.firstDelivered++;
      this.#expected++;
      if (this.#outOfOrder === 0) {
        atOnce = ++this.#unacknowledged >= this.#packetsPerAck;
      } else {
        while (this.#outOfOrder > 0 && this.#received[this.#expected & this.#mask] === 1) {
          this.#received[this.#expected & this.#mask] = 0;
          this.#outOfOrder--;
          this.#expected++;
        }
      }
    } else if (sequence > this.#expected) {
      while (sequence - this.#expected > this.#mask) this.#grow();
      const i = sequence & this.#mask;
      if (this.#received[i] === 0) {
        this.#received[i] = 1;
        this.#outOfOrder++;
        this.firstDelivered++;
      }
    }
    if (atOnce) this.flush();
    else this.delayedAckAtNs = nowNs + this.#delayNs;
    return atOnce;
  }

  #grow(): void {
    const size = (this.#mask + 1) * 2;
    const grown = new Uint8Array(size);
    for (let k = 0; k <= this.#mask; k++) {
      const sequence = this.#expected + k;
      grown[sequence & (size - 1)] = this.#received[sequence & this.#mask]!;
    }
    this.#received = grown;
    this.#mask = size - 1;
  }
}
