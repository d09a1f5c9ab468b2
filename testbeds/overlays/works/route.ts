/**
 * Each flow by itself over a direct path or over other nodes (RON, Andersen et al. 2001): all pairs of nodes measure each
 * other, and every period the policy looks for the best path of each flow. A flow that moves keeps its congestion control.
 */
import { log } from "../../../core/math.ts";
import { MICROS_PER_SEC, type Micros, NANOS_PER_SEC } from "../../../core/units.ts";
import type { OverlayPolicySpec, OverlayWork } from "../../../scenarios/overlay/overlay.ts";
import type { Overlay } from "../overlay.ts";
import { PathProbe } from "../probes.ts";
import { type ChoiceFacts, entryAt, type Work } from "./work.ts";

/** RON takes no loss for less than 2 % when it estimates throughput: probes are too few to know. */
const LEAST_LOSS = 0.02;
/** Between paths of equal loss the shorter one is better: a second counts as 0.1 % of loss. */
const LOSS_PER_SEC = 1e-3;
const DAMPED = { margin: 0.2, moveProbability: 0.1 } as const;
/** Packets for comparison are counted in spans of so much. */
const COMPARE_WINDOW_SEC = 10;
const COMPARE_BYTES = 200;

export interface PathChange {
  readonly atSec: number;
  /** place of the flow */
  readonly flow: number;
  readonly hosts: readonly string[];
}

/** Packets of one pair in one span, on the direct path and on the chosen one. */
export interface Comparison {
  readonly pair: string;
  readonly atSec: number;
  sent: number;
  directLost: number;
  chosenLost: number;
}

interface Path {
  readonly hosts: readonly string[];
  readonly lossRate: number;
  readonly rttUs: Micros;
}

interface Traveller {
  hosts: readonly string[];
  readonly isFree: boolean;
  isChosenOutside: boolean;
}

export class RouteWork implements Work {
  readonly kind = "route";
  /** in the order of time */
  readonly changes: PathChange[] = [];
  readonly comparisons: Comparison[] = [];
  readonly #overlay: Overlay;
  readonly #spec: Extract<OverlayWork, { kind: "route" }>;
  readonly #policy: OverlayPolicySpec;
  readonly #relays: readonly string[];
  readonly #probes = new Map<string, PathProbe>();
  readonly #travellers: Traveller[];
  /** of pairs without a flow */
  readonly #chosen = new Map<string, readonly string[]>();

  constructor(overlay: Overlay, spec: Extract<OverlayWork, { kind: "route" }>) {
    this.#overlay = overlay;
    this.#spec = spec;
    const { nodes, flows, policy = { kind: "fixed", everySec: 1 } } = overlay.spec;
    this.#policy = policy.kind === "damped" ? { ...DAMPED, ...policy } : policy;
    this.#relays = spec.relays ?? nodes;
    const free = Math.round((spec.share ?? 1) * flows.length);
    this.#travellers = flows.map(({ from, via = [], to }, i) => ({
      hosts: [from, ...via, to],
      isFree: i < free,
      isChosenOutside: false,
    }));
  }

  begin(): void {
    const overlay = this.#overlay;
    const { probes } = overlay.spec;
    if (probes !== undefined) {
      for (const [a, b] of this.#pairs()) {
        const probe = new PathProbe(overlay, a, b, probes);
        this.#probes.set(pairOf(a, b), probe);
        probe.start(overlay.rng.fork(`probe.${a}.${b}`));
      }
    }
    const draws = overlay.rng.fork("policy");
    const everyNs = this.#policy.everySec * NANOS_PER_SEC;
    const decide = (): void => {
      this.#travellers.forEach((traveller, place) => {
        if (!traveller.isFree || traveller.isChosenOutside) return;
        const hosts = this.#better(traveller.hosts);
        if (hosts !== undefined && draws.next() < (this.#policy.moveProbability ?? 1))
          this.#move(place, hosts);
      });
      for (const [key, hosts] of this.#chosen) this.#chosen.set(key, this.#better(hosts) ?? hosts);
      overlay.after(everyNs, decide);
    };
    overlay.after(everyNs, decide);
    if (this.#spec.compareEverySec !== undefined) this.#compare(this.#spec.compareEverySec);
  }

  /** Nodes that measure each other: relays, and both ends of flows. */
  #pairs(): [string, string][] {
    const { nodes, flows } = this.#overlay.spec;
    const relays = new Set(this.#relays);
    const wanted = new Set<string>();
    for (const { from, to } of flows) {
      wanted.add(pairOf(from, to));
      for (const relay of relays) for (const end of [from, to]) wanted.add(pairOf(relay, end));
    }
    const inMesh = (a: string, b: string): boolean => relays.has(a) && relays.has(b);
    return nodes.flatMap((a, i) =>
      nodes
        .slice(i + 1)
        .filter((b) => wanted.has(pairOf(a, b)) || inMesh(a, b))
        .map((b): [string, string] => [a, b]),
    );
  }

  #move(place: number, hosts: readonly string[]): void {
    const traveller = this.#travellers[place]!;
    if (hosts.join() === traveller.hosts.join()) return;
    traveller.hosts = hosts;
    this.#overlay.reroute(place, hosts);
    this.changes.push({ atSec: this.#overlay.nowSec, flow: place, hosts });
  }

  /** the nodes of a flow's path, in their order */
  hostsOf(place: number): readonly string[] {
    return this.#travellers[place]!.hosts;
  }

  #edge(a: string, b: string): { readonly lossRate: number; readonly rttUs: Micros } {
    const probe = this.#probes.get(pairOf(a, b));
    return { lossRate: probe?.lossRate ?? 0, rttUs: probe?.rttUs ?? Number.POSITIVE_INFINITY };
  }

  #path(hosts: readonly string[]): Path {
    let passRate = 1;
    let rttUs = 0;
    for (let i = 1; i < hosts.length; i++) {
      const edge = this.#edge(hosts[i - 1]!, hosts[i]!);
      passRate *= 1 - edge.lossRate;
      rttUs += edge.rttUs;
    }
    return { hosts, lossRate: 1 - passRate, rttUs };
  }

  /** Lower is better; Infinity: dead, or not known yet. */
  #cost({ lossRate, rttUs }: Path): number {
    if (lossRate >= 1 || rttUs === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
    switch (this.#policy.kind) {
      case "min-loss":
        return -log(1 - lossRate) + (LOSS_PER_SEC * rttUs) / MICROS_PER_SEC;
      case "max-throughput":
        return rttUs * Math.sqrt(Math.max(LEAST_LOSS, lossRate));
      default:
        return rttUs;
    }
  }

  /** The direct path, and those over one other node. */
  #options(from: string, to: string): string[][] {
    const over = this.#relays.filter((relay) => relay !== from && relay !== to);
    return [[from, to], ...over.map((relay) => [from, relay, to])];
  }

  /** @returns undefined: none is better */
  #better(hosts: readonly string[]): readonly string[] | undefined {
    const { kind, maxRelays = 1, margin = 0 } = this.#policy;
    if (kind === "fixed") return undefined;
    const [from, to] = [hosts[0]!, hosts.at(-1)!];
    const candidates = this.#options(from, to);
    if (maxRelays > 1) candidates.push(this.#farther(from, to, maxRelays));
    let best: readonly string[] | undefined;
    let bestCost = this.#cost(this.#path(hosts)) * (1 - margin);
    for (const candidate of candidates) {
      const cost = this.#cost(this.#path(candidate));
      if (cost >= bestCost) continue;
      best = candidate;
      bestCost = cost;
    }
    return best;
  }

  /** The best path over so many nodes at most, as costs of parts add up (Bellman and Ford). */
  #farther(from: string, to: string, maxRelays: number): string[] {
    const edge = (a: string, b: string): number => this.#cost(this.#path([a, b]));
    const inner = this.#relays.filter((relay) => relay !== from && relay !== to);
    let reached = new Map(inner.map((relay) => [relay, { cost: edge(from, relay), hosts: [from, relay] }]));
    for (let round = 1; round < maxRelays; round++) {
      const next = new Map(reached);
      for (const [at, { cost, hosts }] of reached) {
        for (const relay of inner) {
          if (hosts.includes(relay)) continue;
          const through = cost + edge(at, relay);
          if (through < next.get(relay)!.cost) next.set(relay, { cost: through, hosts: [...hosts, relay] });
        }
      }
      reached = next;
    }
    let best = { cost: edge(from, to), hosts: [from, to] };
    for (const [at, { cost, hosts }] of reached) {
      const through = cost + edge(at, to);
      if (through < best.cost) best = { cost: through, hosts: [...hosts, to] };
    }
    return best.hosts;
  }

  #compare(everySec: number): void {
    const overlay = this.#overlay;
    for (const [a, b] of this.#pairs()) {
      const key = pairOf(a, b);
      this.#chosen.set(key, [a, b]);
      let window: Comparison | undefined;
      const next = (): void => {
        const atSec = Math.floor(overlay.nowSec / COMPARE_WINDOW_SEC) * COMPARE_WINDOW_SEC;
        if (window?.atSec !== atSec) {
          window = { pair: key, atSec, sent: 0, directLost: 0, chosenLost: 0 };
          this.comparisons.push(window);
        }
        this.#sendBoth(window, a, b);
        overlay.after(everySec * NANOS_PER_SEC, next);
      };
      overlay.after(overlay.rng.fork(`compare.${key}`).next() * everySec * NANOS_PER_SEC, next);
    }
  }

  #sendBoth(window: Comparison, a: string, b: string): void {
    const { messages, graph } = this.#overlay;
    const sender = this.#overlay.numberOf(a);
    window.sent++;
    window.directLost++;
    window.chosenLost++;
    messages.send(graph.way(a, b), COMPARE_BYTES, sender, () => {
      window.directLost--;
    });
    messages.send(graph.over(this.#chosen.get(pairOf(a, b))!), COMPARE_BYTES, sender, () => {
      window.chosenLost--;
    });
  }

  choices(place: number): ChoiceFacts[] {
    const { hosts } = this.#travellers[place]!;
    const chosen = hosts.join(">");
    return this.#options(hosts[0]!, hosts.at(-1)!).map((option) => {
      const { lossRate, rttUs } = this.#path(option);
      const name = option.join(">");
      const known = rttUs === Number.POSITIVE_INFINITY ? 0 : rttUs;
      return { name, isChosen: name === chosen, lossRate, rttUs: known, mbps: 0 };
    });
  }

  choose(place: number, value: number): void {
    const traveller = this.#travellers[place]!;
    traveller.isChosenOutside = true;
    this.#move(place, entryAt(this.#options(traveller.hosts[0]!, traveller.hosts.at(-1)!), value));
  }
}

/** The same for both directions. */
function pairOf(a: string, b: string): string {
  return a < b ? `${a}-${b}` : `${b}-${a}`;
}
