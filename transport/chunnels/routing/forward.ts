/** Sends on what is for another node. Above `retry` a node answers for what it sends on; below it the origin alone does. */
import type { Message } from "../../chunnel.ts";
import type { ChunnelSpec } from "../../stack/spec.ts";
import { Through } from "../../stack/through.ts";

class Forward extends Through {
  readonly #self: string;
  readonly #onward: Message[] = [];

  constructor(self: string) {
    super();
    this.#self = self;
  }

  protected override up(messages: readonly Message[]): readonly Message[] {
    const mine: Message[] = [];
    for (const message of messages) {
      if (message.to === undefined || message.to === this.#self) mine.push(message);
      else this.#onward.push(message);
    }
    if (this.#onward.length > 0) this.below.offer();
    return mine;
  }

  override pull(most: number): readonly Message[] {
    const onward = this.#onward.splice(0, most);
    return onward.length === most ? onward : [...onward, ...super.pull(most - onward.length)];
  }

  override close(): void {
    this.#onward.length = 0;
    super.close();
  }
}

export type ForwardSpec = ChunnelSpec<"same", "same", "addressed", never>;

/** Sends on what is for others. */
export function forward(): ForwardSpec {
  const make = (_surroundings: unknown, { self }: { readonly self: string }): Forward => new Forward(self);
  return { name: "forward", up: "same", down: "same", needs: ["addressed"], gives: [], options: {}, make };
}
