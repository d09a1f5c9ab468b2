/**
 * The test cases of draft-ietf-ccwg-bbr (appendix "BBR Example Test Cases", text of August 2026), as links and flows; what is
 * verified of each is in `eval/suites/bbr-draft/`. The appendix names few numbers: rates, round trips and times are chosen so that
 * what a case is about happens, with nothing drawn. Receivers acknowledge every packet; where a case wants aggregation, ACKs wait.
 */
import type { DelaySpec } from "../delays/registry.ts";
import type { DirectionSpec, QueueSpec } from "../direction.ts";
import { bdpPackets, UNLIMITED } from "../links.ts";
import type { RateSpec } from "../rates/registry.ts";
import type { TimeSpan } from "../schema/times.ts";
import { grid, type PresetParts, preset, type ScenarioPreset, sameRate, steps } from "./preset.ts";

const NAME = "bbr-draft";
const SOURCE = "draft-ietf-ccwg-bbr, appendix BBR Example Test Cases, @4ce5e87";

type CaseParts = Omit<PresetParts, "source">;

/** What all cases share: nothing is drawn, every packet is acknowledged. */
const COMMON = {
  ackPolicy: "per-packet",
  fixed: { startSec: 0, sendJitterUs: 0 },
} as const;

/** Packets of so many bandwidth-delay products. */
function queueOf(mbps: number, rttMs: number, bdps: number): QueueSpec {
  return { packets: Math.max(1, Math.round(bdps * bdpPackets(mbps, rttMs))) };
}

/** One rate there, an open way back. */
function path(
  mbps: number,
  rttMs: number,
  bufferBdp: number,
  rest: Partial<DirectionSpec> = {},
): Pick<CaseParts, "forward" | "reverse" | "rttMs"> {
  const { forward } = sameRate(mbps, queueOf(mbps, rttMs, bufferBdp));
  return { rttMs, forward: { ...forward, ...rest }, reverse: UNLIMITED };
}

/** Pauses of the second half of each period: the application limits the flow in every round. */
function gaps(fromSec: number, toSec: number, periodSec: number): TimeSpan[] {
  const count = Math.round((toSec - fromSec) / periodSec);
  return Array.from({ length: count }, (_, i) => {
    const at = fromSec + (i + 0.5) * periodSec;
    return { fromSec: +at.toFixed(4), toSec: +(at + periodSec / 2).toFixed(4) };
  });
}

/** A rate that falls by a hundredth of its first value every 100 ms, from `fromSec` on. */
function falling(mbps: number, fromSec: number, hundredths: number): RateSpec {
  const points = Array.from({ length: hundredths }, (_, i): [number, number] => [
    +(fromSec + i / 10).toFixed(1),
    +(mbps * (1 - (i + 1) / 100)).toFixed(3),
  ]);
  return steps([[0, mbps], ...points]);
}

/** A delay that falls by 0.1 ms every half second: new least RTTs, so that no PROBE_RTT is due. */
function shrinking(delayMs: number, fromSec: number, toSec: number): DelaySpec {
  const points = Array.from({ length: 2 * (toSec - fromSec) + 1 }, (_, i) => ({
    atSec: fromSec + i / 2,
    delayMs: +(delayMs - (i + 1) / 10).toFixed(1),
  }));
  return { kind: "steps", points: [{ atSec: 0, delayMs }, ...points] };
}

/** An aggregating path: ACKs go on together every 20 ms. */
const AGGREGATED = { ...UNLIMITED, slots: { everyMs: 20 } };

const CASES: readonly (readonly [name: string, parts: CaseParts])[] = [
  [
    "startup-plateau",
    { description: "exiting STARTUP on a bandwidth plateau", durationSec: 3, ...path(10, 40, 4) },
  ],
  [
    "startup-loss-app-limited",
    {
      description:
        "exiting STARTUP on loss while the application limits the flow: 20 of 100 Mbit/s, 10 % lost from 2,000 packets on",
      durationSec: 5,
      ...path(100, 100, 4, { periodicLoss: { everyPackets: 10, offsetPackets: 2_000 } }),
      application: { kind: "constant-rate", mbps: 20 },
    },
  ],
  ["drain-inflight", { description: "exiting DRAIN by inflight", durationSec: 3, ...path(10, 40, 4) }],
  [
    "drain-time",
    {
      description:
        "exiting DRAIN by time: the link loses a tenth of its rate, and others take half of it, as STARTUP ends",
      durationSec: 5,
      ...path(20, 60, 4),
      forward: {
        rate: steps([
          [0, 20],
          [0.75, 18],
        ]),
        queue: queueOf(20, 60, 8),
        lossRate: 0,
      },
      traffic: [{ kind: "datagrams", arrivals: "constant", mbps: 9.5, startSec: 0.75 }],
    },
  ],
  [
    "up-plateau",
    { description: "exiting PROBE_UP on a bandwidth plateau", durationSec: 8, ...path(10, 40, 4) },
  ],
  [
    "up-loss-app-limited",
    {
      description:
        "exiting PROBE_UP on loss while the application limits the flow: it pauses half of the time, one packet in 25 is lost",
      durationSec: 12,
      ...path(10, 100, 4, { periodicLoss: { everyPackets: 25, offsetPackets: 1_500 } }),
      application: { kind: "pauses", pauses: gaps(2, 12, 0.07) },
    },
  ],
  [
    "app-limited-stays",
    {
      description:
        "never exiting STARTUP while the application limits the flow and nothing is lost: 2 of 10 Mbit/s",
      durationSec: 20,
      ...path(10, 40, 4),
      application: { kind: "constant-rate", mbps: 2 },
    },
  ],
  ["down-inflight", { description: "exiting PROBE_DOWN by inflight", durationSec: 8, ...path(10, 40, 4) }],
  [
    "down-time",
    {
      description:
        "exiting PROBE_DOWN by time: the link loses a fifth of its rate around the probe, so that the probe's queue stays",
      durationSec: 12,
      ...path(40, 100, 4),
      forward: { rate: falling(40, 3.6, 20), queue: queueOf(40, 100, 8), lossRate: 0 },
      delay: { forward: shrinking(50, 2.5, 4.5) },
    },
  ],
  ["probe-rtt", { description: "entering and exiting PROBE_RTT", durationSec: 9, ...path(10, 40, 4) }],
  [
    "probe-rtt-skipped",
    {
      description: "skipping PROBE_RTT: the application is silent from 4 to 10 s",
      durationSec: 12,
      ...path(10, 40, 4),
      application: { kind: "pauses", pauses: [{ fromSec: 4, toSec: 10 }] },
    },
  ],
  [
    "aggregation-startup",
    {
      description: "STARTUP on a link with aggregation: ACKs come every 20 ms",
      durationSec: 4,
      ...path(50, 20, 8),
      reverse: AGGREGATED,
    },
  ],
  [
    "aggregation-cruise",
    {
      description: "PROBE_CRUISE on a link with aggregation: ACKs come every 20 ms",
      durationSec: 10,
      ...path(50, 20, 8),
      reverse: AGGREGATED,
    },
  ],
  [
    "sub-packet-bdp",
    {
      description: "a bandwidth-delay product below one packet: 0.5 Mbit/s, 10 ms",
      durationSec: 20,
      rttMs: 10,
      forward: sameRate(0.5, { packets: 20 }).forward,
      reverse: UNLIMITED,
    },
  ],
  [
    "bandwidth-up-10x",
    {
      description:
        "ten times the bandwidth, 10 to 100 Mbit/s at 6 s, after losses have set inflight_longterm",
      durationSec: 20,
      rttMs: 40,
      forward: {
        rate: steps([
          [0, 10],
          [6, 100],
        ]),
        queue: { packets: 25 },
        lossRate: 0,
      },
      reverse: UNLIMITED,
    },
  ],
  [
    "bandwidth-down-10x",
    {
      description: "a tenth of the bandwidth, 100 to 10 Mbit/s at 5 s",
      durationSec: 30,
      rttMs: 40,
      forward: {
        rate: steps([
          [0, 100],
          [5, 10],
        ]),
        queue: queueOf(100, 40, 1),
        lossRate: 0,
      },
      reverse: UNLIMITED,
    },
  ],
  [
    "policer",
    {
      description: "a token bucket of 10 Mbit/s with 100 KB on a link of 100 Mbit/s",
      durationSec: 30,
      ...path(100, 40, 1, { policer: { mbps: 10, burstBytes: 100_000 } }),
    },
  ],
  [
    "spurious-recovery",
    {
      description:
        "spurious fast recovery: the path delays each packet by 0.3 ms in the mean, packet by packet",
      durationSec: 15,
      ...path(20, 60, 4, { jitter: { kind: "exponential", meanMs: 0.3, reorder: true } }),
      sender: { undo: true },
    },
  ],
  [
    "spurious-timeout",
    {
      description: "spurious timeouts: the link stands still for 0.7 s every 1.9 s",
      durationSec: 15,
      ...path(20, 60, 16, {
        outages: [1.2, 4.1, 7, 9.9, 12.8].map((fromSec) => ({ fromSec, toSec: +(fromSec + 0.7).toFixed(1) })),
      }),
      sender: { undo: true },
    },
  ],
  [
    "probe-rtt-in-startup",
    {
      description: "PROBE_RTT in STARTUP, which the application makes long: 2 of 10 Mbit/s",
      durationSec: 8,
      ...path(10, 40, 4),
      application: { kind: "constant-rate", mbps: 2 },
    },
  ],
  [
    "up-loss",
    {
      description:
        "loss in PROBE_UP after inflight_longterm was set: the queue holds a third of the bandwidth-delay product",
      durationSec: 15,
      ...path(48, 100, 0.3),
    },
  ],
  [
    "refill-app-limited",
    {
      description:
        "PROBE_REFILL while the application limits the flow: it pauses half of the time from 2 to 10 s",
      durationSec: 16,
      ...path(10, 100, 4),
      application: { kind: "pauses", pauses: gaps(2, 10, 0.07) },
    },
  ],
];

/** Members are named `bbr-draft/01-startup-plateau`, in the order of the appendix. */
export const BBR_DRAFT: ScenarioPreset = grid(NAME, {
  source: SOURCE,
  description: `the ${CASES.length} test cases of the appendix: links, applications and losses that lead through every state of BBRv3`,
  members: () =>
    CASES.map(([name, parts], i) =>
      preset(`${NAME}/${String(i + 1).padStart(2, "0")}-${name}`, { source: SOURCE, ...COMMON, ...parts }),
    ),
});
