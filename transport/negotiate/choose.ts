/**
 * What two ends that offer stacks agree on (Bertha's negotiation as a function): chunnels with a capability stand at both ends, in
 * the same order, and fit by it; those without are one end's own matter. `select` offers several for one place.
 */
import { CcparkError } from "../../core/errors.ts";
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

function fits(a: ChunnelSpec, b: ChunnelSpec): boolean {
  const [one, other] = [a.capability, b.capability];
  if (one === undefined || other === undefined) return one === other;
  if (a.name !== b.name || one.match !== other.match) return false;
  const common = one.labels.filter((label) => other.labels.includes(label)).length;
  return one.match === "overlap"
    ? common > 0
    : common === one.labels.length && common === other.labels.length;
}

function describe(slot: Slot): string {
  return optionsOf(slot)
    .map(
      ({ name, capability }) =>
        `${name}${capability === undefined ? "" : ` (${capability.labels.join(", ")})`}`,
    )
    .join(" or ");
}

function choose(client: Slot, server: Slot): readonly [ChunnelSpec, ChunnelSpec] | undefined {
  const [ours, theirs] = [optionsOf(client), optionsOf(server)];
  const isServers = !isChunnel(server) && server.policy === "server";
  if (isServers) {
    for (const b of theirs) for (const a of ours) if (fits(a, b)) return [a, b];
  } else for (const a of ours) for (const b of theirs) if (fits(a, b)) return [a, b];
  return undefined;
}

/**
 * The stacks that the two ends open.
 * @throws CcparkError (failed-precondition) that names the place where the offers do not fit
 */
export function negotiate(client: readonly Slot[], server: readonly Slot[]): Agreement {
  const [ours, theirs] = [client.filter(isShared), server.filter(isShared)];
  const chosen = new Map<Slot, ChunnelSpec>();
  for (let i = 0; i < Math.max(ours.length, theirs.length); i++) {
    const [a, b] = [ours[i], theirs[i]];
    const pair = a === undefined || b === undefined ? undefined : choose(a, b);
    if (pair === undefined) {
      const got = a === undefined ? "nothing" : describe(a);
      const expected = b === undefined ? "nothing" : describe(b);
      const message = `[transport] negotiation, chunnel ${i} that both ends must have: the client offers ${got}, the server ${expected}`;
      throw new CcparkError("failed-precondition", message);
    }
    chosen.set(a!, pair[0]);
    chosen.set(b!, pair[1]);
  }
  const opened = (slots: readonly Slot[]): readonly ChunnelSpec[] =>
    slots.map((slot) => chosen.get(slot) ?? optionsOf(slot)[0]!).filter(({ name }) => name !== "nothing");
  const agreement = { client: opened(client), server: opened(server) };
  checkStack(agreement.client, "client");
  checkStack(agreement.server, "server");
  return agreement;
}
