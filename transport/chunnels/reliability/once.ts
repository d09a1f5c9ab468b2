/** At most once: numbers messages, and drops those whose number has come before or is too old to be known. */
import type { Message } from "../../chunnel.ts";
import type { ChunnelSpec } from "../../stack/spec.ts";
import { Changing } from "../../stack/through.ts";
import { WireFault } from "../../wire.ts";
import { numbered, unnumbered } from "./order.ts";
import { ReceivedNumbers } from "./received.ts";

class Once extends Changing {
  readonly #received = new ReceivedNumbers();
  #nextOut = 0;

  protected override down(messages: readonly Message[]): readonly Message[] {
    return messages.map((message) => numbered(message, this.#nextOut++));
  }

  protected override up(messages: readonly Message[]): readonly Message[] {
    const fresh: Message[] = [];
    for (const each of messages) {
      try {
        const { number, message } = unnumbered(each);
        if (this.#received.add(number)) fresh.push(message);
        else this.below.consumed(1);
      } catch (error) {
        if (!(error instanceof WireFault)) throw error;
      }
    }
    return fresh;
  }
}

export type OnceSpec = ChunnelSpec<"bytes", "bytes", never, "once">;

/** At most once. */
export function once(): OnceSpec {
  return {
    name: "once",
    up: "bytes",
    down: "bytes",
    needs: [],
    gives: ["once"],
    options: {},
    capability: { match: "exact", labels: ["once-1"] },
    make: () => new Once(),
  };
}
