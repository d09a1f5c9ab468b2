/**
 * One end of a connection of several, which meet by a record in a store that all can reach. A message goes to all others, or to the one that
 * it names; from each end messages come in order and once. Their stack is exchanged in two phases while messages go on: the
 * record has a proposal, each end prepares the next stack and consents, and with the last consent the same swap makes it the present one. From
 * each to each other the change is then that of two ends (`live/succession.ts`).
 */
import { CcparkError } from "../../core/errors.ts";
import type { Micros } from "../../core/units.ts";
import type { Message, Surroundings, Timer } from "../chunnel.ts";
import { SESSION_BYTES, sessionOf } from "../chunnels/framing/frame.ts";
import { droppedNow } from "../chunnels/queues/buffer.ts";
import { refusal } from "../live/fit.ts";
import { contentOf, LOOK } from "../live/messages.ts";
import { Untaken } from "../live/untaken.ts";
import type { Slot } from "../negotiate/choose.ts";
import type { App, DatagramPort, OpenStack } from "../stack/open.ts";
import type { ChunnelSpec } from "../stack/spec.ts";
import { Peer, type PeerUser } from "./peer.ts";
import {
  firstOffer,
  type GroupRecord,
  MAX_MEMBERS,
  type Member,
  pairOf,
  refuse,
  settle,
  stackFor,
} from "./record.ts";
import type { RendezvousStore } from "./store.ts";
import { LATER, Transactions } from "./transaction.ts";

/** How often an end looks into the store where nothing tells it to. */
const POLL_US: Micros = 1_000_000;
/** A proposal to which somebody has not answered for so long comes to nothing. */
const PROPOSAL_US: Micros = 10_000_000;
/** Datagrams of a stack that this end has not heard of: kept while it looks. */
const MAX_HELD = 64;
/** Who sends such datagrams without end makes the store be asked at most so often. */
const LOOK_GAP_US: Micros = 20_000;
const NONE: readonly Message[] = [];

export interface GroupApp extends App {
  /** this end is one of them; the members that were there before follow by `joined` */
  ready?(): void;
  /** by its address, as in `Message.from` and `to` */
  joined?(address: string): void;
  left?(address: string): void;
}

export interface GroupOptions {
  readonly store: RendezvousStore;
  /** what the ends know the connection by */
  readonly key: string;
  /** of the founder the first option of each place becomes the stack; later ones must fit it */
  readonly slots: readonly Slot[];
  readonly surroundings: Surroundings;
  readonly port: DatagramPort;
  readonly app: GroupApp;
  /** changes a stack before it is opened */
  readonly adapt?: ((stack: readonly ChunnelSpec[]) => readonly ChunnelSpec[]) | undefined;
  readonly pollUs?: Micros;
  readonly proposalUs?: Micros;
}

function namesOf(record: GroupRecord | undefined): readonly string[] {
  return (record?.offer ?? []).flatMap(({ options }) => options.map(({ name }) => name));
}

interface Upgrade {
  slots: readonly Slot[];
  readonly done: (error?: CcparkError) => void;
  /** proposals that there were before it; undefined: not asked yet */
  since: number | undefined;
  /** it has been decided; done when all messages go by it */
  epoch: number | undefined;
}

interface Prepared {
  readonly number: number;
  readonly slots: readonly Slot[];
}

export class GroupStack {
  readonly #options: GroupOptions;
  readonly #transactions: Transactions;
  readonly #self: Member;
  readonly #peers = new Map<string, Peer>();
  readonly #user: PeerUser;
  readonly #untaken: Untaken = new Untaken();
  #slots: readonly Slot[];
  /** as last seen in the store */
  #record: GroupRecord | undefined;
  #upgrade: Upgrade | undefined;
  #prepared: Prepared | undefined;
  /** the proposal that this end has answered */
  #answered = 0;
  #deadline: Timer | undefined;
  #poll: Timer | undefined;
  #lookedUs: Micros = Number.NEGATIVE_INFINITY;
  #lookTimer: Timer | undefined;
  readonly #held: (readonly [Uint8Array, string])[] = [];
  /** members that have not acknowledged a message of this end */
  readonly #unacked = new Map<Message, number>();
  #isRefilling = false;
  #leaving: (() => void) | undefined;
  isClosed = false;

  /** Joins at once, or founds the connection. @throws CcparkError (invalid-argument, failed-precondition) if the slots do not fit together */
  constructor(options: GroupOptions) {
    this.#options = options;
    const { store, key, slots, surroundings, port } = options;
    stackFor(firstOffer(slots), slots);
    this.#slots = slots;
    const id = Array.from(surroundings.randomBytes(8), (byte) => byte.toString(16).padStart(2, "0")).join("");
    this.#self = { id, address: port.self };
    this.#transactions = new Transactions(store, key, surroundings);
    this.#user = {
      refill: () => this.#refill(),
      deliver: (peer, messages, stack) => this.#deliver(peer, messages, stack),
      steered: (_peer, kind) => {
        if (kind === LOOK) this.#look();
      },
      changed: () => this.#changed(),
      acked: (messages) => this.#acked(messages),
      failed: (peer) => this.#remove(peer.member),
    };
    this.#join();
  }

  /** The proposal that brought the present stack; 0: it is the first. */
  get epoch(): number {
    return this.#record?.epoch ?? 0;
  }

  /** Names of the chunnels that all have now; empty before this end is one of them. */
  get shared(): readonly string[] {
    return namesOf(this.#record);
  }

  /** Addresses of the others. */
  get members(): readonly string[] {
    return [...this.#peers.values()].map(({ member }) => member.address);
  }

  #join(): void {
    const { slots, key, surroundings } = this.#options;
    const self = this.#self;
    this.#transactions.run(
      (record) => {
        if (record === undefined || record.members.length === 0) {
          const session = surroundings.randomBytes(SESSION_BYTES);
          const offer = firstOffer(slots);
          return { session, epoch: 0, offer, members: [self], proposals: 0 };
        }
        if (record.members.some(({ id }) => id === self.id)) return undefined;
        if (record.proposal !== undefined) return LATER;
        if (record.members.length >= MAX_MEMBERS) {
          const expected = `at most ${MAX_MEMBERS}`;
          const message = `[transport] rendezvous, key \`${key}\`: got one member more than there may be, expected ${expected}`;
          throw new CcparkError("resource-exhausted", message);
        }
        stackFor(record.offer, slots);
        // who was there before under this address is gone
        const members = record.members.filter(({ address }) => address !== self.address);
        return { ...record, members: [...members, self] };
      },
      (record, error) => {
        if (error !== undefined) {
          this.fail(error);
          return;
        }
        this.#options.app.ready?.();
        this.#observe(record!);
        this.#sayAll(LOOK);
        this.#schedulePoll();
      },
    );
  }

  #schedulePoll(): void {
    const { surroundings, pollUs = POLL_US } = this.#options;
    const atUs = surroundings.nowUs() + pollUs * surroundings.rng.uniform(0.8, 1.2);
    this.#poll = surroundings.wakeAt(atUs, () => {
      this.#look();
      this.#schedulePoll();
    });
  }

  /** Looks into the store, soon. */
  #look(): void {
    if (this.isClosed || this.#record === undefined || this.#lookTimer !== undefined) return;
    const { surroundings } = this.#options;
    const look = (): void => {
      this.#lookTimer = undefined;
      this.#lookedUs = surroundings.nowUs();
      this.#transactions.run(
        () => undefined,
        (record, error) => {
          if (record !== undefined && error === undefined) this.#observe(record);
          this.#release();
        },
      );
    };
    const atUs = this.#lookedUs + LOOK_GAP_US;
    if (atUs <= surroundings.nowUs()) look();
    else this.#lookTimer = surroundings.wakeAt(atUs, look);
  }

  #sayAll(kind: number): void {
    if (this.isClosed) return;
    for (const { succession } of this.#peers.values()) {
      succession.say(succession.sending, kind, new Uint8Array(0));
    }
  }

  /** A datagram has come in. */
  arrive(datagram: Uint8Array, from: string): void {
    if (this.isClosed || this.#route(datagram, from) || sessionOf(datagram) === undefined) return;
    if (this.#held.length < MAX_HELD) this.#held.push([datagram.slice(), from]);
    this.#look();
  }

  #route(datagram: Uint8Array, from: string): boolean {
    const session = sessionOf(datagram);
    if (session === undefined) return false;
    for (const { succession } of this.#peers.values()) {
      if (succession.arrivedBy(session, datagram, from)) return true;
    }
    return false;
  }

  #release(): void {
    for (const [datagram, from] of this.#held.splice(0)) {
      if (!this.isClosed) this.#route(datagram, from);
    }
  }

  drained(): void {
    for (const { succession } of this.#peers.values()) succession.drained();
  }

  /** What the store says now, or said a while ago. */
  #observe(record: GroupRecord): void {
    if (this.isClosed || record.version <= (this.#record?.version ?? 0)) return;
    const before = this.#record;
    this.#record = record;
    if (!record.members.some(({ id }) => id === this.#self.id)) {
      if (this.#leaving === undefined) {
        this.fail(new CcparkError("unavailable", "[transport] the others took this end for gone"));
      }
      return;
    }
    if (before !== undefined && record.epoch > before.epoch) this.#commit(record);
    try {
      this.#meet(record);
    } catch (error) {
      // a stack to which this end has never consented
      if (!(error instanceof CcparkError)) throw error;
      this.fail(error);
      return;
    }
    if (this.#prepared !== undefined && record.proposal?.number !== this.#prepared.number) {
      for (const { succession } of this.#peers.values()) succession.drop(this.#prepared.number);
      this.#prepared = undefined;
    }
    this.#answer();
    this.#watch(record, before);
    this.#outcome(record);
    this.#leaveIfIdle();
  }

  /** All have consented: from here on messages go by the next stack. */
  #commit({ epoch }: GroupRecord): void {
    if (this.#prepared?.number === epoch) this.#slots = this.#prepared.slots;
    this.#prepared = undefined;
    for (const { succession } of this.#peers.values()) {
      if (succession.has(epoch) && succession.sending < epoch) succession.change(epoch);
    }
  }

  #meet(record: GroupRecord): void {
    for (const [id, peer] of this.#peers) {
      if (record.members.some((member) => member.id === id)) continue;
      this.#peers.delete(id);
      this.#acked(peer.close());
      this.#options.app.left?.(peer.member.address);
    }
    const own = record.members.findIndex(({ id }) => id === this.#self.id);
    record.members.forEach((member, i) => {
      if (i === own || this.#peers.has(member.id)) return;
      const { surroundings, port, adapt } = this.#options;
      const peer = new Peer({
        member,
        side: i < own ? "client" : "server",
        surroundings,
        way: { port, peer: member.address },
        adapt,
        user: this.#user,
      });
      this.#peers.set(member.id, peer);
      peer.begin(this.#epochFor(peer, record, record.epoch, record.offer, this.#slots));
      this.#options.app.joined?.(member.address);
    });
    this.#refill();
  }

  #epochFor(
    { member }: Peer,
    record: GroupRecord,
    number: number,
    offer: GroupRecord["offer"],
    slots: readonly Slot[],
  ): Parameters<Peer["make"]>[0] {
    const stack = stackFor(offer, slots);
    return { number, stack, ...pairOf(record, offer, [member.id, this.#self.id], number) };
  }

  /** Prepares what is proposed and consents, or says why not; once nothing is under way any more. */
  #answer(): void {
    const record = this.#record;
    const proposal = record?.proposal;
    if (proposal === undefined || proposal.number <= this.#answered) return;
    const peers = [...this.#peers.values()];
    if (peers.some(({ succession }) => succession.isChanging)) return;
    const { number, offer, by } = proposal;
    this.#answered = number;
    const isMine = by === this.#self.id && this.#upgrade !== undefined;
    const slots = isMine ? this.#upgrade!.slots : this.#slots;
    let why: string | undefined;
    try {
      for (const peer of peers) peer.make(this.#epochFor(peer, record!, number, offer, slots));
      this.#prepared = { number, slots };
    } catch (error) {
      if (!(error instanceof CcparkError)) throw error;
      why = error.message;
      for (const { succession } of peers) succession.drop(number);
    }
    this.#transactions.run(
      (now) => {
        if (now?.proposal?.number !== number || now.proposal.consents.includes(this.#self.id))
          return undefined;
        if (why !== undefined) return refuse(now, why);
        const consents = [...now.proposal.consents, this.#self.id];
        return settle({ ...now, proposal: { ...now.proposal, consents } });
      },
      (next) => this.#swapped(next),
    );
  }

  /** This end has changed the record: it and the others are to see it. */
  #swapped(record: GroupRecord | undefined): void {
    if (record === undefined || this.isClosed) return;
    const isSettled = record.settled?.number !== this.#record?.settled?.number;
    this.#observe(record);
    if (isSettled) this.#sayAll(LOOK);
  }

  /** A proposal that not all answer comes to nothing. */
  #watch({ proposal }: GroupRecord, before: GroupRecord | undefined): void {
    if (proposal?.number === before?.proposal?.number) return;
    this.#deadline?.cancel();
    if (proposal === undefined) return;
    const { surroundings, proposalUs = PROPOSAL_US } = this.#options;
    const { number } = proposal;
    this.#deadline = surroundings.wakeAt(surroundings.nowUs() + proposalUs, () => {
      this.#transactions.run(
        (now) => {
          if (now?.proposal?.number !== number) return undefined;
          const { consents } = now.proposal;
          const silent = now.members.filter(({ id }) => !consents.includes(id)).map(({ address }) => address);
          return refuse(now, refusal(`no answer of ${silent.join(", ")}`).message);
        },
        (next) => this.#swapped(next),
      );
    });
  }

  /**
   * Exchanges the stack of all ends: each consents if its own slots fit.
   * @param given slots, or by what all have when it is proposed, of which this end may not have heard yet
   * @param done called when messages of this end go and come by the new one, or with why they do not: then the old one goes on
   */
  upgrade(
    given: readonly Slot[] | ((shared: readonly string[]) => readonly Slot[]),
    done: (error?: CcparkError) => void,
  ): void {
    const slotsOf = typeof given === "function" ? given : () => given;
    const slots = slotsOf(this.shared);
    try {
      if (this.isClosed || this.#leaving !== undefined) throw refusal("the connection is closed");
      if (this.#record === undefined) throw refusal("the connection has not begun");
      if (this.#upgrade !== undefined) throw refusal("another one is under way");
      stackFor(firstOffer(slots), slots);
    } catch (error) {
      if (!(error instanceof CcparkError)) throw error;
      done(error);
      return;
    }
    const upgrade: Upgrade = { slots, done, since: undefined, epoch: undefined };
    this.#upgrade = upgrade;
    const by = this.#self.id;
    this.#transactions.run(
      (record) => {
        const isAsked = (number: number | undefined): boolean =>
          upgrade.since !== undefined && number !== undefined && number > upgrade.since;
        if (record?.proposal?.by === by || (record?.settled?.by === by && isAsked(record.settled.number))) {
          return undefined;
        }
        if (record?.proposal !== undefined || record === undefined) throw refusal("another one is under way");
        const number = record.proposals + 1;
        upgrade.since ??= record.proposals;
        upgrade.slots = slotsOf(namesOf(record));
        const offer = firstOffer(upgrade.slots);
        return { ...record, proposals: number, proposal: { number, by, offer, consents: [] } };
      },
      (record, error) => {
        if (error !== undefined) {
          this.#endUpgrade(error);
          return;
        }
        this.#observe(record!);
        if (this.isClosed) return;
        this.#sayAll(LOOK);
        this.#outcome(record!);
      },
    );
  }

  /** Of this end's own proposal. */
  #outcome({ settled }: GroupRecord): void {
    const upgrade = this.#upgrade;
    const isMine =
      settled?.by === this.#self.id && settled.number > (upgrade?.since ?? Number.POSITIVE_INFINITY);
    if (!isMine || upgrade === undefined) return;
    if (settled.why !== undefined) this.#endUpgrade(new CcparkError("failed-precondition", settled.why));
    else {
      upgrade.epoch ??= settled.number;
      this.#endIfChanged();
    }
  }

  #endUpgrade(error?: CcparkError): void {
    const upgrade = this.#upgrade;
    this.#upgrade = undefined;
    upgrade?.done(error);
  }

  #endIfChanged(): void {
    const epoch = this.#upgrade?.epoch;
    if (epoch === undefined) return;
    const peers = [...this.#peers.values()];
    if (peers.every(({ succession }) => succession.receiving >= epoch)) this.#endUpgrade();
  }

  /** The stacks towards one of the others have changed, which it may have known first. */
  #changed(): void {
    if ([...this.#peers.values()].some(({ succession }) => succession.sending > this.epoch)) this.#look();
    this.#endIfChanged();
    this.#answer();
    this.#leaveIfIdle();
  }

  /** Messages that it would take. */
  room(): number {
    if (this.#peers.size === 0 || this.#leaving !== undefined) return 0;
    let room = Number.POSITIVE_INFINITY;
    for (const peer of this.#peers.values()) room = Math.min(room, peer.room);
    return room;
  }

  /** To all others, or to that which `to` names; what there is no room for is lost. */
  send(messages: readonly Message[]): void {
    const room = Math.max(0, this.room());
    if (room > 0) this.#give(messages.slice(0, room));
    if (messages.length <= room) return;
    const { app, surroundings } = this.#options;
    app.feedback?.(droppedNow(surroundings.nowUs(), messages.slice(room)));
  }

  /** There is something to pull. */
  offer(): void {
    this.#refill();
  }

  #refill(): void {
    const { app } = this.#options;
    if (app.pull === undefined || this.#isRefilling || this.isClosed) return;
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

  #give(messages: readonly Message[]): void {
    const peers = [...this.#peers.values()];
    const lost = messages.filter(({ to }) => to !== undefined && !this.members.includes(to));
    if (lost.length > 0) {
      this.#options.app.feedback?.(droppedNow(this.#options.surroundings.nowUs(), lost));
    }
    for (const message of messages) {
      const { to } = message;
      if (lost.includes(message)) continue;
      const count =
        to === undefined ? peers.length : peers.filter(({ member }) => member.address === to).length;
      this.#unacked.set(message, count);
    }
    for (const peer of peers) {
      const { address } = peer.member;
      const own = messages.filter(({ to }) => to === undefined || to === address);
      if (own.length > 0) peer.give(own);
    }
  }

  #acked(messages: readonly Message[]): void {
    const acked: Message[] = [];
    for (const message of messages) {
      const left = (this.#unacked.get(message) ?? 1) - 1;
      if (left > 0) this.#unacked.set(message, left);
      else {
        this.#unacked.delete(message);
        acked.push(message);
      }
    }
    if (acked.length > 0) {
      const nowUs = this.#options.surroundings.nowUs();
      this.#options.app.feedback?.({ ...droppedNow(nowUs, NONE), acked });
    }
    this.#leaveIfIdle();
  }

  #deliver({ member }: Peer, messages: readonly Message[], stack: OpenStack): void {
    const { app } = this.#options;
    this.#untaken.add(stack, messages.length);
    app.receive(messages.map((message) => ({ ...contentOf(message), from: member.address })));
    if (app.consumesAtOnce !== false && !this.isClosed) this.consumed(messages.length);
  }

  consumed(messages: number): void {
    this.#untaken.taken(messages);
  }

  /** One of the others does not answer any more. */
  #remove({ id }: Member): void {
    this.#transactions.run(
      (record) => {
        if (record === undefined || !record.members.some((member) => member.id === id)) return undefined;
        return settle({ ...record, members: record.members.filter((member) => member.id !== id) });
      },
      (record) => this.#swapped(record),
    );
  }

  /** When all others have what this end has sent, it is none of them any more. @param done called then */
  leave(done: () => void = () => {}): void {
    if (this.isClosed) {
      done();
      return;
    }
    this.#leaving ??= done;
    this.#leaveIfIdle();
  }

  #isGoing = false;

  #leaveIfIdle(): void {
    const isBusy =
      this.#record?.proposal !== undefined || [...this.#peers.values()].some(({ isIdle }) => !isIdle);
    if (this.#leaving === undefined || this.#isGoing || isBusy || this.isClosed) return;
    this.#isGoing = true;
    const { id } = this.#self;
    this.#transactions.run(
      (record) => {
        if (record === undefined || !record.members.some((member) => member.id === id)) return undefined;
        return settle({ ...record, members: record.members.filter((member) => member.id !== id) });
      },
      () => {
        this.#sayAll(LOOK);
        const done = this.#leaving!;
        this.close();
        done();
      },
    );
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#transactions.close();
    for (const timer of [this.#deadline, this.#poll, this.#lookTimer]) timer?.cancel();
    for (const peer of this.#peers.values()) peer.close();
    this.#endUpgrade(new CcparkError("unavailable", "[transport] the connection was closed"));
  }

  fail(error: CcparkError): void {
    if (this.isClosed) return;
    this.close();
    this.#options.app.fail?.(error);
  }
}
