/**
 * `npm run fuzz:transport [-- DATAGRAMS [SEED]]`: random, cut, changed and repeated datagrams for both ends of stacks of every
 * kind. Nothing may be thrown, timers must not pile up, and what is encrypted delivers nothing but what was sent.
 */
import { parseArgs } from "node:util";
import { assert } from "../../core/errors.ts";
import { Rng } from "../../core/random.ts";
import {
  batch,
  type ChunnelSpec,
  cc,
  compress,
  encrypt,
  flow,
  frame,
  memory,
  OpenStack,
  order,
  reliable,
  route,
  sack,
  seededSurroundings,
  serialise,
  stack,
  VirtualClock,
} from "../../transport/index.ts";
import { sameBytes } from "../../transport/wire.ts";

const STACKS: readonly (readonly ChunnelSpec[])[] = [
  stack(flow(), order(), reliable(), cc({ algorithm: "native-reno" }), sack(), memory()),
  stack(batch(), compress(), sack(), memory()),
  stack(serialise({ codec: "binary" }), reliable(), route(), sack(), memory()),
  stack(flow(), order(), reliable(), sack(), encrypt({ secret: "fuzz" }), memory()),
  stack(order(), reliable(), sack(), frame(), memory()),
];
const SENT = new Uint8Array(50);
const SEED_DATAGRAMS = 32;
/** As many datagrams before both ends are made anew. */
const ROUND = 2_000;

class Fuzz {
  readonly #rng: Rng;
  readonly #specs: readonly ChunnelSpec[];
  readonly #clock: VirtualClock = new VirtualClock();
  readonly #seen: Uint8Array[] = [];
  readonly #ends: OpenStack[] = [];

  constructor(rng: Rng, specs: readonly ChunnelSpec[]) {
    this.#rng = rng;
    this.#specs = specs;
    const isPrivate = specs.some(({ name }) => name === "encrypt");
    for (const side of ["client", "server"] as const) {
      const self = side;
      const peer = side === "client" ? "server" : "client";
      this.#ends.push(
        new OpenStack({
          stack: specs,
          surroundings: seededSurroundings(this.#clock, rng.fork(side)),
          side,
          peer,
          session: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
          port: {
            self,
            maxBytes: 1472,
            room: () => Number.POSITIVE_INFINITY,
            send: (datagram) => this.#take(datagram),
          },
          app: {
            receive: (messages) => {
              if (!isPrivate) return;
              for (const { data } of messages) {
                assert(sameBytes(data as Uint8Array, SENT), "a forged message was delivered");
              }
            },
          },
        }),
      );
    }
    const isValue = specs[0]!.up === "value";
    this.#ends[0]!.send([isValue ? { data: { a: [1, -2.5, "x"] }, to: "server" } : { data: SENT }]);
  }

  #take(datagram: Uint8Array): void {
    if (this.#seen.length < SEED_DATAGRAMS) this.#seen.push(datagram.slice());
    else this.#seen[this.#rng.integer(SEED_DATAGRAMS)] = datagram.slice();
  }

  #datagram(): Uint8Array {
    const rng = this.#rng;
    const seen = this.#seen[rng.integer(Math.max(1, this.#seen.length))];
    if (seen === undefined || rng.next() < 0.2)
      return Uint8Array.from({ length: rng.integer(64) }, () => rng.integer(256));
    const bytes = seen.slice(0, rng.next() < 0.2 ? rng.integer(seen.length + 1) : seen.length);
    for (let changes = rng.integer(4); changes > 0 && bytes.length > 0; changes--) {
      bytes[rng.integer(bytes.length)] = rng.integer(256);
    }
    return bytes;
  }

  run(count: number): void {
    for (let i = 0; i < count; i++) {
      const datagram = this.#datagram();
      const end = this.#ends[this.#rng.integer(2)]!;
      try {
        end.arrive(datagram, this.#rng.next() < 0.9 ? "client" : "stranger");
        if (i % 16 === 0) this.#clock.run(this.#clock.nowUs + 10_000);
      } catch (error) {
        const names = this.#specs.map(({ name }) => name).join(", ");
        const hex = Buffer.from(datagram).toString("hex");
        throw new Error(`${names}: datagram ${i}, ${hex}`, { cause: error });
      }
    }
    assert(this.#clock.waiting < 100_000, "timers pile up");
    for (const end of this.#ends) end.close();
  }
}

/** @returns datagrams that were given */
export function fuzzTransport(datagrams: number, seed: number): number {
  let given = 0;
  for (let round = 0; given < datagrams; round++) {
    const count = Math.min(ROUND, datagrams - given);
    new Fuzz(Rng.fromSeed(seed).fork(`round ${round}`), STACKS[round % STACKS.length]!).run(count);
    given += count;
  }
  return given;
}

if (process.argv[1] === import.meta.filename) {
  const { positionals } = parseArgs({ allowPositionals: true });
  const [datagrams = 10_000_000, seed = Date.now() % 2 ** 31] = positionals.map(Number);
  const startMs = performance.now();
  const given = fuzzTransport(datagrams, seed);
  console.log(
    `seed ${seed}: ${given} datagrams in ${((performance.now() - startMs) / 1000).toFixed(1)} s, no crash`,
  );
}
