/** A node of a tree asks its parent whether it is there; one that is silent is left within the lease, for who was above it. */
import { NANOS_PER_SEC } from "../../../../core/units.ts";
import type { Overlay } from "../../overlay.ts";
import { above, isBelow, type Member } from "./member.ts";

const LEASE_SEC = 10;
/** A node asks its parent so many times in half a lease, and gives it up when none of them was answered. */
const ASKED = 4;
const ASK_BYTES = 100;

/** A parent that was silent, and who came after it. */
export interface Reattachment {
  readonly node: string;
  readonly lost: string;
  readonly parent: string;
  readonly atSec: number;
}

export class Leases {
  readonly reattachments: Reattachment[] = [];
  readonly #overlay: Overlay;
  readonly #leaseSec: number;
  readonly #root: Member;
  readonly #attach: (member: Member, parent: Member) => void;

  /** @param attach lets a member be fed by another */
  constructor(
    overlay: Overlay,
    from: {
      readonly leaseSec: number | undefined;
      readonly root: Member;
      readonly attach: (member: Member, parent: Member) => void;
    },
  ) {
    this.#overlay = overlay;
    this.#leaseSec = from.leaseSec ?? LEASE_SEC;
    this.#root = from.root;
    this.#attach = from.attach;
  }

  /** The member asks its parent from now on. */
  begin(member: Member): void {
    const overlay = this.#overlay;
    const halfNs = (this.#leaseSec * NANOS_PER_SEC) / 2;
    const ask = (): void => {
      if (overlay.nowNs - member.answeredNs > halfNs && member.parent!.parent !== undefined)
        this.#leave(member);
      const parent = member.parent!;
      this.#ask(member, parent, () => {
        if (member.parent !== parent) return;
        member.answeredNs = overlay.nowNs;
        member.ancestors = above(parent);
      });
      overlay.after(halfNs / ASKED, ask);
    };
    overlay.after((overlay.rng.fork(`lease.${member.name}`).next() * halfNs) / ASKED, ask);
  }

  #ask(member: Member, other: Member, answered: () => void): void {
    const overlay = this.#overlay;
    const { graph, messages } = overlay;
    const send = (from: Member, to: Member, arrived: () => void): void =>
      messages.send(graph.way(from.name, to.name), ASK_BYTES, overlay.numberOf(from.name), arrived);
    send(member, other, () => send(other, member, answered));
  }

  /** The first of those above who answers is the parent from now on; all are asked at once. */
  #leave(member: Member): void {
    const lost = member.parent!;
    for (const other of member.ancestors.length > 0 ? member.ancestors : [this.#root]) {
      this.#ask(member, other, () => {
        if (member.parent !== lost || isBelow(other, member)) return;
        this.reattachments.push({
          node: member.name,
          lost: lost.name,
          parent: other.name,
          atSec: this.#overlay.nowSec,
        });
        this.#attach(member, other);
      });
    }
  }
}
