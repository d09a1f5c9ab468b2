/**
 * An overlay graph: hosts that send for each other, over links that know nothing of it. Hosts are `nodes`; what only carries
 * packets are `routers`. Packets take the way of least delay between two hosts, as the network below has it, and never through
 * a third one: that is what an overlay chooses.
 *
 * The scenario's own links join the first node to `gateway`: `forward` leads out of it, `reverse` into it. The scenario's flows
 * have their ends here, in their order; what they carry, and who chooses their ways, `work` says.
 */
import * as z from "zod";
import { DIRECTION_SCHEMA, type DirectionSpec } from "../direction.ts";
import { bytes, clockSec, count, fraction, list, mbps, nonEmpty, text } from "../schema/ranges.ts";
import { byKind, type Complaints, complain, fields, quoted, type Schema } from "../schema/shapes.ts";
import { SIZE_SCHEMA, type SizeSpec } from "../traffic/sizes.ts";

export interface OverlayLinkSpec {
  readonly from: string;
  readonly to: string;
  readonly there: DirectionSpec;
  /** absent: as `there` */
  readonly back?: DirectionSpec;
}

/** Where a flow begins and ends, and whom it passes on its way, in their order. */
export interface FlowEnds {
  readonly from: string;
  readonly to: string;
  /** absent: nobody */
  readonly via?: readonly string[];
}

/** Packets there and back between two nodes, which compete with everything else. */
export interface ProbeSpec {
  readonly everySec: number;
  /** absent: 1 s */
  readonly timeoutSec?: number;
  /** on the wire; absent: 69, as of RON */
  readonly bytes?: number;
  /** so many lost in a row, which follow each other at once: the path is dead; absent: 4 */
  readonly deadAfter?: number;
  /** probes that the loss rate is the mean of; absent: 100 */
  readonly window?: number;
}

export const OVERLAY_POLICIES = ["fixed", "min-loss", "min-latency", "max-throughput", "damped"] as const;

export interface OverlayPolicySpec {
  /** damped: min-latency, with a margin and a chance to stay */
  readonly kind: (typeof OVERLAY_POLICIES)[number];
  readonly everySec: number;
  /** what is better by less than this fraction is no better; absent: 0, damped: 0.2 */
  readonly margin?: number;
  /** of a flow that would move; absent: 1, damped: 0.1 */
  readonly moveProbability?: number;
  /** nodes that a path may pass; absent: 1 */
  readonly maxRelays?: number;
}

export type OverlayWork =
  /** each flow by itself: the policy chooses its path, direct or over others */
  | {
      readonly kind: "route";
      /** who may be passed; absent: all nodes */
      readonly relays?: readonly string[];
      /** share of the flows that choose; the others stay; absent: 1 */
      readonly share?: number;
      /** packets on the direct and on the chosen path of every pair, for comparison; absent: none */
      readonly compareEverySec?: number;
    }
  /** one stream over all flows at once */
  | {
      readonly kind: "split";
      /** pull: each takes what it can send; weights: in proportion, which learners and policies set */
      readonly by: "pull" | "weights";
    }
  /** what the first node has goes to all: each flow feeds the node where it ends from the one where it begins */
  | {
      readonly kind: "tree";
      /** of the source; absent: as much as it can */
      readonly mbps?: number;
      /** hold: a full node holds the one before it back; skip: the late lose what is old; store: nothing is ever full */
      readonly onFull: "hold" | "skip" | "store";
      readonly bufferPackets?: number;
      /** bytes of the transfer that measures a parent; absent: the goodput of the own parent alone, and what others have */
      readonly measureBytes?: number;
      /** of the mean of the goodput; absent: 0.1 */
      readonly ewma?: number;
      /** goodput counts in steps of so much; absent: as it is */
      readonly stepMbps?: number;
      /** what is within this fraction of the best is as good: then fewer links decide; absent: 0.1 */
      readonly tolerance?: number;
      /** a node that hears nothing for so long looks for another parent; absent: 10 */
      readonly leaseSec?: number;
    }
  /** clients ask servers, each time another one or the same */
  | {
      readonly kind: "requests";
      readonly clients: readonly string[];
      readonly servers: readonly string[];
      /** of each client */
      readonly perSec: number;
      readonly sizes: SizeSpec;
      /** anycast: one at random of those whose measured response is within a factor of the best */
      readonly choose: "nearest" | "random" | "anycast";
      /** of anycast; absent: 1.5 */
      readonly within?: number;
      /** how often servers push what their answers take; absent: 0.5 s */
      readonly learnEverySec?: number;
    }
  /** the first node gets any `need` of the pieces that as many holders have as it asks */
  | {
      readonly kind: "fetch";
      readonly holders: readonly string[];
      /** how many are asked */
      readonly ask: number;
      readonly need: number;
      readonly pieceBytes: number;
      readonly everySec: number;
      /** share of holders that are silent, drawn anew for each fetch; absent: 0 */
      readonly silent?: number;
    }
  /** keys on a ring, found by fingers (as Chord) */
  | {
      readonly kind: "lookups";
      readonly perSec: number;
      /** of a question and of its answer, on the wire; absent: 100 */
      readonly bytes?: number;
      /** absent: 0.5 */
      readonly timeoutSec?: number;
      /** who takes part; absent: all nodes */
      readonly members?: readonly string[];
    };

export interface OverlaySpec {
  readonly nodes: readonly string[];
  readonly routers?: readonly string[];
  readonly gateway: string;
  readonly links: readonly OverlayLinkSpec[];
  readonly flows: readonly FlowEnds[];
  /** by reference: of flows that come and go; absent: native-cubic */
  readonly algorithm?: string;
  /** absent: nobody measures */
  readonly probes?: ProbeSpec;
  /** absent: fixed */
  readonly policy?: OverlayPolicySpec;
  /** absent: each flow sends what its plan says, over its path */
  readonly work?: OverlayWork;
}

/** Both directions of all links of an overlay. */
export function overlayDirections(overlay: OverlaySpec | undefined): DirectionSpec[] {
  return (overlay?.links ?? []).flatMap(({ there, back = there }) => [there, back]);
}

const names = nonEmpty(text);
const positiveFraction = z.number().gt(0).max(1);

const WORK_SCHEMA = byKind<OverlayWork>({
  route: {
    fields: {
      relays: list(text).optional(),
      share: fraction.optional(),
      compareEverySec: clockSec.optional(),
    },
  },
  split: { fields: { by: z.enum(["pull", "weights"]) } },
  tree: {
    fields: {
      mbps: mbps.optional(),
      onFull: z.enum(["hold", "skip", "store"]),
      bufferPackets: count.optional(),
      measureBytes: bytes.optional(),
      ewma: positiveFraction.optional(),
      stepMbps: mbps.optional(),
      tolerance: fraction.optional(),
      leaseSec: clockSec.optional(),
    },
  },
  requests: {
    fields: {
      clients: names,
      servers: names,
      perSec: z.number().gt(0).max(10_000),
      sizes: SIZE_SCHEMA,
      choose: z.enum(["nearest", "random", "anycast"]),
      within: z.number().min(1).max(1000).optional(),
      learnEverySec: clockSec.optional(),
    },
  },
  fetch: {
    fields: {
      holders: names,
      ask: count,
      need: count,
      pieceBytes: bytes,
      everySec: clockSec,
      silent: fraction.optional(),
    },
    check: ({ holders, ask, need }, complaints) => {
      if (ask > holders.length) complain(complaints, ["ask"], `<= ${holders.length}, the holders`);
      else if (need > ask) complain(complaints, ["need"], `<= ${ask} (ask)`);
    },
  },
  lookups: {
    fields: {
      perSec: z.number().gt(0).max(100_000),
      bytes: bytes.max(1500).optional(),
      timeoutSec: clockSec.optional(),
      members: list(text).min(2).optional(),
    },
  },
});

/** Links of one overlay: each has two directions in the network. */
const MAX_OVERLAY_LINKS = 5_000;

export const OVERLAY_SCHEMA: Schema = fields<OverlaySpec>({
  nodes: list(text).min(2),
  routers: list(text).optional(),
  gateway: text,
  links: list(
    fields<OverlayLinkSpec>({
      from: text,
      to: text,
      there: DIRECTION_SCHEMA,
      back: DIRECTION_SCHEMA.optional(),
    }),
  ).max(MAX_OVERLAY_LINKS),
  flows: nonEmpty(fields<FlowEnds>({ from: text, to: text, via: list(text).optional() })),
  algorithm: text.optional(),
  probes: fields<ProbeSpec>({
    everySec: clockSec,
    timeoutSec: clockSec.optional(),
    bytes: bytes.max(1500).optional(),
    deadAfter: count.max(100).optional(),
    window: count.max(100_000).optional(),
  }).optional(),
  policy: fields<OverlayPolicySpec>({
    kind: z.enum(OVERLAY_POLICIES),
    everySec: clockSec,
    margin: fraction.optional(),
    moveProbability: fraction.optional(),
    maxRelays: count.max(16).optional(),
  }).optional(),
  work: WORK_SCHEMA.optional(),
});

/** The nodes that a work names, each with the path of its field. */
function namesOf(
  work: OverlayWork | undefined,
): readonly (readonly [string, readonly (string | number)[]])[] {
  const at = (field: string, list: readonly string[] = []): [string, (string | number)[]][] =>
    list.map((name, i) => [name, ["work", field, i]]);
  switch (work?.kind) {
    case "route":
      return at("relays", work.relays);
    case "requests":
      return [...at("clients", work.clients), ...at("servers", work.servers)];
    case "fetch":
      return at("holders", work.holders);
    case "lookups":
      return at("members", work.members);
    default:
      return [];
  }
}

/**
 * Names are known, every node can reach every other, and there is a pair of ends for each flow.
 * @param flowCount of the scenario
 */
export function checkOverlay(complaints: Complaints, overlay: OverlaySpec, flowCount: number): void {
  const { nodes, routers = [], gateway, links, flows, work } = overlay;
  const wrong = (path: readonly (string | number)[], message: string): void =>
    complain(complaints, ["overlay", ...path], message);
  const hosts = new Set(nodes);
  const all = new Set([...nodes, ...routers]);
  if (all.size < nodes.length + routers.length) wrong(["nodes"], "each name once, among nodes and routers");
  if (!routers.includes(gateway)) wrong(["gateway"], `one of ${quoted(routers)}`);
  links.forEach(({ from, to }, i) => {
    for (const [field, name] of [
      ["from", from],
      ["to", to],
    ] as const) {
      if (!all.has(name)) wrong(["links", i, field], `one of ${quoted([...all])}`);
      else if (name === nodes[0])
        wrong(["links", i, field], "another than the first node, which `forward` and `reverse` join");
    }
    if (from === to) wrong(["links", i, "to"], "another than `from`");
  });
  if (flows.length !== flowCount) wrong(["flows"], `${flowCount} entries: one for each flow of the scenario`);
  flows.forEach(({ from, to, via = [] }, i) => {
    const way = [from, ...via, to];
    const at = way.findIndex((name, place) => !hosts.has(name) || way.indexOf(name) < place);
    if (at >= 0) wrong(["flows", i], `nodes, each once: ${quoted(nodes)}`);
  });
  for (const [name, path] of namesOf(work)) if (!hosts.has(name)) wrong(path, `one of ${quoted(nodes)}`);
  if (work?.kind === "split" && flows.some(({ from, to }) => from !== flows[0]!.from || to !== flows[0]!.to))
    wrong(["flows"], "the same ends for all flows of a split");
  if (work?.kind === "tree") checkTree(wrong, nodes, flows);
  const apart = unreached(overlay);
  if (apart !== undefined) wrong(["links"], `a way from \`${nodes[0]}\` to \`${apart}\``);
}

/** Each node but the first is fed by at most one flow, and from the first one on. */
function checkTree(
  wrong: (path: readonly (string | number)[], message: string) => void,
  nodes: readonly string[],
  flows: readonly FlowEnds[],
): void {
  const parents = new Map<string, string>();
  flows.forEach(({ from, to }, i) => {
    if (to === nodes[0] || parents.has(to)) wrong(["flows", i, "to"], "a node that no flow before feeds");
    parents.set(to, from);
  });
  flows.forEach(({ from }, i) => {
    let at: string | undefined = from;
    for (let steps = 0; at !== undefined && at !== nodes[0]; steps++) {
      at = steps > nodes.length ? undefined : parents.get(at);
    }
    if (at === undefined) wrong(["flows", i, "from"], `a node that is fed from \`${nodes[0]}\``);
  });
}

/** A node that the first one has no way to; hosts carry nothing for others. */
function unreached({ nodes, gateway, links }: OverlaySpec): string | undefined {
  const hosts = new Set(nodes);
  const next = new Map<string, string[]>();
  const join = (from: string, to: string): void => {
    const known = next.get(from);
    if (known === undefined) next.set(from, [to]);
    else known.push(to);
  };
  for (const { from, to } of links) {
    join(from, to);
    join(to, from);
  }
  const reached = new Set([nodes[0]!, gateway]);
  const open = [gateway];
  while (open.length > 0) {
    const at = open.pop()!;
    if (hosts.has(at)) continue;
    for (const to of next.get(at) ?? []) {
      if (reached.has(to)) continue;
      reached.add(to);
      open.push(to);
    }
  }
  return nodes.find((name) => !reached.has(name));
}
