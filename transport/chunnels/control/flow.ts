/**
 * Flow control: the sender never has more bytes under way than the receiver has room for. The receiver grants credit as the
 * application takes messages (QUIC's MAX_DATA, RFC 9000 4.1); a sender that takes more breaks the connection.
 */

import { CcparkError } from "../../../core/errors.ts";
import type { Bytes } from "../../../core/units.ts";
import type { Message } from "../../chunnel.ts";
import { withData } from "../../stack/message.ts";
import type { ChunnelSpec } from "../../stack/spec.ts";
import { Changing } from "../../stack/through.ts";
import { WireFault, WireReader, withNumbers } from "../../wire.ts";
import { numberOption } from "../options.ts";

const DATA = 0;
const CREDIT = 1;

export interface FlowOptions {
  /** bytes that the receiver takes before the application does; of both ends */
  readonly windowBytes?: Bytes;
}

class Flow extends Changing {
  readonly #windowBytes: Bytes;
  #sentBytes = 0;
  #limitBytes: Bytes;
  /** pulled or pushed, and too large for the credit that is left */
  readonly #held: Message[] = [];
  #credit: Message | undefined;
  #receivedBytes = 0;
  #consumedBytes = 0;
  #grantedBytes: Bytes;
  /** sizes of the messages that the application has not taken */
  readonly #untaken: Bytes[] = [];
  #wasFull = false;

  constructor(windowBytes: Bytes) {
    super();
    this.#windowBytes = windowBytes;
    this.#limitBytes = this.#grantedBytes = windowBytes;
  }

  #isBlocked(): boolean {
    return this.#held.length > 0;
  }

  override room(): number {
    const room = this.#isBlocked() || this.#sentBytes >= this.#limitBytes ? 0 : this.below.room();
    this.#wasFull ||= room <= 0;
    return room;
  }

  override send(messages: readonly Message[]): void {
    this.#held.push(...messages);
    this.below.offer();
  }

  override pull(most: number): readonly Message[] {
    const out: Message[] = [];
    if (this.#credit !== undefined) {
      out.push(this.#credit);
      this.#credit = undefined;
    }
    while (out.length < most) {
      if (this.#held.length === 0) this.#held.push(...this.above.pull(1));
      const next = this.#held[0];
      if (next === undefined) break;
      const bytes = (next.data as Uint8Array).length;
      if (bytes > this.#windowBytes) {
        this.#held.shift();
        const message = `[transport] flow: got a message of ${bytes} bytes, expected at most windowBytes, ${this.#windowBytes}`;
        this.fail(new CcparkError("invalid-argument", message));
        break;
      }
      if (this.#sentBytes + bytes > this.#limitBytes) break;
      this.#held.shift();
      this.#sentBytes += bytes;
      out.push(withData(next, withNumbers(DATA, [], next.data as Uint8Array), [next]));
    }
    return out;
  }

  protected override up(messages: readonly Message[]): readonly Message[] {
    const data: Message[] = [];
    for (const message of messages) {
      try {
        const reader = new WireReader(message.data as Uint8Array);
        if (reader.byte() === CREDIT) {
          this.#granted(reader.number());
          continue;
        }
        const body = reader.rest();
        this.#receivedBytes += body.length;
        if (this.#receivedBytes > this.#grantedBytes) {
          const got = `${this.#receivedBytes} bytes`;
          this.fail(
            new CcparkError(
              "resource-exhausted",
              `[transport] flow: got ${got}, expected at most ${this.#grantedBytes}`,
            ),
          );
          return [];
        }
        this.#untaken.push(body.length);
        data.push(withData(message, body));
      } catch (error) {
        if (!(error instanceof WireFault)) throw error;
      }
    }
    return data;
  }

  #granted(limitBytes: Bytes): void {
    if (limitBytes <= this.#limitBytes) return;
    this.#limitBytes = limitBytes;
    this.below.offer();
    if (!this.#wasFull || this.room() === 0) return;
    this.#wasFull = false;
    this.above.roomGrew();
  }

  override consumed(messages: number): void {
    for (const bytes of this.#untaken.splice(0, messages)) this.#consumedBytes += bytes;
    this.below.consumed(messages);
    const limitBytes = this.#consumedBytes + this.#windowBytes;
    if (limitBytes - this.#grantedBytes < this.#windowBytes / 4) return;
    this.#grantedBytes = limitBytes;
    this.#credit = { data: withNumbers(CREDIT, [limitBytes]) };
    this.below.offer();
  }

  override close(): void {
    this.#held.length = 0;
    super.close();
  }
}

export type FlowSpec = ChunnelSpec<"bytes", "bytes", "reliable" | "ordered", "bounded">;

/** Flow control by credit. */
export function flow({ windowBytes = 1 << 20 }: FlowOptions = {}): FlowSpec {
  const options = {
    windowBytes: numberOption("flow", "windowBytes", windowBytes, { low: 2048, high: 2 ** 40 }),
  };
  return {
    name: "flow",
    up: "bytes",
    down: "bytes",
    needs: ["reliable", "ordered"],
    gives: ["bounded"],
    options,
    capability: { match: "exact", labels: [`flow-1 ${options.windowBytes}`] },
    make: () => new Flow(options.windowBytes),
  };
}
