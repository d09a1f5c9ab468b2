/** Links on which published learners were trained or tried. */
import { bdpPackets, constantRate, makeDirection, UNLIMITED } from "../links.ts";
import { PANTHEON } from "./pantheon.ts";
import { grid, preset, type ScenarioPreset, sameRate, steps } from "./preset.ts";

const INDIGO = "StanfordSNR/indigo, dagger/worker.py @463d89b";
const RAYNET = "giacomoni/raynet, scripts @9f50f34";

/** 1500-byte packets per second to Mbit/s. */
function packetsPerSec(packets: number): number {
  return (packets * 1500 * 8) / 1e6;
}

function indigoMembers(): ScenarioPreset[] {
  const constant = [5, 10, 20, 50, 100, 200].flatMap((mbps) =>
    [10, 20, 40, 80].map((delayMs) =>
      preset(`indigo-train/${mbps}mbps-${delayMs}ms`, {
        source: INDIGO,
        description: `${mbps} Mbit/s, ${delayMs} ms each way, no queue limit, 1000 steps of 10 ms`,
        propagationDelayMs: delayMs,
        durationSec: 10,
        ...sameRate(mbps, {}),
      }),
    ),
  );
  // worker.py adds the calibrated paths
  const paths = PANTHEON.slice(0, 6).map((each) => ({
    ...each,
    name: `indigo-train/${each.name}`,
    members: undefined,
    template: () => ({ ...each.template!(undefined), name: `indigo-train/${each.name}`, durationSec: 10 }),
  }));
  return [...constant, ...paths];
}

export const LEARNERS: readonly ScenarioPreset[] = [
  preset("aurora-train", {
    source: "PCCproject/PCC-RL, network_sim.py @64bea6ee",
    description:
      "drawn per seed: 100 to 500 packets/s, 50 to 500 ms each way, queue 1 + e^U(0, 8) packets, loss 0 to 5 %",
    substitution: "the starting rate, U(0.3, 1.5) of the link's, is the learner's to choose",
    propagationDelayMs: { uniform: [50, 500] },
    forward: {
      rate: { kind: "constant", mbps: { uniform: [packetsPerSec(100), packetsPerSec(500)] } },
      // drawn counts are rounded up: 1 + int(x) for x between whole numbers
      queue: { packets: { logUniform: [1, 2980.957987] } },
      lossRate: { uniform: [0, 0.05] },
    },
    reverse: UNLIMITED,
  }),
  preset("genet-udr3", {
    source: "GenetProject/Genet, config/cc/udr3.json @5d4303b",
    description:
      "drawn per seed: 0.1 to at most 100 Mbit/s changing every 0 to 15 s, 2 to 200 ms each way, queue 0.2 to 3 BDP, loss 0 to 5 %",
    substitution: "the rate changes at most ten times a second",
    propagationDelayMs: { uniform: [2, 200] },
    durationSec: 30,
    forward: {
      rate: {
        kind: "random-steps",
        minMbps: 0.1,
        maxMbps: { uniform: [0.1, 100] },
        everySec: { uniform: [0.1, 15] },
      },
      queue: { bdp: { uniform: [0.2, 3] } },
      // 10^U(-5, log10 0.05), and 0 below 10^-4: the weights are the lengths in decades
      lossRate: { choice: [0, { logUniform: [0.0001, 0.05] }], weights: [1, 2.69897] },
    },
    reverse: UNLIMITED,
  }),
  grid("indigo-train", {
    source: INDIGO,
    description:
      "5 to 200 Mbit/s, 10 to 80 ms each way, no queue limit; and pantheon-1 to pantheon-6; 1000 steps of 10 ms",
    substitution: "in three of the members, the recorded Poisson traces (see pantheon-1 to pantheon-3)",
    members: indigoMembers,
  }),
  preset("ns3gym-rltcp", {
    source: "tkn-tub/ns3-gym, examples/rl-tcp/sim.cc",
    description: "2 Mbit/s behind an access link of 10 Mbit/s, 20.01 ms each way, drop-tail 50 packets, 10 s",
    substitution: "packets of 1500 bytes instead of 400",
    propagationDelayMs: 20.01,
    durationSec: 10,
    ...sameRate(2, { packets: 50 }),
    links: { access: makeDirection(constantRate(10), { packets: 50 }) },
    route: { forward: ["access", "forward"], reverse: ["reverse"] },
  }),
  grid("raynet-orca", {
    source: RAYNET,
    description:
      "Orca's links in RayNet: train 64 Mbit/s, 16 ms, 250 packets; eval 96 Mbit/s, 40 ms, 440 packets",
    members: () =>
      (
        [
          ["train", 64, 16, 250],
          ["eval", 96, 40, 440],
        ] as const
      ).map(([name, mbps, rttMs, packets]) =>
        preset(`raynet-orca/${name}`, {
          source: RAYNET,
          description: `${mbps} Mbit/s, ${rttMs} ms round trip, drop-tail ${packets} packets`,
          rttMs,
          ...sameRate(mbps, { packets }),
        }),
      ),
  }),
  preset("marlin", {
    source: "RaffaeleGalliera/marlin-rlcc, env.py defaults @bcb9934",
    description: "1 Mbit/s and 100 ms each way, from 10 s on 0.5 Mbit/s and 10 ms, 200 steps of 100 ms",
    substitution: "the source names no queue: 1000 packets, netem's default",
    propagationDelayMs: 100,
    durationSec: 20,
    delay: {
      forward: {
        kind: "steps",
        points: [
          { atSec: 0, delayMs: 100 },
          { atSec: 10, delayMs: 10 },
        ],
      },
      reverse: {
        kind: "steps",
        points: [
          { atSec: 0, delayMs: 100 },
          { atSec: 10, delayMs: 10 },
        ],
      },
    },
    ...sameRate(
      steps([
        [0, 1],
        [10, 0.5],
      ]),
      { packets: 1000 },
    ),
  }),
  preset("nebby", {
    source: "NUS-SNL/Nebby, README",
    description: "200 kbit/s, 1 ms before and 50 ms behind the bottleneck, drop-tail 2 BDP",
    propagationDelayMs: 51,
    ...sameRate(0.2, { packets: Math.round(2 * bdpPackets(0.2, 2 * 51)) }),
  }),
];
