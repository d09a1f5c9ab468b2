/** Pantheon's 18 emulators: calibrated paths, policers, ACK aggregation and buffers (Yan et al., USENIX ATC 2018). */
import { regeneratePoisson } from "../../traces/poisson.ts";
import { makeDirection } from "../links.ts";
import type { RateSpec } from "../rates/registry.ts";
import { latePreset, type PresetParts, preset, type ScenarioPreset, sameRate } from "./preset.ts";

const SOURCE =
  "StanfordSNR/observatory, src/scripts/experiments.yml @84f9454 (30 s, 1 flow or 3 flows 10 s apart, 5 runs)";
const DURATION_SEC = 30;
/** Flows of the second plan start so far apart. */
const FLOW_INTERVAL_SEC = 10;

type Links = Pick<PresetParts, "forward" | "reverse">;

/**
 * The published member, and the flow plan of three as its variant: all of them under test.
 * @param links made when they are asked for: a trace takes a while
 */
function emulator(
  number: number,
  parts: Omit<PresetParts, "source" | "durationSec" | "members" | keyof Links>,
  links: () => Links,
): ScenarioPreset {
  const name = `pantheon-${number}`;
  const published = { ...parts, source: SOURCE, durationSec: DURATION_SEC };
  const whole = (): PresetParts => ({ ...published, ...links() });
  const members = (): ScenarioPreset[] => [
    preset(`${name}/3-flows`, {
      ...whole(),
      description: `${parts.description}; 3 flows under test, ${FLOW_INTERVAL_SEC} s apart`,
      flows: [{ algorithm: "test", count: 2, startSec: FLOW_INTERVAL_SEC, startEverySec: FLOW_INTERVAL_SEC }],
    }),
  ];
  return latePreset(name, { ...published, members }, whole);
}

/** Lap of the recorded traces. */
const LAP_SEC = 60;

/** Stand-in for a recorded trace; the file is replayed from its beginning, slow seconds included. */
function regenerated(mbps: number, slowStartSec: number): RateSpec {
  return { kind: "trace", ...regeneratePoisson({ mbps, slowStartSec, periodSec: LAP_SEC, seed: 1 }) };
}

const CELLULAR: readonly ScenarioPreset[] = (
  [
    [1, "Nepal to AWS India", 0.57, 0, 28, 14, 0.0477],
    [2, "Mexico cellular to AWS California", 2.64, 5, 88, 130, 0],
    [3, "AWS Brazil to Colombia cellular", 3.04, 4, 130, 426, 0],
  ] as const
).map(([number, path, mbps, slowStartSec, propagationDelayMs, packets, lossRate]) =>
  emulator(
    number,
    {
      substitution: `the recorded ${mbps}mbps-poisson.trace is not shipped: regenerated as a Poisson process of its rate${slowStartSec > 0 ? `, with its ${slowStartSec} slow seconds at the beginning` : ""}`,
      description: `${path} (calibrated): Poisson opportunities of ${mbps} Mbit/s, ${propagationDelayMs} ms each way, drop-tail ${packets} packets${lossRate > 0 ? ", random loss 4.77 %" : ""}`,
      propagationDelayMs,
      fixed: { traceOffsetMs: 0 },
    },
    () => sameRate(regenerated(mbps, slowStartSec), { packets }, { lossRate }),
  ),
);

const PATHS: readonly ScenarioPreset[] = (
  [
    [4, "India to AWS India", 100.42, 27, 173, 0],
    [5, "AWS Korea to China", 77.72, 51, 94, 0.0006],
    [6, "AWS California to Mexico", 114.68, 45, 450, 0],
  ] as const
).map(([number, path, mbps, propagationDelayMs, packets, lossRate]) =>
  emulator(
    number,
    {
      description: `${path} (calibrated): ${mbps} Mbit/s, ${propagationDelayMs} ms each way, drop-tail ${packets} packets${lossRate > 0 ? ", random loss 0.06 %" : ""}`,
      propagationDelayMs,
    },
    () => sameRate(mbps, { packets }, { lossRate }),
  ),
);

const POLICERS: readonly ScenarioPreset[] = (
  [
    [7, 12, 10],
    [8, 60, 10],
    [9, 108, 10],
    [10, 12, 50],
    [11, 60, 50],
    [12, 108, 50],
  ] as const
).map(([number, mbps, propagationDelayMs]) =>
  emulator(
    number,
    {
      description: `token-bucket policer: ${mbps} Mbit/s, ${propagationDelayMs} ms each way, 1 packet of queue in each direction`,
      propagationDelayMs,
    },
    () => sameRate(mbps, { packets: 1 }, { reverseQueue: { packets: 1 } }),
  ),
);

const ACK_AGGREGATION: readonly ScenarioPreset[] = (
  [
    [13, "one opportunity every 100 ms", [100]],
    [14, "10 opportunities every 200 ms", [200, 200, 200, 200, 200, 200, 200, 200, 200, 200]],
  ] as const
).map(([number, what, opportunitiesMs]) =>
  emulator(
    number,
    {
      description: `severe ACK aggregation: 12 Mbit/s, 10 ms each way, no queue limit; ACK direction ${what}`,
      propagationDelayMs: 10,
    },
    () => ({
      forward: makeDirection({ kind: "constant", mbps: 12 }, {}),
      reverse: makeDirection({ kind: "trace", name: what, opportunitiesMs }, {}),
    }),
  ),
);

const BUFFERS: readonly ScenarioPreset[] = (
  [
    [15, "1/10", 9_000],
    [16, "1/3", 30_000],
    [17, "1/2", 45_000],
    [18, "1", 90_000],
  ] as const
).map(([number, share, bytes]) =>
  emulator(
    number,
    {
      description: `buffer of ${share} BDP: 12 Mbit/s, 30 ms each way, drop-tail ${bytes} bytes`,
      propagationDelayMs: 30,
    },
    () => sameRate(12, { bytes }),
  ),
);

export const PANTHEON: readonly ScenarioPreset[] = [
  ...CELLULAR,
  ...PATHS,
  ...POLICERS,
  ...ACK_AGGREGATION,
  ...BUFFERS,
];
