/**
 * A TCP receiver: in-order edge, out-of-order packets, delayed ACKs (RFC 5681 4.2: every second packet or after a delay;
 * at once when a packet is out of order, fills a gap or is a duplicate). One per flow; packets come in arrival order.
 */
import { allocate, release } from "../memory/memory";

/** The ring starts small, as there may be thousands of flows. */
const INITIAL_SIZE: i64 = 64;

@unmanaged
export class Receiver {
  /** when the delayed ACK must go; Infinity: none pending */
  delayedAckAtNs: f64;
  delayNs: f64;
  packetsPerAck: i32;
  unacknowledged: i32;
  expected: i64;
  outOfOrder: i64;
  /** ring of what has arrived beyond the expected sequence */
  mask: i64;
  received: usize;

  init(packetsPerAck: i32, delayNs: f64): void {
    this.packetsPerAck = packetsPerAck;
    this.delayNs = delayNs;
    this.delayedAckAtNs = Infinity;
    this.mask = INITIAL_SIZE - 1;
    this.received = allocate(<usize>INITIAL_SIZE);
  }

  /** The pending delayed ACK goes out (its time has come). */
  @inline
  flush(): void {
    this.unacknowledged = 0;
    this.delayedAckAtNs = Infinity;
  }

  /** payload packets seen for the first time */
  @inline
  get firstDelivered(): i64 {
    return this.expected + this.outOfOrder;
  }

  /**
   * The expected packet arrives while no other is missing. Before a later one than that of `delayedAckAtNs`, call `flush`.
   * @returns whether an ACK goes out at once: then `flush`, else `delayAck`
   */
  @inline
  onNext(sequence: i64): bool {
    this.expected = sequence + 1;
    const unacknowledged = this.unacknowledged + 1;
    this.unacknowledged = unacknowledged;
    return unacknowledged >= this.packetsPerAck;
  }

  @inline
  delayAck(nowNs: f64): void {
    this.delayedAckAtNs = nowNs + this.delayNs;
  }

  /** A packet arrives while others are missing, or makes some so: an ACK goes out at once. @returns whether its payload is new */
  onDisorder(sequence: i64): bool {
    const before = this.firstDelivered;
    if (sequence === this.expected) {
      this.expected++;
      while (this.outOfOrder > 0 && load<u8>(this.place(this.expected)) === 1) {
        store<u8>(this.place(this.expected), 0);
        this.outOfOrder--;
        this.expected++;
      }
    } else if (sequence > this.expected) {
      while (sequence - this.expected > this.mask) this.grow();
      if (load<u8>(this.place(sequence)) === 0) {
        store<u8>(this.place(sequence), 1);
        this.outOfOrder++;
      }
    }
    this.flush();
    return this.firstDelivered > before;
  }

  @inline
  private place(sequence: i64): usize {
    return this.received + <usize>(sequence & this.mask);
  }

  private grow(): void {
    const size = (this.mask + 1) * 2;
    const received = allocate(<usize>size);
    for (let k: i64 = 0; k <= this.mask; k++) {
      const sequence = this.expected + k;
      store<u8>(received + <usize>(sequence & (size - 1)), load<u8>(this.place(sequence)));
    }
    release(this.received, <usize>(this.mask + 1));
    this.received = received;
    this.mask = size - 1;
  }
}
