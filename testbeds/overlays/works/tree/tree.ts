/**
 * What the first node has goes to all, each flow from a parent to a child: a chain of relays, a tree of a live stream (ESM, Chu
 * et al. 2001) or of stored files (Overcast, Jannotti et al. 2000). A flow that moves keeps its congestion control, and the new parent
 * goes on where the old one was.
 */
import type { GeneralFlow } from "../../../../sim/general/general-network.ts";
import type { Network, NetworkFlow } from "../../../../sim/network.ts";
import type { Overlay } from "../../overlay.ts";
import { type ChoiceFacts, entryAt, type Work } from "../work.ts";
import { Goodput, type GoodputSample } from "./goodput.ts";
import { Leases, type Reattachment } from "./leases.ts";
import { isBelow, join, type Member, makeMember, type TreeSpec } from "./member.ts";
import { type ParentDecision, Parents } from "./parents.ts";
import { TreeStream } from "./stream.ts";

export type { GoodputSample } from "./goodput.ts";
export type { ParentDecision } from "./parents.ts";

export class TreeWork implements Work {
  readonly kind = "tree";
  readonly #overlay: Overlay;
  /** by the place of the flow that feeds it */
  readonly #members: readonly Member[];
  readonly #stream: TreeStream;
  readonly #goodput: Goodput;
  readonly #parents: Parents;
  readonly #leases: Leases;

  constructor(overlay: Overlay, spec: TreeSpec) {
    this.#overlay = overlay;
    const { nodes, flows, policy } = overlay.spec;
    const root = makeMember(nodes[0]!, undefined);
    this.#members = flows.map(({ to }, place) => makeMember(to, place));
    const byName = new Map([root, ...this.#members].map((member) => [member.name, member]));
    flows.forEach(({ from }, i) => {
      join(this.#members[i]!, byName.get(from)!);
    });
    const everySec = policy?.everySec ?? 1;
    const attach = (member: Member, parent: Member): void => this.#attach(member, parent);
    this.#stream = new TreeStream(overlay, spec, root);
    this.#goodput = new Goodput(overlay, spec, everySec);
    this.#parents = new Parents(overlay, spec, { goodput: this.#goodput, everySec, attach });
    this.#leases = new Leases(overlay, { leaseSec: spec.leaseSec, root, attach });
  }

  get samples(): readonly GoodputSample[] {
    return this.#goodput.samples;
  }

  get decisions(): readonly ParentDecision[] {
    return this.#parents.decisions;
  }

  get reattachments(): readonly Reattachment[] {
    return this.#leases.reattachments;
  }

  beginFlow(place: number, flow: NetworkFlow, network: Network): void {
    const member = this.#members[place]!;
    const general = flow as GeneralFlow;
    general.sender!.withdraw(network.nowNs);
    member.flow = general;
    general.onArrival = () => this.#stream.arrived(member);
    member.answeredNs = network.nowNs;
    this.#stream.open(member);
    if ((this.#overlay.spec.policy?.kind ?? "fixed") === "fixed") return;
    this.#parents.begin(member);
    this.#leases.begin(member);
  }

  begin(): void {
    this.#stream.begin();
    this.#goodput.begin(this.#members);
  }

  #attach(member: Member, parent: Member): void {
    join(member, parent);
    member.answeredNs = this.#overlay.nowNs;
    this.#goodput.forget(member);
    this.#overlay.reroute(member.place!, [parent.name, member.name]);
    this.#stream.give(member);
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
    const { graph } = this.#overlay;
    return this.#parents.candidatesOf(member).map((each) => {
      const isChosen = each === member.parent;
      const mbps = isChosen ? (member.estimateMbps ?? 0) : this.#goodput.levelMbps(each);
      const rttUs = (graph.delayMs(each.name, member.name) + graph.delayMs(member.name, each.name)) * 1000;
      return { name: each.name, isChosen, lossRate: 0, rttUs, mbps: Number.isFinite(mbps) ? mbps : 0 };
    });
  }

  choose(place: number, value: number): void {
    const member = this.#members[place]!;
    member.isChosenOutside = true;
    const parent = entryAt(this.#parents.candidatesOf(member), value);
    if (parent !== member.parent && !isBelow(parent, member)) this.#attach(member, parent);
  }
}
