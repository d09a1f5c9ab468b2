/**
 * How one end of a connection of several reaches the others: by the port that it was opened with, and by other bases, such as unix sockets, once all have
 * agreed on one. By such a base each end has another address, which stands in the record; above it an end goes by its name.
 */
import type { CcparkError } from "../../core/errors.ts";
import { refusal } from "../live/fit.ts";
import type { OpenWay, Way } from "../live/way.ts";
import type { DatagramPort } from "../stack/open.ts";
import type { GroupRecord, Member } from "./record.ts";

/** It may be the present one, and one that is coming. */
const MAX_WAYS = 4;

export interface GroupWaysOptions {
  /** the base of the port that it was opened with */
  readonly first: string;
  readonly port: DatagramPort;
  readonly openWay?: OpenWay | undefined;
  /** One has come by another base than the first. */
  arrive(datagram: Uint8Array, base: string): void;
}

export class GroupWays {
  readonly #options: GroupWaysOptions;
  readonly #opened = new Map<string, Way>();
  /** by base: the others' addresses, by their names */
  readonly #addresses = new Map<string, ReadonlyMap<string, string>>();
  #isClosed = false;

  constructor(options: GroupWaysOptions) {
    this.#options = options;
  }

  /** The base of the present stack, of this end and all others. */
  baseOf(record: GroupRecord | undefined): string {
    return record?.base ?? this.#options.first;
  }

  isOpen(base: string): boolean {
    return base === this.#options.first || this.#opened.has(base);
  }

  /** This end's, by an open base. */
  addressBy(base: string): string {
    return (this.#opened.get(base)?.port ?? this.#options.port).self;
  }

  /** @param done given this end's address by that base, or why there is none; at once where it is open already */
  open(base: string, done: (address: string | CcparkError) => void): void {
    const { openWay, arrive } = this.#options;
    if (this.isOpen(base)) done(this.addressBy(base));
    else if (openWay === undefined || this.#opened.size >= MAX_WAYS) {
      done(refusal(`this end has no way by \`${base}\``));
    } else {
      const onDatagram = (datagram: Uint8Array): void => arrive(datagram, base);
      openWay(base, onDatagram, (way) => {
        const isWay = "port" in way;
        const before = this.#opened.get(base);
        if (isWay && (this.#isClosed || before !== undefined)) way.close?.();
        else if (isWay) this.#opened.set(base, way);
        if (this.#isClosed) return;
        done(isWay ? (before ?? way).port.self : way);
      });
    }
  }

  /** What the record says of the others' addresses. */
  learn({ base, addresses = {}, members }: GroupRecord): void {
    if (base === undefined || base === this.#options.first) return;
    const byName = members.flatMap(({ id, address }) => {
      const own = addresses[id];
      return own === undefined ? [] : [[address, own] as const];
    });
    this.#addresses.set(base, new Map(byName));
  }

  /** To a member by an open base. */
  to({ address: peer }: Member, base: string): Way {
    const { first, port } = this.#options;
    if (base === first) return { port, peer };
    const way = this.#opened.get(base)!;
    const send = (datagram: Uint8Array): void => {
      const to = this.#addresses.get(base)?.get(peer);
      // before the others' addresses are known it is a loss, and sent again
      if (to !== undefined) way.port.send(datagram, to);
    };
    return { port: { ...way.port, send }, peer };
  }

  close(): void {
    this.#isClosed = true;
    for (const way of this.#opened.values()) way.close?.();
    this.#opened.clear();
  }
}
