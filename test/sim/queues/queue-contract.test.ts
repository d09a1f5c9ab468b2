/**
 * What every queue discipline keeps, whatever it drops: conservation, limits, order within a flow, counts, and one report
 * per drop. Random arrivals and departures; failures print fast-check's seed and the smallest case.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assert } from "../../../core/errors.ts";
import { NANOS_PER_MILLI } from "../../../core/units.ts";
import type { DisciplineSpec } from "../../../scenarios/disciplines/registry.ts";
import { CE, ECT_0, ECT_1, NOT_ECT } from "../../../sim/general/packet-store.ts";
import { harness, NO_LIMIT } from "./queue-harness.ts";

const SEED = Number(process.env["CCPARK_QUEUE_SEED"] ?? 20260101);
const RUNS = 400;
const FLOWS = 6;

/** Parameters so small that short random stories reach every branch. */
const DISCIPLINES: readonly DisciplineSpec[] = [
  { kind: "drop-tail" },
  { kind: "drop-head" },
  { kind: "red", minPackets: 1, maxPackets: 4, weight: 0.3 },
  { kind: "red", minPackets: 1, maxPackets: 4, weight: 0.3, gentle: false, ecn: true },
  { kind: "codel", targetMs: 1, intervalMs: 4 },
  { kind: "codel", targetMs: 1, intervalMs: 4, ecn: true },
  { kind: "pie", targetMs: 1, updateMs: 1, burstMs: 2 },
  { kind: "pie", targetMs: 1, updateMs: 1, burstMs: 2, ecn: true },
  { kind: "fq-codel", buckets: 4, quantumBytes: 300, targetMs: 1, intervalMs: 4 },
  { kind: "fq-codel", targetMs: 1, intervalMs: 4, ecn: true },
  { kind: "sfq", buckets: 4, quantumBytes: 300, perturbSec: 0.01 },
  { kind: "sfq" },
  { kind: "drr", quantumBytes: 200 },
  { kind: "drr" },
  { kind: "strict-priority" },
  { kind: "strict-priority", bands: 2 },
  { kind: "step-mark", thresholdPackets: 2 },
  { kind: "step-mark", thresholdBytes: 1000 },
  { kind: "dualpi2" },
  { kind: "dualpi2", targetMs: 0.5, maxRttMs: 2, minThresholdMs: 0.1, rangeMs: 0.1, classicShare: 0.5 },
];

interface Step {
  readonly gapNs: number;
  /** undefined: a departure */
  readonly arrival: { readonly flow: number; readonly bytes: number; readonly ecn: number } | undefined;
}

const step: fc.Arbitrary<Step> = fc.record({
  gapNs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 2 * NANOS_PER_MILLI })),
  arrival: fc.option(
    fc.record({
      flow: fc.nat({ max: FLOWS - 1 }),
      bytes: fc.integer({ min: 40, max: 1500 }),
      ecn: fc.constantFrom(NOT_ECT, ECT_1, ECT_0, CE),
    }),
    { nil: undefined, freq: 3 },
  ),
});

const limit = fc.oneof(
  fc.constant(NO_LIMIT),
  fc.record({ packets: fc.integer({ min: 0, max: 20 }), bytes: fc.constant(Number.POSITIVE_INFINITY) }),
  fc.record({
    packets: fc.constant(Number.POSITIVE_INFINITY),
    bytes: fc.integer({ min: 100, max: 20_000 }),
  }),
  fc.record({ packets: fc.integer({ min: 1, max: 20 }), bytes: fc.integer({ min: 100, max: 20_000 }) }),
);

function checkStory(
  discipline: DisciplineSpec,
  steps: readonly Step[],
  bounds: { packets: number; bytes: number },
): void {
  const link = harness(discipline, { limit: bounds, seed: steps.length, meanPacketNs: NANOS_PER_MILLI });
  const { store, queue } = link;
  /** packets that the queue holds, with their place in the order of arrival and their ECN field then */
  const waiting = new Map<number, { readonly place: number; readonly ecn: number }>();
  /** of each flow, twice where its packets go through two queues by their ECN field: ECT(1) and CE, and the others */
  const lastOut = new Array<number>(2 * FLOWS).fill(-1);
  let places = 0;
  let marks = 0;

  const settle = (): void => {
    for (const packet of link.dropped.splice(0)) {
      assert(waiting.delete(packet), `dropped packet ${packet} was in the queue, once`);
      store.release(packet);
    }
    let bytes = 0;
    for (const packet of waiting.keys()) bytes += store.bytes[packet]!;
    assert(
      queue.packets === waiting.size && queue.bytes === bytes,
      `${queue.packets} packets of ${queue.bytes} bytes are ${waiting.size} of ${bytes}`,
    );
    assert(
      queue.packets <= bounds.packets && queue.bytes <= bounds.bytes,
      `${queue.packets} packets of ${queue.bytes} bytes keep the limit`,
    );
  };
  const takeOne = (nowNs: number): number => {
    const packet = link.take(nowNs);
    if (packet >= 0) {
      const entry = waiting.get(packet);
      assert(entry, `packet ${packet}, taken, was in the queue`);
      waiting.delete(packet);
      const flow = store.flow[packet]!;
      const order = discipline.kind === "dualpi2" && entry.ecn % 2 === 1 ? FLOWS + flow : flow;
      assert(entry.place > lastOut[order]!, `flow ${flow}: ${entry.place} came after ${lastOut[order]}`);
      lastOut[order] = entry.place;
      if (store.ecn[packet] !== entry.ecn) {
        const isMark = entry.ecn !== NOT_ECT && store.ecn[packet] === CE;
        assert(isMark, `ECN ${entry.ecn} became ${store.ecn[packet]}`);
        marks++;
      }
      store.release(packet);
    }
    settle();
    assert(packet >= 0 || queue.packets === 0, "it serves while it has packets");
    return packet;
  };

  let nowNs = 0;
  for (const { gapNs, arrival } of steps) {
    nowNs += gapNs;
    if (arrival === undefined) {
      takeOne(nowNs);
      continue;
    }
    const entry = { place: places++, ecn: arrival.ecn };
    const packet = store.take();
    store.flow[packet] = arrival.flow;
    store.bytes[packet] = arrival.bytes;
    store.ecn[packet] = arrival.ecn;
    store.priority[packet] = arrival.flow;
    store.enqueuedNs[packet] = nowNs;
    waiting.set(packet, entry);
    queue.enqueue(nowNs, packet);
    settle();
  }
  while (takeOne(nowNs) >= 0) nowNs += NANOS_PER_MILLI;
  assert(waiting.size === 0 && store.inUse === 0, `${waiting.size} packets are left`);
  assert(queue.marked === marks, `${queue.marked} marks are ${marks}`);
}

describe("every queue discipline", () => {
  it.each(DISCIPLINES.map((spec) => [JSON.stringify(spec), spec] as const))(
    "conserves packets, honours its limits and keeps each flow's order: %s",
    (_name, spec) => {
      fc.assert(
        fc.property(fc.array(step, { maxLength: 120, size: "max" }), limit, (steps, bounds) =>
          checkStory(spec, steps, bounds),
        ),
        { numRuns: RUNS, seed: SEED },
      );
    },
  );

  it.each(DISCIPLINES.map((spec) => [JSON.stringify(spec), spec] as const))(
    "gives the same story for the same seed: %s",
    (_name, spec) => {
      const story = (): readonly number[] => {
        const link = harness(spec, { limit: { packets: 12, bytes: 15_000 }, seed: 7 });
        const out: number[] = [];
        for (let i = 0; i < 500; i++) {
          const nowNs = i * 0.4 * NANOS_PER_MILLI;
          link.arrive(nowNs, {
            flow: i % FLOWS,
            bytes: 100 + ((i * 37) % 1400),
            ecn: i % 5 === 0 ? ECT_1 : ECT_0,
            priority: i % 3,
          });
          if (i % 2 === 0) out.push(link.take(nowNs));
        }
        return [...out, ...link.dropped, link.queue.marked];
      };
      expect(story()).toEqual(story());
    },
  );
});
