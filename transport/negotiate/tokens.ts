/**
 * What a server remembers a choice by without keeping anything of who asked: a code over the client's host, the transcript and the choice under
 * a key of its own. A session begins once under a key.
 */
import { blake2s } from "@noble/hashes/blake2.js";
import { type Bytes, MICROS_PER_SEC, type Micros } from "../../core/units.ts";
import type { Surroundings } from "../chunnel.ts";
import { sameBytes } from "../wire.ts";

export const TOKEN_BYTES: Bytes = 16;
const KEY_BYTES: Bytes = 32;
/** A key, and with it the tickets and the sessions that have begun under it, lives so long, and for so many sessions. */
const KEY_LIFE_US: Micros = 3600 * MICROS_PER_SEC;
const MAX_SESSIONS = 1 << 16;
/** Codes that were found right and are known again without a hash, the oldest goes first. */
const MAX_KNOWN = 1_024;
const ENCODER = new TextEncoder();

/** As the name in a table. */
export function nameOf(bytes: Uint8Array): string {
  return String.fromCharCode.apply(undefined, bytes as unknown as number[]);
}

/** An address without its port: a NAT gives each connection another one. */
function hostOf(address: string): string {
  const at = address.lastIndexOf(":");
  return at < 0 ? address : address.slice(0, at);
}

export class Tokens {
  readonly #surroundings: Surroundings;
  /** what the server offers: another choice is none of its own */
  readonly #offerBytes: Uint8Array;
  #key: Uint8Array;
  #keySinceUs: Micros;
  readonly #begun = new Set<string>();
  readonly #known = new Set<string>();

  constructor(surroundings: Surroundings, offerBytes: Uint8Array) {
    this.#surroundings = surroundings;
    this.#offerBytes = offerBytes;
    this.#key = surroundings.randomBytes(KEY_BYTES);
    this.#keySinceUs = surroundings.nowUs();
  }

  /** @param terms transcript and choice, as `termsOf` has them */
  of(from: string, terms: Uint8Array): Uint8Array {
    this.#renew();
    return blake2s
      .create({ dkLen: TOKEN_BYTES, key: this.#key })
      .update(terms)
      .update(this.#offerBytes)
      .update(ENCODER.encode(hostOf(from)))
      .digest();
  }

  isRight(token: Uint8Array, from: string, terms: Uint8Array): boolean {
    this.#renew();
    const name = `${nameOf(token)}${nameOf(terms)}${hostOf(from)}`;
    if (this.#known.has(name)) return true;
    if (!sameBytes(token, this.of(from, terms))) return false;
    this.#known.add(name);
    for (const oldest of this.#known) {
      if (this.#known.size > MAX_KNOWN) this.#known.delete(oldest);
      break;
    }
    return true;
  }

  /** @returns false: it has begun before */
  begin(session: Uint8Array): boolean {
    const name = nameOf(session);
    if (this.#begun.has(name)) return false;
    this.#begun.add(name);
    return true;
  }

  #renew(): void {
    const nowUs = this.#surroundings.nowUs();
    if (this.#begun.size < MAX_SESSIONS && nowUs - this.#keySinceUs <= KEY_LIFE_US) return;
    this.#key = this.#surroundings.randomBytes(KEY_BYTES);
    this.#keySinceUs = nowUs;
    this.#begun.clear();
    this.#known.clear();
  }
}
