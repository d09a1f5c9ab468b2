/**
 * Who of a tree's nodes feeds whom: soon after each move and once in a period a node looks for a better parent, by what its neighbours say that
 * they get, or by transfers that measure it; of those that are about equal it takes the nearest (Overcast, Jannotti et al. 2000).
 */
import { NANOS_PER_SEC, toMbps } from "../../../../core/units.ts";
import type { Overlay } from "../../overlay.ts";
import type { Goodput } from "./goodput.ts";
import { isBelow, type Member, type TreeSpec } from "./member.ts";

const TOLERANCE = 0.1;
/** Of a period, until a node that has moved looks again. */
const SOON = 0.25;
/** Siblings that are looked at, the nearest ones. */
const SIBLINGS = 5;
/** A transfer that measures and takes longer is none that could be a parent's. */
const MEASURE_LIMIT_SEC = 8;

interface Candidate {
  readonly node: string;
  readonly mbps: number;
  /** links between */
  readonly links: number;
}

export interface ParentDecision {
  readonly atSec: number;
  readonly node: string;
  readonly candidates: readonly Candidate[];
  readonly chosen: string;
  readonly isMove: boolean;
}

export class Parents {
  readonly decisions: ParentDecision[] = [];
  readonly #overlay: Overlay;
  readonly #spec: TreeSpec;
  readonly #goodput: Goodput;
  readonly #everySec: number;
  readonly #attach: (member: Member, parent: Member) => void;

  /** @param attach lets a member be fed by another */
  constructor(
    overlay: Overlay,
    spec: TreeSpec,
    from: {
      readonly goodput: Goodput;
      readonly everySec: number;
      readonly attach: (member: Member, parent: Member) => void;
    },
  ) {
    this.#overlay = overlay;
    this.#spec = spec;
    this.#goodput = from.goodput;
    this.#everySec = from.everySec;
    this.#attach = from.attach;
  }

  /** The member looks for a better parent from now on. */
  begin(member: Member): void {
    const overlay = this.#overlay;
    const everyNs = this.#everySec * NANOS_PER_SEC;
    const draws = overlay.rng.fork(`parents.${member.name}`);
    const decide = (): void => {
      const isSettled = member.parent === member.parentBefore;
      member.parentBefore = member.parent;
      if (!member.isChosenOutside) this.#decide(member);
      overlay.after(everyNs * draws.uniform(0.75, 1.25) * (isSettled ? 1 : SOON), decide);
    };
    overlay.after(everyNs * SOON, decide);
  }

  /** Its parent first, then the parent's parent and the nearest of the parent's other children. */
  candidatesOf(member: Member): Member[] {
    const parent = member.parent!;
    const { graph } = this.#overlay;
    const siblings = parent.children
      .filter((each) => each !== member && each.flow !== undefined)
      .map((each) => ({ each, links: graph.way(each.name, member.name).length }))
      .sort((a, b) => a.links - b.links)
      .slice(0, SIBLINGS)
      .map(({ each }) => each);
    return [parent, ...(parent.parent === undefined ? [] : [parent.parent]), ...siblings];
  }

  #decide(member: Member): void {
    if (member.isDeciding || member.flow?.sender === undefined) return;
    const goodput = this.#goodput;
    const { measureBytes } = this.#spec;
    const candidates = this.candidatesOf(member);
    if (candidates.length === 1) return;
    if (measureBytes === undefined) {
      this.#choose(member, candidates, (each) => goodput.levelMbps(each === member.parent ? member : each));
      return;
    }
    member.isDeciding = true;
    const measured = new Map<Member, number>();
    const finish = (): void => {
      member.isDeciding = false;
      const direct = measured.get(member.parent!);
      if (direct !== undefined) member.fromParentMbps = direct;
      this.#choose(
        member,
        candidates,
        (each) => Math.min(measured.get(each) ?? 0, goodput.fromRootMbps(each)),
        (each) => measured.get(each) ?? 0,
      );
    };
    this.#measure(member, candidates, measureBytes, measured, finish);
  }

  /** One after the other, so that they do not measure each other. */
  #measure(
    member: Member,
    left: readonly Member[],
    bytes: number,
    into: Map<Member, number>,
    finish: () => void,
  ): void {
    const [candidate, ...others] = left;
    if (candidate === undefined) {
      finish();
      return;
    }
    const overlay = this.#overlay;
    const fromNs = overlay.nowNs;
    let isOver = false;
    const goOn = (): void => {
      isOver = true;
      this.#measure(member, others, bytes, into, finish);
    };
    const flow = overlay.transfer(candidate.name, member.name, bytes, (arrivedNs) => {
      if (isOver) return;
      into.set(candidate, toMbps((bytes * NANOS_PER_SEC) / (arrivedNs - fromNs)));
      goOn();
    });
    overlay.after(MEASURE_LIMIT_SEC * NANOS_PER_SEC, () => {
      if (isOver) return;
      overlay.network.stopFlow(flow);
      goOn();
    });
  }

  /** @param directMbpsOf from the candidate alone, whatever that gets itself */
  #choose(
    member: Member,
    candidates: readonly Member[],
    mbpsOf: (each: Member) => number,
    directMbpsOf: (each: Member) => number = mbpsOf,
  ): void {
    const overlay = this.#overlay;
    const { tolerance = TOLERANCE } = this.#spec;
    const known = candidates
      .filter((each) => each === member.parent || couldFeed(each, member))
      .map((each) => ({
        each,
        node: each.name,
        mbps: mbpsOf(each),
        directMbps: directMbpsOf(each),
        links: overlay.graph.way(each.name, member.name).length,
      }));
    const best = Math.max(...known.map(({ mbps }) => mbps));
    let chosen = known.find(({ each }) => each === member.parent);
    if (chosen !== undefined && chosen.mbps < (1 - tolerance) * best) chosen = undefined;
    for (const one of known) {
      if (one.mbps < (1 - tolerance) * best || one.mbps === 0) continue;
      if (chosen === undefined || one.links < chosen.links) chosen = one;
    }
    if (chosen === undefined) return;
    const isMove = chosen.each !== member.parent;
    this.decisions.push({
      atSec: overlay.nowSec,
      node: member.name,
      candidates: known.map(({ node, mbps, links }) => ({ node, mbps, links })),
      chosen: chosen.node,
      isMove,
    });
    if (!isMove) return;
    member.fromParentMbps = chosen.directMbps;
    this.#attach(member, chosen.each);
  }
}

/** It is not fed by the member, and has what the member needs next. */
function couldFeed(each: Member, member: Member): boolean {
  return !isBelow(each, member) && each.have >= member.have;
}
