/**
 * Encrypts each datagram (ChaCha20-Poly1305) with keys of a handshake that only who knows the secret can finish (`noise.ts`).
 * A counter per datagram is the nonce; one that has come before, or is too old to be known, is dropped.
 *
 *   client: 0 │ first message     server: 1 │ answer     both: 2 │ counter │ sealed     both: 3 │ counter │ tag of nothing
 *
 * A server says nothing but its answer before the client has shown that it has the keys (3, until something comes back).
 */

import { blake2s } from "@noble/hashes/blake2.js";
import type { Micros } from "../../../core/units.ts";
import type { Message, Surroundings, Timer } from "../../chunnel.ts";
import { withData } from "../../stack/message.ts";
import type { ChunnelSpec, Place } from "../../stack/spec.ts";
import { Changing } from "../../stack/through.ts";
import { sameBytes, WireFault, WireReader, withNumbers } from "../../wire.ts";
import { textOption } from "../options.ts";
import { ReceivedNumbers } from "../reliability/received.ts";
import { Handshake, KEY_BYTES, type SessionKeys, seal, unseal } from "./noise.ts";

const FIRST = 0;
const ANSWER = 1;
const SEALED = 2;
const CONFIRM = 3;
/** Handshakes that are kept until one is confirmed; the oldest goes first. */
const MAX_CANDIDATES = 4;
const NOTHING = new Uint8Array(0);
const RETRY_US: Micros = 200_000;
const MAX_RETRY_US: Micros = 5_000_000;

export interface EncryptOptions {
  /** what both ends know, as a text; better 32 random bytes or more in any writing */
  readonly secret?: string;
}

/** A first message that was answered, and the answer, which may have to be repeated. */
interface Candidate {
  readonly first: Uint8Array;
  readonly answer: Uint8Array;
  readonly keys: SessionKeys;
}

class Encrypt extends Changing {
  readonly #surroundings: Surroundings;
  readonly #side: "client" | "server";
  readonly #psk: Uint8Array;
  readonly #transcript: Uint8Array;
  #handshake: Handshake | undefined;
  #first: Uint8Array | undefined;
  /** of the server, until one client has shown its keys: a replayed first message must not shut out the true client */
  readonly #candidates: Candidate[] = [];
  #keys: SessionKeys | undefined;
  /** the peer has shown that it has the keys */
  #isConfirmed = false;
  #counter = 0;
  readonly #received = new ReceivedNumbers();
  #retryUs: Micros = RETRY_US;
  #timer: Timer | undefined;

  constructor(surroundings: Surroundings, { side, base }: Place, psk: Uint8Array) {
    super();
    this.#transcript = base.transcript ?? NOTHING;
    this.#surroundings = surroundings;
    this.#side = side;
    this.#psk = psk;
  }

  #begin(): Handshake {
    return new Handshake(this.#psk, this.#surroundings.randomBytes(KEY_BYTES), this.#transcript);
  }

  get #isOpen(): boolean {
    return this.#keys !== undefined && (this.#isConfirmed || this.#side === "client");
  }

  override room(): number {
    if (this.#isOpen) return super.room();
    if (this.#side === "client") this.#knock();
    return 0;
  }

  override offer(): void {
    if (this.#isOpen) super.offer();
    else if (this.#side === "client") this.#knock();
  }

  /** What it has to say until the server has shown that it has the keys, and again until then. */
  #knock(): void {
    if (this.#timer !== undefined || this.#isConfirmed) return;
    if (this.#keys === undefined) {
      this.#handshake ??= this.#begin();
      this.#first ??= withNumbers(FIRST, [], this.#handshake.first());
    }
    this.#timer = this.#surroundings.wakeAt(this.#surroundings.nowUs() + this.#retryUs, () => {
      this.#timer = undefined;
      this.#retryUs = Math.min(MAX_RETRY_US, 2 * this.#retryUs);
      this.#knock();
    });
    this.below.send([{ data: this.#keys === undefined ? this.#first! : this.#sealed(CONFIRM, NOTHING) }]);
  }

  override send(messages: readonly Message[]): void {
    // who pushes without having asked for room loses what the handshake does not let through
    if (this.#isOpen) super.send(messages);
    else this.offer();
  }

  override pull(most: number): readonly Message[] {
    return this.#isOpen ? super.pull(most) : [];
  }

  protected override down(messages: readonly Message[]): readonly Message[] {
    return messages.map((message) =>
      withData(message, this.#sealed(SEALED, message.data as Uint8Array), [message]),
    );
  }

  #sealed(kind: number, plain: Uint8Array): Uint8Array {
    const counter = this.#counter++;
    return withNumbers(kind, [counter], seal(this.#keys!.send, counter, plain, Uint8Array.of(kind)));
  }

  protected override up(messages: readonly Message[]): readonly Message[] {
    const good: Message[] = [];
    for (const message of messages) {
      try {
        const data = this.#open(new WireReader(message.data as Uint8Array), message.from);
        if (data !== undefined) good.push(withData(message, data));
      } catch (error) {
        if (!(error instanceof WireFault)) throw error;
      }
    }
    return good;
  }

  #open(reader: WireReader, from: string | undefined): Uint8Array | undefined {
    const kind = reader.byte();
    if (kind === FIRST && this.#side === "server") this.#answer(reader.rest(), from);
    if (kind === ANSWER && this.#side === "client") this.#finish(reader.rest());
    if (kind !== SEALED && kind !== CONFIRM) return undefined;
    const counter = reader.number();
    if (this.#received.has(counter)) return undefined;
    const plain = this.#unsealed(kind, counter, reader.rest());
    if (plain === undefined) return undefined;
    this.#received.add(counter);
    this.#confirmed();
    if (kind === SEALED) return plain;
    if (this.#side === "server") this.below.send([{ data: this.#sealed(CONFIRM, NOTHING), to: from }]);
    return undefined;
  }

  #unsealed(kind: number, counter: number, sealed: Uint8Array): Uint8Array | undefined {
    for (const keys of this.#keys === undefined ? this.#candidates.map((each) => each.keys) : [this.#keys]) {
      const plain = unseal(keys.receive, counter, sealed, Uint8Array.of(kind));
      if (plain === undefined) continue;
      this.#keys = keys;
      return plain;
    }
    return undefined;
  }

  #confirmed(): void {
    if (this.#isConfirmed) return;
    this.#isConfirmed = true;
    this.#timer?.cancel();
    if (this.#side === "client") return;
    this.above.roomGrew();
    this.below.offer();
  }

  #answer(first: Uint8Array, from: string | undefined): void {
    let candidate = this.#candidates.find((each) => sameBytes(each.first, first));
    if (candidate === undefined) {
      if (this.#isConfirmed) return;
      const { message, keys } = this.#begin().answer(first);
      candidate = { first: first.slice(), answer: withNumbers(ANSWER, [], message), keys };
      this.#candidates.push(candidate);
      if (this.#candidates.length > MAX_CANDIDATES) this.#candidates.shift();
    }
    this.below.send([{ data: candidate.answer, to: from }]);
  }

  #finish(answer: Uint8Array): void {
    if (this.#handshake === undefined) return;
    const keys = this.#handshake.finish(answer);
    this.#handshake = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#keys = keys;
    this.#retryUs = RETRY_US;
    this.#knock();
    this.above.roomGrew();
    this.below.offer();
  }

  override close(): void {
    this.#timer?.cancel();
    this.#keys = undefined;
    this.#handshake = undefined;
    this.#candidates.length = 0;
    super.close();
  }
}

export type EncryptSpec = ChunnelSpec<"bytes", "bytes", never, "private" | "checked">;

/** Encryption with a shared secret. */
export function encrypt({ secret = "" }: EncryptOptions = {}): EncryptSpec {
  const psk = blake2s(new TextEncoder().encode(textOption("encrypt", "secret", secret)));
  return {
    name: "encrypt",
    up: "bytes",
    down: "bytes",
    needs: [],
    gives: ["private", "checked"],
    options: { secret: "(secret)" },
    capability: { match: "exact", labels: ["noise-nnpsk0-25519-chachapoly-blake2s"] },
    make: (surroundings, place) => new Encrypt(surroundings, place, psk),
  };
}
