/** What stands in the store of a connection of several ends: its members, their stack, and the next one while they agree on it. */
import { blake2s } from "@noble/hashes/blake2.js";
import { CcparkError } from "../../core/errors.ts";
import type { Bytes } from "../../core/units.ts";
import { SESSION_BYTES } from "../chunnels/framing/frame.ts";
import { checkExchangeable } from "../live/fit.ts";
import { agree, chosenStack, type Offer, offerOf, type Slot } from "../negotiate/choose.ts";
import { decodeOffer, encodeOffer, TRANSCRIPT_BYTES } from "../negotiate/offer-wire.ts";
import type { ChunnelSpec } from "../stack/spec.ts";
import { WireFault } from "../wire.ts";

export interface Member {
  /** another one each time that somebody joins */
  readonly id: string;
  readonly address: string;
}

export interface GroupProposal {
  /** proposals are counted, those that came to nothing too */
  readonly number: number;
  /** a member's id */
  readonly by: string;
  readonly offer: Offer;
  /** ids of those that have prepared it */
  readonly consents: readonly string[];
  /** another base than the present one; absent: as it is */
  readonly base?: string;
  /** of those that have prepared it, by their ids: where they are by that base */
  readonly addresses?: Addresses;
}

/** By a member's id: where it is by another base than its first. */
export type Addresses = Readonly<Record<string, string>>;

export interface Settled {
  readonly number: number;
  readonly by: string;
  /** absent: all consented */
  readonly why?: string;
}

export interface GroupRecord {
  /** swaps so far */
  readonly version: number;
  readonly session: Uint8Array;
  /** the proposal that brought the present stack; 0: the founder's */
  readonly epoch: number;
  /** of the present stack: what all must have, one option each */
  readonly offer: Offer;
  /** in the order in which they came */
  readonly members: readonly Member[];
  /** of all stacks; absent: that which each end was opened with */
  readonly base?: string;
  readonly addresses?: Addresses;
  readonly proposals: number;
  readonly proposal?: GroupProposal;
  /** the latest proposal of which the outcome is known */
  readonly settled?: Settled;
}

export const MAX_MEMBERS = 64;
const MAX_VALUE_BYTES: Bytes = 1 << 16;
const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function unhex(text: unknown): Uint8Array {
  if (typeof text !== "string" || !/^(?:[0-9a-f]{2})*$/.test(text)) throw new WireFault("not bytes in hex");
  return Uint8Array.from({ length: text.length / 2 }, (_, i) =>
    Number.parseInt(text.slice(2 * i, 2 * i + 2), 16),
  );
}

/** As JSON: whoever looks into the store can read it. */
export function encodeRecord(record: GroupRecord): Uint8Array {
  const { session, offer, proposal } = record;
  return ENCODER.encode(
    JSON.stringify({
      ...record,
      session: hex(session),
      offer: hex(encodeOffer(offer)),
      ...(proposal !== undefined && { proposal: { ...proposal, offer: hex(encodeOffer(proposal.offer)) } }),
    }),
  );
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.length <= 1_000;
}

function isRecordOf(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function readMember(value: unknown): Member {
  if (!isRecordOf(value) || !isText(value.id) || !isText(value.address)) throw new WireFault("not a member");
  return { id: value.id, address: value.address };
}

function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value) || value.length > MAX_MEMBERS) throw new WireFault("not a list of members");
  return value;
}

function readProposal(value: unknown): GroupProposal {
  if (!isRecordOf(value) || !isWhole(value.number) || !isText(value.by))
    throw new WireFault("not a proposal");
  const consents = listOf(value.consents).map(String);
  const offer = decodeOffer(unhex(value.offer));
  return { number: value.number, by: value.by, offer, consents, ...readBase(value) };
}

function readBase({ base, addresses }: Record<string, unknown>): {
  readonly base?: string;
  readonly addresses?: Addresses;
} {
  if (base === undefined) return {};
  if (!isText(base) || !isRecordOf(addresses)) throw new WireFault("not a base");
  const entries = listOf(Object.entries(addresses)) as [string, unknown][];
  if (!entries.every(([, address]) => isText(address))) throw new WireFault("not addresses");
  return { base, addresses: Object.fromEntries(entries) as Addresses };
}

function readSettled(value: unknown): Settled {
  if (!isRecordOf(value) || !isWhole(value.number) || !isText(value.by))
    throw new WireFault("not an outcome");
  const { number, by, why } = value;
  return { number, by, ...(why !== undefined && { why: String(why) }) };
}

function readRecord(bytes: Uint8Array): GroupRecord {
  if (bytes.length > MAX_VALUE_BYTES) throw new WireFault("too long");
  const read: unknown = JSON.parse(DECODER.decode(bytes));
  if (!isRecordOf(read)) throw new WireFault("not a record");
  const { version, session, epoch, offer, members, proposals, proposal, settled } = read;
  const id = unhex(session);
  if (!isWhole(version) || !isWhole(epoch) || !isWhole(proposals) || id.length !== SESSION_BYTES) {
    throw new WireFault("not a record");
  }
  return {
    version,
    session: id,
    epoch,
    offer: decodeOffer(unhex(offer)),
    members: listOf(members).map(readMember),
    ...readBase(read),
    proposals,
    ...(proposal !== undefined && { proposal: readProposal(proposal) }),
    ...(settled !== undefined && { settled: readSettled(settled) }),
  };
}

/** @throws CcparkError (failed-precondition) if the value is of somebody else */
export function decodeRecord(key: string, bytes: Uint8Array): GroupRecord {
  try {
    return readRecord(bytes);
  } catch (cause) {
    if (!(cause instanceof WireFault || cause instanceof SyntaxError)) throw cause;
    const message = `[transport] rendezvous, key \`${key}\`: got a value of something else, expected a connection's`;
    throw new CcparkError("failed-precondition", message, { cause });
  }
}

/** What an end that decides alone would have all have: the first option of each place. @throws CcparkError (invalid-argument) */
export function firstOffer(slots: readonly Slot[]): Offer {
  const offer = offerOf(slots);
  const { client } = agree(offer, offer);
  return offer.flatMap(({ options, policy }, i) => {
    const option = options[client[i]!]!;
    return option.capability === undefined ? [] : [{ options: [option], policy }];
  });
}

/**
 * An end's own stack where all are to have what `offer` says.
 * @throws CcparkError (failed-precondition) that names the place where its slots do not fit, or what the stack lacks
 */
export function stackFor(offer: Offer, slots: readonly Slot[]): readonly ChunnelSpec[] {
  const stack = chosenStack(slots, agree(offer, offerOf(slots)), "server");
  checkExchangeable("new", stack);
  return stack;
}

/** Names of the chunnels that all have now. */
export function namesOf(record: GroupRecord | undefined): readonly string[] {
  return (record?.offer ?? []).flatMap(({ options }) => options.map(({ name }) => name));
}

/** A proposal to which all have consented takes effect. */
export function settle(record: GroupRecord): GroupRecord {
  const { proposal, ...rest } = record;
  if (proposal === undefined || rest.members.some(({ id }) => !proposal.consents.includes(id))) return record;
  const { number, by, offer, base = rest.base, addresses = rest.addresses } = proposal;
  return withMembers(
    { ...rest, epoch: number, offer, settled: { number, by }, base, addresses },
    rest.members,
  );
}

/** The same with others in it: addresses of those that are gone go too. */
export function withMembers(
  record: Omit<GroupRecord, "members" | "base" | "addresses"> & {
    readonly base?: string | undefined;
    readonly addresses?: Addresses | undefined;
  },
  members: readonly Member[],
): GroupRecord {
  const { base, addresses = {}, ...rest } = record;
  if (base === undefined) return { ...rest, members };
  const own = members.flatMap(({ id }) => {
    const address = addresses[id];
    return address === undefined ? [] : [[id, address] as const];
  });
  return { ...rest, members, base, addresses: Object.fromEntries(own) };
}

/** The same without that member, with which a proposal may be settled. Undefined: it is none of them. */
export function without(record: GroupRecord | undefined, id: string): GroupRecord | undefined {
  if (record === undefined || !record.members.some((member) => member.id === id)) return undefined;
  return settle(
    withMembers(
      record,
      record.members.filter((member) => member.id !== id),
    ),
  );
}

/** A member has prepared what is proposed. @param address where it is by the proposed base */
export function consent(record: GroupRecord, id: string, address: string): GroupRecord {
  const proposal = record.proposal!;
  const consents = [...proposal.consents, id];
  const addresses = { ...proposal.addresses, [id]: address };
  return settle({
    ...record,
    proposal: { ...proposal, consents, ...(proposal.base !== undefined && { addresses }) },
  });
}

/** The proposal comes to nothing. */
export function refuse(record: GroupRecord, why: string): GroupRecord {
  const { proposal, ...rest } = record;
  return { ...rest, settled: { number: proposal!.number, by: proposal!.by, why } };
}

/** What tells apart, and what both ends of two members' nth stack have in their keys. */
export function pairOf(
  { session }: GroupRecord,
  offer: Offer,
  [one, other]: readonly [string, string],
  epoch: number,
): { readonly session: Uint8Array; readonly transcript: Uint8Array } {
  const [low, high] = one < other ? [one, other] : [other, one];
  const name = ENCODER.encode(`${low} ${high} ${epoch}`);
  const hash = (dkLen: Bytes): Uint8Array =>
    blake2s.create({ dkLen }).update(session).update(name).update(encodeOffer(offer)).digest();
  return { session: hash(SESSION_BYTES), transcript: hash(TRANSCRIPT_BYTES) };
}
