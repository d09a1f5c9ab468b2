/** The graph of an overlay as the network has it: numbers of links, and ways between hosts. */
import type { OverlaySpec } from "../../scenarios/overlay/overlay.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import type { Route } from "../../sim/network.ts";

/** Of equal delays the way with fewer links is shorter. */
const MS_PER_LINK = 1e-3;

interface Edge {
  readonly to: string;
  /** number of the link among the network's */
  readonly link: number;
  readonly delayMs: number;
}

export class OverlayGraph {
  readonly nodes: readonly string[];
  /** number of the first link of the overlay among the network's; two for each, there and back */
  readonly firstLink: number;
  readonly #hosts: ReadonlySet<string>;
  readonly #edges = new Map<string, Edge[]>();
  /** by host: the last edge of the way to each other node, and where that begins */
  readonly #trees = new Map<string, Map<string, { readonly from: string; readonly edge: Edge }>>();
  readonly #ways = new Map<string, readonly number[]>();
  readonly #delayMs: number[] = [];

  constructor(overlay: OverlaySpec, { forward, reverse, links = {} }: Scenario) {
    this.nodes = overlay.nodes;
    this.#hosts = new Set(overlay.nodes);
    this.firstLink = 2 + Object.keys(links).length;
    const [first] = overlay.nodes as [string];
    this.#join(first, overlay.gateway, 0, forward.delayMs);
    this.#join(overlay.gateway, first, 1, reverse.delayMs);
    overlay.links.forEach(({ from, to, there, back = there }, i) => {
      this.#join(from, to, this.firstLink + 2 * i, there.delayMs);
      this.#join(to, from, this.firstLink + 2 * i + 1, back.delayMs);
    });
  }

  #join(from: string, to: string, link: number, delayMs = 0): void {
    this.#delayMs[link] = delayMs;
    const edges = this.#edges.get(from) ?? [];
    edges.push({ to, link, delayMs });
    this.#edges.set(from, edges);
  }

  /** Links of the way of least delay, which no third host carries. */
  way(from: string, to: string): readonly number[] {
    const key = `${from}\n${to}`;
    let way = this.#ways.get(key);
    if (way === undefined) {
      const tree = this.#tree(from);
      const links: number[] = [];
      for (let at = to; at !== from; ) {
        const last = tree.get(at)!;
        links.unshift(last.edge.link);
        at = last.from;
      }
      way = links;
      this.#ways.set(key, way);
    }
    return way;
  }

  /** The way over others, in their order. */
  over(hosts: readonly string[]): number[] {
    return hosts.slice(1).flatMap((host, i) => this.way(hosts[i]!, host));
  }

  /** There and back over the same hosts. */
  route(hosts: readonly string[]): Route {
    return { forward: this.over(hosts), reverse: this.over([...hosts].reverse()) };
  }

  /** of propagation, one way */
  delayMs(from: string, to: string): number {
    return this.way(from, to).reduce((sum, link) => sum + this.#delayMs[link]!, 0);
  }

  #tree(from: string): Map<string, { readonly from: string; readonly edge: Edge }> {
    const known = this.#trees.get(from);
    if (known !== undefined) return known;
    const costs = new Map([[from, 0]]);
    const last = new Map<string, { readonly from: string; readonly edge: Edge }>();
    const open = new Set([from]);
    while (open.size > 0) {
      let at = "";
      let cost = Number.POSITIVE_INFINITY;
      for (const name of open) {
        const each = costs.get(name)!;
        if (each < cost) [at, cost] = [name, each];
      }
      open.delete(at);
      for (const edge of this.#edges.get(at) ?? []) {
        const through = cost + edge.delayMs + MS_PER_LINK;
        if (through >= (costs.get(edge.to) ?? Number.POSITIVE_INFINITY)) continue;
        costs.set(edge.to, through);
        last.set(edge.to, { from: at, edge });
        if (!this.#hosts.has(edge.to)) open.add(edge.to);
      }
    }
    this.#trees.set(from, last);
    return last;
  }
}
