/** `encrypt` above `local` in one: encrypts what leaves this host, and spares it where nobody outside can listen. */
import type { Above, Message, Surroundings } from "../../chunnel.ts";
import type { ChunnelSpec, Place } from "../../stack/spec.ts";
import { pullAll, Through } from "../../stack/through.ts";
import type { EncryptSpec } from "../framing/encrypt.ts";

const PULL_AT_ONCE = 64;

/** Passes to the encrypting chunnel, or to the port inside this host. */
class PrivateUnlessLocal extends Through {
  readonly #inner: Through;
  readonly #port: ReturnType<NonNullable<Place["base"]["local"]>>;
  readonly #peer: string | undefined;

  constructor(surroundings: Surroundings, place: Place, encrypted: EncryptSpec) {
    super();
    const { peer, local } = place.base;
    this.#peer = peer;
    this.#port = peer === undefined ? undefined : local?.(peer);
    this.#inner = encrypted.make(surroundings, place) as Through;
    const face: Above = {
      receive: (messages) => this.above.receive(messages),
      feedback: (fate) => this.above.feedback(fate),
      pull: (most) => this.above.pull(most),
      roomGrew: () => this.above.roomGrew(),
      fail: (error) => this.above.fail(error),
    };
    this.#inner.above = face;
  }

  #withBelow(): Through {
    this.#inner.below = this.below;
    return this.#inner;
  }

  override send(messages: readonly Message[]): void {
    if (this.#port === undefined) this.#withBelow().send(messages);
    else for (const { data, to } of messages) this.#port.send(data as Uint8Array, to ?? this.#peer!);
  }

  override offer(): void {
    if (this.#port === undefined) this.#withBelow().offer();
    else this.pull(PULL_AT_ONCE);
  }

  override room(): number {
    return this.#port?.room() ?? this.#withBelow().room();
  }

  override pull(most: number): readonly Message[] {
    if (this.#port === undefined) return this.#withBelow().pull(most);
    while (this.#port.room() > 0) {
      const messages = pullAll(this.above, Math.min(PULL_AT_ONCE, this.#port.room()));
      if (messages.length === 0) break;
      this.send(messages);
    }
    return [];
  }

  override receive(messages: readonly Message[]): void {
    const local = messages.filter(({ isLocal }) => isLocal);
    if (local.length > 0) this.above.receive(local);
    if (local.length < messages.length) this.#withBelow().receive(messages.filter(({ isLocal }) => !isLocal));
  }

  override feedback(fate: Parameters<Above["feedback"]>[0]): void {
    this.#withBelow().feedback(fate);
  }

  override close(): void {
    this.#withBelow().close();
  }
}

export type PrivateUnlessLocalSpec = ChunnelSpec<"bytes", "bytes", "addressed", "private" | "checked">;

/** What the optimisation pass `fuse-private-local` makes of an encryption and `local`. */
export function privateUnlessLocal(encrypted: EncryptSpec): PrivateUnlessLocalSpec {
  return {
    name: "private-unless-local",
    up: "bytes",
    down: "bytes",
    needs: ["addressed"],
    gives: ["private", "checked"],
    options: encrypted.options,
    capability: encrypted.capability,
    make: (surroundings, place) => new PrivateUnlessLocal(surroundings, place, encrypted),
  };
}
