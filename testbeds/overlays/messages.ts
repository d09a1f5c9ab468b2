/** What nodes say to each other: packets that wait in the same queues as all others and may be lost, link by link. */
import type { Bytes } from "../../core/units.ts";
import type { GeneralNetwork, Outlet } from "../../sim/general/general-network.ts";
import { NOT_ECT } from "../../sim/general/packet-store.ts";
import type { OutsideSpec } from "../../sim/network.ts";

interface Message {
  readonly links: readonly number[];
  /** of `links`: where it is */
  at: number;
  readonly bytes: Bytes;
  readonly sender: number;
  readonly onArrival: () => void;
}

export class OverlayMessages implements Outlet {
  /** one path for each link and its opposite */
  readonly outside: OutsideSpec;
  readonly #firstLink: number;
  readonly #underWay = new Map<number, Message>();
  #sent = 0;
  #network: GeneralNetwork | undefined;

  /**
   * @param firstLink of the overlay, among the network's
   * @param pairs links of the overlay, each with its opposite
   * @param nodes by whom queues tell packets apart
   */
  constructor(firstLink: number, pairs: number, nodes: number) {
    this.#firstLink = firstLink;
    const pair = (i: number): OutsideSpec["paths"][number] => ({
      route: { forward: [i], reverse: [i + 1] },
      propagationNs: 0,
    });
    this.outside = {
      paths: [pair(0), ...Array.from({ length: pairs }, (_, i) => pair(firstLink + 2 * i))],
      flows: nodes,
    };
  }

  attach(network: GeneralNetwork): void {
    this.#network = network;
  }

  /** packets that were sent so far, on their first link */
  get count(): number {
    return this.#sent;
  }

  /**
   * @param links of its way, in their order; none: it is there at once
   * @param sender number of the node
   * @param onArrival called between events; never, where it is lost
   */
  send(links: readonly number[], bytes: Bytes, sender: number, onArrival: () => void): void {
    const network = this.#network!;
    if (links.length === 0) {
      network.schedule(network.nowNs, onArrival);
      return;
    }
    this.#later({ links, at: 0, bytes, sender, onArrival });
  }

  /** Not from within an event of the network. */
  #later(message: Message): void {
    const network = this.#network!;
    network.schedule(network.nowNs, () => {
      const number = this.#keep(message);
      const { bytes, sender: flow } = message;
      const packet = { number, bytes, flow, ecn: NOT_ECT, isAck: false };
      network.enterOutside(this.#wayOf(message.links[message.at]!), packet, network.nowNs);
    });
  }

  #wayOf(link: number): number {
    return link < 2 ? link : 2 + link - this.#firstLink;
  }

  #keep(message: Message): number {
    const number = this.#sent++;
    this.#underWay.set(number, message);
    return number;
  }

  leave(_way: number, number: number, { isCorrupt }: { readonly isCorrupt: boolean }): void {
    const message = this.#underWay.get(number)!;
    this.#underWay.delete(number);
    if (isCorrupt) return;
    if (message.at + 1 < message.links.length) {
      message.at++;
      this.#later(message);
      return;
    }
    const network = this.#network!;
    network.schedule(network.nowNs, message.onArrival);
  }

  drop(number: number): void {
    this.#underWay.delete(number);
  }

  copy(number: number): number {
    return this.#keep({ ...this.#underWay.get(number)! });
  }
}
