/**
 * One end of a connection of several, which meet by a record in a store that all can reach. A message goes to all others, or to the one that
 * it names; from each end messages come in order and once. Their stack is exchanged in two phases while messages go on: the
 * record has a proposal, each end prepares the next stack and consents, and with the last consent the same swap makes it the present one. From
 * each to each other the change is then that of two ends (`live/succession.ts`).
 */
import { CcparkError } from "../../core/errors.ts";
import type { Micros } from "../../core/units.ts";
import type { Message, Surroundings, Timer } from "../chunnel.ts";
import { sessionOf } from "../chunnels/framing/frame.ts";
import { baseOf } from "../live/fit.ts";
import { LOOK } from "../live/messages.ts";
import type { OpenWay } from "../live/way.ts";
import type { Slot } from "../negotiate/choose.ts";
import type { App, DatagramPort } from "../stack/open.ts";
import type { ChunnelSpec } from "../stack/spec.ts";
import { GroupExchange } from "./group-exchange.ts";
import { GroupMessages } from "./group-messages.ts";
import { GroupWays } from "./group-ways.ts";
import { join } from "./join.ts";
import { Peer, type PeerUser } from "./peer.ts";
import { firstOffer, type GroupRecord, type Member, namesOf, stackFor, without } from "./record.ts";
import type { RendezvousStore } from "./store.ts";
import { Transactions } from "./transaction.ts";

/** How often an end looks into the store where nothing tells it to. */
const POLL_US: Micros = 1_000_000;
/** A proposal to which somebody has not answered for so long comes to nothing. */
const PROPOSAL_US: Micros = 10_000_000;
/** Datagrams of a stack that this end has not heard of: kept while it looks. */
const MAX_HELD = 64;
/** Who sends such datagrams without end makes the store be asked at most so often. */
const LOOK_GAP_US: Micros = 20_000;

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
  /** ways by other bases, such as unix sockets; absent: there are none */
  readonly openWay?: OpenWay | undefined;
  /** changes a stack before it is opened */
  readonly adapt?: ((stack: readonly ChunnelSpec[]) => readonly ChunnelSpec[]) | undefined;
  readonly pollUs?: Micros;
  readonly proposalUs?: Micros;
}

/** A datagram, from whom, and by which base; absent: the first. */
type Came = readonly [datagram: Uint8Array, from: string, base?: string];

export class GroupStack {
  readonly #options: GroupOptions;
  readonly #transactions: Transactions;
  readonly #self: Member;
  readonly #peers = new Map<string, Peer>();
  readonly #user: PeerUser;
  readonly #messages: GroupMessages;
  readonly #exchange: GroupExchange;
  readonly #ways: GroupWays;
  /** as last seen in the store */
  #record: GroupRecord | undefined;
  #poll: Timer | undefined;
  #lookedUs: Micros = Number.NEGATIVE_INFINITY;
  #lookTimer: Timer | undefined;
  readonly #held: Came[] = [];
  #leaving: (() => void) | undefined;
  isClosed = false;

  /** Joins at once, or founds the connection. @throws CcparkError (invalid-argument, failed-precondition) if the slots do not fit together */
  constructor(options: GroupOptions) {
    this.#options = options;
    const { store, key, slots, surroundings, port, openWay } = options;
    stackFor(firstOffer(slots), slots);
    const id = Array.from(surroundings.randomBytes(8), (byte) => byte.toString(16).padStart(2, "0")).join("");
    this.#self = { id, address: port.self };
    this.#transactions = new Transactions(store, key, surroundings);
    this.#messages = new GroupMessages({
      app: options.app,
      surroundings,
      peers: this.#peers,
      isClosed: () => this.isClosed,
      isLeaving: () => this.#leaving !== undefined,
      acked: () => this.#leaveIfIdle(),
    });
    this.#ways = new GroupWays({
      first: baseOf(slots),
      port,
      openWay,
      arrive: (datagram, base) => this.#arrive(datagram, "", base),
    });
    this.#exchange = new GroupExchange({
      ways: this.#ways,
      self: this.#self,
      slots,
      peers: this.#peers,
      transactions: this.#transactions,
      surroundings,
      proposalUs: options.proposalUs ?? PROPOSAL_US,
      swapped: (record) => this.#swapped(record),
      proposed: (record) => this.#proposed(record),
    });
    this.#user = {
      refill: () => this.#messages.refill(),
      deliver: (peer, messages, stack) => this.#messages.deliver(peer, messages, stack),
      steered: (_peer, kind) => {
        if (kind === LOOK) this.#look();
      },
      changed: () => this.#changed(),
      acked: (messages) => this.#messages.acked(messages),
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

  /** By which datagrams go now. */
  get base(): string {
    return this.#ways.baseOf(this.#record);
  }

  /** Addresses of the others. */
  get members(): readonly string[] {
    return [...this.#peers.values()].map(({ member }) => member.address);
  }

  #join(): void {
    const { slots, key, surroundings } = this.#options;
    const options = { key, slots, surroundings, self: this.#self, ways: this.#ways };
    join({ ...options, transactions: this.#transactions }, (joined) => {
      if (joined instanceof CcparkError) {
        this.fail(joined);
        return;
      }
      this.#options.app.ready?.();
      this.#observe(joined);
      this.#sayAll(LOOK);
      this.#schedulePoll();
    });
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
    this.#arrive(datagram, from);
  }

  #arrive(...came: Came): void {
    const [datagram, ...others] = came;
    if (this.isClosed || this.#route(...came) || sessionOf(datagram) === undefined) return;
    if (this.#held.length < MAX_HELD) this.#held.push([datagram.slice(), ...others]);
    this.#look();
  }

  /** @param base by which it came: above it the other end goes by its name, which the session tells; absent: the first */
  #route(datagram: Uint8Array, from: string, base?: string): boolean {
    const session = sessionOf(datagram);
    if (session === undefined) return false;
    for (const { succession, member } of this.#peers.values()) {
      const source = base === undefined ? from : member.address;
      if (succession.arrivedBy(session, datagram, source, base === "unix" || undefined)) return true;
    }
    return false;
  }

  #release(): void {
    for (const came of this.#held.splice(0)) if (!this.isClosed) this.#route(...came);
  }

  drained(): void {
    for (const { succession } of this.#peers.values()) succession.drained();
  }

  /** What the store says now, or said a while ago. */
  #observe(record: GroupRecord): void {
    if (this.isClosed || record.version <= (this.#record?.version ?? 0)) return;
    const before = this.#record;
    this.#record = record;
    this.#ways.learn(record);
    if (!record.members.some(({ id }) => id === this.#self.id)) {
      if (this.#leaving === undefined) {
        this.fail(new CcparkError("unavailable", "[transport] the others took this end for gone"));
      }
      return;
    }
    if (before !== undefined && record.epoch > before.epoch) this.#exchange.commit(record);
    try {
      this.#meet(record);
    } catch (error) {
      // a stack to which this end has never consented
      if (!(error instanceof CcparkError)) throw error;
      this.fail(error);
      return;
    }
    this.#exchange.forget(record);
    this.#exchange.answer(record);
    this.#exchange.watch(record, before);
    this.#exchange.outcome(record);
    this.#leaveIfIdle();
  }

  #meet(record: GroupRecord): void {
    for (const [id, peer] of this.#peers) {
      if (record.members.some((member) => member.id === id)) continue;
      this.#peers.delete(id);
      this.#messages.acked(peer.close());
      this.#options.app.left?.(peer.member.address);
    }
    const own = record.members.findIndex(({ id }) => id === this.#self.id);
    record.members.forEach((member, i) => {
      if (i === own || this.#peers.has(member.id)) return;
      const { surroundings, adapt } = this.#options;
      const peer = new Peer({
        member,
        side: i < own ? "client" : "server",
        surroundings,
        adapt,
        user: this.#user,
      });
      this.#peers.set(member.id, peer);
      this.#exchange.begin(peer, record);
      this.#options.app.joined?.(member.address);
    });
    this.#messages.refill();
  }

  /** This end has changed the record: it and the others are to see it. */
  #swapped(record: GroupRecord | undefined): void {
    if (record === undefined || this.isClosed) return;
    const isSettled = record.settled?.number !== this.#record?.settled?.number;
    this.#observe(record);
    if (isSettled) this.#sayAll(LOOK);
  }

  /**
   * Exchanges the stack of all ends: each consents if its own slots fit.
   * @param given slots, or by what all have when it is proposed, and by which base, of which this end may not have heard yet
   * @param done called when messages of this end go and come by the new one, or with why they do not: then the old one goes on
   */
  upgrade(
    given: readonly Slot[] | ((shared: readonly string[], base: string) => readonly Slot[]),
    done: (error?: CcparkError) => void,
  ): void {
    const slotsOf = typeof given === "function" ? given : () => given;
    const isOver = this.isClosed || this.#leaving !== undefined;
    this.#exchange.propose(slotsOf, this.#record, isOver ? "the connection is closed" : undefined, done);
  }

  #proposed(record: GroupRecord): void {
    this.#observe(record);
    if (this.isClosed) return;
    this.#sayAll(LOOK);
    this.#exchange.outcome(record);
  }

  /** The stacks towards one of the others have changed, which it may have known first. */
  #changed(): void {
    if ([...this.#peers.values()].some(({ succession }) => succession.sending > this.epoch)) this.#look();
    this.#exchange.endIfChanged();
    this.#exchange.answer(this.#record);
    this.#leaveIfIdle();
  }

  /** Messages that it would take. */
  room(): number {
    return this.#messages.room();
  }

  /** To all others, or to that which `to` names; what there is no room for is lost. */
  send(messages: readonly Message[]): void {
    this.#messages.send(messages);
  }

  /** There is something to pull. */
  offer(): void {
    this.#messages.refill();
  }

  consumed(messages: number): void {
    this.#messages.consumed(messages);
  }

  /** One of the others does not answer any more. */
  #remove({ id }: Member): void {
    this.#transactions.run(
      (record) => without(record, id),
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
      (record) => without(record, id),
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
    for (const timer of [this.#poll, this.#lookTimer]) timer?.cancel();
    for (const peer of this.#peers.values()) peer.close();
    this.#exchange.close();
    this.#ways.close();
  }

  fail(error: CcparkError): void {
    if (this.isClosed) return;
    this.close();
    this.#options.app.fail?.(error);
  }
}
