/** Numbers messages and hands them up in that order, each once; what comes early waits, in bounded room. */

import { CcparkError } from "../../../core/errors.ts";
import type { Message } from "../../chunnel.ts";
import { withData } from "../../stack/message.ts";
import type { ChunnelSpec } from "../../stack/spec.ts";
import { Changing } from "../../stack/through.ts";
import { numberBytes, prepended, WireFault, WireReader, writeNumber } from "../../wire.ts";
import { numberOption } from "../options.ts";

export interface OrderOptions {
  /** messages that may wait for an earlier one; must be at least what the peer's `reliable` holds */
  readonly maxMessages?: number;
}

/** `number`, then the message. */
export function numbered(message: Message, number: number): Message {
  const data = prepended(numberBytes(number), message.data as Uint8Array);
  writeNumber(data, 0, number);
  return withData(message, data, [message]);
}

/** @throws WireFault */
export function unnumbered(message: Message): { number: number; message: Message } {
  const reader = new WireReader(message.data as Uint8Array);
  const number = reader.number();
  return { number, message: withData(message, reader.rest()) };
}

class Order extends Changing {
  readonly #maxMessages: number;
  readonly #early = new Map<number, Message>();
  #nextOut = 0;
  #nextIn = 0;

  constructor(maxMessages: number) {
    super();
    this.#maxMessages = maxMessages;
  }

  protected override down(messages: readonly Message[]): readonly Message[] {
    return messages.map((message) => numbered(message, this.#nextOut++));
  }

  protected override up(messages: readonly Message[]): readonly Message[] {
    const inOrder: Message[] = [];
    for (const each of messages) {
      try {
        const { number, message } = unnumbered(each);
        if (number < this.#nextIn || this.#early.has(number)) this.below.consumed(1);
        else if (number === this.#nextIn) {
          inOrder.push(message);
          this.#nextIn++;
          this.#takeEarly(inOrder);
        } else if (number - this.#nextIn > this.#maxMessages) {
          const got = `message ${number} while ${this.#nextIn} is missing`;
          this.fail(
            new CcparkError(
              "resource-exhausted",
              `[transport] order: got ${got}, expected at most ${this.#maxMessages} after it`,
            ),
          );
          return [];
        } else this.#early.set(number, message);
      } catch (error) {
        if (!(error instanceof WireFault)) throw error;
      }
    }
    return inOrder;
  }

  #takeEarly(inOrder: Message[]): void {
    for (let next = this.#early.get(this.#nextIn); next !== undefined; next = this.#early.get(this.#nextIn)) {
      this.#early.delete(this.#nextIn++);
      inOrder.push(next);
    }
  }
}

export type OrderSpec = ChunnelSpec<"bytes", "bytes", "reliable", "ordered" | "once">;

/** In order, each once. */
export function order({ maxMessages = 8192 }: OrderOptions = {}): OrderSpec {
  const options = {
    maxMessages: numberOption("order", "maxMessages", maxMessages, { low: 1, high: 1_000_000 }),
  };
  return {
    name: "order",
    up: "bytes",
    down: "bytes",
    needs: ["reliable"],
    gives: ["ordered", "once"],
    options,
    capability: { match: "exact", labels: ["order-1"] },
    make: () => new Order(options.maxMessages),
  };
}
