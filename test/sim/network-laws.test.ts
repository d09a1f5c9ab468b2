/**
 * Laws that any network obeys, over random networks of the general network: nothing appears or vanishes, queues keep their
 * limits, a flow's packets keep their order where nothing reorders, nothing is faster than its path, and the same seed
 * gives the same events.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Rng } from "../../core/random.ts";
import { NANOS_PER_SEC } from "../../core/units.ts";
import { GeneralNetwork } from "../../sim/general/general-network.ts";
import { type NetworkPlan, networkPlans, specOf } from "./random-networks.ts";

const SEED = Number(process.env["CCPARK_ORACLE_SEED"] ?? 20260301);
/** Multiplies the number of random networks. */
const EFFORT = Number(process.env["CCPARK_ORACLE_EFFORT"] ?? 1);

/** Long after the last flow has stopped everything has arrived or was dropped, however slow the links. */
const DRAIN_NS = 200 * NANOS_PER_SEC;

function mayReorder(plan: NetworkPlan, flow: number): boolean {
  const route = plan.flows[flow]!.route.forward;
  return route.some((number) => {
    const { impairments, discipline } = plan.links[number]!;
    // in DualPI2 a packet that came marked overtakes its flow's others
    const kind = discipline?.kind;
    return impairments?.jitter?.reorder === true || kind === "sfq" || kind === "dualpi2";
  });
}

describe(`random networks (seed ${SEED})`, () => {
  it("sent + duplicated = arrived + dropped once drained, limits hold, order and propagation too", () => {
    fc.assert(
      fc.property(networkPlans, (plan) => {
        const lastTxn = plan.flows.map(() => -1);
        let ordered = true;
        let inTime = true;
        const rng = Rng.fromSeed(plan.seed);
        const spec = specOf(plan, rng, (i, flow) => {
          const sender = flow.sender!;
          const sentNs: number[] = [];
          const transmit = sender.transmit.bind(sender);
          sender.transmit = (nowNs) => {
            const txn = transmit(nowNs);
            sentNs[txn] = nowNs;
            return txn;
          };
          const markArrival = sender.markArrival.bind(sender);
          sender.markArrival = (txn, arrivalNs, first, ce) => {
            if (txn < lastTxn[i]! && !mayReorder(plan, i)) ordered = false;
            lastTxn[i] = Math.max(lastTxn[i]!, txn);
            if (arrivalNs < sentNs[txn]! + plan.flows[i]!.propagationNs) inTime = false;
            markArrival(txn, arrivalNs, first, ce);
          };
        });
        const network = new GeneralNetwork(spec, rng);
        network.runUntil(plan.durationNs);
        const underWay = [...network.flows, ...network.datagrams].map(
          (flow) =>
            ("sender" in flow ? (flow.sender?.sentPackets ?? 0) : flow.sentPackets) +
            flow.duplicatedPackets -
            flow.arrivedPackets -
            flow.droppedPackets,
        );
        for (const count of underWay) expect(count).toBeGreaterThanOrEqual(0);
        expect(underWay.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(network.packetsUnderWay);

        network.runUntil(plan.durationNs + DRAIN_NS);
        expect(network.packetsUnderWay).toBe(0);
        for (const flow of network.flows) {
          expect(flow.arrivedPackets + flow.droppedPackets).toBe(
            flow.sender!.sentPackets + flow.duplicatedPackets,
          );
          expect(flow.firstArrivedPackets).toBeLessThanOrEqual(flow.arrivedPackets);
        }
        for (const source of network.datagrams) {
          expect(source.arrivedPackets + source.droppedPackets).toBe(
            source.sentPackets + source.duplicatedPackets,
          );
        }
        network.hops.forEach((hop, i) => {
          const { queue } = plan.links[i]!;
          expect(hop.servedBytes(network.nowNs)).toBeLessThanOrEqual(
            hop.capacityBytes(0, network.nowNs) + 1500,
          );
          expect(hop.maxQueuedPackets).toBeLessThanOrEqual(queue.packets);
          expect(hop.maxQueuedBytes).toBeLessThanOrEqual(queue.bytes);
          expect(hop.queuedPackets).toBe(0);
          expect(hop.servedBytes(network.nowNs)).toBeLessThanOrEqual(
            hop.capacityBytes(0, network.nowNs) + 1500,
          );
        });
        expect({ ordered, inTime }).toEqual({ ordered: true, inTime: true });
      }),
      { seed: SEED, numRuns: 2000 * EFFORT },
    );
  }, 240_000);

  it("the same seed gives the same counts", () => {
    const countsOf = (plan: NetworkPlan): unknown => {
      const rng = Rng.fromSeed(plan.seed);
      const network = new GeneralNetwork(specOf(plan, rng), rng);
      network.runUntil(plan.durationNs);
      return network.flows.map(({ sender, arrivedPackets, droppedPackets, statistics }) => [
        sender?.sentPackets,
        sender?.acks,
        sender?.cwndPackets,
        arrivedPackets,
        droppedPackets,
        statistics.queueDelay.sumUs,
      ]);
    };
    fc.assert(
      fc.property(networkPlans, (plan) => {
        expect(countsOf(plan)).toEqual(countsOf(plan));
      }),
      { seed: SEED + 1, numRuns: 50 * EFFORT },
    );
  }, 60_000);
});
