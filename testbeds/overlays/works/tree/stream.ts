/** What the root has goes down a tree: a node gives on what it has without a gap, as far as its children's buffers and its own allow. */
import { NANOS_PER_MILLI } from "../../../../core/units.ts";
import type { Overlay } from "../../overlay.ts";
import type { Member, TreeSpec } from "./member.ts";

const BUFFER_PACKETS = 256;

export class TreeStream {
  readonly #overlay: Overlay;
  readonly #spec: TreeSpec;
  readonly #root: Member;
  readonly #bufferPackets: number;

  constructor(overlay: Overlay, spec: TreeSpec, root: Member) {
    this.#overlay = overlay;
    this.#spec = spec;
    this.#root = root;
    this.#bufferPackets = spec.bufferPackets ?? BUFFER_PACKETS;
    if (spec.mbps === undefined) root.have = Number.POSITIVE_INFINITY;
  }

  /** The root gets packets at the stream's rate, unless it has all of them. */
  begin(): void {
    const { mbps } = this.#spec;
    if (mbps === undefined) return;
    const overlay = this.#overlay;
    const gapNs = (overlay.mssBytes * 8 * 1000) / mbps;
    const produce = (): void => {
      this.#root.have++;
      for (const child of this.#root.children) this.give(child);
      overlay.after(gapNs, produce);
    };
    produce();
  }

  /** The member's flow has begun. */
  open(member: Member): void {
    const { have } = member.parent!;
    // who comes later begins where the stream is
    if (this.#spec.onFull !== "hold" && Number.isFinite(have))
      member.have = member.given = member.skipped = have;
    this.give(member);
  }

  /** A packet has come to the member. */
  arrived(member: Member): void {
    const { inOrder } = member.flow!.receiver;
    if (inOrder + member.skipped > member.have) {
      member.have = inOrder + member.skipped;
      for (const child of member.children) this.give(child);
    }
    this.#tell(member);
    if (this.#spec.onFull === "hold" && member.parent !== undefined) this.#tell(member.parent);
  }

  /** The one before learns what was taken, half a round trip later. */
  #tell(member: Member): void {
    if (member.isTold || member.parent === undefined) return;
    member.isTold = true;
    const delayNs = this.#overlay.graph.delayMs(member.name, member.parent.name) * NANOS_PER_MILLI;
    this.#overlay.after(delayNs, () => {
      member.isTold = false;
      this.give(member);
    });
  }

  /** Up to where the stream may be given to a node: as far as its buffer and those behind it go. */
  #limitOf(member: Member): number {
    const own = member.have + this.#bufferPackets;
    if (this.#spec.onFull !== "hold") return own;
    return member.children.reduce((least, { have }) => Math.min(least, have + this.#bufferPackets), own);
  }

  /** The member's flow may send what its parent has and it has room for. */
  give(member: Member): void {
    const { parent, flow } = member;
    if (flow?.sender === undefined || parent === undefined) return;
    if (this.#spec.onFull === "skip" && Number.isFinite(parent.have)) {
      const late = parent.have - member.given - this.#bufferPackets;
      if (late > 0) {
        member.given += late;
        member.skipped += late;
      }
    }
    const packets = Math.min(parent.have, this.#limitOf(member)) - member.given;
    if (packets <= 0) return;
    member.given += packets;
    const { network } = this.#overlay;
    flow.sender.supply(packets, network.nowNs);
    network.refresh(flow);
  }
}
