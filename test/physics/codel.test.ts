/** RFC 8289: CoDel holds the sojourn time of responsive flows near its target once their start is over. */
import { describe, expect, it } from "vitest";
import { reno } from "../../algorithms/native/reno.ts";
import { Rng } from "../../core/random.ts";
import { fromMbps, NANOS_PER_MILLI, NANOS_PER_SEC } from "../../core/units.ts";
import { GeneralNetwork } from "../../sim/general/general-network.ts";
import type { LinkSpec } from "../../sim/network.ts";

/** one of them may keep flows in step with one another: the statement is about their mean */
const SEEDS = [20260401, 1, 2, 3, 4];
const TARGET_MS = 5;
const NO_LIMIT = { packets: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };

describe(`CoDel, 10 Mbit/s, Reno flows of 40 ms, seconds 10 to 40 (seeds ${SEEDS})`, () => {
  const medianSojourn = (flows: number, seed: number): { medianMs: number; utilisation: number } => {
    const link = (discipline: LinkSpec["discipline"]): LinkSpec => ({
      rate: { kind: "constant", rateBytesPerSec: fromMbps(10) },
      queue: NO_LIMIT,
      discipline,
      lossRate: 0,
      dataBytes: 1500,
      ackBytes: 52,
    });
    const rng = Rng.fromSeed(seed + flows);
    const starts = rng.fork("starts");
    const network = new GeneralNetwork(
      {
        forward: link({ kind: "codel", targetMs: TARGET_MS }),
        reverse: link(undefined),
        flows: Array.from({ length: flows }, () => ({
          control: reno,
          startNs: starts.next() * NANOS_PER_SEC,
          stopNs: Number.POSITIVE_INFINITY,
          propagationNs: 20 * NANOS_PER_MILLI,
          ackPolicy: "delayed" as const,
          sendJitterNs: 20_000,
          seriesBinNs: Number.POSITIVE_INFINITY,
        })),
      },
      rng,
    );
    network.runUntil(10 * NANOS_PER_SEC);
    const sojournsMs: number[] = [];
    const servedBefore = network.forward.servedBytes(network.nowNs);
    network.hops[0]!.tracer = {
      onArrival() {},
      onDrop() {},
      // the delay of a departure has the packet's own transmission, which is no sojourn in the queue
      onDeparture: (_, bytes, delayNs) =>
        sojournsMs.push((delayNs - (bytes * NANOS_PER_SEC) / fromMbps(10)) / NANOS_PER_MILLI),
    };
    network.runUntil(40 * NANOS_PER_SEC);
    sojournsMs.sort((a, b) => a - b);
    const medianMs = sojournsMs[Math.floor(sojournsMs.length / 2)]!;
    const utilisation = (network.forward.servedBytes(network.nowNs) - servedBefore) / (30 * fromMbps(10));
    console.log(`${flows} flows: median ${medianMs.toFixed(2)} ms, utilisation ${utilisation.toFixed(3)}`);
    return { medianMs, utilisation };
  };

  it.each([1, 2, 3, 4])("%i flows: the median sojourn is at most twice the target", (flows) => {
    const runs = SEEDS.map((seed) => medianSojourn(flows, seed));
    const meanMs = runs.reduce((sum, { medianMs }) => sum + medianMs, 0) / SEEDS.length;
    expect(meanMs).toBeLessThanOrEqual(2 * TARGET_MS);
    for (const { utilisation } of runs) expect(utilisation).toBeGreaterThan(0.8);
  });
});
