/** A chunnel that passes everything along: the others change what they are for. */
import type { CcparkError } from "../../core/errors.ts";
import type { Above, Below, Chunnel, Feedback, Message } from "../chunnel.ts";

const NONE: readonly Message[] = [];

export abstract class Through implements Chunnel {
  declare above: Above;
  declare below: Below;

  /** What goes down for these: one for one, fewer (it keeps some) or more. */
  protected down(messages: readonly Message[]): readonly Message[] {
    return messages;
  }

  /** What goes up for these. */
  protected up(messages: readonly Message[]): readonly Message[] {
    return messages;
  }

  send(messages: readonly Message[]): void {
    const out = this.down(messages);
    if (out.length > 0) this.below.send(out);
  }

  pull(most: number): readonly Message[] {
    const messages = this.above.pull(most);
    return messages.length === 0 ? NONE : this.down(messages);
  }

  receive(messages: readonly Message[]): void {
    const out = this.up(messages);
    if (out.length > 0) this.above.receive(out);
  }

  feedback(fate: Feedback): void {
    this.above.feedback(fate);
  }

  roomGrew(): void {
    this.above.roomGrew();
  }

  fail(error: CcparkError): void {
    this.above.fail(error);
  }

  offer(): void {
    this.below.offer();
  }

  room(): number {
    return this.below.room();
  }

  consumed(messages: number): void {
    this.below.consumed(messages);
  }

  close(): void {
    this.below.close();
  }
}

/** One whose messages down are others than those from above: their fate is that of their causes. */
export abstract class Changing extends Through {
  override feedback(fate: Feedback): void {
    this.above.feedback({ ...fate, acked: causesOf(fate.acked), lost: causesOf(fate.lost) });
  }
}

export function causesOf(messages: readonly Message[]): Message[] {
  const causes: Message[] = [];
  for (const { cause } of messages) if (cause !== undefined) causes.push(...cause);
  return causes;
}

/** Pulls one after another as long as there are any and `until` has not been reached. */
export function pullAll(above: Above, most: number): Message[] {
  const all: Message[] = [];
  while (all.length < most) {
    const more = above.pull(most - all.length);
    if (more.length === 0) break;
    all.push(...more);
  }
  return all;
}
