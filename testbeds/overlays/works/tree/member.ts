/** The nodes of a tree: who feeds whom, what each has, and what it knows of those above it. */
import type { Nanos } from "../../../../core/units.ts";
import type { OverlayWork } from "../../../../scenarios/overlay/overlay.ts";
import type { GeneralFlow } from "../../../../sim/general/general-network.ts";

export type TreeSpec = Extract<OverlayWork, { kind: "tree" }>;

export interface Member {
  readonly name: string;
  /** of the flow that feeds it; undefined: the root */
  readonly place: number | undefined;
  flow: GeneralFlow | undefined;
  parent: Member | undefined;
  /** when it looked for a better one the last time */
  parentBefore: Member | undefined;
  readonly children: Member[];
  /** packets of the stream, without a gap */
  have: number;
  /** packets of the stream that its flow was given */
  given: number;
  /** packets that were too old when it was their turn */
  skipped: number;
  /** news of what was taken is on its way to the parent */
  isTold: boolean;
  arrivedBefore: number;
  estimateMbps: number | undefined;
  /** by the latest transfer that measured it; 0: none has yet */
  fromParentMbps: number;
  isDeciding: boolean;
  isChosenOutside: boolean;
  answeredNs: Nanos;
  /** above the parent, from it on */
  ancestors: readonly Member[];
}

export function makeMember(name: string, place: number | undefined): Member {
  return {
    name,
    place,
    flow: undefined,
    parent: undefined,
    parentBefore: undefined,
    children: [],
    have: 0,
    given: 0,
    skipped: 0,
    isTold: false,
    arrivedBefore: 0,
    estimateMbps: undefined,
    fromParentMbps: 0,
    isDeciding: false,
    isChosenOutside: false,
    answeredNs: 0,
    ancestors: [],
  };
}

export function join(child: Member, parent: Member): void {
  const { parent: before } = child;
  if (before !== undefined) before.children.splice(before.children.indexOf(child), 1);
  child.parent = parent;
  parent.children.push(child);
}

/** Its parent first, the root last. */
export function above(member: Member): Member[] {
  const list: Member[] = [];
  for (let at = member.parent; at !== undefined; at = at.parent) list.push(at);
  return list;
}

/** Whether it is fed by the member, in the end. */
export function isBelow(each: Member, member: Member): boolean {
  for (let at: Member | undefined = each; at !== undefined; at = at.parent) if (at === member) return true;
  return false;
}
