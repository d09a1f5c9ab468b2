/** The engine's memory and its share of CCP: what the networks' own tests do not reach. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ccpAlgorithm } from "../../algorithms/reference.ts";
import { ALGORITHMS } from "../../algorithms/registry.ts";
import type { CcpAlgorithm } from "../../ccp-bridge/agent/algorithm.ts";
import type { CongestionControlFactory } from "../../ccp-bridge/congestion-control.ts";
import { BLOCK } from "../../ccp-bridge/datapath/register-arena.ts";
import { runCcpAlgorithm } from "../../ccp-bridge/in-process-flow.ts";
import { PRIMITIVE } from "../../ccp-bridge/lang/scope.ts";
import { observedControl } from "../../ccp-bridge/observed-control.ts";
import { Rng } from "../../core/random.ts";
import { fromMbps, MSS_BYTES, NANOS_PER_MILLI, NANOS_PER_SEC } from "../../core/units.ts";
import { BLOCK_WORD } from "../../engine/generated/engine-interface.ts";
import { Sender } from "../../engine/sender.ts";
import { Engine } from "../../engine/wasm-host.ts";
import { Meter } from "../../envs/signals/meter.ts";
import { FifoNetwork } from "../../sim/fifo/fifo-network.ts";
import type { FlowSpec, LinkSpec, NetworkSpec } from "../../sim/network.ts";

const NO_LIMIT = { packets: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };
const OPEN: LinkSpec = {
  rate: { kind: "unlimited" },
  queue: NO_LIMIT,
  lossRate: 0,
  dataBytes: 1500,
  ackBytes: 52,
};

function bottleneck(mbps: number, packets: number, lossRate = 0): LinkSpec {
  const queue = { packets, bytes: Number.POSITIVE_INFINITY };
  return { ...OPEN, rate: { kind: "constant", rateBytesPerSec: fromMbps(mbps) }, queue, lossRate };
}

function flow(control: CongestionControlFactory, startNs = 0): FlowSpec {
  return {
    control,
    startNs,
    stopNs: Number.POSITIVE_INFINITY,
    propagationNs: 10 * NANOS_PER_MILLI,
    ackPolicy: "delayed",
    sendJitterNs: 20_000,
    seriesBinNs: Number.POSITIVE_INFINITY,
  };
}

/** Sets window and rate to whatever comes to mind: also 0, which sets the registers alone, and more than a double holds exactly. */
function erratic(seed: number): CcpAlgorithm {
  return {
    name: "erratic",
    programs: {
      each: `(def (Report (volatile acked 0) (cwnd 0) (rate 0)) (every 3))
        (when true
          (:= Report.acked (+ Report.acked Ack.packets_acked))
          (:= Report.cwnd Cwnd)
          (:= Report.rate Rate)
          (fallthrough))
        (when (> Report.acked every)
          (:= Cwnd (+ Cwnd 100))
          (report))`,
    },
    newFlow(control) {
      const rng = Rng.fromSeed(seed);
      const oneOf = (values: readonly number[]): number => values[Math.floor(rng.next() * values.length)]!;
      control.setProgram("each");
      let seen = 0;
      return {
        onReport(report) {
          seen += report.get("cwnd") + report.get("rate");
          for (let messages = oneOf([0, 1, 1, 2]); messages > 0; messages--) {
            const fields: Record<string, number> = {};
            // what the registers held decides too, so that no difference stays unseen
            if (oneOf([0, 1]) === 1) fields["Cwnd"] = oneOf([0, 5000, 20_000 + (seen % 1000), 60_000]);
            if (oneOf([0, 1]) === 1)
              fields["Rate"] = oneOf([0, 100_000, 400_000, 3_000_000, 2 ** 45, 2 ** 62]);
            if (oneOf([0, 0, 0, 1]) === 1) fields["every"] = oneOf([1, 3, 10]);
            control.updateFields(fields);
          }
        },
      };
    },
  };
}

function fixed(cwndPackets: number): CongestionControlFactory {
  return () => ({
    name: "fixed",
    cwndBytes: cwndPackets * MSS_BYTES,
    pacingRateBytesPerSec: undefined,
    onAck() {},
    onCongestion() {},
  });
}

describe("the engine's memory", () => {
  it("grows under flows whose windows need it, and every face sees the words that it saw before", () => {
    const spec: NetworkSpec = {
      forward: bottleneck(40_000, Number.POSITIVE_INFINITY),
      reverse: OPEN,
      flows: Array.from({ length: 40 }, (_, i) => ({
        ...flow(fixed(4000), i * NANOS_PER_MILLI),
        sendJitterNs: 0,
      })),
    };
    const network = new FifoNetwork(spec, Rng.fromSeed(1));
    network.runUntil(0.25 * NANOS_PER_SEC);
    for (const each of network.flows) {
      each.advance(network.nowNs);
      const { sender, droppedPackets } = each;
      expect(droppedPackets).toBe(0);
      expect(sender!.cwndPackets).toBe(4000);
      expect(sender!.inflightPackets).toBe(4000);
      expect(sender!.sentPackets - sender!.deliveredPackets).toBe(4000);
      expect(each.firstArrivedPackets).toBeGreaterThanOrEqual(sender!.deliveredPackets);
    }
    const { words } = network.flows[0]!.face;
    expect(words.buffer).toBe(network.flows[39]!.face.words.buffer);
    expect(words.byteLength).toBeGreaterThan(0);
  });

  it("is given back by senders that are over: a thousand one after the other take no more than a few", () => {
    const engine = new Engine();
    const run = (): void => {
      const control = fixed(500)({ nowUs: 0, mssBytes: MSS_BYTES, initialCwndBytes: 0 });
      const sender = new Sender(control, 0, {}, { engine });
      for (let i = 0; i < 500; i++) sender.markArrival(sender.transmit(0), 1000, true, false);
      sender.onAck(2000, sender.arrivals);
      sender.release();
      expect(sender.deliveredPackets).toBe(500);
      expect(sender.rtt.srttUs).toBe(2);
    };
    for (let i = 0; i < 5; i++) run();
    const before = engine.f64.byteLength;
    for (let i = 0; i < 1000; i++) run();
    expect(engine.f64.byteLength).toBe(before);
  });

  it("is its network's alone, and goes with it", () => {
    const spec: NetworkSpec = {
      forward: bottleneck(48, 200),
      reverse: OPEN,
      flows: [flow(runCcpAlgorithm(ccpAlgorithm("cubic")))],
    };
    const run = (): void => {
      new FifoNetwork(spec, Rng.fromSeed(1)).runUntil(0.1 * NANOS_PER_SEC);
    };
    for (let i = 0; i < 200; i++) run();
    const before = process.memoryUsage().external;
    for (let i = 0; i < 2000; i++) run();
    // the collector lets some pile up; 2,000 networks would be 500 MB
    expect(process.memoryUsage().external - before).toBeLessThan(150e6);
  });
});

describe("a CCP program that the engine runs", () => {
  it("finds primitives and registers where the datapath has them", () => {
    expect({ ...PRIMITIVE, ...BLOCK }).toMatchObject(BLOCK_WORD);
    expect(BLOCK.primitives).toBe(0);
  });

  it("sums for a meter what the same meter counts when it is shown each ACK", () => {
    const intervals = [false, true].map((isShown) => {
      const meter = new Meter();
      const factory = runCcpAlgorithm(ccpAlgorithm("cubic"));
      const observer = isShown ? { record: meter.record.bind(meter) } : meter;
      const control: CongestionControlFactory = (start) => observedControl(factory(start), observer);
      const spec: NetworkSpec = {
        forward: bottleneck(12, 20, 0.01),
        reverse: OPEN,
        flows: [flow(control, 0)],
      };
      const network = new FifoNetwork(spec, Rng.fromSeed(5));
      return Array.from({ length: 40 }, (_, step) => {
        network.runUntil((step + 1) * 100 * NANOS_PER_MILLI);
        const { acks, inflightPackets } = network.flows[0]!.sender!;
        return meter.close(100_000, { acks, inflightPackets }, (interval) => ({ ...interval }));
      });
    });
    expect(intervals[0]).toEqual(intervals[1]);
    expect(intervals[0]!.some(({ lostPackets }) => lostPackets > 0)).toBe(true);
    expect(intervals[0]!.filter(({ report }) => report).length).toBeGreaterThan(30);
  });

  it("does what it does when the datapath is asked at each ACK, whatever the algorithm and the losses", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.constantFrom(...ALGORITHMS.keys()).map(ccpAlgorithm),
          fc.integer({ min: 1 }).map(erratic),
        ),
        fc.constantFrom(0, 0.002, 0.02),
        fc.integer({ min: 4, max: 100 }),
        fc.integer({ min: 1, max: 3 }),
        (algorithm, lossRate, queuePackets, flows) => {
          const counts = [false, true].map((isAsked) => {
            const factory = runCcpAlgorithm(algorithm);
            const control: CongestionControlFactory = (start) => {
              const made = factory(start);
              // what listens to each ACK hides the registers, so that the engine must hand them over
              return isAsked ? observedControl(made, { record: () => {} }) : made;
            };
            const spec: NetworkSpec = {
              forward: bottleneck(12, queuePackets, lossRate),
              reverse: OPEN,
              flows: Array.from({ length: flows }, (_, i) => flow(control, i * 100 * NANOS_PER_MILLI)),
            };
            const network = new FifoNetwork(spec, Rng.fromSeed(3));
            network.runUntil(4 * NANOS_PER_SEC);
            return network.flows.map(({ sender, droppedPackets, statistics }) => ({
              acks: sender!.acks,
              sent: sender!.sentPackets,
              lost: sender!.lostPackets,
              timeouts: sender!.timeouts,
              cwnd: sender!.control.cwndBytes,
              rate: sender!.control.pacingRateBytesPerSec,
              srtt: sender!.rtt.srttUs,
              droppedPackets,
              delaySum: statistics.queueDelay.sumUs,
            }));
          });
          expect(counts[0]).toEqual(counts[1]);
          expect(counts[0]!.reduce((sum, { acks }) => sum + acks, 0)).toBeGreaterThan(50);
        },
      ),
      { seed: 11, numRuns: 80 },
    );
  });
});
