/** Offers and choices as bytes. What a peer sends is checked whole, and bounded, before anything looks at it. */
import { blake2s } from "@noble/hashes/blake2.js";
import type { Bytes } from "../../core/units.ts";
import { CODECS } from "../chunnels/framing/codecs.ts";
import { WireFault, type WireReader } from "../wire.ts";
import type { Choice, Offer, Offered, OfferedSlot } from "./choose.ts";

const BINARY = CODECS.get("binary")!;
const MAX_SLOTS = 32;
const MAX_OPTIONS = 8;
const MAX_LABELS = 16;
const MAX_TEXT = 120;
export const TRANSCRIPT_BYTES: Bytes = 16;

export function encodeOffer(offer: Offer): Uint8Array {
  return BINARY.encode(
    offer.map(({ options, policy }) => [
      policy === "server",
      options.map(({ name, capability }) =>
        capability === undefined ? [name] : [name, capability.match === "overlap", ...capability.labels],
      ),
    ]),
  );
}

function fail(): never {
  throw new WireFault("not an offer");
}

function listOf(value: unknown, most: number): readonly unknown[] {
  return Array.isArray(value) && value.length <= most ? value : fail();
}

function textOf(value: unknown): string {
  return typeof value === "string" && value.length <= MAX_TEXT ? value : fail();
}

function decodeOption(value: unknown): Offered {
  const [name, isOverlap, ...labels] = listOf(value, MAX_LABELS + 2);
  if (isOverlap === undefined) return { name: textOf(name) };
  return {
    name: textOf(name),
    capability: { match: isOverlap === true ? "overlap" : "exact", labels: labels.map(textOf) },
  };
}

/** @throws WireFault */
export function decodeOffer(bytes: Uint8Array): Offer {
  return listOf(BINARY.decode(bytes), MAX_SLOTS).map((slot): OfferedSlot => {
    const [isServers, options] = listOf(slot, 2);
    const read = listOf(options, MAX_OPTIONS).map(decodeOption);
    return { options: read, policy: isServers === true ? "server" : "client" };
  });
}

export function encodeChoice({ client, server }: Choice): Uint8Array {
  return Uint8Array.from([client.length, server.length, ...client, ...server]);
}

/** @throws WireFault */
export function readChoice(reader: WireReader): Choice {
  const [client, server] = [reader.byte(), reader.byte()];
  if (client > MAX_SLOTS || server > MAX_SLOTS) throw new WireFault("not a choice");
  return { client: Array.from(reader.take(client)), server: Array.from(reader.take(server)) };
}

/** What a token vouches for: transcript │ choice. */
export function termsOf(transcript: Uint8Array, choice: Choice): Uint8Array {
  const chosen = encodeChoice(choice);
  const terms = new Uint8Array(TRANSCRIPT_BYTES + chosen.length);
  terms.set(transcript);
  terms.set(chosen, TRANSCRIPT_BYTES);
  return terms;
}

/** What both ends must have seen alike: with it in the keys nobody between them can have changed the offer or the choice. */
export function transcriptOf(offer: Uint8Array, choice: Choice): Uint8Array {
  return blake2s
    .create({ dkLen: TRANSCRIPT_BYTES })
    .update(Uint8Array.of(offer.length >> 8, offer.length & 255))
    .update(offer)
    .update(encodeChoice(choice))
    .digest();
}
