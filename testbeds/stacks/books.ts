/** What the owner of a stack knows of its flow: counted right below its congestion control, each transmission by itself. */
import type { Micros } from "../../core/units.ts";
import type { Feedback, Message } from "../../transport/chunnel.ts";
import type { ChunnelSpec } from "../../transport/stack/spec.ts";
import { Through } from "../../transport/stack/through.ts";

export class StackBooks {
  acks = 0;
  sentPackets = 0;
  deliveredPackets = 0;
  lostPackets = 0;
  timeouts = 0;
  srttUs: Micros = 0;
  minRttUs: Micros = 0;
  /** told of each fate */
  onFate: ((fate: Feedback) => void) | undefined;

  get inflightPackets(): number {
    return this.sentPackets - this.deliveredPackets - this.lostPackets;
  }

  record(fate: Feedback): void {
    this.deliveredPackets += fate.acked.length;
    this.lostPackets += fate.lost.length;
    if (fate.timeout) this.timeouts++;
    else this.acks++;
    this.srttUs = fate.srttUs;
    if (Number.isFinite(fate.minRttUs)) this.minRttUs = fate.minRttUs;
    this.onFate?.(fate);
  }
}

class Counting extends Through {
  readonly #books: StackBooks;

  constructor(books: StackBooks) {
    super();
    this.#books = books;
  }

  protected override down(messages: readonly Message[]): readonly Message[] {
    this.#books.sentPackets += messages.length;
    return messages;
  }

  override feedback(fate: Feedback): void {
    this.#books.record(fate);
    super.feedback(fate);
  }
}

export function counting(books: StackBooks): ChunnelSpec {
  const make = (): Counting => new Counting(books);
  return { name: "books", up: "same", down: "same", needs: ["fate"], gives: [], options: {}, make };
}
