/**
 * Datagrams on the paths of a network: what stacks at their ends send and receive. In virtual time a datagram is in the network
 * as soon as it is sent; a world with sockets has a carrier between the ends and the network.
 */
import type { Bytes, Nanos } from "../../core/units.ts";
import type { GeneralNetwork, Outlet, OutsideFacts } from "../../sim/general/general-network.ts";
import type { DatagramPort } from "../../transport/stack/open.ts";
import { DATAGRAM_HEADER_BYTES } from "./sizes.ts";

/** RFC 3168: not ECN-capable. */
const NOT_ECT = 0;

/** The two ends of a path. */
export type PathEnd = "client" | "server";

/** What happens to the datagrams of one way, for who keeps books. */
export interface WayBooks {
  onOut?(bytes: Bytes, nowNs: Nanos): void;
  /** one has come out, `delayNs` after it was sent */
  onIn?(delayNs: Nanos, facts: Pick<OutsideFacts, "queuedNs" | "isCorrupt">, nowNs: Nanos): void;
  onDrop?(): void;
}

/** Carries datagrams through something real. @param then one has come out, when all that was due before has happened */
export type DatagramCarrier = (
  datagram: Uint8Array,
  way: number,
  leg: "into" | "out",
  then: (datagram: Uint8Array, nowNs: Nanos) => void,
) => void;

interface Carried {
  readonly datagram: Uint8Array;
  readonly way: number;
  readonly sentNs: Nanos;
}

export class DatagramPaths implements Outlet {
  readonly #carried = new Map<number, Carried>();
  /** by way: where its datagrams come out */
  readonly #ends = new Map<number, (datagram: Uint8Array, from: string) => void>();
  readonly #books = new Map<number, WayBooks>();
  readonly #carrier: DatagramCarrier | undefined;
  #network: GeneralNetwork | undefined;
  #count = 0;

  /** @param carrier absent: nothing stands between the ends and the network */
  constructor(carrier?: DatagramCarrier) {
    this.#carrier = carrier;
  }

  /** Before anything is sent. */
  attach(network: GeneralNetwork): void {
    this.#network = network;
  }

  get #nowNs(): Nanos {
    return this.#network!.nowNs;
  }

  /**
   * An end of a path. Data go from its client to its server.
   * @param onDatagram what comes in there
   */
  port(
    path: number,
    end: PathEnd,
    maxBytes: Bytes,
    onDatagram: (datagram: Uint8Array, from: string) => void,
  ): DatagramPort {
    const way = 2 * path + (end === "client" ? 0 : 1);
    this.#ends.set(way ^ 1, onDatagram);
    const send = (datagram: Uint8Array): void => {
      const sentNs = this.#nowNs;
      this.#books.get(way)?.onOut?.(datagram.length, sentNs);
      if (this.#carrier === undefined) this.#enter(datagram, way, path, sentNs);
      else {
        this.#carrier(datagram, way, "into", (arrived, nowNs) => {
          this.#network!.nowNs = nowNs;
          this.#enter(arrived, way, path, sentNs);
        });
      }
    };
    return { self: `${end} ${path}`, maxBytes, send, room: () => Number.POSITIVE_INFINITY };
  }

  /** Keeps books of the datagrams that go this way: 2 * path there, 2 * path + 1 back. */
  watch(way: number, books: WayBooks): void {
    this.#books.set(way, books);
  }

  #enter(datagram: Uint8Array, way: number, flow: number, sentNs: Nanos): void {
    const number = this.#count++;
    this.#carried.set(number, { datagram, way, sentNs });
    const bytes = datagram.length + DATAGRAM_HEADER_BYTES;
    this.#network!.enterOutside(way, { number, bytes, flow, ecn: NOT_ECT, isAck: false }, this.#nowNs);
  }

  leave(way: number, number: number, facts: OutsideFacts): void {
    const { datagram, sentNs } = this.#carried.get(number)!;
    this.#carried.delete(number);
    const { queuedNs, isCorrupt } = facts;
    const damaged = datagram.slice();
    if (isCorrupt && damaged.length > 0) damaged[damaged.length - 1]! ^= 1;
    const from = `${way % 2 === 0 ? "client" : "server"} ${way >> 1}`;
    const deliver = (arrived: Uint8Array): void => {
      this.#books.get(way)?.onIn?.(this.#nowNs - sentNs, { queuedNs, isCorrupt }, this.#nowNs);
      this.#ends.get(way)?.(arrived, from);
    };
    if (this.#carrier === undefined) deliver(damaged);
    else {
      this.#carrier(damaged, way, "out", (arrived, nowNs) => {
        this.#network!.nowNs = nowNs;
        deliver(arrived);
      });
    }
  }

  drop(number: number): void {
    this.#books.get(this.#carried.get(number)!.way)?.onDrop?.();
    this.#carried.delete(number);
  }

  copy(number: number): number {
    const twin = this.#count++;
    this.#carried.set(twin, this.#carried.get(number)!);
    return twin;
  }
}
