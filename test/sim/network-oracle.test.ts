/**
 * The FIFO network against a plain event-heap network and against laws that any such network obeys: conservation, limits,
 * order, propagation, drops of an overload, bytes of a trace. Failures print fast-check's seed and the smallest scenario.
 */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cubic } from "../../algorithms/native/cubic.ts";
import { reno } from "../../algorithms/native/reno.ts";
import type {
  AckEvent,
  CongestionControl,
  CongestionControlFactory,
} from "../../ccp-bridge/congestion-control.ts";
import { Rng } from "../../core/random.ts";
import { fromMbps, MSS_BYTES, NANOS_PER_MILLI, NANOS_PER_SEC } from "../../core/units.ts";
import { FifoNetwork } from "../../sim/fifo/fifo-network.ts";
import { GeneralNetwork } from "../../sim/general/general-network.ts";
import { ConstantLink, type QueueLimit, ServedLink } from "../../sim/general/link.ts";
import type { BurstSpec, FlowSpec, LinkSpec, Network, NetworkFlow, NetworkSpec } from "../../sim/network.ts";
import type { LinkRate } from "../../sim/servers/make-server.ts";
import { makeServer } from "../../sim/servers/make-server.ts";
import { parseMahimahiTrace } from "../../traces/mahimahi.ts";
import { loadTrace } from "../../traces/trace-files.ts";
import { sharedData } from "../shared-data.ts";
import { HeapNetwork } from "./heap-network.ts";

const SEED = Number(process.env["CCPARK_ORACLE_SEED"] ?? 20260101);
/** Multiplies the number of random scenarios; a nightly run may set 10. */
const EFFORT = Number(process.env["CCPARK_ORACLE_EFFORT"] ?? 1);
const NO_LIMIT = { packets: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };

/** A window and a rate that never change. */
function fixed(cwndPackets: number, pacingRateBytesPerSec?: number): CongestionControlFactory {
  return () => ({
    name: "fixed",
    cwndBytes: cwndPackets * MSS_BYTES,
    pacingRateBytesPerSec,
    onAck() {},
    onCongestion() {},
  });
}

/** The same algorithm, and each of its events as one line; `onEvent` is called after each ACK or timeout. */
function recorded(
  factory: CongestionControlFactory,
  log: string[],
  onEvent: (() => void) | undefined,
): CongestionControlFactory {
  return (start) => {
    const inner = factory(start);
    const control: CongestionControl = {
      name: inner.name,
      get cwndBytes() {
        return inner.cwndBytes;
      },
      get pacingRateBytesPerSec() {
        return inner.pacingRateBytesPerSec;
      },
      onAck(ack: AckEvent) {
        log.push(
          `${ack.nowUs} ack ${ack.cumulativeSequence} inflight ${ack.inflightPackets} rtt ${ack.rttUs} lost ${ack.lostPackets}`,
        );
        inner.onAck(ack);
        onEvent?.();
      },
      onCongestion(event) {
        log.push(`${event.nowUs} ${event.kind} ${event.lostPackets}`);
        inner.onCongestion(event);
      },
      onClose() {
        log.push("close");
        inner.onClose?.();
      },
    };
    return control;
  };
}

interface FlowPlan extends Omit<FlowSpec, "control"> {
  readonly control: "reno" | "cubic" | "window" | "paced";
  readonly packets: number;
}

interface Plan {
  readonly seed: number;
  readonly durationNs: number;
  readonly forward: LinkPlan;
  readonly reverse: LinkPlan;
  readonly flows: readonly FlowPlan[];
  readonly burst?: Pick<BurstSpec, "startNs" | "packets" | "bytes">;
}

function controlOf(plan: FlowPlan): CongestionControlFactory {
  switch (plan.control) {
    case "reno":
      return reno;
    case "cubic":
      return cubic;
    case "window":
      return fixed(plan.packets);
    case "paced":
      return fixed(plan.packets, plan.packets * 20_000);
  }
}

function specOf(plan: Plan, logs: string[][], onEvent?: () => void): NetworkSpec {
  const flows = plan.flows.map((flow, i) => ({
    ...flow,
    control: recorded(controlOf(flow), logs[i]!, onEvent),
  }));
  const forward = linkOf(plan.forward);
  // a queue with a limit in bytes has packets of one size in the FIFO network
  const bytes = forward.queue.bytes === Number.POSITIVE_INFINITY ? plan.burst?.bytes : undefined;
  const burst = plan.burst && { ...plan.burst, bytes: bytes ?? forward.dataBytes, propagationNs: 0 };
  return { forward, reverse: linkOf(plan.reverse), flows, burst };
}

/** All networks on one plan: everything that can be counted, and each flow's events. */
function runAll(plan: Plan): {
  fifo: FifoNetwork;
  general: GeneralNetwork;
  heap: HeapNetwork;
  fifoLogs: string[][];
  generalLogs: string[][];
  heapLogs: string[][];
} {
  const fifoLogs = plan.flows.map((): string[] => []);
  const generalLogs = plan.flows.map((): string[] => []);
  const heapLogs = plan.flows.map((): string[] => []);
  const general = new GeneralNetwork(specOf(plan, generalLogs), Rng.fromSeed(plan.seed));
  general.runUntil(plan.durationNs);
  const fifo = new FifoNetwork(specOf(plan, fifoLogs), Rng.fromSeed(plan.seed));
  const heap = new HeapNetwork(specOf(plan, heapLogs), Rng.fromSeed(plan.seed));
  fifo.runUntil(plan.durationNs);
  heap.runUntil(plan.durationNs);
  for (const flow of fifo.flows) flow.advance(plan.durationNs);
  return { fifo, general, heap, fifoLogs, generalLogs, heapLogs };
}

/** The core sends ACKs past a link that neither delays nor loses: there is nothing to count there. */
function reverseIsCounted({ reverse }: Plan): boolean {
  return reverse.rate.kind !== "unlimited" || reverse.lossRate > 0;
}

function countsOf(network: FifoNetwork | GeneralNetwork, plan: Plan): unknown {
  const atNs = plan.durationNs;
  const [forwardServed, reverseServed] = [
    network.forward.servedBytes(atNs),
    network.reverse.servedBytes(atNs),
  ];
  return {
    links: (reverseIsCounted(plan) ? [network.forward, network.reverse] : [network.forward]).map(
      (link, i) => ({
        offered: link.offeredPackets,
        dropped: link.droppedPackets,
        served: [forwardServed, reverseServed][i],
        queuedPackets: link.queuedPackets,
        queuedBytes: link.queuedBytes,
        maxQueuedPackets: link.maxQueuedPackets,
        maxQueuedBytes: link.maxQueuedBytes,
      }),
    ),
    flows: network.flows.map((flow) => ({
      ...countsOfSender(flow),
      queueDelays: flow.statistics.queueDelay.count,
      queueDelaySumUs: flow.statistics.queueDelay.sumUs,
    })),
  };
}

function countsOfHeap(network: HeapNetwork, plan: Plan): unknown {
  return {
    links: (reverseIsCounted(plan) ? [network.forward, network.reverse] : [network.forward]).map((link) => ({
      offered: link.offeredPackets,
      dropped: link.droppedPackets,
      served: link.servedBytes,
      queuedPackets: link.queue.length,
      queuedBytes: link.queuedBytes,
      maxQueuedPackets: link.maxQueuedPackets,
      maxQueuedBytes: link.maxQueuedBytes,
    })),
    flows: network.flows.map((flow) => ({
      ...countsOfSender(flow),
      queueDelays: flow.queueDelays,
      queueDelaySumUs: flow.queueDelaySumUs,
    })),
  };
}

function countsOfSender(flow: NetworkFlow | HeapNetwork["flows"][number]): Record<string, unknown> {
  const { sender, arrivedPackets, firstArrivedPackets, droppedPackets } = flow;
  return {
    sent: sender?.sentPackets,
    delivered: sender?.deliveredPackets,
    retransmitted: sender?.retransmittedPackets,
    lost: sender?.lostPackets,
    timeouts: sender?.timeouts,
    acks: sender?.acks,
    inflight: sender?.inflightPackets,
    arrivedPackets,
    firstArrivedPackets,
    droppedPackets,
  };
}

/** Long traces by name, so that a failing plan prints short. */
const cellular = new Map<string, readonly number[]>(
  ["lte-driving", "umts-driving", "5g-burst"].map((name) => [name, loadTrace(name).opportunitiesMs]),
);
for (const file of ["Verizon-LTE-short.down", "ATT-LTE-driving-2016.down"]) {
  const path = sharedData(`traces/${file}`);
  if (path !== undefined)
    cellular.set(file, parseMahimahiTrace(readFileSync(path, "utf8"), file).opportunitiesMs);
}

interface NamedTrace {
  readonly kind: "named";
  readonly name: string;
  /** offset as a fraction of the period */
  readonly share: number;
}

interface LinkPlan extends Omit<LinkSpec, "rate"> {
  readonly rate: LinkRate | NamedTrace;
}

function linkOf(plan: LinkPlan): LinkSpec {
  const { rate } = plan;
  if (rate.kind !== "named") return { ...plan, rate };
  const opportunitiesMs = cellular.get(rate.name)!;
  const offsetNs = rate.share * opportunitiesMs.at(-1)! * NANOS_PER_MILLI;
  return { ...plan, rate: { kind: "trace", opportunitiesMs, offsetNs } };
}

const constantRate = (low: number, high: number): fc.Arbitrary<LinkRate> =>
  fc
    .oneof(
      fc.integer({ min: low * 10, max: high * 10 }).map((tenths) => tenths / 10),
      fc.constantFrom(1.2, 12, 24),
    )
    .map((mbps) => ({ kind: "constant", rateBytesPerSec: fromMbps(mbps) }));

const shortTrace: fc.Arbitrary<LinkRate> = fc
  .tuple(
    fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 60 }),
    fc.integer({ min: 1, max: 40 }),
    fc.nat(1e6),
  )
  .map(([times, last, offset]) => {
    const opportunitiesMs = [...times, Math.max(...times) + last].sort((a, b) => a - b);
    const periodNs = opportunitiesMs.at(-1)! * NANOS_PER_MILLI;
    return {
      kind: "trace",
      opportunitiesMs,
      offsetNs: offset % 3 === 0 ? 0 : Math.floor((offset / 1e6) * periodNs * 0.999),
    };
  });

const longTrace: fc.Arbitrary<NamedTrace> = fc.record({
  kind: fc.constant("named"),
  name: fc.constantFrom(...cellular.keys()),
  share: fc.double({ min: 0, max: 0.999, noNaN: true }),
});

const queue = fc.oneof(
  fc.integer({ min: 1, max: 150 }).map((packets) => ({ ...NO_LIMIT, packets })),
  fc.integer({ min: 1_600, max: 150_000 }).map((bytes) => ({ ...NO_LIMIT, bytes })),
  fc.constant({ packets: 40, bytes: 50_000 }),
);

const lossRate = fc.oneof(fc.constant(0), fc.constant(0), fc.double({ min: 0.0001, max: 0.08, noNaN: true }));

const flow: fc.Arbitrary<FlowPlan> = fc
  .record({
    control: fc.constantFrom("reno", "cubic", "cubic", "window", "paced"),
    packets: fc.integer({ min: 1, max: 120 }),
    startMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 1500 })),
    stopAfterMs: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 1, max: 2500 })),
    propagation: fc.oneof(
      fc.integer({ min: 1, max: 80 }).map((ms) => ms * NANOS_PER_MILLI), // whole milliseconds meet at one instant
      fc.integer({ min: 100_000, max: 80_000_000 }),
    ),
    ackPolicy: fc.constantFrom("delayed", "per-packet"),
    sendJitterNs: fc.constantFrom(0, 0, 20_000, 300_000),
  })
  .map(({ control, packets, startMs, stopAfterMs, propagation, ackPolicy, sendJitterNs }) => ({
    control: control as FlowPlan["control"],
    packets,
    startNs: startMs * NANOS_PER_MILLI,
    stopNs: (startMs + stopAfterMs) * NANOS_PER_MILLI,
    propagationNs: propagation,
    ackPolicy: ackPolicy as FlowPlan["ackPolicy"],
    sendJitterNs,
    seriesBinNs: Number.POSITIVE_INFINITY,
  }));

const plans: fc.Arbitrary<Plan> = fc.record({
  seed: fc.nat(),
  durationNs: fc.integer({ min: 1000, max: 5000 }).map((ms) => ms * NANOS_PER_MILLI),
  forward: fc.record({
    rate: fc.oneof(constantRate(0.2, 40), shortTrace, longTrace),
    queue,
    lossRate,
    dataBytes: fc.constantFrom(1500, 1504, 1504, 700),
    ackBytes: fc.constant(56),
  }),
  reverse: fc.record({
    rate: fc.oneof(
      fc.constant<LinkRate>({ kind: "unlimited" }),
      constantRate(0.1, 40),
      shortTrace,
      longTrace,
    ),
    queue: fc.oneof(fc.constant(NO_LIMIT), queue),
    lossRate,
    dataBytes: fc.constant(1504),
    ackBytes: fc.constantFrom(52, 56),
    impairments: fc.constantFrom(
      undefined,
      undefined,
      { jitter: { kind: "uniform" as const, maxNs: 300_000 } },
      { jitter: { kind: "uniform" as const, maxNs: 20 * NANOS_PER_MILLI } },
    ),
  }),
  flows: fc.array(flow, { minLength: 1, maxLength: 4 }),
  burst: fc.option(
    fc.record({
      startNs: fc.integer({ min: 0, max: 1500 }).map((ms) => ms * NANOS_PER_MILLI),
      packets: fc.integer({ min: 1, max: 60 }),
      bytes: fc.constantFrom(1504, 1500, 600, 4000),
    }),
    { nil: undefined },
  ),
});

/** One flow on a link of constant rate without loss: its packets leave in trains, and its ACKs enter their direction many at once. */
const plansOfOne: fc.Arbitrary<Plan> = fc.tuple(plans, constantRate(0.2, 40)).map(([plan, rate]) => ({
  ...plan,
  forward: { ...plan.forward, rate, lossRate: 0 },
  flows: plan.flows.slice(0, 1),
  burst: undefined,
}));

const NETWORKS = [
  ["FIFO network", FifoNetwork],
  ["general network", GeneralNetwork],
] as const;

describe("random scenarios", () => {
  it.each([
    ["of any kind", plans],
    ["of one flow without loss", plansOfOne],
  ])(
    "%s: both networks agree with the plain event heap on every count and on every event of every flow",
    (_, kind) => {
      fc.assert(
        fc.property(kind, (plan) => {
          const { fifo, general, heap, fifoLogs, generalLogs, heapLogs } = runAll(plan);
          expect(fifoLogs).toEqual(heapLogs);
          expect(countsOf(fifo, plan)).toEqual(countsOfHeap(heap, plan));
          expect(generalLogs).toEqual(heapLogs);
          expect(countsOf(general, plan)).toEqual(countsOfHeap(heap, plan));
        }),
        { seed: SEED, numRuns: 300 * EFFORT },
      );
    },
  );

  it.each(NETWORKS)(
    "%s: time in slices, with stops, gives the same events as in one go",
    (_, NetworkClass) => {
      fc.assert(
        fc.property(
          plans,
          fc.integer({ min: 1, max: 400 }),
          fc.integer({ min: 1, max: 20 }),
          (plan, sliceMs, stopEvery) => {
            const whole = plan.flows.map((): string[] => []);
            const sliced = plan.flows.map((): string[] => []);
            new NetworkClass(specOf(plan, whole), Rng.fromSeed(plan.seed)).runUntil(plan.durationNs);
            let events = 0;
            let stops = 0;
            const stopper = (): void => {
              if (++events % stopEvery === 0) network.requestStop();
            };
            const network: Network = new NetworkClass(specOf(plan, sliced, stopper), Rng.fromSeed(plan.seed));
            while (network.nowNs < plan.durationNs) {
              const untilNs = Math.min(network.nowNs + sliceMs * NANOS_PER_MILLI, plan.durationNs);
              while (!network.runUntil(untilNs)) stops++;
            }
            expect(sliced).toEqual(whole);
            expect(stops).toBe(Math.floor(events / stopEvery));
          },
        ),
        { seed: SEED + 6, numRuns: 80 * EFFORT },
      );
    },
  );

  it.each(NETWORKS)("%s: a decision at a stop has the effect of one inside the event", (_, NetworkClass) => {
    /** A window that follows a fixed pattern, one value per ACK or timeout; `decide` applies the next one. */
    function patterned(log: string[], onEvent: (decide: () => void) => void): CongestionControlFactory {
      return () => {
        let events = 0;
        const control = {
          name: "patterned",
          cwndBytes: 10 * MSS_BYTES,
          pacingRateBytesPerSec: undefined as number | undefined,
          onAck(ack: AckEvent) {
            log.push(`${ack.nowUs} ${ack.cumulativeSequence} ${ack.inflightPackets} ${ack.lostPackets}`);
            onEvent(() => {
              events++;
              control.cwndBytes = (1 + ((events * 7919) % 60)) * MSS_BYTES;
              control.pacingRateBytesPerSec =
                events % 3 === 0 ? undefined : 100_000 + ((events * 104_729) % 2_000_000);
            });
          },
          onCongestion() {},
        };
        return control;
      };
    }
    fc.assert(
      fc.property(plans, (plan) => {
        const inside = plan.flows.map((): string[] => []);
        const outside = plan.flows.map((): string[] => []);
        const specWith = (
          logs: string[][],
          onEvent: (index: number, decide: () => void) => void,
        ): NetworkSpec => ({
          ...specOf(plan, logs),
          flows: plan.flows.map((flow, i) => ({
            ...flow,
            control: patterned(logs[i]!, (decide) => onEvent(i, decide)),
          })),
        });
        new NetworkClass(
          specWith(inside, (_index, decide) => decide()),
          Rng.fromSeed(plan.seed),
        ).runUntil(plan.durationNs);
        let decideLater: () => void = () => {};
        const network: Network = new NetworkClass(
          specWith(outside, (index, decide) => {
            decideLater = () => {
              decide();
              network.refresh(network.flows[index]!);
            };
            network.requestStop();
          }),
          Rng.fromSeed(plan.seed),
        );
        while (!network.runUntil(plan.durationNs)) decideLater();
        expect(outside).toEqual(inside);
      }),
      { seed: SEED + 7, numRuns: 80 * EFFORT },
    );
  });

  it("packets are conserved, limits and propagation hold", () => {
    fc.assert(
      fc.property(plans, (plan) => {
        const { fifo, heap, fifoLogs } = runAll(plan);
        const inNetwork = (index: number): number =>
          heap.flows[index]!.onWire +
          heap.forward.queue.filter((packet) => packet.flow.index === index).length +
          (heap.forward.inService?.flow.index === index ? 1 : 0);
        for (const {
          index,
          sender,
          arrivedPackets,
          firstArrivedPackets,
          droppedPackets,
          spec,
        } of fifo.flows) {
          expect(sender?.sentPackets ?? 0).toBe(arrivedPackets + droppedPackets + inNetwork(index));
          if (sender === undefined) continue;
          expect(sender.deliveredPackets).toBeLessThanOrEqual(firstArrivedPackets);
          expect(sender.inflightPackets).toBeGreaterThanOrEqual(0);
          if (spec.stopNs > plan.durationNs) {
            // never stuck: a packet may leave, or the window is full and a timer guards it
            const full = sender.inflightPackets >= sender.cwndPackets;
            expect(sender.sendAtNs < Number.POSITIVE_INFINITY).toBe(!full);
            if (sender.inflightPackets > 0) expect(sender.timerAtNs).toBeGreaterThanOrEqual(plan.durationNs);
            if (sender.inflightPackets > 0) expect(sender.timerAtNs).toBeLessThan(Number.POSITIVE_INFINITY);
          }
          for (const line of fifoLogs[index]!) {
            const rttUs = Number(/ rtt (\S+)/.exec(line)?.[1] ?? 0);
            if (rttUs > 0) expect(rttUs).toBeGreaterThanOrEqual((2 * spec.propagationNs) / 1000 - 1e-3);
          }
        }
        for (const [link, { queue }] of [
          [fifo.forward, plan.forward],
          [fifo.reverse, plan.reverse],
        ] as const) {
          expect(link.maxQueuedPackets).toBeLessThanOrEqual(queue.packets);
          expect(link.maxQueuedBytes).toBeLessThanOrEqual(queue.bytes);
        }
      }),
      { seed: SEED + 1, numRuns: 100 * EFFORT },
    );
  });

  it("a drained network has sent = arrived + dropped, and tells each flow once that it is over", () => {
    fc.assert(
      fc.property(plans, (plan) => {
        const stopNs = 2 * NANOS_PER_SEC;
        const flows = plan.flows.map((each) => ({ ...each, stopNs: Math.min(each.stopNs, stopNs) }));
        const { fifo, fifoLogs } = runAll({ ...plan, flows, durationNs: 600 * NANOS_PER_SEC });
        expect(fifo.forward.servedBytes(fifo.nowNs)).toBeGreaterThan(0);
        expect(fifo.forward.queuedPackets).toBe(0);
        for (const { sender, arrivedPackets, droppedPackets } of fifo.flows) {
          expect(sender!.sentPackets).toBe(arrivedPackets + droppedPackets);
        }
        expect(fifoLogs.map((log) => log.filter((line) => line === "close").length)).toEqual(
          flows.map(() => 1),
        );
      }),
      { seed: SEED + 2, numRuns: 20 * EFFORT },
    );
  });
});

function traceLink(opportunitiesMs: readonly number[], offsetNs: number, limit: QueueLimit): ServedLink {
  const server = makeServer({ kind: "trace", opportunitiesMs, offsetNs }, { rng: Rng.fromSeed(SEED) });
  return new ServedLink(server, limit);
}

describe("one link", () => {
  const offers = fc.array(
    fc.tuple(fc.integer({ min: 0, max: 9_000_000 }), fc.integer({ min: 40, max: 4000 })),
    {
      minLength: 1,
      maxLength: 300,
    },
  );

  it("serves in order of arrival, never early, and departs when service says", () => {
    fc.assert(
      fc.property(offers, fc.oneof(shortTrace, constantRate(0.2, 40)), queue, (steps, rate, limit) => {
        const link =
          rate.kind === "trace"
            ? traceLink(rate.opportunitiesMs, rate.offsetNs, limit)
            : new ConstantLink(rate.kind === "constant" ? rate.rateBytesPerSec : 1, limit);
        let nowNs = 0;
        let lastStartNs = 0;
        let lastDepartNs = 0;
        for (const [gapNs, bytes] of steps) {
          nowNs += gapNs;
          if (!link.offer(nowNs, bytes, 0)) continue;
          expect(link.startNs).toBeGreaterThanOrEqual(Math.max(nowNs, lastStartNs));
          expect(link.departNs).toBeGreaterThanOrEqual(Math.max(link.startNs, lastDepartNs));
          expect(link.queuedPackets).toBeLessThanOrEqual(limit.packets);
          expect(link.queuedBytes).toBeLessThanOrEqual(limit.bytes);
          lastStartNs = link.startNs;
          lastDepartNs = link.departNs;
        }
      }),
      { seed: SEED + 3, numRuns: 200 * EFFORT },
    );
  });

  it("a never-empty queue gets n x 1504 bytes per lap of n opportunities, whatever the packets' size", () => {
    fc.assert(
      fc.property(shortTrace, fc.integer({ min: 40, max: 4000 }), (rate, bytes) => {
        if (rate.kind !== "trace") return;
        const { opportunitiesMs, offsetNs } = rate;
        const link = traceLink(opportunitiesMs, offsetNs, NO_LIMIT);
        const laps = 5;
        const periodNs = opportunitiesMs.at(-1)! * NANOS_PER_MILLI;
        const due = laps * opportunitiesMs.length * 1504;
        for (let offered = 0; offered < due + bytes; offered += bytes) link.offer(0, bytes, 0);
        expect(link.capacityBytes(0, laps * periodNs)).toBe(due);
        expect(link.servedBytes(laps * periodNs)).toBe(Math.floor(due / bytes) * bytes);
      }),
      { seed: SEED + 4, numRuns: 100 * EFFORT },
    );
  });

  it.each(["Verizon-LTE-short.down", "ATT-LTE-driving-2016.down"])(
    "two laps of %s deliver every opportunity",
    (file) => {
      const path = sharedData(`traces/${file}`);
      if (path === undefined) return;
      const { opportunitiesMs } = parseMahimahiTrace(readFileSync(path, "utf8"), file);
      // At offset 0 the first lap lacks the opportunities at time 0: nothing can have arrived before them.
      const link = traceLink(opportunitiesMs, 0, NO_LIMIT);
      const atZero = opportunitiesMs.filter((ms) => ms === 0).length;
      const periodNs = opportunitiesMs.at(-1)! * NANOS_PER_MILLI;
      for (let i = 0; i < 3 * opportunitiesMs.length; i++) link.offer(0, 1504, 0);
      expect(link.servedBytes(periodNs)).toBe(opportunitiesMs.length * 1504);
      expect(link.servedBytes(2 * periodNs)).toBe(2 * opportunitiesMs.length * 1504);
      expect(atZero).toBeGreaterThan(0);
    },
  );

  it("served and wasted bytes make up every opportunity", () => {
    const traces = fc.oneof(shortTrace, longTrace);
    fc.assert(
      fc.property(plans, traces, (plan, rate) => {
        const { fifo, heap } = runAll({ ...plan, forward: { ...plan.forward, rate } });
        const { forward } = heap;
        expect(fifo.forward.servedBytes(plan.durationNs)).toBe(forward.servedBytes);
        expect(fifo.forward.capacityBytes(0, plan.durationNs)).toBe(forward.opportunities * 1504);
        expect(forward.servedBytes + forward.startedBytes + forward.wastedBytes).toBe(
          forward.opportunities * 1504,
        );
      }),
      { seed: SEED + 5, numRuns: 50 * EFFORT },
    );
  });
});

describe("overload", () => {
  it.each([
    [12, 14, 60, 1500],
    [12, 40, 1, 1500],
    [48, 50, 400, 1504],
    [5.5, 6, 1000, 1500],
  ])(
    "%d Mbit/s offered %d, limit %d: drops offered - C x T - limit within 2 packets",
    (mbps, offeredMbps, packets, dataBytes) => {
      const durationSec = 60;
      const pacingRate = (fromMbps(offeredMbps) * MSS_BYTES) / dataBytes;
      const link = (rate: LinkRate, limit: typeof NO_LIMIT): LinkSpec => ({
        rate,
        queue: limit,
        lossRate: 0,
        dataBytes,
        ackBytes: 52,
      });
      const spec: NetworkSpec = {
        forward: link({ kind: "constant", rateBytesPerSec: fromMbps(mbps) }, { ...NO_LIMIT, packets }),
        reverse: link({ kind: "unlimited" }, NO_LIMIT),
        flows: [
          {
            control: fixed(1e6, pacingRate),
            startNs: 0,
            stopNs: Number.POSITIVE_INFINITY,
            propagationNs: 20 * NANOS_PER_MILLI,
            ackPolicy: "delayed",
            sendJitterNs: 0,
            seriesBinNs: Number.POSITIVE_INFINITY,
          },
        ],
      };
      const network = new FifoNetwork(spec, Rng.fromSeed(1));
      const heap = new HeapNetwork(spec, Rng.fromSeed(1));
      network.runUntil(durationSec * NANOS_PER_SEC);
      heap.runUntil(durationSec * NANOS_PER_SEC);
      const { forward } = network;
      const capacityPackets = (fromMbps(mbps) * durationSec) / dataBytes;
      expect(forward.offeredPackets).toBeGreaterThan(capacityPackets + packets);
      expect(
        Math.abs(forward.droppedPackets - (forward.offeredPackets - capacityPackets - packets)),
      ).toBeLessThanOrEqual(2);
      expect(forward.droppedPackets).toBe(heap.forward.droppedPackets);
      expect(forward.maxQueuedPackets).toBe(packets);
    },
  );
});
