/** DualPI2 against the numbers of RFC 9332, appendix A. */
import { describe, expect, it } from "vitest";
import { Rng } from "../../../core/random.ts";
import { NANOS_PER_MILLI, NANOS_PER_SEC } from "../../../core/units.ts";
import { CE, ECT_0, ECT_1, NOT_ECT } from "../../../sim/general/packet-store.ts";
import { DualPi2 } from "../../../sim/general/queues/dualpi2.ts";
import { QueueHarness, type Source, serveSources } from "./queue-harness.ts";

const MS = NANOS_PER_MILLI;
/** 12 Mbit/s: a packet of 1500 bytes takes a millisecond. */
const RATE = 1_500_000;
const SEED = 20260101;
/** A.1: the period of the controller, and its gains per second of delay */
const UPDATE_MS = 15;
const ALPHA = (0.1 * 0.015) / 0.1 ** 2;
const BETA = 0.3 / 0.1;

type Options = ConstructorParameters<typeof DualPi2>[1];

function dualpi2(options: Options = {}): QueueHarness<DualPi2> {
  return new QueueHarness((parts) => new DualPi2(parts, options));
}

/** Of `count` packets of a kind that are served after the same delay: those that were marked, and those that were dropped. */
function signals(
  link: QueueHarness<DualPi2>,
  { fromNs, ecn, delayMs, count = 1000 }: { fromNs: number; ecn: number; delayMs: number; count?: number },
): { readonly marked: number; readonly dropped: number } {
  const before = { marked: link.queue.marked, dropped: link.dropped.length };
  // as close together as no update comes in between
  const gapNs = 1;
  for (let i = 0; i < count + 2; i++) link.arrive(fromNs + i * gapNs, { ecn });
  for (let i = 0; i < count; ) {
    const taken = link.queue.packets;
    link.take(fromNs + i * gapNs + delayMs * MS);
    i += taken - link.queue.packets;
  }
  const marked = link.queue.marked - before.marked;
  const dropped = link.dropped.length - before.dropped;
  while (link.take(fromNs + (count + 1) * gapNs + delayMs * MS) >= 0);
  return { marked: marked / count, dropped: dropped / count };
}

describe("DualPI2", () => {
  it("serves ECT(1) and CE before what came earlier as Not-ECT and ECT(0)", () => {
    const link = dualpi2();
    const fields = [NOT_ECT, ECT_0, ECT_1, CE];
    const packets = fields.map((ecn) => link.arrive(0, { ecn }));
    const served = fields.map(() => link.take(0));
    expect(served).toEqual([packets[2], packets[3], packets[0], packets[1]]);
  });

  it.each([
    [0.8, 0],
    [0.9, 0.25],
    [1, 0.5],
    [1.2, 1],
    [10, 1],
  ])("marks the L queue by its own ramp: after %d ms a share of %d", (delayMs, share) => {
    const { marked, dropped } = signals(dualpi2(), { fromNs: 0, ecn: ECT_1, delayMs });
    expect(marked).toBeCloseTo(share, 2);
    expect(dropped).toBe(0);
  });

  it("does not mark a queue of one packet, however slow the link", () => {
    for (const waiting of [1, 2, 3]) {
      const link = dualpi2();
      const packets = Array.from({ length: waiting }, () => link.arrive(0, { ecn: ECT_1 }));
      // before the first update
      for (const packet of packets) expect(link.take(14 * MS)).toBe(packet);
      const marked = packets.filter((packet) => link.store.ecn[packet] === CE);
      expect(marked).toEqual([]);
    }
  });

  it("gives the base probability of the RFC's equation, update by update, whenever it is asked", () => {
    const steps = (often: boolean): number[] => {
      const link = dualpi2();
      link.arrive(0);
      const probabilities: number[] = [];
      for (let i = 1; i <= 20; i++) {
        if (often) for (let k = 1; k < 10; k++) link.arrive(((i - 1) * UPDATE_MS + k) * MS);
        link.arrive(i * UPDATE_MS * MS);
        probabilities.push(link.queue.baseProbability);
      }
      return probabilities;
    };
    let probability = 0;
    let oldSec = 0;
    const expected = Array.from({ length: 20 }, (_, i) => {
      // nothing is served, so the first packet's delay is the time
      const delaySec = ((i + 1) * UPDATE_MS) / 1000;
      probability += ALPHA * (delaySec - 0.015) + BETA * (delaySec - oldSec);
      oldSec = delaySec;
      probability = Math.min(1, probability);
      return probability;
    });
    const got = steps(false);
    expect(expected[0]).toBeCloseTo(0.045, 12);
    for (const [i, p] of expected.entries()) expect(got[i]).toBeCloseTo(p, 12);
    expect(steps(true)).toEqual(got);
  });

  it("couples the queues: L packets are marked with twice the probability whose square classic ones are told by", () => {
    // after four updates of a waiting packet: p' = 0.19, and it stays until the next update
    const atNs = 4 * UPDATE_MS * MS + 1000;
    for (const [ecn, kind] of [
      [ECT_1, "marked"],
      [ECT_0, "marked"],
      [NOT_ECT, "dropped"],
    ] as const) {
      const link = dualpi2();
      link.arrive(0);
      link.take(atNs);
      const p = link.queue.baseProbability;
      expect(p).toBeCloseTo(0.1935, 4);
      const got = signals(link, { fromNs: atNs, ecn, delayMs: 0.1, count: 5000 });
      expect(got[kind]).toBeCloseTo(ecn === ECT_1 ? 2 * p : p * p, 2);
      expect(got[kind === "marked" ? "dropped" : "marked"]).toBe(0);
    }
  });

  it("drops of both queues alike once coupled marks are no signal any more", () => {
    // after ten updates p' is above 1 / k, so p_CL is above 1 and p_C above p_Cmax
    const atNs = 10 * UPDATE_MS * MS + 1000;
    for (const ecn of [ECT_1, ECT_0, NOT_ECT]) {
      const link = dualpi2();
      link.arrive(0);
      link.take(atNs);
      const p = link.queue.baseProbability;
      expect(p).toBeGreaterThan(0.5);
      const { marked, dropped } = signals(link, { fromNs: atNs, ecn, delayMs: 0.1, count: 5000 });
      expect(dropped).toBeCloseTo(p * p, 2);
      // what is left of the L queue is all marked; the classic one has no ECN any more
      if (ecn === ECT_1) expect(marked + dropped).toBeCloseTo(1, 2);
      else expect(marked).toBe(0);
    }
  });

  it.each([
    [undefined, 0.1],
    [0.3, 0.3],
  ])("leaves the classic queue its share while both wait: classicShare %s", (classicShare, share) => {
    // a target that is never reached: no drops, only the scheduler
    const link = dualpi2({ targetMs: 10_000, maxRttMs: 10_000, ...(classicShare && { classicShare }) });
    const sources: Source[] = [
      { flow: 0, ecn: NOT_ECT, bytes: 700, rateBytesPerSec: RATE },
      { flow: 1, ecn: ECT_1, rateBytesPerSec: 1.5 * RATE },
    ];
    serveSources(link, sources, RATE, 2 * NANOS_PER_SEC, Rng.fromSeed(SEED));
    const [classic = 0, low = 0] = link.servedBytes;
    expect(link.dropped).toEqual([]);
    expect(classic / (classic + low)).toBeCloseTo(share, 2);
  });

  it("under an L queue that does not react, both lose the same part, and the delay stays bounded", () => {
    const link = dualpi2();
    const sources: Source[] = [
      { flow: 0, ecn: NOT_ECT, rateBytesPerSec: RATE },
      { flow: 1, ecn: ECT_1, rateBytesPerSec: 1.5 * RATE },
    ];
    serveSources(link, sources, RATE, 10 * NANOS_PER_SEC, Rng.fromSeed(SEED));
    const [classic = 0, low = 0] = link.servedBytes;
    expect(low / classic).toBeGreaterThan(1.4);
    expect(low / classic).toBeLessThan(1.8);
    expect(link.queue.bytes).toBeLessThan(0.1 * RATE);
  });

  it("forgets its probability in a pause, and holds its target under classic load that gives way to drops", () => {
    const link = dualpi2();
    let arrivalNs = 0;
    let gapNs = MS / 1.2;
    let late = 0;
    let lateSum = 0;
    let drops = 0;
    for (let nowNs = 0; nowNs < 30 * NANOS_PER_SEC; nowNs += MS) {
      for (; arrivalNs <= nowNs; arrivalNs += gapNs) link.arrive(arrivalNs);
      // AIMD of the gap: a little faster each time, a quarter slower after a drop
      if (link.dropped.length > drops) gapNs = Math.min(4 * MS, gapNs * 1.25);
      else gapNs = Math.max(MS / 4, gapNs * 0.9995);
      drops = link.dropped.length;
      const packet = link.take(nowNs);
      if (nowNs < 10 * NANOS_PER_SEC || packet < 0) continue;
      late++;
      lateSum += nowNs - link.store.enqueuedNs[packet]!;
    }
    expect(lateSum / late / MS).toBeGreaterThan(5);
    expect(lateSum / late / MS).toBeLessThan(25);
    while (link.take(30 * NANOS_PER_SEC) >= 0);
    link.arrive(100_000 * NANOS_PER_SEC);
    expect(link.queue.baseProbability).toBe(0);
  });
});
