/** Overlays that are trees: after end system multicast (Chu et al., SIGMETRICS 2000, SIGCOMM 2001) and Overcast (Jannotti et al., OSDI 2000). */
import { Rng } from "../../../core/random.ts";
import { MSS_BYTES, PACKET_BYTES } from "../../../core/units.ts";
import { UNDER_TEST } from "../../flows.ts";
import type { FlowEnds, OverlayLinkSpec } from "../../overlay/overlay.ts";
import { onLinux, preset, type ScenarioPreset, steps } from "../preset.ts";
import { firstNode, join, named, othersUnderTest, way } from "./build.ts";

const ESM = "ccpark, inspired by end system multicast (Chu et al., SIGMETRICS 2000 and SIGCOMM 2001)";

const STRESS = { group: 16, sites: 4, degree: 4 } as const;

/** The nearest one first; ways between two hosts of one site are within it. */
function meshTree(nodes: readonly string[], siteOf: (place: number) => number, degree: number): FlowEnds[] {
  const children = new Map<string, number>();
  const joined = [0];
  return nodes.slice(1).map((to, i) => {
    const place = i + 1;
    const open = joined.filter((each) => (children.get(nodes[each]!) ?? 0) < degree);
    const distance = (each: number): number => Math.abs(siteOf(each) - siteOf(place));
    const parent = open.reduce((best, each) => (distance(each) < distance(best) ? each : best));
    children.set(nodes[parent]!, (children.get(nodes[parent]!) ?? 0) + 1);
    joined.push(place);
    return { from: nodes[parent]!, to };
  });
}

function esmStress(): ScenarioPreset {
  const { group, sites, degree } = STRESS;
  const nodes = named("h", group);
  const siteOf = (place: number): number => Math.floor((place * sites) / group);
  const flows = meshTree(nodes, siteOf, degree);
  return preset("esm-stress", {
    source: ESM,
    description: `a stream to a group of ${group} at ${sites} sites, over a tree of near neighbours`,
    ...firstNode({ mbps: 20, delayMs: 1 }),
    durationSec: 20,
    ...othersUnderTest(flows),
    overlay: {
      nodes,
      routers: ["core", ...named("site", sites)],
      gateway: "site0",
      links: [
        ...named("site", sites).map((site, i) => join(site, "core", { mbps: 20, delayMs: 5 + 5 * i })),
        ...nodes.slice(1).map((node, i) => join(node, `site${siteOf(i + 1)}`, { mbps: 20, delayMs: 1 })),
      ],
      flows,
      work: { kind: "tree", mbps: 0.5, onFull: "skip" },
    },
  });
}

/** Rates of links whose payload is so much. */
const wire = (payloadMbps: number): number => +((payloadMbps * PACKET_BYTES) / MSS_BYTES).toFixed(4);
export const ADAPT = { changeSec: 60, everySec: 2, backSec: 64 } as const;

function esmAdapt(): ScenarioPreset {
  const { changeSec, everySec, backSec } = ADAPT;
  const changing = (points: readonly (readonly [number, number])[]) => ({
    ...way({ mbps: wire(2), delayMs: 10, queueMs: 200 }),
    rate: steps(points.map(([atSec, mbps]) => [atSec, wire(mbps)] as const)),
  });
  const lasting = changing([
    [0, 2],
    [changeSec, 1],
  ]);
  const transient = changing([
    [0, 2],
    [changeSec, 1],
    [backSec, 2],
  ]);
  const back = way({ delayMs: 10 });
  const flows: FlowEnds[] = [
    { from: "source", to: "lasting" },
    { from: "source", to: "transient" },
  ];
  return preset("esm-adapt-noise", {
    source: ESM,
    description: `two receivers lose half of 2 Mbit/s: one for good, one for ${backSec - changeSec} s`,
    ...firstNode({ mbps: 20, delayMs: 1 }),
    durationSec: 120,
    ...othersUnderTest(flows),
    overlay: {
      nodes: ["source", "lasting", "transient"],
      routers: ["edge"],
      gateway: "edge",
      links: [
        { from: "edge", to: "lasting", there: lasting, back },
        { from: "edge", to: "transient", there: transient, back },
      ],
      flows,
      policy: { kind: "fixed", everySec },
      work: { kind: "tree", onFull: "skip", ewma: 0.1, stepMbps: 0.5 },
    },
  });
}

function esmDsl(): ScenarioPreset {
  const flows: FlowEnds[] = [
    { from: "source", to: "dsl" },
    { from: "dsl", to: "h1" },
    { from: "source", to: "h2" },
  ];
  return preset("esm-dsl-4", {
    source: ESM,
    description: "a stream of 2 Mbit/s; one of three receivers has 512 kbit/s upwards, and feeds another",
    ...firstNode({ mbps: 10, delayMs: 5 }),
    durationSec: 60,
    ...othersUnderTest(flows),
    overlay: {
      nodes: ["source", "dsl", "h1", "h2"],
      routers: ["core"],
      gateway: "core",
      links: [
        // downwards a stream that shares its ACKs' way with another's data comes in bursts
        join("dsl", "core", { mbps: 0.512, delayMs: 10 }, { mbps: 2.3, delayMs: 10, queueMs: 200 }),
        join("h1", "core", { mbps: 10, delayMs: 5 }),
        join("h2", "core", { mbps: 10, delayMs: 8 }),
      ],
      flows,
      policy: { kind: "max-throughput", everySec: 2 },
      work: { kind: "tree", mbps: 2, onFull: "skip", stepMbps: 0.1, bufferPackets: 64 },
    },
  });
}

const OVERCAST = { nodes: 60, transits: 4, stubs: 12 } as const;

function overcast(): ScenarioPreset {
  const rng = Rng.fromSeed(60).fork("overcast");
  const nodes = named("o", OVERCAST.nodes);
  const transits = named("transit", OVERCAST.transits);
  const stubs = named("stub", OVERCAST.stubs);
  const links: OverlayLinkSpec[] = [
    ...transits.map((transit, i) =>
      join(transit, transits[(i + 1) % transits.length]!, { mbps: 20, delayMs: 10 }),
    ),
    ...stubs.map((stub, i) =>
      join(stub, transits[i % transits.length]!, {
        mbps: +rng.uniform(2.5, 8).toFixed(1),
        delayMs: +rng.uniform(3, 12).toFixed(1),
      }),
    ),
    ...nodes
      .slice(1)
      .map((node, i) => join(node, stubs[(i + 1) % stubs.length]!, { mbps: 20, delayMs: 0.5 })),
  ];
  const flows = nodes.slice(1).map((to): FlowEnds => ({ from: nodes[0]!, to }));
  return preset("overcast-60", {
    source: "ccpark, inspired by Overcast (Jannotti et al., OSDI 2000)",
    description: "60 nodes find a tree: they begin at the root and move behind others that are as fast",
    ...firstNode({ mbps: 20, delayMs: 0.5 }),
    durationSec: 150,
    flows: [{ algorithm: UNDER_TEST, count: flows.length - 1, startSec: 1, startEverySec: 1 }],
    overlay: {
      nodes,
      routers: [...transits, ...stubs],
      gateway: stubs[0]!,
      links,
      flows,
      policy: { kind: "max-throughput", everySec: 6 },
      work: {
        kind: "tree",
        mbps: 1,
        onFull: "store",
        measureBytes: 30_000,
        tolerance: 0.1,
        leaseSec: 10,
      },
    },
  });
}

export const OVERLAY_TREES: readonly ScenarioPreset[] = [esmStress(), esmAdapt(), esmDsl(), overcast()].map(
  onLinux,
);
