/**
 * Hosts in memory, in virtual time: datagrams take as long as their path says, and may be lost, doubled, overtaken or damaged.
 * A path has a rate and a queue where it is given one.
 */
import type { Rng } from "../../core/random.ts";
import type { Bytes, BytesPerSec, Micros } from "../../core/units.ts";
import type { DatagramPort } from "../stack/open.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** What happens to datagrams from one host to another. */
export interface MemoryPath {
  readonly delayUs: Micros;
  /** more, uniformly drawn for each: datagrams overtake each other */
  readonly jitterUs?: Micros;
  readonly lossRate?: number;
  readonly duplicateRate?: number;
  /** one bit is wrong */
  readonly corruptRate?: number;
  /** absent: no datagram waits */
  readonly rateBytesPerSec?: BytesPerSec;
  /** paths of the same name share rate and queue, such as a host's access link; absent: the path's own */
  readonly link?: string;
  /** behind the rate; absent: no limit */
  readonly queueBytes?: Bytes;
}

export type OnDatagram = (datagram: Uint8Array, from: string) => void;

export interface MemoryOptions {
  /** asked for each datagram, so that paths may change */
  readonly path: (from: string, to: string, nowUs: Micros) => MemoryPath;
  readonly maxBytes?: Bytes;
}

interface Counts {
  sent: number;
  lost: number;
  delivered: number;
  bytes: Bytes;
}

export class MemoryNetwork {
  readonly #clock: VirtualClock;
  readonly #rng: Rng;
  readonly #options: MemoryOptions;
  readonly #hosts = new Map<string, OnDatagram>();
  /** when the last datagram of a path leaves its server */
  readonly #busyUntilUs = new Map<string, Micros>();
  readonly counts: Counts = { sent: 0, lost: 0, delivered: 0, bytes: 0 };

  constructor(clock: VirtualClock, rng: Rng, options: MemoryOptions) {
    this.#clock = clock;
    this.#rng = rng;
    this.#options = options;
  }

  /** A host comes, or the one of that name comes again. */
  host(name: string, onDatagram: OnDatagram): DatagramPort {
    this.#hosts.set(name, onDatagram);
    return {
      self: name,
      maxBytes: this.#options.maxBytes ?? 1472,
      send: (datagram, to) => this.#send(datagram, name, to),
      room: () => Number.POSITIVE_INFINITY,
    };
  }

  /** Its datagrams under way arrive nowhere. */
  remove(name: string): void {
    this.#hosts.delete(name);
  }

  #send(datagram: Uint8Array, from: string, to: string): void {
    const path = this.#options.path(from, to, this.#clock.nowUs);
    const rng = this.#rng;
    this.counts.sent++;
    this.counts.bytes += datagram.length;
    const waitsUs = this.#waitUs(path, path.link ?? `${from} ${to}`, datagram.length);
    if (waitsUs === undefined || (path.lossRate !== undefined && rng.next() < path.lossRate)) {
      this.counts.lost++;
      return;
    }
    const copies = path.duplicateRate !== undefined && rng.next() < path.duplicateRate ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      const jitterUs = path.jitterUs === undefined ? 0 : rng.uniform(0, path.jitterUs);
      const isDamaged = path.corruptRate !== undefined && rng.next() < path.corruptRate;
      const carried = isDamaged ? damaged(datagram, rng) : datagram.slice();
      this.#clock.wakeAt(this.#clock.nowUs + waitsUs + path.delayUs + jitterUs, () => {
        this.counts.delivered++;
        this.#hosts.get(to)?.(carried, from);
      });
    }
  }

  /** In the queue and in service; undefined: the queue is full */
  #waitUs(
    { rateBytesPerSec, queueBytes = Number.POSITIVE_INFINITY }: MemoryPath,
    name: string,
    bytes: Bytes,
  ): Micros | undefined {
    if (rateBytesPerSec === undefined) return 0;
    const { nowUs } = this.#clock;
    const freeUs = Math.max(nowUs, this.#busyUntilUs.get(name) ?? 0);
    if (((freeUs - nowUs) * rateBytesPerSec) / 1e6 > queueBytes) return undefined;
    const doneUs = freeUs + (bytes * 1e6) / rateBytesPerSec;
    this.#busyUntilUs.set(name, doneUs);
    return doneUs - nowUs;
  }
}

function damaged(datagram: Uint8Array, rng: Rng): Uint8Array {
  const copy = datagram.slice();
  if (copy.length > 0) copy[rng.integer(copy.length)]! ^= 1 << rng.integer(8);
  return copy;
}
