/**
 * What two ends that offer stacks agree on (Bertha's negotiation): chunnels with a capability stand at both ends, in the same
 * order, and fit by it; those without are one end's own matter. `select` offers several for one place. Offers are data, so that
 * they can be sent (`offer-wire.ts`), and the choice is places in them.
 */
import { CcparkError } from "../../core/errors.ts";
import type { Capability } from "../chunnel.ts";
import { type ChunnelSpec, checkStack } from "../stack/spec.ts";

/** Who decides where several fit: the client's order, or the server's. */
export type SelectPolicy = "client" | "server";

export interface Select {
  readonly options: readonly ChunnelSpec[];
  readonly policy: SelectPolicy;
}

export type Slot = ChunnelSpec | Select;

/** One of the two, whichever the peer has as well; `nothing()` is the choice to do without. */
export function select(first: ChunnelSpec, second: ChunnelSpec, policy: SelectPolicy = "client"): Select {
  return { options: [first, second], policy };
}

/** What a peer is told of a chunnel. */
export interface Offered {
  readonly name: string;
  readonly capability?: Capability | undefined;
}

export interface OfferedSlot {
  readonly options: readonly Offered[];
  readonly policy: SelectPolicy;
}

/** The places that both ends must have, top first. */
export type Offer = readonly OfferedSlot[];

/** For each of an end's places, which of its options. */
export interface Choice {
  readonly client: readonly number[];
  readonly server: readonly number[];
}

export interface Agreement {
  readonly client: readonly ChunnelSpec[];
  readonly server: readonly ChunnelSpec[];
}

function optionsOf(slot: Slot): readonly ChunnelSpec[] {
  return isChunnel(slot) ? [slot] : slot.options;
}

function isChunnel(slot: Slot): slot is ChunnelSpec {
  return "make" in slot;
}

function isShared(slot: Slot): boolean {
  return optionsOf(slot).some(({ capability }) => capability !== undefined);
}

export function offerOf(slots: readonly Slot[]): Offer {
  return slots.filter(isShared).map((slot) => ({
    options: optionsOf(slot).map(({ name, capability }) => ({ name, capability })),
    policy: isChunnel(slot) ? "client" : slot.policy,
  }));
}

function fits(a: Offered, b: Offered): boolean {
  const [one, other] = [a.capability, b.capability];
  if (one === undefined || other === undefined) return one === other;
  if (a.name !== b.name || one.match !== other.match) return false;
  const common = one.labels.filter((label) => other.labels.includes(label)).length;
  return one.match === "overlap"
    ? common > 0
    : common === one.labels.length && common === other.labels.length;
}

function describe({ options }: OfferedSlot): string {
  return options
    .map(
      ({ name, capability }) =>
        `${name}${capability === undefined ? "" : ` (${capability.labels.join(", ")})`}`,
    )
    .join(" or ");
}

function choose(client: OfferedSlot, server: OfferedSlot): readonly [number, number] | undefined {
  const pairs: (readonly [number, number])[] = [];
  client.options.forEach((a, i) => {
    server.options.forEach((b, k) => {
      if (fits(a, b)) pairs.push([i, k]);
    });
  });
  if (server.policy === "server") pairs.sort((a, b) => a[1] - b[1] || a[0] - b[0]);
  return pairs[0];
}

/** The option to do without, where the slot has it. */
function without(slot: OfferedSlot | undefined): number | undefined {
  const found = slot?.options.findIndex(({ capability }) => capability === undefined) ?? -1;
  return found < 0 ? undefined : found;
}

/** @throws CcparkError (failed-precondition) that names the place where the offers do not fit */
export function agree(client: Offer, server: Offer): Choice {
  const [ours, theirs]: [number[], number[]] = [[], []];
  while (ours.length < client.length || theirs.length < server.length) {
    const [a, b] = [client[ours.length], server[theirs.length]];
    const pair = a === undefined || b === undefined ? undefined : choose(a, b);
    const [withoutA, withoutB] = [without(a), without(b)];
    if (pair !== undefined) {
      ours.push(pair[0]);
      theirs.push(pair[1]);
    } else if (withoutA !== undefined) ours.push(withoutA);
    else if (withoutB !== undefined) theirs.push(withoutB);
    else {
      const got = a === undefined ? "nothing" : describe(a);
      const expected = b === undefined ? "nothing" : describe(b);
      const message = `[transport] negotiation, chunnel ${ours.length} that both ends must have: the client offers ${got}, the server ${expected}`;
      throw new CcparkError("failed-precondition", message);
    }
  }
  return { client: ours, server: theirs };
}

/**
 * The stack that an end opens.
 * @throws CcparkError (invalid-argument) if what was chosen does not fit together, or is no choice of these
 */
export function chosenStack(
  slots: readonly Slot[],
  choice: Choice,
  side: "client" | "server",
): readonly ChunnelSpec[] {
  let place = 0;
  const opened: ChunnelSpec[] = [];
  for (const slot of slots) {
    const options = optionsOf(slot);
    const option = isShared(slot) ? choice[side][place++] : 0;
    const spec = option === undefined ? undefined : options[option];
    if (spec === undefined) {
      throw new CcparkError("invalid-argument", `[transport] ${side}: got a choice that was not offered`);
    }
    if (spec.name !== "nothing") opened.push(spec);
  }
  checkStack(opened, side);
  return opened;
}

/**
 * The stacks that the two ends open.
 * @throws CcparkError (failed-precondition) that names the place where the offers do not fit
 */
export function negotiate(client: readonly Slot[], server: readonly Slot[]): Agreement {
  const choice = agree(offerOf(client), offerOf(server));
  return { client: chosenStack(client, choice, "client"), server: chosenStack(server, choice, "server") };
}
