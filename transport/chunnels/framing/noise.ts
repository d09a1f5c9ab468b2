/**
 * The handshake Noise_NNpsk0_25519_ChaChaPoly_BLAKE2s (Noise Protocol Framework, revision 34): two messages, ephemeral keys of
 * both ends mixed with a secret that both had before. Who has not the secret cannot answer; what was sent stays private when
 * the secret becomes known later. Primitives: @noble.
 *
 *   -> psk, e        <- e, ee
 */
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { x25519 } from "@noble/curves/ed25519.js";
import { blake2s } from "@noble/hashes/blake2.js";
import { hmac } from "@noble/hashes/hmac.js";
import type { Bytes } from "../../../core/units.ts";
import { WireFault } from "../../wire.ts";

export const KEY_BYTES: Bytes = 32;
export const TAG_BYTES: Bytes = 16;
const PROTOCOL = "Noise_NNpsk0_25519_ChaChaPoly_BLAKE2s";
const NONE = new Uint8Array(0);

/** Keys of one direction each. */
export interface SessionKeys {
  readonly send: Uint8Array;
  readonly receive: Uint8Array;
}

/** 96 bits: four bytes of zeros, then the counter, little end first (Noise 12.3). */
export function nonceOf(counter: number): Uint8Array {
  const nonce = new Uint8Array(12);
  let rest = counter;
  for (let i = 4; rest > 0; i++) {
    nonce[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return nonce;
}

export function seal(
  key: Uint8Array,
  counter: number,
  plain: Uint8Array,
  associated: Uint8Array = NONE,
): Uint8Array {
  return chacha20poly1305(key, nonceOf(counter), associated).encrypt(plain);
}

/** undefined: the tag is wrong */
export function unseal(
  key: Uint8Array,
  counter: number,
  sealed: Uint8Array,
  associated: Uint8Array = NONE,
): Uint8Array | undefined {
  if (sealed.length < TAG_BYTES) return undefined;
  try {
    return chacha20poly1305(key, nonceOf(counter), associated).decrypt(sealed);
  } catch {
    return undefined;
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}

/** Noise 4.3 */
function hkdf(chainingKey: Uint8Array, input: Uint8Array, count: 2 | 3): Uint8Array[] {
  const temporary = hmac(blake2s, chainingKey, input);
  const out: Uint8Array[] = [];
  let last: Uint8Array = NONE;
  for (let i = 1; i <= count; i++) {
    last = hmac(blake2s, temporary, joined(last, Uint8Array.of(i)));
    out.push(last);
  }
  return out;
}

/** One end of a handshake. */
export class Handshake {
  readonly #psk: Uint8Array;
  readonly #secret: Uint8Array;
  readonly #public: Uint8Array;
  #hash: Uint8Array;
  #chainingKey: Uint8Array;
  #key: Uint8Array | undefined;
  #counter = 0;

  /** @param psk 32 bytes; @param secret 32 random bytes, never used again; @param prologue what both must agree on, such as the stack */
  constructor(psk: Uint8Array, secret: Uint8Array, prologue: Uint8Array) {
    this.#psk = psk;
    this.#secret = secret;
    this.#public = x25519.getPublicKey(secret);
    // the name is longer than a hash (Noise 5.2)
    this.#hash = blake2s(new TextEncoder().encode(PROTOCOL));
    this.#chainingKey = this.#hash;
    this.#mixHash(prologue);
  }

  #mixHash(data: Uint8Array): void {
    this.#hash = blake2s(joined(this.#hash, data));
  }

  #mixKey(input: Uint8Array): void {
    const [chainingKey, key] = hkdf(this.#chainingKey, input, 2);
    this.#chainingKey = chainingKey!;
    this.#key = key!;
    this.#counter = 0;
  }

  #mixPsk(): void {
    const [chainingKey, hash, key] = hkdf(this.#chainingKey, this.#psk, 3);
    this.#chainingKey = chainingKey!;
    this.#mixHash(hash!);
    this.#key = key!;
    this.#counter = 0;
  }

  #encrypt(plain: Uint8Array): Uint8Array {
    const sealed = seal(this.#key!, this.#counter++, plain, this.#hash);
    this.#mixHash(sealed);
    return sealed;
  }

  /** @throws WireFault */
  #decrypt(sealed: Uint8Array): Uint8Array {
    const plain = unseal(this.#key!, this.#counter++, sealed, this.#hash);
    if (plain === undefined) throw new WireFault("a handshake with another secret");
    this.#mixHash(sealed);
    return plain;
  }

  /** psk, e: with a PSK an ephemeral key is mixed into the key as well (Noise 9.2). */
  #mixEphemeral(key: Uint8Array): void {
    this.#mixHash(key);
    this.#mixKey(key);
  }

  /** The client's message. */
  first(payload: Uint8Array = NONE): Uint8Array {
    this.#mixPsk();
    this.#mixEphemeral(this.#public);
    return joined(this.#public, this.#encrypt(payload));
  }

  /** The server's answer to it, and its keys. @throws WireFault */
  answer(
    first: Uint8Array,
    own: Uint8Array = NONE,
  ): {
    readonly message: Uint8Array;
    readonly payload: Uint8Array;
    readonly keys: SessionKeys;
  } {
    if (first.length < KEY_BYTES + TAG_BYTES) throw new WireFault("a handshake is cut off");
    const theirs = first.subarray(0, KEY_BYTES);
    this.#mixPsk();
    this.#mixEphemeral(theirs);
    const payload = this.#decrypt(first.subarray(KEY_BYTES));
    this.#mixEphemeral(this.#public);
    this.#mixKey(sharedSecret(this.#secret, theirs));
    const message = joined(this.#public, this.#encrypt(own));
    const [toServer, toClient] = this.#split();
    return { message, payload, keys: { send: toClient, receive: toServer } };
  }

  /** The client's keys, by the server's answer. @throws WireFault */
  finish(answer: Uint8Array): SessionKeys {
    if (answer.length < KEY_BYTES + TAG_BYTES) throw new WireFault("an answer is cut off");
    const before = [this.#hash, this.#chainingKey, this.#key, this.#counter] as const;
    try {
      const theirs = answer.subarray(0, KEY_BYTES);
      this.#mixEphemeral(theirs);
      this.#mixKey(sharedSecret(this.#secret, theirs));
      this.#decrypt(answer.subarray(KEY_BYTES));
    } catch (error) {
      // a forged answer must not spoil the true one that follows
      [this.#hash, this.#chainingKey, this.#key, this.#counter] = before;
      throw error;
    }
    const [toServer, toClient] = this.#split();
    return { send: toServer, receive: toClient };
  }

  #split(): [Uint8Array, Uint8Array] {
    const [first, second] = hkdf(this.#chainingKey, NONE, 2);
    return [first!, second!];
  }
}

function sharedSecret(secret: Uint8Array, theirs: Uint8Array): Uint8Array {
  try {
    return x25519.getSharedSecret(secret, theirs);
  } catch {
    throw new WireFault("a key of low order");
  }
}
