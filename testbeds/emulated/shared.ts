/** What the thread that carries packets and the one that opened the link share: memory, read and written without messages. */
import type { Bytes, Nanos } from "../../core/units.ts";
import type { LinkMeter } from "../../sim/network.ts";

/** What becomes of the link's time. */
export const STATE = { waiting: 0, running: 1, stopping: 2 } as const;

/** Of each link, what `LinkMeter` tells. */
const METERS = [
  "offeredPackets",
  "droppedPackets",
  "queuedPackets",
  "queuedBytes",
  "maxQueuedPackets",
  "maxQueuedBytes",
] as const;
const SERVED_AT: number = METERS.length;
const WORDS_PER_LINK: number = METERS.length + 1;

/** Facts of the whole, before those of the links. */
export const FACT = {
  medianLateUs: 0,
  p99LateUs: 1,
  maxLateUs: 2,
  strayLosses: 3,
  markedPackets: 4,
  lostPackets: 5,
  carriedPackets: 6,
} as const;
const FIRST_LINK = 7;

/** What became of a packet of the program's own (`Reports`). */
export const FATE = { unknown: 0, delivered: 1, marked: 2, lost: 3 } as const;

/** Rows of packets that can be reported: so many are never under way. */
export const REPORTED_ROWS: number = 1 << 18;

/**
 * Packets of the program's own, which begin with its number and their row: it is told what became of each, and how long it
 * has waited in queues, which the packet itself does not say.
 */
export interface Reports {
  readonly nonce: number;
  readonly fates: Uint8Array;
  readonly queuedNs: Float64Array;
}

export function makeReports(nonce: number): Reports {
  return {
    nonce,
    fates: new Uint8Array(new SharedArrayBuffer(REPORTED_ROWS)),
    queuedNs: new Float64Array(new SharedArrayBuffer(8 * REPORTED_ROWS)),
  };
}

/** Columns of a row of `PacketLog`. */
export const LOGGED = { path: 0, atNs: 1, queuedNs: 2, onWayNs: 3 } as const;
export const LOGGED_WORDS = 4;
/** Rows: a second of packets at 500 Mbit/s. */
export const LOGGED_ROWS: number = 1 << 16;

/** What became of the data packets of TCP, one after the other: a ring that the other thread reads in time. */
export interface PacketLog {
  /** rows written so far */
  readonly count: BigInt64Array;
  /** `atNs` when it left, or was lost: then `onWayNs` is -1 */
  readonly rows: Float64Array;
}

export function makePacketLog(): PacketLog {
  return {
    count: new BigInt64Array(new SharedArrayBuffer(8)),
    rows: new Float64Array(new SharedArrayBuffer(8 * LOGGED_WORDS * LOGGED_ROWS)),
  };
}

export interface SharedLink {
  /** one of STATE */
  readonly state: Int32Array;
  /** monotonic time at which the link's own time is 0 */
  readonly zeroNs: BigInt64Array;
  readonly facts: Float64Array;
  /** by TCP or UDP port of either end: number of a path */
  readonly paths: Uint16Array;
  readonly reports: Reports | undefined;
  readonly log: PacketLog | undefined;
}

export function makeShared(
  links: number,
  reports: Reports | undefined,
  log: PacketLog | undefined,
): SharedLink {
  return {
    state: new Int32Array(new SharedArrayBuffer(4)),
    zeroNs: new BigInt64Array(new SharedArrayBuffer(8)),
    facts: new Float64Array(new SharedArrayBuffer(8 * (FIRST_LINK + links * WORDS_PER_LINK))),
    paths: new Uint16Array(new SharedArrayBuffer(2 * 65_536)),
    reports,
    log,
  };
}

export function writeMeter(facts: Float64Array, link: number, meter: LinkMeter, nowNs: Nanos): void {
  const at = FIRST_LINK + link * WORDS_PER_LINK;
  // first, since it lets those go that have left
  facts[at + SERVED_AT] = meter.servedBytes(nowNs);
  for (let i = 0; i < METERS.length; i++) facts[at + i] = meter[METERS[i]!];
}

/** What the other thread tells of its links, until it is held. */
export class LinkFacts {
  #facts: Float64Array;

  constructor(facts: Float64Array) {
    this.#facts = facts;
  }

  at(word: number): number {
    return this.#facts[word]!;
  }

  /** From here on they stay as they are: a run that has been closed has the facts of its end. */
  hold(): void {
    this.#facts = this.#facts.slice();
  }
}

/** A link as the other thread last told of it; what it could have carried is computed here. */
export class SharedMeter implements LinkMeter {
  readonly #facts: LinkFacts;
  readonly #at: number;
  readonly #capacityBytes: LinkMeter["capacityBytes"];

  constructor(facts: LinkFacts, link: number, capacityBytes: LinkMeter["capacityBytes"]) {
    this.#facts = facts;
    this.#at = FIRST_LINK + link * WORDS_PER_LINK;
    this.#capacityBytes = capacityBytes;
  }

  #read(name: (typeof METERS)[number]): number {
    return this.#facts.at(this.#at + METERS.indexOf(name));
  }

  get offeredPackets(): number {
    return this.#read("offeredPackets");
  }

  get droppedPackets(): number {
    return this.#read("droppedPackets");
  }

  get queuedPackets(): number {
    return this.#read("queuedPackets");
  }

  get queuedBytes(): Bytes {
    return this.#read("queuedBytes");
  }

  get maxQueuedPackets(): number {
    return this.#read("maxQueuedPackets");
  }

  get maxQueuedBytes(): Bytes {
    return this.#read("maxQueuedBytes");
  }

  /** As of the thread's last turn, at most 5 ms ago. */
  servedBytes(_nowNs: Nanos): Bytes {
    return this.#facts.at(this.#at + SERVED_AT);
  }

  capacityBytes(fromNs: Nanos, toNs: Nanos): Bytes {
    return this.#capacityBytes(fromNs, toNs);
  }
}
