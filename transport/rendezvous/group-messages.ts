/** Messages of one end to the others, and of the others to it: who is to have each, who has acknowledged it, and what the application has taken. */
import type { Message, Surroundings } from "../chunnel.ts";
import { droppedNow } from "../chunnels/queues/buffer.ts";
import { contentOf } from "../live/messages.ts";
import { Untaken } from "../live/untaken.ts";
import type { App, OpenStack } from "../stack/open.ts";
import type { Peer } from "./peer.ts";

const NONE: readonly Message[] = [];

export interface GroupMessagesOptions {
  readonly app: App;
  readonly surroundings: Surroundings;
  readonly peers: ReadonlyMap<string, Peer>;
  isClosed(): boolean;
  /** it is to send no more */
  isLeaving(): boolean;
  /** some have been acknowledged */
  acked(): void;
}

export class GroupMessages {
  readonly #options: GroupMessagesOptions;
  /** members that have not acknowledged a message of this end */
  readonly #unacked = new Map<Message, number>();
  readonly #untaken: Untaken = new Untaken();
  #isRefilling = false;

  constructor(options: GroupMessagesOptions) {
    this.#options = options;
  }

  /** Messages that it would take. */
  room(): number {
    const { peers, isLeaving } = this.#options;
    if (peers.size === 0 || isLeaving()) return 0;
    let room = Number.POSITIVE_INFINITY;
    for (const peer of peers.values()) room = Math.min(room, peer.room);
    return room;
  }

  /** To all others, or to that which `to` names; what there is no room for is lost. */
  send(messages: readonly Message[]): void {
    const room = Math.max(0, this.room());
    if (room > 0) this.#give(messages.slice(0, room));
    if (messages.length > room) this.#lost(messages.slice(room));
  }

  refill(): void {
    const { app, isClosed } = this.#options;
    if (app.pull === undefined || this.#isRefilling || isClosed()) return;
    this.#isRefilling = true;
    try {
      for (let room = this.room(); room > 0; room = this.room()) {
        const messages = app.pull(room);
        if (messages.length === 0) break;
        this.#give(messages);
      }
    } finally {
      this.#isRefilling = false;
    }
  }

  #lost(messages: readonly Message[]): void {
    const { app, surroundings } = this.#options;
    app.feedback?.(droppedNow(surroundings.nowUs(), messages));
  }

  #give(messages: readonly Message[]): void {
    const peers = [...this.#options.peers.values()];
    const addresses = peers.map(({ member }) => member.address);
    const lost = messages.filter(({ to }) => to !== undefined && !addresses.includes(to));
    if (lost.length > 0) this.#lost(lost);
    for (const message of messages) {
      const { to } = message;
      if (lost.includes(message)) continue;
      const count = to === undefined ? peers.length : addresses.filter((address) => address === to).length;
      this.#unacked.set(message, count);
    }
    for (const peer of peers) {
      const { address } = peer.member;
      const own = messages.filter(({ to }) => to === undefined || to === address);
      if (own.length > 0) peer.give(own);
    }
  }

  /** By one of those that they are for, or it is gone. */
  acked(messages: readonly Message[]): void {
    const acked: Message[] = [];
    for (const message of messages) {
      const left = (this.#unacked.get(message) ?? 1) - 1;
      if (left > 0) this.#unacked.set(message, left);
      else {
        this.#unacked.delete(message);
        acked.push(message);
      }
    }
    const { app, surroundings } = this.#options;
    if (acked.length > 0) app.feedback?.({ ...droppedNow(surroundings.nowUs(), NONE), acked });
    this.#options.acked();
  }

  deliver({ member }: Peer, messages: readonly Message[], stack: OpenStack): void {
    const { app, isClosed } = this.#options;
    this.#untaken.add(stack, messages.length);
    app.receive(messages.map((message) => ({ ...contentOf(message), from: member.address })));
    if (app.consumesAtOnce !== false && !isClosed()) this.consumed(messages.length);
  }

  consumed(messages: number): void {
    this.#untaken.taken(messages);
  }
}
