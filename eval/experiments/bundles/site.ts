/** Two sites with one bottleneck between them, and what stands before it: nothing, a fair queue in the network, or a sendbox. */
import { makeAlgorithm, resolveAlgorithm } from "../../../algorithms/reference.ts";
import { type Mbps, PACKET_BYTES } from "../../../core/units.ts";
import type { DisciplineSpec } from "../../../scenarios/disciplines/registry.ts";
import type { Scenario } from "../../../scenarios/scenario.ts";
import { SIMULATED, type SimulatedRun } from "../../../testbeds/simulated/simulated.ts";
import { algorithm as algorithmOption } from "../algorithm-options.ts";
import type { ExperimentOption } from "../options.ts";
import { packetsIn } from "../shares.ts";

export type Control = "status-quo" | "in-network-fq" | "bundle-sfq" | "bundle-fifo";

/** End hosts know nothing of the bundle. */
export const HOSTS = "native-cubic";
/** Of the sendbox: one whose rate can stand for a whole site's. */
export const SENDBOX_ALGORITHM: ExperimentOption<string> = algorithmOption(
  "nimbus:passes=1,holdSec=10",
  "of the sendbox, such as copa or nimbus:pulse=0.1; nimbus detects cross traffic that answers, and competes then, or with passes=1 lets its senders compete",
);
/** Of the sendbox: far more than any bandwidth-delay product here. */
const SENDBOX_PACKETS = 10_000;
const SFQ: DisciplineSpec = { kind: "sfq" };
const SITE = "site";

export interface Site {
  readonly mbps: Mbps;
  readonly rttMs: number;
  readonly control: Control;
  /** of the bundle */
  readonly algorithm: string;
  readonly durationSec: number;
}

/** The way of all that goes from one site to the other. */
export function siteRoute(control: Control): { readonly route?: NonNullable<Scenario["route"]> } {
  return control.startsWith("bundle") ? { route: { forward: [SITE, "forward"], reverse: ["reverse"] } } : {};
}

/** Without flows but the scenario's own, which sends one packet unless something else is said. */
export function siteScenario({ mbps, rttMs, control, algorithm, durationSec }: Site): Scenario {
  const queue = { packets: 2 * packetsIn(mbps, rttMs) };
  const site = {
    rate: { kind: "unlimited" },
    queue: { packets: SENDBOX_PACKETS, ...(control === "bundle-sfq" && { discipline: SFQ }) },
    lossRate: 0,
  } as const;
  return {
    name: `bundle-${control}`,
    source: "CCP thesis, 4.7.6",
    description: "all traffic from one site to another over one bottleneck",
    forward: {
      rate: { kind: "constant", mbps },
      queue: control === "in-network-fq" ? { ...queue, discipline: SFQ } : queue,
      lossRate: 0,
    },
    reverse: { rate: { kind: "unlimited" }, queue: {}, lossRate: 0 },
    ...(control.startsWith("bundle") && {
      links: { [SITE]: site },
      bundles: [{ id: SITE, link: SITE, algorithm }],
    }),
    ...siteRoute(control),
    propagationDelayMs: rttMs / 2,
    durationSec,
    ackPolicy: "delayed",
    application: { kind: "finite", bytes: PACKET_BYTES },
  };
}

export function openSite(scenario: Scenario, seed: number): SimulatedRun {
  return SIMULATED.open(scenario, seed, {
    control: () => makeAlgorithm(resolveAlgorithm(HOSTS)),
    algorithms: (reference) => makeAlgorithm(resolveAlgorithm(reference)),
  });
}
