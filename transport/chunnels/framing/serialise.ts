/** Values become bytes by a codec. With a key, a value's field of that name is the message's key on either side. */
import type { Message } from "../../chunnel.ts";
import type { ChunnelSpec } from "../../stack/spec.ts";
import { Changing } from "../../stack/through.ts";
import { WireFault } from "../../wire.ts";
import { choiceOption, textOption } from "../options.ts";
import { CODECS, type Codec } from "./codecs.ts";

export interface SerialiseOptions {
  readonly codec?: "json" | "binary";
  /** name of the field that holds the key */
  readonly key?: string;
}

class Serialise extends Changing {
  readonly #codec: Codec;
  readonly #key: string | undefined;

  constructor(codec: Codec, key: string | undefined) {
    super();
    this.#codec = codec;
    this.#key = key;
  }

  protected override down(messages: readonly Message[]): readonly Message[] {
    return messages.map((message) => ({
      ...message,
      data: this.#codec.encode(message.data),
      cause: [message],
    }));
  }

  protected override up(messages: readonly Message[]): readonly Message[] {
    const good: Message[] = [];
    for (const message of messages) {
      try {
        const data = this.#codec.decode(message.data as Uint8Array);
        const key = this.#key === undefined ? message.key : keyOf(data, this.#key);
        good.push({ ...message, data, key });
      } catch (error) {
        if (!(error instanceof WireFault)) throw error;
        this.below.consumed(1);
      }
    }
    return good;
  }
}

/** @throws WireFault */
function keyOf(value: unknown, field: string): string {
  const key = (value as Record<string, unknown> | null)?.[field];
  if (typeof key !== "string" && typeof key !== "number") throw new WireFault("a value without its key");
  return String(key);
}

export type SerialiseSpec<Up extends "value" | "keyed"> = ChunnelSpec<Up, "bytes", never, never>;

/** Values as bytes; with `key` it takes and gives messages with keys. */
export function serialise<const O extends SerialiseOptions>(
  options: O = {} as O,
): SerialiseSpec<O extends { key: string } ? "keyed" : "value"> {
  const { codec = "json", key } = options;
  const chosen = CODECS.get(choiceOption("serialise", "codec", codec, [...CODECS.keys()]))!;
  const field = key === undefined ? undefined : textOption("serialise", "key", key);
  return {
    name: "serialise",
    up: (field === undefined ? "value" : "keyed") as O extends { key: string } ? "keyed" : "value",
    down: "bytes",
    needs: [],
    gives: [],
    options: field === undefined ? { codec } : { codec, key: field },
    capability: { match: "exact", labels: [`codec ${codec}`] },
    make: () => new Serialise(chosen, field),
  };
}
