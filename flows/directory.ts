/**
 * The flows that run now, found by name or handle. A flow is there as long as its lease is renewed, and an owner has no more
 * flows than its quota: one that asks for too many is refused before anything is made for it.
 */
import { CcparkError, unknownName } from "../core/errors.ts";
import type { Micros } from "../core/units.ts";
import type { BandBodies, Bodies } from "./bands.ts";
import type { FlowHandle } from "./handle.ts";
import { Lease } from "./lease.ts";
import { NamedFlow } from "./named-flow.ts";
import { matches } from "./pattern.ts";

/** Whose flows are looked for: all, or those that have something in common with who asks. */
export const SCOPES = {
  self: "of the same owner",
  host: "sent from the same host",
  bottleneck: "through the same bottleneck",
  all: "all that there are",
} as const;

export type Scope = keyof typeof SCOPES;

/** @throws CcparkError (not-found) with the nearest name */
export function checkScope(name: string): Scope {
  if (Object.hasOwn(SCOPES, name)) return name as Scope;
  throw unknownName("flows", "scope", name, Object.keys(SCOPES), "scope");
}

/** What flows have in common. */
export interface FlowPlace {
  readonly owner: string;
  readonly host: string;
  readonly bottleneck: string;
}

export interface FlowTerms extends FlowPlace {
  readonly handle: FlowHandle;
  /** such as `session/0/flow-0`; need not be unique */
  readonly name: string;
  /** absent: until it is removed */
  readonly leaseUs?: Micros;
  /** as of `NamedFlow` */
  readonly onWanted?: () => void;
}

export interface FlowEntry<Said extends Bodies = BandBodies> {
  readonly flow: NamedFlow<Said>;
  readonly place: FlowPlace;
  readonly lease: Lease;
}

export interface Quotas {
  /** of one owner */
  readonly flowsPerOwner: number;
  readonly flows: number;
}

export interface FlowQuery {
  /** of names or handles, with `*` and `?`; absent: all */
  readonly pattern?: string;
  /** absent: all */
  readonly scope?: Scope;
  /** who asks; needed for every scope but all */
  readonly from?: Partial<FlowPlace>;
}

export class FlowDirectory<Said extends Bodies = BandBodies> {
  readonly quotas: Quotas;
  /** by printed handle, in the order in which they came */
  readonly #entries = new Map<string, FlowEntry<Said>>();
  readonly #held = new Map<string, number>();

  constructor(quotas: Quotas) {
    this.quotas = quotas;
  }

  get size(): number {
    return this.#entries.size;
  }

  heldBy(owner: string): number {
    return this.#held.get(owner) ?? 0;
  }

  /** Whether an owner may have so many more. @throws CcparkError (resource-exhausted) */
  checkRoom(owner: string, count: number): void {
    const { flows, flowsPerOwner } = this.quotas;
    const held = this.heldBy(owner);
    const what =
      held + count > flowsPerOwner
        ? `the client has ${held} and may have ${flowsPerOwner}`
        : this.size + count > flows
          ? `there are ${this.size} and may be ${flows}`
          : undefined;
    if (what === undefined) return;
    throw new CcparkError("resource-exhausted", `[flows] ${count} flows more: ${what}`, {
      field: "num_envs",
    });
  }

  /** @throws CcparkError: resource-exhausted beyond the quotas, already-exists for a handle that is here */
  add(terms: FlowTerms, nowUs: Micros): NamedFlow<Said> {
    const { handle, name, leaseUs = Number.POSITIVE_INFINITY, onWanted, ...place } = terms;
    this.checkRoom(place.owner, 1);
    const key = handle.toString();
    if (this.#entries.has(key)) {
      throw new CcparkError("already-exists", `[flows] handle ${key} is in the directory already`);
    }
    const flow = new NamedFlow<Said>(handle, name, onWanted);
    this.#entries.set(key, { flow, place, lease: new Lease(leaseUs, nowUs) });
    this.#held.set(place.owner, this.heldBy(place.owner) + 1);
    return flow;
  }

  /** @throws CcparkError (not-found) */
  get(handle: FlowHandle | string): FlowEntry<Said> {
    const entry = this.#entries.get(handle.toString());
    if (entry !== undefined) return entry;
    throw new CcparkError("not-found", `[flows] no flow ${handle}: it has ended, or never was here`, {
      field: "handle",
    });
  }

  has(handle: FlowHandle | string): boolean {
    return this.#entries.has(handle.toString());
  }

  /** Those that the query means, in the order in which they came. @throws CcparkError (invalid-argument) for a scope of nobody */
  find({ pattern = "*", scope = "all", from = {} }: FlowQuery = {}): FlowEntry<Said>[] {
    if (scope !== "all" && from[common(scope)] === undefined) {
      throw new CcparkError(
        "invalid-argument",
        `[flows] scope: got ${scope} without a flow, expected one whose ${common(scope)} is meant`,
        { field: "of_handle" },
      );
    }
    const found: FlowEntry<Said>[] = [];
    for (const [key, entry] of this.#entries) {
      if (scope !== "all" && entry.place[common(scope)] !== from[common(scope)]) continue;
      if (matches(pattern, entry.flow.name) || matches(pattern, key)) found.push(entry);
    }
    return found;
  }

  /** The flow has ended. @returns false: it is not here (any more) */
  remove(handle: FlowHandle | string): boolean {
    const key = handle.toString();
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    this.#entries.delete(key);
    const { owner } = entry.place;
    const left = this.heldBy(owner) - 1;
    if (left > 0) this.#held.set(owner, left);
    else this.#held.delete(owner);
    entry.flow.end();
    return true;
  }

  /** Ends the flows whose lease is over. */
  expire(nowUs: Micros): FlowEntry<Said>[] {
    const over = [...this.#entries.values()].filter(({ lease }) => lease.isOver(nowUs));
    for (const { flow } of over) this.remove(flow.handle);
    return over;
  }
}

function common(scope: Exclude<Scope, "all">): keyof FlowPlace {
  return scope === "self" ? "owner" : scope;
}
