/** Random, cut, changed and repeated datagrams for who negotiates: nothing is thrown, and no answer to a stranger is longer than three times its question. */
import { assert } from "../../../core/errors.ts";
import type { Rng } from "../../../core/random.ts";
import {
  ClientNegotiation,
  seededSurroundings,
  streamSlots,
  Tickets,
  VirtualClock,
} from "../../../transport/index.ts";
import { Acceptor } from "../../../transport/negotiate/acceptor.ts";
import { mutated } from "./mutated.ts";

const SEED_DATAGRAMS = 32;
const MAX_AMPLIFICATION = 3;

/** A server that has heard of nobody, and a client whose offer is what the datagrams are made of. */
export class NegotiationFuzz {
  readonly #rng: Rng;
  readonly #clock: VirtualClock = new VirtualClock();
  readonly #seen: Uint8Array[] = [];
  readonly #client: ClientNegotiation;
  readonly #acceptor: Acceptor<{ arrive(): void }>;
  #answeredBytes = 0;

  constructor(rng: Rng) {
    this.#rng = rng;
    const slots = streamSlots({ secret: "fuzz", encryption: rng.next() < 0.5 ? "required" : "preferred" });
    this.#acceptor = new Acceptor({
      slots,
      surroundings: seededSurroundings(this.#clock, rng.fork("server")),
      send: (datagram) => {
        this.#answeredBytes += datagram.length;
        this.#take(datagram);
      },
      // what its stack says then is not the negotiation's
      begin: () => ({ arrive: () => {} }),
    });
    this.#client = new ClientNegotiation({
      slots,
      surroundings: seededSurroundings(this.#clock, rng.fork("client")),
      tickets: new Tickets(),
      server: "server",
      giveUpUs: Number.POSITIVE_INFINITY,
      send: (datagram) => this.#take(datagram),
      opened: () => this.#take(this.#client.wrap(Uint8Array.of(1, 2, 3))),
      failed: () => {},
    });
    this.#client.begin();
  }

  #take(datagram: Uint8Array): void {
    if (this.#seen.length < SEED_DATAGRAMS) this.#seen.push(datagram.slice());
    else this.#seen[this.#rng.integer(SEED_DATAGRAMS)] = datagram.slice();
  }

  run(count: number): void {
    const rng = this.#rng;
    for (let i = 0; i < count; i++) {
      const datagram = mutated(rng, this.#seen);
      try {
        if (rng.next() < 0.2) this.#client.arrive(datagram);
        else {
          const before = this.#answeredBytes;
          this.#acceptor.arrive(datagram, rng.next() < 0.5 ? "client" : `stranger ${rng.integer(100)}`);
          const answered = this.#answeredBytes - before;
          assert(
            answered <= MAX_AMPLIFICATION * datagram.length,
            `${answered} bytes are the answer to ${datagram.length}`,
          );
        }
        if (i % 16 === 0) this.#clock.run(this.#clock.nowUs + 10_000);
      } catch (error) {
        const hex = Buffer.from(datagram).toString("hex");
        throw new Error(`negotiation: datagram ${i}, ${hex}`, { cause: error });
      }
    }
    assert(this.#clock.waiting < 100_000, "timers pile up");
    this.#client.close();
  }
}
