/** DEFLATE (RFC 1951) of each message where that makes it shorter; what a message unfolds to is bounded. */

import { deflateSync, inflateSync } from "fflate";
import type { Bytes } from "../../../core/units.ts";
import type { Message } from "../../chunnel.ts";
import { withData } from "../../stack/message.ts";
import type { ChunnelSpec } from "../../stack/spec.ts";
import { Changing } from "../../stack/through.ts";
import { WireFault, WireReader, withNumbers } from "../../wire.ts";
import { numberOption } from "../options.ts";

const PLAIN = 0;
const DEFLATED = 1;

export interface CompressOptions {
  /** 1: fast, 9: small */
  readonly level?: number;
  /** larger messages are refused, so that a small one cannot unfold without end */
  readonly maxBytes?: Bytes;
}

class Compress extends Changing {
  readonly #level: 1;
  readonly #maxBytes: Bytes;

  constructor(level: number, maxBytes: Bytes) {
    super();
    this.#level = level as 1;
    this.#maxBytes = maxBytes;
  }

  protected override down(messages: readonly Message[]): readonly Message[] {
    return messages.map((message) => {
      const body = message.data as Uint8Array;
      const deflated = deflateSync(body, { level: this.#level });
      const isShorter = deflated.length + 4 < body.length;
      const data = isShorter ? withNumbers(DEFLATED, [body.length], deflated) : withNumbers(PLAIN, [], body);
      return withData(message, data, [message]);
    });
  }

  protected override up(messages: readonly Message[]): readonly Message[] {
    const good: Message[] = [];
    for (const message of messages) {
      try {
        good.push(withData(message, this.#unfold(new WireReader(message.data as Uint8Array))));
      } catch (error) {
        if (!(error instanceof WireFault)) throw error;
        this.below.consumed(1);
      }
    }
    return good;
  }

  #unfold(reader: WireReader): Uint8Array {
    const kind = reader.byte();
    if (kind === PLAIN) return reader.rest();
    const length = reader.number();
    if (kind !== DEFLATED || length > this.#maxBytes) throw new WireFault("an unknown or too large message");
    try {
      const unfolded = inflateSync(reader.rest(), { out: new Uint8Array(length) });
      if (unfolded.length === length) return unfolded;
    } catch {
      // the library throws for data that is none
    }
    throw new WireFault("not DEFLATE");
  }
}

export type CompressSpec = ChunnelSpec<"bytes", "bytes", never, never>;

/** Compression. */
export function compress({ level = 6, maxBytes = 1 << 20 }: CompressOptions = {}): CompressSpec {
  const options = {
    level: numberOption("compress", "level", level, { low: 1, high: 9 }),
    maxBytes: numberOption("compress", "maxBytes", maxBytes, { low: 64, high: 2 ** 30 }),
  };
  return {
    name: "compress",
    up: "bytes",
    down: "bytes",
    needs: [],
    gives: [],
    options,
    capability: { match: "exact", labels: ["deflate"] },
    make: () => new Compress(options.level, options.maxBytes),
  };
}
