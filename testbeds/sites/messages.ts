/** What the boxes of two sites tell each other, as datagrams: 24 bytes, little endian. */
import type { CongestionAck } from "../bundles/receivebox.ts";
import { type Libc, SystemCallError } from "../host/libc.ts";

export type BoxMessage =
  | { readonly kind: "ack"; readonly ack: CongestionAck & { readonly boxId: number } }
  | { readonly kind: "epoch"; readonly packets: number };

const MESSAGE_BYTES = 24;
/** a longer datagram shows that it is longer */
const READ_BYTES = 2 * MESSAGE_BYTES;
/** "CCPB" */
const MAGIC = 0x42504343;
const KIND = { ack: 1, epoch: 2 } as const;
// u32 magic, u32 kind, u32 (box, or packets), u32 hash, f64 bytes
const [KIND_AT, FIRST_AT, HASH_AT, RECEIVED_AT] = [4, 8, 12, 16];

export function encodeMessage(message: BoxMessage): Uint8Array {
  const view = new DataView(new ArrayBuffer(MESSAGE_BYTES));
  view.setUint32(0, MAGIC, true);
  view.setUint32(KIND_AT, KIND[message.kind], true);
  if (message.kind === "epoch") view.setUint32(FIRST_AT, message.packets, true);
  else {
    view.setUint32(FIRST_AT, message.ack.boxId, true);
    view.setUint32(HASH_AT, message.ack.hash, true);
    view.setFloat64(RECEIVED_AT, message.ack.receivedBytes, true);
  }
  return new Uint8Array(view.buffer);
}

/** @returns undefined: it is none */
export function decodeMessage(bytes: Uint8Array, length: number): BoxMessage | undefined {
  if (length !== MESSAGE_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, MESSAGE_BYTES);
  if (view.getUint32(0, true) !== MAGIC) return undefined;
  const first = view.getUint32(FIRST_AT, true);
  const kind = view.getUint32(KIND_AT, true);
  if (kind === KIND.epoch) return first > 0 ? { kind: "epoch", packets: first } : undefined;
  const receivedBytes = view.getFloat64(RECEIVED_AT, true);
  if (kind !== KIND.ack || !(receivedBytes >= 0 && Number.isFinite(receivedBytes))) return undefined;
  return { kind: "ack", ack: { boxId: first, hash: view.getUint32(HASH_AT, true), receivedBytes } };
}

/** What a box and the one of the other site say to each other, over a connected socket. */
export class BoxMessages {
  readonly #libc: Libc;
  readonly #socket: number;
  readonly #bytes = new Uint8Array(READ_BYTES);

  constructor(libc: Libc, socket: number) {
    this.#libc = libc;
    this.#socket = socket;
  }

  send(message: BoxMessage): void {
    try {
      this.#libc.send(this.#socket, encodeMessage(message));
    } catch (error) {
      // the other site's box is not there, or gone
      if (!(error instanceof SystemCallError)) throw error;
    }
  }

  /** @param most datagrams that are read; @returns those of them that are messages */
  *read(most: number): Generator<BoxMessage> {
    for (let i = 0; i < most; i++) {
      let length: number;
      try {
        length = this.#libc.recv(this.#socket, this.#bytes);
      } catch (error) {
        // it had been said that the other site's box is not there, or gone
        if (!(error instanceof SystemCallError)) throw error;
        continue;
      }
      if (length < 0) return;
      const message = decodeMessage(this.#bytes, length);
      if (message !== undefined) yield message;
    }
  }
}
