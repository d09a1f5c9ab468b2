/** The connections of one port: datagrams go to the session that they name, and a session begins when its choice is good. */
import type { Surroundings } from "../chunnel.ts";
import { NEGOTIATION, SESSION_BYTES, sessionOf } from "../chunnels/framing/frame.ts";
import type { Slot } from "./choose.ts";
import { carriedBy, type Opening, ServerNegotiation } from "./handshake.ts";
import { nameOf } from "./tokens.ts";

/** Of a session, what its connection's stacks have in common: the last two bytes count these. */
const COMMON_BYTES = SESSION_BYTES - 2;

interface Accepted {
  arrive(datagram: Uint8Array, from: string): void;
}

/**
 * A connection's entry, which is emptied when that is over: of a table that entries come to and go from, V8 links its former, smaller tables with the
 * present one, so that what was in one survives until the next full collection of garbage.
 */
interface Entry<C> {
  connection: C | undefined;
}

export interface AcceptorOptions<C extends Accepted> {
  readonly slots: readonly Slot[];
  readonly surroundings: Surroundings;
  send(datagram: Uint8Array, to: string): void;
  /** asked before a stranger is answered */
  hasRoom?(): boolean;
  /** @param remove to be called when the connection is over */
  begin(opening: Opening, from: string, remove: () => void): C;
}

export class Acceptor<C extends Accepted> {
  readonly #options: AcceptorOptions<C>;
  readonly #negotiation: ServerNegotiation;
  readonly #bySession = new Map<string, Entry<C>>();

  constructor(options: AcceptorOptions<C>) {
    this.#options = options;
    const { slots, surroundings } = options;
    this.#negotiation = new ServerNegotiation(slots, surroundings, (datagram, to) =>
      options.send(datagram, to),
    );
  }

  get size(): number {
    return this.#bySession.size;
  }

  get connections(): Iterable<C> {
    return [...this.#bySession.values()].flatMap(({ connection }) => connection ?? []);
  }

  arrive(datagram: Uint8Array, from: string): void {
    const isNegotiation = datagram[0] === NEGOTIATION;
    const session = isNegotiation ? sessionOf(datagram, NEGOTIATION) : sessionOf(datagram);
    if (session === undefined) return;
    const place = placeOf(session, from);
    const known = this.#bySession.get(place)?.connection;
    if (known === undefined) {
      if (isNegotiation && this.#options.hasRoom?.() !== false) this.#begin(place, datagram, from);
      return;
    }
    const own = isNegotiation ? carriedBy(datagram) : datagram;
    if (own !== undefined) known.arrive(own, from);
  }

  #begin(place: string, datagram: Uint8Array, from: string): void {
    const opening = this.#negotiation.arrive(datagram, from);
    if (opening === undefined) return;
    const entry: Entry<C> = { connection: undefined };
    this.#bySession.set(place, entry);
    const remove = (): void => {
      entry.connection = undefined;
      if (this.#bySession.get(place) === entry) this.#bySession.delete(place);
    };
    const connection = this.#options.begin(opening, from, remove);
    entry.connection = connection;
    connection.arrive(opening.datagram, from);
  }
}

function placeOf(session: Uint8Array, from: string): string {
  return `${nameOf(session.subarray(0, COMMON_BYTES))} ${from}`;
}
