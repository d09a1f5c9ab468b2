/** One window for the flows of a host. */
import { expect, it } from "vitest";
import { makeAlgorithm, resolveAlgorithm } from "../../algorithms/reference.ts";
import type { CongestionControlFactory } from "../../ccp-bridge/congestion-control.ts";
import { runCcpAlgorithm } from "../../ccp-bridge/in-process-flow.ts";
import { Rng } from "../../core/random.ts";
import { fromMbps, NANOS_PER_MILLI, NANOS_PER_SEC } from "../../core/units.ts";
import { claimsTable } from "../../eval/experiments/experiment.ts";
import { bottleneck, flowOf, OPEN_LINK } from "../../eval/experiments/path.ts";
import { loadExperiment } from "../../eval/experiments/registry.ts";
import { FifoNetwork } from "../../sim/fifo/fifo-network.ts";

it("a flow that joins a group has its share within two round trips, beside Reno's many", async () => {
  const { options, run, report } = await loadExperiment("aggregation");
  const settings = {
    ...Object.fromEntries(Object.entries(options).map(([name, { initial }]) => [name, initial])),
    seeds: [1, 2],
  };
  const rows: object[] = [];
  for await (const row of run(settings)) rows.push(row);
  const { claims } = report(rows, settings);
  console.log(`seeds 1 and 2\n${claimsTable(claims)}`);
  expect(claims.map(({ verdict }) => verdict)).toEqual(["pass", "pass", "pass", undefined]);
});

it("a group's window is split by the weights of its flows, and one that leaves gives its part to the others", () => {
  const made = makeAlgorithm(resolveAlgorithm("aggregate"));
  if (typeof made === "function") throw new Error("expected an algorithm over CCP");
  const control = runCcpAlgorithm(made);
  const weighted =
    (weight: number): CongestionControlFactory =>
    (start) =>
      control({ ...start, hosting: { ...start.hosting, weight } });
  const flows = [1, 3].map((weight, i) =>
    flowOf(weighted(weight), 40 * NANOS_PER_MILLI, 0, {
      sendJitterNs: 20_000,
      stopNs: (i === 0 ? 20 : 10) * NANOS_PER_SEC,
    }),
  );
  const network = new FifoNetwork(
    { forward: bottleneck(fromMbps(24), 80), reverse: OPEN_LINK, flows },
    Rng.fromSeed(1),
  );
  const arrived = (sec: number): number[] => {
    network.runUntil(sec * NANOS_PER_SEC);
    return network.flows.map((flow) => {
      flow.advance(network.nowNs);
      return flow.firstArrivedPackets;
    });
  };
  const [before, after] = [arrived(2), arrived(10)];
  expect((after[1]! - before[1]!) / (after[0]! - before[0]!)).toBeCloseTo(3, 0);
  // 24 Mbit/s are 2000 packets per second
  expect((arrived(20)[0]! - after[0]!) / (10 * 2000)).toBeGreaterThan(0.9);
});
