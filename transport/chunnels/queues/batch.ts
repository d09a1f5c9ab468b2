/**
 * Several small messages in one (Nagle, RFC 896): what waits above goes along in one datagram; a small one waits only while an
 * earlier one is under way, and no longer than a delay.
 */

import type { Bytes, Micros } from "../../../core/units.ts";
import type { Feedback, Message, Surroundings, Timer } from "../../chunnel.ts";
import { withData } from "../../stack/message.ts";
import type { ChunnelSpec } from "../../stack/spec.ts";
import { Changing } from "../../stack/through.ts";
import { numberBytes, WireFault, WireReader, writeNumber } from "../../wire.ts";
import { numberOption } from "../options.ts";

export interface BatchOptions {
  /** a batch has at most so many bytes */
  readonly maxBytes?: Bytes;
  /** a small one waits no longer */
  readonly maxDelayMs?: number;
}

class Batch extends Changing {
  readonly #surroundings: Surroundings;
  readonly #maxBytes: Bytes;
  readonly #maxDelayUs: Micros;
  readonly #waiting: Message[] = [];
  #waitingBytes = 0;
  #underway = 0;
  #sinceUs: Micros = 0;
  #timer: Timer | undefined;
  /** how many messages of the application's each batch held that came in */
  readonly #received: number[] = [];

  constructor(surroundings: Surroundings, maxBytes: Bytes, maxDelayUs: Micros) {
    super();
    this.#surroundings = surroundings;
    this.#maxBytes = maxBytes;
    this.#maxDelayUs = maxDelayUs;
  }

  #add(messages: readonly Message[]): void {
    if (this.#waiting.length === 0) this.#sinceUs = this.#surroundings.nowUs();
    for (const message of messages) {
      this.#waiting.push(message);
      this.#waitingBytes += sizeOf(message);
    }
  }

  override room(): number {
    return this.#waitingBytes >= 4 * this.#maxBytes ? 0 : this.below.room();
  }

  override send(messages: readonly Message[]): void {
    this.#add(messages);
    this.below.offer();
  }

  override pull(most: number): readonly Message[] {
    const out: Message[] = [];
    while (out.length < most) {
      while (this.#waitingBytes < this.#maxBytes) {
        const more = this.above.pull(1);
        if (more.length === 0) break;
        this.#add(more);
      }
      if (this.#waiting.length === 0) break;
      const dueUs = this.#sinceUs + this.#maxDelayUs;
      if (this.#waitingBytes < this.#maxBytes && this.#underway > 0 && this.#surroundings.nowUs() < dueUs) {
        this.#timer ??= this.#surroundings.wakeAt(dueUs, () => {
          this.#timer = undefined;
          this.below.offer();
        });
        break;
      }
      out.push(this.#take());
      this.#underway++;
    }
    return out;
  }

  #take(): Message {
    let bytes = 0;
    let count = 0;
    for (const message of this.#waiting) {
      if (count > 0 && bytes + sizeOf(message) > this.#maxBytes) break;
      bytes += sizeOf(message);
      count++;
    }
    const cause = this.#waiting.splice(0, count);
    this.#waitingBytes -= bytes;
    this.#sinceUs = this.#surroundings.nowUs();
    const data = new Uint8Array(bytes);
    let at = 0;
    for (const message of cause) {
      const body = message.data as Uint8Array;
      at = writeNumber(data, at, body.length);
      data.set(body, at);
      at += body.length;
    }
    return { data, to: cause[0]!.to, priority: cause[0]!.priority, cause };
  }

  protected override up(messages: readonly Message[]): readonly Message[] {
    const out: Message[] = [];
    for (const message of messages) {
      const parts: Message[] = [];
      try {
        const reader = new WireReader(message.data as Uint8Array);
        while (reader.left > 0) parts.push(withData(message, reader.take(reader.number())));
      } catch (error) {
        if (!(error instanceof WireFault)) throw error;
        parts.length = 0;
      }
      if (parts.length === 0) this.below.consumed(1);
      else this.#received.push(parts.length);
      out.push(...parts);
    }
    return out;
  }

  override consumed(messages: number): void {
    let left = messages;
    while (left > 0 && this.#received.length > 0) {
      const taken = Math.min(left, this.#received[0]!);
      this.#received[0]! -= taken;
      left -= taken;
      if (this.#received[0] !== 0) break;
      this.#received.shift();
      this.below.consumed(1);
    }
  }

  override feedback(fate: Feedback): void {
    this.#underway -= fate.acked.length + fate.lost.length;
    super.feedback(fate);
    if (this.#underway === 0 && this.#waiting.length > 0) this.below.offer();
  }

  override close(): void {
    this.#timer?.cancel();
    this.#waiting.length = 0;
    super.close();
  }
}

function sizeOf({ data }: Message): Bytes {
  const { length } = data as Uint8Array;
  return length + numberBytes(length);
}

export type BatchSpec = ChunnelSpec<"bytes", "bytes", "fate", never>;

/** Nagle's batches. */
export function batch({ maxBytes = 1100, maxDelayMs = 5 }: BatchOptions = {}): BatchSpec {
  const options = {
    maxBytes: numberOption("batch", "maxBytes", maxBytes, { low: 16, high: 60_000 }),
    maxDelayMs: numberOption("batch", "maxDelayMs", maxDelayMs, { low: 0, high: 10_000, whole: false }),
  };
  return {
    name: "batch",
    up: "bytes",
    down: "bytes",
    needs: ["fate"],
    gives: [],
    options,
    capability: { match: "exact", labels: ["batch-1"] },
    make: (surroundings) => new Batch(surroundings, options.maxBytes, options.maxDelayMs * 1000),
  };
}
