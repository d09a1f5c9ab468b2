/** BBRv3 over CCP against the same model in the datapath, on the three links of the thesis on CCP. */
import { describe, expect, it } from "vitest";
import { makeAlgorithm, resolveAlgorithm } from "../../../algorithms/reference.ts";
import { runAlgorithm } from "../../../envs/measured-run.ts";
import { makeLink } from "../../../scenarios/links.ts";
import type { Scenario } from "../../../scenarios/scenario.ts";
import { resolveScenario } from "../../../scenarios/scenario-files.ts";

const TIMEOUT_MS = 120_000;
const BIN_SEC = 0.05;
/** STARTUP is over. */
const FROM_SEC = 2;
const RTT = { mbps: 96, rttMs: 20, durationSec: 20 };

interface Link {
  readonly name: string;
  readonly seeds: readonly number[];
  readonly of: (seed: number) => Scenario;
}

const LINKS: readonly Link[] = [
  { name: "96 Mbit/s, 20 ms, 1 BDP", seeds: [1], of: () => makeLink({ ...RTT, bufferBdp: 1 }) },
  {
    name: "a cellular trace with 100 packets",
    // one run's median differs by a third from another's, in the datapath too
    seeds: Array.from({ length: 20 }, (_, i) => i + 1),
    of: (seed) => resolveScenario("ccp-cell", { tracePath: "lte-driving", durationSec: 60, seed }),
  },
  {
    name: "0.01 % loss, a buffer that never fills",
    seeds: [1],
    of: () => makeLink({ ...RTT, bufferPackets: 1_000_000, lossRate: 0.0001 }),
  },
];

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

/** Medians over the bins of all seeds: throughput, and round trip by propagation and queue. */
function medians(algorithm: string, { seeds, of }: Link): { mbps: number; rttMs: number } {
  const mbps: number[] = [];
  const rttMs: number[] = [];
  for (const seed of seeds) {
    const { series } = runAlgorithm({
      scenario: of(seed),
      seed,
      rewardName: "score",
      seriesBinSec: BIN_SEC,
      algorithm: makeAlgorithm(resolveAlgorithm(algorithm)),
    });
    const from = series.timeSec.findIndex((atSec) => atSec > FROM_SEC);
    mbps.push(...series.throughputMbps.slice(from));
    rttMs.push(...series.queueDelayMs.slice(from).map((queueMs) => RTT.rttMs + queueMs));
  }
  return { mbps: median(mbps), rttMs: median(rttMs) };
}

describe("BBRv3 over CCP", () => {
  it.each(LINKS)(
    "has the throughput and the delay of the one in the datapath, medians within a twentieth: $name",
    (link) => {
      const ccp = medians("bbr3", link);
      const native = medians("native-bbr3", link);
      expect(Math.abs(ccp.mbps / native.mbps - 1)).toBeLessThan(0.05);
      expect(Math.abs(ccp.rttMs / native.rttMs - 1)).toBeLessThan(0.05);
    },
    TIMEOUT_MS,
  );
});
