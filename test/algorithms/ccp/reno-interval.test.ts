import { expect, it } from "vitest";
import { makeReno, type RenoOptions } from "../../../algorithms/ccp/reno.ts";
import { runCcpAlgorithm } from "../../../ccp-bridge/in-process-flow.ts";
import { Rng } from "../../../core/random.ts";
import { fromMbps, NANOS_PER_MILLI, NANOS_PER_SEC } from "../../../core/units.ts";
import { bottleneck, flowOf, OPEN_LINK } from "../../../eval/experiments/path.ts";
import { FifoNetwork } from "../../../sim/fifo/fifo-network.ts";

const SEED = 5;

/** Reno over CCP for 20 s on 24 Mbit/s, 40 ms, with random loss beside that of the queue. */
function run(options: RenoOptions) {
  const control = runCcpAlgorithm(makeReno(options));
  const flows = [flowOf(control, 40 * NANOS_PER_MILLI, 0, { sender: { minRtoMs: 50 } })];
  const forward = { ...bottleneck(fromMbps(24), 80), lossRate: 0.002 };
  const network = new FifoNetwork({ forward, reverse: OPEN_LINK, flows }, Rng.fromSeed(SEED));
  const flow = network.flows[0]!;
  network.runUntil(20 * NANOS_PER_SEC);
  return { sent: flow.sender!.sentPackets, dropped: flow.droppedPackets, timeouts: flow.sender!.timeouts };
}

it("Reno that is told of losses every microsecond sends what Reno that is told at once sends", () => {
  const atOnce = run({});
  console.log("seed", SEED, atOnce);
  expect(atOnce.dropped).toBeGreaterThan(30);
  expect(run({ reportEveryUs: 1 })).toEqual(atOnce);
});

it("Reno that is told of losses once in ten round trips cuts late and loses more packets", () => {
  const late = run({ reportEveryUs: 400_000 });
  const atOnce = run({});
  console.log("seed", SEED, { late, atOnce });
  expect(late.dropped).toBeGreaterThan(1.5 * atOnce.dropped);
});
