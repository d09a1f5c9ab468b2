/** What the application has not taken yet, in order: each message's stack is to hear of it when it has. */
import type { OpenStack } from "../stack/open.ts";

export class Untaken {
  readonly #runs: { readonly stack: OpenStack; count: number }[] = [];

  add(stack: OpenStack, count: number): void {
    const end = this.#runs.at(-1);
    if (end?.stack === stack) end.count += count;
    else this.#runs.push({ stack, count });
  }

  taken(messages: number): void {
    let left = messages;
    while (left > 0 && this.#runs.length > 0) {
      const first = this.#runs[0]!;
      const count = Math.min(left, first.count);
      left -= count;
      first.count -= count;
      if (first.count === 0) this.#runs.shift();
      if (!first.stack.isClosed) first.stack.consumed(count);
    }
  }
}
