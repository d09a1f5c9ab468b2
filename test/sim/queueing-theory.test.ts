/**
 * The event network against queueing theory in continuous time: Poisson arrivals at one server, fixed sizes (M/D/1,
 * Pollaczek-Khinchine) and exponential sizes (M/M/1). Sizes are bytes with fractions, so service times are continuous.
 */
import { describe, expect, it } from "vitest";
import { drawExponential } from "../../core/distributions.ts";
import { Rng } from "../../core/random.ts";
import { NANOS_PER_SEC } from "../../core/units.ts";
import { GeneralNetwork } from "../../sim/general/general-network.ts";
import type { LinkSpec } from "../../sim/network.ts";

const SEED = 20260210;
const RATE_BYTES_PER_SEC = 1_500_000;
const MEAN_BYTES = 1500;
const SERVICE_US = (MEAN_BYTES * 1e6) / RATE_BYTES_PER_SEC;
const WARM_UP_PACKETS = 100_000;
const PACKETS = 5_000_000;

const LINK: LinkSpec = {
  rate: { kind: "constant", rateBytesPerSec: RATE_BYTES_PER_SEC },
  queue: { packets: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY },
  lossRate: 0,
  dataBytes: MEAN_BYTES,
  ackBytes: 52,
};

/** Mean wait in the queue over at least `PACKETS` packets after the warm-up. */
function meanWaitUs(load: number, sizes: "fixed" | "exponential"): number {
  const rng = Rng.fromSeed(SEED);
  const [gaps, draws] = [rng.fork("gaps"), rng.fork("sizes")];
  const meanGapNs = (SERVICE_US * 1000) / load;
  const network = new GeneralNetwork(
    {
      forward: LINK,
      reverse: LINK,
      flows: [],
      datagrams: [
        {
          startNs: 0,
          stopNs: Number.POSITIVE_INFINITY,
          gapNs: () => meanGapNs * drawExponential(gaps),
          bytes: sizes === "fixed" ? () => MEAN_BYTES : () => MEAN_BYTES * drawExponential(draws),
          route: [0],
          propagationNs: 0,
        },
      ],
    },
    rng,
  );
  const { queueDelay } = network.datagrams[0]!.statistics;
  network.runUntil(WARM_UP_PACKETS * meanGapNs);
  const [warmCount, warmSumUs] = [queueDelay.count, queueDelay.sumUs];
  while (queueDelay.count < warmCount + PACKETS) network.runUntil(network.nowNs + 10 * NANOS_PER_SEC);
  return (queueDelay.sumUs - warmSumUs) / (queueDelay.count - warmCount);
}

describe(`mean wait at one server within 2 % of theory, 5 million packets (seed ${SEED})`, () => {
  for (const load of [0.5, 0.8]) {
    it(`M/D/1 at load ${load}: load / (2 (1 - load)) service times`, () => {
      const theoryUs = (load * SERVICE_US) / (2 * (1 - load));
      expect(Math.abs(meanWaitUs(load, "fixed") / theoryUs - 1)).toBeLessThan(0.02);
    }, 120_000);
    it(`M/M/1 at load ${load}: load / (1 - load) service times`, () => {
      const theoryUs = (load * SERVICE_US) / (1 - load);
      expect(Math.abs(meanWaitUs(load, "exponential") / theoryUs - 1)).toBeLessThan(0.02);
    }, 120_000);
  }
});
