/**
 * What the first node has goes to all, each flow from a parent to a child: a chain of relays, a tree of a live stream (ESM, Chu
 * et al. 2001) or of stored files (Overcast, Jannotti et al. 2000). What a node has it gives to its children, as far as their flows and its own
 * buffer allow. Every period a node looks for a better parent; one that has fallen silent is left within the lease. A flow
 * that moves keeps its congestion control, and the new parent goes on where the old one was.
 */
import { NANOS_PER_MILLI, NANOS_PER_SEC, type Nanos, toMbps } from "../../../core/units.ts";
import type { OverlayWork } from "../../../scenarios/overlay/overlay.ts";
import type { GeneralFlow } from "../../../sim/general/general-network.ts";
import type { Network, NetworkFlow } from "../../../sim/network.ts";
import type { Overlay } from "../overlay.ts";
import { type ChoiceFacts, entryAt, type Work } from "./work.ts";

type Spec = Extract<OverlayWork, { kind: "tree" }>;

const BUFFER_PACKETS = 256;
const EWMA = 0.1;
const TOLERANCE = 0.1;
const LEASE_SEC = 10;
/** A node asks its parent so many times in half a lease, and gives it up when none of them was answered. */
const ASKED = 4;
const ASK_BYTES = 100;
/** Of a period, until a node that has moved looks again. */
const SOON = 0.25;
/** Siblings that are looked at, the nearest ones. */
const SIBLINGS = 5;
/** A transfer that measures and takes longer is none that could be a parent's. */
const MEASURE_LIMIT_SEC = 8;

export interface GoodputSample {
  readonly atSec: number;
  readonly node: string;
  readonly mbps: number;
  /** smoothed, and in steps */
  readonly estimateMbps: number;
  readonly levelMbps: number;
}

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

/** A parent that was silent, and who came after it. */
export interface Reattachment {
  readonly node: string;
  readonly lost: string;
  readonly parent: string;
  readonly atSec: number;
}

interface Member {
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

export class TreeWork implements Work {
  readonly kind = "tree";
  readonly samples: GoodputSample[] = [];
  readonly decisions: ParentDecision[] = [];
  readonly reattachments: Reattachment[] = [];
  readonly #overlay: Overlay;
  readonly #spec: Spec;
  readonly #root: Member;
  readonly #members: readonly Member[];
  readonly #bufferPackets: number;
  readonly #everySec: number;

  constructor(overlay: Overlay, spec: Spec) {
    this.#overlay = overlay;
    this.#spec = spec;
    const { nodes, flows, policy } = overlay.spec;
    const byName = new Map<string, Member>();
    const add = (name: string, place: number | undefined): Member => {
      const member: Member = {
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
      byName.set(name, member);
      return member;
    };
    this.#root = add(nodes[0]!, undefined);
    this.#members = flows.map(({ to }, place) => add(to, place));
    flows.forEach(({ from }, i) => {
      this.#join(this.#members[i]!, byName.get(from)!);
    });
    this.#bufferPackets = spec.bufferPackets ?? BUFFER_PACKETS;
    this.#everySec = policy?.everySec ?? 1;
    if (spec.mbps === undefined) this.#root.have = Number.POSITIVE_INFINITY;
  }

  #join(child: Member, parent: Member): void {
    const { parent: before } = child;
    if (before !== undefined) before.children.splice(before.children.indexOf(child), 1);
    child.parent = parent;
    parent.children.push(child);
  }

  beginFlow(place: number, flow: NetworkFlow, network: Network): void {
    const member = this.#members[place]!;
    const general = flow as GeneralFlow;
    general.sender!.withdraw(network.nowNs);
    member.flow = general;
    general.onArrival = () => this.#arrived(member);
    const { have } = member.parent!;
    // who comes later begins where the stream is
    if (this.#spec.onFull !== "hold" && Number.isFinite(have))
      member.have = member.given = member.skipped = have;
    member.answeredNs = network.nowNs;
    this.#give(member);
    if (!this.#isFixed) this.#settle(member);
  }

  /** Looks for a better parent: soon after each move, and once in a period from then on. */
  #settle(member: Member): void {
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
    this.#keepLease(member);
  }

  begin(): void {
    const overlay = this.#overlay;
    const { mbps } = this.#spec;
    if (mbps !== undefined) {
      const gapNs = (overlay.mssBytes * 8 * 1000) / mbps;
      const produce = (): void => {
        this.#root.have++;
        for (const child of this.#root.children) this.#give(child);
        overlay.after(gapNs, produce);
      };
      produce();
    }
    const everyNs = this.#everySec * NANOS_PER_SEC;
    for (const member of this.#members) {
      const look = (): void => {
        this.#sample(member);
        overlay.after(everyNs, look);
      };
      overlay.after(everyNs, look);
    }
  }

  get #isFixed(): boolean {
    return (this.#overlay.spec.policy?.kind ?? "fixed") === "fixed";
  }

  #arrived(member: Member): void {
    const { inOrder } = member.flow!.receiver;
    if (inOrder + member.skipped > member.have) {
      member.have = inOrder + member.skipped;
      for (const child of member.children) this.#give(child);
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
      this.#give(member);
    });
  }

  /** Up to where the stream may be given to a node: as far as its buffer and those behind it go. */
  #limitOf(member: Member): number {
    const own = member.have + this.#bufferPackets;
    if (this.#spec.onFull !== "hold") return own;
    return member.children.reduce((least, { have }) => Math.min(least, have + this.#bufferPackets), own);
  }

  #give(member: Member): void {
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

  #sample(member: Member): void {
    const overlay = this.#overlay;
    const arrived = member.flow?.firstArrivedPackets ?? 0;
    const mbps = toMbps(((arrived - member.arrivedBefore) * overlay.mssBytes) / this.#everySec);
    member.arrivedBefore = arrived;
    const { ewma = EWMA } = this.#spec;
    const before = member.estimateMbps;
    // what a node begins with is no measurement yet
    member.estimateMbps = before === undefined || before === 0 ? mbps : before + ewma * (mbps - before);
    this.samples.push({
      atSec: overlay.nowSec,
      node: member.name,
      mbps,
      estimateMbps: member.estimateMbps,
      levelMbps: this.#level(member),
    });
  }

  /** What a node says it gets. */
  #level({ place, estimateMbps = 0 }: Member): number {
    if (place === undefined) return this.#spec.mbps ?? Number.POSITIVE_INFINITY;
    const { stepMbps } = this.#spec;
    return stepMbps === undefined ? estimateMbps : Math.round(estimateMbps / stepMbps) * stepMbps;
  }

  /** From the root over all between, each as measured by who is fed. */
  #rootMbps(member: Member): number {
    let least = this.#spec.mbps ?? Number.POSITIVE_INFINITY;
    for (let at = member; at.parent !== undefined; at = at.parent) least = Math.min(least, at.fromParentMbps);
    return least;
  }

  /** Its parent first, then the parent's parent and the nearest of the parent's other children. */
  #candidatesOf(member: Member): Member[] {
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
    const { measureBytes } = this.#spec;
    const candidates = this.#candidatesOf(member);
    if (candidates.length === 1) return;
    if (measureBytes === undefined) {
      const own = this.#level(member);
      this.#choose(member, candidates, (each) => (each === member.parent ? own : this.#level(each)));
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
        (each) => Math.min(measured.get(each) ?? 0, this.#rootMbps(each)),
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
      .filter((each) => each === member.parent || this.#couldFeed(each, member))
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

  /** It is not fed by the member, and has what the member needs next. */
  #couldFeed(each: Member, member: Member): boolean {
    return !this.#isBelow(each, member) && each.have >= member.have;
  }

  /** Whether it is fed by the member, in the end. */
  #isBelow(each: Member, member: Member): boolean {
    for (let at: Member | undefined = each; at !== undefined; at = at.parent) if (at === member) return true;
    return false;
  }

  #attach(member: Member, parent: Member): void {
    this.#join(member, parent);
    member.answeredNs = this.#overlay.nowNs;
    member.estimateMbps = undefined;
    member.arrivedBefore = member.flow?.firstArrivedPackets ?? 0;
    this.#overlay.reroute(member.place!, [parent.name, member.name]);
    this.#give(member);
  }

  /** Asks the parent whether it is there; a silent one is left for who was above it. */
  #keepLease(member: Member): void {
    const overlay = this.#overlay;
    const halfNs = ((this.#spec.leaseSec ?? LEASE_SEC) * NANOS_PER_SEC) / 2;
    const ask = (): void => {
      if (overlay.nowNs - member.answeredNs > halfNs && member.parent!.parent !== undefined)
        this.#leave(member);
      const parent = member.parent!;
      this.#ask(member, parent, () => {
        if (member.parent !== parent) return;
        member.answeredNs = overlay.nowNs;
        member.ancestors = this.#above(parent);
      });
      overlay.after(halfNs / ASKED, ask);
    };
    overlay.after((overlay.rng.fork(`lease.${member.name}`).next() * halfNs) / ASKED, ask);
  }

  #above(member: Member): Member[] {
    const list: Member[] = [];
    for (let at = member.parent; at !== undefined; at = at.parent) list.push(at);
    return list;
  }

  #ask(member: Member, other: Member, answered: () => void): void {
    const { graph, messages } = this.#overlay;
    messages.send(graph.way(member.name, other.name), ASK_BYTES, this.#overlay.numberOf(member.name), () =>
      messages.send(
        graph.way(other.name, member.name),
        ASK_BYTES,
        this.#overlay.numberOf(other.name),
        answered,
      ),
    );
  }

  /** The first of those above who answers is the parent from now on; all are asked at once. */
  #leave(member: Member): void {
    const lost = member.parent!;
    for (const other of member.ancestors.length > 0 ? member.ancestors : [this.#root]) {
      this.#ask(member, other, () => {
        if (member.parent !== lost || this.#isBelow(other, member)) return;
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

  /** of each node but the root, by name */
  get parents(): ReadonlyMap<string, string> {
    return new Map(this.#members.map(({ name, parent }) => [name, parent!.name]));
  }

  /** packets of the stream that each node but the root has without a gap, by name */
  get havePackets(): ReadonlyMap<string, number> {
    return new Map(this.#members.map(({ name, have }) => [name, have]));
  }

  choices(place: number): ChoiceFacts[] {
    const member = this.#members[place]!;
    return this.#candidatesOf(member).map((each) => {
      const isChosen = each === member.parent;
      const mbps = isChosen ? (member.estimateMbps ?? 0) : this.#level(each);
      const rttUs =
        (this.#overlay.graph.delayMs(each.name, member.name) +
          this.#overlay.graph.delayMs(member.name, each.name)) *
        1000;
      return { name: each.name, isChosen, lossRate: 0, rttUs, mbps: Number.isFinite(mbps) ? mbps : 0 };
    });
  }

  choose(place: number, value: number): void {
    const member = this.#members[place]!;
    member.isChosenOutside = true;
    const parent = entryAt(this.#candidatesOf(member), value);
    if (parent !== member.parent && !this.#isBelow(parent, member)) this.#attach(member, parent);
  }
}
