/** Set-ups of testbeds: Prudentia, CCTestbed, transperf, CoCo-Beholder, the QUIC interop runner. */
import { bdpPackets } from "../links.ts";
import { grid, onLinux, preset, type ScenarioPreset, sameRate } from "./preset.ts";

const PRUDENTIA = "internetfairness.net, methodology page";
const CCTESTBED = "arukshani/tmp-cctestbed, ccalg_fairness.py @1da7772";
const TRANSPERF = "google/transperf, sample_config";
const QUIC_INTEROP = "quic-interop runner";

/** The bulk algorithms that stand in for services. */
const COMPETITORS = ["cubic", "bbr", "vegas", "reno"];

function prudentia(mbps: number): ScenarioPreset {
  const rttMs = 50;
  const packets = Math.round(4 * bdpPackets(mbps, rttMs));
  const link = `${mbps} Mbit/s, ${rttMs} ms round trip, drop-tail ${packets} packets (4 BDP)`;
  const substitution = "a bulk flow of an algorithm in place of each service";
  return grid(`prudentia-${mbps}`, {
    source: PRUDENTIA,
    description: `${link}; beside one other flow, one member per algorithm of it`,
    substitution,
    members: () =>
      COMPETITORS.map((algorithm) =>
        preset(`prudentia-${mbps}/${algorithm}`, {
          source: PRUDENTIA,
          description: `${link}; beside a flow of ${algorithm}`,
          substitution,
          rttMs,
          ...sameRate(mbps, { packets }),
          flows: [{ id: algorithm, algorithm }],
        }),
      ),
  });
}

/** Queue in packets by round trip in ms, one per rate. */
const CCTESTBED_MBPS = [5, 10, 15];
const CCTESTBED_PACKETS: readonly (readonly [rttMs: number, packets: readonly number[]])[] = [
  [35, [16, 32, 64]],
  [85, [64, 128, 128]],
  [130, [64, 128, 256]],
  [275, [128, 256, 512]],
];

function cctestbedMembers(): ScenarioPreset[] {
  return CCTESTBED_PACKETS.flatMap(([rttMs, queues]) =>
    queues.map((packets, i) => {
      const mbps = CCTESTBED_MBPS[i]!;
      return preset(`cctestbed-table/${mbps}mbps-${rttMs}ms`, {
        source: CCTESTBED,
        description: `${mbps} Mbit/s, ${rttMs} ms round trip, drop-tail ${packets} packets`,
        rttMs,
        ...sameRate(mbps, { packets }),
      });
    }),
  );
}

function quicInterop(rest: Partial<Parameters<typeof preset>[1]> = {}): Parameters<typeof preset>[1] {
  return {
    source: QUIC_INTEROP,
    description: "10 Mbit/s, 15 ms each way, drop-tail 25 packets",
    propagationDelayMs: 15,
    ...sameRate(10, { packets: 25 }),
    ...rest,
  };
}

/** CoCo-Beholder's delay walks; it may not become negative, and its farthest is not published. */
const COCO_MAX_DELAY_MS = 100;
const COCO_DELAY = {
  kind: "random-walk",
  startMs: 20,
  everyMs: 500,
  stepMs: 10,
  minMs: 0,
  maxMs: COCO_MAX_DELAY_MS,
} as const;
const COCO_JITTER = { kind: "uniform", maxMs: 5 } as const;
const COCO_LINK = sameRate(120, { packets: 1000 }, { reverseQueue: { packets: 1000 } });

const LINUX: readonly ScenarioPreset[] = [
  prudentia(8),
  prudentia(50),
  grid("cctestbed-table", {
    source: CCTESTBED,
    description: "5, 10, 15 Mbit/s, 35 to 275 ms round trip, each with its queue of 16 to 512 packets",
    members: cctestbedMembers,
  }),
  preset("transperf-4bbr2", {
    source: TRANSPERF,
    description: "50 Mbit/s, 40 ms round trip, drop-tail 1 BDP, four flows under test, 60 s",
    substitution: "the algorithm under test in place of BBRv2; one host per flow",
    rttMs: 40,
    durationSec: 60,
    ...sameRate(50, { packets: Math.round(bdpPackets(50, 40)) }),
    flows: [{ algorithm: "test", count: 3 }],
  }),
  preset("transperf-sample", {
    source: TRANSPERF,
    description:
      "10 Mbit/s, 10 ms round trip, drop-tail 1024 packets, six flows under test from 0 to 0.5 s, 15 s",
    rttMs: 10,
    durationSec: 15,
    ...sameRate(10, { packets: 1024 }),
    flows: [{ algorithm: "test", count: 5, startSec: 0.1, startEverySec: 0.1 }],
  }),
  preset("coco-default", {
    source: "ZhenyaKh/coco-beholder, README @0a7e3b8",
    description:
      "120 Mbit/s, 20 ms each way walking by 10 ms every 0.5 s, jitter 5 ms, drop-tail 1000 packets; Cubic backward, two Vegas from 15 s",
    substitution: `the flow under test in place of the forward Cubic; the walk of each seed instead of its seed 12345, within 0 to ${COCO_MAX_DELAY_MS} ms`,
    propagationDelayMs: 20,
    durationSec: 30,
    forward: { ...COCO_LINK.forward, jitter: COCO_JITTER },
    reverse: { ...COCO_LINK.reverse, jitter: COCO_JITTER },
    delay: { forward: COCO_DELAY, reverse: COCO_DELAY },
    flows: [
      { id: "cubic", algorithm: "cubic", direction: "backward" },
      { id: "vegas", algorithm: "vegas", count: 2, startSec: 15 },
    ],
  }),
];

export const TESTBEDS: readonly ScenarioPreset[] = [
  ...LINUX.map(onLinux),
  preset("quic-interop-goodput", {
    ...quicInterop(),
    members: () => [
      preset(
        "quic-interop-goodput/cross-traffic",
        quicInterop({
          description: "10 Mbit/s, 15 ms each way, drop-tail 25 packets, beside one TCP flow",
          substitution: "Cubic in the simulator in place of iperf's TCP",
          flows: [{ id: "tcp", algorithm: "cubic" }],
        }),
      ),
    ],
  }),
];
