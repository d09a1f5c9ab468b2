/** How an end comes to be one of a record's members: as its founder, or by a stack and a base that fit those of the others. */
import { CcparkError } from "../../core/errors.ts";
import type { Surroundings } from "../chunnel.ts";
import { SESSION_BYTES } from "../chunnels/framing/frame.ts";
import type { Slot } from "../negotiate/choose.ts";
import type { GroupWays } from "./group-ways.ts";
import { firstOffer, type GroupRecord, MAX_MEMBERS, type Member, stackFor, withMembers } from "./record.ts";
import { LATER, type Transactions } from "./transaction.ts";

export interface JoinOptions {
  readonly key: string;
  readonly slots: readonly Slot[];
  readonly self: Member;
  readonly surroundings: Surroundings;
  readonly ways: GroupWays;
  readonly transactions: Transactions;
}

/** @param done given the record with this end in it, or why it cannot be */
export function join(options: JoinOptions, done: (joined: GroupRecord | CcparkError) => void): void {
  const { key, slots, self, surroundings, ways, transactions } = options;
  /** base of the others' present stack, by which this end has no way yet */
  let missing: string | undefined;
  transactions.run(
    (record) => {
      missing = undefined;
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
      const base = ways.baseOf(record);
      if (!ways.isOpen(base)) {
        missing = base;
        return undefined;
      }
      // who was there before under this address is gone
      const others = record.members.filter(({ address }) => address !== self.address);
      const addresses = { ...record.addresses, [self.id]: ways.addressBy(base) };
      return withMembers({ ...record, addresses }, [...others, self]);
    },
    (record, error) => {
      if (error !== undefined) done(error);
      else if (missing === undefined) done(record!);
      else {
        ways.open(missing, (address) => {
          if (typeof address === "string") join(options, done);
          else done(address);
        });
      }
    },
  );
}
