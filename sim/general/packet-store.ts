/**
 * Packets of the event network as rows of typed arrays: a packet is a number, and what a queue or a link must know of it
 * is a column. Rows are reused; columns are replaced when the store grows, so always read them through the store.
 */

/**
 * The ECN field of a packet as its header has it: not capable, capable and answered in proportion (ECT(1), L4S, RFC 9331),
 * capable (ECT(0), RFC 3168), congestion experienced.
 */
export const NOT_ECT = 0;
export const ECT_1 = 1;
export const ECT_0 = 2;
export const CE = 3;

export class PacketStore {
  #free: Int32Array = new Int32Array(0);
  #freeCount = 0;
  /** which flow it belongs to: a number below the number of flow slots */
  flow: Int32Array = new Int32Array(0);
  /** wire bytes in the queue where it is, and always those of a datagram */
  bytes: Float64Array = new Float64Array(0);
  /** NOT_ECT, ECT_1, ECT_0 or CE */
  ecn: Uint8Array = new Uint8Array(0);
  /** strict priority: 0 is served first */
  priority: Uint8Array = new Uint8Array(0);
  /** when it entered the queue where it is */
  enqueuedNs: Float64Array = new Float64Array(0);
  /** when it left its sender or its receiver */
  sentNs: Float64Array = new Float64Array(0);
  /** queueing delay on the links behind it */
  queuedNs: Float64Array = new Float64Array(0);
  /** where it is on its route: an index of the table of routes */
  place: Int32Array = new Int32Array(0);
  /** what it is: a data packet, an ACK, a datagram of a source without feedback, a packet from outside */
  kind: Uint8Array = new Uint8Array(0);
  /** data packet: its transmission number; ACK: arrivals that it acknowledges; from outside: what its owner knows it by */
  number: Float64Array = new Float64Array(0);
  /** data packet: which payload it carries; from outside: its bytes, without what links add */
  sequence: Float64Array = new Float64Array(0);
  /** 1: damaged on its way; the receiver will not take it */
  corrupt: Uint8Array = new Uint8Array(0);

  constructor(capacity = 1024) {
    this.#growTo(capacity);
  }

  /** A row whose columns hold what the packet before it left. */
  take(): number {
    if (this.#freeCount === 0) this.#growTo(2 * this.flow.length);
    return this.#free[--this.#freeCount]!;
  }

  release(packet: number): void {
    this.#free[this.#freeCount++] = packet;
  }

  /** A second packet with the columns of the first. */
  copy(packet: number): number {
    const twin = this.take();
    this.flow[twin] = this.flow[packet]!;
    this.bytes[twin] = this.bytes[packet]!;
    this.ecn[twin] = this.ecn[packet]!;
    this.priority[twin] = this.priority[packet]!;
    this.enqueuedNs[twin] = this.enqueuedNs[packet]!;
    this.sentNs[twin] = this.sentNs[packet]!;
    this.place[twin] = this.place[packet]!;
    this.kind[twin] = this.kind[packet]!;
    this.number[twin] = this.number[packet]!;
    this.sequence[twin] = this.sequence[packet]!;
    this.queuedNs[twin] = this.queuedNs[packet]!;
    this.corrupt[twin] = this.corrupt[packet]!;
    return twin;
  }

  /** Packets that are taken and not released. */
  get inUse(): number {
    return this.flow.length - this.#freeCount;
  }

  #growTo(capacity: number): void {
    const old = this.flow.length;
    const grown = <T extends Int32Array | Uint8Array | Float64Array>(column: T): T => {
      const larger = new (column.constructor as new (length: number) => T)(capacity);
      larger.set(column);
      return larger;
    };
    this.flow = grown(this.flow);
    this.bytes = grown(this.bytes);
    this.ecn = grown(this.ecn);
    this.priority = grown(this.priority);
    this.enqueuedNs = grown(this.enqueuedNs);
    this.sentNs = grown(this.sentNs);
    this.place = grown(this.place);
    this.kind = grown(this.kind);
    this.number = grown(this.number);
    this.sequence = grown(this.sequence);
    this.queuedNs = grown(this.queuedNs);
    this.corrupt = grown(this.corrupt);
    this.#free = grown(this.#free);
    for (let packet = capacity - 1; packet >= old; packet--) this.#free[this.#freeCount++] = packet;
  }
}
