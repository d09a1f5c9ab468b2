import { describe, expect, it } from "vitest";
import { makeAlgorithm, resolveAlgorithm } from "../../../algorithms/reference.ts";
import { NANOS_PER_MILLI } from "../../../core/units.ts";
import { LINUX } from "../../../testbeds/linux/linux.ts";
import { linkOf } from "../emulated/rig.ts";
import { kernelRefuses } from "./kernel-access.ts";

const ATTEMPTS = 5;
const INITIAL_PACKETS = 10;

/** Window and acknowledged packets when the window is largest before the first cut. */
async function slowStart(reference: string): Promise<{ readonly cwnd: number; readonly acked: number }> {
  const algorithm = makeAlgorithm(resolveAlgorithm(reference));
  // a window of 200 packets fills the pipe, and as many the queue
  const scenario = { ...linkOf(48, 25, { packets: 200 }), durationSec: 3 };
  const run = await LINUX.open(scenario, 1, { control: () => algorithm });
  try {
    let most = { cwnd: 0, acked: 0 };
    for (let atNs = 0; atNs < run.endNs; atNs += 10 * NANOS_PER_MILLI) {
      await run.runUntil(atNs);
      const { cwndPackets, deliveredPackets, lostPackets } = run.flows[0]!;
      if (cwndPackets < most.cwnd || lostPackets > 0) return most;
      most = { cwnd: cwndPackets, acked: deliveredPackets };
    }
    return most;
  } finally {
    await run.close();
  }
}

describe.skipIf(kernelRefuses() !== undefined)("slow start by a program in Linux TCP", () => {
  it("grows by every packet that is acknowledged, though Linux holds bursts back", async () => {
    let most = await slowStart("reno");
    // one that is held up so long that a packet counts as lost has no slow start to speak of
    for (let i = 1; i < ATTEMPTS && most.cwnd < 300; i++) most = await slowStart("reno");
    console.log(`${most.acked} packets acknowledged, window ${most.cwnd}`);
    expect(most.cwnd).toBeGreaterThanOrEqual(300);
    expect((most.cwnd - INITIAL_PACKETS) / most.acked).toBeGreaterThan(0.9);
    expect((most.cwnd - INITIAL_PACKETS) / most.acked).toBeLessThan(1.02);
  });
});
