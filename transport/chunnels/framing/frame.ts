/**
 * A datagram's frame: version, session and checksum. What is damaged, of another session (a restarted peer's) or no frame of
 * ours is dropped.
 *
 *   version u8 │ session, 8 bytes │ CRC-32 of session and body, 4 bytes │ body
 */

import type { Bytes } from "../../../core/units.ts";
import type { Message, Surroundings } from "../../chunnel.ts";
import { withData } from "../../stack/message.ts";
import type { ChunnelSpec, Place } from "../../stack/spec.ts";
import { Changing } from "../../stack/through.ts";
import { prepended, readUint32, sameBytes, writeUint32 } from "../../wire.ts";
import { crc32 } from "./crc32.ts";

const VERSION = 0xc1;
/** The first byte of datagrams of the negotiation (`negotiate/handshake.ts`), which are framed alike. */
export const NEGOTIATION = 0xc2;
const SESSION_AT = 1;
export const SESSION_BYTES = 8;
const CRC_AT = SESSION_AT + SESSION_BYTES;
export const FRAME_BYTES: Bytes = CRC_AT + 4;

/** The session that a datagram names; undefined: it is no frame. */
export function sessionOf(datagram: Uint8Array, version: number = VERSION): Uint8Array | undefined {
  if (datagram.length < FRAME_BYTES || datagram[0] !== version) return undefined;
  return datagram.subarray(SESSION_AT, CRC_AT);
}

export function sealFrame(session: Uint8Array, body: Uint8Array, version: number = VERSION): Uint8Array {
  const datagram = prepended(FRAME_BYTES, body);
  datagram[0] = version;
  datagram.set(session, SESSION_AT);
  writeUint32(datagram, CRC_AT, checksum(session, body));
  return datagram;
}

function checksum(session: Uint8Array, body: Uint8Array): number {
  return (crc32(body) ^ crc32(session)) >>> 0;
}

/** undefined: damaged, or no frame */
export function openFrame(
  datagram: Uint8Array,
  version: number = VERSION,
): { session: Uint8Array; body: Uint8Array } | undefined {
  const session = sessionOf(datagram, version);
  if (session === undefined) return undefined;
  const body = datagram.subarray(FRAME_BYTES);
  return readUint32(datagram, CRC_AT) === checksum(session, body) ? { session, body } : undefined;
}

class Frame extends Changing {
  #session: Uint8Array | undefined;

  constructor(surroundings: Surroundings, { side, base }: Place) {
    super();
    this.#session = base.session ?? (side === "client" ? surroundings.randomBytes(SESSION_BYTES) : undefined);
  }

  protected override down(messages: readonly Message[]): readonly Message[] {
    const session = this.#session;
    if (session === undefined) return [];
    return messages.map((message) =>
      withData(message, sealFrame(session, message.data as Uint8Array), [message]),
    );
  }

  /** A server has nothing to say before it knows the session. */
  override pull(most: number): readonly Message[] {
    return this.#session === undefined ? [] : super.pull(most);
  }

  override room(): number {
    return this.#session === undefined ? 0 : super.room();
  }

  protected override up(messages: readonly Message[]): readonly Message[] {
    const good: Message[] = [];
    const isNew = this.#session === undefined;
    for (const message of messages) {
      const frame = openFrame(message.data as Uint8Array);
      if (frame === undefined) continue;
      this.#session ??= frame.session.slice();
      if (sameBytes(frame.session, this.#session)) good.push(withData(message, frame.body));
    }
    if (isNew && this.#session !== undefined) {
      this.above.roomGrew();
      this.below.offer();
    }
    return good;
  }
}

export type FrameSpec = ChunnelSpec<"bytes", "bytes", never, "checked">;

/** Session and checksum. */
export function frame(): FrameSpec {
  return {
    name: "frame",
    up: "bytes",
    down: "bytes",
    needs: [],
    gives: ["checked"],
    options: {},
    capability: { match: "exact", labels: ["frame-1"] },
    make: (surroundings, place) => new Frame(surroundings, place),
  };
}
