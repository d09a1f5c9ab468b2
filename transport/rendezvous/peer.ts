/** What one end of a connection of several has for one of the others: its stacks towards that one, and what waits to go by them. */
import type { CcparkError } from "../../core/errors.ts";
import type { Feedback, Message, Surroundings } from "../chunnel.ts";
import { dataMessage } from "../live/messages.ts";
import { type NewEpoch, Succession } from "../live/succession.ts";
import type { OpenStack } from "../stack/open.ts";
import type { ChunnelSpec } from "../stack/spec.ts";
import type { Member } from "./record.ts";

/** Messages that wait for one member: who is slower holds up the others. */
const MAX_WAITING = 64;

export interface PeerUser {
  /** there may be room for more */
  refill(): void;
  deliver(peer: Peer, messages: readonly Message[], stack: OpenStack): void;
  steered(peer: Peer, kind: number): void;
  changed(peer: Peer): void;
  acked(messages: readonly Message[]): void;
  failed(peer: Peer, error: CcparkError): void;
}

export interface PeerOptions {
  readonly member: Member;
  /** as the stacks are opened: who came earlier answers */
  readonly side: "client" | "server";
  readonly surroundings: Surroundings;
  readonly adapt?: ((stack: readonly ChunnelSpec[]) => readonly ChunnelSpec[]) | undefined;
  readonly user: PeerUser;
}

export class Peer {
  readonly member: Member;
  readonly succession: Succession;
  readonly #waiting: Message[] = [];
  /** given and not acknowledged */
  readonly #underway = new Set<Message>();

  constructor({ member, side, surroundings, adapt, user }: PeerOptions) {
    this.member = member;
    this.succession = new Succession({
      side,
      surroundings,
      adapt,
      user: {
        pull: (most) => {
          if (this.#waiting.length === 0) user.refill();
          const messages = this.#waiting.splice(0, most);
          if (messages.length > 0) user.refill();
          return messages;
        },
        deliver: (messages, stack) => user.deliver(this, messages, stack),
        steer: (_epoch, kind) => user.steered(this, kind),
        changed: () => user.changed(this),
        heard: () => {},
        feedback: (fate) => this.#feedback(fate, user),
        roomGrew: () => user.refill(),
        fail: (error) => user.failed(this, error),
      },
    });
  }

  #feedback({ acked }: Feedback, user: PeerUser): void {
    const done = acked.filter((message) => this.#underway.delete(message));
    if (done.length > 0) user.acked(done);
  }

  get room(): number {
    return MAX_WAITING - this.#waiting.length;
  }

  get isIdle(): boolean {
    return this.#underway.size === 0 && !this.succession.isChanging;
  }

  make(epoch: NewEpoch): void {
    this.succession.make(epoch);
  }

  begin(epoch: NewEpoch): void {
    this.succession.begin(epoch);
  }

  give(messages: readonly Message[]): void {
    for (const message of messages) {
      this.#underway.add(message);
      this.#waiting.push(dataMessage(message));
    }
    this.succession.offer();
  }

  /** @returns what it has not acknowledged */
  close(): readonly Message[] {
    this.succession.close();
    return [...this.#underway];
  }
}
