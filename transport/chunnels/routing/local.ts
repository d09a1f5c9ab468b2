/** Takes a way inside this host (a unix socket) where the peer is here; otherwise the layers below go on as they are. */
import type { Message, Surroundings } from "../../chunnel.ts";
import type { DatagramPort } from "../../stack/open.ts";
import type { ChunnelSpec, Place } from "../../stack/spec.ts";
import { pullAll, Through } from "../../stack/through.ts";

const PULL_AT_ONCE = 64;

class Local extends Through {
  readonly #port: DatagramPort | undefined;
  readonly #peer: string | undefined;

  constructor({ base: { local, peer } }: Place) {
    super();
    this.#peer = peer;
    this.#port = peer === undefined ? undefined : local?.(peer);
  }

  #carry(messages: readonly Message[]): void {
    for (const { data, to } of messages) this.#port!.send(data as Uint8Array, to ?? this.#peer!);
  }

  override send(messages: readonly Message[]): void {
    if (this.#port === undefined) super.send(messages);
    else this.#carry(messages);
  }

  override room(): number {
    return this.#port?.room() ?? super.room();
  }

  override pull(most: number): readonly Message[] {
    if (this.#port === undefined) return super.pull(most);
    while (this.#port.room() > 0) {
      const messages = pullAll(this.above, Math.min(PULL_AT_ONCE, this.#port.room()));
      if (messages.length === 0) break;
      this.#carry(messages);
    }
    return [];
  }
}

export type LocalSpec = ChunnelSpec<"bytes", "bytes", "addressed", never>;

/** Inside this host where the peer is here. */
export function local(): LocalSpec {
  const make = (_surroundings: Surroundings, place: Place): Local => new Local(place);
  return { name: "local", up: "bytes", down: "bytes", needs: ["addressed"], gives: [], options: {}, make };
}
