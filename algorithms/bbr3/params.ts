/** What may be varied of BBRv3, in the datapath and over CCP alike. */
import type { AlgorithmParam } from "../spec.ts";

export const BBR3_PARAMS: readonly AlgorithmParam[] = [
  {
    name: "lossThreshold",
    unit: "1",
    low: 0.001,
    high: 0.5,
    default: 0.02,
    why: "share of a round that may be lost while bandwidth is probed: above it inflight is too high (BBR.LossThresh)",
  },
  {
    name: "beta",
    unit: "1",
    low: 0.1,
    high: 0.95,
    default: 0.7,
    why: "least that a round with losses leaves of bandwidth and inflight: no less than Cubic's 0.7 (BBR.Beta)",
  },
  {
    name: "headroom",
    unit: "1",
    low: 0,
    high: 0.5,
    default: 0.15,
    why: "share of inflight_longterm that cruising leaves to others (BBR.Headroom)",
  },
  {
    name: "ecnThreshold",
    unit: "1",
    low: 0.01,
    high: 1,
    default: 0.5,
    why: "share of marked bytes in a round above which inflight is too high; the draft leaves ECN open, Linux's v3 has a half",
  },
  {
    name: "probeRttMs",
    unit: "ms",
    low: 10,
    high: 10_000,
    default: 200,
    why: "how long inflight stays at half of the BDP to see the path's own delay (BBR.ProbeRTTDuration)",
  },
  {
    name: "probeRttEverySec",
    unit: "s",
    low: 0.5,
    high: 1_000,
    default: 5,
    why: "how old the least RTT may become before it is measured anew (BBR.ProbeRTTInterval)",
  },
  {
    name: "minRttWindowSec",
    unit: "s",
    low: 1,
    high: 1_000,
    default: 10,
    why: "how long a least RTT counts: two measurements (BBR.MinRTTFilterLen)",
  },
];
