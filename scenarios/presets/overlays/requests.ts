/** Overlays that ask: anycast, a campus with others' files, pieces of files, and a ring of keys. */
import { Rng } from "../../../core/random.ts";
import type { FlowEnds } from "../../overlay/overlay.ts";
import { onLinux, preset, type ScenarioPreset } from "../preset.ts";
import { firstNode, join, named, othersUnderTest } from "./build.ts";

/** Clients by region: the nearest server of the first one has more than it can do. */
const REGION_CLIENTS = [10, 4, 3, 3] as const;

function anycast(): ScenarioPreset {
  const regions = named("region", REGION_CLIENTS.length);
  const servers = named("server", regions.length);
  const clients = named(
    "c",
    REGION_CLIENTS.reduce((sum, count) => sum + count, 0),
  );
  const regionOf = REGION_CLIENTS.flatMap((count, region) => Array.from({ length: count }, () => region));
  return preset("anycast-4x20", {
    source: "ccpark, inspired by application-layer anycasting (Zegura et al., ToN 2000)",
    description: "20 clients in four regions ask four servers that are as good as each other",
    ...firstNode({ mbps: 50, delayMs: 1 }),
    durationSec: 60,
    application: { kind: "constant-rate", mbps: 0.5 },
    overlay: {
      nodes: [...clients, ...servers],
      routers: ["core", ...regions],
      gateway: regions[0]!,
      links: [
        ...regions.map((region, i) => join(region, "core", { mbps: 50, delayMs: 15 + 10 * i })),
        ...servers.map((server, i) => join(server, regions[i]!, { mbps: 10, delayMs: 1, queueMs: 200 })),
        ...clients
          .slice(1)
          .map((client, i) => join(client, regions[regionOf[i + 1]!]!, { mbps: 50, delayMs: 1 })),
      ],
      flows: [{ from: clients[0]!, to: servers[0]! }],
      work: {
        kind: "requests",
        clients,
        servers,
        perSec: 2.8,
        sizes: { kind: "exponential", meanBytes: 40_000 },
        choose: "anycast",
      },
    },
  });
}

const CAMPUS = { hosts: 100, peers: 8 } as const;

function campus(): ScenarioPreset {
  const hosts = named("c", CAMPUS.hosts);
  const peers = named("p", CAMPUS.peers);
  const flows = peers.map((from, i): FlowEnds => ({ from, to: hosts[i]! }));
  return preset("campus-100", {
    source: "ccpark, inspired by what Napster and Gnutella did to campus links",
    description: "100 hosts behind one uplink fetch pages while eight of them take files from peers outside",
    ...firstNode({ mbps: 50, delayMs: 20 }),
    durationSec: 40,
    ...othersUnderTest(flows),
    overlay: {
      nodes: [...peers, ...hosts, "web"],
      routers: ["campus", "isp"],
      gateway: "isp",
      links: [
        join("isp", "campus", { mbps: 40, delayMs: 5 }),
        join("web", "isp", { mbps: 200, delayMs: 15 }),
        ...peers.slice(1).map((peer, i) => join(peer, "isp", { mbps: 50, delayMs: 15 + 5 * i })),
        ...hosts.map((host) => join(host, "campus", { mbps: 100, delayMs: 0.5 })),
      ],
      flows,
      work: {
        kind: "requests",
        clients: hosts,
        servers: ["web"],
        perSec: 0.5,
        sizes: { kind: "pareto", shape: 1.2, minBytes: 5_000, maxBytes: 500_000 },
        choose: "nearest",
      },
    },
  });
}

const HOLDERS = 8;

function kofn(): ScenarioPreset {
  const rng = Rng.fromSeed(8).fork("kofn");
  const holders = named("holder", HOLDERS);
  return preset("kofn-fetch", {
    source: "ccpark, inspired by Publius (Waldman et al., USENIX Security 2000) and Freenet",
    description: "any three pieces of five that are asked of eight holders make a file; some are silent",
    ...firstNode({ mbps: 20, delayMs: 2 }),
    durationSec: 180,
    application: { kind: "constant-rate", mbps: 0.2 },
    overlay: {
      nodes: ["reader", ...holders],
      routers: ["core"],
      gateway: "core",
      links: holders.map((holder) =>
        join(holder, "core", {
          mbps: +rng.uniform(1, 8).toFixed(1),
          delayMs: +rng.uniform(5, 60).toFixed(1),
        }),
      ),
      flows: [{ from: "reader", to: holders[0]! }],
      work: { kind: "fetch", holders, ask: 5, need: 3, pieceBytes: 60_000, everySec: 3, silent: 0.1 },
    },
  });
}

const RING = { members: 500, regions: 10 } as const;

function dhtRpc(): ScenarioPreset {
  const rng = Rng.fromSeed(500).fork("dht");
  const members = named("m", RING.members);
  const regions = named("region", RING.regions);
  const senders = named("x", RING.regions);
  const flows = senders.map((from, i): FlowEnds => ({ from, to: senders[(i + 1) % senders.length]! }));
  return preset("dht-rpc", {
    source: "ccpark, inspired by Chord (Stoica et al., SIGCOMM 2001), CAN and Tapestry",
    description: "500 members of a ring of keys in ten regions, between which flows fill the links",
    ...firstNode({ mbps: 50, delayMs: 1 }),
    durationSec: 30,
    ...othersUnderTest(flows),
    overlay: {
      nodes: [...senders, ...members],
      routers: ["core", ...regions],
      gateway: regions[0]!,
      links: [
        ...regions.map((region, i) => join(region, "core", { mbps: 8, delayMs: 5 + 2 * i })),
        ...senders.slice(1).map((sender, i) => join(sender, regions[i + 1]!, { mbps: 50, delayMs: 1 })),
        ...members.map((member, i) =>
          join(member, regions[i % regions.length]!, { delayMs: +rng.uniform(1, 8).toFixed(1) }),
        ),
      ],
      flows,
      work: { kind: "lookups", perSec: 60, members },
    },
  });
}

export const OVERLAY_REQUESTS: readonly ScenarioPreset[] = [anycast(), campus(), kofn(), dhtRpc()].map(
  onLinux,
);
