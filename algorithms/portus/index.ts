/**
 * Twins of the algorithms published with Portus: on the wire they behave as those do, limits included, so that a change
 * of the agent alone can be told from a change of the algorithm. `algorithms/ccp` has the algorithms as their papers
 * describe them.
 */
import type { AlgorithmSpec } from "../spec.ts";
import { portusBbr } from "./bbr.ts";
import { DEFAULT_CWND_PACKETS, portusConst } from "./const.ts";
import { portusReno } from "./reno.ts";
import { portusVegas } from "./vegas.ts";

export const portusRenoSpec: AlgorithmSpec = {
  name: "portus-reno",
  summary: "the published CCP Reno on the wire: decisions once per RTT, no window below the initial one",
  source: "generic-cong-avoid of the CCP project",
  reads: ["loss", "timeout"],
  params: [],
  ccp: () => portusReno(),
};

export const portusVegasSpec: AlgorithmSpec = {
  name: "portus-vegas",
  summary: "the published CCP Vegas on the wire: one packet per RTT from the start, blind to loss",
  source: "vegas of the CCP project",
  reads: ["rtt"],
  params: [
    {
      name: "alpha",
      unit: "packets",
      low: 0,
      high: 1000,
      default: 2,
      why: "queued packets up to which it grows",
    },
    {
      name: "beta",
      unit: "packets",
      low: 0,
      high: 1000,
      default: 4,
      why: "queued packets from which it shrinks",
    },
  ],
  ccp: ({ alpha, beta }) => portusVegas({ alpha, beta }),
};

export const portusConstSpec: AlgorithmSpec = {
  name: "portus-const",
  summary: "the published CCP const on the wire: a window that never moves",
  source: "const of the CCP project",
  reads: ["nothing"],
  params: [
    {
      name: "cwndPackets",
      unit: "packets of 1500 B",
      low: 1,
      high: 1_000_000,
      default: DEFAULT_CWND_PACKETS,
      why: "the published one has no default; this is what a benchmark by name runs",
    },
  ],
  ccp: ({ cwndPackets }) => portusConst({ cwndPackets: cwndPackets! }),
  recovery: "its window never moves: on a link of more than the window per round trip it never reaches half",
};

export const portusBbrSpec: AlgorithmSpec = {
  name: "portus-bbr",
  summary: "the published CCP BBR on the wire: no startup, and a bottleneck rate that never falls",
  source: "bbr of the CCP project",
  reads: ["delivery-rate", "rtt"],
  params: [
    {
      name: "probeRttIntervalSec",
      unit: "s",
      low: 0.5,
      high: 1000,
      default: 10,
      why: "between two measurements of the minimum RTT, as published",
    },
  ],
  ccp: ({ probeRttIntervalSec }) => portusBbr({ probeRttIntervalSec }),
};
