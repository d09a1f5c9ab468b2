/** All that goes from one site to another as one bundle, whose rate is what is under test (CCP thesis 4.7.6). The numbers are ours. */
import { UNDER_TEST } from "../flows.ts";
import { bdpPackets, UNLIMITED } from "../links.ts";
import { type PresetParts, preset, type ScenarioPreset, sameRate } from "./preset.ts";

const SOURCE = "ccpark, after the CCP thesis (Narayan 2024), 4.7.6";
const MBPS = 48;
const RTT_MS = 50;
const HOSTS = "native-cubic";
/** In the sendbox: far more than any bandwidth-delay product here. */
const SENDBOX = { packets: 4000, discipline: { kind: "sfq" } } as const;

const SITES = {
  source: SOURCE,
  rttMs: RTT_MS,
  durationSec: 30,
  ...sameRate(MBPS, { packets: Math.round(2 * bdpPackets(MBPS, RTT_MS)) }),
  reverse: UNLIMITED,
  links: { site: { ...UNLIMITED, queue: SENDBOX } },
  route: { forward: ["site", "forward"], reverse: ["reverse"] },
  bundles: [{ id: "site", link: "site", algorithm: UNDER_TEST }],
} satisfies Partial<PresetParts>;

/** Beside the scenario's own host. */
const OWN = { id: "own", algorithm: HOSTS, count: 3 } as const;

export const BUNDLES: readonly ScenarioPreset[] = [
  preset("bundle-alone", {
    ...SITES,
    description: `a bundle of four flows of Cubic over ${MBPS} Mbit/s and ${RTT_MS} ms round trip, 2 BDP; its rate is under test`,
    flows: [OWN],
  }),
  preset("bundle-rival", {
    ...SITES,
    description: `the same, and one flow of Cubic that is not in the bundle from 10 s to 20 s`,
    flows: [
      OWN,
      {
        id: "rival",
        algorithm: HOSTS,
        startSec: 10,
        stopSec: 20,
        route: { forward: ["forward"], reverse: ["reverse"] },
      },
    ],
  }),
];
