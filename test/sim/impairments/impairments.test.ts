/** Effects of a link on entering and on leaving, each against its law. Random cases print fast-check's seed. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Rng } from "../../../core/random.ts";
import { NANOS_PER_MILLI, NANOS_PER_SEC } from "../../../core/units.ts";
import { EntryFilter } from "../../../sim/general/impairments/entry-filter.ts";
import { ExitShaper } from "../../../sim/general/impairments/exit-shaper.ts";
import type { Impairments } from "../../../sim/general/impairments/impairments.ts";
import { TokenBucket } from "../../../sim/general/impairments/token-bucket.ts";

const SEED = Number(process.env["CCPARK_IMPAIRMENT_SEED"] ?? 20260101);
const forkOf =
  (seed: number) =>
  (effect: string): Rng =>
    Rng.fromSeed(seed).fork(effect);

/** Packet numbers that a filter loses when they come one per millisecond. */
function lostOf(impairments: Impairments, packets: number, seed = 1): number[] {
  const filter = new EntryFilter(impairments, forkOf(seed));
  const lost: number[] = [];
  for (let i = 0; i < packets; i++) if (!filter.admits(i * NANOS_PER_MILLI, 1500)) lost.push(i);
  return lost;
}

describe("token-bucket policer", () => {
  it("passes at most rate x T + burst in any span, and at least that less one packet when saturated", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e4, max: 1e9, noNaN: true }),
        fc.integer({ min: 1500, max: 100_000 }),
        fc.integer(),
        (rate, burst, seed) => {
          const rng = Rng.fromSeed(seed >>> 0);
          const bucket = new TokenBucket(rate, burst);
          const passed: { readonly atNs: number; readonly total: number }[] = [];
          // offered at 1.5 to 5 times the rate, in packets of many sizes
          const overload = rng.uniform(1.5, 5);
          let nowNs = 0;
          let total = 0;
          for (let i = 0; i < 300; i++) {
            const bytes = 40 + rng.integer(1461);
            nowNs += (rng.uniform(0.5, 1.5) * bytes * NANOS_PER_SEC) / (rate * overload);
            if (!bucket.admits(nowNs, bytes)) continue;
            total += bytes;
            passed.push({ atNs: nowNs, total });
          }
          let excess = Number.NEGATIVE_INFINITY;
          for (let i = 0; i < passed.length; i++) {
            const before = i === 0 ? 0 : passed[i - 1]!.total;
            for (let j = i; j < passed.length; j++) {
              const spanSec = (passed[j]!.atNs - passed[i]!.atNs) / NANOS_PER_SEC;
              excess = Math.max(excess, passed[j]!.total - before - (rate * spanSec + burst));
            }
          }
          expect(excess).toBeLessThanOrEqual(1e-3);
        },
      ),
      { numRuns: 1000, seed: SEED },
    );
    // saturated: a packet is offered whenever one could pass
    for (const [rate, burst, bytes] of [
      [1_250_000, 15_000, 1500],
      [125_000, 3000, 700],
      [12_500_000, 1500, 1500],
    ] as const) {
      const bucket = new TokenBucket(rate, burst);
      const stepNs = (bytes / rate / 50) * NANOS_PER_SEC;
      let total = 0;
      let nowNs = 0;
      for (let i = 0; i < 50_000; i++) {
        nowNs = i * stepNs;
        if (bucket.admits(nowNs, bytes)) total += bytes;
      }
      const bound = (rate * nowNs) / NANOS_PER_SEC + burst;
      expect(total).toBeLessThanOrEqual(bound + 1e-3);
      expect(total).toBeGreaterThanOrEqual(bound - bytes - 1e-3);
    }
  });
});

describe("loss on entering", () => {
  it("loses what arrives in a blackhole, from its start to just before its end, also where spans overlap", () => {
    const spans = [
      { fromNs: 40, toNs: 50 },
      { fromNs: 10, toNs: 20 },
      { fromNs: 15, toNs: 18 },
      { fromNs: 45, toNs: 60 },
    ];
    const filter = new EntryFilter({ blackholes: spans }, forkOf(1));
    const lost: number[] = [];
    for (let nowNs = 0; nowNs < 70; nowNs++) if (!filter.admits(nowNs, 1500)) lost.push(nowNs);
    const inside = (nowNs: number) => spans.some(({ fromNs, toNs }) => fromNs <= nowNs && nowNs < toNs);
    expect(lost).toEqual(Array.from({ length: 70 }, (_, i) => i).filter(inside));
    expect(filter.blackholedPackets).toBe(30);
  });

  it("loses every n-th packet exactly, the first after the offset", () => {
    expect(lostOf({ periodicLoss: { everyPackets: 5 } }, 20)).toEqual([4, 9, 14, 19]);
    expect(lostOf({ periodicLoss: { everyPackets: 5, offsetPackets: 0 } }, 12)).toEqual([0, 5, 10]);
    expect(lostOf({ periodicLoss: { everyPackets: 3, offsetPackets: 7 } }, 15)).toEqual([7, 10, 13]);
    expect(lostOf({ periodicLoss: { everyPackets: 1 } }, 4)).toEqual([0, 1, 2, 3]);
  });

  it("draws one number of the fork `loss` per packet for Bernoulli loss, and forks nothing where there is none", () => {
    const rng = forkOf(9)("loss");
    const expected = Array.from({ length: 2000 }, () => rng.next() < 0.1);
    const lost = new Set(lostOf({ lossRate: 0.1 }, 2000, 9));
    expect(expected.map((_, i) => lost.has(i))).toEqual(expected);
    const refuse = (effect: string): Rng => {
      throw new Error(`no generator is due for ${effect}`);
    };
    expect(EntryFilter.of({ lossRate: 0, blackholes: [] }, refuse)).toBeUndefined();
    expect(ExitShaper.of({ duplicationRate: 0, corruptionRate: 0 }, refuse)).toBeUndefined();
    expect(
      new EntryFilter({ policer: { rateBytesPerSec: 1, burstBytes: 1500 } }, refuse).admits(0, 1500),
    ).toBe(true);
  });

  it("has Gilbert and Elliott's stationary loss and burst length, within four standard errors", () => {
    const packets = 400_000;
    for (const [i, spec] of [
      { goodToBad: 0.01, badToGood: 0.3 },
      { goodToBad: 0.002, badToGood: 0.05, lossInGood: 0.001, lossInBad: 0.5 },
      { goodToBad: 0.3, badToGood: 0.6, lossInGood: 0.05, lossInBad: 0.9 },
    ].entries()) {
      const { goodToBad, badToGood, lossInGood = 0, lossInBad = 1 } = spec;
      const bad = goodToBad / (goodToBad + badToGood);
      const loss = bad * lossInBad + (1 - bad) * lossInGood;
      // losses are correlated by the chain, whose memory is r = 1 - goodToBad - badToGood per packet
      const memory = 1 - goodToBad - badToGood;
      const chain = bad * (1 - bad) * (lossInBad - lossInGood) ** 2;
      const variance = loss * (1 - loss) + (2 * chain * memory) / (1 - memory);
      const lost = lostOf({ gilbertElliott: spec }, packets, SEED + i).length / packets;
      expect(Math.abs(lost - loss), `seed ${SEED + i}: loss ${lost}, expected ${loss}`).toBeLessThan(
        4 * Math.sqrt(variance / packets),
      );
    }
    const lost = new Set(lostOf({ gilbertElliott: { goodToBad: 0.01, badToGood: 0.25 } }, packets, SEED));
    const bursts = [...lost].filter((i) => !lost.has(i - 1)).length;
    const meanBurst = lost.size / bursts; // geometric with mean 4, deviation sqrt(12)
    expect(Math.abs(meanBurst - 4), `seed ${SEED}: ${meanBurst}`).toBeLessThan(4 * Math.sqrt(12 / bursts));
  });

  it("shows a packet to the next effect only if the ones before let it pass, and counts by cause", () => {
    const impairments: Impairments = {
      policer: { rateBytesPerSec: 750_000, burstBytes: 3000 },
      blackholes: [{ fromNs: 100 * NANOS_PER_MILLI, toNs: 200 * NANOS_PER_MILLI }],
      lossRate: 0.2,
      gilbertElliott: { goodToBad: 0.05, badToGood: 0.5 },
      periodicLoss: { everyPackets: 10 },
    };
    const filter = new EntryFilter(impairments, forkOf(3));
    let passed = 0;
    for (let i = 0; i < 10_000; i++) if (filter.admits(i * NANOS_PER_MILLI, 1500)) passed++;
    const { policedPackets, blackholedPackets, lostPackets, burstLostPackets, periodicLostPackets } = filter;
    const shownToLoss = 10_000 - policedPackets - blackholedPackets;
    expect(policedPackets).toBeGreaterThan(4990);
    expect(policedPackets).toBeLessThan(5001);
    expect(blackholedPackets).toBe(50);
    const rng = forkOf(3)("loss");
    expect(lostPackets).toBe(
      Array.from({ length: shownToLoss }, () => rng.next()).filter((u) => u < 0.2).length,
    );
    expect(periodicLostPackets).toBe(Math.floor((shownToLoss - lostPackets - burstLostPackets) / 10));
    expect(
      passed + policedPackets + blackholedPackets + lostPackets + burstLostPackets + periodicLostPackets,
    ).toBe(10_000);
  });
});

describe("shaping on leaving", () => {
  const departures = fc
    .array(
      fc.oneof(
        fc.constant(0),
        fc.integer({ min: 0, max: 3_000_000 }),
        fc.double({ min: 0, max: 1e6, noNaN: true }),
      ),
      {
        maxLength: 100,
      },
    )
    .map((gaps) => {
      let nowNs = 0;
      return gaps.map((gap) => (nowNs += gap));
    });

  it("releases at the next multiple of the slot's period, in order, at most so many in one", () => {
    fc.assert(
      fc.property(
        departures,
        fc.double({ min: 1000, max: 5e6, noNaN: true }),
        fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
        (departs, everyNs, maxPackets) => {
          const shaper = new ExitShaper({ slots: { everyNs, maxPackets } }, forkOf(1));
          const releases = departs.map((departNs) => shaper.releaseNs(departNs));
          const inSlot = new Map<number, number>();
          for (const [i, releaseNs] of releases.entries()) {
            const slot = Math.round(releaseNs / everyNs);
            expect(releaseNs).toBe(slot * everyNs);
            expect(releaseNs).toBeGreaterThanOrEqual(departs[i]!);
            if (i > 0) expect(releaseNs).toBeGreaterThanOrEqual(releases[i - 1]!);
            // it waits longer than to the next multiple only for slots that are full
            for (let earlier = slot - 1; earlier * everyNs >= departs[i]!; earlier--) {
              expect(inSlot.get(earlier)).toBe(maxPackets);
            }
            inSlot.set(slot, (inSlot.get(slot) ?? 0) + 1);
          }
          for (const taken of inSlot.values()) expect(taken).toBeLessThanOrEqual(maxPackets ?? Infinity);
        },
      ),
      { numRuns: 1000, seed: SEED },
    );
  });

  it("keeps the order with jitter unless it may reorder, and never releases before the departure", () => {
    fc.assert(
      fc.property(departures, fc.nat(), fc.constantFrom("uniform", "exponential"), (departs, seed, kind) => {
        const jitter =
          kind === "uniform"
            ? ({ kind: "uniform", maxNs: 2_000_000 } as const)
            : ({ kind: "exponential", meanNs: 2_000_000 } as const);
        const ordered = new ExitShaper({ jitter }, forkOf(seed));
        const free = new ExitShaper({ jitter: { ...jitter, reorder: true } }, forkOf(seed));
        let latestNs = 0;
        for (const departNs of departs) {
          const freeNs = free.releaseNs(departNs);
          expect(freeNs).toBeGreaterThanOrEqual(departNs);
          latestNs = Math.max(latestNs, freeNs);
          expect(ordered.releaseNs(departNs)).toBe(latestNs);
        }
      }),
      { numRuns: 1000, seed: SEED },
    );
  });

  it("has the jitter's mean, and reorders where it may", () => {
    const packets = 100_000;
    for (const [jitter, meanNs, deviationNs] of [
      [{ kind: "uniform", maxNs: 4e6, reorder: true }, 2e6, 4e6 / Math.sqrt(12)],
      [{ kind: "exponential", meanNs: 3e6, reorder: true }, 3e6, 3e6],
    ] as const) {
      const shaper = new ExitShaper({ jitter }, forkOf(SEED));
      let sum = 0;
      let overtakes = 0;
      let latestNs = 0;
      for (let i = 0; i < packets; i++) {
        const releaseNs = shaper.releaseNs(i * NANOS_PER_MILLI);
        sum += releaseNs - i * NANOS_PER_MILLI;
        if (releaseNs < latestNs) overtakes++;
        else latestNs = releaseNs;
      }
      expect(Math.abs(sum / packets - meanNs)).toBeLessThan((4 * deviationNs) / Math.sqrt(packets));
      expect(overtakes).toBeGreaterThan(packets / 10);
    }
  });

  it("doubles and damages the given fractions of packets, independently", () => {
    const packets = 100_000;
    const shaper = new ExitShaper({ duplicationRate: 0.03, corruptionRate: 0.2 }, forkOf(SEED));
    let doubled = 0;
    let damaged = 0;
    let both = 0;
    for (let i = 0; i < packets; i++) {
      const duplicates = shaper.duplicates();
      const corrupts = shaper.corrupts();
      if (duplicates) doubled++;
      if (corrupts) damaged++;
      if (duplicates && corrupts) both++;
    }
    const near = (count: number, p: number): void =>
      expect(Math.abs(count / packets - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / packets));
    near(doubled, 0.03);
    near(damaged, 0.2);
    near(both, 0.006);
  });
});
