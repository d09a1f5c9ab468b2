/** Overlays that choose paths: after RON (Andersen et al., SOSP 2001), and what it leaves open when everyone does so. */
import { Rng } from "../../../core/random.ts";
import type { FlowEnds, OverlayLinkSpec } from "../../overlay/overlay.ts";
import { onLinux, preset, type ScenarioPreset } from "../preset.ts";
import { firstNode, join, named, othersUnderTest } from "./build.ts";

const RON = "ccpark, inspired by RON (Andersen et al., SOSP 2001)";
/** Far above any way here. */
const ACCESS = { mbps: 100, delayMs: 1 } as const;

const CHAIN = [
  { mbps: 20, delayMs: 10 },
  { mbps: 12, delayMs: 20 },
  { mbps: 8, delayMs: 30 },
  { mbps: 16, delayMs: 5 },
] as const;
const CHAIN_NODES = ["source", "r1", "r2", "r3", "sink"];

function relayChain(): ScenarioPreset {
  const flows = CHAIN_NODES.slice(1).map((to, i): FlowEnds => ({ from: CHAIN_NODES[i]!, to }));
  return preset("relay-chain", {
    source: "ccpark",
    description: "three relays with a flow per hop: 20, 12, 8 and 16 Mbit/s one after the other",
    ...firstNode(ACCESS),
    durationSec: 30,
    ...othersUnderTest(flows),
    overlay: {
      nodes: CHAIN_NODES,
      routers: named("x", CHAIN_NODES.length),
      gateway: "x0",
      links: CHAIN.flatMap((parts, i) => [
        join(`x${i}`, `x${i + 1}`, parts),
        join(`x${i + 1}`, CHAIN_NODES[i + 1]!, ACCESS),
      ]),
      flows,
      work: { kind: "tree", onFull: "hold", bufferPackets: 256 },
    },
  });
}

/** When one of four paths is lost, for good. */
const PATH_LOST_SEC = 20;

function multipath(): ScenarioPreset {
  const relays = ["p1", "p2", "p3"];
  const lost = { blackholes: [{ fromSec: PATH_LOST_SEC, toSec: 86_400 }] };
  const flows: FlowEnds[] = [
    { from: "source", to: "sink" },
    ...relays.map((relay) => ({ from: "source", via: [relay], to: "sink" })),
  ];
  return preset("multipath-4", {
    source: "ccpark",
    description: `one stream over four paths of 5 Mbit/s, one of which is lost after ${PATH_LOST_SEC} s`,
    ...firstNode(ACCESS),
    durationSec: 40,
    ...othersUnderTest(flows),
    overlay: {
      nodes: ["source", "sink", ...relays],
      routers: ["edge", "far"],
      gateway: "edge",
      links: [
        join("edge", "far", { mbps: 5, delayMs: 15 }),
        join("far", "sink", ACCESS),
        ...relays.flatMap((relay, i) => [
          join("edge", relay, { mbps: 5, delayMs: 10 + 5 * i, ...(i === relays.length - 1 && lost) }),
          join(relay, "far", { mbps: 50, delayMs: 8 }),
        ]),
      ],
      flows,
      work: { kind: "split", by: "pull" },
    },
  });
}

/** In each of them the way over the third node lives. */
export const OUTAGES_SEC = [
  { fromSec: 20, toSec: 40 },
  { fromSec: 60, toSec: 75 },
  { fromSec: 100, toSec: 130 },
] as const;

function ronOutage(): ScenarioPreset {
  return preset("ron-outage-3", {
    source: RON,
    description: "three nodes; the direct path is dead three times, and the one over the third node lives",
    ...firstNode(ACCESS),
    durationSec: 150,
    overlay: {
      nodes: ["a", "b", "c"],
      routers: ["edge"],
      gateway: "edge",
      links: [
        join("edge", "b", { mbps: 4, delayMs: 20, blackholes: OUTAGES_SEC }),
        join("edge", "c", { mbps: 4, delayMs: 15, blackholes: [{ fromSec: 82, toSec: 90 }] }),
        join("c", "b", { mbps: 4, delayMs: 15 }),
      ],
      flows: [{ from: "a", to: "b" }],
      probes: { everySec: 0.5, timeoutSec: 0.5 },
      policy: { kind: "min-loss", everySec: 0.5 },
      work: { kind: "route", relays: ["c"] },
    },
  });
}

const MESH_NODES = named("n", 13);
/** Of a path's losses, and how many of the paths have so much. */
const MESH_LOSSES = [
  { share: 0.6, low: 0, high: 0 },
  { share: 0.25, low: 0.01, high: 0.03 },
  { share: 0.1, low: 0.05, high: 0.15 },
  { share: 0.05, low: 0.2, high: 0.4 },
] as const;
const MESH_OUTAGE_SHARE = 0.15;
const MESH_DURATION_SEC = 120;

function meshLink(from: string, to: string, delayMs: number, rng: Rng): OverlayLinkSpec {
  let draw = rng.next();
  const level =
    MESH_LOSSES.find(({ share }) => {
      draw -= share;
      return draw < 0;
    }) ?? MESH_LOSSES[0];
  const lossRate = +rng.uniform(level.low, level.high).toFixed(4);
  const isOut = rng.next() < MESH_OUTAGE_SHARE;
  const fromSec = Math.round(rng.uniform(20, MESH_DURATION_SEC - 50));
  const blackholes = [{ fromSec, toSec: fromSec + Math.round(rng.uniform(15, 40)) }];
  return join(from, to, { mbps: 2, delayMs, lossRate, ...(isOut && { blackholes }) });
}

function ronMesh(): ScenarioPreset {
  const rng = Rng.fromSeed(13).fork("ron-mesh");
  const places = MESH_NODES.map(() => [rng.uniform(0, 40), rng.uniform(0, 40)] as const);
  const links = MESH_NODES.flatMap((a, i) =>
    MESH_NODES.slice(i + 1).map((b, k) => {
      const [from, to] = [places[i]!, places[i + 1 + k]!];
      const delayMs = +(3 + Math.hypot(from[0] - to[0], from[1] - to[1])).toFixed(2);
      return meshLink(i === 0 ? "edge" : a, b, delayMs, rng.fork(`${a}.${b}`));
    }),
  );
  const flows = MESH_NODES.slice(0, 12).map(
    (from, i): FlowEnds => ({ from, to: MESH_NODES[(i + 6) % MESH_NODES.length]! }),
  );
  return preset("ron-mesh-13", {
    source: RON,
    description: "13 nodes with a path between each two: losses from 0 to 40 %, and outages of 15 to 40 s",
    ...firstNode(ACCESS),
    durationSec: MESH_DURATION_SEC,
    ...othersUnderTest(flows),
    overlay: {
      nodes: MESH_NODES,
      routers: ["edge"],
      gateway: "edge",
      links,
      flows,
      probes: { everySec: 1, timeoutSec: 0.7, window: 50 },
      policy: { kind: "min-loss", everySec: 1, margin: 0.2 },
      work: { kind: "route", compareEverySec: 0.5 },
    },
  });
}

const EVERYONE = 20;

function ronEveryone(): ScenarioPreset {
  const sources = named("s", EVERYONE);
  const sinks = named("d", EVERYONE);
  const flows = sources.map((from, i): FlowEnds => ({ from, to: sinks[i]! }));
  return preset("ron-everyone-20", {
    source: `${RON}; what its section 6 asks and does not measure`,
    description: "20 flows that all choose between the direct path and one over a relay, 20 Mbit/s each",
    ...firstNode(ACCESS),
    durationSec: 60,
    ...othersUnderTest(flows),
    overlay: {
      nodes: [...sources, ...sinks, "relay"],
      routers: ["left", "right"],
      gateway: "left",
      links: [
        join("left", "right", { mbps: 20, delayMs: 20 }),
        join("left", "relay", { mbps: 20, delayMs: 10 }),
        join("relay", "right", { mbps: 20, delayMs: 10 }),
        ...sources.slice(1).map((source) => join(source, "left", ACCESS)),
        ...sinks.map((sink) => join("right", sink, ACCESS)),
      ],
      flows,
      probes: { everySec: 0.1 },
      policy: { kind: "min-latency", everySec: 2 },
      work: { kind: "route", relays: ["relay"] },
    },
  });
}

export const OVERLAY_PATHS: readonly ScenarioPreset[] = [
  relayChain(),
  multipath(),
  ronOutage(),
  ronMesh(),
  ronEveryone(),
].map(onLinux);
