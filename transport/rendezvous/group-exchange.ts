/**
 * How all ends exchange their stack, in two phases by the record in the store: one proposes, each prepares the next stack and consents, or says
 * why not, and with the last consent the same swap makes it the present one.
 */
import { CcparkError } from "../../core/errors.ts";
import type { Micros } from "../../core/units.ts";
import type { Surroundings, Timer } from "../chunnel.ts";
import { baseOf, refusal, withBase } from "../live/fit.ts";
import type { Slot } from "../negotiate/choose.ts";
import type { GroupWays } from "./group-ways.ts";
import type { Peer } from "./peer.ts";
import {
  consent,
  firstOffer,
  type GroupRecord,
  type Member,
  namesOf,
  pairOf,
  refuse,
  stackFor,
} from "./record.ts";
import type { Transactions } from "./transaction.ts";

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

export interface GroupExchangeOptions {
  readonly self: Member;
  readonly slots: readonly Slot[];
  readonly peers: ReadonlyMap<string, Peer>;
  readonly transactions: Transactions;
  readonly surroundings: Surroundings;
  readonly ways: GroupWays;
  /** a proposal to which somebody has not answered for so long comes to nothing */
  readonly proposalUs: Micros;
  /** this end has changed the record, or seen it: it and the others are to see what is new */
  swapped(record: GroupRecord | undefined): void;
  /** this end has proposed */
  proposed(record: GroupRecord): void;
}

export class GroupExchange {
  readonly #options: GroupExchangeOptions;
  /** what this end consents to when another proposes */
  #slots: readonly Slot[];
  #upgrade: Upgrade | undefined;
  #prepared: Prepared | undefined;
  /** the proposal that this end has answered, or is about to */
  #answered = 0;
  /** the proposal that there is, as last seen */
  #proposal: number | undefined;
  #deadline: Timer | undefined;

  constructor(options: GroupExchangeOptions) {
    this.#options = options;
    this.#slots = options.slots;
  }

  get #peers(): readonly Peer[] {
    return [...this.#options.peers.values()];
  }

  /** The present stack towards a member begins. @throws CcparkError */
  begin(peer: Peer, record: GroupRecord): void {
    const base = this.#options.ways.baseOf(record);
    peer.begin(this.#epochFor(peer, record, record.epoch, record.offer, this.#slots, base));
  }

  #epochFor(
    { member }: Peer,
    record: GroupRecord,
    number: number,
    offer: GroupRecord["offer"],
    slots: readonly Slot[],
    base: string,
  ): Parameters<Peer["make"]>[0] {
    const { self, ways } = this.#options;
    const stack = stackFor(offer, withBase(slots, base));
    const pair = pairOf(record, offer, [member.id, self.id], number);
    return { number, stack, ...pair, way: ways.to(member, base) };
  }

  /** All have consented: from here on messages go by the next stack. */
  commit({ epoch }: GroupRecord): void {
    if (this.#prepared?.number === epoch) this.#slots = this.#prepared.slots;
    this.#prepared = undefined;
    for (const { succession } of this.#peers) {
      if (succession.has(epoch) && succession.sending < epoch) succession.change(epoch);
    }
  }

  /** What was prepared for a proposal that came to nothing goes. */
  forget({ proposal }: GroupRecord): void {
    this.#proposal = proposal?.number;
    if (this.#prepared === undefined || proposal?.number === this.#prepared.number) return;
    for (const { succession } of this.#peers) succession.drop(this.#prepared.number);
    this.#prepared = undefined;
  }

  /** Prepares what is proposed and consents, or says why not; once nothing is under way any more. */
  answer(record: GroupRecord | undefined): void {
    const proposal = record?.proposal;
    if (proposal === undefined || proposal.number <= this.#answered) return;
    const peers = this.#peers;
    if (peers.some(({ succession }) => succession.isChanging)) return;
    const { ways } = this.#options;
    this.#answered = proposal.number;
    const base = proposal.base ?? ways.baseOf(record);
    ways.open(base, (address) => {
      // it may have come to nothing while the way was opened
      if (this.#proposal === proposal.number) this.#prepare(record!, base, address);
    });
  }

  /** @param address this end's by that base, or why it has none */
  #prepare(record: GroupRecord, base: string, address: string | CcparkError): void {
    const { self, transactions, swapped } = this.#options;
    const { number, offer, by } = record.proposal!;
    const peers = this.#peers;
    const isMine = by === self.id && this.#upgrade !== undefined;
    const slots = withBase(isMine ? this.#upgrade!.slots : this.#slots, base);
    let why: string | undefined;
    try {
      if (address instanceof CcparkError) throw address;
      for (const peer of peers) peer.make(this.#epochFor(peer, record, number, offer, slots, base));
      this.#prepared = { number, slots };
    } catch (error) {
      if (!(error instanceof CcparkError)) throw error;
      why = error.message;
      for (const { succession } of peers) succession.drop(number);
    }
    transactions.run((now) => {
      if (now?.proposal?.number !== number || now.proposal.consents.includes(self.id)) return undefined;
      return why === undefined ? consent(now, self.id, String(address)) : refuse(now, why);
    }, swapped);
  }

  /** A proposal that not all answer comes to nothing. */
  watch({ proposal }: GroupRecord, before: GroupRecord | undefined): void {
    if (proposal?.number === before?.proposal?.number) return;
    this.#deadline?.cancel();
    if (proposal === undefined) return;
    const { surroundings, proposalUs, transactions, swapped } = this.#options;
    const { number } = proposal;
    this.#deadline = surroundings.wakeAt(surroundings.nowUs() + proposalUs, () => {
      transactions.run((now) => {
        if (now?.proposal?.number !== number) return undefined;
        const { consents } = now.proposal;
        const silent = now.members.filter(({ id }) => !consents.includes(id)).map(({ address }) => address);
        return refuse(now, refusal(`no answer of ${silent.join(", ")}`).message);
      }, swapped);
    });
  }

  /**
   * @param slotsOf by what all have when it is proposed, and by which base
   * @param why it cannot be now; undefined: it can
   */
  propose(
    slotsOf: (shared: readonly string[], base: string) => readonly Slot[],
    record: GroupRecord | undefined,
    why: string | undefined,
    done: (error?: CcparkError) => void,
  ): void {
    const { ways } = this.#options;
    const slots = slotsOf(namesOf(record), ways.baseOf(record));
    try {
      if (why !== undefined) throw refusal(why);
      if (record === undefined) throw refusal("the connection has not begun");
      if (this.#upgrade !== undefined) throw refusal("another one is under way");
      stackFor(firstOffer(slots), slots);
    } catch (error) {
      if (!(error instanceof CcparkError)) throw error;
      done(error);
      return;
    }
    const upgrade: Upgrade = { slots, done, since: undefined, epoch: undefined };
    this.#upgrade = upgrade;
    const by = this.#options.self.id;
    this.#options.transactions.run(
      (now) => {
        const isAsked = (number: number | undefined): boolean =>
          upgrade.since !== undefined && number !== undefined && number > upgrade.since;
        if (now?.proposal?.by === by || (now?.settled?.by === by && isAsked(now.settled.number))) {
          return undefined;
        }
        if (now?.proposal !== undefined || now === undefined) throw refusal("another one is under way");
        const number = now.proposals + 1;
        upgrade.since ??= now.proposals;
        const present = ways.baseOf(now);
        upgrade.slots = slotsOf(namesOf(now), present);
        const offer = firstOffer(upgrade.slots);
        const base = baseOf(upgrade.slots);
        const moves = base !== present && { base, addresses: {} };
        return { ...now, proposals: number, proposal: { number, by, offer, consents: [], ...moves } };
      },
      (proposed, error) => {
        if (error !== undefined) this.#end(error);
        else this.#options.proposed(proposed!);
      },
    );
  }

  /** Of this end's own proposal. */
  outcome({ settled }: GroupRecord): void {
    const upgrade = this.#upgrade;
    const isMine =
      settled?.by === this.#options.self.id && settled.number > (upgrade?.since ?? Number.POSITIVE_INFINITY);
    if (!isMine || upgrade === undefined) return;
    if (settled.why !== undefined) this.#end(new CcparkError("failed-precondition", settled.why));
    else {
      upgrade.epoch ??= settled.number;
      this.endIfChanged();
    }
  }

  endIfChanged(): void {
    const epoch = this.#upgrade?.epoch;
    if (epoch === undefined) return;
    if (this.#peers.every(({ succession }) => succession.receiving >= epoch)) this.#end();
  }

  #end(error?: CcparkError): void {
    const upgrade = this.#upgrade;
    this.#upgrade = undefined;
    upgrade?.done(error);
  }

  close(): void {
    this.#deadline?.cancel();
    this.#end(new CcparkError("unavailable", "[transport] the connection was closed"));
  }
}
