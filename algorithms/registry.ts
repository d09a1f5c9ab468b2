/** The published algorithms, each written once and run on any datapath. */
import type { CcpAlgorithm } from "../ccp-bridge/agent/algorithm.ts";
import { bbr } from "./ccp/bbr.ts";
import { cubic } from "./ccp/cubic.ts";
import { dctcp } from "./ccp/dctcp.ts";
import { reno } from "./ccp/reno.ts";
import { vegas } from "./ccp/vegas.ts";
import { portusBbr, portusConst, portusReno, portusVegas } from "./portus/index.ts";

export interface Baseline {
  readonly algorithm: CcpAlgorithm;
  /** one sentence: what it reacts to and how */
  readonly description: string;
  readonly source: string;
}

/** Order: as `ccpark explain algorithms` prints them. */
const TABLE: readonly Baseline[] = [
  {
    algorithm: reno,
    description: "halves the window on loss and adds one packet per round",
    source: "RFC 5681, RFC 6675",
  },
  {
    algorithm: cubic,
    description:
      "cuts the window to 0.7 on loss and returns to it along a cubic curve of time; HyStart in slow start",
    source: "RFC 9438; Ha and Rhee, Computer Networks 55(9), 2011",
  },
  {
    algorithm: dctcp,
    description:
      "shrinks the window by half the share of marked packets, as Reno on loss; needs accurate ECN",
    source: "RFC 8257",
  },
  {
    algorithm: vegas,
    description: "keeps two to four packets of its own in the queue, judged by the RTT above its minimum",
    source: "Brakmo and Peterson, IEEE JSAC 13(8), 1995; parameters of Linux",
  },
  {
    algorithm: bbr,
    description:
      "paces at the measured bottleneck bandwidth and keeps at most two bandwidth-delay products in flight",
    source: "Cardwell et al., ACM Queue 14(5), 2016; draft-cardwell-iccrg-bbr-congestion-control-00",
  },
  {
    algorithm: portusReno(),
    description:
      "the published CCP Reno on the wire: decisions once per RTT, no window below the initial one",
    source: "generic-cong-avoid of the CCP project",
  },
  {
    algorithm: portusVegas(),
    description: "the published CCP Vegas on the wire: one packet per RTT from the start, blind to loss",
    source: "vegas of the CCP project",
  },
  {
    algorithm: portusConst(),
    description: "the published CCP const on the wire: a window of 20 packets that never moves",
    source: "const of the CCP project",
  },
  {
    algorithm: portusBbr(),
    description: "the published CCP BBR on the wire: no startup, and a bottleneck rate that never falls",
    source: "bbr of the CCP project",
  },
];

export const BASELINE_INFO: ReadonlyMap<string, Baseline> = new Map(TABLE.map((b) => [b.algorithm.name, b]));

export const BASELINES: ReadonlyMap<string, () => CcpAlgorithm> = new Map(
  TABLE.map(({ algorithm }) => [algorithm.name, () => algorithm]),
);

export { bbr, cubic, dctcp, reno, vegas };
