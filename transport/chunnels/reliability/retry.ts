/**
 * Sends a message again that was lost, so many times at most, then tells its loss. Above `route` each attempt is routed anew, and
 * the neighbours that failed it are avoided; below it all attempts go to the same neighbour.
 */
import type { Feedback, Message } from "../../chunnel.ts";
import type { ChunnelSpec } from "../../stack/spec.ts";
import { Through } from "../../stack/through.ts";
import { numberOption } from "../options.ts";

export interface RetryOptions {
  readonly attempts?: number;
}

interface Attempt {
  readonly message: Message;
  readonly number: number;
}

class Retry extends Through {
  readonly #attempts: number;
  readonly #underway = new Map<Message, Attempt>();
  readonly #again: Attempt[] = [];

  constructor(attempts: number) {
    super();
    this.#attempts = attempts;
  }

  #start(attempt: Attempt): Message {
    const transmission: Message = { ...attempt.message, cause: [attempt.message], attempt: attempt.number };
    this.#underway.set(transmission, attempt);
    return transmission;
  }

  protected override down(messages: readonly Message[]): readonly Message[] {
    return messages.map((message) => this.#start({ message, number: 1 }));
  }

  override pull(most: number): readonly Message[] {
    const again = this.#again.splice(0, most).map((attempt) => this.#start(attempt));
    return again.length === most ? again : [...again, ...super.pull(most - again.length)];
  }

  override feedback(fate: Feedback): void {
    const lost: Message[] = [];
    const acked: Message[] = [];
    for (const each of fate.acked) {
      const attempt = this.#take(each);
      if (attempt !== undefined) acked.push(attempt.message);
    }
    for (const each of fate.lost) {
      const attempt = this.#take(each);
      if (attempt === undefined) continue;
      if (attempt.number >= this.#attempts) lost.push(attempt.message);
      else this.#again.push({ message: attempt.message, number: attempt.number + 1 });
    }
    super.feedback({ ...fate, acked, lost });
    if (this.#again.length > 0) this.below.offer();
  }

  #take(transmission: Message): Attempt | undefined {
    const attempt = this.#underway.get(transmission);
    this.#underway.delete(transmission);
    return attempt;
  }

  override close(): void {
    this.#again.length = 0;
    this.#underway.clear();
    super.close();
  }
}

export type RetrySpec = ChunnelSpec<"same", "same", "fate", never>;

/** A few attempts. */
export function retry({ attempts = 4 }: RetryOptions = {}): RetrySpec {
  const options = { attempts: numberOption("retry", "attempts", attempts, { low: 1, high: 1000 }) };
  const make = (): Retry => new Retry(options.attempts);
  return { name: "retry", up: "same", down: "same", needs: ["fate"], gives: [], options, make };
}
