/**
 * Every rate's server against the laws of the interface: a queue that is never empty is served exactly the capacity, start
 * and readiness agree, time never runs backwards, random rates do not depend on what is asked when. Then closed forms.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Rng } from "../../../core/random.ts";
import { NANOS_PER_MILLI, NANOS_PER_SEC } from "../../../core/units.ts";
import type { LinkRate } from "../../../sim/servers/make-server.ts";
import { makeServer } from "../../../sim/servers/make-server.ts";
import type { Outage } from "../../../sim/servers/outages.ts";
import type { Server } from "../../../sim/servers/server.ts";

const SEED = Number(process.env["CCPARK_SERVER_SEED"] ?? 20260301);
const MILLI = NANOS_PER_MILLI;
const SECOND = NANOS_PER_SEC;
const MINUTE = 60 * SECOND;
/** 12 Mbit/s: a packet of 1500 bytes per millisecond */
const PACKET_PER_MS = 1_500_000;

const rng = (seed = 1) => Rng.fromSeed(seed).fork("rate");
const server = (rate: LinkRate, outages?: readonly Outage[], seed = 1): Server =>
  makeServer(rate, { rng: rng(seed), outages });

const rateBytesPerSec = fc.double({ min: 20_000, max: 20_000_000, noNaN: true });
const rateOrZero = fc.oneof({ weight: 3, arbitrary: rateBytesPerSec }, fc.constant(0));
const spanNs = fc.oneof(
  fc.integer({ min: 1, max: 400 }).map((ms) => ms * MILLI),
  fc.double({ min: 1e5, max: 4e8, noNaN: true }),
);

/** Points with gaps (a gap of 0 is a jump), in a lap or without one; the last of a schedule without laps serves. */
const pointSchedule = fc
  .record({
    gaps: fc.array(fc.oneof(spanNs, fc.constant(0)), { minLength: 1, maxLength: 6 }),
    rates: fc.array(rateOrZero, { minLength: 7, maxLength: 7 }),
    lastRate: rateBytesPerSec,
    tailNs: spanNs,
    hasLaps: fc.boolean(),
    originNs: fc.oneof(fc.constant(undefined), fc.double({ min: -3e8, max: 3e8, noNaN: true })),
  })
  .map(({ gaps, rates, lastRate, tailNs, hasLaps, originNs }) => {
    let atNs = 0;
    const points = gaps.map((gapNs, i) => {
      atNs += gapNs;
      return { atNs, rateBytesPerSec: i === gaps.length - 1 ? lastRate : rates[i]! };
    });
    return {
      points,
      ...(hasLaps ? { periodNs: atNs + tailNs } : {}),
      ...(originNs === undefined ? {} : { originNs }),
    };
  });

const trace = fc
  .record({
    gapsMs: fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 20 }),
    offset: fc.double({ min: 0, max: 0.999, noNaN: true }),
    end: fc.constantFrom("loop" as const, "stop" as const),
  })
  .map(({ gapsMs, offset, end }): LinkRate => {
    let atMs = 0;
    const opportunitiesMs = gapsMs.map((gap) => (atMs += gap));
    opportunitiesMs.push(atMs + 1);
    return { kind: "trace", opportunitiesMs, offsetNs: Math.floor(offset * (atMs + 1)) * MILLI, end };
  });

const anyRate: fc.Arbitrary<LinkRate> = fc.oneof(
  rateBytesPerSec.map((rate): LinkRate => ({ kind: "constant", rateBytesPerSec: rate })),
  pointSchedule.map((schedule): LinkRate => ({ kind: "steps", ...schedule })),
  pointSchedule.map((schedule): LinkRate => ({ kind: "ramp", ...schedule })),
  fc
    .tuple(
      fc.array(fc.record({ rateBytesPerSec: rateOrZero, meanNs: spanNs }), { minLength: 1, maxLength: 4 }),
      rateBytesPerSec,
    )
    .map(
      ([states, rate]): LinkRate => ({
        kind: "markov",
        states: [...states, { rateBytesPerSec: rate, meanNs: 2e7 }],
      }),
    ),
  fc.tuple(rateBytesPerSec, rateBytesPerSec, spanNs, spanNs).map(
    ([a, b, c, d]): LinkRate => ({
      kind: "random-steps",
      minBytesPerSec: Math.min(a, b),
      maxBytesPerSec: Math.max(a, b),
      minEveryNs: Math.min(c, d),
      maxEveryNs: Math.max(c, d),
    }),
  ),
  rateBytesPerSec.map((rate): LinkRate => ({ kind: "poisson", rateBytesPerSec: rate })),
  trace,
);

const someOutages = fc.array(
  fc
    .tuple(fc.double({ min: 0, max: 2e9, noNaN: true }), spanNs)
    .map(([fromNs, lengthNs]): Outage => ({ fromNs, toNs: fromNs + lengthNs })),
  { maxLength: 4 },
);

/** Rounding of sums in bytes: capacity is a difference of areas since the beginning. */
const BYTE_TOLERANCE = 1e-3;

describe("any server", () => {
  it("serves a queue that is never empty exactly its capacity, within the packet in service", () => {
    fc.assert(
      fc.property(anyRate, someOutages, fc.integer({ min: 40, max: 9000 }), (rate, outages, bytes) => {
        const it = server(rate, outages);
        let served = 0;
        let lastNs = 0;
        for (let i = 0; i < 200; i++) {
          it.serve(0, bytes);
          if (it.departNs > MINUTE) break;
          served += bytes;
          expect(it.startNs).toBeGreaterThanOrEqual(lastNs);
          expect(it.departNs).toBeGreaterThanOrEqual(it.startNs);
          lastNs = it.departNs;
          // Up to the packet's last byte all of it was served; an opportunity may be left partly unused.
          const capacity = it.capacityBytes(0, lastNs);
          const spare = rate.kind === "trace" || rate.kind === "poisson" ? sameInstant(it, lastNs) : 0;
          expect(capacity).toBeGreaterThanOrEqual(served - BYTE_TOLERANCE);
          expect(capacity).toBeLessThanOrEqual(served + spare + BYTE_TOLERANCE);
        }
      }),
      { seed: SEED, numRuns: 400 },
    );
  });

  /** Bytes of the opportunities at one instant, which the server may not have used up yet. */
  function sameInstant(it: Server, atNs: number): number {
    return it.capacityBytes(atNs - 1, atNs);
  }

  it("starts a packet when it said it would be ready, and asking changes nothing", () => {
    fc.assert(
      fc.property(
        anyRate,
        someOutages,
        fc.array(fc.tuple(fc.double({ min: 0, max: 3e7, noNaN: true }), fc.integer({ min: 40, max: 3000 })), {
          minLength: 1,
          maxLength: 80,
        }),
        (rate, outages, arrivals) => {
          const asked = server(rate, outages);
          const plain = server(rate, outages);
          let sinceNs = 0;
          for (const [gapNs, bytes] of arrivals) {
            sinceNs += gapNs;
            asked.readyNs(sinceNs + 5e8);
            const readyNs = asked.readyNs(sinceNs);
            expect(readyNs).toBeGreaterThanOrEqual(sinceNs);
            expect(readyNs).toBeGreaterThanOrEqual(asked.departNs);
            asked.serve(sinceNs, bytes);
            plain.serve(sinceNs, bytes);
            expect(asked.startNs).toBe(readyNs);
            expect([asked.startNs, asked.departNs]).toEqual([plain.startNs, plain.departNs]);
            if (readyNs === Number.POSITIVE_INFINITY) break;
          }
        },
      ),
      { seed: SEED + 1, numRuns: 800 },
    );
  });

  it("has the same capacity in whatever order it is asked, and capacities add up", () => {
    fc.assert(
      fc.property(
        anyRate,
        someOutages,
        fc.array(fc.double({ min: 0, max: 2e10, noNaN: true }), { minLength: 2, maxLength: 12 }),
        (rate, outages, times) => {
          const sorted = [...times].sort((a, b) => a - b);
          const inOrder = server(rate, outages);
          const expected = new Map(sorted.map((ns) => [ns, inOrder.capacityBytes(0, ns)]));
          const shuffled = server(rate, outages);
          for (const ns of times) expect(shuffled.capacityBytes(0, ns)).toBe(expected.get(ns));
          let sum = 0;
          for (let i = 1; i < sorted.length; i++) {
            const part = shuffled.capacityBytes(sorted[i - 1]!, sorted[i]!);
            expect(part).toBeGreaterThanOrEqual(-BYTE_TOLERANCE);
            sum += part;
          }
          const whole = shuffled.capacityBytes(sorted[0]!, sorted.at(-1)!);
          expect(Math.abs(sum - whole)).toBeLessThan(0.01);
        },
      ),
      { seed: SEED + 2, numRuns: 500 },
    );
  });

  it("does nothing in an outage, and a packet on its way takes longer by it", () => {
    fc.assert(
      fc.property(anyRate, someOutages, fc.integer({ min: 40, max: 3000 }), (rate, outages, bytes) => {
        const it = server(rate, outages);
        for (let i = 0; i < 200 && it.departNs < MINUTE; i++) {
          it.serve(0, bytes);
          for (const { fromNs, toNs } of outages) {
            expect(it.departNs > fromNs * (1 + 1e-12) + 1 && it.departNs < toNs).toBe(false);
            expect(it.startNs > fromNs && it.startNs < toNs).toBe(false);
          }
        }
        for (const { fromNs, toNs } of outages) {
          expect(Math.abs(it.capacityBytes(fromNs, toNs))).toBeLessThan(BYTE_TOLERANCE);
        }
      }),
      { seed: SEED + 3, numRuns: 300 },
    );
  });
});

describe("steps", () => {
  const steps = (points: readonly [number, number][], more: object = {}): Server =>
    server({
      kind: "steps",
      points: points.map(([ms, rate]) => ({ atNs: ms * MILLI, rateBytesPerSec: rate })),
      ...more,
    });

  it("serves over a change of rate: half a packet at 12 Mbit/s, half at 6", () => {
    const it = steps([
      [0, PACKET_PER_MS],
      [10, PACKET_PER_MS / 2],
    ]);
    it.serve(9.5 * MILLI, 1500);
    expect(it.departNs).toBeCloseTo(11 * MILLI, 3);
  });

  it("pauses a packet in service at rate 0, and lets a packet wait that comes then", () => {
    const it = steps([
      [0, PACKET_PER_MS],
      [10, 0],
      [20, PACKET_PER_MS],
    ]);
    it.serve(9.5 * MILLI, 1500);
    expect([it.startNs, it.departNs]).toEqual([9.5 * MILLI, 20.5 * MILLI]);
    const other = steps([
      [0, PACKET_PER_MS],
      [10, 0],
      [20, PACKET_PER_MS],
    ]);
    expect(other.readyNs(10 * MILLI)).toBe(20 * MILLI);
  });

  it("never serves again behind a last rate of 0", () => {
    const it = steps([
      [0, PACKET_PER_MS],
      [10, 0],
    ]);
    it.serve(9.5 * MILLI, 1500);
    expect([it.startNs, it.departNs]).toEqual([9.5 * MILLI, Number.POSITIVE_INFINITY]);
    expect(it.readyNs(0)).toBe(Number.POSITIVE_INFINITY);
    expect(it.capacityBytes(0, SECOND)).toBe(15_000);
  });

  it("repeats its laps from the origin, forwards and backwards", () => {
    const it = steps(
      [
        [0, PACKET_PER_MS],
        [5, 0],
      ],
      { periodNs: 10 * MILLI, originNs: 3 * MILLI },
    );
    // open from -7 to -2, 3 to 8, 13 to 18, ...
    expect(it.readyNs(0)).toBe(3 * MILLI);
    expect(it.readyNs(9 * MILLI)).toBe(13 * MILLI);
    expect(it.capacityBytes(0, 18 * MILLI)).toBeCloseTo(15_000, 6);
  });

  it("without a rate above 0 never serves", () => {
    expect(steps([[0, 0]], { periodNs: MILLI }).readyNs(5)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("ramp", () => {
  const ramp: LinkRate = {
    kind: "ramp",
    points: [
      { atNs: 0, rateBytesPerSec: 0 },
      { atNs: SECOND, rateBytesPerSec: 2_000_000 },
      { atNs: 2 * SECOND, rateBytesPerSec: 2_000_000 },
      { atNs: 3 * SECOND, rateBytesPerSec: 1_000_000 },
    ],
  };

  it("departs when the area under the rate is the packet: t^2 * 1e6 bytes up to 1 s", () => {
    const it = server(ramp);
    it.serve(0, 10_000);
    expect(it.departNs).toBeCloseTo(0.1 * SECOND, 2);
    it.serve(0, 80_000);
    expect(it.departNs).toBeCloseTo(0.3 * SECOND, 2);
  });

  it("has the area as its capacity", () => {
    expect(server(ramp).capacityBytes(0, 4 * SECOND)).toBeCloseTo(1e6 + 2e6 + 1.5e6 + 1e6, 3);
  });

  it("serves downhill too: 2 s to 3 s loses a quarter from 2 to 1 MB/s", () => {
    const it = server(ramp);
    it.serve(2 * SECOND, 1_500_000);
    expect(it.departNs).toBeCloseTo(3 * SECOND, 0);
  });
});

describe("a trace that stops", () => {
  it("serves nothing after its last entry, also when the simulation begins within it", () => {
    const it = server({ kind: "trace", opportunitiesMs: [1, 2, 5], offsetNs: 1 * MILLI, end: "stop" });
    it.serve(0, 1504);
    expect(it.departNs).toBe(1 * MILLI);
    it.serve(0, 1504);
    expect(it.departNs).toBe(4 * MILLI);
    expect(it.readyNs(0)).toBe(Number.POSITIVE_INFINITY);
    it.serve(0, 1504);
    expect([it.startNs, it.departNs]).toEqual([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
    expect(it.capacityBytes(0, SECOND)).toBe(2 * 1504);
  });
});

describe("unlimited", () => {
  it("serves at once, and after an outage where there is one", () => {
    expect(server({ kind: "unlimited" }).readyNs(7)).toBe(7);
    const it = server({ kind: "unlimited" }, [
      { fromNs: 10, toNs: 20 },
      { fromNs: 15, toNs: 30 },
    ]);
    it.serve(12, 1500);
    expect([it.startNs, it.departNs]).toEqual([30, 30]);
    expect([it.capacityBytes(10, 30), it.capacityBytes(10, 31)]).toEqual([0, Number.POSITIVE_INFINITY]);
  });

  it("stays silent after an outage for good", () => {
    for (const rate of [
      { kind: "unlimited" },
      { kind: "constant", rateBytesPerSec: 1e6 },
      { kind: "trace", opportunitiesMs: [1], offsetNs: 0 },
      { kind: "poisson", rateBytesPerSec: 1e6 },
    ] as const) {
      const it = server(rate, [{ fromNs: SECOND, toNs: Number.POSITIVE_INFINITY }]);
      expect(it.readyNs(2 * SECOND)).toBe(Number.POSITIVE_INFINITY);
      expect(it.capacityBytes(SECOND, 9 * SECOND)).toBe(0);
    }
  });
});

describe("random rates", () => {
  const HOUR = 3600 * SECOND;

  it("markov: an hour has the mean of the states weighted by their dwell times", () => {
    const rate: LinkRate = {
      kind: "markov",
      states: [
        { rateBytesPerSec: 1_000_000, meanNs: 0.1 * SECOND },
        { rateBytesPerSec: 0, meanNs: 0.05 * SECOND },
        { rateBytesPerSec: 3_000_000, meanNs: 0.25 * SECOND },
      ],
    };
    const mean = (1e6 * 0.1 + 3e6 * 0.25) / 0.4;
    const measured = server(rate, undefined, SEED).capacityBytes(0, HOUR) / 3600;
    expect(Math.abs(measured / mean - 1)).toBeLessThan(0.02);
  });

  it("random steps: an hour has the mean of the range", () => {
    const rate: LinkRate = {
      kind: "random-steps",
      minBytesPerSec: 1e6,
      maxBytesPerSec: 3e6,
      minEveryNs: 0.1 * SECOND,
      maxEveryNs: 0.3 * SECOND,
    };
    const measured = server(rate, undefined, SEED).capacityBytes(0, HOUR) / 3600;
    expect(Math.abs(measured / 2e6 - 1)).toBeLessThan(0.02);
  });

  it("poisson: the mean is the rate, and counts per 100 ms have variance = mean", () => {
    const it = server({ kind: "poisson", rateBytesPerSec: 1504 * 500 }, undefined, SEED);
    const counts = Array.from(
      { length: 20_000 },
      (_, i) => it.capacityBytes(i * 100 * MILLI, (i + 1) * 100 * MILLI) / 1504,
    );
    const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
    const variance = counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / counts.length;
    expect(Math.abs(mean / 50 - 1)).toBeLessThan(0.01);
    expect(Math.abs(variance / mean - 1)).toBeLessThan(0.05);
  });
});
