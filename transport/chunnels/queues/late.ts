/**
 * Late data choice: a message is a question ("what shall I say?") that is answered when the network can take the answer, so
 * what is sent is never older than the way. Questions with the same key are asked once.
 */

import type { Message } from "../../chunnel.ts";
import { withData } from "../../stack/message.ts";
import type { ChunnelSpec } from "../../stack/spec.ts";
import { Changing } from "../../stack/through.ts";

class Late extends Changing {
  readonly #questions: Message[] = [];

  override room(): number {
    return Number.POSITIVE_INFINITY;
  }

  override send(messages: readonly Message[]): void {
    for (const message of messages) {
      const asked = message.key !== undefined && this.#questions.some(({ key }) => key === message.key);
      if (!asked) this.#questions.push(message);
    }
    this.below.offer();
  }

  override pull(most: number): readonly Message[] {
    const out: Message[] = [];
    while (out.length < most) {
      const question = this.#questions.shift() ?? this.above.pull(1)[0];
      if (question === undefined) break;
      const data = (question.data as () => unknown)();
      if (data !== undefined) out.push({ ...question, data, cause: [question] });
    }
    return out;
  }

  /** What comes back is data, as the peer's `late` sent it; the application sees answers. */
  protected override up(messages: readonly Message[]): readonly Message[] {
    return messages.map((message) => withData(message, () => message.data));
  }

  override close(): void {
    this.#questions.length = 0;
    super.close();
  }
}

export type LateSpec<Down extends "bytes" | "value" | "keyed" = "bytes"> = ChunnelSpec<
  "late",
  Down,
  never,
  never
>;

/** Asks the application when the network can take a message. @param down what its answers are */
export function late<Down extends "bytes" | "value" | "keyed" = "bytes">(
  options: { readonly answers?: Down } = {},
): LateSpec<Down> {
  const answers = (options.answers ?? "bytes") as Down;
  return {
    name: "late",
    up: "late",
    down: answers,
    needs: [],
    gives: [],
    options: { answers },
    make: () => new Late(),
  };
}
