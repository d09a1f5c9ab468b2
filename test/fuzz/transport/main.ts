/**
 * `npm run fuzz:transport [-- --datagrams 10000000] [--seed N] [--sec N]`: random, cut, changed and repeated datagrams for both ends of stacks of every
 * kind and for ends that negotiate, messages for live stacks that no honest peer sends, and records that somebody has changed for ends that meet by a
 * store. Nothing may be thrown, timers must not pile up, and what is encrypted delivers nothing but what was sent.
 */
import { assert } from "../../../core/errors.ts";
import { Rng } from "../../../core/random.ts";
import { scriptOptions } from "../../../envs/grpc/bench/options.ts";
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
} from "../../../transport/index.ts";
import { sameBytes } from "../../../transport/wire.ts";
import { fuzzGroup, fuzzLive } from "./live-case.ts";
import { mutated } from "./mutated.ts";
import { NegotiationFuzz } from "./negotiation-case.ts";

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

  run(count: number): void {
    for (let i = 0; i < count; i++) {
      const datagram = mutated(this.#rng, this.#seen);
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

type Fuzzer = (rng: Rng, count: number) => void;

/** What was given to whom. */
export interface Given {
  /** to stacks, and to who negotiates */
  datagrams: number;
  /** to live stacks, by a peer that has the right stack and session */
  messages: number;
  /** of records in a store */
  changes: number;
}

/** Order: as rounds take turns. */
const FUZZERS: readonly { readonly of: keyof Given; readonly run: Fuzzer }[] = [
  ...STACKS.map((specs) => ({
    of: "datagrams" as const,
    run: (rng: Rng, count: number): void => new Fuzz(rng, specs).run(count),
  })),
  { of: "datagrams", run: (rng, count) => new NegotiationFuzz(rng).run(count) },
  { of: "messages", run: fuzzLive },
  { of: "changes", run: fuzzGroup },
];

/**
 * @param datagrams so many, and with each six of them one message and one change
 * @param untilMs on the clock of `performance.now`: no round begins after it
 */
export function fuzzTransport(
  datagrams: number,
  seed: number,
  untilMs: number = Number.POSITIVE_INFINITY,
): Given {
  const given: Given = { datagrams: 0, messages: 0, changes: 0 };
  for (let round = 0; given.datagrams < datagrams && performance.now() < untilMs; round++) {
    const count = Math.min(ROUND, datagrams - given.datagrams);
    const { of, run } = FUZZERS[round % FUZZERS.length]!;
    run(Rng.fromSeed(seed).fork(`round ${round}`), count);
    given[of] += count;
  }
  return given;
}

if (process.argv[1] === import.meta.filename) {
  const {
    datagrams,
    seed,
    sec: mostSec,
  } = scriptOptions("fuzz:transport", {
    datagrams: { type: "number", what: "in all", default: "10000000" },
    seed: { type: "number", what: "of all datagrams", default: String(Date.now() % 2 ** 31) },
    sec: { type: "number", what: "after which no further round begins", high: 86_400, default: "86400" },
  }).values;
  const startMs = performance.now();
  const given = fuzzTransport(datagrams, seed, startMs + 1000 * mostSec);
  const sec = (performance.now() - startMs) / 1000;
  const { messages, changes } = given;
  const short = given.datagrams < datagrams ? ` of ${datagrams}, ended by --sec,` : "";
  console.log(
    `seed ${seed}: ${given.datagrams} datagrams${short} and ${messages} messages to live stacks and ${changes} changes of records in ${sec.toFixed(1)} s (${Math.round(given.datagrams / sec)} datagrams each second), no crash, no answer above three times its question`,
  );
}
